/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the two sides of the bench of relay inside the kernel agree upon: how legs are numbered, from 0. Also for
 * BPF.
 */
#ifndef BENCH_PROGRAM_NS_H
#define BENCH_PROGRAM_NS_H

#define PROGRAM_FRAME_BYTES 214 /* a packet of 20 ms of G.711 */

/* Each local address has as many legs; the last address has the rest. */
#define PROGRAM_PORTS 60000
#define PROGRAM_PORT  2000

/* Local address of the first legs; 10.0.0.1. Address of the first leg's party; 11.0.0.0. */
#define PROGRAM_LOCAL       0x0a000001u
#define PROGRAM_SOURCE      0x0b000000u
#define PROGRAM_SOURCE_PORT 40000

/* Order of the legs: a full period for each number of legs with no other prime factors than 2 and 5. */
#define PROGRAM_FACTOR 77341u
#define PROGRAM_STEP   48611u

#endif
