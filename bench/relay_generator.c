/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams, buffers and rings of the relay-ring bench's far side.
 */
#include "relay_generator.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <rte_arp.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_ether.h>
#include <rte_ip.h>
#include <rte_mbuf.h>
#include <rte_ring.h>
#include <rte_udp.h>

#include "rounds.h"

#define BURST        32
#define RING_SIZE    4096
#define BUFFERS      16383
#define BUFFER_CACHE 256

/* Packets between the two sides at one time; a ring holds them all, so nothing is ever dropped. */
#define WINDOW 2048

/* Nothing came back for that long: it is lost. */
#define LOST_NS UINT64_C(1000000000)

/* The clock is read once for so many bursts. */
#define BURSTS_PER_CLOCK 64

/* 20 ms at 8 kHz. */
#define TIMESTAMP_STEP 160

struct rtp_header {
	uint8_t version;
	uint8_t payload_type;
	rte_be16_t sequence;
	rte_be32_t timestamp;
	rte_be32_t ssrc;
} __attribute__((packed));

struct headers {
	struct rte_ether_hdr ether;
	struct rte_ipv4_hdr ip;
	struct rte_udp_hdr udp;
	struct rtp_header rtp;
	uint32_t stream; /* its index: what is sent on has an SSRC of the relay's own */
} __attribute__((packed, aligned(2)));

#define FRAME_BYTES (offsetof(struct headers, rtp) + GENERATOR_RTP_BYTES)

/* One cache line for each stream, in sending order. */
struct template
{
	struct headers headers;
	uint16_t port;
	uint32_t sum; /* UDP checksum so far, without sequence and time stamp */
}
__attribute__((aligned(64)));

static_assert(sizeof(struct template) == 64, "the generator reads one line a packet");

struct generator {
	struct rte_ring *to_port[GENERATOR_PORTS];   /* what the port receives */
	struct rte_ring *from_port[GENERATOR_PORTS]; /* what the port has sent */
	uint16_t ports[GENERATOR_PORTS];
	rte_be32_t gateway[GENERATOR_PORTS];
	struct rte_ether_addr gateway_mac[GENERATOR_PORTS];
	struct rte_mempool *pool;
	struct template *templates;
	struct generator_stream *streams;
	uint32_t streams_count;
	uint32_t next; /* template */
	uint16_t sequence;
	uint32_t timestamp;
	uint32_t turn_sum; /* sequence and time stamp, as the checksum counts them */
	uint64_t buffer_flags;
	generator_beside_fn beside;
	void *beside_argument;
	struct rte_mbuf *spare[WINDOW + BURST];
	uint32_t spare_count;
	uint32_t in_flight;
};

static rte_be32_t
address_of(const struct stw_endpoint *endpoint)
{
	rte_be32_t address;

	memcpy(&address, endpoint->ip.bytes, sizeof(address));
	return address;
}

static void
fill_payload(struct rte_mempool *pool, void *argument, void *object, unsigned index)
{
	struct rte_mbuf *mbuf = object;
	uint8_t *payload;

	mbuf->data_off = RTE_PKTMBUF_HEADROOM;
	payload = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, sizeof(struct headers));
	for (unsigned i = 0; i < FRAME_BYTES - sizeof(struct headers); i++)
		payload[i] = (uint8_t)(i * 7 + 1);
}

static struct rte_ring *
ring_create(const char *name)
{
	struct rte_ring *ring =
		rte_ring_create(name, RING_SIZE, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);

	if (!ring)
		rounds_die("relay-ring: no memory for ring %s", name);
	return ring;
}

struct generator *
generator_create(uint16_t ports[GENERATOR_PORTS])
{
	static const char *const names[GENERATOR_PORTS][3] = {
		{"bench_callers", "callers_rx", "callers_tx"},
		{"bench_agents", "agents_rx", "agents_tx"},
	};
	struct generator *generator = calloc(1, sizeof(*generator));

	if (!generator)
		rounds_die("relay-ring: no memory");
	generator->pool = rte_pktmbuf_pool_create("bench_buffers", BUFFERS, BUFFER_CACHE, 0,
						  RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (!generator->pool)
		rounds_die("relay-ring: no memory for %d buffers", BUFFERS);
	rte_mempool_obj_iter(generator->pool, fill_payload, NULL);
	for (uint32_t i = 0; i < GENERATOR_PORTS; i++) {
		int port;

		generator->to_port[i] = ring_create(names[i][1]);
		generator->from_port[i] = ring_create(names[i][2]);
		port = rte_eth_from_rings(names[i][0], &generator->to_port[i], 1,
					  &generator->from_port[i], 1, 0);
		if (port < 0)
			rounds_die("relay-ring: net_ring port %s cannot be made", names[i][0]);
		generator->ports[i] = ports[i] = (uint16_t)port;
		generator->gateway_mac[i] = (struct rte_ether_addr){{2, 0, 0, 0, 0xfe, (uint8_t)i}};
	}
	return generator;
}

static void
template_fill(struct generator *generator, struct template *template,
	      const struct generator_stream *stream, uint32_t index)
{
	struct headers *headers = &template->headers;
	struct rte_mbuf *sample = rte_pktmbuf_alloc(generator->pool);
	struct headers *whole;

	if (!sample)
		rounds_die("relay-ring: no buffer");
	template->port = (uint16_t)stream->port;
	rte_eth_macaddr_get(generator->ports[stream->port], &headers->ether.dst_addr);
	headers->ether.src_addr = generator->gateway_mac[stream->port];
	headers->ether.ether_type = RTE_BE16(RTE_ETHER_TYPE_IPV4);
	headers->ip.version_ihl = RTE_IPV4_VHL_DEF;
	headers->ip.total_length = rte_cpu_to_be_16(FRAME_BYTES - sizeof(headers->ether));
	headers->ip.fragment_offset = RTE_BE16(RTE_IPV4_HDR_DF_FLAG);
	headers->ip.time_to_live = 60;
	headers->ip.next_proto_id = IPPROTO_UDP;
	headers->ip.src_addr = address_of(&stream->phone);
	headers->ip.dst_addr = address_of(&stream->leg);
	headers->ip.hdr_checksum = rte_ipv4_cksum(&headers->ip);
	headers->udp.src_port = rte_cpu_to_be_16(stream->phone.port);
	headers->udp.dst_port = rte_cpu_to_be_16(stream->leg.port);
	headers->udp.dgram_len = rte_cpu_to_be_16(sizeof(headers->udp) + GENERATOR_RTP_BYTES);
	headers->rtp.version = 0x80;
	headers->rtp.ssrc = rte_cpu_to_be_32(0x57000000 + index);
	headers->stream = index;
	/* The checksum of the whole, once; the payload is that of every buffer. */
	whole = rte_pktmbuf_mtod(sample, struct headers *);
	*whole = *headers;
	template->sum = (uint16_t)~rte_ipv4_udptcp_cksum(&whole->ip, &whole->udp);
	rte_pktmbuf_free(sample);
}

void
generator_load(struct generator *generator, const struct generator_stream *streams,
	       uint32_t streams_count, uint64_t seed)
{
	uint32_t *order = calloc(streams_count, sizeof(*order));

	free(generator->streams);
	free(generator->templates);
	generator->next = 0;
	generator->streams = calloc(streams_count, sizeof(*streams));
	generator->templates =
		aligned_alloc(64, (size_t)streams_count * sizeof(*generator->templates));
	if (!order || !generator->streams || !generator->templates)
		rounds_die("relay-ring: no memory");
	memcpy(generator->streams, streams, streams_count * sizeof(*streams));
	memset(generator->templates, 0, streams_count * sizeof(*generator->templates));
	generator->streams_count = streams_count;
	for (uint32_t i = 0; i < streams_count; i++) {
		uint32_t other = rounds_random_below(&seed, i + 1);

		order[i] = order[other];
		order[other] = i;
	}
	for (uint32_t i = 0; i < streams_count; i++)
		template_fill(generator, &generator->templates[i], &streams[order[i]], order[i]);
	free(order);
}

void
generator_gateway(struct generator *generator, uint32_t port, const struct stw_ip *ip)
{
	memcpy(&generator->gateway[port], ip->bytes, sizeof(rte_be32_t));
}

void
generator_set_beside(struct generator *generator, generator_beside_fn beside, void *argument)
{
	generator->beside = beside;
	generator->beside_argument = argument;
}

void
generator_checksums(struct generator *generator, bool checked_by_nic)
{
	generator->buffer_flags =
		checked_by_nic ? RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD : 0;
}

/* Write the next packet of the order into a buffer. */
static void
packet_fill(const struct generator *generator, struct rte_mbuf *mbuf,
	    const struct template *template)
{
	struct headers *headers;
	uint32_t sum = template->sum + generator->turn_sum;

	mbuf->data_off = RTE_PKTMBUF_HEADROOM;
	mbuf->port = generator->ports[template->port];
	mbuf->ol_flags = generator->buffer_flags;
	mbuf->packet_type = 0;
	mbuf->pkt_len = FRAME_BYTES;
	mbuf->data_len = FRAME_BYTES;
	mbuf->tx_offload = 0;
	headers = rte_pktmbuf_mtod(mbuf, struct headers *);
	*headers = template->headers;
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	headers->udp.dgram_cksum = sum == 0xffff ? 0xffff : (uint16_t)~sum;
	headers->rtp.sequence = rte_cpu_to_be_16(generator->sequence);
	headers->rtp.timestamp = rte_cpu_to_be_32(generator->timestamp);
}

static void
next_turn(struct generator *generator)
{
	rte_be32_t timestamp;

	generator->next = 0;
	generator->sequence++;
	generator->timestamp += TIMESTAMP_STEP;
	timestamp = rte_cpu_to_be_32(generator->timestamp);
	generator->turn_sum =
		rte_cpu_to_be_16(generator->sequence) + (timestamp & 0xffff) + (timestamp >> 16);
}

static void
send_to(struct generator *generator, uint32_t port, struct rte_mbuf **mbufs, uint32_t count,
	struct generator_count *counted)
{
	if (rte_ring_sp_enqueue_bulk(generator->to_port[port], (void **)mbufs, count, NULL) !=
	    count)
		rounds_die("relay-ring: a ring smaller than the window");
	generator->in_flight += count;
	counted->sent += count;
}

/* Send one burst of the order, as far as the window allows, and at most so many packets. */
static void
send_burst(struct generator *generator, uint64_t most, struct generator_count *counted)
{
	struct rte_mbuf *ready[GENERATOR_PORTS][BURST];
	uint32_t counts[GENERATOR_PORTS] = {0};
	uint32_t count = RTE_MIN(WINDOW - generator->in_flight, (uint32_t)BURST);

	count = (uint32_t)RTE_MIN(count, most);
	while (generator->spare_count < count) {
		struct rte_mbuf *mbuf = rte_pktmbuf_alloc(generator->pool);

		if (!mbuf)
			rounds_die("relay-ring: buffers have leaked");
		generator->spare[generator->spare_count++] = mbuf;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct template *template = &generator->templates[generator->next++];
		struct rte_mbuf *mbuf = generator->spare[--generator->spare_count];

		packet_fill(generator, mbuf, template);
		ready[template->port][counts[template->port]++] = mbuf;
		if (generator->next == generator->streams_count)
			next_turn(generator);
	}
	for (uint32_t port = 0; port < GENERATOR_PORTS; port++) {
		if (counts[port])
			send_to(generator, port, ready[port], counts[port], counted);
	}
}

/* Whether the phone that hears this packet is the one that should. */
static bool
is_right(const struct generator *generator, uint32_t port, struct rte_mbuf *mbuf)
{
	const struct headers *headers = rte_pktmbuf_mtod(mbuf, const struct headers *);
	uint32_t from = headers->stream;
	const struct generator_stream *to;

	if (from >= generator->streams_count || mbuf->nb_segs != 1)
		return false;
	to = &generator->streams[generator->streams[from].back];
	return to->port == port && headers->ip.src_addr == address_of(&to->leg) &&
	       headers->ip.dst_addr == address_of(&to->phone) &&
	       headers->udp.src_port == rte_cpu_to_be_16(to->leg.port) &&
	       headers->udp.dst_port == rte_cpu_to_be_16(to->phone.port) &&
	       rte_ipv4_cksum(&headers->ip) == 0 &&
	       rte_ipv4_udptcp_cksum(&headers->ip, &headers->udp) == 0xffff;
}

/* Answer who asks for the next hop; everything else that is no RTP is dropped. */
static void
handle_other(struct generator *generator, uint32_t port, struct rte_mbuf *mbuf)
{
	struct rte_ether_hdr *ether = rte_pktmbuf_mtod(mbuf, struct rte_ether_hdr *);
	struct rte_arp_hdr *arp = (struct rte_arp_hdr *)(ether + 1);

	if (mbuf->data_len < sizeof(*ether) + sizeof(*arp) ||
	    ether->ether_type != RTE_BE16(RTE_ETHER_TYPE_ARP) ||
	    arp->arp_opcode != RTE_BE16(RTE_ARP_OP_REQUEST) ||
	    arp->arp_data.arp_tip != generator->gateway[port]) {
		rte_pktmbuf_free(mbuf);
		return;
	}
	ether->dst_addr = ether->src_addr;
	ether->src_addr = generator->gateway_mac[port];
	arp->arp_opcode = RTE_BE16(RTE_ARP_OP_REPLY);
	arp->arp_data.arp_tha = arp->arp_data.arp_sha;
	arp->arp_data.arp_tip = arp->arp_data.arp_sip;
	arp->arp_data.arp_sha = generator->gateway_mac[port];
	arp->arp_data.arp_sip = generator->gateway[port];
	mbuf->ol_flags = 0;
	if (rte_ring_sp_enqueue(generator->to_port[port], mbuf) != 0)
		rte_pktmbuf_free(mbuf);
}

/* Take back what a port has sent; returns how much. */
static uint32_t
collect(struct generator *generator, uint32_t port, bool check, struct generator_count *counted)
{
	struct rte_mbuf *mbufs[BURST];
	uint32_t count =
		rte_ring_sc_dequeue_burst(generator->from_port[port], (void **)mbufs, BURST, NULL);

	for (uint32_t i = 0; i < count; i++)
		rte_prefetch0(rte_pktmbuf_mtod(mbufs[i], void *));
	for (uint32_t i = 0; i < count; i++) {
		if (mbufs[i]->pool != generator->pool && mbufs[i]->pkt_len == FRAME_BYTES) {
			counted->copies++;
			rte_pktmbuf_free(mbufs[i]);
			continue;
		}
		if (mbufs[i]->pkt_len != FRAME_BYTES) {
			counted->others++;
			handle_other(generator, port, mbufs[i]);
			continue;
		}
		counted->returned++;
		generator->in_flight -= generator->in_flight > 0;
		if (check && !is_right(generator, port, mbufs[i]))
			counted->wrong++;
		/* Only whole buffers of our own pool come round again. */
		if (mbufs[i]->pool == generator->pool && mbufs[i]->refcnt == 1 &&
		    generator->spare_count < WINDOW)
			generator->spare[generator->spare_count++] = mbufs[i];
		else
			rte_pktmbuf_free(mbufs[i]);
	}
	return count;
}

static uint32_t
collect_all(struct generator *generator, bool check, struct generator_count *counted)
{
	uint32_t count = 0;

	for (uint32_t port = 0; port < GENERATOR_PORTS; port++)
		count += collect(generator, port, check, counted);
	if (generator->beside)
		generator->beside(generator->beside_argument);
	return count;
}

uint32_t
generator_take(struct generator *generator)
{
	struct generator_count counted = {0};

	while (collect_all(generator, false, &counted))
		;
	return (uint32_t)(counted.returned + counted.copies);
}

/* Wait for what is on its way; what does not come for a while is lost. Returns the last arrival. */
static uint64_t
drain(struct generator *generator, bool check, struct generator_count *counted)
{
	uint64_t last_ns = rounds_now_ns();

	while (generator->in_flight > 0 && rounds_now_ns() - last_ns < LOST_NS) {
		if (collect_all(generator, check, counted))
			last_ns = rounds_now_ns();
	}
	generator->in_flight = 0;
	return last_ns;
}

void
generator_run(struct generator *generator, uint64_t duration_ns, bool check,
	      struct generator_count *count)
{
	uint64_t start_ns = rounds_now_ns();

	*count = (struct generator_count){0};
	next_turn(generator);
	if (duration_ns == 0) {
		while (count->sent < generator->streams_count) {
			send_burst(generator, generator->streams_count - count->sent, count);
			collect_all(generator, check, count);
		}
	} else {
		while (rounds_now_ns() - start_ns < duration_ns) {
			for (int i = 0; i < BURSTS_PER_CLOCK; i++) {
				if (generator->in_flight + BURST <= WINDOW)
					send_burst(generator, BURST, count);
				collect_all(generator, check, count);
			}
		}
	}
	count->ns = drain(generator, check, count) - start_ns;
}

void
generator_destroy(struct generator *generator)
{
	rte_pktmbuf_free_bulk(generator->spare, generator->spare_count);
	for (uint32_t i = 0; i < GENERATOR_PORTS; i++) {
		rte_ring_free(generator->to_port[i]);
		rte_ring_free(generator->from_port[i]);
	}
	rte_mempool_free(generator->pool);
	free(generator->templates);
	free(generator->streams);
	free(generator);
}
