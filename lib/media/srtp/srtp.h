/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SRTP contexts: the keys of one direction of a leg, and the SSRCs that go by them.
 *
 *  row      writer                                  read by
 *  head     control before it is published; owners by workers   workers, each packet
 *  replay   workers, by compare-and-swap             workers, each packet: a row for each of a context's SSRCs
 *  cold     control before it is published; some by workers     workers: RTCP, key lifetime, key change
 *  leg      control; counters by workers             workers, each packet: which contexts
 *
 * A context is published by its number in a leg's row. One that is replaced goes back to the pool when
 * every worker has passed a quiescent state since; while packets of former keys are still taken,
 * the new context names the old one in `previous`. Context 0 is none.
 *
 * SSRC numbers 0 and 0xffffffff share a place: 0 says that a place is free.
 */
#ifndef STW_MEDIA_SRTP_H
#define STW_MEDIA_SRTP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_crypto.h>

#include <strowger/media.h>
#include <strowger/session.h>
#include <strowger/srtp.h>

#include "base/base.h"
#include "replay.h"
#include "srtp_derive.h"

struct stw_media;

/** Kinds of crypto devices: which suites they serve. */
enum srtp_device {
	SRTP_DEVICE_CM,   /**< AES in counter mode and HMAC-SHA1 */
	SRTP_DEVICE_AEAD, /**< AES in Galois counter mode */
	SRTP_DEVICES,
};

/** Crypto devices as lib/io has opened them; each has a queue pair for each worker. */
struct srtp_crypto {
	uint8_t devices[SRTP_DEVICES]; /**< DPDK's ids; may be one */
	uint32_t session_lines
		[SRTP_DEVICES];      /**< lines of a session that an operation reads, a bit each */
	uint32_t session_bytes;      /**< memory of a session in the pool */
	enum stw_srtp_driver driver; /**< chosen; AUTO: there are none */
	struct rte_mempool *scratch[STW_MEDIA_WORKERS_MAX]; /**< each worker's, of SRTP_JOBS */
	struct rte_mempool *sessions;                       /**< two for each context */
};

/** What each RTP packet needs. */
struct srtp_head {
	void *session;                               /**< DPDK's, of RTP */
	uint8_t salt[16];                            /**< of RTP */
	_Atomic uint32_t owners[STW_SRTP_SSRCS_MAX]; /**< SSRC of each place, wire order; 0: free */
	_Atomic uint32_t previous; /**< context of the former keys, while they are taken; 0: none */
	uint8_t tag_bytes;         /**< of RTP */
	uint8_t mki_bytes;
	uint8_t aead;    /**< 1: AEAD */
	uint8_t limited; /**< 1: packets are counted against packets_max */
} STW_ALIGNED_LINE;
static_assert(sizeof(struct srtp_head) == STW_CACHE_LINE, "one line for each packet's sake");

/** What else there is. */
struct srtp_cold {
	void *session; /**< DPDK's, of RTCP */
	uint8_t salt[16];
	uint8_t mki[STW_SRTP_MKI_BYTES_MAX];
	uint8_t tag_bytes; /**< of RTCP */
	uint8_t key_bytes;
	uint8_t inward; /**< 1: of what the party sends */
	uint8_t keys
		[2]
		[STW_SRTP_KEY_BYTES_MAX]; /**< session keys of AEAD, for unusual headers: RTP, RTCP */
	uint32_t leg;                     /**< to whom it is sent; 0: no leg */
	uint32_t roc;                     /**< of an SSRC's first packet */
	_Atomic uint64_t packets;         /**< when limited */
	uint64_t packets_max;
	_Atomic uint64_t previous_until_ns; /**< end of the time in which `previous` is taken */
	struct replay_rtcp replays[STW_SRTP_SSRCS_MAX]; /**< of RTCP received */
	_Atomic uint32_t next[STW_SRTP_SSRCS_MAX];      /**< index of the next RTCP sent */

	/* Control's alone. */
	uint8_t digest[DERIVE_DIGEST_BYTES]; /**< tells equal keys */
	uint32_t generation;
} STW_ALIGNED_LINE;

/** Which contexts a leg has, and what SRTP has dropped of it. */
struct srtp_leg {
	_Atomic uint32_t in;  /**< 0: what the party sends is plain */
	_Atomic uint32_t out; /**< 0: what is sent to it is plain */
	_Atomic uint64_t malformed;
	_Atomic uint64_t auth_failed;
	_Atomic uint64_t replayed;
	_Atomic uint64_t refused;
	_Atomic uint64_t unsent;
} STW_ALIGNED_LINE;
static_assert(sizeof(struct srtp_leg) == STW_CACHE_LINE, "one line");

/** A context that waits for the workers. */
struct srtp_retired {
	uint64_t token;
	uint32_t context;
};

/** A key change whose former keys are still taken. */
struct srtp_overlap {
	uint64_t until_ns;
	uint32_t context;
	uint32_t generation;
};

/** All of it. Zeroed: there is no SRTP. */
struct srtp {
	struct srtp_crypto crypto;
	struct srtp_head *heads;
	struct replay *replays; /**< place of SSRC * slots + context */
	struct srtp_cold *colds;
	struct srtp_leg *legs; /**< by leg's slot */
	uint32_t max;          /**< contexts in use at most */
	uint32_t slots;        /**< of the rows, 0 included */
	uint32_t legs_slots;

	/* Control, under its mutex. */
	uint32_t *free;
	uint32_t free_count;
	uint32_t count;               /**< that legs have, without those of former keys */
	uint32_t others;              /**< of them: of no leg */
	struct srtp_retired *retired; /**< ring of slots */
	uint32_t retired_first;
	uint32_t retired_count;
	struct srtp_overlap *overlaps; /**< ring of slots, oldest first */
	uint32_t overlaps_first;
	uint32_t overlaps_count;
};

/** New contexts for a leg; 0: none. */
struct srtp_pair {
	uint32_t in;
	uint32_t out;
	uint8_t in_same;  /**< 1: the leg has these keys; its context stays */
	uint8_t out_same; /**< 1: likewise */
};

/** Slots of contexts, 0 and spare ones included, that srtp_max makes. */
uint32_t srtp_slots(uint32_t srtp_max);

/** Where a context's SSRC of that place has its indices: a row for each place, contexts side by side. */
static inline struct replay *
srtp_replay(const struct srtp *srtp, uint32_t context, uint32_t place)
{
	return &srtp->replays[(size_t)place * srtp->slots + context];
}

/** Make the rows; nothing when srtp_max is 0. 0 or -ENOMEM. Threads: one. */
int srtp_plane_init(struct stw_media *media, const struct srtp_crypto *crypto, uint32_t srtp_max);

/** Free rows and sessions, before the crypto devices are closed. Threads: one, the last. */
void srtp_plane_destroy(struct stw_media *media);

/** 0, or -EINVAL or -ENOTSUP when a leg's keys cannot be. Threads: any. */
int srtp_config_check(const struct stw_media *media, const struct stw_leg_config *config);

/**
 * Make the contexts that a description asks for. Nobody sees them yet.
 *
 * @param leg   whose; 0: of a new one
 * @param pair  set on success only; srtp_leg_set or srtp_pair_free takes it
 * @return 0, -ENOSPC, -EIO
 *
 * Threads: control, under the mutex. Progress: blocking (waits for memory). Order: none.
 */
int srtp_pair_make(struct stw_media *media, uint32_t leg, const struct stw_leg_config *config,
		   struct srtp_pair *pair);

/** Give them back unused. Threads: control, under the mutex. */
void srtp_pair_free(struct stw_media *media, const struct srtp_pair *pair);

/** Publish a leg's contexts, and retire the former. Threads: control, under the mutex. */
void srtp_leg_set(struct stw_media *media, uint32_t leg, const struct srtp_pair *pair,
		  uint64_t now_ns);

/** A leg is removed. Threads: control, under the mutex. */
void srtp_leg_remove(struct stw_media *media, uint32_t leg);

/**
 * Make a context of what is sent to nobody's leg: of a fork. Free it with srtp_context_remove.
 *
 * @param keys     borrowed; checked by srtp_keys_are_valid
 * @param context  set on success only
 * @return 0
 * @return -ENOTSUP  the plane was made with srtp_max 0
 * @return -ENOSPC   srtp_max contexts are in use
 * @return -EIO      the crypto device refused the keys
 *
 * Threads: control, under the mutex. Progress: blocking (waits for memory). Order: none.
 */
int srtp_context_add(struct stw_media *media, const struct stw_srtp_keys *keys, uint32_t *context);

/** Retire it, when no worker finds it any more but those that have. Threads: control, under the mutex. */
void srtp_context_remove(struct stw_media *media, uint32_t context);

/** Counters of a new leg. Threads: control, before the leg is seen. */
void srtp_leg_reset(struct stw_media *media, uint32_t leg);

/** Read a leg's counters. Threads: control, under the mutex. */
void srtp_leg_stats(const struct stw_media *media, uint32_t leg, struct stw_leg_stats *stats);

/** End overlaps, free contexts that no worker sees; a bounded part. Threads: control. */
void srtp_advance(struct stw_media *media, uint64_t now_ns);

/** Verify the invariants while nobody else uses the plane. */
void srtp_check(const struct stw_media *media);

#endif
