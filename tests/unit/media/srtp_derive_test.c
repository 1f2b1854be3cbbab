/* SPDX-License-Identifier: BSD-3-Clause */
/* Session keys from master keys: the RFCs' test vectors. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "media/srtp/srtp_derive.h"

static void
bytes_of(const char *text, uint8_t *bytes)
{
	for (unsigned value; sscanf(text, "%2x", &value) == 1; text += 2)
		*bytes++ = (uint8_t)value;
}

static void
derived_is(enum stw_srtp_suite suite, const char *key, const char *salt,
	   const struct srtp_session_keys *expected)
{
	struct stw_srtp_keys keys = STW_SRTP_KEYS_INIT;
	struct srtp_session_keys seen;

	keys.suite = suite;
	bytes_of(key, keys.key);
	bytes_of(salt, keys.salt);
	cr_assert_eq(srtp_derive(&keys, false, &seen), 0);
	cr_assert_eq(memcmp(&seen, expected, sizeof(seen)), 0);
	cr_assert_eq(srtp_derive(&keys, true, &seen), 0);
	cr_assert_neq(memcmp(&seen, expected, sizeof(seen)), 0);
}

Test(srtp_derive, keys_are_those_of_rfc_3711)
{
	struct srtp_session_keys expected = {{0}};

	/* B.3 */
	bytes_of("c61e7a93744f39ee10734afe3ff7a087", expected.key);
	bytes_of("30cbbc08863d8c85d49db34a9ae1", expected.salt);
	bytes_of("cebe321f6ff7716b6fd4ab49af256a156d38baa4", expected.auth);
	derived_is(STW_SRTP_AES_CM_128_HMAC_SHA1_80, "e1f97a0d3e018be0d64fa32c06de4139",
		   "0ec675ad498afeebb6960b3aabe6", &expected);
}

Test(srtp_derive, keys_are_those_of_rfc_6188)
{
	struct srtp_session_keys expected = {{0}};

	/* 7.4 */
	bytes_of("5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4", expected.key);
	bytes_of("fa31791685ca444a9e07c6c64e93", expected.salt);
	bytes_of("fd9c32d39ed5fbb5a9dc96b30818454d1313dc05", expected.auth);
	derived_is(STW_SRTP_AES_256_CM_HMAC_SHA1_80,
		   "f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6",
		   "3b04803de51ee7c96423ab5b78d2", &expected);
}

Test(srtp_derive, digests_tell_key_sets_apart)
{
	struct stw_srtp_keys keys = STW_SRTP_KEYS_INIT, other;
	uint8_t one[DERIVE_DIGEST_BYTES], two[DERIVE_DIGEST_BYTES];

	cr_assert_eq(srtp_keys_digest(&keys, one), 0);
	for (unsigned i = 0; i < 6; i++) {
		other = keys;
		switch (i) {
		case 0:
			other.suite = STW_SRTP_AES_CM_128_HMAC_SHA1_32;
			break;
		case 1:
			other.key[15] = 1;
			break;
		case 2:
			other.salt[13] = 1;
			break;
		case 3:
			other.mki_bytes = 1;
			break;
		case 4:
			other.roc = 1;
			break;
		default:
			other.packets_max = 1;
			break;
		}
		cr_assert_eq(srtp_keys_digest(&other, two), 0);
		cr_assert_neq(memcmp(one, two, sizeof(one)), 0);
	}
	/* What the suite does not use makes no difference. */
	other = keys;
	other.key[16] = 1;
	cr_assert_eq(srtp_keys_digest(&other, two), 0);
	cr_assert_eq(memcmp(one, two, sizeof(one)), 0);
}
