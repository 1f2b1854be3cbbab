/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long calls took: counted in classes of 1/16 of a power of two, so a percentile is good to 6 %;
 * the longest is exact.
 */
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include <stdint.h>

#define LATENCY_CLASS_BITS 4
#define LATENCY_CLASSES    (64 << LATENCY_CLASS_BITS)

/** All zero is empty. */
struct latency {
	uint64_t counts[LATENCY_CLASSES];
	uint64_t total;  /**< calls */
	uint64_t sum_ns; /**< of all calls */
	uint64_t max_ns;
};

void latency_add(struct latency *latency, uint64_t ns);
void latency_merge(struct latency *into, const struct latency *from);

/** The latency that this share of the calls did not exceed, microseconds; 0 when empty. */
double latency_share_us(const struct latency *latency, double share);

#endif
