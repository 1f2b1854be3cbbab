/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Announcements of local addresses.
 *
 * Whoever asks sets a bit, worker 0 takes it. An address that is asked for again while it is being
 * announced begins anew, so there is nothing that could overflow. Every access is relaxed: addresses are
 * constant, and nothing else is handed over. With an advertisement goes a report that the address's
 * solicited-node group is listened to: switches that snoop send solicitations nowhere else.
 *
 * Source: RFC 5227 2.3 (two announcements or more), 3 (form); RFC 4861 7.2.6 (up to three, RetransTimer, one
 * second, apart).
 */
#include "announce.h"

#include <errno.h>

#include "host.h"
#include "host6.h"
#include "media.h"

/** Addresses on ports that DPDK owns, a bit each. */
static uint64_t
addresses_own(const struct stw_media *media)
{
	uint64_t owned = 0;

	for (uint32_t i = 0; i < media->addresses_count && i < STW_MEDIA_ADDRESSES_MAX; i++)
		owned |= (uint64_t)media->ports[media->addresses[i].port].owned << i;
	return owned;
}

int
announce_ask(struct media_io *io, uint32_t address)
{
	uint64_t wanted = addresses_own(&io->plane);

	if (address != UINT32_MAX && address >= io->plane.addresses_count)
		return -EINVAL;
	if (address != UINT32_MAX)
		wanted &= UINT64_C(1) << address;
	if (!wanted)
		return -ENOTSUP;
	atomic_fetch_or_explicit(&io->announces.asked, wanted, memory_order_relaxed);
	return 0;
}

int
stw_media_announce(struct stw_media *media, uint32_t address)
{
	return announce_ask((struct media_io *)media, address);
}

static void
asked_take(struct announces *announces, uint64_t now_ns)
{
	uint64_t asked = atomic_exchange_explicit(&announces->asked, 0, memory_order_relaxed);

	announces->under_way |= asked;
	for (; asked; asked &= asked - 1) {
		unsigned address = (unsigned)__builtin_ctzll(asked);

		announces->due_ns[address] = now_ns;
		announces->left[address] = ANNOUNCE_COUNT;
	}
}

/** What is made of an address. */
enum announcement { ANNOUNCEMENT, REPORT };

static bool
announcement_write(const struct stw_media *media, uint32_t address, enum announcement what,
		   struct rte_mbuf *mbuf)
{
	if (what == REPORT)
		return host6_report_write(media, address, mbuf);
	if (media->addresses[address].family == 6)
		return host6_announcement_write(media, address, mbuf);
	return host_question_write(media, address, media->addresses[address].ip, mbuf);
}

/** Put an announcement into its port's send queue; false when there is no buffer now. */
static bool
announcement_send(struct worker *worker, uint32_t address, enum announcement what)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(worker->play_pool);

	if (!mbuf)
		return false;
	if (!announcement_write(worker->media, address, what, mbuf)) {
		rte_pktmbuf_free(mbuf);
		return false;
	}
	worker_send(worker, worker->media->addresses[address].port, mbuf,
		    (struct send_note){.kind = SEND_OWN});
	return true;
}

static struct announces *
announces_of(struct worker *worker)
{
	return &((struct media_io *)worker->media)->announces;
}

void
announce_report(struct worker *worker, uint64_t addresses)
{
	atomic_fetch_or_explicit(&announces_of(worker)->reports_asked, addresses,
				 memory_order_relaxed);
}

static void
reports_send(struct worker *worker, struct announces *announces)
{
	unsigned sent = 0;

	if (atomic_load_explicit(&announces->reports_asked, memory_order_relaxed) &&
	    worker->now_ns - announces->reports_ns >= ANNOUNCE_REPORT_NS) {
		announces->reports |= atomic_exchange_explicit(&announces->reports_asked, 0,
							       memory_order_relaxed);
		announces->reports_ns = worker->now_ns;
	}
	for (; announces->reports && sent < ANNOUNCE_BURST; sent++) {
		unsigned address = (unsigned)__builtin_ctzll(announces->reports);

		if (!announcement_send(worker, address, REPORT))
			break;
		announces->reports &= announces->reports - 1;
	}
}

void
announce_turn(struct worker *worker)
{
	struct announces *announces = announces_of(worker);
	unsigned sent = 0;

	if (atomic_load_explicit(&announces->asked, memory_order_relaxed))
		asked_take(announces, worker->now_ns);
	for (uint64_t rest = announces->under_way; rest && sent < ANNOUNCE_BURST;
	     rest &= rest - 1) {
		unsigned address = (unsigned)__builtin_ctzll(rest);

		if (worker->now_ns < announces->due_ns[address])
			continue;
		/* Without a buffer now: in the next turn. */
		if (!announcement_send(worker, address, ANNOUNCEMENT))
			break;
		sent++;
		if (worker->media->addresses[address].family == 6)
			announces->reports |= UINT64_C(1) << address;
		announces->due_ns[address] = worker->now_ns + ANNOUNCE_INTERVAL_NS;
		if (--announces->left[address] == 0)
			announces->under_way &= ~(UINT64_C(1) << address);
	}
	reports_send(worker, announces);
}
