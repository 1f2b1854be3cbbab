/* SPDX-License-Identifier: (BSD-3-Clause OR GPL-2.0-only) */
/*
 * The maps of relay inside the kernel, and what is fixed when the program is loaded. Here each map has one
 * element; with the relay kernel_relay.c puts its own in their places, which the process has mapped.
 */
#ifndef STW_IO_XDP_RELAY_MAPS_BPF_H
#define STW_IO_XDP_RELAY_MAPS_BPF_H

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "media/kernel/row.h"
#include "media/session/leg_shared.h"

/** 1: the program relays. */
const volatile uint32_t relay_is_loaded;

/** Number of the interface's first queue (row.h). */
const volatile uint32_t relay_queue_first;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct kernel_row);
} rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct leg_intake);
} intakes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct leg_egress);
} egresses SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct leg_options);
} options SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct kernel_entries);
} entries SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, uint32_t);
	__type(value, struct kernel_queue);
} queues SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, KERNEL_COUNTS);
	__type(key, uint32_t);
	__type(value, uint64_t);
} relay_counts SEC(".maps");

static __always_inline void
relay_count(uint32_t which)
{
	uint64_t *number = bpf_map_lookup_elem(&relay_counts, &which);

	if (number)
		(*number)++;
}

#endif
