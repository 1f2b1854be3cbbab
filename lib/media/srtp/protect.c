/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stage protect: what is sent to parties that speak SRTP is enciphered and authenticated.
 *
 * A sequence number is protected once: a second packet with it would be enciphered with the same key
 * stream, which gives both away.
 *
 * Source: RFC 3711 3.3 and 3.4 (what is done in which order, and where tag, key identifier and SRTCP
 * index lie), RFC 7714 5, 8, 9, 10 (the same for AEAD).
 */
#include "protect.h"

#include <rte_udp.h>

#include "media/stage/stages.h"

/** Bit of SRTCP's index word: enciphered. */
#define RTCP_ENCIPHERED (UINT32_C(1) << 31)

/** Bytes of the RTCP header that are not enciphered. */
#define RTCP_CLEAR_BYTES 8

/** A copy that may be written, of one segment with room behind it; takes the buffer. */
static STW_COLD struct rte_mbuf *
mbuf_copy(struct worker *worker, uint32_t port, struct rte_mbuf *mbuf)
{
	struct rte_mbuf *copy = rte_pktmbuf_copy(
		mbuf, worker->media->ports[port].pools[worker->index], 0, UINT32_MAX);

	if (copy) {
		copy->ol_flags = mbuf->ol_flags & ~(RTE_MBUF_F_INDIRECT | RTE_MBUF_F_EXTERNAL);
		copy->tx_offload = mbuf->tx_offload;
		if (copy->nb_segs > 1 || rte_pktmbuf_tailroom(copy) < SRTP_TAIL_BYTES) {
			rte_pktmbuf_free(copy);
			copy = NULL;
		}
	}
	rte_pktmbuf_free(mbuf);
	return copy;
}

void
protect_add(struct worker *worker, uint32_t context, struct rte_mbuf *mbuf, uint32_t offset,
	    uint32_t bytes, bool rtcp, uint32_t port, struct send_note note)
{
	struct srtp_worker *own = worker->srtp;

	rte_prefetch0(&worker->media->srtp.heads[context]);
	if (STW_UNLIKELY(own->items_count == SEND_MAX))
		protect_run(worker);
	if (STW_UNLIKELY(((mbuf->nb_segs ^ 1) | (rte_mbuf_refcnt_read(mbuf) ^ 1)) ||
			 !RTE_MBUF_DIRECT(mbuf) || rte_pktmbuf_tailroom(mbuf) < SRTP_TAIL_BYTES)) {
		mbuf = mbuf_copy(worker, port, mbuf);
		if (!mbuf) {
			worker_refuse(worker, &note, STW_DROP_NO_BUFFER);
			return;
		}
	}
	own->items[own->items_count++] = (struct protect_item){
		.mbuf = mbuf,
		.context = context,
		.port = port,
		.note = note,
		.offset = (uint16_t)offset,
		.bytes = (uint16_t)bytes,
		.rtcp = rtcp,
		.failed = PACKET_PENDING,
	};
}

static uint8_t
protect_rtp(struct worker *worker, struct protect_item *item, uint16_t number)
{
	struct srtp *srtp = &worker->media->srtp;
	struct srtp_head *head = &srtp->heads[item->context];
	struct srtp_cold *cold = &srtp->colds[item->context];
	uint8_t *payload = rte_pktmbuf_mtod_offset(item->mbuf, uint8_t *, item->offset);
	struct stw_rtp_header rtp;
	struct srtp_job *job;
	uint32_t wire, roc;
	uint64_t index;
	unsigned place;

	if (stw_rtp_read(payload, item->bytes, &rtp) < 0)
		return STW_DROP_SRTP_MALFORMED;
	memcpy(&wire, payload + 8, sizeof(wire));
	place = srtp_place_take(head, wire);
	if (place == STW_SRTP_SSRCS_MAX)
		return STW_DROP_SRTP_SSRC;
	index = replay_estimate(srtp_replay(srtp, item->context, place), rtp.sequence, cold->roc);
	if (!replay_mark(srtp_replay(srtp, item->context, place), index, worker->several))
		return STW_DROP_SRTP_REPLAY;
	if (!srtp_lifetime_count(head, cold))
		return STW_DROP_SRTP_EXPIRED;
	job = srtp_job_begin(worker, item->context, item->mbuf, wire, index, false);
	job->place = number;
	item->mbuf->data_len += SRTP_TAIL_BYTES;
	item->mbuf->pkt_len = item->mbuf->data_len;
	if (head->aead) {
		srtp_job_aead(worker, job, item->offset + rtp.payload_offset,
			      item->bytes - rtp.payload_offset, payload + item->bytes, payload,
			      rtp.payload_offset);
		return PACKET_PENDING;
	}
	roc = rte_cpu_to_be_32((uint32_t)(index >> 16));
	memcpy(payload + item->bytes, &roc, sizeof(roc));
	srtp_job_cm(worker, job, item->offset, item->bytes + sizeof(roc), rtp.payload_offset,
		    item->bytes - rtp.payload_offset);
	return PACKET_PENDING;
}

static uint8_t
protect_rtcp(struct worker *worker, struct protect_item *item, uint16_t number)
{
	struct srtp *srtp = &worker->media->srtp;
	struct srtp_head *head = &srtp->heads[item->context];
	struct srtp_cold *cold = &srtp->colds[item->context];
	uint8_t *payload = rte_pktmbuf_mtod_offset(item->mbuf, uint8_t *, item->offset);
	uint32_t wire, index, word, clear = RTCP_CLEAR_BYTES;
	struct srtp_job *job;
	unsigned place;

	if (item->bytes < RTCP_CLEAR_BYTES)
		return STW_DROP_SRTP_MALFORMED;
	memcpy(&wire, payload + 4, sizeof(wire));
	place = srtp_place_take(head, wire);
	if (place == STW_SRTP_SSRCS_MAX)
		return STW_DROP_SRTP_SSRC;
	index = atomic_fetch_add_explicit(&cold->next[place], 1, memory_order_relaxed);
	if (index >= REPLAY_RTCP_END) {
		atomic_fetch_sub_explicit(&cold->next[place], 1, memory_order_relaxed);
		return STW_DROP_SRTP_EXPIRED;
	}
	job = srtp_job_begin(worker, item->context, item->mbuf, wire, index, true);
	job->place = number;
	item->mbuf->data_len += SRTP_TAIL_BYTES;
	item->mbuf->pkt_len = item->mbuf->data_len;
	word = rte_cpu_to_be_32(index | RTCP_ENCIPHERED);
	if (head->aead) {
		memcpy(job->aad, payload, clear);
		memcpy(job->aad + clear, &word, sizeof(word));
		memcpy(payload + item->bytes + cold->tag_bytes, &word, sizeof(word));
		srtp_job_aead(worker, job, item->offset + clear, item->bytes - clear,
			      payload + item->bytes, job->aad, sizeof(job->aad));
		return PACKET_PENDING;
	}
	memcpy(payload + item->bytes, &word, sizeof(word));
	srtp_job_cm(worker, job, item->offset, item->bytes + sizeof(word), clear,
		    item->bytes - clear);
	return PACKET_PENDING;
}

/** Write what follows the enciphered packet, and sign the frame. */
static void
job_finish(struct worker *worker, const struct srtp_job *job)
{
	const struct srtp *srtp = &worker->media->srtp;
	struct protect_item *item = &worker->srtp->items[job->place];
	const struct srtp_head *head = &srtp->heads[item->context];
	const struct srtp_cold *cold = &srtp->colds[item->context];
	uint8_t tag_bytes = job->rtcp ? cold->tag_bytes : head->tag_bytes;
	uint8_t *end = rte_pktmbuf_mtod_offset(item->mbuf, uint8_t *, item->offset + item->bytes);
	uint32_t behind = job->rtcp ? sizeof(uint32_t) : 0;

	if (STW_UNLIKELY(job->op.status != RTE_CRYPTO_OP_STATUS_SUCCESS)) {
		item->failed = STW_DROP_SRTP_MALFORMED;
		return;
	}
	if (head->aead) {
		/* The device has written the tag, and RTCP's index lies behind it. */
		behind += tag_bytes;
		if (head->mki_bytes)
			memcpy(end + behind, cold->mki, head->mki_bytes);
		behind += head->mki_bytes;
	} else {
		if (head->mki_bytes)
			memcpy(end + behind, cold->mki, head->mki_bytes);
		behind += head->mki_bytes;
		memcpy(end + behind, job->hmac, tag_bytes);
		behind += tag_bytes;
	}
	srtp_frame_sign(item->mbuf, item->offset, item->bytes + behind, true);
}

static void
item_refuse(struct worker *worker, const struct protect_item *item)
{
	struct srtp *srtp = &worker->media->srtp;

	worker_count(worker, &srtp->legs[srtp->colds[item->context].leg].unsent, 1);
	worker_refuse(worker, &item->note, item->failed);
	rte_pktmbuf_free(item->mbuf);
}

void
protect_run(struct worker *worker)
{
	struct srtp_worker *own = worker->srtp;
	uint32_t count = own->items_count;

	own->items_count = 0;
	own->jobs_count = 0;
	for (uint32_t i = 0; i < count; i++)
		srtp_prefetch(&worker->media->srtp, own->items[i].context);
	for (uint32_t i = 0; i < count; i++) {
		struct protect_item *item = &own->items[i];

		item->failed = item->rtcp ? protect_rtcp(worker, item, (uint16_t)i)
					  : protect_rtp(worker, item, (uint16_t)i);
	}
	srtp_jobs_run(worker);
	for (uint32_t i = 0; i < own->jobs_count; i++)
		job_finish(worker, &own->jobs[i]);
	for (uint32_t i = 0; i < count; i++) {
		struct protect_item *item = &own->items[i];

		if (item->failed == PACKET_PENDING) {
			worker_send(worker, item->port, item->mbuf, item->note);
			continue;
		}
		item_refuse(worker, item);
	}
}
