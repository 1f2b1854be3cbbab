/* SPDX-License-Identifier: BSD-3-Clause */
/* Next hops of IPv6: who is on the link, who is behind the gateway, who is asked for. */
#include <criterion/criterion.h>

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include <strowger/address.h>

#include "media/hops.h"
#include "media/hops6.h"
#include "support/stepper.h"

#define MS     UINT64_C(1000000)
#define ROUNDS 20000

static const struct rte_ether_addr mac_one = {{2, 1, 2, 3, 4, 5}};
static const struct rte_ether_addr mac_two = {{0xfe, 0xff, 0xff, 0xff, 0xff, 0xff}};

static struct hops6 hops;

static struct ip6
ip_of(const char *text)
{
	struct stw_ip ip;

	cr_assert_eq(stw_ip_parse(text, &ip), 0);
	return ip6_read(ip.bytes);
}

static void
open_hops(void)
{
	struct ip6 own = ip_of("2001:db8::1"), gateway = ip_of("fe80::1");

	cr_assert_eq(hops6_init(&hops, &own, 64, &gateway, 4711), 0);
}

static void
close_hops(void)
{
	hops6_destroy(&hops);
}

TestSuite(hops6, .init = open_hops, .fini = close_hops);

static bool
is(const struct ip6 *hop, const struct rte_ether_addr *mac)
{
	uint64_t word = hops6_find_word(&hops, hop);

	return word && memcmp(&word, mac, sizeof(*mac)) == 0;
}

Test(hops6, gateway_is_the_next_hop_of_all_that_is_not_on_the_link)
{
	struct ip6 near = ip_of("2001:db8::ffff:1:2"), far = ip_of("2001:db8:0:1::2");
	struct ip6 local = ip_of("febf::7"), gateway = ip_of("fe80::1"), own, none = {{0, 0}};

	cr_assert_eq(hops6_next(&hops, &near), &near);
	cr_assert_eq(hops6_next(&hops, &local), &local);
	cr_assert(ip6_is(hops6_next(&hops, &far), &gateway));
	hops6_destroy(&hops);
	own = ip_of("2001:db8::1");
	cr_assert_eq(hops6_init(&hops, &own, 64, &none, 1), 0);
	cr_assert_null(hops6_next(&hops, &far));
}

Test(hops6, prefix_of_any_length_is_the_link)
{
	struct ip6 own = ip_of("2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff"), none = {{0, 0}};

	for (unsigned bits = 1; bits <= 128; bits++) {
		struct stw_ip text;
		struct ip6 other;

		hops6_destroy(&hops);
		cr_assert_eq(hops6_init(&hops, &own, (uint8_t)bits, &none, 1), 0);
		for (unsigned bit = 0; bit < 128; bit++) {
			memcpy(text.bytes, &own, 16);
			text.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
			other = ip6_read(text.bytes);
			cr_assert_eq(hops6_next(&hops, &other) != NULL, bit >= bits, "%u of %u",
				     bit, bits);
		}
	}
}

Test(hops6, learnt_address_is_found_for_its_hop_only)
{
	struct ip6 one = ip_of("2001:db8::7"), two = ip_of("2001:db8::8");
	struct ip6 far = ip_of("2001:db8:9::8");

	cr_assert_eq(hops6_find_word(&hops, &one), 0);
	hops6_learn(&hops, &one, &mac_one);
	cr_assert(is(&one, &mac_one));
	cr_assert_eq(hops6_find_word(&hops, &two), 0);
	hops6_learn(&hops, &one, &mac_two);
	cr_assert(is(&one, &mac_two));
	hops6_learn(&hops, &far, &mac_one);
	cr_assert_eq(hops6_find_word(&hops, &far), 0, "not of this network");
}

Test(hops6, many_are_known_at_once_and_none_is_taken_for_another)
{
	struct rte_ether_addr mac = mac_one;
	struct ip6 hop = ip_of("2001:db8::");
	unsigned known = 0;

	for (uint32_t i = 1; i <= HOPS6_ENTRIES; i++) {
		hop.words[1] = rte_cpu_to_be_64(i);
		memcpy(mac.addr_bytes + 2, &i, sizeof(i));
		hops6_learn(&hops, &hop, &mac);
		cr_assert(is(&hop, &mac));
	}
	for (uint32_t i = 1; i <= HOPS6_ENTRIES; i++) {
		hop.words[1] = rte_cpu_to_be_64(i);
		memcpy(mac.addr_bytes + 2, &i, sizeof(i));
		if (!hops6_find_word(&hops, &hop))
			continue;
		cr_assert(is(&hop, &mac));
		known++;
	}
	cr_assert_gt(known, HOPS6_ENTRIES / 2);
}

Test(hops6, gateway_is_not_pushed_out)
{
	struct ip6 gateway = ip_of("fe80::1"), hop = ip_of("2001:db8::");

	hops6_learn(&hops, &gateway, &mac_one);
	for (uint32_t i = 1; i <= 8 * HOPS6_ENTRIES; i++) {
		hop.words[1] = rte_cpu_to_be_64(i);
		hops6_learn(&hops, &hop, &mac_two);
	}
	cr_assert(is(&gateway, &mac_one));
}

Test(hops6, unknown_one_is_asked_for_at_most_each_100_ms)
{
	struct ip6 hop = ip_of("2001:db8::9"), other = ip_of("2001:db8::a"), found;
	uint32_t entry;

	cr_assert(!hops6_ask_pends(&hops, &hop));
	cr_assert(hops6_ask(&hops, &hop, 0, &entry), "at time 0, too");
	cr_assert_eq(hops6_at(&hops, entry, &found), HOPS6_ASKED);
	cr_assert(ip6_is(&found, &hop));
	cr_assert(hops6_ask_pends(&hops, &hop));
	cr_assert(!hops6_ask(&hops, &hop, 0, &entry));
	cr_assert(!hops6_ask(&hops, &hop, 99 * MS, &entry));
	cr_assert(hops6_ask(&hops, &hop, 100 * MS, &entry));
	cr_assert(hops6_ask(&hops, &other, 100 * MS, &entry), "each for itself");
	hops6_learn(&hops, &hop, &mac_one);
	cr_assert(is(&hop, &mac_one));
	cr_assert(!hops6_ask(&hops, &hop, 1000 * MS, &entry));
	cr_assert(!hops6_ask_pends(&hops, &hop));
}

Test(hops6, question_takes_the_place_of_the_oldest_question_of_its_bucket)
{
	struct ip6 hop = ip_of("2001:db8::"), asked[HOPS6_PLACES + 1];
	uint32_t entry, first = HOPS6_ENTRIES, count = 0;

	for (uint64_t i = 1; count <= HOPS6_PLACES; i++) {
		hop.words[1] = rte_cpu_to_be_64(i);
		if (ip6_hash(&hop, hops.key) % HOPS6_BUCKETS != 5)
			continue;
		cr_assert(hops6_ask(&hops, &hop, count * MS, &entry));
		if (count == 0)
			first = entry;
		asked[count++] = hop;
	}
	cr_assert_eq(entry, first);
	cr_assert(!hops6_ask_pends(&hops, &asked[0]));
	for (unsigned i = 1; i <= HOPS6_PLACES; i++)
		cr_assert(hops6_ask_pends(&hops, &asked[i]));
}

/* Two hops that share the one place of a bucket that is free. */
static struct ip6 hop_one, hop_two;
static bool mixed_seen;

static bool
is_mixed(void)
{
	uint64_t one = hops6_find_word(&hops, &hop_one), two = hops6_find_word(&hops, &hop_two);

	return (one && memcmp(&one, &mac_one, 6) != 0) || (two && memcmp(&two, &mac_two, 6) != 0);
}

static uint32_t
other_learns(void)
{
	mixed_seen |= is_mixed();
	hops6_learn(&hops, &hop_two, &mac_two);
	mixed_seen |= is_mixed();
	return 0;
}

Test(hops6, write_stopped_anywhere_mixes_with_nothing)
{
	struct ip6 hop = ip_of("2001:db8::");
	uint32_t at = 1, found = 0, entry;
	struct ip6 full[HOPS6_PLACES + 1];

	if (!stepper_install(other_learns))
		cr_skip_test("no single steps here");
	for (uint64_t i = 1; found <= HOPS6_PLACES; i++) {
		hop.words[1] = rte_cpu_to_be_64(i);
		if (ip6_hash(&hop, hops.key) % HOPS6_BUCKETS == 5)
			full[found++] = hop;
	}
	hop_one = full[0];
	hop_two = full[1];
	for (;; at++) {
		memset(&hops.entries[5 * HOPS6_PLACES], 0, sizeof(*hops.entries) * HOPS6_PLACES);
		/* Three places have known hops; the last has a question, which goes first. */
		for (unsigned i = 2; i <= HOPS6_PLACES; i++)
			hops6_learn(&hops, &full[i], &mac_one);
		hops6_ask(&hops, &hop_two, 0, &entry);
		stepper_start(at);
		hops6_learn(&hops, &hop_one, &mac_one);
		if (stepper_stop() != 0)
			break;
		cr_assert(!mixed_seen, "stopped after %u", at);
		cr_assert(!is_mixed(), "stopped after %u", at);
	}
	cr_assert_gt(at, 20);
}

static uint32_t
two_replaces_one(void)
{
	hops6_learn(&hops, &hop_two, &mac_two);
	return 0;
}

/* Other hops of the bucket. */
static struct ip6 fillers[HOPS6_PLACES - 1];

/* Look for a hop, stopped after so many instructions, while hop two takes the place of hop one. */
static bool
find_stopped(uint32_t instructions, const struct ip6 *hop, uint64_t *word)
{
	memset(&hops.entries[5 * HOPS6_PLACES], 0, sizeof(*hops.entries) * HOPS6_PLACES);
	hops6_learn(&hops, &hop_one, &mac_one);
	for (unsigned i = 0; i < HOPS6_PLACES - 1; i++)
		hops6_learn(&hops, &fillers[i], &mac_one);
	stepper_start(instructions);
	*word = hops6_find_word(&hops, hop);
	return stepper_stop() == 0;
}

Test(hops6, read_stopped_anywhere_mixes_no_two_writes)
{
	struct ip6 hop = ip_of("2001:db8::");
	bool have_two = false;
	unsigned found = 0;

	if (!stepper_install(two_replaces_one))
		cr_skip_test("no single steps here");
	for (uint64_t i = 1; !have_two; i++) {
		uint64_t hash;

		hop.words[1] = rte_cpu_to_be_64(i);
		hash = ip6_hash(&hop, hops.key);
		if (hash % HOPS6_BUCKETS != 5)
			continue;
		if (found < HOPS6_PLACES - 1)
			fillers[found] = hop;
		else if (found == HOPS6_PLACES - 1)
			hop_one = hop;
		else if ((hash >> 32) % HOPS6_PLACES == 0)
			have_two = true;
		hop_two = hop;
		found++;
	}
	for (uint32_t at = 1;; at++) {
		uint64_t one, two;
		bool stopped = find_stopped(at, &hop_one, &one);

		cr_assert(!one || memcmp(&one, &mac_one, 6) == 0, "stopped after %u", at);
		stopped |= find_stopped(at, &hop_two, &two);
		cr_assert(!two || memcmp(&two, &mac_two, 6) == 0, "stopped after %u", at);
		if (!stopped)
			break;
	}
}

static _Atomic unsigned wrong;

/* Link address and hop are made from one number, so a mixed entry is seen. */
static void *
churn(void *argument)
{
	uint64_t random = (uintptr_t)argument;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct ip6 hop = {{hops.network.words[0], 0}};
		struct rte_ether_addr mac = mac_one;
		uint32_t number, entry;
		uint64_t word;

		random = random * UINT64_C(6364136223846793005) + 1442695040888963407u;
		number = (uint32_t)(random >> 40) % 64;
		hop.words[1] = rte_cpu_to_be_64((uint64_t)number << 40 | number);
		memcpy(mac.addr_bytes + 2, &number, sizeof(number));
		if (random >> 33 & 1) {
			hops6_learn(&hops, &hop, &mac);
		} else if (random >> 34 & 1) {
			hops6_ask(&hops, &hop, random >> 32, &entry);
		}
		word = hops6_find_word(&hops, &hop);
		if (word && memcmp(&word, &mac, sizeof(mac)) != 0)
			atomic_fetch_add_explicit(&wrong, 1, memory_order_relaxed);
	}
	return NULL;
}

Test(hops6, threads_at_one_bucket_never_see_half_of_a_write)
{
	pthread_t threads[3];

	/* All hops in few buckets: they push one another out all the time. */
	hops.key = 0;
	for (uintptr_t i = 0; i < 3; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, churn, (void *)(i + 1)), 0);
	for (unsigned i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(wrong, 0);
}
