/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counters of BPF programs, added up over all CPUs.
 */
#include "bpf_counts.h"

#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

void
bpf_counts_read(int map_fd, uint64_t *counts, uint32_t count)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t *each = cpus > 0 ? calloc((size_t)cpus, sizeof(*each)) : NULL;

	memset(counts, 0, count * sizeof(*counts));
	if (!each)
		return;
	for (uint32_t i = 0; i < count; i++) {
		if (bpf_map_lookup_elem(map_fd, &i, each) != 0)
			continue;
		for (int cpu = 0; cpu < cpus; cpu++)
			counts[i] += each[cpu];
	}
	free(each);
}
