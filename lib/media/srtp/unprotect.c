/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage unprotect: what a party that speaks SRTP sends is checked and deciphered in place, before
 * anything else looks at its payload. A leg learns its source here, only from a packet that is authentic.
 *
 * While the former keys of a leg are still taken, and no key identifier tells which are a packet's,
 * two jobs are made: the new keys on the packet, the former on a copy of it. One at most is authentic.
 *
 *  label  where                   order    pairs with  without it
 *  K2     leg's in: read          acquire  K1          (srtp_leg.c) an unfilled context is met
 *
 * Source: RFC 3711 3.3 and 3.4, RFC 7714 5, 8, 9, 10.
 */
#include "media/stage/stages.h"

#include <rte_udp.h>

#include "media/plane.h"
#include "protect.h"
#include "rtp/rtcp.h"

/** Bit of SRTCP's index word: enciphered. */
#define RTCP_ENCIPHERED (UINT32_C(1) << 31)

/** Bytes of the RTCP header that are not enciphered. */
#define RTCP_CLEAR_BYTES 8

/** Bit of RTP's first byte: there is padding. */
#define RTP_PADDING 0x20

static uint32_t
payload_offset(const struct packet *packet)
{
	return packet->udp_offset + (uint32_t)sizeof(struct rte_udp_hdr);
}

/** Drop a packet for what SRTP finds wrong with it, and count that for its leg. */
static void
packet_refuse(struct worker *worker, struct packet *packet, uint8_t verdict)
{
	struct srtp_leg *leg = &worker->media->srtp.legs[packet->leg];
	_Atomic uint64_t *counter;

	packet_drop(packet, verdict);
	switch (verdict) {
	case STW_DROP_SRTP_AUTH:
		counter = &leg->auth_failed;
		break;
	case STW_DROP_SRTP_REPLAY:
		counter = &leg->replayed;
		break;
	case STW_DROP_SRTP_SSRC:
	case STW_DROP_SRTP_EXPIRED:
		counter = &leg->refused;
		break;
	default:
		counter = &leg->malformed;
		break;
	}
	worker_count(worker, counter, 1);
}

/** Queue a packet's job for one context; or say what is wrong with it. */
static uint8_t
unprotect_rtp(struct worker *worker, const struct packet *packet, struct rte_mbuf *mbuf,
	      uint32_t context, uint16_t number)
{
	struct srtp *srtp = &worker->media->srtp;
	const struct srtp_head *head = &srtp->heads[context];
	uint32_t offset = payload_offset(packet), overhead = head->tag_bytes + head->mki_bytes;
	uint8_t *payload = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, offset);
	uint32_t bytes = packet->payload_bytes, header = packet->rtp.payload_offset;
	unsigned place;
	struct srtp_job *job;
	uint32_t wire, roc;
	uint64_t index;

	memcpy(&wire, payload + 8, sizeof(wire));
	place = srtp_place_find(head, wire);
	if (place == STW_SRTP_SSRCS_MAX)
		index = (uint64_t)srtp->colds[context].roc << 16 | packet->rtp.sequence;
	else
		index = replay_estimate(srtp_replay(srtp, context, place), packet->rtp.sequence,
					srtp->colds[context].roc);
	if (place < STW_SRTP_SSRCS_MAX &&
	    !replay_is_fresh(srtp_replay(srtp, context, place), index))
		return STW_DROP_SRTP_REPLAY;
	job = srtp_job_begin(worker, context, mbuf, wire, index, false);
	job->place = number;
	job->fresh = place == STW_SRTP_SSRCS_MAX;
	bytes -= overhead;
	job->bytes = (uint16_t)bytes;
	mbuf->data_len += SRTP_TAIL_BYTES;
	mbuf->pkt_len = mbuf->data_len;
	if (head->aead) {
		srtp_job_aead(worker, job, offset + header, bytes - header, payload + bytes,
			      payload, header);
		return PACKET_PENDING;
	}
	memcpy(job->tag, payload + bytes + head->mki_bytes, head->tag_bytes);
	roc = rte_cpu_to_be_32((uint32_t)(index >> 16));
	memcpy(payload + bytes, &roc, sizeof(roc));
	srtp_job_cm(worker, job, offset, bytes + sizeof(roc), header, bytes - header);
	return PACKET_PENDING;
}

/** AEAD of SRTCP: header and index word are authenticated only; without E bit everything is. */
static void
rtcp_aead(struct worker *worker, struct srtp_job *job, uint8_t *payload, uint32_t offset,
	  uint32_t word, uint8_t tag_bytes)
{
	uint32_t bytes = job->bytes;

	if (word & rte_cpu_to_be_32(RTCP_ENCIPHERED)) {
		memcpy(job->aad, payload, RTCP_CLEAR_BYTES);
		memcpy(job->aad + RTCP_CLEAR_BYTES, &word, sizeof(word));
		srtp_job_aead(worker, job, offset + RTCP_CLEAR_BYTES, bytes - RTCP_CLEAR_BYTES,
			      payload + bytes, job->aad, sizeof(job->aad));
		return;
	}
	memcpy(job->tag, payload + bytes, tag_bytes);
	memcpy(payload + bytes, &word, sizeof(word));
	srtp_job_aead(worker, job, offset + bytes + sizeof(word), 0, job->tag, payload,
		      bytes + sizeof(word));
}

static uint8_t
unprotect_rtcp(struct worker *worker, const struct packet *packet, struct rte_mbuf *mbuf,
	       uint32_t context, uint16_t number)
{
	struct srtp *srtp = &worker->media->srtp;
	const struct srtp_head *head = &srtp->heads[context];
	struct srtp_cold *cold = &srtp->colds[context];
	uint32_t offset = payload_offset(packet), overhead, word, wire, index;
	uint8_t *payload = rte_pktmbuf_mtod_offset(mbuf, uint8_t *, offset);
	uint32_t bytes = packet->payload_bytes;
	struct srtp_job *job;
	bool enciphered;
	unsigned place;

	overhead = sizeof(word) + head->mki_bytes + cold->tag_bytes;
	memcpy(&word,
	       payload + bytes - sizeof(word) - head->mki_bytes -
		       (head->aead ? 0 : cold->tag_bytes),
	       sizeof(word));
	enciphered = word & rte_cpu_to_be_32(RTCP_ENCIPHERED);
	index = rte_be_to_cpu_32(word) & ~RTCP_ENCIPHERED;
	memcpy(&wire, payload + 4, sizeof(wire));
	place = srtp_place_find(head, wire);
	if (place < STW_SRTP_SSRCS_MAX && !replay_rtcp_is_fresh(&cold->replays[place], index))
		return STW_DROP_SRTP_REPLAY;
	job = srtp_job_begin(worker, context, mbuf, wire, index, true);
	job->place = number;
	job->fresh = 0;
	bytes -= overhead;
	job->bytes = (uint16_t)bytes;
	mbuf->data_len += SRTP_TAIL_BYTES;
	mbuf->pkt_len = mbuf->data_len;
	if (head->aead) {
		rtcp_aead(worker, job, payload, offset, word, cold->tag_bytes);
		return PACKET_PENDING;
	}
	memcpy(job->tag, payload + bytes + sizeof(word) + head->mki_bytes, cold->tag_bytes);
	srtp_job_cm(worker, job, offset, bytes + sizeof(word), RTCP_CLEAR_BYTES,
		    enciphered ? bytes - RTCP_CLEAR_BYTES : 0);
	return PACKET_PENDING;
}

static uint8_t
unprotect_with(struct worker *worker, const struct packet *packet, struct rte_mbuf *mbuf,
	       uint32_t context, uint16_t number)
{
	return packet->kind == PACKET_RTP ? unprotect_rtp(worker, packet, mbuf, context, number)
					  : unprotect_rtcp(worker, packet, mbuf, context, number);
}

/** Whether a packet is long enough for a context, has room behind it, and names its key. */
static uint8_t
packet_fits(const struct srtp *srtp, const struct packet *packet, uint32_t context)
{
	const struct srtp_head *head = &srtp->heads[context];
	const struct srtp_cold *cold = &srtp->colds[context];
	uint32_t end = payload_offset(packet) + packet->payload_bytes;
	bool rtp = packet->kind == PACKET_RTP;
	uint32_t least = head->mki_bytes;

	least += rtp ? packet->rtp.payload_offset + head->tag_bytes
		     : RTCP_CLEAR_BYTES + (uint32_t)sizeof(uint32_t) + cold->tag_bytes;
	if (packet->payload_bytes < least || rte_pktmbuf_tailroom(packet->mbuf) < SRTP_TAIL_BYTES)
		return STW_DROP_SRTP_MALFORMED;
	if (STW_LIKELY(!head->mki_bytes))
		return PACKET_PENDING;
	if (!head->aead)
		end -= rtp ? head->tag_bytes : cold->tag_bytes;
	return memcmp(rte_pktmbuf_mtod_offset(packet->mbuf, const uint8_t *, end - head->mki_bytes),
		      cold->mki, head->mki_bytes) == 0
		       ? PACKET_PENDING
		       : STW_DROP_SRTP_AUTH;
}

/** Former keys that are still taken; 0: there are none. */
static uint32_t
context_previous(const struct worker *worker, uint32_t context)
{
	const struct srtp *srtp = &worker->media->srtp;
	uint32_t previous =
		atomic_load_explicit(&srtp->heads[context].previous, memory_order_relaxed);

	if (STW_LIKELY(!previous) ||
	    worker->now_ns >= atomic_load_explicit(&srtp->colds[context].previous_until_ns,
						   memory_order_relaxed))
		return 0;
	return previous;
}

/** The former keys may be a packet's, too: try both, or those that fit. */
static STW_COLD void
unprotect_either(struct worker *worker, struct packet *packet, uint32_t context, uint32_t previous,
		 uint16_t number)
{
	const struct srtp *srtp = &worker->media->srtp;
	uint8_t verdict = packet_fits(srtp, packet, context);
	bool former = packet_fits(srtp, packet, previous) == PACKET_PENDING;
	struct srtp_worker *own = worker->srtp;
	uint32_t first = own->jobs_count;
	struct rte_mbuf *copy = NULL;

	if (verdict == PACKET_PENDING && former)
		copy = rte_pktmbuf_copy(packet->mbuf,
					worker->media->ports[worker->port].pools[worker->index], 0,
					UINT32_MAX);
	if (verdict == PACKET_PENDING)
		verdict = unprotect_with(worker, packet, packet->mbuf, context, number);
	if (verdict != PACKET_PENDING && former) {
		verdict = unprotect_with(worker, packet, packet->mbuf, previous, number);
		former = false;
	}
	if (copy && former && rte_pktmbuf_tailroom(copy) >= SRTP_TAIL_BYTES &&
	    unprotect_with(worker, packet, copy, previous, number) == PACKET_PENDING)
		own->jobs[first].second = (uint16_t)own->jobs_count;
	else
		rte_pktmbuf_free(copy);
	if (verdict != PACKET_PENDING)
		packet_refuse(worker, packet, verdict);
}

static bool
job_is_authentic(const struct srtp *srtp, const struct srtp_job *job)
{
	const struct srtp_head *head = &srtp->heads[job->context];

	if (job->op.status != RTE_CRYPTO_OP_STATUS_SUCCESS)
		return false;
	return head->aead ||
	       srtp_tag_is_right(job->hmac, job->tag,
				 job->rtcp ? srtp->colds[job->context].tag_bytes : head->tag_bytes);
}

/** An authentic packet is noted with its SSRC; PACKET_PENDING when it is the first of its kind. */
static uint8_t
job_note(struct worker *worker, const struct srtp_job *job)
{
	struct srtp *srtp = &worker->media->srtp;
	struct srtp_head *head = &srtp->heads[job->context];
	struct srtp_cold *cold = &srtp->colds[job->context];
	unsigned place = srtp_place_take(head, job->ssrc);

	if (place == STW_SRTP_SSRCS_MAX)
		return STW_DROP_SRTP_SSRC;
	if (job->rtcp)
		return replay_rtcp_mark(&cold->replays[place], (uint32_t)job->index,
					worker->several)
			       ? PACKET_PENDING
			       : STW_DROP_SRTP_REPLAY;
	if (!replay_mark(srtp_replay(srtp, job->context, place), job->index, worker->several))
		return STW_DROP_SRTP_REPLAY;
	return srtp_lifetime_count(head, cold) ? PACKET_PENDING : STW_DROP_SRTP_EXPIRED;
}

/** The deciphered packet takes the place of the received one. */
static uint8_t
packet_open(struct worker *worker, struct packet *packet, uint16_t bytes)
{
	uint32_t offset = payload_offset(packet);
	const uint8_t *payload = rte_pktmbuf_mtod_offset(packet->mbuf, const uint8_t *, offset);
	bool seen = packet->fork_first || !packet->peer || !protect_context(worker, packet->peer);

	/* What is protected again at once needs no checksum in between. */
	packet->mbuf->ol_flags &= RTE_MBUF_F_EXTERNAL | RTE_MBUF_F_INDIRECT;
	srtp_frame_sign(packet->mbuf, offset, bytes, seen);
	packet->payload_bytes = bytes;
	if (packet->kind == PACKET_RTCP)
		return rtp_rtcp_check_reduced(payload, bytes) < 0 ? STW_DROP_SRTP_MALFORMED
								  : PACKET_PENDING;
	/* Padding can be counted only now. */
	if (payload[0] & RTP_PADDING)
		return stw_rtp_read(payload, bytes, &packet->rtp) < 0 ? STW_DROP_SRTP_MALFORMED
								      : PACKET_PENDING;
	packet->rtp.payload_bytes = bytes - packet->rtp.payload_offset;
	return PACKET_PENDING;
}

/** What became of a packet's job, and of the second one with the former keys if there is one. */
static void
job_finish(struct worker *worker, struct packet *packet, struct srtp_job *job)
{
	struct srtp *srtp = &worker->media->srtp;
	struct srtp_job *second = job->second ? &worker->srtp->jobs[job->second - 1] : NULL;
	bool authentic = job_is_authentic(srtp, job);
	uint8_t verdict = STW_DROP_SRTP_AUTH;

	if (second && !authentic && job_is_authentic(srtp, second)) {
		rte_pktmbuf_free(packet->mbuf);
		packet->mbuf = second->mbuf;
		job = second;
		authentic = true;
	} else if (second) {
		rte_pktmbuf_free(second->mbuf);
	}
	if (authentic)
		verdict = job_note(worker, job);
	if (verdict == PACKET_PENDING)
		verdict = packet_open(worker, packet, job->bytes);
	if (verdict != PACKET_PENDING)
		packet_refuse(worker, packet, verdict);
	else if (packet->marks & PACKET_LEARN)
		guard_latch(worker, packet);
}

/** Do the jobs that are queued, and finish their packets in the order of the burst. */
static void
jobs_finish(struct worker *worker, struct packet *packets)
{
	struct srtp_worker *own = worker->srtp;

	srtp_jobs_run(worker);
	for (uint32_t i = 0; i < own->jobs_count; i++) {
		struct srtp_job *job = &own->jobs[i];

		job_finish(worker, &packets[job->place], job);
		/* The second job of a packet follows its first. */
		i += job->second != 0;
	}
	own->jobs_count = 0;
}

/**
 * Whether a job of this burst is the first of the same context's SSRC: its index is not known before that
 * job is done, as sequence numbers may begin anywhere.
 */
static STW_COLD bool
ssrc_is_begun(const struct srtp_worker *own, uint32_t context)
{
	for (uint32_t i = 0; i < own->jobs_count; i++) {
		if (own->jobs[i].context == context && own->jobs[i].fresh)
			return true;
	}
	return false;
}

static void
unprotect_packet(struct worker *worker, struct packet *packets, uint16_t number, uint32_t context)
{
	struct packet *packet = &packets[number];
	struct srtp *srtp = &worker->media->srtp;
	uint32_t previous = context_previous(worker, context);
	uint8_t verdict;
	uint32_t ssrc;

	if (STW_UNLIKELY(previous)) {
		unprotect_either(worker, packet, context, previous, number);
		return;
	}
	verdict = packet_fits(srtp, packet, context);
	if (verdict == PACKET_PENDING && packet->kind == PACKET_RTP) {
		ssrc = rte_cpu_to_be_32(packet->rtp.ssrc);
		if (srtp_place_find(&srtp->heads[context], ssrc) == STW_SRTP_SSRCS_MAX &&
		    ssrc_is_begun(worker->srtp, context))
			jobs_finish(worker, packets);
	}
	if (verdict == PACKET_PENDING)
		verdict = unprotect_with(worker, packet, packet->mbuf, context, number);
	if (verdict != PACKET_PENDING)
		packet_refuse(worker, packet, verdict);
}

void
stage_unprotect(struct worker *worker, struct packet *packets, unsigned count)
{
	struct srtp *srtp = &worker->media->srtp;
	uint32_t contexts[PACKET_BURST];

	if (!(worker->burst_features & LEG_SRTP))
		return;
	for (unsigned i = 0; i < count; i++) {
		if (packets[i].verdict == PACKET_PENDING && packets[i].features & LEG_SRTP)
			rte_prefetch0(&srtp->legs[packets[i].leg]);
	}
	for (unsigned i = 0; i < count; i++) {
		contexts[i] = 0;
		if (packets[i].verdict != PACKET_PENDING || !(packets[i].features & LEG_SRTP))
			continue;
		/* K2, pairs with K1: who finds the context finds it filled. */
		contexts[i] =
			atomic_load_explicit(&srtp->legs[packets[i].leg].in, memory_order_acquire);
		rte_prefetch0(&srtp->heads[contexts[i]]);
		rte_prefetch0(&srtp->legs[packets[i].peer]);
		/* Only what is sent to the party is SRTP. */
		if (!contexts[i] && packets[i].marks & PACKET_LEARN)
			guard_latch(worker, &packets[i]);
	}
	for (unsigned i = 0; i < count; i++) {
		if (contexts[i])
			srtp_prefetch(srtp, contexts[i]);
	}
	worker->srtp->jobs_count = 0;
	for (unsigned i = 0; i < count; i++) {
		if (contexts[i])
			unprotect_packet(worker, packets, (uint16_t)i, contexts[i]);
	}
	jobs_finish(worker, packets);
}
