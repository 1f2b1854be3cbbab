/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Link addresses of next hops: the calls that are not per packet.
 */
#include "hops.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "memory.h"

/* The link address lies in the low bytes of the word as in memory. */
static_assert(RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN, "hops keep link addresses in low bytes");

int
hops_init(struct hops *hops, uint32_t ip, uint8_t prefix_bits, uint32_t gateway)
{
	uint32_t mask = UINT32_MAX << (32 - prefix_bits);
	uint32_t hosts = ~mask;

	*hops = (struct hops){.network = ip & mask, .mask = mask, .gateway = gateway};
	hops->words_mask = hosts < HOPS_WORDS_MAX ? hosts : HOPS_WORDS_MAX - 1;
	hops->words = memory_map(sizeof(*hops->words) * ((size_t)hops->words_mask + 1));
	return hops->words ? 0 : -ENOMEM;
}

void
hops_destroy(struct hops *hops)
{
	memory_unmap(hops->words, sizeof(*hops->words) * ((size_t)hops->words_mask + 1));
	*hops = (struct hops){0};
}

void
hops_learn(struct hops *hops, uint32_t hop, const struct rte_ether_addr *mac)
{
	uint64_t value = 0;

	if ((hop & hops->mask) != hops->network)
		return;
	memcpy(&value, mac->addr_bytes, sizeof(mac->addr_bytes));
	atomic_store_explicit(hops_word(hops, hop), HOPS_KNOWN | hops_tag(hops, hop) | value,
			      memory_order_relaxed);
}

bool
hops_ask(struct hops *hops, uint32_t hop, uint64_t now_ns)
{
	_Atomic uint64_t *word = hops_word(hops, hop);
	uint64_t seen = atomic_load_explicit(word, memory_order_relaxed);
	/* Never 0, which stands for "never asked". */
	uint64_t now_ms = (now_ns / 1000000 + 1) & HOPS_VALUE_MASK;
	uint64_t tag = hops_tag(hops, hop);

	if ((hop & hops->mask) != hops->network)
		return false;
	if ((seen & ~HOPS_VALUE_MASK) == (HOPS_KNOWN | tag))
		return false;
	if (!(seen & HOPS_KNOWN) && (seen & HOPS_VALUE_MASK) && (seen & ~HOPS_VALUE_MASK) == tag &&
	    now_ms - (seen & HOPS_VALUE_MASK) < HOPS_ASK_MS)
		return false;
	return atomic_compare_exchange_strong_explicit(word, &seen, tag | now_ms,
						       memory_order_relaxed, memory_order_relaxed);
}

bool
hops_ask_pends(const struct hops *hops, uint32_t hop)
{
	uint64_t word = atomic_load_explicit(hops_word(hops, hop), memory_order_relaxed);

	return (word & HOPS_VALUE_MASK) && (word & ~HOPS_VALUE_MASK) == hops_tag(hops, hop);
}

uint32_t
hops_at(const struct hops *hops, uint32_t word_index)
{
	uint64_t word = atomic_load_explicit(&hops->words[word_index], memory_order_relaxed);

	if (!(word & HOPS_KNOWN))
		return 0;
	return hops->network | (uint32_t)(word >> 48 & 0x7fff) << 16 | word_index;
}
