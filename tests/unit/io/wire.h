/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A packet plane between rings: tests put frames in front of its ports, poll it, and look at what
 * it sends. Two ports: 10.0.0.1 lives on the first one, 10.0.1.1 on the second.
 */
#ifndef TEST_WIRE_H
#define TEST_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_mbuf.h>
#include <rte_ring.h>

#include <strowger/media.h>

#define WIRE_PORTS    2
#define WIRE_MS       UINT64_C(1000000)
#define WIRE_START_NS UINT64_C(1000000000000)

#define WIRE_FRAME_MAX 2000

struct kernel_relay;

struct wire {
	struct stw_media *media;
	struct rte_ring *in[WIRE_PORTS];
	struct rte_ring *out[WIRE_PORTS];
	struct rte_mempool *pool;
	uint64_t now_ns;
	uint32_t base; /* buffers in use when nothing is under way */
};

/* A frame as the test has it: bytes. */
struct frame {
	uint32_t bytes;
	uint8_t data[WIRE_FRAME_MAX];
};

/* One party: where its packets come from. */
struct party {
	uint8_t port; /* of the plane that it is behind */
	uint8_t ip[4];
	uint16_t udp_port;
	uint8_t mac[6];
};

extern const struct party wire_caller; /* 10.0.0.50 behind port 0 */
extern const struct party wire_agent;  /* 10.0.1.50 behind port 1 */

/* Relay inside the kernel of planes that are opened from then on; NULL: none. */
extern struct kernel_relay *wire_relay;

void wire_eal_start(void);
struct stw_media_config wire_config(void);
void wire_open(struct wire *wire, const struct stw_media_config *config);
void wire_close(struct wire *wire);

struct stw_endpoint wire_endpoint(const struct party *party);

/* Make frames; `to` is a local endpoint. */
void wire_udp(struct frame *frame, const struct party *from, const struct stw_endpoint *to,
	      const void *payload, uint32_t payload_bytes);
void wire_rtp(struct frame *frame, const struct party *from, const struct stw_endpoint *to,
	      uint8_t payload_type, uint16_t sequence, uint32_t timestamp);
void wire_rtcp(struct frame *frame, const struct party *from, const struct stw_endpoint *to);
void wire_event(struct frame *frame, const struct party *from, const struct stw_endpoint *to,
		uint16_t sequence, uint32_t timestamp, uint8_t code, bool end, uint16_t duration);
/* Give an RTP frame another source. */
void wire_ssrc(struct frame *frame, uint32_t ssrc);
/* Make the checksums of an IPv4 frame without tag right again. */
void wire_sign(struct frame *frame);

/* Put a frame, or a buffer, in front of a port; poll; take what a port sent. */
struct rte_mbuf *wire_mbuf(struct wire *wire, const struct frame *frame);
void wire_give(struct wire *wire, uint8_t port, const struct frame *frame);
void wire_give_mbuf(struct wire *wire, uint8_t port, struct rte_mbuf *mbuf);
int wire_poll(struct wire *wire);
bool wire_take(struct wire *wire, uint8_t port, struct frame *frame);
uint32_t wire_drop_all(struct wire *wire, uint8_t port);

/* Give, poll, and say which verdict was counted; -1: none or several. */
int wire_verdict(struct wire *wire, uint8_t port, const struct frame *frame);

bool wire_counters_add_up(struct wire *wire);
struct stw_media_stats wire_stats(struct wire *wire);
/* Independent of the library: byte by byte. */
bool wire_checksums_are_right(const struct frame *frame);
/* Two RTP packets at these offsets are equal but for sequence number, timestamp and SSRC. */
bool wire_audio_is(const struct frame *seen, uint32_t seen_at, const struct frame *sent,
		   uint32_t sent_at);
uint16_t wire_u16(const struct frame *frame, uint32_t offset);
uint32_t wire_u32(const struct frame *frame, uint32_t offset);

/* RTP header of a frame that a port sent. */
struct heard {
	uint8_t marker;
	uint8_t payload_type;
	uint16_t sequence;
	uint32_t timestamp;
	uint32_t ssrc;
};

/* Take the next packet that a port sent and read its RTP header; false when there is none. */
bool wire_hear(struct wire *wire, uint8_t port, struct heard *heard);

/* A call: a session of two legs, connected both ways, whose parties have latched. */
struct call {
	struct stw_session session;
	struct stw_leg caller, agent;
	struct stw_endpoint caller_local, agent_local;
};

struct stw_leg_config wire_leg_config(const struct party *party, enum stw_side side);
void wire_call(struct wire *wire, struct call *call);
void wire_call_latched(struct wire *wire, struct call *call);
int wire_event_take(struct wire *wire, struct stw_media_event *event);

#endif
