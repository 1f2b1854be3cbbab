/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The order of the stages, and the names of their verdicts.
 */
#include "stages.h"

#include "base/base.h"

static const char *const verdict_names[STW_VERDICT_COUNT] = {
	[STW_PASS_RELAYED] = "pass_relayed",         [STW_PASS_RELAYED_RTCP] = "pass_relayed_rtcp",
	[STW_PASS_CONSUMED] = "pass_consumed",       [STW_PASS_HOST] = "pass_host",
	[STW_DROP_NOT_OURS] = "drop_not_ours",       [STW_DROP_MALFORMED] = "drop_malformed",
	[STW_DROP_CHECKSUM] = "drop_checksum",       [STW_DROP_FRAGMENT] = "drop_fragment",
	[STW_DROP_NO_LEG] = "drop_no_leg",           [STW_DROP_NOT_RTP] = "drop_not_rtp",
	[STW_DROP_SOURCE] = "drop_source",           [STW_DROP_NO_REMOTE] = "drop_no_remote",
	[STW_DROP_NO_NEXT_HOP] = "drop_no_next_hop", [STW_DROP_NO_BUFFER] = "drop_no_buffer",
	[STW_DROP_SEND_FULL] = "drop_send_full",
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
	stage_receive(worker, worker->packets, count);
	stage_digits(worker, worker->packets, count);
	stage_copy(worker, worker->packets, count);
	stage_relay(worker, worker->packets, count);
}

void
pipeline_turn(struct worker *worker)
{
	copy_turn(worker);
	digits_turn(worker);
	silence_turn(worker);
}
