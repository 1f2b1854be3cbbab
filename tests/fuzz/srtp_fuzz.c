/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SRTP and SRTCP: any bytes from a leg's party get one verdict, only authentic ones go on, and no buffer is
 * lost. The first byte says which of the legs (a suite each, every second with a key identifier) and whether it
 * is the port of RTCP; the rest is what UDP carries. The corpus has authentic packets of each.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <rte_ip.h>

#include "media/plane.h"
#include "wire.h"

/** Bit of the first byte: RTCP. */
#define TO_RTCP 0x80

static struct wire wire;
static struct stw_endpoint locals[STW_SRTP_SUITE_COUNT];

/* Keys that the corpus was made with. */
static struct stw_srtp_keys
keys_of(unsigned suite)
{
	struct stw_srtp_keys keys = STW_SRTP_KEYS_INIT;

	keys.suite = suite;
	for (unsigned i = 0; i < sizeof(keys.key); i++)
		keys.key[i] = (uint8_t)(i * 7 + suite);
	for (unsigned i = 0; i < sizeof(keys.salt); i++)
		keys.salt[i] = (uint8_t)(i * 11 + suite);
	keys.mki_bytes = suite % 2 ? 4 : 0;
	memcpy(keys.mki, "\1\2\3\4", 4);
	return keys;
}

static void
leg_add(struct stw_session session, unsigned suite, struct stw_leg to)
{
	struct stw_leg_config config = wire_leg_config(&wire_caller, STW_SIDE_CALLER);
	struct stw_srtp_keys keys = keys_of(suite);
	struct stw_leg leg;

	config.srtp_in = &keys;
	config.srtp_out = &keys;
	FUZZ_ASSERT(stw_leg_add(wire.media, session, &config, wire.now_ns, &leg, &locals[suite]) ==
		    0);
	FUZZ_ASSERT(stw_leg_connect(wire.media, leg, to) == 0);
}

/** Give the plane back, so that what is left is a leak. */
static void
end(void)
{
	wire_close(&wire);
	stw_eal_stop();
}

/* Each suite has a call, whose agent speaks plain RTP. */
static void
begin(void)
{
	struct stw_session_config session_config = STW_SESSION_CONFIG_INIT;
	struct stw_leg_config agent = wire_leg_config(&wire_agent, STW_SIDE_AGENT);
	struct stw_media_config config;
	struct rte_ether_addr mac;

	wire_eal_start();
	FUZZ_ASSERT(atexit(end) == 0);
	config = wire_config();
	config.srtp_max = 2 * STW_SRTP_SUITE_COUNT;
	wire_open(&wire, &config);
	memcpy(mac.addr_bytes, wire_agent.mac, sizeof(mac.addr_bytes));
	hops_learn(&wire.media->addresses[1].hops, RTE_IPV4(10, 0, 1, 50), &mac);
	for (unsigned suite = 0; suite < STW_SRTP_SUITE_COUNT; suite++) {
		struct stw_session session;
		struct stw_endpoint local;
		struct stw_leg leg;

		FUZZ_ASSERT(stw_session_add(wire.media, &session_config, &session) == 0);
		FUZZ_ASSERT(stw_leg_add(wire.media, session, &agent, wire.now_ns, &leg, &local) ==
			    0);
		leg_add(session, suite, leg);
	}
	wire_poll(&wire);
	wire_drop_all(&wire, 0);
	wire_drop_all(&wire, 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct party from = wire_caller;
	struct stw_endpoint to;
	struct frame frame;
	bool rtcp;
	int verdict;

	if (!wire.media)
		begin();
	if (count < 1 || count > 1500)
		return 0;
	rtcp = bytes[0] & TO_RTCP;
	to = locals[(bytes[0] & 0x7f) % STW_SRTP_SUITE_COUNT];
	to.port += rtcp;
	from.udp_port += rtcp;
	wire_udp(&frame, &from, &to, bytes + 1, (uint32_t)count - 1);
	verdict = wire_verdict(&wire, 0, &frame);
	FUZZ_ASSERT(verdict >= 0);
	FUZZ_ASSERT(wire_drop_all(&wire, 1) ==
		    (verdict == STW_PASS_RELAYED || verdict == STW_PASS_RELAYED_RTCP));
	wire_drop_all(&wire, 0);
	FUZZ_ASSERT(wire_stats(&wire).packets_in_use == wire.base);
	return 0;
}
