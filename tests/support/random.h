/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers that look random and come from a seed, so that a failed history can be run again.
 */
#ifndef TEST_RANDOM_H
#define TEST_RANDOM_H

#include <stdint.h>
#include <stdlib.h>

/** A stream of numbers; any seed will do. */
struct random {
	uint64_t state; /**< moves by a constant at each draw */
};

/** Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014. */
static inline uint64_t
random_next(struct random *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/** 0 to limit - 1; 0 when the limit is 0. */
static inline uint32_t
random_below(struct random *random, uint32_t limit)
{
	return limit ? (uint32_t)((random_next(random) >> 32) * limit >> 32) : 0;
}

/** Whether something of this chance in a thousand happens. */
static inline int
random_happens(struct random *random, uint32_t per_mille)
{
	return random_below(random, 1000) < per_mille;
}

/** Times as many steps when STW_SOAK is set in the environment. */
static inline uint64_t
soak_or(uint64_t quick, uint64_t soak)
{
	return getenv("STW_SOAK") ? soak : quick;
}

#endif
