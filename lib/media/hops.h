/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Link addresses of next hops, for one local address. The host part of the next hop's IP address
 * indexes a flat table of words, so a packet costs one memory access and nobody ever inserts:
 * a word holds the link address, or when it was last asked for.
 *
 *  word: bit 63        the link address is known
 *        bits 48 - 62  high bits of the host part (networks above 65,536 hosts share words: the
 *                      last one learnt wins, the other is asked for again)
 *        bits 0 - 47   link address; while unknown: when it was asked for, milliseconds
 *
 * Any thread reads and writes; each word stands for itself, so every access is relaxed.
 */
#ifndef STW_MEDIA_HOPS_H
#define STW_MEDIA_HOPS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_byteorder.h>
#include <rte_ether.h>

/** Most words of a table. */
#define HOPS_WORDS_MAX 65536

/** Milliseconds between two questions for one link address. */
#define HOPS_ASK_MS 100

#define HOPS_KNOWN      (UINT64_C(1) << 63)
#define HOPS_VALUE_MASK ((UINT64_C(1) << 48) - 1)

/** Next hops of one local address. IP addresses in host order. */
struct hops {
	uint32_t network;        /**< local network */
	uint32_t mask;           /**< its mask */
	uint32_t gateway;        /**< next hop of all others; 0: none */
	uint32_t words_mask;     /**< words less one */
	_Atomic uint64_t *words; /**< by the host part */
};

/** Make the table, all unknown. 0 or -ENOMEM. Threads: one. */
int hops_init(struct hops *hops, uint32_t ip, uint8_t prefix_bits, uint32_t gateway);

/** Free the memory. Threads: one, the last. */
void hops_destroy(struct hops *hops);

/** Next hop on the way to ip; 0 when there is none. */
static inline uint32_t
hops_next(const struct hops *hops, uint32_t ip)
{
	return (ip & hops->mask) == hops->network ? ip : hops->gateway;
}

static inline uint64_t
hops_tag(const struct hops *hops, uint32_t hop)
{
	return (uint64_t)((hop & ~hops->mask) >> 16) << 48;
}

static inline _Atomic uint64_t *
hops_word(const struct hops *hops, uint32_t hop)
{
	return &hops->words[hop & ~hops->mask & hops->words_mask];
}

/** Link address of a next hop in the first 6 bytes of a word; 0 when it is not known. */
static inline uint64_t
hops_find_word(const struct hops *hops, uint32_t hop)
{
	uint64_t word = atomic_load_explicit(hops_word(hops, hop), memory_order_relaxed);

	return word >> 48 == (HOPS_KNOWN | hops_tag(hops, hop)) >> 48 ? word : 0;
}

/** Find the link address of a next hop; false when it is not known. */
static inline bool
hops_find(const struct hops *hops, uint32_t hop, struct rte_ether_addr *mac)
{
	uint64_t word = hops_find_word(hops, hop);

	__builtin_memcpy(mac->addr_bytes, &word, sizeof(mac->addr_bytes));
	return word != 0;
}

/** Note a link address. Threads: any. Progress: wait-free (bound 1). */
void hops_learn(struct hops *hops, uint32_t hop, const struct rte_ether_addr *mac);

/**
 * Say whether the link address is to be asked for now: it is unknown, and was not asked for in the
 * last HOPS_ASK_MS. Of several callers at one time one gets true.
 *
 * Threads: any. Progress: wait-free (bound 1). Order: none.
 */
bool hops_ask(struct hops *hops, uint32_t hop, uint64_t now_ns);

/** True while the last question of all that share the word was for this next hop. */
bool hops_ask_pends(const struct hops *hops, uint32_t hop);

/** Next hop that a known word stands for, or 0: for whoever refreshes them. */
uint32_t hops_at(const struct hops *hops, uint32_t word_index);

#endif
