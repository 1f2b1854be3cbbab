/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Histograms of how long calls took.
 */
#include "latency.h"

static unsigned
class_of(uint64_t ns)
{
	unsigned power;

	if (ns < 1 << LATENCY_CLASS_BITS)
		return (unsigned)ns;
	power = 63 - (unsigned)__builtin_clzll(ns);
	return ((power - LATENCY_CLASS_BITS + 1) << LATENCY_CLASS_BITS) +
	       (unsigned)((ns >> (power - LATENCY_CLASS_BITS)) & ((1 << LATENCY_CLASS_BITS) - 1));
}

/* The largest latency of a class. */
static uint64_t
class_end(unsigned index)
{
	unsigned power = index >> LATENCY_CLASS_BITS;
	uint64_t steps = (1 << LATENCY_CLASS_BITS) + (index & ((1 << LATENCY_CLASS_BITS) - 1)) + 1;

	return power == 0 ? index : (steps << (power - 1)) - 1;
}

void
latency_add(struct latency *latency, uint64_t ns)
{
	latency->counts[class_of(ns)]++;
	latency->total++;
	latency->sum_ns += ns;
	if (ns > latency->max_ns)
		latency->max_ns = ns;
}

void
latency_merge(struct latency *into, const struct latency *from)
{
	for (unsigned i = 0; i < LATENCY_CLASSES; i++)
		into->counts[i] += from->counts[i];
	into->total += from->total;
	into->sum_ns += from->sum_ns;
	if (from->max_ns > into->max_ns)
		into->max_ns = from->max_ns;
}

double
latency_share_us(const struct latency *latency, double share)
{
	uint64_t seen = 0;

	for (unsigned i = 0; i < LATENCY_CLASSES; i++) {
		seen += latency->counts[i];
		if (seen && (double)seen >= share * (double)latency->total) {
			uint64_t end = class_end(i);

			return (double)(end < latency->max_ns ? end : latency->max_ns) / 1000;
		}
	}
	return 0;
}
