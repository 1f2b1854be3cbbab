/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * IPv6 addresses as the packet plane has them: two words, as they lie in a packet.
 */
#ifndef STW_MEDIA_IP6_H
#define STW_MEDIA_IP6_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>

/** Bytes of an address. */
#define IP6_BYTES 16

/** An address. */
struct ip6 {
	uint64_t words[2];
};

static inline struct ip6
ip6_read(const void *bytes)
{
	struct ip6 ip;

	memcpy(&ip, bytes, sizeof(ip));
	return ip;
}

static inline bool
ip6_is(const struct ip6 *one, const struct ip6 *other)
{
	return ((one->words[0] ^ other->words[0]) | (one->words[1] ^ other->words[1])) == 0;
}

/** Internet sum of an address, not folded. */
static inline uint64_t
ip6_sum(const struct ip6 *ip)
{
	return (ip->words[0] & UINT32_MAX) + (ip->words[0] >> 32) + (ip->words[1] & UINT32_MAX) +
	       (ip->words[1] >> 32);
}

/** Mix the bits of a word. Source: Steele, Lea, Flood: Fast splittable pseudorandom number generators. */
static inline uint64_t
ip6_mix(uint64_t word)
{
	word = (word ^ word >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	word = (word ^ word >> 27) * UINT64_C(0x94d049bb133111eb);
	return word ^ word >> 31;
}

/**
 * Hash of an address, of which every bit may be used. The key is random, so nobody outside can choose
 * addresses that meet in one place.
 */
static inline uint64_t
ip6_hash(const struct ip6 *ip, uint64_t key)
{
	return ip6_mix(ip6_mix(ip->words[0] ^ key) ^ ip->words[1]);
}

/** True for fe80::/10. Source: RFC 4291 2.5.6. */
static inline bool
ip6_is_link_local(const struct ip6 *ip)
{
	return (ip->words[0] & RTE_BE64(UINT64_C(0xffc0) << 48)) ==
	       RTE_BE64(UINT64_C(0xfe80) << 48);
}

/**
 * True for what a host can have: not multicast, unspecified, loopback, IPv4-mapped or
 * IPv4-compatible. Source: RFC 4291 2.5.2, 2.5.3, 2.5.5, 2.7.
 */
static inline bool
ip6_can_be_a_party(const struct ip6 *ip)
{
	uint64_t third = ip->words[1] & RTE_BE64(UINT64_C(0xffffffff) << 32);

	if ((ip->words[0] & RTE_BE64(UINT64_C(0xff) << 56)) == RTE_BE64(UINT64_C(0xff) << 56))
		return false;
	return ip->words[0] != 0 || (third != 0 && third != RTE_BE64(UINT64_C(0x0000ffff) << 32));
}

/** The mask of a prefix, 1 to 128 bits. */
static inline struct ip6
ip6_mask(uint8_t prefix_bits)
{
	struct ip6 mask = {{UINT64_MAX, 0}};

	if (prefix_bits < 64)
		mask.words[0] = rte_cpu_to_be_64(UINT64_MAX << (64 - prefix_bits));
	else if (prefix_bits > 64)
		mask.words[1] = rte_cpu_to_be_64(UINT64_MAX << (128 - prefix_bits));
	return mask;
}

/** True when both addresses are of one network. */
static inline bool
ip6_is_near(const struct ip6 *one, const struct ip6 *other, const struct ip6 *mask)
{
	return (((one->words[0] ^ other->words[0]) & mask->words[0]) |
		((one->words[1] ^ other->words[1]) & mask->words[1])) == 0;
}

#endif
