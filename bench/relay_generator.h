/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The far side of the relay-ring bench: two net_ring ports, and a generator that feeds both and
 * collects what comes back. It plays all the phones: one stream for each leg, sent in one random
 * order over all legs, again and again, with sequence numbers and time stamps that go on.
 *
 * Buffers are a NIC's: a few thousand, taken back and refilled as soon as they return, so that they
 * stay in the caches while the legs' state does not. Per packet the generator writes headers from
 * a block that lies in sending order; the payload is in the buffers already.
 */
#ifndef BENCH_RELAY_GENERATOR_H
#define BENCH_RELAY_GENERATOR_H

#include <stdbool.h>
#include <stdint.h>

#include <strowger/address.h>

#define GENERATOR_PORTS 2

/** UDP payload: 12 bytes of RTP header and 20 ms of G.711. */
#define GENERATOR_RTP_BYTES 172

/** One stream: a phone that talks to a leg. */
struct generator_stream {
	struct stw_endpoint phone; /**< where it comes from; IPv4 */
	struct stw_endpoint leg;   /**< where it goes to; IPv4 */
	uint32_t port;             /**< by which of the ports */
	uint32_t back;             /**< the stream whose phone hears it */
};

/** What one turn saw. */
struct generator_count {
	uint64_t sent;
	uint64_t returned;
	uint64_t wrong;  /**< returned, but not what the phone had to hear; only when checked */
	uint64_t others; /**< returned, and no RTP of the generator (ARP, RTCP) */
	uint64_t copies; /**< copies of a fork, which lie in buffers of the plane's own */
	uint64_t ns;     /**< from the first sent to the last returned */
};

struct generator;

/** Make the two ports (DPDK ids in ports[]), neither configured nor started. EAL is up. */
struct generator *generator_create(uint16_t ports[GENERATOR_PORTS]);

/** The phones: copied; sent in a random order that the seed decides. Those loaded before are forgotten. */
void generator_load(struct generator *generator, const struct generator_stream *streams,
		    uint32_t streams_count, uint64_t seed);

/** The next hop behind each port, whose MAC address the generator tells who asks by ARP. */
void generator_gateway(struct generator *generator, uint32_t port, const struct stw_ip *ip);

/** What the generator's core does beside each burst; NULL: nothing. */
typedef void (*generator_beside_fn)(void *argument);
void generator_set_beside(struct generator *generator, generator_beside_fn beside, void *argument);

/** Whether buffers say that a NIC has found the checksums right, or nobody has looked yet. */
void generator_checksums(struct generator *generator, bool checked_by_nic);

/**
 * Send for duration_ns (one packet of each stream when that is 0), then wait until
 * nothing comes back any more. With check, look at each packet that comes back (slow).
 */
void generator_run(struct generator *generator, uint64_t duration_ns, bool check,
		   struct generator_count *count);

/** Take and free all that the ports have sent; the number of RTP packets. */
uint32_t generator_take(struct generator *generator);

void generator_destroy(struct generator *generator);

#endif
