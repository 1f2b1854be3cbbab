/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Intervals are read while threads do everything at one time and intervals end all the while. An interval
 * of a queue that is over is the same whenever it is read; at quiet points, all intervals together are the
 * live numbers, of each queue, of each agent and of their sums: so each operation counted exactly once.
 */
#include <criterion/criterion.h>

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "stress/house.h"

#define KEPT        64
#define QUEUE_WORDS (sizeof(struct stw_queue_stats) / sizeof(uint64_t))
#define AGENT_WORDS (sizeof(struct stw_agent_numbers) / sizeof(uint64_t))

/* What the intervals that are over had, added up. */
struct totals {
	uint64_t next; /* first interval not added yet */
	uint64_t queues[HOUSE_QUEUES_MAX][QUEUE_WORDS];
	uint64_t agents[HOUSE_AGENTS_MAX][AGENT_WORDS];
};

void
house_thread_begins(struct house_thread *thread)
{
	(void)thread;
}

/* What waits, rings and talks is no sum, nor is the longest wait. */
static bool
adds_up(size_t word)
{
	return word != offsetof(struct stw_queue_stats, waiting) / sizeof(uint64_t) &&
	       word != offsetof(struct stw_queue_stats, ringing) / sizeof(uint64_t) &&
	       word != offsetof(struct stw_queue_stats, connected) / sizeof(uint64_t) &&
	       word != offsetof(struct stw_queue_stats, wait_ns_max) / sizeof(uint64_t);
}

/* Sums of times are told in steps. */
static bool
is_near(size_t word, uint64_t sum, uint64_t live)
{
	bool is_time = word == offsetof(struct stw_queue_stats, wait_ns_answered) / 8 ||
		       word == offsetof(struct stw_queue_stats, wait_ns_abandoned) / 8 ||
		       word == offsetof(struct stw_queue_stats, talk_ns) / 8;

	return is_time ? live - sum < 16384 : live == sum;
}

static uint64_t
now_of(struct house *house)
{
	return atomic_load_explicit(&house->clock_ns, memory_order_relaxed);
}

/* While all run: an interval that is over is the same when it is read again. */
static bool
read_twice(struct house *house, struct random *random)
{
	uint64_t now_ns = now_of(house);
	uint64_t current = stw_interval_at(house->acd, now_ns);
	uint64_t interval = current - random_below(random, current < 8 ? (uint32_t)current + 1 : 8);
	struct stw_queue queue = house->queues[random_below(random, house->plan.queues)];
	struct stw_agent agent = house->agents[random_below(random, house->plan.agents)];
	struct stw_queue_stats first, again;
	struct stw_agent_numbers numbers;
	uint64_t ewt_ns;

	stw_queue_ewt(house->acd, queue, 0, 0, now_ns, &ewt_ns);
	if (stw_queue_interval(house->acd, queue, interval, now_ns, &first) ||
	    stw_queue_interval(house->acd, queue, interval, now_of(house), &again) ||
	    stw_agent_interval(house->acd, agent, interval, now_ns, &numbers))
		return false;
	return interval == current || !memcmp(&first, &again, sizeof(first));
}

static bool
queue_adds_up(struct house *house, struct totals *totals, uint32_t q, uint64_t current)
{
	uint64_t now_ns = now_of(house);
	uint64_t part[QUEUE_WORDS], live[QUEUE_WORDS];
	struct stw_queue_stats stats;
	uint64_t *sum = totals->queues[q];

	for (uint64_t i = totals->next; i <= current; i++) {
		if (stw_queue_interval(house->acd, house->queues[q], i, now_ns, &stats))
			return false;
		memcpy(part, &stats, sizeof(part));
		for (size_t word = 0; word < QUEUE_WORDS && i < current; word++)
			sum[word] += part[word];
	}
	if (stw_queue_interval(house->acd, house->queues[q], STW_INTERVAL_LIVE, now_ns, &stats))
		return false;
	memcpy(live, &stats, sizeof(live));
	for (size_t word = 0; word < QUEUE_WORDS; word++)
		if (adds_up(word) && !is_near(word, sum[word] + part[word], live[word]))
			return false;
	return true;
}

static bool
agent_adds_up(struct house *house, struct totals *totals, uint32_t a, uint64_t current)
{
	uint64_t now_ns = now_of(house);
	uint64_t part[AGENT_WORDS], live[AGENT_WORDS];
	struct stw_agent_numbers numbers;
	uint64_t *sum = totals->agents[a];

	for (uint64_t i = totals->next; i <= current; i++) {
		if (stw_agent_interval(house->acd, house->agents[a], i, now_ns, &numbers))
			return false;
		memcpy(part, &numbers, sizeof(part));
		for (size_t word = 0; word < AGENT_WORDS && i < current; word++)
			sum[word] += part[word];
	}
	if (stw_agent_interval(house->acd, house->agents[a], STW_INTERVAL_LIVE, now_ns, &numbers))
		return false;
	memcpy(live, &numbers, sizeof(live));
	for (size_t word = 0; word < AGENT_WORDS; word++)
		if (sum[word] + part[word] != live[word])
			return false;
	return true;
}

/* A tenant's interval is that of its queues and agents together. */
static bool
tenant_adds_up(struct house *house, uint64_t interval)
{
	uint64_t answered = 0, offered = 0, ready_ns = 0;
	struct stw_queue_stats sum, stats;
	struct stw_agent_numbers all, numbers;
	uint64_t now_ns = now_of(house);

	for (uint32_t q = 0; q < house->plan.queues; q++) {
		stw_queue_interval(house->acd, house->queues[q], interval, now_ns, &stats);
		answered += stats.answered;
		offered += stats.offered;
	}
	for (uint32_t a = 0; a < house->plan.agents; a++) {
		stw_agent_interval(house->acd, house->agents[a], interval, now_ns, &numbers);
		ready_ns += numbers.ready_ns;
	}
	stw_tenant_interval(house->acd, (struct stw_tenant){0}, interval, now_ns, &sum, &all);
	return sum.answered == answered && sum.offered == offered && all.ready_ns == ready_ns;
}

static const char *
add_up(struct house *house, struct totals *totals)
{
	uint64_t current = stw_interval_at(house->acd, now_of(house));
	const char *wrong = NULL;

	for (uint32_t q = 0; q < house->plan.queues && !wrong; q++)
		if (!queue_adds_up(house, totals, q, current))
			wrong = "a queue's intervals are not its live numbers";
	for (uint32_t a = 0; a < house->plan.agents && !wrong; a++)
		if (!agent_adds_up(house, totals, a, current))
			wrong = "an agent's intervals are not his live numbers";
	if (!wrong && !tenant_adds_up(house, current - (current > 0)))
		wrong = "a tenant's interval is not that of its queues and agents";
	totals->next = current;
	return wrong;
}

static void
run(const char *name, const struct house_plan *plan, uint64_t seed)
{
	struct house *house = calloc(1, sizeof(*house));
	struct totals *totals = calloc(1, sizeof(*totals));
	struct random random = {seed};
	uint64_t rounds = soak_or(12, 400), each = 1000 * plan->threads, wanted = 0;
	const char *wrong = NULL;

	house_open(house, plan, seed);
	for (uint64_t round = 0; round < rounds && !house->problem[0] && !wrong; round++) {
		uint64_t done = 0;

		wanted += each;
		house_run(house);
		while (done < wanted) {
			done = 0;
			for (uint32_t t = 0; t < plan->threads; t++)
				done += atomic_load_explicit(&house->threads[t].operations,
							     memory_order_relaxed);
			if (!read_twice(house, &random))
				wrong = "an interval that is over changed";
			if (!house_take(house))
				sched_yield();
		}
		house_rest(house, plan->threads);
		house_check(house);
		wrong = wrong ? wrong : add_up(house, totals);
	}
	house_close(house);
	cr_expect_gt(totals->next, 10, "%s: too few intervals", name);
	cr_assert(!house->problem[0] && !wrong, "%s, seed %lu: %s", name, (unsigned long)seed,
		  wrong ? wrong : house->problem);
	free(totals);
	free(house);
}

Test(acd_numbers_stress, each_operation_counts_in_one_interval)
{
	static const struct house_plan plan = {.threads = 4,
					       .agents = 12,
					       .queues = 4,
					       .contacts_max = 100,
					       .events_max = 65536,
					       .skills = 2,
					       .offer_timeout_ns = 100000,
					       .wrap_up_ns = 20000,
					       .penalty_ns = 30000,
					       .misses_max = 3,
					       .credit = 200,
					       .mix = {.enqueue = 240,
						       .accept = 200,
						       .decline = 60,
						       .end = 180,
						       .cancel = 60,
						       .reprioritise = 60,
						       .ready = 80,
						       .not_ready = 25,
						       .login = 25,
						       .logout = 10,
						       .configure = 10}};

	run("full house", &plan, 71);
}

Test(acd_numbers_stress, one_agent_and_one_queue_under_eight_threads)
{
	static const struct house_plan plan = {.threads = 8,
					       .agents = 1,
					       .queues = 1,
					       .contacts_max = 4,
					       .events_max = 65536,
					       .offer_timeout_ns = 20000,
					       .credit = 200,
					       .mix = {.enqueue = 300,
						       .accept = 250,
						       .decline = 40,
						       .end = 200,
						       .cancel = 100,
						       .ready = 60,
						       .not_ready = 10,
						       .login = 10}};

	run("one agent", &plan, 81);
}
