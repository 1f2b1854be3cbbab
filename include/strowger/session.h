/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sessions and legs: a session is what one call needs, a leg is one party's side of it, with a
 * local address and port of its own. What a leg receives is sent to the leg it is connected to,
 * copied to the session's forks, and searched for digits.
 *
 * Only packets from the leg's source pass: a leg latches to the first valid RTP source while its
 * learning window is open and is strict from then on.
 */
#ifndef STROWGER_SESSION_H
#define STROWGER_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/address.h>
#include <strowger/export.h>

#ifdef __cplusplus
extern "C" {
#endif

struct stw_media;

/** Most legs of one session at one time. */
#define STW_SESSION_LEGS_MAX 4

/** Handle of a session: a value, copied freely. An id of 0 names nothing. */
struct stw_session {
	uint64_t id; /**< slot in the low, generation in the high 32 bits; 0 names nothing */
};

/** Handle of a leg: a value, copied freely. An id of 0 names nothing. */
struct stw_leg {
	uint64_t id; /**< slot in the low, generation in the high 32 bits; 0 names nothing */
};

/** Whose side a leg is on; recordings keep the sides apart (WAV: caller left, agent right). */
enum stw_side {
	STW_SIDE_CALLER, /**< who called */
	STW_SIDE_AGENT,  /**< who answered */
};

/** Number of sides. */
#define STW_SIDE_COUNT 2

/** Audio of a leg. */
enum stw_codec {
	STW_CODEC_PCMU, /**< G.711 mu law, 8 kHz */
	STW_CODEC_PCMA, /**< G.711 A law, 8 kHz */
};

/** Description of a session. Begin with STW_SESSION_CONFIG_INIT. */
struct stw_session_config {
	size_t struct_size; /**< bytes of this struct as compiled; never 0 */
	uint64_t cookie;    /**< the host's own; handed back in events; 0 is fine */
};

/** A session with cookie 0. */
#define STW_SESSION_CONFIG_INIT                                                                    \
	{                                                                                          \
		sizeof(struct stw_session_config), 0                                               \
	}

/** Description of a leg. Begin with STW_LEG_CONFIG_INIT. */
struct stw_leg_config {
	size_t struct_size; /**< bytes of this struct as compiled; never 0 */
	enum stw_side side; /**< whose side it is on; not changed by an update */
	uint32_t address;   /**< index of the local address; not changed by an update */
	struct stw_endpoint
		remote;        /**< where to send, from the party's SDP; family 0: not known yet,
					  nothing is sent until a source is latched */
	uint8_t source_any_ip; /**< 1: latch to any address (a party behind NAT); 0: only to the
					  address of `remote` when that is known */
	enum stw_codec codec;  /**< audio that playout sends, and recordings decode */
	uint8_t audio_pt;      /**< payload type of that audio, 0 to 127 */
	uint8_t event_pt;      /**< payload type of RFC 4733 telephone events, 1 to 127; 0: none */
	uint8_t dscp;          /**< differentiated services code point of what is sent, 0 to 63 */
	uint64_t learning_ns;  /**< learning window from add or update on, nanoseconds; in it the
					  first valid RTP source is latched; 0: until the first comes */
	uint64_t silent_ns;    /**< an STW_MEDIA_EVENT_SILENT is sent after that long without a
					  valid packet, nanoseconds; 0: never */
};

/** A caller's leg at local address 0: mu law, no events, nothing known of the party. */
#define STW_LEG_CONFIG_INIT                                                                        \
	{                                                                                          \
		sizeof(struct stw_leg_config), STW_SIDE_CALLER, 0, {{0, {0}}, 0}, 0,               \
			STW_CODEC_PCMU, 0, 0, 46, 0, 0                                             \
	}

/** Numbers of a leg, at one instant give or take a burst. */
struct stw_leg_stats {
	struct stw_endpoint local;  /**< where the party sends to: RTP port; RTCP is the next one */
	struct stw_endpoint remote; /**< where the relay sends to: latched, else configured */
	uint8_t latched;            /**< 1 when a source was latched; 0: not yet */
	uint64_t packets_received;  /**< valid RTP packets from the latched source */
	uint64_t bytes_received;    /**< their RTP payload bytes */
	uint64_t packets_sent;      /**< RTP packets sent to the party, relayed and played out */
	uint64_t packets_foreign;   /**< dropped: from another source than the latched one */
	uint64_t packets_expected;  /**< by sequence numbers, RFC 3550 A.3, over all SSRCs seen */
	int64_t packets_lost;       /**< expected less received; negative with duplicates */
	uint32_t jitter_us;         /**< interarrival jitter, RFC 3550 A.8, microseconds */
	uint64_t digits;            /**< telephone-event digits heard */
};

/**
 * Add a session without legs.
 *
 * @param media    borrowed, not NULL
 * @param config   borrowed; copied
 * @param session  set on success only
 * @return 0
 * @return -EINVAL  a field is outside its range
 * @return -ENOSPC  sessions_max sessions exist; counted
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    the session is seen by every call that starts after the return.
 */
STW_API int stw_session_add(struct stw_media *media, const struct stw_session_config *config,
			    struct stw_session *session);

/**
 * Remove a session with its legs and forks. Its ports rest in quarantine before they are used
 * again; its recordings are closed when what is queued for them is written.
 *
 * @param media    borrowed, not NULL
 * @param session  which
 * @param now_ns   host's clock, nanoseconds
 * @return 0
 * @return -ESTALE  it was removed before
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    a packet that arrives after the return meets no leg.
 */
STW_API int stw_session_remove(struct stw_media *media, struct stw_session session,
			       uint64_t now_ns);

/**
 * Add a leg to a session: it gets a pair of local ports (even for RTP, the next for RTCP).
 *
 * @param media    borrowed, not NULL
 * @param session  whose leg
 * @param config   borrowed; copied
 * @param now_ns   host's clock, nanoseconds; the learning window opens
 * @param leg      set on success only
 * @param local    set on success only: address and RTP port for the SDP
 * @return 0
 * @return -EINVAL  a field is outside its range
 * @return -ESTALE  the session was removed
 * @return -ENOSPC  legs_max legs exist, the session has STW_SESSION_LEGS_MAX, or every port of the
 *                  address is taken or in quarantine; counted
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    a packet that arrives after the return is handled.
 * Source:   RFC 3550 11 (port pairs), RFC 7362 (latching).
 */
STW_API int stw_leg_add(struct stw_media *media, struct stw_session session,
			const struct stw_leg_config *config, uint64_t now_ns, struct stw_leg *leg,
			struct stw_endpoint *local);

/**
 * Change a leg: its remote endpoint, payload types, times. A new remote endpoint opens the
 * learning window again and forgets the latched source; an equal one does not.
 *
 * @param media   borrowed, not NULL
 * @param leg     which
 * @param config  borrowed; copied; side and address must be as at the add
 * @param now_ns  host's clock, nanoseconds
 * @return 0
 * @return -EINVAL  a field is outside its range, or side or address differ
 * @return -ESTALE  the leg was removed
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    packets that arrive after the return are handled by the new description.
 */
STW_API int stw_leg_update(struct stw_media *media, struct stw_leg leg,
			   const struct stw_leg_config *config, uint64_t now_ns);

/**
 * Remove a leg. Legs connected to it lose that connection; its ports rest in quarantine.
 *
 * @param media   borrowed, not NULL
 * @param leg     which
 * @param now_ns  host's clock, nanoseconds
 * @return 0
 * @return -ESTALE  it was removed before
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    a packet that arrives after the return meets no leg.
 */
STW_API int stw_leg_remove(struct stw_media *media, struct stw_leg leg, uint64_t now_ns);

/**
 * Relay what one leg receives to another of the same session. Two-way audio is two connects.
 *
 * @param media  borrowed, not NULL
 * @param from   what it receives ...
 * @param to     ... is sent to this one; id 0: to nobody (hold)
 * @return 0
 * @return -EINVAL  from and to are the same, or of different sessions
 * @return -ESTALE  one of them was removed
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    packets that arrive after the return go the new way.
 */
STW_API int stw_leg_connect(struct stw_media *media, struct stw_leg from, struct stw_leg to);

/**
 * Read a leg's numbers.
 *
 * @param media  borrowed, not NULL
 * @param leg    which
 * @param stats  filled on success only
 * @return 0
 * @return -ESTALE  the leg was removed
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    bursts finished before the call are counted.
 */
STW_API int stw_leg_stats(struct stw_media *media, struct stw_leg leg, struct stw_leg_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
