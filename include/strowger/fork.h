/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forks: copies of a session's media for a recorder. Payload is shared by reference, never copied
 * by the worker; files are written by the host's recording thread (stw_media_record). A slow disk
 * costs copies, which are counted, never the call.
 */
#ifndef STROWGER_FORK_H
#define STROWGER_FORK_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/export.h>
#include <strowger/session.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Handle of a fork: a value, copied freely. An id of 0 names nothing. */
struct stw_fork {
	uint64_t id; /**< slot in the low, generation in the high 32 bits; 0 names nothing */
};

/** Where the copies go. */
enum stw_fork_kind {
	STW_FORK_PCAPNG, /**< a pcapng file with each packet as it was received */
	STW_FORK_WAV,    /**< a stereo WAV file, 16 bit linear, 8 kHz: caller left, agent right */
};

/** Description of a fork. Begin with STW_FORK_CONFIG_INIT. */
struct stw_fork_config {
	size_t struct_size;      /**< bytes of this struct as compiled; never 0 */
	enum stw_fork_kind kind; /**< where the copies go */
	const char *path;        /**< file to make, mode 0600; copied; must not exist */
	uint8_t sides;           /**< bits 1 << enum stw_side: whose media; 0: both sides' */
};

/** Both sides to a pcapng file without a name. */
#define STW_FORK_CONFIG_INIT                                                                       \
	{                                                                                          \
		sizeof(struct stw_fork_config), STW_FORK_PCAPNG, 0, 0                              \
	}

/** Numbers of a fork. */
struct stw_fork_stats {
	uint64_t packets;         /**< copies handed to the writer */
	uint64_t packets_dropped; /**< copies lost to a full ring or an empty pool */
	uint64_t packets_written; /**< copies in the file */
	uint64_t bytes_written;   /**< bytes of the file so far */
};

/**
 * Add a fork to a session: what its legs receive from now on is copied, legs added later included.
 *
 * @param media    borrowed, not NULL
 * @param session  whose media
 * @param config   borrowed; copied
 * @param now_ns   host's clock, nanoseconds; the WAV file's time 0
 * @param fork     set on success only
 * @return 0
 * @return -EINVAL  a field is outside its range
 * @return -ESTALE  the session was removed
 * @return -ENOSPC  forks_max forks exist, counted; or the disk is full
 * @return -EEXIST  the file exists
 * @return -EIO     the file cannot be made or written
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for the file system and for another control call; never for a worker).
 * Order:    packets that arrive after the return are copied.
 * Source:   RFC 7866 for the term; draft-ietf-opsawg-pcapng for the format.
 */
STW_API int stw_fork_add(struct stw_media *media, struct stw_session session,
			 const struct stw_fork_config *config, uint64_t now_ns,
			 struct stw_fork *fork);

/**
 * Remove a fork. The file is closed by stw_media_record when all that is queued is in it;
 * STW_MEDIA_EVENT_FORK_CLOSED says so, with the fork's last numbers.
 *
 * @param media  borrowed, not NULL
 * @param fork   which
 * @return 0
 * @return -ESTALE  it was removed before, or its session was
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    packets that arrive after the return are not copied.
 */
STW_API int stw_fork_remove(struct stw_media *media, struct stw_fork fork);

/**
 * Read a fork's numbers.
 *
 * @param media  borrowed, not NULL
 * @param fork   which
 * @param stats  filled on success only
 * @return 0
 * @return -ESTALE  it was removed
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    bursts finished before the call are counted.
 */
STW_API int stw_fork_stats(struct stw_media *media, struct stw_fork fork,
			   struct stw_fork_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
