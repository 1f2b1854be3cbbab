/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file is replaced by renaming a whole one over it, so a reader never sees half of one.
 */
#include "status.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/libbpf.h>
#include <jansson.h>

#include <strowger/log.h>
#include <strowger/verdict.h>

#include "call.h"
#include "clock.h"
#include "journal.h"
#include "plane.h"
#include "routing.h"

static int
replace_file(const char *path, json_t *json)
{
	char next[4096];
	int error = 0;

	snprintf(next, sizeof(next), "%s.next", path);
	if (!json || json_dump_file(json, next, JSON_INDENT(1)) != 0)
		error = -EIO;
	else if (rename(next, path) != 0)
		error = -errno;
	json_decref(json);
	if (error != 0) {
		stw_log(STW_LOG_ERROR, "SWITCH-FILE file=%s error=\"%s\"", path, strerror(-error));
		unlink(next);
	}
	return error;
}

static json_t *
calls_json(const struct exchange *exchange)
{
	const struct exchange_counts *counts = &exchange->counts;

	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "offered",
			 (json_int_t)counts->offered, "menu", (json_int_t)counts->now[CALL_MENU],
			 "waiting", (json_int_t)counts->now[CALL_QUEUED], "ringing",
			 (json_int_t)counts->now[CALL_RINGING], "talking",
			 (json_int_t)counts->now[CALL_TALKING], "done", (json_int_t)counts->done,
			 "answered", (json_int_t)counts->results[CDR_ANSWERED], "abandoned",
			 (json_int_t)counts->results[CDR_ABANDONED], "refused",
			 (json_int_t)counts->results[CDR_REFUSED], "failed",
			 (json_int_t)counts->results[CDR_FAILED]);
}

static json_t *
agents_json(struct exchange *exchange)
{
	json_t *agents = json_array();

	for (uint32_t i = 0; i < exchange->config->agents_count; i++) {
		const struct agent *agent = &exchange->agents[i];
		struct stw_agent_status status;

		if (stw_agent_status(exchange->acd, agent->handle, &status) == 0)
			json_array_append_new(agents,
					      json_pack("{s:s, s:s, s:I}", "name",
							agent->config->name.text, "state",
							routing_state_text(status.state),
							"contacts", (json_int_t)status.contacts));
	}
	return agents;
}

static json_t *
queues_json(struct exchange *exchange)
{
	json_t *queues = json_array();

	for (uint32_t i = 0; i < exchange->config->queues_count; i++) {
		const struct queue *queue = &exchange->queues[i];
		struct stw_queue_stats stats;

		if (stw_queue_stats(exchange->acd, queue->handle, &stats) == 0)
			json_array_append_new(queues,
					      json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
							"name", queue->config->name.text, "waiting",
							(json_int_t)stats.waiting, "ringing",
							(json_int_t)stats.ringing, "connected",
							(json_int_t)stats.connected, "offered",
							(json_int_t)stats.offered, "answered",
							(json_int_t)stats.answered, "abandoned",
							(json_int_t)stats.abandoned, "refused",
							(json_int_t)stats.refused));
	}
	return queues;
}

/* null without a journal. */
static json_t *
journal_json(const struct exchange *exchange)
{
	struct stw_journal_stats stats;

	if (!journal_stats(exchange, &stats))
		return json_null();
	return json_pack("{s:I, s:I, s:b, s:I}", "records", (json_int_t)stats.records, "lost",
			 (json_int_t)stats.lost, "restored", exchange->restored,
			 "restored_contacts", (json_int_t)exchange->restored_contacts);
}

static json_t *
verdicts_json(const struct stw_media_stats *stats)
{
	json_t *verdicts = json_object();

	for (int i = 0; i < STW_VERDICT_COUNT; i++)
		json_object_set_new(verdicts, stw_verdict_name((enum stw_verdict)i),
				    json_integer((json_int_t)stats->verdicts[i]));
	return verdicts;
}

static bool
adds_up(const struct stw_media_stats *stats)
{
	uint64_t sum = 0;

	for (int i = 0; i < STW_VERDICT_COUNT; i++)
		sum += stats->verdicts[i];
	return sum == stats->packets_received;
}

/* Buffers beyond those that the ports' drivers have kept since the start. */
static json_int_t
buffers(const struct exchange *exchange, const struct stw_media_stats *stats)
{
	return stats->packets_in_use > exchange->packets_at_start
		       ? (json_int_t)(stats->packets_in_use - exchange->packets_at_start)
		       : 0;
}

/* Packets of the parties that did not arrive, by their sequence numbers, of calls under way. */
static json_int_t
lost(struct exchange *exchange)
{
	struct stw_leg_stats stats;
	json_int_t sum = 0;
	struct call *call;

	TAILQ_FOREACH(call, &exchange->calls_used, link)
	{
		if (call->caller_leg.id &&
		    stw_leg_stats(exchange->media, call->caller_leg, &stats) == 0)
			sum += plane_lost(&stats);
		if (call->agent_leg.id &&
		    stw_leg_stats(exchange->media, call->agent_leg, &stats) == 0)
			sum += plane_lost(&stats);
	}
	return sum;
}

/* What is relayed inside the kernel; null where all is by the worker. */
static json_t *
kernel_json(const struct stw_media_stats *stats)
{
	if (!stats->kernel_relay)
		return json_null();
	return json_pack("{s:i, s:I, s:I, s:I, s:I}", "legs", (int)stats->kernel_legs, "packets",
			 (json_int_t)stats->packets_kernel, "packets_dropped",
			 (json_int_t)stats->packets_kernel_dropped, "entered",
			 (json_int_t)stats->kernel_entered, "left", (json_int_t)stats->kernel_left);
}

static json_t *
media_json(struct exchange *exchange)
{
	struct stw_media_stats stats;

	stw_media_stats(exchange->media, &stats);
	return json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:b, s:i, s:i, s:i, s:I, s:i, s:o}",
			 "driver", exchange->driver, "xdp_mode", plane_xdp_text(exchange->xdp_mode),
			 "packets_received", (json_int_t)stats.packets_received, "packets_sent",
			 (json_int_t)stats.packets_sent, "packets_relayed",
			 (json_int_t)stats.verdicts[STW_PASS_RELAYED], "packets_lost",
			 (json_int_t)exchange->packets_lost + lost(exchange), "verdicts",
			 verdicts_json(&stats), "counters_add_up", adds_up(&stats), "sessions",
			 (int)stats.sessions, "legs", (int)stats.legs, "ports",
			 (int)stats.udp_ports, "mbufs", buffers(exchange, &stats), "forks",
			 (int)stats.forks, "kernel", kernel_json(&stats));
}

void
status_write(struct exchange *exchange)
{
	const char *path = exchange->config->status.text;
	char now[CLOCK_TEXT_BYTES];

	if (!path)
		return;
	replace_file(path, json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "time", clock_text(now),
				     "calls", calls_json(exchange), "agents", agents_json(exchange),
				     "queues", queues_json(exchange), "journal",
				     journal_json(exchange), "media", media_json(exchange)));
}

void
status_end_read(struct exchange *exchange, struct status_end *end)
{
	struct stw_acd_stats acd;

	memset(end, 0, sizeof(*end));
	if (exchange->media)
		stw_media_stats(exchange->media, &end->media);
	if (exchange->acd) {
		stw_acd_stats(exchange->acd, &acd);
		end->contacts = acd.contacts;
	}
	end->seconds = (clock_now_ns() - exchange->start_ns) / CLOCK_SECOND_NS;
}

/* XDP programs that are still on our interface: 0 or 1. */
static int
programs_left(const struct exchange *exchange)
{
	unsigned int index = if_nametoindex(exchange->config->interface.text);
	uint32_t program = 0;

	if (exchange->xdp_mode == STW_XDP_NONE || index == 0 ||
	    bpf_xdp_query_id((int)index, 0, &program) != 0)
		return 0;
	return program != 0;
}

int
status_summary(const struct exchange *exchange, const struct status_end *end, const char *path)
{
	const struct stw_media_stats *stats = &end->media;
	json_t *leaks =
		json_pack("{s:i, s:i, s:I, s:I, s:i, s:i}", "ports", (int)stats->udp_ports,
			  "sessions", (int)stats->sessions, "mbufs", buffers(exchange, stats),
			  "contacts", (json_int_t)end->contacts, "bpf_programs",
			  programs_left(exchange), "kernel_legs", (int)stats->kernel_legs);

	return replace_file(path, json_pack("{s:o, s:s, s:s, s:o, s:b, s:I, s:I, s:o, s:o, s:I}",
					    "calls", calls_json(exchange), "xdp_mode",
					    plane_xdp_text(exchange->xdp_mode), "driver",
					    exchange->driver, "verdicts", verdicts_json(stats),
					    "counters_add_up", adds_up(stats), "rtp_relayed",
					    (json_int_t)stats->verdicts[STW_PASS_RELAYED],
					    "rtp_lost", (json_int_t)exchange->packets_lost,
					    "kernel", kernel_json(stats), "leaks", leaks, "seconds",
					    (json_int_t)end->seconds));
}
