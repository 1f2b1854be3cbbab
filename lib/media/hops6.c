/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Link addresses of next hops of IPv6. The order table is in hops6.h.
 */
#include "hops6.h"

#include <errno.h>

#include "base/base.h"
#include "hops.h"
#include "memory.h"

#define SERIAL_SHIFT 48
#define KNOWN_FLAG   (UINT64_C(1) << 32)

/* The table is cut into words in the order of memory. */
static_assert(RTE_BYTE_ORDER == RTE_LITTLE_ENDIAN, "link addresses lie in low bytes");

/** What an entry says. */
struct hop_state {
	struct ip6 hop;
	uint64_t value; /**< link address, or milliseconds */
	bool known;
};

int
hops6_init(struct hops6 *hops, const struct ip6 *ip, uint8_t prefix_bits, const struct ip6 *gateway,
	   uint64_t key)
{
	*hops = (struct hops6){
		.network = *ip, .mask = ip6_mask(prefix_bits), .gateway = *gateway, .key = key};
	hops->entries = memory_map(sizeof(*hops->entries) * HOPS6_ENTRIES);
	return hops->entries ? 0 : -ENOMEM;
}

void
hops6_destroy(struct hops6 *hops)
{
	memory_unmap(hops->entries, sizeof(*hops->entries) * HOPS6_ENTRIES);
	*hops = (struct hops6){0};
}

static bool
is_on_link(const struct hops6 *hops, const struct ip6 *ip)
{
	return ip6_is_near(ip, &hops->network, &hops->mask) || ip6_is_link_local(ip);
}

const struct ip6 *
hops6_next(const struct hops6 *hops, const struct ip6 *ip)
{
	if (is_on_link(hops, ip))
		return ip;
	return hops->gateway.words[0] | hops->gateway.words[1] ? &hops->gateway : NULL;
}

static uint32_t
bucket_of(const struct hops6 *hops, const struct ip6 *hop)
{
	if (ip6_is(hop, &hops->gateway))
		return HOPS6_BUCKETS * HOPS6_PLACES;
	return (uint32_t)(ip6_hash(hop, hops->key) % HOPS6_BUCKETS) * HOPS6_PLACES;
}

/** Read an entry; false when it is empty, or being written. */
static bool
entry_read(const struct hops6_entry *entry, struct hop_state *state)
{
	/* H2, pairs with H1: the other words are of this serial, or of a later one. */
	uint64_t first = atomic_load_explicit(&entry->words[0], memory_order_acquire);
	uint64_t second = atomic_load_explicit(&entry->words[1], memory_order_relaxed);
	uint64_t third = atomic_load_explicit(&entry->words[2], memory_order_relaxed);
	uint64_t fourth = atomic_load_explicit(&entry->words[3], memory_order_relaxed);
	uint64_t serial = first >> SERIAL_SHIFT;

	if (serial == 0 || serial & 1 || second >> SERIAL_SHIFT != serial ||
	    third >> SERIAL_SHIFT != serial || fourth >> SERIAL_SHIFT != serial)
		return false;
	state->value = first & HOPS_VALUE_MASK;
	state->hop.words[0] = (second & HOPS_VALUE_MASK) | third << 48;
	state->hop.words[1] = (third >> 16 & UINT32_MAX) | fourth << 32;
	state->known = (fourth & KNOWN_FLAG) != 0;
	return true;
}

/** Write an entry; false when somebody else does. */
static bool
entry_write(struct hops6_entry *entry, const struct hop_state *state)
{
	uint64_t first = atomic_load_explicit(&entry->words[0], memory_order_relaxed);
	uint64_t serial = first >> SERIAL_SHIFT;
	uint64_t known = state->known ? KNOWN_FLAG : 0, tag;

	if (serial & 1)
		return false;
	/* H3, pairs with H1: the writes of who had it before are over. */
	if (!atomic_compare_exchange_strong_explicit(&entry->words[0], &first,
						     first + (UINT64_C(1) << SERIAL_SHIFT),
						     memory_order_acquire, memory_order_relaxed))
		return false;
	serial = (serial + 2) & 0xffff;
	tag = (serial ? serial : 2) << SERIAL_SHIFT;
	atomic_store_explicit(&entry->words[1], tag | (state->hop.words[0] & HOPS_VALUE_MASK),
			      memory_order_relaxed);
	atomic_store_explicit(&entry->words[2],
			      tag | state->hop.words[0] >> 48 |
				      (state->hop.words[1] & UINT32_MAX) << 16,
			      memory_order_relaxed);
	atomic_store_explicit(&entry->words[3], tag | known | state->hop.words[1] >> 32,
			      memory_order_relaxed);
	/* H1, pairs with H2: who sees this serial here sees it, or a later one, in the others. */
	atomic_store_explicit(&entry->words[0], tag | (state->value & HOPS_VALUE_MASK),
			      memory_order_release);
	return true;
}

/** Find the entry of a hop, a known one first; HOPS6_ENTRIES when there is none. */
static uint32_t
entry_find(const struct hops6 *hops, const struct ip6 *hop, struct hop_state *state)
{
	uint32_t bucket = bucket_of(hops, hop), found = HOPS6_ENTRIES;

	for (uint32_t i = bucket; i < bucket + HOPS6_PLACES; i++) {
		struct hop_state seen;

		if (!entry_read(&hops->entries[i], &seen) || !ip6_is(&seen.hop, hop))
			continue;
		if (found < HOPS6_ENTRIES && !seen.known)
			continue;
		*state = seen;
		found = i;
		if (seen.known)
			break;
	}
	return found;
}

/**
 * Choose the entry that a new hop gets: an empty one, else the unknown one asked for the longest time
 * ago, else any.
 */
static uint32_t
entry_choose(const struct hops6 *hops, const struct ip6 *hop)
{
	uint32_t bucket = bucket_of(hops, hop);
	uint32_t chosen = bucket + (uint32_t)(ip6_hash(hop, hops->key) >> 32) % HOPS6_PLACES;
	uint64_t oldest_ms = UINT64_MAX;

	for (uint32_t i = bucket; i < bucket + HOPS6_PLACES; i++) {
		struct hop_state seen;

		if (atomic_load_explicit(&hops->entries[i].words[0], memory_order_relaxed) == 0)
			return i;
		if (entry_read(&hops->entries[i], &seen) && !seen.known && seen.value < oldest_ms) {
			oldest_ms = seen.value;
			chosen = i;
		}
	}
	return chosen;
}

uint64_t
hops6_find_word(const struct hops6 *hops, const struct ip6 *hop)
{
	struct hop_state state;

	if (entry_find(hops, hop, &state) == HOPS6_ENTRIES || !state.known)
		return 0;
	/* Never 0, whatever the link address is. */
	return state.value | HOPS_KNOWN;
}

void
hops6_learn(struct hops6 *hops, const struct ip6 *hop, const struct rte_ether_addr *mac)
{
	struct hop_state learnt = {.hop = *hop, .known = true}, seen;
	uint32_t bucket = bucket_of(hops, hop);
	bool there = false;

	if (!is_on_link(hops, hop) && !ip6_is(hop, &hops->gateway))
		return;
	memcpy(&learnt.value, mac->addr_bytes, sizeof(mac->addr_bytes));
	/* Two threads may have made two entries: all of them get it. */
	for (uint32_t i = bucket; i < bucket + HOPS6_PLACES; i++) {
		if (!entry_read(&hops->entries[i], &seen) || !ip6_is(&seen.hop, hop))
			continue;
		there = true;
		if (!seen.known || seen.value != learnt.value)
			entry_write(&hops->entries[i], &learnt);
	}
	if (!there)
		entry_write(&hops->entries[entry_choose(hops, hop)], &learnt);
}

bool
hops6_ask(struct hops6 *hops, const struct ip6 *hop, uint64_t now_ns, uint32_t *entry)
{
	struct hop_state state, asked = {.hop = *hop};
	uint32_t found = entry_find(hops, hop, &state);

	asked.value = now_ns / 1000000 & HOPS_VALUE_MASK;
	if (found == HOPS6_ENTRIES)
		found = entry_choose(hops, hop);
	else if (state.known || asked.value - state.value < HOPS_ASK_MS)
		return false;
	if (!entry_write(&hops->entries[found], &asked))
		return false;
	*entry = found;
	return true;
}

bool
hops6_ask_pends(const struct hops6 *hops, const struct ip6 *hop)
{
	struct hop_state state;

	return entry_find(hops, hop, &state) < HOPS6_ENTRIES && !state.known;
}

enum hops6_kind
hops6_at(const struct hops6 *hops, uint32_t entry, struct ip6 *hop)
{
	struct hop_state state;

	if (!entry_read(&hops->entries[entry], &state))
		return HOPS6_NONE;
	*hop = state.hop;
	return state.known ? HOPS6_KNOWN : HOPS6_ASKED;
}
