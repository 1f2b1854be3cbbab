/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What all benches share: their arguments, the clock, a seeded generator, and the raw lines that
 * bench/run reads (see bench/README.md).
 */
#ifndef BENCH_ROUNDS_H
#define BENCH_ROUNDS_H

#include <stdbool.h>
#include <stdint.h>

/** How a bench was asked to run. */
struct rounds_options {
	unsigned rounds; /**< turns of each side; 1 or more */
	uint64_t seed;   /**< of all random choices */
	bool quick;      /**< a tenth of the work: shows that it runs, not how fast */
};

/** What a raw line is about. */
struct rounds_metric {
	const char *bench;  /**< name in bench/run */
	const char *rival;  /**< whom we are compared with */
	const char *metric; /**< what is measured */
	const char *unit;   /**< of both figures */
	const char *better; /**< "higher" or "lower" */
};

/** Read --rounds N, --seed N and --quick; ends the program with a message when they are wrong. */
void rounds_parse(struct rounds_options *options, int argc, char **argv);

/** Print one turn's figures. */
void rounds_print(const struct rounds_metric *metric, unsigned round, double ours, double theirs);

/** Print a remark that the reader of the figures must know. */
void rounds_note(const char *bench, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Say why the bench cannot go on, and end the program. */
void rounds_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/** Wait. */
void rounds_sleep_ms(unsigned ms);

/** Monotonic nanoseconds. */
uint64_t rounds_now_ns(void);

/** Next number of a seeded generator. Source: Steele, Lea, Flood, "Fast splittable pseudorandom
 *  number generators", 2014 (SplitMix64). */
static inline uint64_t
rounds_random(uint64_t *state)
{
	uint64_t mixed = *state += UINT64_C(0x9e3779b97f4a7c15);

	mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
	return mixed ^ (mixed >> 31);
}

/** A number from 0 to count - 1; count is far below 2^32, so the bias is too. */
static inline uint32_t
rounds_random_below(uint64_t *state, uint32_t count)
{
	return (uint32_t)(((rounds_random(state) >> 32) * count) >> 32);
}

#endif
