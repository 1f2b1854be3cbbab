/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forks: copies of a session's media for a recorder. Payload is shared by reference, never copied
 * by the worker where the device permits; files are written by the host's recording thread
 * (stw_media_record). A slow disk, network or consumer costs copies, which are counted, never the
 * call.
 */
#ifndef STROWGER_FORK_H
#define STROWGER_FORK_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/address.h>
#include <strowger/export.h>
#include <strowger/session.h>

#ifdef __cplusplus
extern "C" {
#endif

struct stw_consumer;
struct stw_srtp_keys;

/** Bytes of the key of an encrypted file. */
#define STW_FORK_KEY_BYTES 32

/** Handle of a fork: a value, copied freely. An id of 0 names nothing. */
struct stw_fork {
	uint64_t id; /**< slot in the low, generation in the high 32 bits; 0 names nothing */
};

/** Where the copies go. */
enum stw_fork_kind {
	STW_FORK_PCAPNG, /**< a pcapng file with each packet as it was received */
	STW_FORK_WAV,    /**< a stereo WAV file, 16 bit linear, 8 kHz: caller left, agent right */
	STW_FORK_UDP,    /**< a UDP endpoint: each side's RTP as a stream with an SSRC of its own */
	STW_FORK_RING,   /**< a consumer in this process: each side's RTP where it lies */
};

/** Description of a fork. Begin with STW_FORK_CONFIG_INIT. */
struct stw_fork_config {
	size_t struct_size;      /**< bytes of this struct as compiled; never 0 */
	enum stw_fork_kind kind; /**< where the copies go */
	const char *path; /**< PCAPNG, WAV: file to make, mode 0600; copied; must not exist */
	uint8_t sides; /**< bits 1 << enum stw_side: whose media, a WAV file without STW_SIDE_OTHER;
			    0: the caller's and the agent's */
	const uint8_t
		*key; /**< PCAPNG, WAV: STW_FORK_KEY_BYTES with which the file is encrypted, to be
				 read by examples/decrypt_recording; copied; NULL: a plain file */
	struct stw_consumer *consumer; /**< RING: whose frames; borrowed, outlives the fork */
	uint32_t address;              /**< UDP: index of the local address to send from; it takes a
					    port pair of it */
	struct stw_endpoint remote; /**< UDP: where to send; of the version of IP of that address */
	struct stw_endpoint remote_agent; /**< UDP: where to send the agent's side; family 0: to
					       `remote`, as the caller's */
	uint8_t dscp;                     /**< UDP: differentiated services code point, 0 to 63 */
	const struct stw_srtp_keys
		*srtp; /**< UDP: keys of both streams, which are SRTP (srtp.h); copied;
					       NULL: plain RTP */
};

/** Both sides to a pcapng file without a name. */
#define STW_FORK_CONFIG_INIT                                                                       \
	{                                                                                          \
		sizeof(struct stw_fork_config), STW_FORK_PCAPNG, 0, 0, 0, 0, 0, {{0, {0}}, 0},     \
			{{0, {0}}, 0}, 0, 0                                                        \
	}

/** Numbers of a fork. */
struct stw_fork_stats {
	uint64_t packets; /**< copies handed to the writer, the consumer or the port */
	uint64_t
		packets_dropped; /**< copies lost: full ring, empty pool, no next hop, full port, key
				       used up */
	uint64_t packets_written;  /**< copies in the file; 0 without a file */
	uint64_t bytes_written;    /**< bytes of the file so far; 0 without a file */
	uint64_t packets_paused;   /**< packets that came while the fork was paused: not copied */
	struct stw_endpoint local; /**< UDP: where its packets come from; else family 0 */
	uint32_t ssrc
		[STW_SIDE_COUNT]; /**< UDP: of the stream of each side, by enum stw_side; else 0 */
};

/**
 * Add a fork to a session: what its legs receive from now on is copied, legs added later included.
 * Any number of forks of any kinds may be on one session; each gets every packet.
 *
 * UDP: the copies are RTP with the payload, payload type and losses as received, and an SSRC,
 * sequence numbers and timestamps of their own, which go on when the source changes; RTCP is not
 * copied. With keys they are SRTP, and payload is copied as it is enciphered. Of one burst at most 512 copies are sent, so up to 8 such forks of every session lose none.
 *
 * @param media    borrowed, not NULL
 * @param session  whose media
 * @param config   borrowed; copied
 * @param now_ns   host's clock, nanoseconds; the WAV file's time 0
 * @param fork     set on success only
 * @return 0
 * @return -EINVAL  a field is outside its range
 * @return -ESTALE  the session was removed
 * @return -ENOSPC  forks_max forks exist, or every port of the address is taken or in quarantine:
 *                  counted; or the disk is full
 * @return -ENOMEM  memory cannot be had
 * @return -ENOTSUP SRTP without srtp_max in the packet plane's description
 * @return -EEXIST  the file exists
 * @return -EIO     the file cannot be made or written; the crypto device refused the keys
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for the file system and for another control call; never for a worker).
 * Order:    packets that arrive after the return are copied.
 * Source:   RFC 7866 for the term; draft-ietf-opsawg-pcapng for the format; RFC 3550 7.1 for the
 *           streams.
 */
STW_API int stw_fork_add(struct stw_media *media, struct stw_session session,
			 const struct stw_fork_config *config, uint64_t now_ns,
			 struct stw_fork *fork);

/**
 * Remove a fork. The file is closed by stw_media_record when all that is queued is in it;
 * STW_MEDIA_EVENT_FORK_CLOSED says so, with the fork's last numbers. A fork without a file ends at
 * once and tells nothing; frames that wait for its consumer stay there.
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
 * Pause a fork, or let it go on. While it is paused nothing is copied, and what comes is counted as
 * packets_paused. In a WAV file the pause is silence of its length; a UDP stream goes on with the next
 * sequence number and a timestamp later by the pause.
 *
 * @param media  borrowed, not NULL
 * @param fork   which
 * @param on     1: pause; 0: go on; what it is already does nothing
 * @return 0
 * @return -EINVAL  on is above 1
 * @return -ESTALE  it was removed before, or its session was
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    packets that arrive after the return are copied or not, as said.
 */
STW_API int stw_fork_pause(struct stw_media *media, struct stw_fork fork, uint8_t on);

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
