/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Remote endpoints of legs that speak IPv6. The order table is in remote6.h.
 */
#include "remote6.h"

#include <strowger/media.h>

#include "base/base.h"

#define PART_BITS 48
#define PART_MASK ((UINT64_C(1) << PART_BITS) - 1)

/** Tries to write a word: one more than there are workers that may be late. */
#define WRITE_TRIES (STW_MEDIA_WORKERS_MAX + 1)

static uint64_t
version_of(uint64_t word)
{
	return word >> REMOTE_VERSION_SHIFT & REMOTE_VERSION_MASK;
}

static uint64_t
version_after(uint64_t word)
{
	uint64_t version = (version_of(word) + 1) & REMOTE_VERSION_MASK;

	return version ? version : 1;
}

bool
remote6_read(const struct leg_remote6 *row, uint64_t word, struct ip6 *ip)
{
	uint64_t version = version_of(word), parts[3];

	if (leg_remote_port(word) == 0 || word & REMOTE_CLAIMED)
		return false;
	for (unsigned i = 0; i < STW_ARRAY_COUNT(parts); i++) {
		parts[i] = atomic_load_explicit(&row->words[i], memory_order_relaxed);
		if (parts[i] >> PART_BITS != version)
			return false;
	}
	ip->words[0] = (parts[0] & PART_MASK) | parts[1] << PART_BITS;
	ip->words[1] = (parts[1] >> 16 & UINT32_MAX) | parts[2] << 32;
	return true;
}

/** Write a word of the row while the claim holds; false when it was lost. */
static bool
part_write(_Atomic uint64_t *part, const _Atomic uint64_t *remote, uint64_t claimed, uint64_t value)
{
	for (unsigned try = 0; try < WRITE_TRIES; try++) {
		/* R4, pairs with R3: who wrote this value with a later claim made it before. */
		uint64_t before = atomic_load_explicit(part, memory_order_acquire);

		if (atomic_load_explicit(remote, memory_order_relaxed) != claimed)
			return false;
		/* R3, pairs with R4: and who finds our value finds our claim. */
		if (atomic_compare_exchange_strong_explicit(
			    part, &before, version_of(claimed) << PART_BITS | value,
			    memory_order_release, memory_order_relaxed))
			return true;
	}
	return false;
}

static bool
row_write(struct leg_remote6 *row, const _Atomic uint64_t *remote, uint64_t claimed,
	  const struct ip6 *ip)
{
	return part_write(&row->words[0], remote, claimed, ip->words[0] & PART_MASK) &&
	       part_write(&row->words[1], remote, claimed,
			  ip->words[0] >> PART_BITS | (ip->words[1] & UINT32_MAX) << 16) &&
	       part_write(&row->words[2], remote, claimed, ip->words[1] >> 32);
}

bool
remote6_latch(struct leg_remote6 *row, _Atomic uint64_t *remote, uint64_t seen, uint64_t source,
	      const struct ip6 *ip)
{
	uint64_t version = version_after(seen), claimed;
	struct ip6 known;

	if (seen & REMOTE_CLAIMED)
		return false;
	if (leg_remote_port(seen) == leg_remote_port(source) && remote6_read(row, seen, &known) &&
	    ip6_is(&known, ip))
		/* The endpoint as configured: the row stays. */
		return atomic_compare_exchange_strong_explicit(remote, &seen, seen | LEG_LATCHED,
							       memory_order_relaxed,
							       memory_order_relaxed);
	claimed = version << REMOTE_VERSION_SHIFT | REMOTE_V6 | REMOTE_CLAIMED;
	/* R5, pairs with R1: the row is of that version, or of a later claim. */
	if (!atomic_compare_exchange_strong_explicit(remote, &seen, claimed, memory_order_acquire,
						     memory_order_relaxed))
		return false;
	if (!row_write(row, remote, claimed, ip))
		return false;
	/* R1, pairs with R2: who finds the word finds the row. */
	return atomic_compare_exchange_strong_explicit(
		remote, &claimed, source | version << REMOTE_VERSION_SHIFT | LEG_LATCHED,
		memory_order_release, memory_order_relaxed);
}

void
remote6_set(struct leg_remote6 *row, _Atomic uint64_t *remote, uint64_t word, const struct ip6 *ip)
{
	uint64_t seen = atomic_load_explicit(remote, memory_order_relaxed), claimed;

	/* Each failure is a worker's step, and a worker whose claim is lost makes no more. */
	do {
		claimed = version_after(seen) << REMOTE_VERSION_SHIFT | REMOTE_V6 | REMOTE_CLAIMED;
		/* R5, pairs with R1. */
	} while (!atomic_compare_exchange_weak_explicit(
		remote, &seen, claimed, memory_order_acquire, memory_order_relaxed));
	row_write(row, remote, claimed, ip);
	/* R1, pairs with R2: who finds the word finds the row, and what control wrote before. */
	atomic_store_explicit(remote,
			      (claimed & REMOTE_VERSION_MASK << REMOTE_VERSION_SHIFT) | word,
			      memory_order_release);
}
