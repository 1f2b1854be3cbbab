/* SPDX-License-Identifier: (BSD-3-Clause OR GPL-2.0-only) */
/*
 * The maps of owned ports and the question asked of them, for the BPF programs of this folder.
 */
#ifndef STW_IO_STEER_LOOKUP_BPF_H
#define STW_IO_STEER_LOOKUP_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "steer_map.h"

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, STEER_ADDRESSES_MAX);
	__type(key, struct steer_key4);
	__type(value, struct steer_ranges);
} owned SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, STEER_ADDRESSES_MAX);
	__type(key, struct steer_key6);
	__type(value, struct steer_ranges);
} owned6 SEC(".maps");

static __always_inline int
steer_owns(const struct steer_ranges *ranges, __u16 port)
{
	int i;

	for (i = 0; i < STEER_RANGES_MAX; i++) {
		__u16 first = ranges->range[i].first;

		if (first == 0)
			return 0;
		if (port >= first && port <= ranges->range[i].last)
			return 1;
	}
	return 0;
}

#endif
