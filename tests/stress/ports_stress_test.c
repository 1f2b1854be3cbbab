/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads take and release pairs and single ports of one address while another ends rests: no port has two
 * holders.
 */
#include <criterion/criterion.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "media/ports.h"

#define THREADS 3
#define PAIRS   24
#define ROUNDS  10000

static struct ports ports;
static _Atomic uint32_t holders[2 * PAIRS];
static _Atomic uint32_t doubled;
static _Atomic uint32_t crooked; /* pairs that begin at an odd port */
static _Atomic uint32_t running;
static uint64_t written[2 * PAIRS]; /* plain: what a holder writes the next one sees */

/* Hold ports for a moment: nobody else does. */
static void
hold(uint32_t place, uint32_t count)
{
	for (uint32_t i = place; i < place + count; i++) {
		if (atomic_fetch_add_explicit(&holders[i], 1, memory_order_relaxed) != 0)
			atomic_fetch_add_explicit(&doubled, 1, memory_order_relaxed);
		written[i]++;
	}
	for (uint32_t i = place; i < place + count; i++)
		atomic_fetch_sub_explicit(&holders[i], 1, memory_order_relaxed);
}

static void *
take_and_release(void *argument)
{
	for (unsigned round = 0; round < ROUNDS;) {
		bool single = round / 7 % 2;
		uint32_t place;

		if (ports_take(&ports, single, &place) < 0) {
			sched_yield();
			continue;
		}
		round++;
		if (!single && place % 2)
			atomic_fetch_add_explicit(&crooked, 1, memory_order_relaxed);
		hold(place, single ? 1 : 2);
		ports_release(&ports, place, single, round % 3 ? 1 : 0);
	}
	atomic_fetch_sub_explicit(&running, 1, memory_order_relaxed);
	return NULL;
}

Test(ports_stress, no_port_ever_has_two_holders)
{
	pthread_t threads[THREADS];

	cr_assert_eq(ports_init(&ports, 20000, 20000 + 2 * PAIRS - 1), 0);
	atomic_store_explicit(&running, THREADS, memory_order_relaxed);
	for (unsigned i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, take_and_release, NULL), 0);
	while (atomic_load_explicit(&running, memory_order_relaxed))
		ports_rests_end(&ports, 1, 10);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	ports_rests_end(&ports, 1, 2 * PAIRS);
	ports_check(&ports);
	cr_assert_eq(atomic_load_explicit(&doubled, memory_order_relaxed), 0);
	cr_assert_eq(atomic_load_explicit(&crooked, memory_order_relaxed), 0);
	cr_assert_eq(atomic_load_explicit(&ports.taken, memory_order_relaxed), 0);
	cr_assert_eq(atomic_load_explicit(&ports.resting, memory_order_relaxed), 0);
	ports_destroy(&ports);
}
