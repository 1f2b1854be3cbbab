/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Jobs: one crypto operation for each packet of a burst, handed to the crypto devices and taken back
 * within the stage. Jobs lie in an array of the worker's, so the order of a burst is theirs, whatever
 * order the devices finish in.
 *
 * HMAC is only ever generated, into the job, and tags are compared by srtp_tag_is_right, in a time
 * that does not depend on them; it is made over the ciphered packet, before the cipher is undone. What
 * follows the packet in its buffer (SRTP_TAIL_BYTES) is used for the roll-over counter, and as a
 * place to cipher where there is no payload, since a device wants one.
 */
#ifndef STW_MEDIA_SRTP_JOB_H
#define STW_MEDIA_SRTP_JOB_H

#include <rte_crypto.h>
#include <rte_mbuf.h>

#include "media/packet.h"
#include "srtp.h"

struct worker;

/** Most jobs of a burst: each packet of it may need two while a key changes. */
#define SRTP_JOBS (2 * PACKET_BURST)

/** Bytes of an RTP header without sources and extension; of those of SRTCP that are authenticated only. */
#define SRTP_AAD_BYTES 12

/** Room behind a packet: tag, key identifier, index or roll-over counter; and a block to cipher. */
#define SRTP_TRAILER_BYTES_MAX (16 + STW_SRTP_MKI_BYTES_MAX + 4)
#define SRTP_BLOCK_BYTES       16
#define SRTP_TAIL_BYTES        (SRTP_TRAILER_BYTES_MAX + SRTP_BLOCK_BYTES)

/** Bytes of a generated HMAC-SHA1. */
#define SRTP_HMAC_BYTES 20

struct srtp_job {
	struct rte_crypto_op op;
	struct rte_crypto_sym_op sym; /**< behind op, as the devices want it */
	uint8_t iv[16];
	uint8_t hmac[SRTP_HMAC_BYTES]; /**< generated */
	uint8_t aad[SRTP_AAD_BYTES];   /**< of SRTCP */
	uint8_t tag[16];               /**< received */
	struct rte_mbuf *mbuf;
	uint64_t index;   /**< of the packet, 48 bits; of RTCP 31 */
	uint32_t context; /**< whose keys */
	uint32_t ssrc;    /**< wire order */
	uint16_t place;   /**< in the burst */
	uint16_t second;  /**< job with the former keys on a copy of the packet, and one; 0: none */
	uint16_t bytes;   /**< of the UDP payload, when done */
	uint8_t rtcp;
	uint8_t fresh;  /**< 1: the context has not met the SSRC */
	uint8_t device; /**< enum srtp_device */
	void *own;      /**< session of this operation alone; NULL: the context's */
} STW_ALIGNED_LINE;
static_assert(offsetof(struct srtp_job, sym) == sizeof(struct rte_crypto_op),
	      "one behind the other");

/** What waits to be protected. */
struct protect_item {
	struct rte_mbuf *mbuf;
	uint32_t context;
	uint32_t port;
	struct send_note note;
	uint16_t offset; /**< of the UDP payload in the frame */
	uint16_t bytes;  /**< of it */
	uint8_t rtcp;
	uint8_t failed; /**< enum stw_verdict; PACKET_PENDING: protected */
};

/** A worker's memory for SRTP. */
struct srtp_worker {
	uint32_t jobs_count;
	uint32_t queued[SRTP_DEVICES];
	uint32_t items_count;
	uint32_t sessions_count; /**< of jobs that have one of their own */
	struct srtp_job jobs[SRTP_JOBS];
	struct rte_crypto_op *queue[SRTP_DEVICES][SRTP_JOBS];
	struct protect_item items[SEND_MAX];
};

/** Describe a session of AEAD. */
void srtp_xform_aead(struct rte_crypto_sym_xform *xform, const uint8_t *key, uint8_t key_bytes,
		     bool inward, uint16_t aad_bytes);

/** Describe a session of counter mode and HMAC, in a chain of two. */
void srtp_xform_cm(struct rte_crypto_sym_xform chain[2], const struct srtp_session_keys *keys,
		   uint8_t key_bytes, bool inward);

/**
 * Begin a job of a packet: context, index, initialisation vector. There is always one (SRTP_JOBS).
 *
 * Source: RFC 3711 4.1.1, RFC 7714 8.1 and 9.1 (the initialisation vector).
 */
struct srtp_job *srtp_job_begin(struct worker *worker, uint32_t context, struct rte_mbuf *mbuf,
				uint32_t ssrc, uint64_t index, bool rtcp);

/**
 * Queue a job of counter mode: HMAC over `auth_bytes` from `offset` on, cipher from header_bytes behind
 * it on. With cipher_bytes 0 the block behind the authenticated bytes is ciphered, to no effect.
 */
void srtp_job_cm(struct worker *worker, struct srtp_job *job, uint32_t offset, uint32_t auth_bytes,
		 uint32_t header_bytes, uint32_t cipher_bytes);

/**
 * Queue a job of AEAD: cipher `bytes` from `offset` on; tag read or written at `tag`.
 *
 * @param aad_bytes  another count than SRTP_AAD_BYTES costs a session of its own for the operation
 */
void srtp_job_aead(struct worker *worker, struct srtp_job *job, uint32_t offset, uint32_t bytes,
		   uint8_t *tag, uint8_t *aad, uint32_t aad_bytes);

/**
 * Do all jobs that are queued; each has a status afterwards.
 *
 * Threads: the worker. Progress: wait-free (bound: SRTP_JOBS calls of each device, which is software).
 */
void srtp_jobs_run(struct worker *worker);

/** Whether tags are equal, in a time that depends on their length only. */
static inline bool
srtp_tag_is_right(const uint8_t *a, const uint8_t *b, unsigned bytes)
{
	uint8_t differs = 0;

	for (unsigned i = 0; i < bytes; i++)
		differs |= a[i] ^ b[i];
	return differs == 0;
}

/** Ask for what jobs of a context read. */
static inline void
srtp_prefetch(const struct srtp *srtp, uint32_t context)
{
	const struct srtp_head *head = &srtp->heads[context];
	uint32_t lines = srtp->crypto.session_lines[head->aead];
	const uint8_t *session = head->session;

	rte_prefetch0(srtp_replay(srtp, context, 0));
	for (; lines; lines &= lines - 1)
		rte_prefetch0(session + STW_CACHE_LINE * (unsigned)__builtin_ctz(lines));
}

/**
 * Place of an SSRC among a context's.
 *
 * @param ssrc  wire order
 * @return place; STW_SRTP_SSRCS_MAX: it has none
 */
static inline unsigned
srtp_place_find(const struct srtp_head *head, uint32_t ssrc)
{
	unsigned place = 0;

	ssrc = ssrc ? ssrc : UINT32_MAX;
	while (place < STW_SRTP_SSRCS_MAX &&
	       atomic_load_explicit(&head->owners[place], memory_order_relaxed) != ssrc)
		place++;
	return place;
}

/** The same, and a free place if it has none; of several workers that ask, all get the same. */
unsigned srtp_place_take(struct srtp_head *head, uint32_t ssrc);

/** Lengths and checksums of a frame whose UDP payload has become `bytes`; checked: UDP's is wanted. */
void srtp_frame_sign(struct rte_mbuf *mbuf, uint32_t offset, uint32_t bytes, bool checked);

/** Count a packet against a key's lifetime; false when it is over. */
static inline bool
srtp_lifetime_count(struct srtp_head *head, struct srtp_cold *cold)
{
	if (STW_LIKELY(!head->limited))
		return true;
	return atomic_fetch_add_explicit(&cold->packets, 1, memory_order_relaxed) <
	       cold->packets_max;
}

#endif
