/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The two crypto operations of a packet that goes from SRTP to SRTP, without anything around them: in this
 * process over as many keys, and by dpdk-test-crypto-perf, which has one key.
 */
#ifndef BENCH_SRTP_RAW_H
#define BENCH_SRTP_RAW_H

#include <stdbool.h>
#include <stdint.h>

/** Bytes of a packet's payload: 20 ms of G.711. */
#define SRTP_PAYLOAD_BYTES 160

/** Bytes of a packet: RTP header and payload. */
#define SRTP_RTP_BYTES (12 + SRTP_PAYLOAD_BYTES)

struct raw;

/** A crypto device of our own with two sessions for each key. */
struct raw *raw_create(bool aead, uint32_t keys);

/** Packets a second, each of a random key, in bursts of 64, for about so many packets. */
double raw_rate(struct raw *raw, uint32_t packets, uint64_t *seed);

void raw_destroy(struct raw *raw);

/** Packets a second that dpdk-test-crypto-perf can do both operations for; 0 when it cannot be run. */
double raw_perf_rate(bool aead, bool quick);

#endif
