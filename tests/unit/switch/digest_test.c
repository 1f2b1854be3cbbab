/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "digest.h"

#define SECOND UINT64_C(1000000000)

static struct digest digest;
static struct digest_user user;
static char nonce[DIGEST_NONCE_BYTES + 2];
static auth_hexmd5_t answer;
static const char *realm = "\"" DIGEST_REALM "\"";

static void
make_digest(void)
{
	cr_assert_eq(digest_create(&digest), 0);
	memset(&user, 0, sizeof(user));
}

TestSuite(digest, .init = make_digest);

/* A phone's answer to our nonce, as sofia's parser hands it out. */
static auth_response_t
respond(const char *password, const char *count)
{
	auth_response_t response = {
		.ar_size = sizeof(response),
		.ar_username = "alice",
		.ar_realm = realm,
		.ar_nonce = nonce,
		.ar_uri = "\"sip:192.0.2.1\"",
		.ar_algorithm = "MD5",
		.ar_cnonce = "\"abc\"",
		.ar_qop = "auth",
		.ar_nc = count,
		.ar_md5 = 1,
		.ar_auth = 1,
	};
	auth_hexmd5_t ha1;

	auth_digest_a1(&response, ha1, password);
	auth_digest_response(&response, answer, ha1, "REGISTER", NULL, 0);
	response.ar_response = answer;
	return response;
}

static void
challenge(uint64_t now_ns)
{
	char plain[DIGEST_NONCE_BYTES];

	snprintf(nonce, sizeof(nonce), "\"%s\"", digest_nonce(&digest, now_ns, plain));
}

static enum digest_result
check(auth_response_t response, const char *password, uint64_t now_ns)
{
	return digest_check(&digest, &user, &response, "REGISTER", password, now_ns);
}

Test(digest, right_password_is_accepted)
{
	challenge(SECOND);
	cr_assert_eq(check(respond("secret", "00000001"), "secret", 2 * SECOND), DIGEST_ACCEPTED);
}

Test(digest, answer_of_rfc_2617_is_ours)
{
	auth_response_t response = {
		.ar_size = sizeof(response),
		.ar_username = "Mufasa",
		.ar_realm = "\"testrealm@host.com\"",
		.ar_nonce = "\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"",
		.ar_uri = "\"/dir/index.html\"",
		.ar_cnonce = "\"0a4f113b\"",
		.ar_qop = "auth",
		.ar_nc = "00000001",
		.ar_md5 = 1,
		.ar_auth = 1,
	};
	auth_hexmd5_t ha1, expected;

	auth_digest_a1(&response, ha1, "Circle Of Life");
	auth_digest_response(&response, expected, ha1, "GET", NULL, 0);
	cr_assert_str_eq(expected, "6629fae49393a05397450978507c4ef1");
}

Test(digest, wrong_password_is_refused)
{
	challenge(SECOND);
	cr_assert_eq(check(respond("Secret", "00000001"), "secret", SECOND), DIGEST_REFUSED);
}

Test(digest, answer_to_another_method_is_refused)
{
	auth_response_t response;

	challenge(SECOND);
	response = respond("secret", "00000001");
	cr_assert_eq(digest_check(&digest, &user, &response, "INVITE", "secret", SECOND),
		     DIGEST_REFUSED);
}

Test(digest, other_realm_is_refused)
{
	challenge(SECOND);
	realm = "\"elsewhere\"";
	cr_assert_eq(check(respond("secret", "00000001"), "secret", SECOND), DIGEST_REFUSED);
}

Test(digest, repeated_answer_is_stale)
{
	challenge(SECOND);
	cr_assert_eq(check(respond("secret", "00000001"), "secret", SECOND), DIGEST_ACCEPTED);
	cr_assert_eq(check(respond("secret", "00000001"), "secret", SECOND), DIGEST_STALE);
	cr_assert_eq(check(respond("secret", "00000002"), "secret", SECOND), DIGEST_ACCEPTED);
	cr_assert_eq(check(respond("secret", "00000001"), "secret", SECOND), DIGEST_STALE);
}

Test(digest, older_nonce_is_stale_after_a_newer_one)
{
	auth_response_t old;
	char old_nonce[sizeof(nonce)], old_answer[sizeof(answer)];

	challenge(SECOND);
	old = respond("secret", "00000001");
	old.ar_nonce = strcpy(old_nonce, nonce);
	old.ar_response = strcpy(old_answer, answer);
	challenge(SECOND);
	cr_assert_eq(check(respond("secret", "00000001"), "secret", SECOND), DIGEST_ACCEPTED);
	cr_assert_eq(check(old, "secret", SECOND), DIGEST_STALE);
}

Test(digest, nonce_gets_old)
{
	challenge(SECOND);
	cr_assert_eq(check(respond("secret", "00000001"), "secret", 62 * SECOND), DIGEST_STALE);
	cr_assert_eq(check(respond("secret", "00000001"), "secret", 61 * SECOND), DIGEST_ACCEPTED);
}

Test(digest, invented_nonce_is_stale)
{
	challenge(SECOND);
	nonce[strlen(nonce) - 2] ^= 1; /* of the signature */
	cr_assert_eq(check(respond("secret", "00000001"), "secret", SECOND), DIGEST_STALE);
	strcpy(nonce, "\"x\"");
	cr_assert_eq(check(respond("secret", "00000001"), "secret", SECOND), DIGEST_STALE);
}
