/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The order of the stages, and the names of their verdicts.
 */
#include "stages.h"

#include "base/base.h"
#include "media/fork/consumer.h"
#include "media/fork/udp.h"
#include "media/plane.h"
#include "media/rtcp/report.h"

static const char *const verdict_names[STW_VERDICT_COUNT] = {
	[STW_PASS_RELAYED] = "pass_relayed",
	[STW_PASS_RELAYED_RTCP] = "pass_relayed_rtcp",
	[STW_PASS_CONSUMED] = "pass_consumed",
	[STW_PASS_HOST] = "pass_host",
	[STW_DROP_NOT_OURS] = "drop_not_ours",
	[STW_DROP_MALFORMED] = "drop_malformed",
	[STW_DROP_CHECKSUM] = "drop_checksum",
	[STW_DROP_FRAGMENT] = "drop_fragment",
	[STW_DROP_NO_LEG] = "drop_no_leg",
	[STW_DROP_NOT_RTP] = "drop_not_rtp",
	[STW_DROP_SOURCE] = "drop_source",
	[STW_DROP_NO_REMOTE] = "drop_no_remote",
	[STW_DROP_NO_NEXT_HOP] = "drop_no_next_hop",
	[STW_DROP_NO_BUFFER] = "drop_no_buffer",
	[STW_DROP_SEND_FULL] = "drop_send_full",
	[STW_DROP_SUPERSEDED] = "drop_superseded",
	[STW_PASS_TERMINATED_RTCP] = "pass_terminated_rtcp",
	[STW_DROP_DIRECTION] = "drop_direction",
	[STW_DROP_RATE] = "drop_rate",
	[STW_DROP_STUN] = "drop_stun",
	[STW_DROP_DTLS] = "drop_dtls",

	[STW_DROP_SRTP_MALFORMED] = "drop_srtp_malformed",
	[STW_DROP_SRTP_AUTH] = "drop_srtp_auth",
	[STW_DROP_SRTP_REPLAY] = "drop_srtp_replay",
	[STW_DROP_SRTP_SSRC] = "drop_srtp_ssrc",
	[STW_DROP_SRTP_EXPIRED] = "drop_srtp_expired",
	[STW_PASS_SUPPRESSED] = "pass_suppressed",
	[STW_PASS_MIXED] = "pass_mixed",
	[STW_DROP_OVERLOAD] = "drop_overload",
	[STW_PASS_EXCEPTION] = "pass_exception",
};

const char *
stw_verdict_name(enum stw_verdict verdict)
{
	if ((unsigned)verdict >= STW_VERDICT_COUNT)
		return "unknown";
	return verdict_names[verdict];
}

void
pipeline_run(struct worker *worker, unsigned count)
{
	stage_lookup(worker, worker->packets, count);
	stage_guard(worker, worker->packets, count);
	stage_unprotect(worker, worker->packets, count);
	stage_receive(worker, worker->packets, count);
	stage_rtcp(worker, worker->packets, count);
	stage_quiet(worker, worker->packets, count);
	stage_digits(worker, worker->packets, count);
	stage_copy(worker, worker->packets, count);
	stage_mix(worker, worker->packets, count);
	stage_rtcp_pass(worker, worker->packets, count);
	stage_relay(worker, worker->packets, count);
	kernel_stage(worker, worker->packets, count);
	udp_send(worker);
}

static uint64_t
earlier(uint64_t a_ns, uint64_t b_ns)
{
	return a_ns < b_ns ? a_ns : b_ns;
}

uint64_t
pipeline_due(const struct worker *worker)
{
	uint64_t due_ns = play_due(worker);

	due_ns = earlier(due_ns, digits_due(worker));
	due_ns = earlier(due_ns, silence_due(worker));
	due_ns = earlier(due_ns, report_due(worker));
	due_ns = earlier(due_ns, mix_due(worker));
	due_ns = earlier(due_ns, dial_due(worker));
	if (worker->index == 0 &&
	    atomic_load_explicit(&worker->media->wants_own.waiting, memory_order_relaxed))
		due_ns = worker->now_ns;
	return due_ns;
}

void
pipeline_turn(struct worker *worker)
{
	copy_turn(worker);
	frames_turn(worker);
	digits_turn(worker);
	silence_turn(worker);
	report_turn(worker);
}
