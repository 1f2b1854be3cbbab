/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include <strowger/address.h>

Test(address, ipv4_text_is_read_and_written)
{
	static const uint8_t bytes[16] = {192, 0, 2, 1};
	char text[STW_ADDRESS_TEXT_BYTES];
	struct stw_ip ip;

	memset(&ip, 0xff, sizeof(ip));
	cr_assert_eq(stw_ip_parse("192.0.2.1", &ip), 0);
	cr_assert_eq(ip.family, 4);
	cr_assert_arr_eq(ip.bytes, bytes, 16);
	cr_assert_str_eq(stw_ip_text(&ip, text), "192.0.2.1");
}

Test(address, ipv6_text_is_read_and_written)
{
	char text[STW_ADDRESS_TEXT_BYTES];
	struct stw_ip ip;

	cr_assert_eq(stw_ip_parse("2001:db8:0::1", &ip), 0);
	cr_assert_eq(ip.family, 6);
	cr_assert_eq(ip.bytes[0], 0x20);
	cr_assert_eq(ip.bytes[15], 1);
	cr_assert_str_eq(stw_ip_text(&ip, text), "2001:db8::1");
}

Test(address, what_is_no_address_changes_nothing)
{
	static const char *const texts[] = {"",          " ",        "1.2.3",        "1.2.3.4.5",
					    "256.0.0.1", "1.2.3.4 ", "1.2.3.4:5060", "host",
					    "::g",       "[::1]",    "1.2.3.4/24"};
	struct stw_ip ip = {.family = 4, .bytes = {9}};
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		cr_assert_eq(stw_ip_parse(texts[i], &ip), -EINVAL, "'%s'", texts[i]);
		cr_assert_eq(ip.family, 4);
		cr_assert_eq(ip.bytes[0], 9);
	}
}

Test(address, no_address_is_written_as_a_dash)
{
	char text[STW_ADDRESS_TEXT_BYTES];
	struct stw_ip ip = {0};

	cr_assert_str_eq(stw_ip_text(&ip, text), "-");
	ip.family = 5;
	cr_assert_str_eq(stw_ip_text(&ip, text), "-");
}

Test(address, longest_address_fits)
{
	static const char longest[] = "2001:db8:1111:2222:3333:4444:5555:6666";
	char text[STW_ADDRESS_TEXT_BYTES];
	struct stw_ip ip;

	cr_assert_eq(stw_ip_parse(longest, &ip), 0);
	cr_assert_str_eq(stw_ip_text(&ip, text), longest);
}
