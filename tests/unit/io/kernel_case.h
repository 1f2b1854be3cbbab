/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A leg and its peer, relayed inside the kernel: rows filled by hand, packets of its party, and what has to come
 * of them. Shares no arithmetic with the program: frames are written byte by byte, checksums made from nothing.
 */
#ifndef TEST_KERNEL_CASE_H
#define TEST_KERNEL_CASE_H

#include <stdbool.h>

#include "bpf_run.h"

#define CASE_LEG     5u
#define CASE_PEER    9u
#define CASE_SLOTS   16u
#define CASE_LINES   20u
#define CASE_ENTRY   100u  /* of CASE_PORT */
#define CASE_PORT    20000 /* of RTP; the next one is of RTCP */
#define CASE_IFINDEX 3u

/* One frame: RTP in UDP. Numbers in host order. */
struct case_frame {
	uint8_t mac_to[6], mac_from[6];
	bool tagged;
	uint16_t tag; /* priority and identifier */
	bool v6;
	uint8_t traffic_class;
	uint8_t hops;
	uint16_t identification, fragment; /* IPv4 */
	uint32_t flow;                     /* IPv6 */
	uint8_t from[16], to[16];
	uint16_t port_from, port_to;
	bool unsigned_udp; /* the UDP checksum is 0 */
	uint8_t first;     /* byte of RTP */
	uint8_t type;      /* with the marker */
	uint16_t sequence;
	uint32_t timestamp, ssrc;
	uint16_t payload_bytes; /* behind 12 bytes of RTP */
	uint16_t ip_padding;    /* behind UDP, inside IP */
	uint16_t frame_padding; /* behind IP */
};

/* Which kinds of frames come and go. */
struct case_way {
	bool in6, out6;
	uint16_t vlan_in, vlan_out;
};

struct kernel_case {
	struct bpf_run run;
	struct case_way way;
	struct case_frame in;  /* the next packet of the leg's party */
	struct case_frame out; /* and what comes of it */
};

/* Load the program and own the addresses of all ways. */
void case_open(struct kernel_case *of);
void case_close(struct kernel_case *of);

/* Fill the rows of a leg of that way: in the kernel, and amidst its stream. */
void case_fill(struct kernel_case *of, struct case_way way);

/* Write the row anew after a change of `in` and `out` addresses, ports or way. */
void case_row_write(struct kernel_case *of);

/* Its party's next packet. */
void case_next(struct kernel_case *of);

/* The bytes of a frame. */
struct bpf_frame case_frame_bytes(const struct case_frame *frame);

/* Run `in`; what is sent must be `out`. */
enum bpf_fate case_run(struct kernel_case *of);
/* Run a frame that is not sent. */
enum bpf_fate case_run_frame(struct kernel_case *of, const struct case_frame *frame);

struct kernel_row *case_row(struct kernel_case *of);
struct leg_intake *case_intake(struct kernel_case *of);
struct leg_egress *case_egress(struct kernel_case *of);

#endif
