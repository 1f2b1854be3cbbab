/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two to eight threads do everything at one time. At quiet points: P1 an agent has one contact and a
 * contact one agent, P3 nobody is missed, P5 the counters conserve, and events tell the truth.
 */
#include <criterion/criterion.h>

#include <sched.h>
#include <stdlib.h>

#include "stress/house.h"

/* Offers are declined as often as not, so that rings end in every way. */
#define RINGING_DAY                                                                                \
	{                                                                                          \
		.enqueue = 150, .accept = 150, .decline = 250, .end = 150, .cancel = 50,           \
		.reprioritise = 20, .ready = 120, .not_ready = 20, .login = 30, .logout = 10       \
	}

#define ALL_DAY                                                                                    \
	{                                                                                          \
		.enqueue = 240, .accept = 200, .decline = 60, .end = 180, .cancel = 60,            \
		.reprioritise = 60, .ready = 80, .not_ready = 25, .login = 25, .logout = 10,       \
	}

void
house_thread_begins(struct house_thread *thread)
{
	(void)thread;
}

static void
run(const char *name, const struct house_plan *plan, uint64_t seed)
{
	struct house *house = calloc(1, sizeof(*house));
	uint64_t rounds = soak_or(12, 400), each = 1500 * plan->threads, wanted = 0;
	struct stw_acd_stats stats;

	house_open(house, plan, seed);
	for (uint64_t round = 0; round < rounds && !house->problem[0]; round++) {
		uint64_t done = 0;

		wanted += each;
		house_run(house);
		while (done < wanted) {
			done = 0;
			for (uint32_t t = 0; t < plan->threads; t++)
				done += atomic_load_explicit(&house->threads[t].operations,
							     memory_order_relaxed);
			if (!house_take(house))
				sched_yield();
		}
		house_rest(house, plan->threads);
		house_check(house);
	}
	stw_acd_stats(house->acd, &stats);
	house_close(house);
	cr_assert(!house->problem[0], "%s, seed %lu: %s", name, (unsigned long)seed,
		  house->problem);
	cr_expect_gt(stats.queues.answered, 0, "%s: too little happens", name);
	cr_expect(plan->events_max < HOUSE_EVENTS_SAFE || !stats.events_lost, "%s: events lost",
		  name);
	cr_log_info("%s: %lu offers, %lu helps, %lu events lost", name,
		    (unsigned long)stats.queues.offers, (unsigned long)stats.helps,
		    (unsigned long)stats.events_lost);
	free(house);
}

Test(acd_stress, two_threads_fight_for_one_agent)
{
	static const struct house_plan plan = {.threads = 2,
					       .agents = 1,
					       .queues = 1,
					       .contacts_max = 4,
					       .events_max = 65536,
					       .offer_timeout_ns = 20000,
					       .credit = 200,
					       .mix = ALL_DAY};

	run("one agent", &plan, 11);
}

Test(acd_stress, three_threads_in_a_tiny_house)
{
	static const struct house_plan plan = {.threads = 3,
					       .agents = 2,
					       .queues = 2,
					       .contacts_max = 3,
					       .events_max = 65536,
					       .skills = 1,
					       .offer_timeout_ns = 20000,
					       .wrap_up_ns = 10000,
					       .penalty_ns = 8000,
					       .misses_max = 2,
					       .credit = 200,
					       .mix = ALL_DAY};

	run("tiny house", &plan, 21);
}

Test(acd_stress, eight_threads_in_a_full_house)
{
	static const struct house_plan plan = {.threads = 8,
					       .agents = 12,
					       .queues = 4,
					       .contacts_max = 200,
					       .events_max = 65536,
					       .skills = 2,
					       .offer_timeout_ns = 100000,
					       .wrap_up_ns = 20000,
					       .penalty_ns = 30000,
					       .misses_max = 3,
					       .credit = 200,
					       .mix = ALL_DAY};

	run("full house", &plan, 31);
}

Test(acd_stress, four_threads_in_an_idle_house)
{
	static const struct house_plan plan = {.threads = 4,
					       .agents = 40,
					       .queues = 4,
					       .contacts_max = 64,
					       .events_max = 65536,
					       .skills = 2,
					       .offer_timeout_ns = 30000,
					       .wrap_up_ns = 20000,
					       .credit = 200,
					       .mix = {.enqueue = 150,
						       .accept = 200,
						       .decline = 100,
						       .end = 250,
						       .cancel = 80,
						       .ready = 100,
						       .not_ready = 30,
						       .login = 30,
						       .logout = 10}};

	run("idle house", &plan, 41);
}

Test(acd_stress, contacts_wander_from_queue_to_queue_and_wait_in_person)
{
	static const struct house_plan plan = {.threads = 4,
					       .agents = 6,
					       .queues = 4,
					       .contacts_max = 64,
					       .events_max = 65536,
					       .skills = 1,
					       .offer_timeout_ns = 50000,
					       .wrap_up_ns = 20000,
					       .penalty_ns = 10000,
					       .misses_max = 3,
					       .wait_max_ns = 40000,
					       .in_person = 400,
					       .channels = 3,
					       .customers = 12,
					       .credit = 200,
					       .mix = {.enqueue = 220,
						       .accept = 200,
						       .decline = 50,
						       .end = 120,
						       .cancel = 40,
						       .reprioritise = 60,
						       .ready = 80,
						       .not_ready = 25,
						       .login = 25,
						       .logout = 10,
						       .move = 70,
						       .transfer = 80}};

	run("wandering house", &plan, 71);
}

Test(acd_stress, contacts_that_their_host_forgets_are_ended)
{
	static const struct house_plan plan = {.threads = 4,
					       .agents = 8,
					       .queues = 3,
					       .contacts_max = 48,
					       .events_max = 65536,
					       .skills = 1,
					       .offer_timeout_ns = 50000,
					       .wrap_up_ns = 20000,
					       .penalty_ns = 10000,
					       .misses_max = 3,
					       .lease_ns = 40000,
					       .in_person = 200,
					       .credit = 200,
					       .mix = {.enqueue = 250,
						       .accept = 150,
						       .decline = 40,
						       .end = 60,
						       .cancel = 40,
						       .reprioritise = 60,
						       .ready = 80,
						       .not_ready = 25,
						       .login = 25,
						       .logout = 10,
						       .move = 30,
						       .transfer = 30}};

	run("forgetful house", &plan, 81);
}

Test(acd_stress, descriptions_change_meanwhile)
{
	static const struct house_plan plan = {.threads = 4,
					       .agents = 10,
					       .queues = 4,
					       .contacts_max = 64,
					       .events_max = 65536,
					       .skills = 2,
					       .offer_timeout_ns = 50000,
					       .wrap_up_ns = 20000,
					       .penalty_ns = 10000,
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
						       .configure = 30}};

	run("restless house", &plan, 51);
}

Test(acd_stress, agents_with_several_slots)
{
	static const struct house_plan plan = {.threads = 6,
					       .agents = 9,
					       .queues = 4,
					       .contacts_max = 120,
					       .events_max = 65536,
					       .channels = 2,
					       .skills = 1,
					       .offer_timeout_ns = 60000,
					       .wrap_up_ns = 20000,
					       .penalty_ns = 10000,
					       .misses_max = 3,
					       .credit = 200,
					       .mix = {.enqueue = 240,
						       .accept = 240,
						       .decline = 50,
						       .end = 200,
						       .cancel = 40,
						       .reprioritise = 30,
						       .ready = 70,
						       .not_ready = 20,
						       .login = 25,
						       .logout = 10,
						       .extend = 25}};

	run("several slots", &plan, 71);
}

Test(acd_stress, agents_get_and_lose_slots_meanwhile)
{
	static const struct house_plan plan = {.threads = 4,
					       .agents = 6,
					       .queues = 3,
					       .contacts_max = 60,
					       .events_max = 65536,
					       .channels = 3,
					       .offer_timeout_ns = 60000,
					       .wrap_up_ns = 20000,
					       .penalty_ns = 10000,
					       .misses_max = 3,
					       .credit = 200,
					       .mix = {.enqueue = 220,
						       .accept = 240,
						       .decline = 50,
						       .end = 220,
						       .cancel = 40,
						       .reprioritise = 30,
						       .ready = 60,
						       .not_ready = 20,
						       .login = 25,
						       .logout = 10,
						       .configure = 40,
						       .extend = 20}};

	run("learners", &plan, 81);
}

Test(acd_stress, full_event_queue_says_what_it_lost)
{
	static const struct house_plan plan = {.threads = 4,
					       .agents = 8,
					       .queues = 2,
					       .contacts_max = 32,
					       .events_max = 64,
					       .skills = 1,
					       .offer_timeout_ns = 20000,
					       .wrap_up_ns = 20000,
					       .credit = 2000,
					       .mix = ALL_DAY};

	run("starving house", &plan, 61);
}

Test(acd_stress, two_threads_fight_for_one_ring)
{
	static const struct house_plan plan = {.threads = 2,
					       .agents = 3,
					       .queues = 1,
					       .contacts_max = 3,
					       .events_max = 65536,
					       .offer_timeout_ns = 20000,
					       .rings = 3,
					       .credit = 200,
					       .mix = ALL_DAY};

	run("one ring", &plan, 71);
}

Test(acd_stress, many_ring_at_once_in_a_full_house)
{
	static const struct house_plan plan = {.threads = 4,
					       .agents = 12,
					       .queues = 3,
					       .contacts_max = 32,
					       .events_max = 65536,
					       .skills = 1,
					       .offer_timeout_ns = 30000,
					       .wrap_up_ns = 10000,
					       .penalty_ns = 8000,
					       .misses_max = 3,
					       .rings = 4,
					       .credit = 200,
					       .mix = RINGING_DAY};

	run("ringing house", &plan, 81);
}

Test(acd_stress, rings_grow_and_shrink_meanwhile)
{
	static const struct house_plan plan = {.threads = 4,
					       .agents = 20,
					       .queues = 4,
					       .contacts_max = 24,
					       .events_max = 65536,
					       .skills = 1,
					       .offer_timeout_ns = 30000,
					       .penalty_ns = 8000,
					       .rings = 8,
					       .credit = 200,
					       .mix = {.enqueue = 120,
						       .accept = 120,
						       .decline = 300,
						       .end = 150,
						       .cancel = 40,
						       .ready = 120,
						       .login = 20,
						       .logout = 10,
						       .configure = 40}};

	run("rings of many sizes", &plan, 91);
}

Test(acd_stress, many_with_several_slots_are_rung_at_once)
{
	static const struct house_plan plan = {.threads = 4,
					       .agents = 9,
					       .queues = 3,
					       .contacts_max = 40,
					       .events_max = 65536,
					       .channels = 2,
					       .offer_timeout_ns = 30000,
					       .wrap_up_ns = 10000,
					       .penalty_ns = 8000,
					       .misses_max = 3,
					       .rings = 3,
					       .credit = 200,
					       .mix = RINGING_DAY};

	run("ringing house of slots", &plan, 101);
}
