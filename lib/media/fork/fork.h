/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forks of sessions, and the recording thread's side of them.
 *
 * Life of a fork's slot: free -> opening (its file is made) -> open (in the session's list, workers
 * copy) -> ending (out of the list: first a worker may still copy, then what is queued is written,
 * then the file is closed) -> free. The recording thread does the last step of a fork with a file,
 * control the others. A fork without a file ends when no worker sees it any more.
 */
#ifndef STW_MEDIA_FORK_H
#define STW_MEDIA_FORK_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <strowger/fork.h>
#include <strowger/media.h>

#include "base/base.h"
#include "media/stage/datagram.h"

struct record_pcapng;
struct record_wav;
struct rte_mbuf;

enum fork_state {
	FORK_FREE,    /**< nobody's */
	FORK_OPENING, /**< its file is being made; in no list */
	FORK_OPEN,    /**< in its session's list */
	FORK_ENDING,  /**< waits for the workers, then for its last copies */
};

/*
 * Word of a fork: which packets it gets, and what becomes of their copies.
 *  bits 0 - 2  1 << enum stw_side: whose packets
 *  bit 3       only packets with the leg's audio
 *  bit 4       only RTP
 *  bit 5       paused
 *  bits 8 - 9  enum fork_way
 *  bits 16 - 31  how often it was resumed: a stream goes on behind the gap
 */
#define FORK_SIDES      7u
#define FORK_AUDIO_ONLY (1u << 3)
#define FORK_RTP_ONLY   (1u << 4)
#define FORK_PAUSED     (1u << 5)
#define FORK_WAY_SHIFT  8
#define FORK_WAY_MASK   3u
#define FORK_RESUMED    (1u << 16)

/** How copies leave the worker. */
enum fork_way {
	FORK_TO_FILE,     /**< through the ring of the recording thread */
	FORK_TO_CONSUMER, /**< through a ring of the fork's consumer */
	FORK_TO_NETWORK,  /**< through a port */
};

/** What workers read of a fork. All but the atomics is constant from OPEN on. */
struct fork_route {
	_Atomic uint32_t next;         /**< of the session's list; 0: last */
	_Atomic uint32_t word;         /**< FORK_ bits */
	uint64_t handle;               /**< the fork's */
	uint64_t cookie;               /**< the session's */
	struct stw_consumer *consumer; /**< borrowed; of FORK_TO_CONSUMER */
	uint64_t start_ns;             /**< of FORK_TO_NETWORK, as the rest: when it was added */
	uint32_t ssrc[STW_SIDE_COUNT]; /**< of the streams sent */
	uint32_t address;              /**< index of the local address */
	uint32_t srtp;                 /**< context of the streams sent; 0: they are plain */
} STW_ALIGNED_LINE;
static_assert(sizeof(struct fork_route) == STW_CACHE_LINE, "one line for each copy's sake");

/** One side of a fork: what the workers write that receive its packets. */
struct fork_side {
	_Atomic uint64_t packets;         /**< copies handed on */
	_Atomic uint64_t packets_dropped; /**< copies lost */
	_Atomic uint64_t packets_paused;  /**< not copied, as the fork was paused */
	_Atomic uint64_t map;          /**< FORK_TO_NETWORK: what is sent for what came (udp.c) */
	_Atomic uint64_t last;         /**< FORK_TO_NETWORK: newest packet sent (udp.c) */
	struct datagram_target target; /**< FORK_TO_NETWORK; constant from OPEN on */
} STW_ALIGNED_LINE;
static_assert(sizeof(struct fork_side) == STW_CACHE_LINE, "one line for each copy's sake");

/** A fork. Slot 0 is none. */
struct fork {
	struct fork_route route;
	struct fork_side sides[STW_SIDE_COUNT];

	/* Control, under its mutex; the recording thread takes it to go on from ENDING. */
	enum fork_state state STW_ALIGNED_LINE;
	uint32_t generation;
	uint32_t session;     /**< slot; while OPEN */
	uint32_t following;   /**< in the recorder's list of ending ones, or control's; 0: last */
	uint32_t local_place; /**< of the UDP port that its packets come from; only of UDP */
	uint64_t token;       /**< of rcu, when it left the list */
	uint64_t session_handle;

	/* Constant from OPEN on. */
	enum stw_fork_kind kind;
	struct record_pcapng *pcapng;
	struct record_wav *wav;

	/* The recording thread's. */
	_Atomic uint64_t packets_written STW_ALIGNED_LINE;
	_Atomic uint64_t bytes_written;
	uint64_t *drained_at; /**< copies of each worker that must have been taken */
	uint8_t drain_known;  /**< 1: drained_at is filled, no worker copies any more */
	int error;            /**< the file failed: nothing more is written */
};

/** What a copy says of itself, in its first buffer's private area. */
struct fork_note {
	uint64_t time_ns;        /**< when the packet came */
	uint32_t fork;           /**< slot */
	uint32_t ssrc;           /**< of RTP, as the rest */
	uint32_t timestamp;      /**< */
	uint16_t payload_offset; /**< in the second buffer */
	uint16_t payload_bytes;  /**< without padding */
	uint8_t side;            /**< enum stw_side */
	uint8_t codec;           /**< enum stw_codec */
};

/** The recording thread's state. */
struct recorder {
	_Atomic uint32_t busy;   /**< 1: a thread is in stw_media_record */
	uint64_t now_ns;         /**< when the packet written last came */
	uint32_t worker_next;    /**< whose ring is looked at first */
	_Atomic uint32_t ending; /**< list of forks that end, newest first; 0: none */
	uint32_t draining;       /**< list of forks that drain; 0: none */
	uint64_t written[STW_MEDIA_WORKERS_MAX]; /**< copies taken from each worker's ring */
	_Atomic uint32_t forks;                  /**< forks that are not free */
	struct rte_mempool *pool;                /**< for pcapng's own copies */
};

/** Forks without a file that wait for the workers; under the mutex of control. */
struct fork_retired {
	uint32_t first; /**< the oldest; 0: none */
	uint32_t last;
};

static inline bool
fork_has_file(const struct fork *fork)
{
	return fork->kind == STW_FORK_PCAPNG || fork->kind == STW_FORK_WAV;
}

/** Free forks without a file that no worker sees any more, a bounded number. Under the mutex. */
void fork_reclaim(struct stw_media *media, uint64_t now_ns);

/** Take a fork out of its session's list. Threads: control, under the mutex. */
void fork_unlink(struct stw_media *media, uint32_t slot);

/** Give a slot back, after its file is closed. Threads: any, without the mutex. */
void fork_free(struct stw_media *media, uint32_t slot);

/** Read a fork's numbers. Threads: any; the fork is not freed meanwhile. */
void fork_stats_read(const struct stw_media *media, const struct fork *fork,
		     struct stw_fork_stats *stats);

/** Close every recording, at the end. Threads: one, the last. */
void fork_close_all(struct stw_media *media);

/** Verify the invariants of all forks while nobody else uses them. */
void fork_check(struct stw_media *media);

#endif
