/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Consumers: a program in the same process, such as a speech recogniser, reads the RTP of any number
 * of sessions where it lies, without a copy. Forks of kind STW_FORK_RING put frames into a
 * consumer's ring; its thread takes them, and gives them back in any order.
 *
 * A ring is bounded. When it is full, or its consumer keeps all its frames, frames are dropped and
 * counted per fork; calls and other consumers notice nothing.
 */
#ifndef STROWGER_CONSUMER_H
#define STROWGER_CONSUMER_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/export.h>
#include <strowger/fork.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most consumers of a packet plane at one time. */
#define STW_CONSUMERS_MAX 64

/** A consumer. Given by stw_consumer_open. */
struct stw_consumer;

/** Description of a consumer. Begin with STW_CONSUMER_CONFIG_INIT. */
struct stw_consumer_config {
	size_t struct_size;  /**< bytes of this struct as compiled; never 0 */
	uint32_t frames_max; /**< frames of each worker that wait or are taken; a power of 2, 64 to
				  65,536. Each holds a packet buffer */
};

/** 1,024 frames of each worker. */
#define STW_CONSUMER_CONFIG_INIT                                                                   \
	{                                                                                          \
		sizeof(struct stw_consumer_config), 1024                                           \
	}

/** One RTP packet as it was received. */
struct stw_frame {
	const uint8_t *payload; /**< RTP payload without padding; readable until it is given back */
	uint64_t arrival_ns;    /**< when it came, by the clock given to the worker, nanoseconds */
	uint64_t session_cookie; /**< as given at the session's add */
	struct stw_fork fork;    /**< whose frame */
	uint32_t ssrc;           /**< RTP source */
	uint32_t timestamp;      /**< RTP timestamp */
	uint16_t sequence;       /**< RTP sequence number */
	uint16_t payload_bytes;  /**< length of the payload, bytes; 0: none */
	uint8_t side;            /**< enum stw_side: whose voice */
	uint8_t codec;           /**< enum stw_codec of the leg's audio */
	uint8_t payload_type;    /**< RTP payload type, 0 to 127 */
	uint8_t marker;          /**< RTP marker bit: 1 at the beginning of a talk spurt */
};

/**
 * Open a consumer. Its buffers are the ports': all consumers together may hold a quarter of those of the
 * smallest port (config.packets_max).
 *
 * @param media   borrowed, not NULL; outlives the consumer
 * @param config  borrowed; copied
 * @param out     given: set on success only; free with stw_consumer_close, or by stw_media_destroy
 * @return 0
 * @return -EINVAL  a field is outside its range
 * @return -ENOSPC  STW_CONSUMERS_MAX consumers exist, or the buffers would be too many; counted
 * @return -ENOMEM  memory cannot be had
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for memory and another control call; never for a worker).
 * Order:    the caller hands the consumer to its thread and to stw_fork_add.
 */
STW_API int stw_consumer_open(struct stw_media *media, const struct stw_consumer_config *config,
			      struct stw_consumer **out);

/**
 * Take frames, oldest first of each worker.
 *
 * @param consumer  borrowed, not NULL
 * @param frames    filled with up to count pointers, each readable until it is given back
 * @param count     1 to 65536
 * @return number of frames taken, 0 when none wait
 * @return -EINVAL  count is outside its range
 *
 * Threads:  one at a time for each consumer, with stw_consumer_give and stw_consumer_recover.
 * Progress: wait-free (bound: count and the workers).
 * Order:    frames of one leg come in the order of its packets, as long as they come to one worker.
 */
STW_API int stw_consumer_take(struct stw_consumer *consumer, const struct stw_frame **frames,
			      uint32_t count);

/**
 * Give frames back, in any order.
 *
 * @param consumer  borrowed, not NULL
 * @param frames    borrowed; count frames that were taken, each once
 * @param count     0 to 65536
 * @return 0
 * @return -EINVAL  one of them is no frame of this consumer that is taken, or count is outside its
 *                  range; none is given back
 *
 * Threads:  as stw_consumer_take.
 * Progress: wait-free (bound: count).
 * Order:    the caller has read what it wanted; a buffer is used again by its worker.
 */
STW_API int stw_consumer_give(struct stw_consumer *consumer, const struct stw_frame *const *frames,
			      uint32_t count);

/**
 * Give back every frame that is taken: for a host whose consumer's thread has ended without doing
 * so. Nobody may read one of them any more.
 *
 * @param consumer  borrowed, not NULL
 * @return number of frames
 *
 * Threads:  as stw_consumer_take.
 * Progress: wait-free (bound: frames_max times the workers).
 * Order:    as stw_consumer_give.
 */
STW_API int stw_consumer_recover(struct stw_consumer *consumer);

/**
 * Close a consumer. Frames that wait are dropped.
 *
 * @param consumer  taken when 0 is returned; NULL is fine
 * @return 0
 * @return -EBUSY  forks go to it, or frames of it are taken: nothing changed
 *
 * Threads:  any but at the same time as the consumer's other functions; the same as every other
 *           function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker: stw_media_advance
 *           frees the memory when all have let go).
 * Order:    none.
 */
STW_API int stw_consumer_close(struct stw_consumer *consumer);

#ifdef __cplusplus
}
#endif

#endif
