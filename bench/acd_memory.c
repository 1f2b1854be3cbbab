/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * acd-memory: bytes that one more contact, agent and queue cost each engine, from the heap of a
 * small and a large house that differ in nothing else and are filled. Rivals: the mutex engine, and
 * the information itself: what an engine must know of each to answer its interface, packed to the
 * byte, without any index to find it by. The handle that the host keeps is counted with it.
 *
 * Nothing is random here, so one round tells all.
 */
#include <malloc.h>
#include <stddef.h>

#include "acd_regime.h"
#include "acd_workload.h"
#include "rounds.h"

#define BENCH       "acd-memory"
#define INFORMATION "information"

/* Queue, cookie, enqueue time, rank, class, state, agent and generation. */
#define CONTACT_BYTES (2 + 8 + 8 + 8 + 1 + 1 + 4 + 4)

/* Name, cookie, state and its time, contact, contacts and busy time, generation; 8 skills. */
#define AGENT_BYTES (12 + 8 + 1 + 8 + 4 + 8 + 8 + 4 + WORKLOAD_AGENT_SKILLS * (2 + 1))

/* Name, cookie, targets of 256 classes, four times, length, a term or two, and ten counters. */
#define QUEUE_BYTES (12 + 8 + RIVAL_CLASSES * RIVAL_CLASSES * 8 + 4 * 8 + 4 + 2 * (2 + 1) + 10 * 8)

struct comparison {
	const char *metric;
	struct workload_size small, large;
	uint32_t more; /* that the large one has */
	double information_bytes;
};

/* The number waiting is a power of two, so that no heap of the rival's is half empty. */
static const struct comparison comparisons[] = {
	{"bytes-per-contact", {1, 1, 16384, 16384}, {1, 1, 131072, 131072}, 114688, CONTACT_BYTES},
	{"bytes-per-agent", {1000, 100, 0, 64}, {11000, 100, 0, 64}, 10000, AGENT_BYTES},
	{"bytes-per-queue", {10000, 100, 0, 64}, {10000, 1100, 0, 64}, 1000, QUEUE_BYTES},
};

static size_t
heap_bytes(void)
{
	struct mallinfo2 heap = mallinfo2();

	return heap.uordblks + heap.hblkhd;
}

/* Of an engine that has its house, and all the contacts that it may hold waiting. */
static size_t
bytes_of_house(void (*create)(struct workload_engine *, const struct workload_size *),
	       const struct workload_size *size, uint64_t seed)
{
	size_t before = heap_bytes(), bytes;
	struct workload_engine engine;

	create(&engine, size);
	workload_define(&engine, size, seed);
	for (uint32_t i = 0; i < size->waiting; i++)
		engine.enqueue(engine.state, 0, i, 0, 0, 1 + i);
	bytes = heap_bytes() - before;
	engine.destroy(engine.state);
	return bytes;
}

static double
bytes_of_one(void (*create)(struct workload_engine *, const struct workload_size *),
	     const struct comparison *comparison, uint64_t seed)
{
	size_t small = bytes_of_house(create, &comparison->small, seed);
	size_t large = bytes_of_house(create, &comparison->large, seed);

	return ((double)large - (double)small) / comparison->more;
}

int
main(int argc, char **argv)
{
	struct rounds_options options;

	rounds_parse(&options, argc, argv);
	for (unsigned i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++) {
		const struct comparison *one = &comparisons[i];
		struct rounds_metric metric = {BENCH, REGIME_RIVAL, one->metric, "bytes", "lower"};
		double ours = bytes_of_one(workload_ours_create, one, options.seed);
		double theirs = bytes_of_one(workload_rival_create, one, options.seed);

		if (ours <= 0 || theirs <= 0) {
			rounds_note(BENCH, "this allocator does not tell what it gave");
			return 0;
		}
		rounds_print(&metric, 0, ours, theirs);
		metric.rival = INFORMATION;
		rounds_print(&metric, 0, ours, one->information_bytes);
	}
	return 0;
}
