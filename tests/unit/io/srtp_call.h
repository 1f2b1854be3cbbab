/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A call whose parties speak SRTP, each with a suite and keys of its own, or plain RTP.
 */
#ifndef TEST_SRTP_CALL_H
#define TEST_SRTP_CALL_H

#include <criterion/criterion.h>

#include "srtp_peer.h"
#include "wire.h"

#define PLAIN STW_SRTP_SUITE_COUNT

/* A packet as bytes, with room for what SRTP adds. */
struct datagram {
	int bytes;
	uint8_t data[1600];
};

/* One party's side. */
struct secure_side {
	const struct party *party;
	struct stw_leg leg;
	struct stw_endpoint local;
	struct stw_leg_config config;
	struct stw_srtp_keys in, out; /* of the leg */
	struct srtp_peer peer;
};

struct secure_call {
	struct wire wire;
	struct stw_session session;
	struct secure_side sides[2];
};

/* Defines a test for each driver; its body gets `call`, open and without legs. */
#define TEST_SRTP(name)                                                                            \
	static void name(struct secure_call *call);                                                \
	Test(srtp_ipsec_mb, name)                                                                  \
	{                                                                                          \
		secure_test(STW_SRTP_DRIVER_IPSEC_MB, name);                                       \
	}                                                                                          \
	Test(srtp_openssl, name)                                                                   \
	{                                                                                          \
		secure_test(STW_SRTP_DRIVER_OPENSSL, name);                                        \
	}                                                                                          \
	static void name(struct secure_call *call)

/* Open a plane with that driver, run, look whether everything adds up, close. */
void secure_test(enum stw_srtp_driver driver, void (*body)(struct secure_call *call));

/* A session of two connected legs; a suite of PLAIN: plain. Sources are not latched. */
void secure_begin(struct secure_call *call, unsigned caller_suite, unsigned agent_suite);
/* The same with the keys that stand in the sides' `in` and `out`. */
void secure_begin_with(struct secure_call *call, bool caller_secure, bool agent_secure);
void secure_end(struct secure_call *call);

/* Make an RTP packet with some header; its payload follows from the sequence number. */
void secure_rtp(struct datagram *datagram, uint16_t sequence, uint32_t ssrc, int payload_bytes);

/* A party protects and sends a packet; the plane is polled. */
void secure_send(struct secure_call *call, unsigned from, const struct datagram *plain, bool rtcp);
/* Send bytes as they are; the verdict that they got. */
int secure_inject(struct secure_call *call, unsigned from, const struct datagram *datagram,
		  bool rtcp);
/* What a party protects, without sending it. */
void secure_protect(struct secure_call *call, unsigned from, struct datagram *datagram, bool rtcp);
/* Take what was sent to a party and open it; false when there is nothing. */
bool secure_take(struct secure_call *call, unsigned to, struct datagram *datagram, bool rtcp);
/* Send from one party, and see the very packet at the other. */
void secure_crosses(struct secure_call *call, unsigned from, const struct datagram *plain,
		    bool rtcp);
struct stw_leg_stats secure_stats(struct secure_call *call, unsigned side);

#endif
