/* SPDX-License-Identifier: BSD-3-Clause */
/* RFC 7714's test vectors, which name session keys, not master keys. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include <rte_cryptodev.h>

#include "media/plane.h"
#include "media/srtp/srtp_job.h"
#include "media/stream/egress.h"
#include "srtp_call.h"

#define PLAINTEXT "Gallia est omnis divisa in partes tres"

static void
bytes_of(const char *text, uint8_t *bytes)
{
	for (unsigned value; sscanf(text, "%2x", &value) == 1; text += 2)
		*bytes++ = (uint8_t)value;
}

/* Give a leg's outward context the session key and salt of the vectors. */
static void
context_set(struct secure_call *call, unsigned side, uint8_t key_bytes)
{
	struct srtp *srtp = &call->wire.media->srtp;
	uint32_t context = srtp->legs[(uint32_t)call->sides[side].leg.id].out;
	uint8_t device = srtp->crypto.devices[SRTP_DEVICE_AEAD];
	struct srtp_head *head = &srtp->heads[context];
	struct rte_crypto_sym_xform xform;
	uint8_t key[32];

	for (uint8_t i = 0; i < sizeof(key); i++)
		key[i] = i;
	rte_cryptodev_sym_session_free(device, head->session);
	srtp_xform_aead(&xform, key, key_bytes, false, SRTP_AAD_BYTES);
	head->session = rte_cryptodev_sym_session_create(device, &xform, srtp->crypto.sessions);
	cr_assert_not_null(head->session);
	memset(head->salt, 0, sizeof(head->salt));
	memcpy(head->salt, "Quid pro quo", 12);
}

/* Have a leg's stream give this packet the numbers and the source of the vectors. */
static void
stream_set(struct secure_call *call, unsigned side, const uint8_t *rtp)
{
	struct stw_media *media = call->wire.media;
	uint32_t leg = (uint32_t)call->sides[side].leg.id, timestamp;
	union egress_map map = egress_offsets(media, leg);
	uint16_t sequence;

	memcpy(&sequence, rtp + 2, sizeof(sequence));
	memcpy(&timestamp, rtp + 4, sizeof(timestamp));
	map.sequence = (uint16_t)(0xf17b - rte_be_to_cpu_16(sequence));
	map.timestamp = 0x8041f8d3 - rte_be_to_cpu_32(timestamp);
	media->egresses[leg].map = map.word;
	media->routes[leg].ssrc = RTE_BE32(0x5501a0b2);
}

static void
packet_becomes(struct secure_call *call, enum stw_srtp_suite suite, uint8_t key_bytes,
	       const char *expected)
{
	struct datagram datagram;
	struct frame frame;
	uint8_t bytes[128];

	secure_begin(call, PLAIN, suite);
	secure_rtp(&datagram, 1, 1, 20);
	secure_crosses(call, 0, &datagram, false);
	context_set(call, 1, key_bytes);
	secure_rtp(&datagram, 2, 1, 20);
	datagram.data[1] = 0x40;
	stream_set(call, 1, datagram.data);
	memcpy(datagram.data + 12, PLAINTEXT, strlen(PLAINTEXT));
	datagram.bytes = 12 + (int)strlen(PLAINTEXT);
	cr_assert_eq(secure_inject(call, 0, &datagram, false), STW_PASS_RELAYED);
	cr_assert(wire_take(&call->wire, 1, &frame));
	bytes_of(expected, bytes);
	cr_assert_eq(frame.bytes, 42 + strlen(expected) / 2);
	cr_assert_eq(memcmp(frame.data + 42, bytes, strlen(expected) / 2), 0);
	secure_end(call);
}

TEST_SRTP(packets_of_aead_128_are_those_of_rfc_7714)
{
	/* 16.1.1 */
	packet_becomes(
		call, STW_SRTP_AEAD_AES_128_GCM, 16,
		"8040f17b8041f8d35501a0b2"
		"f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833"
		"899d7f27beb16a9152cf765ee4390cce");
}

TEST_SRTP(packets_of_aead_256_are_those_of_rfc_7714)
{
	/* 16.2.1 */
	packet_becomes(
		call, STW_SRTP_AEAD_AES_256_GCM, 32,
		"8040f17b8041f8d35501a0b2"
		"32b1de78a822fe12ef9f78fa332e33aab18012389a58e2f3b50b2a0276ffae0f1ba63799b87b"
		"7aa3db36dfffd6b0f9bb7878d7a76c13");
}
