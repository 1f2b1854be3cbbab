/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory of relay inside the kernel: making and mapping it, and what was counted.
 */
#include "kernel_relay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/base.h"
#include "bpf_counts.h"
#include "kernel_probe.h"

/** The maps, in the order of `maps`. */
enum relay_map {
	RELAY_ROWS,
	RELAY_INTAKES,
	RELAY_EGRESSES,
	RELAY_OPTIONS,
	RELAY_ENTRIES,
	RELAY_QUEUES,
	RELAY_MAPPED,                /* so many are mapped */
	RELAY_COUNTS = RELAY_MAPPED, /* each CPU has its own: read by calls */
	RELAY_MAPS,
};

/** Name of a map in the program, and bytes of an element. */
static const struct {
	const char *name;
	uint32_t bytes;
} maps[RELAY_MAPS] = {
	[RELAY_ROWS] = {"rows", sizeof(struct kernel_row)},
	[RELAY_INTAKES] = {"intakes", sizeof(struct leg_intake)},
	[RELAY_EGRESSES] = {"egresses", sizeof(struct leg_egress)},
	[RELAY_OPTIONS] = {"options", sizeof(struct leg_options)},
	[RELAY_ENTRIES] = {"entries", sizeof(struct kernel_entries)},
	[RELAY_QUEUES] = {"queues", sizeof(struct kernel_queue)},
	[RELAY_COUNTS] = {"relay_counts", sizeof(uint64_t)},
};

struct kernel_relay {
	struct kernel_memory memory;
	bool trusts;
	struct {
		int fd; /* -1: none */
		uint32_t elements;
		void *mapped; /* NULL: not */
	} maps[RELAY_MAPS];
};

/** Bytes of a map's elements, as they are mapped. */
static size_t
map_bytes(const struct kernel_relay *relay, unsigned map)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return ((size_t)relay->maps[map].elements * maps[map].bytes + page - 1) / page * page;
}

static int
map_make(struct kernel_relay *relay, unsigned map)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	void *mapped;

	if (map >= RELAY_MAPPED)
		options.map_flags = 0;
	relay->maps[map].fd = bpf_map_create(
		map < RELAY_MAPPED ? BPF_MAP_TYPE_ARRAY : BPF_MAP_TYPE_PERCPU_ARRAY, maps[map].name,
		sizeof(uint32_t), maps[map].bytes, relay->maps[map].elements, &options);
	if (relay->maps[map].fd < 0)
		return -errno;
	if (map >= RELAY_MAPPED)
		return 0;
	mapped = mmap(NULL, map_bytes(relay, map), PROT_READ | PROT_WRITE, MAP_SHARED,
		      relay->maps[map].fd, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	relay->maps[map].mapped = mapped;
	return 0;
}

static int
maps_make(struct kernel_relay *relay)
{
	int error;

	for (unsigned map = 0; map < RELAY_MAPS; map++) {
		error = map_make(relay, map);
		if (!error)
			continue;
		stw_log(STW_LOG_ERROR, "KERNEL-RELAY-MEMORY map=%s bytes=%zu errno=%d",
			maps[map].name, map_bytes(relay, map), -error);
		return error == -EPERM || error == -ENOMEM ? error : -ENOTSUP;
	}
	return 0;
}

int
kernel_relay_open(struct kernel_relay **out, uint32_t legs_slots, uint32_t entries_lines)
{
	const uint32_t elements[RELAY_MAPS] = {legs_slots,   legs_slots,    legs_slots,
					       legs_slots,   entries_lines, KERNEL_QUEUES,
					       KERNEL_COUNTS};
	struct kernel_relay *relay;
	int error;

	error = kernel_probe();
	if (error)
		return error;
	relay = calloc(1, sizeof(*relay));
	if (!relay)
		return -ENOMEM;
	for (unsigned map = 0; map < RELAY_MAPS; map++) {
		relay->maps[map].fd = -1;
		relay->maps[map].elements = elements[map];
	}
	error = maps_make(relay);
	if (error) {
		kernel_relay_close(relay);
		return error;
	}
	relay->memory.rows = relay->maps[RELAY_ROWS].mapped;
	relay->memory.intakes = relay->maps[RELAY_INTAKES].mapped;
	relay->memory.egresses = relay->maps[RELAY_EGRESSES].mapped;
	relay->memory.options = relay->maps[RELAY_OPTIONS].mapped;
	relay->memory.entries = relay->maps[RELAY_ENTRIES].mapped;
	relay->memory.queues = relay->maps[RELAY_QUEUES].mapped;
	*out = relay;
	return 0;
}

void
kernel_relay_close(struct kernel_relay *relay)
{
	if (!relay)
		return;
	for (unsigned map = 0; map < RELAY_MAPS; map++) {
		if (relay->maps[map].mapped)
			munmap(relay->maps[map].mapped, map_bytes(relay, map));
		if (relay->maps[map].fd >= 0)
			close(relay->maps[map].fd);
	}
	free(relay);
}

void
kernel_relay_trust(struct kernel_relay *relay)
{
	relay->trusts = true;
}

bool
kernel_relay_trusts(const struct kernel_relay *relay)
{
	return relay->trusts;
}

struct kernel_memory *
kernel_relay_memory(struct kernel_relay *relay)
{
	return &relay->memory;
}

int
kernel_relay_use(const struct kernel_relay *relay, struct bpf_object *object)
{
	for (unsigned map = 0; map < RELAY_MAPS; map++) {
		struct bpf_map *place = bpf_object__find_map_by_name(object, maps[map].name);
		int error;

		STW_ASSERT(place);
		STW_ASSERT(bpf_map__value_size(place) == maps[map].bytes);
		error = bpf_map__reuse_fd(place, relay->maps[map].fd);
		if (error)
			return error;
	}
	return 0;
}

void
kernel_relay_counts(const struct kernel_relay *relay, uint64_t counts[KERNEL_COUNTS])
{
	bpf_counts_read(relay->maps[RELAY_COUNTS].fd, counts, KERNEL_COUNTS);
}

/* Not by what the kernel says of them: before 6.4 that is a guess, which forgets other CPUs. */
uint64_t
kernel_relay_bytes(const struct kernel_relay *relay)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t bytes = 0;

	for (unsigned map = 0; map < RELAY_MAPPED; map++)
		bytes += map_bytes(relay, map);
	return bytes + (uint64_t)KERNEL_COUNTS * sizeof(uint64_t) * (cpus > 0 ? (uint64_t)cpus : 1);
}
