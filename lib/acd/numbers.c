/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers for wallboards and reports, live and per interval: of a queue, an agent, and what is added up over
 * several of them: a channel, a team, a tenant.
 *
 * What is added up is added up by the reader, under the configuration lock, so that nobody joins or leaves
 * meanwhile: the members' numbers, and what those left behind who were members once (acd_rest). So a hot
 * call counts once, for its queue and its agent, however many sums there are.
 *
 * A kind of sum is a row count in interval.h, a field in struct acd_queue or acd_agent_group, and a row of acd_rest.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

/* The row's numbers for an interval kept, or live; begun anew if they are of an earlier interval. */
uint64_t *
acd_rest_row(const struct acd_rest *rest, uint32_t kept, uint32_t row, uint64_t interval)
{
	uint64_t *numbers = rest->numbers + (size_t)row * (1 + kept) * rest->columns;
	uint64_t *label;

	if (interval == STW_INTERVAL_LIVE)
		return numbers;
	label = &rest->interval[(size_t)row * kept + interval % kept];
	numbers += (1 + interval % kept) * rest->columns;
	if (*label != interval)
		memset(numbers, 0, rest->columns * sizeof(*numbers));
	*label = interval;
	return numbers;
}

/* All fields of a queue's numbers add up, but the longest wait. */
static void
queue_stats_sum(uint64_t *sum, const struct stw_queue_stats *stats)
{
	const size_t longest = offsetof(struct stw_queue_stats, wait_ns_max) / sizeof(uint64_t);
	uint64_t fields[sizeof(*stats) / sizeof(uint64_t)];

	memcpy(fields, stats, sizeof(fields));
	for (size_t i = 0; i < STW_ARRAY_COUNT(fields); i++) {
		if (i != longest)
			sum[i] += fields[i];
		else if (fields[i] > sum[i])
			sum[i] = fields[i];
	}
}

int
acd_queue_numbers(struct stw_acd *acd, uint32_t q, uint64_t interval, struct stw_queue_stats *stats)
{
	if (interval != STW_INTERVAL_LIVE)
		return acd->intervals.kept ? acd_queue_interval_read(acd, q, interval, stats)
					   : -ERANGE;
	acd_queue_stats(acd, q, stats);
	return 0;
}

/* Under the configuration lock, when no call knows the queue any more: its numbers stay behind. */
void
acd_queue_numbers_end(struct stw_acd *acd, uint32_t q)
{
	struct acd_intervals *intervals = &acd->intervals;
	const struct acd_queue *queue = &acd->queues[q];
	uint64_t current = atomic_load_explicit(&intervals->number, memory_order_relaxed);
	uint32_t kept = intervals->kept;

	for (uint32_t back = 0; back <= kept; back++) {
		uint64_t interval = back < kept ? current - back : STW_INTERVAL_LIVE;
		struct stw_queue_stats stats;

		if ((back < kept && back > current) || acd_queue_numbers(acd, q, interval, &stats))
			continue;
		queue_stats_sum(acd_rest_row(&intervals->channels, kept, queue->channel, interval),
				&stats);
		queue_stats_sum(
			acd_rest_row(&intervals->queue_tenants, kept, queue->tenant, interval),
			&stats);
	}
}

/* Under the configuration lock: a tenant goes, without queues and agents. What they left behind goes to the
 * last row, which is nobody's: the next tenant of the slot begins with nothing, and the sums stay. */
void
acd_tenant_numbers_end(struct stw_acd *acd, uint32_t t)
{
	const struct acd_intervals *intervals = &acd->intervals;
	const struct acd_rest *of_queues = &intervals->queue_tenants;
	const struct acd_rest *of_agents = &intervals->agent_tenants;
	uint64_t current = atomic_load_explicit(&intervals->number, memory_order_relaxed);
	uint32_t kept = intervals->kept;

	for (uint32_t back = 0; back <= kept; back++) {
		uint64_t interval = back < kept ? current - back : STW_INTERVAL_LIVE;
		uint64_t *from, *to;
		struct stw_queue_stats stats;

		if (back < kept && back > current)
			continue;
		from = acd_rest_row(of_queues, kept, t, interval);
		memcpy(&stats, from, sizeof(stats));
		memset(from, 0, sizeof(stats));
		queue_stats_sum(acd_rest_row(of_queues, kept, of_queues->rows - 1, interval),
				&stats);
		from = acd_rest_row(of_agents, kept, t, interval);
		to = acd_rest_row(of_agents, kept, of_agents->rows - 1, interval);
		for (uint32_t i = 0; i < of_agents->columns; i++) {
			to[i] += from[i];
			from[i] = 0;
		}
	}
}

/* Whether an interval can be asked for, and the number of the one under way is up to date. */
static int
interval_check(struct stw_acd *acd, uint64_t interval, uint64_t now_ns)
{
	if (!now_ns || now_ns > ACD_NOW_MAX)
		return -EINVAL;
	acd_interval_tick(acd, now_ns);
	if (interval == STW_INTERVAL_LIVE)
		return 0;
	if (interval > atomic_load_explicit(&acd->intervals.number, memory_order_relaxed) ||
	    !acd_interval_is_kept(&acd->intervals, interval))
		return -ERANGE;
	return 0;
}

/* Sum over the queues of a channel or tenant. Under the configuration lock. */
static int
queues_sum(struct stw_acd *acd, const struct acd_rest *rest, uint32_t row, uint64_t interval,
	   struct stw_queue_stats *sum)
{
	uint64_t fields[sizeof(*sum) / sizeof(uint64_t)];

	memcpy(fields, acd_rest_row(rest, acd->intervals.kept, row, interval), sizeof(fields));
	for (uint32_t q = 0; q < acd->queues_end; q++) {
		const struct acd_queue *queue = &acd->queues[q];
		struct stw_queue_stats stats;
		int error;

		if (!acd_queue_description(acd, q) ||
		    (rest == &acd->intervals.channels ? queue->channel : queue->tenant) != row)
			continue;
		error = acd_queue_numbers(acd, q, interval, &stats);
		if (error)
			return error;
		queue_stats_sum(fields, &stats);
	}
	memcpy(sum, fields, sizeof(*sum));
	return 0;
}

/* Sum over the agents of a team or tenant. Under the configuration lock. */
static int
agents_sum(struct stw_acd *acd, const struct acd_rest *rest, uint32_t row, uint64_t interval,
	   uint64_t now_ns, struct stw_agent_numbers *sum)
{
	uint64_t fields[ACD_AGENT_COLUMNS];

	memcpy(fields, acd_rest_row(rest, acd->intervals.kept, row, interval), sizeof(fields));
	for (uint32_t a = 0; a < acd->agents_end; a++) {
		const struct acd_agent_group *group = &acd->intervals.groups[a];
		uint64_t numbers[ACD_AGENT_COLUMNS];
		struct stw_agent_numbers of_agent;
		int error;

		if (!acd_agent_description(acd, a) ||
		    (rest == &acd->intervals.teams ? group->team : group->tenant) != row)
			continue;
		error = acd_agent_numbers(acd, a, interval, now_ns, &of_agent);
		if (error)
			return error;
		memcpy(numbers, &of_agent, sizeof(numbers));
		for (uint32_t i = 0; i < ACD_AGENT_COLUMNS; i++)
			fields[i] += numbers[i];
	}
	memcpy(sum, fields, sizeof(*sum));
	return 0;
}

uint64_t
stw_interval_at(struct stw_acd *acd, uint64_t now_ns)
{
	return acd_interval_of(&acd->intervals, now_ns);
}

int
stw_queue_interval(struct stw_acd *acd, struct stw_queue queue, uint64_t interval, uint64_t now_ns,
		   struct stw_queue_stats *stats)
{
	struct stw_queue_stats seen;
	uint32_t q;
	int error = interval_check(acd, interval, now_ns);

	if (error)
		return error;
	reclaim_enter();
	error = acd_queue_find(acd, queue, &q);
	if (!error)
		error = acd_queue_numbers(acd, q, interval, &seen);
	reclaim_exit();
	if (!error)
		*stats = seen;
	return error;
}

int
stw_agent_interval(struct stw_acd *acd, struct stw_agent agent, uint64_t interval, uint64_t now_ns,
		   struct stw_agent_numbers *numbers)
{
	struct stw_agent_numbers seen;
	uint32_t a;
	int error = interval_check(acd, interval, now_ns);

	if (error)
		return error;
	reclaim_enter();
	error = acd_agent_find(acd, agent, &a);
	if (!error)
		error = acd_agent_numbers(acd, a, interval, now_ns, &seen);
	reclaim_exit();
	if (!error)
		*numbers = seen;
	return error;
}

int
stw_channel_interval(struct stw_acd *acd, uint32_t channel, uint64_t interval, uint64_t now_ns,
		     struct stw_queue_stats *stats)
{
	int error = interval_check(acd, interval, now_ns);

	if (error)
		return error;
	if (channel >= ACD_CHANNELS)
		return -EINVAL;
	control_lock_take(&acd->lock);
	error = queues_sum(acd, &acd->intervals.channels, channel, interval, stats);
	control_lock_leave(&acd->lock);
	return error;
}

int
stw_team_interval(struct stw_acd *acd, struct stw_pool team, uint64_t interval, uint64_t now_ns,
		  struct stw_agent_numbers *numbers)
{
	int error = interval_check(acd, interval, now_ns);

	if (error)
		return error;
	control_lock_take(&acd->lock);
	error = config_pool_check(acd, team);
	if (!error)
		error = agents_sum(acd, &acd->intervals.teams, config_team(team), interval, now_ns,
				   numbers);
	control_lock_leave(&acd->lock);
	return error;
}

int
stw_tenant_interval(struct stw_acd *acd, struct stw_tenant tenant, uint64_t interval,
		    uint64_t now_ns, struct stw_queue_stats *stats,
		    struct stw_agent_numbers *numbers)
{
	struct stw_queue_stats of_queues;
	uint32_t t;
	struct stw_agent_numbers of_agents;
	int error = interval_check(acd, interval, now_ns);

	if (error)
		return error;
	control_lock_take(&acd->lock);
	error = acd_tenant_slot(acd, tenant, &t);
	if (!error)
		error = queues_sum(acd, &acd->intervals.queue_tenants, t, interval, &of_queues);
	if (!error)
		error = agents_sum(acd, &acd->intervals.agent_tenants, t, interval, now_ns,
				   &of_agents);
	control_lock_leave(&acd->lock);
	if (error)
		return error;
	if (stats)
		*stats = of_queues;
	if (numbers)
		*numbers = of_agents;
	return 0;
}

/* What agents have counted if their queues counted that: it is the same, whoever has left. */
static struct stw_agent_numbers
numbers_of_queues(const struct stw_queue_stats *queues)
{
	return (struct stw_agent_numbers){
		.offers = queues->offers,
		.answered = queues->answered,
		.answered_in_time = queues->answered_in_time,
		.declined = queues->offers_declined,
		.timed_out = queues->offers_timed_out,
		.withdrawn = queues->offers_withdrawn,
		.ended = queues->ended,
		.transfers = queues->transfers,
		.resolution_reported = queues->resolution_reported,
		.resolved = queues->resolved,
		.wait_ns = queues->wait_ns_answered,
	};
}

static void
agents_check(const struct stw_queue_stats *queues, const uint64_t agents[ACD_AGENT_COLUMNS])
{
	struct stw_agent_numbers numbers = numbers_of_queues(queues);
	uint64_t expected[ACD_AGENT_COLUMNS];

	memcpy(expected, &numbers, sizeof(expected));
	for (uint32_t i = 0; i <= ACD_AGENT_WAIT_NS; i++)
		STW_ASSERT(agents[i] == expected[i]);
}

/* Under the configuration lock, in an engine that was just restored: what queues and agents counted who are not
 * there any more is nobody's, in the last row of each kind. */
void
acd_numbers_restored(struct stw_acd *acd)
{
	const struct acd_intervals *intervals = &acd->intervals;
	const struct acd_rest *of_queues[] = {&intervals->channels, &intervals->queue_tenants};
	const struct acd_rest *of_agents[] = {&intervals->teams, &intervals->agent_tenants};
	struct stw_queue_stats removed;
	struct stw_acd_stats whole;
	struct stw_agent_numbers numbers;
	uint64_t left[ACD_AGENT_COLUMNS], own[ACD_AGENT_COLUMNS];

	stw_acd_stats(acd, &whole);
	acd_queue_stats(acd, acd->config.queues_max, &removed);
	numbers = numbers_of_queues(&whole.queues);
	memcpy(left, &numbers, sizeof(left));
	for (uint32_t a = 0; a < acd->agents_end; a++) {
		acd_agent_cells_read(acd, a, own);
		for (uint32_t i = 0; i <= ACD_AGENT_WAIT_NS; i++)
			left[i] -= own[i];
	}
	for (uint32_t kind = 0; kind < 2; kind++) {
		uint64_t *row = acd_rest_row(of_agents[kind], intervals->kept,
					     of_agents[kind]->rows - 1, STW_INTERVAL_LIVE);

		queue_stats_sum(acd_rest_row(of_queues[kind], intervals->kept,
					     of_queues[kind]->rows - 1, STW_INTERVAL_LIVE),
				&removed);
		for (uint32_t i = 0; i <= ACD_AGENT_WAIT_NS; i++)
			row[i] += left[i];
	}
}

/* P5 for the sums: channels, teams and tenants each add up to the whole. Live, at a quiet point. */
void
acd_numbers_check(struct stw_acd *acd)
{
	struct acd_intervals *intervals = &acd->intervals;
	const struct acd_rest *of_queues[] = {&intervals->channels, &intervals->queue_tenants};
	const struct acd_rest *of_agents[] = {&intervals->teams, &intervals->agent_tenants};
	struct stw_acd_stats whole;

	stw_acd_stats(acd, &whole);
	for (uint32_t kind = 0; kind < STW_ARRAY_COUNT(of_queues); kind++) {
		uint64_t sum[sizeof(struct stw_queue_stats) / sizeof(uint64_t)] = {0};
		struct stw_queue_stats stats;

		for (uint32_t row = 0; row < of_queues[kind]->rows; row++) {
			queues_sum(acd, of_queues[kind], row, STW_INTERVAL_LIVE, &stats);
			queue_stats_sum(sum, &stats);
		}
		STW_ASSERT(!memcmp(sum, &whole.queues, sizeof(sum)));
	}
	for (uint32_t kind = 0; kind < STW_ARRAY_COUNT(of_agents); kind++) {
		uint64_t sum[ACD_AGENT_COLUMNS] = {0}, numbers[ACD_AGENT_COLUMNS];
		struct stw_agent_numbers of_row;

		for (uint32_t row = 0; row < of_agents[kind]->rows; row++) {
			agents_sum(acd, of_agents[kind], row, STW_INTERVAL_LIVE, 0, &of_row);
			memcpy(numbers, &of_row, sizeof(numbers));
			for (uint32_t i = 0; i < ACD_AGENT_COLUMNS; i++)
				sum[i] += numbers[i];
		}
		agents_check(&whole.queues, sum);
	}
}
