/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Crypto operations: described, queued, done.
 */
#include "srtp_job.h"

#include <string.h>

#include <rte_cryptodev.h>
#include <rte_ip.h>
#include <rte_udp.h>

#include "media/checksum.h"
#include "media/plane.h"

/** Where operations have their initialisation vector. */
#define IV_OFFSET offsetof(struct srtp_job, iv)

/** Bytes of AEAD's initialisation vector. */
#define IV_AEAD_BYTES 12

void
srtp_xform_aead(struct rte_crypto_sym_xform *xform, const uint8_t *key, uint8_t key_bytes,
		bool inward, uint16_t aad_bytes)
{
	*xform = (struct rte_crypto_sym_xform){.type = RTE_CRYPTO_SYM_XFORM_AEAD};
	xform->aead.op = inward ? RTE_CRYPTO_AEAD_OP_DECRYPT : RTE_CRYPTO_AEAD_OP_ENCRYPT;
	xform->aead.algo = RTE_CRYPTO_AEAD_AES_GCM;
	xform->aead.key.data = key;
	xform->aead.key.length = key_bytes;
	xform->aead.iv.offset = IV_OFFSET;
	xform->aead.iv.length = IV_AEAD_BYTES;
	xform->aead.digest_length = 16;
	xform->aead.aad_length = aad_bytes;
}

void
srtp_xform_cm(struct rte_crypto_sym_xform chain[2], const struct srtp_session_keys *keys,
	      uint8_t key_bytes, bool inward)
{
	struct rte_crypto_sym_xform cipher = {.type = RTE_CRYPTO_SYM_XFORM_CIPHER};
	struct rte_crypto_sym_xform auth = {.type = RTE_CRYPTO_SYM_XFORM_AUTH};

	/* Counter mode is its own inverse, and devices make an HMAC first only for this direction. */
	cipher.cipher.op = RTE_CRYPTO_CIPHER_OP_ENCRYPT;
	cipher.cipher.algo = RTE_CRYPTO_CIPHER_AES_CTR;
	cipher.cipher.key.data = keys->key;
	cipher.cipher.key.length = key_bytes;
	cipher.cipher.iv.offset = IV_OFFSET;
	cipher.cipher.iv.length = 16;
	auth.auth.op = RTE_CRYPTO_AUTH_OP_GENERATE;
	auth.auth.algo = RTE_CRYPTO_AUTH_SHA1_HMAC;
	auth.auth.key.data = keys->auth;
	auth.auth.key.length = DERIVE_AUTH_BYTES;
	auth.auth.digest_length = SRTP_HMAC_BYTES;
	chain[0] = inward ? auth : cipher;
	chain[1] = inward ? cipher : auth;
	chain[0].next = &chain[1];
}

/** The salt, with SSRC and index in it. */
static void
iv_make(uint8_t iv[16], const uint8_t salt[16], bool aead, uint32_t ssrc, uint64_t index)
{
	uint64_t wire = rte_cpu_to_be_64(index << 16);
	uint32_t at_ssrc;
	uint64_t at_index;

	memcpy(iv, salt, 16);
	memcpy(&at_ssrc, iv + (aead ? 2 : 4), sizeof(at_ssrc));
	at_ssrc ^= ssrc;
	memcpy(iv + (aead ? 2 : 4), &at_ssrc, sizeof(at_ssrc));
	memcpy(&at_index, iv + (aead ? 6 : 8), sizeof(at_index));
	at_index ^= wire;
	memcpy(iv + (aead ? 6 : 8), &at_index, sizeof(at_index));
}

struct srtp_job *
srtp_job_begin(struct worker *worker, uint32_t context, struct rte_mbuf *mbuf, uint32_t ssrc,
	       uint64_t index, bool rtcp)
{
	const struct srtp *srtp = &worker->media->srtp;
	const struct srtp_head *head = &srtp->heads[context];
	struct srtp_worker *own = worker->srtp;
	struct srtp_job *job = &own->jobs[own->jobs_count++];

	STW_DEBUG_ASSERT(own->jobs_count <= SRTP_JOBS);
	job->op = (struct rte_crypto_op){
		.type = RTE_CRYPTO_OP_TYPE_SYMMETRIC,
		.status = RTE_CRYPTO_OP_STATUS_NOT_PROCESSED,
		.sess_type = RTE_CRYPTO_OP_WITH_SESSION,
	};
	job->sym.session = rtcp ? srtp->colds[context].session : head->session;
	job->sym.m_src = mbuf;
	job->sym.m_dst = NULL;
	job->mbuf = mbuf;
	job->index = index;
	job->context = context;
	job->ssrc = ssrc;
	job->second = 0;
	job->own = NULL;
	job->rtcp = rtcp;
	job->device = head->aead;
	iv_make(job->iv, rtcp ? srtp->colds[context].salt : head->salt, head->aead, ssrc, index);
	return job;
}

static void
job_queue(struct srtp_worker *own, struct srtp_job *job)
{
	own->queue[job->device][own->queued[job->device]++] = &job->op;
}

void
srtp_job_cm(struct worker *worker, struct srtp_job *job, uint32_t offset, uint32_t auth_bytes,
	    uint32_t header_bytes, uint32_t cipher_bytes)
{
	if (STW_UNLIKELY(cipher_bytes == 0)) {
		header_bytes = auth_bytes;
		cipher_bytes = SRTP_BLOCK_BYTES;
	}
	job->sym.auth.data.offset = offset;
	job->sym.auth.data.length = auth_bytes;
	job->sym.auth.digest.data = job->hmac;
	job->sym.cipher.data.offset = offset + header_bytes;
	job->sym.cipher.data.length = cipher_bytes;
	job_queue(worker->srtp, job);
}

/**
 * A session for one operation, on a header of another length than the context's was made for: it says how
 * long the header is. The worker's own pool has one for each job; no session, no success.
 */
static STW_COLD void
job_session_make(struct worker *worker, struct srtp_job *job, uint32_t aad_bytes)
{
	const struct srtp *srtp = &worker->media->srtp;
	const struct srtp_cold *cold = &srtp->colds[job->context];
	struct rte_crypto_sym_xform xform;

	srtp_xform_aead(&xform, cold->keys[job->rtcp], cold->key_bytes, cold->inward,
			(uint16_t)aad_bytes);
	job->own = rte_cryptodev_sym_session_create(srtp->crypto.devices[job->device], &xform,
						    srtp->crypto.scratch[worker->index]);
	job->sym.session = job->own;
	worker->srtp->sessions_count++;
}

void
srtp_job_aead(struct worker *worker, struct srtp_job *job, uint32_t offset, uint32_t bytes,
	      uint8_t *tag, uint8_t *aad, uint32_t aad_bytes)
{
	job->sym.aead.data.offset = offset;
	job->sym.aead.data.length = bytes;
	job->sym.aead.digest.data = tag;
	job->sym.aead.aad.data = aad;
	if (STW_UNLIKELY(aad_bytes != SRTP_AAD_BYTES))
		job_session_make(worker, job, aad_bytes);
	if (STW_LIKELY(job->sym.session))
		job_queue(worker->srtp, job);
}

/** Hand one device's jobs over, and take all of them back: it works while it is asked for them. */
static void
device_run(uint8_t device, uint16_t queue, struct rte_crypto_op **ops, uint32_t count)
{
	struct rte_crypto_op *done[SRTP_JOBS];
	uint32_t given = 0, taken = 0;
	uint32_t calls = 0;

	while (taken < count) {
		if (given < count)
			given += rte_cryptodev_enqueue_burst(device, queue, &ops[given],
							     (uint16_t)(count - given));
		taken +=
			rte_cryptodev_dequeue_burst(device, queue, done, (uint16_t)(count - taken));
		/* It holds our buffers; a device that keeps them cannot be gone on with. */
		STW_ASSERT(calls++ < 16 * SRTP_JOBS);
	}
}

/** Free the sessions that were made for one operation each. */
static STW_COLD void
sessions_free(struct worker *worker)
{
	const struct srtp_crypto *crypto = &worker->media->srtp.crypto;
	struct srtp_worker *own = worker->srtp;

	own->sessions_count = 0;
	for (uint32_t i = 0; i < own->jobs_count; i++) {
		struct srtp_job *job = &own->jobs[i];

		if (job->own)
			rte_cryptodev_sym_session_free(crypto->devices[job->device], job->own);
		job->own = NULL;
	}
}

void
srtp_jobs_run(struct worker *worker)
{
	const struct srtp_crypto *crypto = &worker->media->srtp.crypto;
	struct srtp_worker *own = worker->srtp;

	for (unsigned device = 0; device < SRTP_DEVICES; device++) {
		if (!own->queued[device])
			continue;
		device_run(crypto->devices[device], (uint16_t)worker->index, own->queue[device],
			   own->queued[device]);
		own->queued[device] = 0;
	}
	if (STW_UNLIKELY(own->sessions_count))
		sessions_free(worker);
}

unsigned
srtp_place_take(struct srtp_head *head, uint32_t ssrc)
{
	unsigned place = srtp_place_find(head, ssrc);

	if (place < STW_SRTP_SSRCS_MAX)
		return place;
	ssrc = ssrc ? ssrc : UINT32_MAX;
	for (place = 0; place < STW_SRTP_SSRCS_MAX; place++) {
		uint32_t owner = 0;

		if (atomic_compare_exchange_strong_explicit(&head->owners[place], &owner, ssrc,
							    memory_order_relaxed,
							    memory_order_relaxed) ||
		    owner == ssrc)
			break;
	}
	return place;
}

/** Sum of UDP's pseudo header, whose addresses lie before the UDP header. */
static uint64_t
pseudo_sum(const uint8_t *ip, bool v6, uint32_t udp_bytes)
{
	uint64_t sum =
		rte_cpu_to_be_16(IPPROTO_UDP) + (uint64_t)rte_cpu_to_be_16((uint16_t)udp_bytes);

	return v6 ? checksum_add(sum, ip + 8, 32) : checksum_add(sum, ip + 12, 8);
}

void
srtp_frame_sign(struct rte_mbuf *mbuf, uint32_t offset, uint32_t bytes, bool checked)
{
	uint8_t *frame = rte_pktmbuf_mtod(mbuf, uint8_t *);
	struct rte_udp_hdr *udp = (struct rte_udp_hdr *)(void *)(frame + offset - sizeof(*udp));
	uint16_t udp_bytes = (uint16_t)(sizeof(*udp) + bytes);
	uint8_t *ip = frame + sizeof(struct rte_ether_hdr);
	bool v6;

	if (frame[12] == 0x81 && frame[13] == 0)
		ip += sizeof(struct rte_vlan_hdr);
	v6 = *ip >> 4 == 6;
	if (v6) {
		uint16_t length = rte_cpu_to_be_16((uint16_t)(udp_bytes + ((uint8_t *)udp - ip) -
							      sizeof(struct rte_ipv6_hdr)));

		memcpy(ip + 4, &length, sizeof(length));
	} else {
		struct rte_ipv4_hdr *header = (struct rte_ipv4_hdr *)(void *)ip;
		uint16_t before = header->total_length;

		header->total_length =
			rte_cpu_to_be_16((uint16_t)(udp_bytes + ((uint8_t *)udp - ip)));
		if (!(mbuf->ol_flags & RTE_MBUF_F_TX_IP_CKSUM))
			header->hdr_checksum =
				checksum_update(header->hdr_checksum, before, header->total_length);
	}
	mbuf->data_len = (uint16_t)(offset + bytes);
	mbuf->pkt_len = mbuf->data_len;
	udp->dgram_len = rte_cpu_to_be_16(udp_bytes);
	udp->dgram_cksum = 0;
	if (mbuf->ol_flags & RTE_MBUF_F_TX_UDP_CKSUM) {
		udp->dgram_cksum = checksum_fold(pseudo_sum(ip, v6, udp_bytes));
	} else if (checked) {
		udp->dgram_cksum = (uint16_t)~checksum_fold(checksum_add(
			pseudo_sum(ip, v6, udp_bytes), (const uint8_t *)udp, udp_bytes));
		udp->dgram_cksum = udp->dgram_cksum ? udp->dgram_cksum : 0xffff;
	}
}
