/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Snapshots, on random histories. The fold of all events since an empty house is what the engine itself
 * holds; applying events again changes nothing; an engine restored from it is sound, holds the same,
 * and goes on; and so for several lives.
 */
#include <criterion/criterion.h>

#include "support/snapshots.h"
#include "support/traffic.h"

struct house {
	struct stw_acd *acd;
	struct traffic traffic;
	struct stw_snapshot *fold;
	struct stw_snapshot *taken;
	struct stw_event kept[512]; /* the last events */
	uint32_t kept_count;
};

static void
open_house(struct house *house, uint64_t seed, uint64_t now_ns)
{
	struct stw_acd_config config;

	traffic_config(&config);
	cr_assert_eq(stw_acd_create(&house->acd, &config), 0);
	cr_assert_eq(traffic_define(&house->traffic, house->acd, seed, now_ns), 0);
	cr_assert_eq(stw_snapshot_create(&house->fold, house->acd), 0);
	cr_assert_eq(stw_snapshot_create(&house->taken, house->acd), 0);
	cr_assert_eq(stw_snapshot_take(house->fold, house->acd, NULL, now_ns), 0);
}

static void
close_house(struct house *house)
{
	stw_snapshot_destroy(house->fold);
	stw_snapshot_destroy(house->taken);
	stw_acd_destroy(house->acd);
}

static void
drain(struct house *house)
{
	struct stw_event event;

	while (stw_events_take(house->acd, &event, 1) == 1) {
		traffic_learn(&house->traffic, &event);
		cr_assert_eq(stw_snapshot_apply(house->fold, &event), traffic_is_kept(&event),
			     "type %d", event.type);
		house->kept[house->kept_count++ % 512] = event;
	}
}

static void
assert_same(struct house *house, uint64_t seed, uint32_t step)
{
	uint64_t now_ns = house->traffic.now_ns;
	const char *text;

	cr_assert_eq(stw_snapshot_take(house->taken, house->acd, NULL, now_ns), 0);
	text = snapshots_differ(house->taken, house->fold);
	cr_assert_null(text, "seed %llu, step %u: %s", (unsigned long long)seed, step,
		       text ? text : "");
}

static void
run(struct house *house, uint64_t seed, uint32_t steps)
{
	for (uint32_t step = 0; step < steps; step++) {
		traffic_step(&house->traffic);
		drain(house);
		assert_same(house, seed, step);
	}
}

Test(snapshot, the_fold_of_the_events_is_what_the_engine_holds)
{
	uint64_t sums[ACD_COUNTERS] = {0};

	for (uint64_t seed = 1; seed <= soak_or(8, 80); seed++) {
		struct house house = {.kept_count = 0};

		open_house(&house, seed, 1000000000);
		run(&house, seed, 6000);
		for (uint32_t q = 0; q < TRAFFIC_QUEUES; q++)
			for (uint32_t i = 0; i < ACD_COUNTERS; i++)
				sums[i] += house.taken->queues[q].counters[i];
		close_house(&house);
	}
	for (uint32_t i = 0; i < ACD_COUNTERS; i++)
		if (i != ACD_COUNT_OFFERS_BESIDE)
			cr_expect_gt(sums[i], 50, "column %u: too little happens: %llu", i,
				     (unsigned long long)sums[i]);
}

Test(snapshot, applying_events_again_changes_nothing)
{
	struct house house = {.kept_count = 0};

	open_house(&house, 5, 1000000000);
	run(&house, 5, 1500);
	cr_assert_gt(house.kept_count, 512);
	for (uint32_t i = 0; i < 512; i++)
		cr_assert_eq(
			stw_snapshot_apply(house.fold, &house.kept[(house.kept_count + i) % 512]),
			0);
	assert_same(&house, 5, 0);
	close_house(&house);
}

/* A new engine that goes on where the old one was; the old one is gone. */
static void
next_life(struct house *house, uint64_t seed)
{
	struct house next = {.kept_count = 0};
	uint64_t now_ns = house->traffic.now_ns;
	struct stw_event event;
	const char *text, *why = "-";

	open_house(&next, seed + 1000, now_ns);
	cr_assert_eq(stw_acd_restore(next.acd, house->fold, 0, now_ns, &why), 0, "seed %llu: %s",
		     (unsigned long long)seed, why);
	stw_acd_check(next.acd);
	cr_assert_eq(stw_snapshot_take(next.fold, next.acd, NULL, now_ns), 0);
	text = snapshots_differ(house->fold, next.fold);
	cr_assert_null(text, "seed %llu: %s", (unsigned long long)seed, text ? text : "");
	/* What the events tell was known, so the fold goes on as it is. */
	while (stw_events_take(next.acd, &event, 1) == 1) {
		traffic_learn(&next.traffic, &event);
		cr_assert_eq(stw_snapshot_apply(next.fold, &event), 0);
	}
	/* Handles of old offers and contacts are good. */
	memcpy(next.traffic.contacts, house->traffic.contacts, sizeof(next.traffic.contacts));
	memcpy(next.traffic.offers, house->traffic.offers, sizeof(next.traffic.offers));
	close_house(house);
	*house = next;
}

Test(snapshot, a_restored_engine_goes_on_as_if_nothing_had_happened)
{
	for (uint64_t seed = 1; seed <= soak_or(8, 80); seed++) {
		struct house house = {.kept_count = 0};

		open_house(&house, seed, 1000000000);
		for (int life = 0; life < 4; life++) {
			run(&house, seed, 150 + 37 * (uint32_t)seed);
			next_life(&house, seed);
		}
		run(&house, seed, 100);
		close_house(&house);
	}
}

static void
assert_numbers_agree(const struct stw_snapshot *snapshot, uint64_t seed, uint32_t step)
{
	for (uint32_t q = 0; q < TRAFFIC_QUEUES; q++) {
		struct stw_queue_stats stats = {.offered = 0};
		uint64_t of[SNAPSHOT_CONNECTED + 1] = {0};

		acd_stats_add(&stats, snapshot->queues[q].counters);
		for (uint32_t c = 0; c < snapshot->contacts_max; c++)
			if (snapshot->contacts[c].queue == snapshot->queues[q].id)
				of[snapshot->contacts[c].state]++;
		cr_assert(stats.waiting == of[SNAPSHOT_WAITING] &&
				  stats.ringing == of[SNAPSHOT_OFFERED] &&
				  stats.connected == of[SNAPSHOT_CONNECTED],
			  "seed %llu, step %u, queue %u", (unsigned long long)seed, step, q);
	}
}

/* What follows tells enough of what was lost that the numbers still agree with the contacts. */
Test(snapshot, lost_events_leave_numbers_that_agree)
{
	for (uint64_t seed = 1; seed <= soak_or(8, 80); seed++) {
		struct house house = {.kept_count = 0};
		struct random random = {.state = seed};
		struct stw_event event;

		open_house(&house, seed, 1000000000);
		for (uint32_t step = 0; step < 6000; step++) {
			traffic_step(&house.traffic);
			while (stw_events_take(house.acd, &event, 1) == 1) {
				traffic_learn(&house.traffic, &event);
				if (!random_happens(&random, 200))
					stw_snapshot_apply(house.fold, &event);
			}
			assert_numbers_agree(house.fold, seed, step);
		}
		close_house(&house);
	}
}
