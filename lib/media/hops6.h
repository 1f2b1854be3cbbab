/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Link addresses of next hops of one local IPv6 address. A network of IPv6 has too many hosts for a
 * table by their numbers (hops.h), so this one is hashed: buckets of four entries, each with the whole
 * address of its hop. The gateway has a bucket of its own, so that nobody on the link can push it out.
 *
 * An entry is four words, each with the serial of the write that it is of:
 *
 *  each word: bits 48 - 63  serial: even when written, odd while it is being written; 0: empty
 *  word 0:    bits 0 - 47   link address; while unknown: when it was asked for, milliseconds
 *  word 1, 2: bits 0 - 47   the hop's address, first 12 bytes
 *  word 3:    bits 0 - 31   the rest of it; bit 32: the link address is known
 *
 * Invariants. I1: who writes an entry has changed its first word from an even serial to an odd one, and
 * nobody else writes it until that word is even again. I2: four words with one even serial were written
 * together (a serial comes again after 32,767 writes of one entry).
 *
 * Any thread reads and writes. A reader that meets a write takes the entry for unknown; a writer that meets
 * one leaves it: the hop is asked for again later. Nobody waits. A writer that stops in the middle
 * makes its one entry useless; a bucket has others.
 *
 *  label  where                      order    pairs with  without it
 *  H1     write: word 0, at the end  release  H2          words of one serial are taken for whole too early
 *  H2     read: word 0               acquire  H1          same
 *  H3     write: word 0, claimed     acquire  H1          -
 */
#ifndef STW_MEDIA_HOPS6_H
#define STW_MEDIA_HOPS6_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>

#include "ip6.h"

/** Buckets beside the gateway's; a power of 2. */
#define HOPS6_BUCKETS 1024

/** Entries of a bucket. */
#define HOPS6_PLACES 4

/** All entries, those of the gateway's bucket last. */
#define HOPS6_ENTRIES ((HOPS6_BUCKETS + 1) * HOPS6_PLACES)

struct hops6_entry {
	_Atomic uint64_t words[4];
};

/** Next hops of one local address. */
struct hops6 {
	struct ip6 network; /**< an address of the local network */
	struct ip6 mask;    /**< its mask */
	struct ip6 gateway; /**< next hop of all others; 0: none */
	uint64_t key;       /**< of the hash */
	struct hops6_entry *entries;
};

/** Make the table, all unknown. 0 or -ENOMEM. Threads: one. */
int hops6_init(struct hops6 *hops, const struct ip6 *ip, uint8_t prefix_bits,
	       const struct ip6 *gateway, uint64_t key);

/** Free the memory. Threads: one, the last. */
void hops6_destroy(struct hops6 *hops);

/** Next hop on the way to ip, ip itself on the link; NULL when there is none. */
const struct ip6 *hops6_next(const struct hops6 *hops, const struct ip6 *ip);

/**
 * Link address of a next hop in the first 6 bytes of a word; 0 when it is not known.
 *
 * Threads: any. Progress: wait-free (bound HOPS6_PLACES). Order: none.
 */
uint64_t hops6_find_word(const struct hops6 *hops, const struct ip6 *hop);

/** Note a link address. Threads: any. Progress: wait-free (bound HOPS6_PLACES). Order: none. */
void hops6_learn(struct hops6 *hops, const struct ip6 *hop, const struct rte_ether_addr *mac);

/**
 * Say whether the link address is to be asked for now: it is unknown, and was not asked for in the
 * last HOPS_ASK_MS. Of several callers at one time at least one gets true.
 *
 * @param entry  set on true only: where hops6_at finds the hop
 *
 * Threads: any. Progress: wait-free (bound HOPS6_PLACES). Order: none.
 */
bool hops6_ask(struct hops6 *hops, const struct ip6 *hop, uint64_t now_ns, uint32_t *entry);

/** True while a question for this hop is without an answer. Threads: any. */
bool hops6_ask_pends(const struct hops6 *hops, const struct ip6 *hop);

/** What an entry is about. */
enum hops6_kind {
	HOPS6_NONE,  /**< nothing, or it is being written */
	HOPS6_ASKED, /**< an unknown hop */
	HOPS6_KNOWN, /**< a known one */
};

/** Hop of an entry, 0 to HOPS6_ENTRIES - 1; untouched for HOPS6_NONE. Threads: any. */
enum hops6_kind hops6_at(const struct hops6 *hops, uint32_t entry, struct ip6 *hop);

#endif
