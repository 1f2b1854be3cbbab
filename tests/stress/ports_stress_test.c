/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads take and release pairs of one address while another ends rests: no pair has two holders. */
#include <criterion/criterion.h>

#include <pthread.h>
#include <stdatomic.h>

#include "media/ports.h"

#define THREADS 3
#define PAIRS   100
#define ROUNDS  30000

static struct ports ports;
static _Atomic uint32_t holders[PAIRS];
static _Atomic uint32_t doubled;
static _Atomic uint32_t running;
static uint64_t written[PAIRS]; /* plain: what a holder writes the next one sees */

static void *
take_and_release(void *argument)
{
	uint64_t until_ns = 0;

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint32_t pair;

		if (ports_take(&ports, &pair) < 0)
			continue;
		if (atomic_fetch_add_explicit(&holders[pair], 1, memory_order_relaxed) != 0)
			atomic_fetch_add_explicit(&doubled, 1, memory_order_relaxed);
		written[pair]++;
		atomic_fetch_sub_explicit(&holders[pair], 1, memory_order_relaxed);
		until_ns = round % 3 ? 1 : 0;
		ports_release(&ports, pair, until_ns);
	}
	atomic_fetch_sub_explicit(&running, 1, memory_order_relaxed);
	return NULL;
}

Test(ports_stress, no_pair_ever_has_two_holders)
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
	ports_rests_end(&ports, 1, PAIRS);
	ports_check(&ports);
	cr_assert_eq(atomic_load_explicit(&doubled, memory_order_relaxed), 0);
	cr_assert_eq(atomic_load_explicit(&ports.taken, memory_order_relaxed), 0);
	cr_assert_eq(atomic_load_explicit(&ports.resting, memory_order_relaxed), 0);
	ports_destroy(&ports);
}
