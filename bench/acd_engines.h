/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sizes that both engines of the ACD benches are made with. Both sides keep handles by cookie in an
 * array, so the adapters cost both the same.
 */
#ifndef BENCH_ACD_ENGINES_H
#define BENCH_ACD_ENGINES_H

/* Events not yet taken. */
#define ENGINES_EVENTS_MAX 65536

/* More events than one call of the workload can cause. */
#define ENGINES_EVENTS_BATCH 64

#endif
