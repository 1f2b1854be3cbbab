/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Comparing snapshots field by field, so that a failure names the field.
 */
#include "snapshots.h"

#include <stdio.h>
#include <string.h>

#define SAME(field)                                                                                \
	do {                                                                                       \
		if (one->field != other->field)                                                    \
			return differ(#field, slot, (uint64_t)one->field, (uint64_t)other->field); \
	} while (0)

static const char *
differ(const char *field, uint32_t slot, uint64_t one, uint64_t other)
{
	static char text[200];

	snprintf(text, sizeof(text), "%s of slot %u: %llx and %llx", field, slot,
		 (unsigned long long)one, (unsigned long long)other);
	return text;
}

static const char *
contacts_differ(uint32_t slot, const struct snapshot_contact *one,
		const struct snapshot_contact *other)
{
	SAME(id);
	SAME(state);
	if (one->state == SNAPSHOT_FREE)
		return NULL;
	SAME(queue);
	SAME(agent);
	SAME(enqueue_ns);
	SAME(rank_ns);
	SAME(credit_ns);
	SAME(arrival);
	SAME(cookie);
	SAME(class);
	SAME(step);
	SAME(entered_ns);
	SAME(preferred);
	SAME(preferred_until_ns);
	SAME(customer);
	SAME(partner);
	if (one->state == SNAPSHOT_WAITING)
		SAME(callback);
	if (one->state == SNAPSHOT_CONNECTED)
		SAME(connect_ns);
	if (one->state == SNAPSHOT_OFFERED || one->state == SNAPSHOT_CONNECTED)
		SAME(sequence >> 29);
	return NULL;
}

static const char *
agents_differ(uint32_t slot, const struct snapshot_agent *one, const struct snapshot_agent *other)
{
	SAME(id);
	SAME(busy);
	if (!one->busy || one->state == STW_AGENT_WRAP_UP) {
		SAME(state);
		SAME(reason);
	}
	if (one->state == STW_AGENT_READY && !one->busy)
		SAME(idle_since_ns);
	else
		SAME(since_ns);
	SAME(until_ns);
	SAME(contacts);
	SAME(busy_ns);
	SAME(misses);
	SAME(login_ns);
	SAME(busy_login_ns);
	SAME(contacts_today);
	for (uint32_t i = 0; i < ACD_AGENT_COLUMNS; i++)
		if (one->numbers[i] != other->numbers[i] && i != ACD_AGENT_REPORTED &&
		    i != ACD_AGENT_RESOLVED)
			return differ(i <= ACD_AGENT_WAIT_NS ? "a number" : "a time", slot,
				      one->numbers[i], other->numbers[i]);
	return strcmp(one->name, other->name) ? "name of an agent" : NULL;
}

/* What has no event of its own is told by the next contact that waits: the engine may be ahead. */
static bool
is_told_later(uint32_t column)
{
	switch (column) {
	case ACD_COUNT_REFUSED:
	case ACD_COUNT_REFUSED_UNSTAFFED:
	case ACD_COUNT_DEFLECTED:
	case ACD_COUNT_CALLBACKS_OFFERED:
	case ACD_COUNT_CALLBACKS:
	case ACD_COUNT_RESUMED:
	case ACD_COUNT_REPEATS:
	case ACD_COUNT_REPORTED:
	case ACD_COUNT_RESOLVED:
		return true;
	default:
		return false;
	}
}

static const char *
queues_differ(uint32_t slot, const struct snapshot_queue *one, const struct snapshot_queue *other)
{
	static const char *const columns[ACD_COUNTERS] = {
		"offered",
		"answered",
		"answered_in_time",
		"abandoned",
		"refused",
		"ended",
		"offers",
		"declined",
		"timed_out",
		"withdrawn",
		"wait_ns",
		"talk_ns",
		"abandoned_short",
		"abandoned_wait_ns",
		"deflected",
		"expired",
		"refused_unstaffed",
		"left_unstaffed",
		"overflowed",
		"transfers",
		"reaped",
		"callbacks_offered",
		"callbacks",
		"resumed",
		"repeats",
		"reported",
		"resolved",
		"offers_beside",
	};
	uint64_t offered[2] = {one->counters[ACD_COUNT_OFFERED],
			       other->counters[ACD_COUNT_OFFERED]};

	SAME(id);
	SAME(wait_ns_max);
	for (uint32_t i = 0; i < ACD_COUNTERS; i++) {
		/* A move beside the next QUEUED of its queue may be told twice, there as offered, too. */
		if (is_told_later(i) ? one->counters[i] < other->counters[i]
				     : i != ACD_COUNT_OFFERED && i != ACD_COUNT_OVERFLOWED &&
					       one->counters[i] != other->counters[i])
			return differ(columns[i], slot, one->counters[i], other->counters[i]);
		if (i == ACD_COUNT_REFUSED || i == ACD_COUNT_DEFLECTED ||
		    i == ACD_COUNT_OVERFLOWED) {
			offered[0] -= one->counters[i];
			offered[1] -= other->counters[i];
		}
	}
	if (offered[0] != offered[1])
		return differ("offered, but for those", slot, offered[0], offered[1]);
	return strcmp(one->name, other->name) ? "name of a queue" : NULL;
}

const char *
snapshots_differ_in_states(const struct stw_snapshot *one, const struct stw_snapshot *other)
{
	const char *text = NULL;

	for (uint32_t c = 0; c < one->contacts_max && !text; c++)
		text = contacts_differ(c, &one->contacts[c], &other->contacts[c]);
	for (uint32_t a = 0; a < one->agents_max && !text; a++)
		if (one->agents[a].state != other->agents[a].state ||
		    one->agents[a].reason != other->agents[a].reason)
			text = differ("state", a, one->agents[a].state, other->agents[a].state);
	return text;
}

const char *
snapshots_differ(const struct stw_snapshot *one, const struct stw_snapshot *other)
{
	const char *text = NULL;

	for (uint32_t c = 0; c < one->contacts_max && !text; c++)
		text = contacts_differ(c, &one->contacts[c], &other->contacts[c]);
	for (uint32_t a = 0; a < one->agents_max && !text; a++)
		text = agents_differ(a, &one->agents[a], &other->agents[a]);
	for (uint32_t q = 0; q <= one->queues_max && !text; q++)
		text = queues_differ(q, &one->queues[q], &other->queues[q]);
	return text;
}
