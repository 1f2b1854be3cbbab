/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * P4: a stopped thread stops nobody. A signal parks one, two or three threads at whatever instruction of a
 * call they are; the others must go on to match. Then they rest, while the parked stay parked: nobody known is missed, and all events have
 * come. Then all go on, and what holds at every quiet point must hold.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <inttypes.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "stress/house.h"
#include "support/stepper.h"

#define MATCHES_WANTED 200 /* offers that the others must make while some are parked */
#define STUCK_SECONDS  60  /* nothing at all moved for so long: the house stands still */
#define TRIES_MAX      2000

static _Atomic int released;    /* 1: parked threads may go on */
static _Atomic uint32_t places; /* how many more threads shall be parked */
static _Atomic uint32_t parked; /* threads in the handler now */
static _Thread_local struct house_thread *self;

static bool
take_place(void)
{
	uint32_t left = atomic_load_explicit(&places, memory_order_seq_cst);

	while (left &&
	       !atomic_compare_exchange_weak_explicit(&places, &left, left - 1,
						      memory_order_seq_cst, memory_order_seq_cst))
		;
	return left > 0;
}

/* Async-signal-safe: atomics and one system call. */
static void
park(void)
{
	if (!take_place())
		return;
	atomic_fetch_add_explicit(&parked, 1, memory_order_seq_cst);
	while (!atomic_load_explicit(&released, memory_order_seq_cst))
		syscall(SYS_futex, &released, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
	atomic_fetch_sub_explicit(&parked, 1, memory_order_seq_cst);
}

/* A signal from the test's thread; who is between two calls is left alone. */
static void
park_by_signal(int number)
{
	int saved = errno;

	(void)number;
	if (self && atomic_load_explicit(&self->inside, memory_order_relaxed))
		park();
	errno = saved;
}

static uint32_t
park_by_count(void)
{
	park();
	return 0;
}

void
house_thread_begins(struct house_thread *thread)
{
	self = thread;
}

static void
release_all(void)
{
	atomic_store_explicit(&places, 0, memory_order_seq_cst);
	atomic_store_explicit(&released, 1, memory_order_seq_cst);
	syscall(SYS_futex, &released, FUTEX_WAKE_PRIVATE, HOUSE_THREADS_MAX, NULL, NULL, 0);
	while (atomic_load_explicit(&parked, memory_order_seq_cst))
		sched_yield();
	atomic_store_explicit(&released, 0, memory_order_seq_cst);
}

static void
busy_loop(uint32_t turns)
{
	for (uint32_t i = 0; i < turns; i++)
		__asm__ volatile("" ::: "memory");
}

/* Park `count` threads inside of calls, from `first` on: by a signal at some time, or after a number of
 * instructions. Not every attempt hits a call; then fewer are parked. */
static uint32_t
park_threads(struct house *house, struct random *random, uint32_t first, uint32_t count,
	     bool by_count)
{
	atomic_store_explicit(&places, count, memory_order_seq_cst);
	for (uint32_t i = 0; i < count; i++) {
		struct house_thread *victim = &house->threads[(first + i) % house->plan.threads];

		if (by_count)
			atomic_store_explicit(
				&victim->park_after,
				1 + random_below(random, 1u << (2 + random_below(random, 10))),
				memory_order_relaxed);
		for (uint32_t tries = 0; tries < TRIES_MAX; tries++) {
			if (atomic_load_explicit(&parked, memory_order_seq_cst) > i ||
			    !house_logs_have_room(house))
				break;
			if (!by_count && tries % 8 == 0) {
				busy_loop(random_below(random, 20000));
				pthread_kill(victim->thread, SIGUSR1);
			}
			house_take(house);
			nanosleep(&(struct timespec){.tv_nsec = 20000}, NULL);
		}
	}
	atomic_store_explicit(&places, 0, memory_order_seq_cst);
	return atomic_load_explicit(&parked, memory_order_seq_cst);
}

static uint64_t
operations(const struct house *house)
{
	uint64_t sum = 0;

	for (uint32_t t = 0; t < house->plan.threads; t++)
		sum += atomic_load_explicit(&house->threads[t].operations, memory_order_relaxed);
	return sum;
}

/* The watchdog looks at what moves, and gives up only when for long nothing did. */
static bool
others_go_on(struct house *house)
{
	uint64_t goal = house->ledger.count[STW_EVENT_OFFER] + MATCHES_WANTED;
	uint64_t seen = 0, seen_operations = operations(house);
	time_t moved = time(NULL);

	while (house->ledger.count[STW_EVENT_OFFER] < goal) {
		if (!house_take(house))
			sched_yield();
		if (house->ledger.count[STW_EVENT_OFFER] != seen) {
			seen = house->ledger.count[STW_EVENT_OFFER];
			seen_operations = operations(house);
			moved = time(NULL);
		} else if (time(NULL) - moved > STUCK_SECONDS) {
			snprintf(house->problem, sizeof(house->problem),
				 "P4: with %u parked, no match for %d s while others did %" PRIu64
				 " operations",
				 parked, STUCK_SECONDS, operations(house) - seen_operations);
			return false;
		}
	}
	return true;
}

static void
one_round(struct house *house, struct random *random, uint32_t wanted, bool by_count,
	  uint32_t rounds[])
{
	uint32_t stopped;

	house_run(house);
	busy_loop(random_below(random, 200000));
	stopped = park_threads(house, random, random_below(random, house->plan.threads), wanted,
			       by_count);
	rounds[stopped]++;
	if (others_go_on(house)) {
		house_rest(house, house->plan.threads - stopped);
		house_check_stopped(house);
	}
	release_all();
	for (uint32_t t = 0; t < house->plan.threads; t++)
		atomic_store_explicit(&house->threads[t].park_after, 0, memory_order_relaxed);
	house_rest(house, house->plan.threads);
	house_check(house);
}

static void
run(const struct house_plan *plan, uint32_t wanted, uint64_t seed)
{
	struct house *house = calloc(1, sizeof(*house));
	struct sigaction action = {.sa_handler = park_by_signal, .sa_flags = SA_RESTART};
	bool counts = stepper_install(park_by_count);
	struct random random = {seed};
	/* Without counting, under ThreadSanitizer, each takes many times as long. */
	uint32_t rounds = (uint32_t)soak_or(counts ? 100 : 40, 5000);
	uint32_t by[HOUSE_THREADS_MAX + 1] = {0};

	sigemptyset(&action.sa_mask);
	sigaction(SIGUSR1, &action, NULL);
	house_open(house, plan, seed);
	for (uint32_t round = 0; round < rounds && !house->problem[0]; round++)
		one_round(house, &random, wanted, counts && round % 8, by);
	house_close(house);
	cr_assert(!house->problem[0], "%u parked, seed %lu: %s", wanted, (unsigned long)seed,
		  house->problem);
	cr_expect(!counts || by[wanted] > rounds / 2, "only %u of %u rounds had %u parked",
		  by[wanted], rounds, wanted);
	cr_log_info("%u rounds with %u parked: %lu offers", by[wanted], wanted,
		    (unsigned long)house->ledger.count[STW_EVENT_OFFER]);
	free(house);
}

static const struct house_plan ringing_plan = {.threads = 5,
					       .agents = 12,
					       .queues = 2,
					       .contacts_max = 32,
					       .events_max = 65536,
					       .offer_timeout_ns = 30000,
					       .wrap_up_ns = 10000,
					       .penalty_ns = 5000,
					       .misses_max = 3,
					       .rings = 4,
					       .credit = 2000,
					       .mix = {.enqueue = 180,
						       .accept = 150,
						       .decline = 200,
						       .end = 170,
						       .cancel = 50,
						       .reprioritise = 20,
						       .ready = 120,
						       .not_ready = 20,
						       .login = 40,
						       .logout = 10}};

static const struct house_plan plan = {.threads = 5,
				       .agents = 10,
				       .queues = 2,
				       .contacts_max = 48,
				       .events_max = 65536,
				       .offer_timeout_ns = 30000,
				       .wrap_up_ns = 10000,
				       .penalty_ns = 5000,
				       .misses_max = 3,
				       .credit = 2000,
				       .mix = {.enqueue = 220,
					       .accept = 200,
					       .decline = 60,
					       .end = 200,
					       .cancel = 50,
					       .reprioritise = 40,
					       .ready = 120,
					       .not_ready = 20,
					       .login = 40,
					       .logout = 10}};

Test(acd_freeze, one_stopped_thread_stops_nobody)
{
	run(&plan, 1, 71);
}

Test(acd_freeze, two_stopped_threads_stop_nobody)
{
	run(&plan, 2, 72);
}

Test(acd_freeze, three_stopped_threads_stop_nobody)
{
	run(&plan, 3, 73);
}

/* Few agents with many slots, so that those who are parked stand in the way of each other's seats. */
static const struct house_plan plan_of_seats = {.threads = 5,
						.agents = 4,
						.queues = 3,
						.contacts_max = 48,
						.events_max = 65536,
						.channels = 2,
						.offer_timeout_ns = 30000,
						.wrap_up_ns = 10000,
						.penalty_ns = 5000,
						.misses_max = 3,
						.credit = 2000,
						.mix = {.enqueue = 220,
							.accept = 220,
							.decline = 40,
							.end = 220,
							.cancel = 40,
							.reprioritise = 20,
							.ready = 100,
							.not_ready = 20,
							.login = 40,
							.logout = 20,
							.extend = 20}};

Test(acd_freeze, one_stopped_thread_stops_nobody_with_several_slots)
{
	run(&plan_of_seats, 1, 74);
}

Test(acd_freeze, two_stopped_threads_stop_nobody_with_several_slots)
{
	run(&plan_of_seats, 2, 78);
}

Test(acd_freeze, three_stopped_threads_stop_nobody_with_several_slots)
{
	run(&plan_of_seats, 3, 75);
}

Test(acd_freeze, one_stopped_thread_stops_nobody_where_several_are_rung)
{
	run(&ringing_plan, 1, 76);
}

Test(acd_freeze, two_stopped_threads_stop_nobody_where_several_are_rung)
{
	run(&ringing_plan, 2, 79);
}

Test(acd_freeze, three_stopped_threads_stop_nobody_where_several_are_rung)
{
	run(&ringing_plan, 3, 77);
}
