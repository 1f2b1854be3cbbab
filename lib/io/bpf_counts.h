/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters that a BPF program keeps for each CPU.
 */
#ifndef STW_IO_BPF_COUNTS_H
#define STW_IO_BPF_COUNTS_H

#include <stdint.h>

/**
 * Add up a map of 64-bit numbers of each CPU, by keys 0 to count - 1; what cannot be read is 0.
 *
 * Threads: any. Progress: blocking (waits for the kernel).
 */
void bpf_counts_read(int map_fd, uint64_t *counts, uint32_t count);

#endif
