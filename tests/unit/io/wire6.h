/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Frames of IPv4 and IPv6, with and without a VLAN's tag, for a packet plane between rings (wire.h). Making,
 * reading and checking them shares no code with the library.
 */
#ifndef TEST_WIRE6_H
#define TEST_WIRE6_H

#include "wire.h"

/* Local addresses of wire6_open, by index. Even ones live on port 0, odd ones on port 1. */
enum wire6_address {
	WIRE6_V4,        /* 10.0.0.1/24 */
	WIRE6_V4_FAR,    /* 10.0.1.1/24 */
	WIRE6_V6,        /* 2001:db8::1/64 */
	WIRE6_V6_FAR,    /* 2001:db8:1::1/64, gateway fe80::fe */
	WIRE6_VLAN4,     /* 10.0.2.1/24, VLAN 7 */
	WIRE6_VLAN6_FAR, /* 2001:db8:2::1/64, VLAN 8 */
	WIRE6_ADDRESSES,
};

/* A host of any kind: where its packets come from. */
struct host {
	uint8_t port; /* of the plane that it is behind */
	uint16_t vlan;
	struct stw_ip ip;
	uint16_t udp_port;
	uint8_t mac[6];
};

/* What a frame is, as far as it could be read. */
struct seen {
	uint16_t vlan; /* of the tag; 0: no tag */
	uint8_t priority;
	uint8_t family;
	uint8_t traffic_class;
	uint8_t hop_limit;
	uint32_t flow;
	struct stw_ip from, to;
	uint16_t from_port, to_port;
	uint16_t checksum;
	uint32_t udp; /* offset of the UDP header */
	uint32_t payload_bytes;
	const uint8_t *payload;
};

/* An address by its text. */
struct stw_ip wire6_ip(const char *text);

/* Open a plane with the six addresses. */
void wire6_open(struct wire *wire);
/* The same by another description, whose addresses are not looked at. */
void wire6_open_with(struct wire *wire, struct stw_media_config config);

/* A host on the network of a local address; which numbers hosts of one network from 1. */
struct host wire6_host(enum wire6_address address, uint8_t which);
struct stw_endpoint wire6_endpoint(const struct host *host);
struct stw_leg_config wire6_leg_config(enum wire6_address address, const struct host *host);

/* Make frames; `to` is a local endpoint of the host's family. */
void wire6_udp(struct frame *frame, const struct host *from, const struct stw_endpoint *to,
	       const void *payload, uint32_t payload_bytes);
void wire6_rtp(struct frame *frame, const struct host *from, const struct stw_endpoint *to,
	       uint16_t sequence);

/* A call between any two local addresses: a session of two legs, connected both ways. */
struct mixed {
	struct stw_session session;
	struct host host[2];
	struct stw_leg leg[2];
	struct stw_endpoint local[2];
};

void wire6_call(struct wire *wire, struct mixed *call, enum wire6_address one,
		enum wire6_address other);
void wire6_call_latch(struct wire *wire, struct mixed *call);
/* Take a frame and say whether it is what the party [from] sent, with the headers that it must have. */
bool wire6_arrives(struct wire *wire, const struct mixed *call, unsigned from,
		   const struct seen *was);

/* Put bytes into a frame. */
void wire6_insert(struct frame *frame, uint32_t at, const uint8_t *bytes, uint32_t count);
/* Put an extension header between the IPv6 header of a frame without tag and what follows; lengths and
 * chain are made right. */
void wire6_extend(struct frame *frame, uint8_t type, const uint8_t *header, uint32_t count);

/* Read a frame with one tag or none, UDP right behind IP; false when something contradicts. */
bool wire6_read(const struct frame *frame, struct seen *seen);
/* Byte by byte; a checksum of 0 is right with IPv4 only. */
bool wire6_checksums_are_right(const struct frame *frame);
/* Make them right. */
void wire6_sign(struct frame *frame);

#endif
