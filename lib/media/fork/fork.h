/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forks of sessions, and the recording thread's side of them.
 *
 * Life of a fork's slot: free -> opening (its file is made) -> open (in the session's list, workers
 * copy) -> ending (out of the list: first a worker may still copy, then what is queued is written,
 * then the file is closed) -> free. The recording thread does the last step, control the others.
 */
#ifndef STW_MEDIA_FORK_H
#define STW_MEDIA_FORK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <strowger/fork.h>
#include <strowger/media.h>

#include "base/base.h"

struct record_pcapng;
struct record_wav;
struct rte_mbuf;

enum fork_state {
	FORK_FREE,    /**< nobody's */
	FORK_OPENING, /**< its file is being made; in no list */
	FORK_OPEN,    /**< in its session's list */
	FORK_ENDING,  /**< waits for the workers, then for its last copies */
};

/** In fork_route.sides: only packets with the leg's audio. */
#define FORK_AUDIO_ONLY 4u

/** What workers read and write of a fork. */
struct fork_route {
	_Atomic uint32_t next;  /**< of the session's list; 0: last */
	_Atomic uint32_t sides; /**< bits 1 << enum stw_side, and FORK_AUDIO_ONLY */
	_Atomic uint64_t packets STW_ALIGNED_LINE; /**< copies handed to the writer; workers */
	_Atomic uint64_t packets_dropped;          /**< copies lost; workers */
};

/** A fork. Slot 0 is none. */
struct fork {
	struct fork_route route;

	/* Control, under its mutex; the recording thread takes it to go on from ENDING. */
	enum fork_state state STW_ALIGNED_LINE;
	uint32_t generation;
	uint32_t session;   /**< slot; while OPEN */
	uint32_t following; /**< in the recorder's list of ending ones; 0: last */
	uint64_t token;     /**< of rcu, when it left the list */
	uint64_t session_handle;
	uint64_t cookie;

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
	uint64_t time_ns; /**< when the packet came */
	uint32_t fork;    /**< slot */
	uint32_t worker;  /**< whose pool it is from */
	uint8_t side;     /**< enum stw_side */
	uint8_t codec;    /**< enum stw_codec */
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

/** Take a fork out of its session's list. Threads: control, under the mutex. */
void fork_unlink(struct stw_media *media, uint32_t slot);

/** Give a slot back, after its file is closed. Threads: any, without the mutex. */
void fork_free(struct stw_media *media, uint32_t slot);

/** Read a fork's numbers. Threads: any; the fork is not freed meanwhile. */
void fork_stats_read(const struct fork *fork, struct stw_fork_stats *stats);

/** Close every recording, at the end. Threads: one, the last. */
void fork_close_all(struct stw_media *media);

/** Verify the invariants of all forks while nobody else uses them. */
void fork_check(struct stw_media *media);

#endif
