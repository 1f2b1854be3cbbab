/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The memory of relay inside the kernel: BPF maps that the process has mapped, and that the programs of all its
 * interfaces share (xdp_relay_maps.bpf.h).
 */
#ifndef STW_IO_KERNEL_RELAY_H
#define STW_IO_KERNEL_RELAY_H

#include <stdbool.h>
#include <stdint.h>

#include "media/kernel/kernel.h"

struct bpf_object;
struct kernel_relay;

/**
 * Make the maps of a packet plane and map them; their memory is taken at once.
 *
 * @param out            given: set on success only; free with kernel_relay_close
 * @param legs_slots     slots of legs, 1 or more (plane_legs_slots)
 * @param entries_lines  lines of entries of all addresses, 1 or more
 * @return 0
 * @return -ENOTSUP  the kernel cannot do it; the log says what it lacks
 * @return -EPERM    the process may not do that
 * @return -ENOMEM   memory cannot be had
 *
 * Threads:  control.
 * Progress: blocking (waits for the kernel).
 * Order:    none.
 */
int kernel_relay_open(struct kernel_relay **out, uint32_t legs_slots, uint32_t entries_lines);

/**
 * Give the memory back; NULL is fine. After nobody looks at it any more; programs that still have the maps keep
 * them. Threads, progress: as kernel_relay_open.
 */
void kernel_relay_close(struct kernel_relay *relay);

/** Take the host's word for what the kernel does not say of drivers. Threads: control. */
void kernel_relay_trust(struct kernel_relay *relay);

/** Whether it was said so. Threads: control. */
bool kernel_relay_trusts(const struct kernel_relay *relay);

/** The mapped memory, borrowed from the relay. Threads: any. */
struct kernel_memory *kernel_relay_memory(struct kernel_relay *relay);

/** Give the maps to a program's object, between open and load. 0 or a negative errno. Threads: control. */
int kernel_relay_use(const struct kernel_relay *relay, struct bpf_object *object);

/** What the programs of all interfaces counted (enum kernel_count). Threads: any. */
void kernel_relay_counts(const struct kernel_relay *relay, uint64_t counts[KERNEL_COUNTS]);

/** Bytes of the maps. Threads: any. */
uint64_t kernel_relay_bytes(const struct kernel_relay *relay);

#endif
