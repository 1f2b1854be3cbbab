/* SPDX-License-Identifier: BSD-3-Clause */
/* IPv6 endpoints beside the remote word: set, latched, read, by several threads at once. */
#include <criterion/criterion.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "media/session/remote6.h"
#include "support/stepper.h"

#define KEY         UINT64_C(4711)
#define ROUNDS      10000
#define LATCHED_MIN 10

static struct leg_remote6 row;
static _Atomic uint64_t remote;

static struct ip6
ip_of(uint64_t number)
{
	return (struct ip6){{number * UINT64_C(0x0101010101010101), ~number}};
}

static uint64_t
word_of(uint64_t number)
{
	struct ip6 ip = ip_of(number);

	return remote6_word(&ip, (rte_be16_t)(number + 1), KEY);
}

static void
set(uint64_t number)
{
	struct ip6 ip = ip_of(number);

	remote6_set(&row, &remote, word_of(number), &ip);
}

static bool
latch(uint64_t number)
{
	struct ip6 ip = ip_of(number);

	return remote6_latch(&row, &remote, remote, word_of(number), &ip);
}

/* The number whose address and port the leg has; 0: none. */
static uint64_t
number_read(void)
{
	uint64_t word = atomic_load_explicit(&remote, memory_order_acquire), number;
	struct ip6 ip, expected;

	if (!remote6_read(&row, word, &ip))
		return 0;
	number = leg_remote_port(word) - 1u;
	expected = ip_of(number);
	return ip6_is(&ip, &expected) && word >> 32 == word_of(number) >> 32 ? number : UINT64_MAX;
}

Test(remote6, what_was_set_is_read_and_not_latched)
{
	cr_assert_eq(number_read(), 0);
	set(7);
	cr_assert_eq(number_read(), 7);
	cr_assert_eq(remote & LEG_LATCHED, 0);
	set(9);
	cr_assert_eq(number_read(), 9);
	remote6_set(&row, &remote, remote6_word(&(struct ip6){{0, 0}}, 0, KEY),
		    &(struct ip6){{0, 0}});
	cr_assert_eq(number_read(), 0);
	cr_assert_neq(remote & REMOTE_V6, 0);
}

Test(remote6, source_is_latched_once)
{
	set(7);
	cr_assert(latch(7));
	cr_assert_eq(remote & LEG_LATCHED, LEG_LATCHED);
	cr_assert_eq(number_read(), 7);
	set(7);
	cr_assert(latch(8), "another than configured");
	cr_assert_eq(number_read(), 8);
	cr_assert_eq(remote & LEG_LATCHED, LEG_LATCHED);
}

Test(remote6, source_judged_before_a_change_does_not_latch)
{
	struct ip6 ip = ip_of(8);
	uint64_t before;

	set(7);
	before = remote;
	set(7);
	cr_assert(!remote6_latch(&row, &remote, before, word_of(8), &ip));
	cr_assert_eq(number_read(), 7);
	cr_assert_eq(remote & LEG_LATCHED, 0);
}

Test(remote6, address_of_an_older_word_is_not_read)
{
	struct ip6 ip;
	uint64_t before;

	set(7);
	before = remote;
	set(8);
	cr_assert(!remote6_read(&row, before, &ip));
}

Test(remote6, version_is_never_0)
{
	for (unsigned i = 0; i < 10000; i++) {
		set(i % 100 + 1);
		cr_assert_neq(remote >> REMOTE_VERSION_SHIFT & REMOTE_VERSION_MASK, 0);
		cr_assert_eq(number_read(), i % 100 + 1);
	}
}

/* As a worker that was stopped within its claim goes on: it has lost it, and overwrites nothing. */
Test(remote6, claim_that_was_taken_over_writes_nothing)
{
	uint64_t claimed;

	set(7);
	claimed = ((remote >> REMOTE_VERSION_SHIFT & REMOTE_VERSION_MASK) + 1)
			  << REMOTE_VERSION_SHIFT |
		  REMOTE_V6 | REMOTE_CLAIMED;
	remote = claimed;
	cr_assert(!latch(9), "claimed by another worker");
	cr_assert_eq(number_read(), 0, "nothing is sent meanwhile");
	set(8);
	cr_assert_eq(number_read(), 8);
	cr_assert_neq(remote, claimed);
}

/* What happens when a call is stopped after so many instructions. */
static void (*meanwhile)(void);
static bool other_latched;
static uint64_t other_read;

static uint32_t
stopped(void)
{
	meanwhile();
	return 0;
}

static void
control_sets_8(void)
{
	set(8);
	other_read = number_read();
}

static void
worker_latches_10(void)
{
	if (!(remote & LEG_LATCHED))
		other_latched = latch(10);
}

static void
worker_reads(void)
{
	other_read = number_read();
}

/* Latch 9 where 7 is configured, stopped after so many instructions; false when it ended before. */
static bool
latch_stopped(uint32_t instructions, bool *ours)
{
	struct ip6 ip = ip_of(9);
	uint64_t word = word_of(9), seen;

	set(7);
	seen = remote;
	other_latched = false;
	other_read = 0;
	stepper_start(instructions);
	*ours = remote6_latch(&row, &remote, seen, word, &ip);
	return stepper_stop() == 0;
}

Test(remote6, worker_stopped_anywhere_does_not_undo_what_control_sets)
{
	uint32_t at = 1;
	bool ours;

	if (!stepper_install(stopped))
		cr_skip_test("no single steps here");
	meanwhile = control_sets_8;
	for (; latch_stopped(at, &ours); at++) {
		cr_assert_eq(other_read, 8, "stopped after %u", at);
		cr_assert_eq(number_read(), 8, "stopped after %u", at);
		cr_assert_eq(remote & LEG_LATCHED, 0, "stopped after %u", at);
	}
	cr_assert(ours);
	cr_assert_gt(at, 20);
}

Test(remote6, of_two_workers_stopped_anywhere_one_latches)
{
	bool ours;

	if (!stepper_install(stopped))
		cr_skip_test("no single steps here");
	meanwhile = worker_latches_10;
	for (uint32_t at = 1; latch_stopped(at, &ours); at++) {
		cr_assert(ours ^ other_latched, "stopped after %u", at);
		cr_assert_eq(number_read(), ours ? 9 : 10, "stopped after %u", at);
	}
}

Test(remote6, what_is_read_while_a_worker_latches_is_whole)
{
	bool ours;

	if (!stepper_install(stopped))
		cr_skip_test("no single steps here");
	meanwhile = worker_reads;
	for (uint32_t at = 1; latch_stopped(at, &ours); at++) {
		cr_assert(other_read == 0 || other_read == 7 || other_read == 9, "stopped after %u",
			  at);
		cr_assert(ours);
	}
}

Test(remote6, what_is_read_while_control_sets_is_whole)
{
	uint64_t read;

	if (!stepper_install(stopped))
		cr_skip_test("no single steps here");
	meanwhile = control_sets_8;
	for (uint32_t at = 1;; at++) {
		set(7);
		stepper_start(at);
		read = number_read();
		if (stepper_stop() != 0)
			break;
		cr_assert(read == 0 || read == 7 || read == 8, "stopped after %u", at);
	}
}

static _Atomic unsigned wrong, done, latched;

static void *
work(void *argument)
{
	uint64_t number = (uintptr_t)argument;

	while (!atomic_load_explicit(&done, memory_order_relaxed)) {
		uint64_t seen = atomic_load_explicit(&remote, memory_order_acquire);
		struct ip6 ip = ip_of(number);

		if (number_read() == UINT64_MAX)
			atomic_fetch_add_explicit(&wrong, 1, memory_order_relaxed);
		if (!(seen & LEG_LATCHED) &&
		    remote6_latch(&row, &remote, seen, word_of(number), &ip))
			atomic_fetch_add_explicit(&latched, 1, memory_order_relaxed);
		number = number % 50 + 1;
	}
	return NULL;
}

Test(remote6, threads_never_read_a_mixed_address)
{
	pthread_t threads[3];

	for (uintptr_t i = 0; i < 3; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, work, (void *)(i + 1)), 0);
	/* Until others have had their turn, too. */
	for (unsigned i = 0;
	     i < ROUNDS || atomic_load_explicit(&latched, memory_order_relaxed) < LATCHED_MIN;
	     i++) {
		uint64_t number;

		if (i % 64 == 0)
			sched_yield();
		set(100 + i % 50);
		number = number_read();
		if (number == UINT64_MAX)
			atomic_fetch_add_explicit(&wrong, 1, memory_order_relaxed);
	}
	atomic_store_explicit(&done, 1, memory_order_relaxed);
	for (unsigned i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(wrong, 0);
	/* Nobody has left it claimed. */
	cr_assert_eq(remote & REMOTE_CLAIMED, 0);
	set(3);
	cr_assert(latch(3));
}
