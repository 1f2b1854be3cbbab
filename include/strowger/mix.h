/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mixing: parties of a session hear the sum of several others: a supervisor listens, whispers or barges in, three
 * or more talk. A leg in a mix is not relayed: its audio (G.711, mu or A law, each leg its own) goes through a
 * jitter buffer, what is lost is concealed, and each 20 ms its party gets one packet with the sum of those that
 * it hears. So a mix of two legs also translates between the laws.
 *
 * What was connected stays connected, and is relayed again when a leg leaves. A party gets one RTP stream
 * throughout. Telephone events of a leg in a mix are told as ever and sent on to nobody; its RTCP is not relayed.
 *
 * A leg that listens to a playout (stw_playout_attach) hears that instead of the mix, while the others go on to
 * hear it: so a held party has its music, and a caller an announcement.
 *
 * Forks copy what each leg's party sent, never a mix: a whisper is on the whisperer's side alone. Give supervisors
 * and further parties STW_SIDE_OTHER, which no WAV file has, and a pcapng file only if it is asked for.
 */
#ifndef STROWGER_MIX_H
#define STROWGER_MIX_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/export.h>
#include <strowger/session.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Handle of a mix: a value, copied freely. An id of 0 names nothing. */
struct stw_mix {
	uint64_t id; /**< slot in the low, generation in the high 32 bits; 0 names nothing */
};

/** Who hears a leg's party, and whom it hears. Nobody hears itself. */
enum stw_mix_role {
	STW_MIX_PARTY,     /**< hears all but whispers to others, is heard by all */
	STW_MIX_LISTENER,  /**< as PARTY, but nobody hears it */
	STW_MIX_WHISPERER, /**< as PARTY, but is heard only by one leg, or by the agent's */
	STW_MIX_BARGE, /**< as PARTY, but whispers to the agent are not for it, whatever its side */
	STW_MIX_HELD,  /**< hears nobody and is heard by nobody; gets silence, or its playout */
};

/** Number of roles. */
#define STW_MIX_ROLE_COUNT 5

/** A leg in a mix. Begin with STW_MIX_LEG_CONFIG_INIT. */
struct stw_mix_leg_config {
	size_t struct_size;     /**< bytes of this struct as compiled; never 0 */
	struct stw_leg leg;     /**< which; of the mix's session */
	enum stw_mix_role role; /**< who hears whom */
	struct stw_leg
		to; /**< WHISPERER: who hears it, though it were a LISTENER; id 0: each PARTY of
				   STW_SIDE_AGENT. Of other roles 0. When that leg leaves, nobody hears it */
};

/** A party without a leg. */
#define STW_MIX_LEG_CONFIG_INIT                                                                    \
	{                                                                                          \
		sizeof(struct stw_mix_leg_config), {0}, STW_MIX_PARTY,                             \
		{                                                                                  \
			0                                                                          \
		}                                                                                  \
	}

/** Description of a mix. Begin with STW_MIX_CONFIG_INIT. */
struct stw_mix_config {
	size_t struct_size; /**< bytes of this struct as compiled; never 0 */
	uint32_t delay_ms;  /**< how much later than usual a packet may come before it is concealed,
			       milliseconds, up to 120; so long, and 20 ms more, audio is under way; 0: 40 */
	const struct stw_mix_leg_config *legs; /**< the first legs, copied; NULL when count is 0 */
	uint32_t legs_count;                   /**< 0 to STW_SESSION_LEGS_MAX */
};

/** A mix without legs. */
#define STW_MIX_CONFIG_INIT                                                                        \
	{                                                                                          \
		sizeof(struct stw_mix_config), 0, 0, 0                                             \
	}

/** Numbers of a mix, over all its legs, those included that have left; give or take a frame. */
struct stw_mix_stats {
	uint32_t legs;             /**< legs now */
	uint64_t frames;           /**< times 20 ms that were mixed */
	uint64_t frames_late;      /**< times 20 ms left out, as the worker came too late */
	uint64_t frames_concealed; /**< frames of a party that were made by repetition */
	uint64_t frames_dropped;   /**< frames of a party left out: too much was waiting */
	uint64_t frames_inserted;  /**< frames of a party put in: too little was waiting */
	uint64_t packets_late;     /**< packets of a party that came after they were due */
	uint64_t packets_refused;  /**< packets of a party that found its queue full */
	uint64_t packets_sent;     /**< packets sent to the parties */
	uint64_t
		packets_not_sent; /**< packets not sent: no remote, next hop, buffer or room, or the leg
					 is not sent to (STW_LEG_SEND_ONLY) */
};

/**
 * Make a mix for a session, with its first legs: they change from relay to mix at one time.
 *
 * @param media    borrowed, not NULL
 * @param session  whose; it has no other mix
 * @param config   borrowed; copied
 * @param now_ns   host's clock, nanoseconds; the first frame is mixed then
 * @param mix      set on success only
 * @return 0
 * @return -EINVAL  a field is outside its range, a leg is of another session or twice there
 * @return -ESTALE  the session or a leg was removed
 * @return -EEXIST  the session has a mix
 * @return -ENOSPC  mixes_max mixes exist, or mix_legs_max legs are in mixes; counted
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    packets that arrive after the return are mixed.
 */
STW_API int stw_mix_add(struct stw_media *media, struct stw_session session,
			const struct stw_mix_config *config, uint64_t now_ns, struct stw_mix *mix);

/**
 * Put a leg into a mix, or give one that is in it another role.
 *
 * @param media   borrowed, not NULL
 * @param mix     which
 * @param config  borrowed; copied
 * @return 0
 * @return -EINVAL  a field is outside its range, or the leg is of another session
 * @return -ESTALE  the mix or the leg was removed, or the leg that is whispered to is not in the mix
 * @return -ENOSPC  mix_legs_max legs are in mixes; counted
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    frames mixed after the return are mixed by the new role.
 */
STW_API int stw_mix_leg(struct stw_media *media, struct stw_mix mix,
			const struct stw_mix_leg_config *config);

/**
 * Take a leg out of its mix: it is relayed again. The end of a leg does that, too.
 *
 * @param media  borrowed, not NULL
 * @param mix    which
 * @param leg    which
 * @return 0
 * @return -ESTALE  the mix was removed, or the leg is not in it
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    frames mixed after the return do not have it.
 */
STW_API int stw_mix_leg_remove(struct stw_media *media, struct stw_mix mix, struct stw_leg leg);

/**
 * Remove a mix: its legs are relayed again as they are connected. The end of its session does that, too.
 *
 * @param media  borrowed, not NULL
 * @param mix    which
 * @return 0
 * @return -ESTALE  it was removed before
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    packets that arrive after the return are relayed.
 */
STW_API int stw_mix_remove(struct stw_media *media, struct stw_mix mix);

/**
 * Read a mix's numbers.
 *
 * @param media  borrowed, not NULL
 * @param mix    which
 * @param stats  filled on success only
 * @return 0
 * @return -ESTALE  it was removed
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    frames mixed before the call are counted.
 */
STW_API int stw_mix_stats(struct stw_media *media, struct stw_mix mix, struct stw_mix_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
