/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames run by the kernel through the program with relay inside the kernel (BPF_PROG_TEST_RUN), without
 * any interface. Queue 0 has a socket, which gets nothing.
 */
#ifndef TEST_BPF_RUN_H
#define TEST_BPF_RUN_H

#include <stdint.h>

#include "io/kernel_relay.h"
#include "io/steer_map.h"
#include "io/steer_ranges.h"

#define BPF_RUN_FRAME_BYTES 2048

struct xdp_steer_bpf;

struct bpf_run {
	struct kernel_relay *relay;
	struct kernel_memory *memory; /* of the relay */
	struct xdp_steer_bpf *program;
	struct steer_maps maps;
	int socket;
};

struct bpf_frame {
	uint32_t bytes;
	uint8_t data[BPF_RUN_FRAME_BYTES];
};

/* What became of a frame. */
enum bpf_fate {
	BPF_PASSED,   /* to the kernel */
	BPF_STEERED,  /* to the socket */
	BPF_UNSERVED, /* to a socket, but there is none: dropped */
	BPF_DROPPED,
	BPF_SENT,
};

/* Load the program for a port of the packet plane; skips the test where that may not be. */
void bpf_run_open(struct bpf_run *run, uint32_t legs_slots, uint32_t entries_lines, uint32_t port);
void bpf_run_close(struct bpf_run *run);

/* Own UDP ports of an address; entry: index of the first one's. */
void bpf_run_own(const struct bpf_run *run, const struct stw_ip *ip, uint16_t vlan, uint16_t first,
		 uint16_t last, uint32_t entry);

/* Run a frame; it becomes what is sent. */
enum bpf_fate bpf_run_frame(const struct bpf_run *run, struct bpf_frame *frame);

/* What steering has counted (enum steer_count), and relay. */
uint64_t bpf_run_steer_count(const struct bpf_run *run, uint32_t which);
uint64_t bpf_run_count(const struct bpf_run *run, enum kernel_count which);

/* Take the socket away, or give it back. */
void bpf_run_serve(const struct bpf_run *run, int is_served);

#endif
