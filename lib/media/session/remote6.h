/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Remote endpoints of legs that speak IPv6. The remote word (leg.h) has room for the port and a hash of
 * the address; the address itself lies in a row beside it, and a version ties them together.
 *
 *  remote word: bits 32 - 63  keyed hash of the address
 *               bits 16 - 31  UDP port of RTP, as on the wire; 0: not known
 *               bits  4 - 15  version, never 0
 *               bit 2         claimed: the row is being written
 *               bit 1         REMOTE_V6
 *               bit 0         latched
 *  row's words: bits 48 - 63  version; bits 0 - 47 a part of the address
 *
 * Who changes the endpoint claims it first, by changing the word to a version of its own; then it
 * writes the row, then it publishes the word. Control takes over a worker's claim, whose version is then out
 * of date; a worker takes over none: its packet is foreign. No claim is waited for: meanwhile nothing is
 * sent to the leg. A worker that stops within its claim keeps that one leg from latching until it goes
 * on, or until control gives the leg another remote endpoint.
 *
 * Invariants. R-I1: a row's word of version v is written by who has claimed version v: it compares and
 * swaps from a value that was there while its claim was valid. So who lost its claim, however late it
 * goes on, overwrites nothing of a later version. R-I2: a published word of version v is published
 * after all words of the row have version v. A version comes again after 4,095 changes of one leg.
 *
 *  label  where                  order    pairs with  without it
 *  R1     word: published        release  R2          a row of the version before is taken for none
 *  R2     (the users') word: read  acquire  R1        same
 *  R3     row: written           release  R4          who lost its claim does not see so
 *  R4     row: read to write     acquire  R3          same
 *  R5     word: claimed          acquire  R1          -
 */
#ifndef STW_MEDIA_REMOTE6_H
#define STW_MEDIA_REMOTE6_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "leg.h"
#include "media/ip6.h"

#define REMOTE_CLAIMED UINT64_C(4)

#define REMOTE_VERSION_SHIFT 4
#define REMOTE_VERSION_MASK  UINT64_C(0xfff)

/** Addresses of a leg that speaks IPv6. */
struct leg_remote6 {
	_Atomic uint64_t words[3]; /**< the row */
	struct ip6 configured;     /**< control only */
};

/** Remote word without version, not latched: of a packet's source, or of a description. */
static inline uint64_t
remote6_word(const struct ip6 *ip, rte_be16_t port, uint64_t key)
{
	return ip6_hash(ip, key) >> 32 << 32 | (uint64_t)port << 16 | REMOTE_V6;
}

/**
 * Read the address that belongs to a remote word.
 *
 * @param word  read with acquire (R2), or from a packet's time before
 * @param ip    set on success only
 * @return true; false when none is known, or the word is out of date
 *
 * Threads: any. Progress: wait-free (bound 1).
 */
bool remote6_read(const struct leg_remote6 *row, uint64_t word, struct ip6 *ip);

/**
 * Latch a source.
 *
 * @param remote  the leg's remote word
 * @param seen    as it was when the packet was judged
 * @param source  word of the source
 * @return true when the source is latched now; false when somebody else was first
 *
 * Threads: workers. Progress: wait-free (bound: a try for each other worker).
 */
bool remote6_latch(struct leg_remote6 *row, _Atomic uint64_t *remote, uint64_t seen,
		   uint64_t source, const struct ip6 *ip);

/**
 * Set the endpoint as configured, not latched.
 *
 * @param word  of the endpoint (remote6_word); its port is 0 when there is none
 *
 * Threads: control, under the mutex. Progress: wait-free (bound: some tries for each worker).
 * Order: what was written before is seen by who reads the new word with acquire.
 */
void remote6_set(struct leg_remote6 *row, _Atomic uint64_t *remote, uint64_t word,
		 const struct ip6 *ip);

#endif
