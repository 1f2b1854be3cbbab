/* SPDX-License-Identifier: BSD-3-Clause */
/* The packet plane's life. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "media/plane.h"
#include "wire.h"

TestSuite(plane, .init = wire_eal_start, .fini = stw_eal_stop);

Test(plane, fields_outside_their_range_are_refused)
{
	struct stw_port_config port = {STW_PORT_DEVICE, "net_ring0", 0, STW_XDP_NONE};
	struct stw_address_config address = {
		.ip = {4, {10, 0, 0, 1}},
		.prefix_bits = 24,
		.udp_port_first = 20000,
		.udp_port_last = 20099,
	};
	struct stw_address_config addresses[2];
	struct stw_media_config config;
	struct stw_media *media = NULL;

#define REFUSED(field, value)                                                                      \
	do {                                                                                       \
		config = wire_config();                                                            \
		config.ports = &port;                                                              \
		config.ports_count = 1;                                                            \
		config.addresses = addresses;                                                      \
		config.addresses_count = 1;                                                        \
		addresses[0] = address;                                                            \
		addresses[1] = address;                                                            \
		field = value;                                                                     \
		cr_assert_eq(stw_media_create(&media, &config), -EINVAL, #field);                  \
	} while (0)
	REFUSED(config.struct_size, 0);
	REFUSED(config.ports_count, 0);
	REFUSED(config.ports_count, STW_MEDIA_PORTS_MAX + 1);
	REFUSED(config.addresses_count, 0);
	REFUSED(config.addresses_count, 2);
	REFUSED(config.workers, 0);
	REFUSED(config.workers, STW_MEDIA_WORKERS_MAX + 1);
	REFUSED(config.sessions_max, 0);
	REFUSED(config.legs_max, 2000001);
	REFUSED(config.forks_max, 0);
	REFUSED(config.playouts_max, 65537);
	REFUSED(config.playout_packets_max, 0);
	REFUSED(config.packets_max, 1023);
	REFUSED(config.fork_packets_max, 96);
	REFUSED(config.events_max, 63);
	REFUSED(addresses[0].port, 1);
	REFUSED(addresses[0].ip.family, 5);
	REFUSED(addresses[0].vlan, 4095);
	REFUSED(addresses[0].prefix_bits, 0);
	REFUSED(addresses[0].prefix_bits, 33);
	REFUSED(addresses[0].udp_port_first, 20001);
	REFUSED(addresses[0].udp_port_last, 20098);
	REFUSED(addresses[0].udp_port_last, 19999);
	REFUSED(addresses[0].gateway.family, 6);
#undef REFUSED
	cr_assert_null(media);
}

Test(plane, unknown_device_is_told_and_nothing_is_left)
{
	struct stw_port_config port = {STW_PORT_DEVICE, "net_nonsense0", 0, STW_XDP_NONE};
	struct stw_address_config address = {
		.ip = {4, {10, 0, 0, 1}},
		.prefix_bits = 24,
		.udp_port_first = 20000,
		.udp_port_last = 20099,
	};
	struct stw_media_config config = wire_config();
	struct stw_media *media = NULL;

	config.ports = &port;
	config.ports_count = 1;
	config.addresses = &address;
	config.addresses_count = 1;
	cr_assert_eq(stw_media_create(&media, &config), -ENODEV);
	cr_assert_null(media);
	port.device = "net_null0";
	cr_assert_eq(stw_media_create(&media, &config), 0);
	cr_assert_eq(stw_media_xdp_mode(media, 0), STW_XDP_NONE);
	cr_assert_eq(stw_media_xdp_mode(media, 7), STW_XDP_NONE);
	cr_assert_eq(stw_media_port_missed(media, 0), 0);
	cr_assert_eq(stw_media_port_missed(media, 7), 0);
	cr_assert_eq(stw_media_poll(media, 1, 1), -EINVAL);
	cr_assert_eq(stw_media_start(media), -ENODEV, "no worker lcores");
	stw_media_destroy(media);
	stw_media_destroy(NULL);
}

Test(plane, verdicts_have_names_of_their_own)
{
	for (int i = 0; i < STW_VERDICT_COUNT; i++) {
		cr_assert_str_neq(stw_verdict_name(i), "unknown");
		for (int j = 0; j < i; j++)
			cr_assert_str_neq(stw_verdict_name(i), stw_verdict_name(j));
	}
	cr_assert_str_eq(stw_verdict_name(STW_DROP_SOURCE), "drop_source");
	cr_assert_str_eq(stw_verdict_name(STW_VERDICT_COUNT), "unknown");
	cr_assert_str_eq(stw_verdict_name((enum stw_verdict) - 1), "unknown");
}

Test(plane, destroyed_while_a_recording_and_a_playout_are_under_way)
{
	struct stw_media_config config = wire_config();
	struct wire wire;
	struct call call;

	wire_open(&wire, &config);
	wire_call_latched(&wire, &call);
	wire_close(&wire);
}
