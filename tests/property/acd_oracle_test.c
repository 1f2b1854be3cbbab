/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine beside the oracle, one thread, random histories. After each step both have returned the
 * same, told the same events, show the same statuses and counters, and the engine's data is sound.
 */
#include <criterion/criterion.h>

#include <stdlib.h>

#include "property/beside.h"

/* Several seeds through one size of house; returns how much was refused and lost. */
static void
run_house(const struct house_size *size, uint64_t seed, uint64_t *refusals, uint64_t *lost)
{
	uint64_t steps = soak_or(3000, 30000), seeds = 5;
	struct beside *run = calloc(1, sizeof(*run));

	for (uint64_t last = seed + seeds; seed < last; seed++) {
		cr_assert(beside_open(run, size, seed), "house %s", size->name);
		while (run->history.steps < steps)
			cr_assert(beside_step(run), "%s", beside_story(run));
		beside_close(run);
		*lost += run->lost;
	}
	*refusals += run->refusals;
	cr_assert_gt(run->events_taken, steps / 4, "house %s: too little happens", size->name);
	free(run);
}

static const struct house_size one_person = {.name = "one person",
					     .agents_max = 1,
					     .queues_max = 1,
					     .contacts_max = 2,
					     .events_max = 256,
					     .skills = 1,
					     .busy_per_mille = 200,
					     .wander_per_mille = 300,
					     .house_per_mille = 10};
static const struct house_size tiny = {.name = "tiny",
				       .agents_max = 2,
				       .queues_max = 2,
				       .contacts_max = 3,
				       .events_max = 256,
				       .skills = 1,
				       .routes = true,
				       .steps = 2,
				       .busy_per_mille = 250,
				       .wander_per_mille = 300,
				       .house_per_mille = 40};
static const struct house_size small = {.name = "small",
					.agents_max = 5,
					.queues_max = 2,
					.contacts_max = 12,
					.events_max = 1024,
					.skills = 2,
					.busy_per_mille = 200,
					.wander_per_mille = 300,
					.house_per_mille = 20};
static const struct house_size idle = {.name = "idle",
				       .agents_max = 24,
				       .queues_max = 3,
				       .contacts_max = 16,
				       .events_max = 1024,
				       .skills = 3,
				       .routes = true,
				       .steps = 3,
				       .busy_per_mille = 80,
				       .wander_per_mille = 300,
				       .house_per_mille = 10};
static const struct house_size crowded = {.name = "crowded",
					  .agents_max = 6,
					  .queues_max = 6,
					  .contacts_max = 48,
					  .events_max = 4096,
					  .skills = 3,
					  .routes = true,
					  .steps = 4,
					  .busy_per_mille = 350,
					  .wander_per_mille = 300,
					  .house_per_mille = 15};
static const struct house_size restless = {.name = "restless",
					   .agents_max = 12,
					   .queues_max = 4,
					   .contacts_max = 32,
					   .events_max = 4096,
					   .skills = 4,
					   .routes = true,
					   .steps = 4,
					   .busy_per_mille = 200,
					   .wander_per_mille = 300,
					   .house_per_mille = 300};
static const struct house_size blended = {.name = "blended",
					  .agents_max = 8,
					  .queues_max = 6,
					  .contacts_max = 40,
					  .events_max = 4096,
					  .channels = 3,
					  .steps = 3,
					  .skills = 1,
					  .busy_per_mille = 250,
					  .house_per_mille = 30};
static const struct house_size writers = {.name = "writers",
					  .agents_max = 4,
					  .queues_max = 3,
					  .contacts_max = 40,
					  .events_max = 4096,
					  .channels = 8,
					  .busy_per_mille = 250,
					  .house_per_mille = 10};
static const struct house_size starving = {.name = "starving",
					   .agents_max = 6,
					   .queues_max = 2,
					   .contacts_max = 24,
					   .events_max = 64,
					   .skills = 2,
					   .busy_per_mille = 200,
					   .wander_per_mille = 300,
					   .house_per_mille = 20,
					   .starve_steps = 150};

Test(acd_oracle, houses_of_all_sizes_follow_the_oracle)
{
	static const struct house_size *const sizes[] = {&small, &idle, &crowded, &restless};
	uint64_t refusals = 0, lost = 0;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		run_house(sizes[i], 1000 * (i + 1), &refusals, &lost);
}

Test(acd_oracle, agents_with_several_slots_follow_the_oracle)
{
	uint64_t refusals = 0, lost = 0;

	run_house(&blended, 6000, &refusals, &lost);
	run_house(&writers, 7000, &refusals, &lost);
}

Test(acd_oracle, full_tables_refuse_and_change_nothing)
{
	uint64_t refusals = 0, lost = 0;

	run_house(&one_person, 101, &refusals, &lost);
	run_house(&tiny, 201, &refusals, &lost);
	cr_assert_gt(refusals, 1000);
}

Test(acd_oracle, full_event_queue_loses_events_and_says_how_many)
{
	uint64_t refusals = 0, lost = 0;

	run_house(&starving, 301, &refusals, &lost);
	cr_assert_gt(lost, 1000);
}
