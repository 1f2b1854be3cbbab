/* SPDX-License-Identifier: BSD-3-Clause */
/* Announcements of local addresses on ports that DPDK owns. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "media/plane.h"
#include "wire6.h"
#include "wire_suite.h"

static struct wire wire;

static void
open_wire(void)
{
	wire_eal_start();
	wire6_open(&wire);
}

static void
close_wire(void)
{
	wire_end(&wire);
}

TestSuite(announce, .init = open_wire, .fini = close_wire);

/* Poll each 10 ms; milliseconds after which frames came, and how many. */
static unsigned
poll_for(unsigned ms, uint8_t port, struct frame *last, unsigned at_ms[], unsigned most)
{
	unsigned count = 0;

	for (unsigned passed = 0; passed < ms; passed += 10) {
		wire_poll(&wire);
		while (wire_take(&wire, port, last)) {
			cr_assert_lt(count, most);
			at_ms[count++] = passed;
		}
		wire.now_ns += 10 * WIRE_MS;
	}
	return count;
}

static void
is_arp_announcement(const struct frame *frame, uint32_t arp, const uint8_t ip[4])
{
	static const uint8_t all[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, nobody[6];

	cr_assert_arr_eq(frame->data, all, 6);
	cr_assert_eq(wire_u16(frame, arp - 2), 0x0806);
	cr_assert_eq(wire_u16(frame, arp + 6), 1, "a request");
	cr_assert_arr_eq(frame->data + arp + 8, frame->data + 6, 6);
	cr_assert_arr_eq(frame->data + arp + 14, ip, 4);
	cr_assert_arr_eq(frame->data + arp + 18, nobody, 6);
	cr_assert_arr_eq(frame->data + arp + 24, ip, 4);
	cr_assert_geq(frame->bytes, 60);
}

Test(announce, ipv4_three_times_a_second_apart)
{
	static const uint8_t ip[4] = {10, 0, 0, 1};
	struct frame frame;
	unsigned at_ms[4];

	cr_assert_eq(stw_media_announce(wire.media, WIRE6_V4), 0);
	cr_assert_eq(poll_for(5000, 0, &frame, at_ms, 4), 3);
	cr_assert_eq(at_ms[0], 0);
	cr_assert_eq(at_ms[1], 1000);
	cr_assert_eq(at_ms[2], 2000);
	is_arp_announcement(&frame, 14, ip);
	cr_assert_eq(wire_drop_all(&wire, 1), 0);
}

Test(announce, vlan_has_its_tag)
{
	static const uint8_t ip[4] = {10, 0, 2, 1};
	struct frame frame;

	cr_assert_eq(stw_media_announce(wire.media, WIRE6_VLAN4), 0);
	wire_poll(&wire);
	cr_assert(wire_take(&wire, 0, &frame));
	cr_assert_eq(wire_u16(&frame, 12), 0x8100);
	cr_assert_eq(wire_u16(&frame, 14), 7);
	is_arp_announcement(&frame, 18, ip);
}

Test(announce, ipv6_overrides_and_goes_to_all_nodes)
{
	static const uint8_t all_mac[6] = {0x33, 0x33, 0, 0, 0, 1};
	static const uint8_t all[16] = {0xff, 2, [15] = 1};
	static const uint8_t own[16] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
	struct frame frame;

	cr_assert_eq(stw_media_announce(wire.media, WIRE6_V6), 0);
	wire_poll(&wire);
	cr_assert(wire_take(&wire, 0, &frame));
	cr_assert_arr_eq(frame.data, all_mac, 6);
	cr_assert_eq(frame.data[20], 58);
	cr_assert_eq(frame.data[21], 255);
	cr_assert_arr_eq(frame.data + 22, own, 16);
	cr_assert_arr_eq(frame.data + 38, all, 16);
	cr_assert_eq(frame.data[54], 136);
	cr_assert_eq(frame.data[58], 0x20, "override, not solicited");
	cr_assert_arr_eq(frame.data + 62, own, 16);
	cr_assert_eq(frame.data[78], 2);
	cr_assert_arr_eq(frame.data + 80, frame.data + 6, 6);
	cr_assert(wire_take(&wire, 0, &frame));
	cr_assert_eq(frame.data[62], 143, "and who snoops is told");
	cr_assert(!wire_take(&wire, 0, &frame));
}

Test(announce, all_addresses_and_again_meanwhile)
{
	struct frame frame;
	unsigned at_ms[16];

	cr_assert_eq(stw_media_announce(wire.media, UINT32_MAX), 0);
	cr_assert_eq(poll_for(1500, 1, &frame, at_ms, 16), 2 * (3 + 2),
		     "three addresses, twice, and reports of IPv6");
	cr_assert_eq(wire_drop_all(&wire, 0), 2 * (3 + 1));
	cr_assert_eq(stw_media_announce(wire.media, WIRE6_V4), 0);
	cr_assert_eq(poll_for(4000, 1, &frame, at_ms, 16), 3 + 2, "the rest");
	cr_assert_eq(wire_drop_all(&wire, 0), 2 + 1 + 3, "one of three began anew");
}

Test(announce, no_such_address_and_kernels_addresses_are_refused)
{
	cr_assert_eq(stw_media_announce(wire.media, WIRE6_ADDRESSES), -EINVAL);
	wire.media->ports[0].owned = 0;
	cr_assert_eq(stw_media_announce(wire.media, WIRE6_V4), -ENOTSUP);
	cr_assert_eq(stw_media_announce(wire.media, UINT32_MAX), 0);
	wire_poll(&wire);
	cr_assert_eq(wire_drop_all(&wire, 0), 0);
	cr_assert_eq(wire_drop_all(&wire, 1), 3 + 2);
	wire.media->ports[1].owned = 0;
	cr_assert_eq(stw_media_announce(wire.media, UINT32_MAX), -ENOTSUP);
}
