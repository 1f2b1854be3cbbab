/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Playout: announcements and music. A WAV file is encoded and cut into packets once; any number
 * of legs then listen to that one stream, each at its own place in it.
 */
#ifndef STROWGER_PLAYOUT_H
#define STROWGER_PLAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/export.h>
#include <strowger/session.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Milliseconds of audio in one packet of a playout. */
#define STW_PLAYOUT_PACKET_MS 20

/** Most parts of a joined playout. */
#define STW_PLAYOUT_PARTS_MAX 32

/** Handle of a playout: a value, copied freely. An id of 0 names nothing. */
struct stw_playout {
	uint64_t id; /**< slot in the low, generation in the high 32 bits; 0 names nothing */
};

/** Description of a playout. Begin with STW_PLAYOUT_CONFIG_INIT. */
struct stw_playout_config {
	size_t struct_size; /**< bytes of this struct as compiled; never 0 */
	const char *path; /**< WAV file: mono, 8 kHz, 16 bit linear or G.711; read before return */
	uint8_t loop;     /**< 1: begins again at its end (music); 0: ends (an announcement) */
};

/** An announcement without a file. */
#define STW_PLAYOUT_CONFIG_INIT                                                                    \
	{                                                                                          \
		sizeof(struct stw_playout_config), 0, 0                                            \
	}

/**
 * Load a WAV file as a playout, encoded for each codec.
 *
 * @param media    borrowed, not NULL
 * @param config   borrowed; the file is read before return
 * @param playout  set on success only
 * @return 0
 * @return -EINVAL   no path, or not a WAV file
 * @return -ENOTSUP  a WAV file of another rate, width, coding or number of channels
 * @return -ENOENT   no such file
 * @return -EIO      the file cannot be read
 * @return -ENOSPC   playouts_max playouts are loaded, or the packets do not fit playout_packets_max
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for the file system and for another control call; never for a worker).
 * Order:    the playout can be attached by every call that starts after the return.
 */
STW_API int stw_playout_load(struct stw_media *media, const struct stw_playout_config *config,
			     struct stw_playout *playout);

/** What comes after the last part of a joined playout. */
enum stw_playout_end {
	STW_PLAYOUT_ENDS,       /**< nothing: it ends */
	STW_PLAYOUT_REPEATS,    /**< the first part again */
	STW_PLAYOUT_STAYS_LAST, /**< the last part again and again (music after an announcement) */
};

/** Description of a joined playout. Begin with STW_PLAYOUT_JOIN_INIT. */
struct stw_playout_join {
	size_t struct_size; /**< bytes of this struct as compiled; never 0 */
	const struct stw_playout
		*parts;           /**< borrowed until return; in this order; the same may come
					      several times; none of them joined itself */
	uint32_t parts_count;     /**< 1 to STW_PLAYOUT_PARTS_MAX */
	enum stw_playout_end end; /**< what comes after the last */
};

/** No parts, ends. */
#define STW_PLAYOUT_JOIN_INIT                                                                      \
	{                                                                                          \
		sizeof(struct stw_playout_join), 0, 0, STW_PLAYOUT_ENDS                            \
	}

/**
 * Join playouts to one that plays them one after the other without a gap: "you are number", "three",
 * "in the queue". Nothing is copied: the parts' own packets are sent. A part cannot be unloaded while
 * a joined playout has it, that is, until stw_media_advance has let an unloaded one go.
 * @param media    borrowed, not NULL
 * @param config   borrowed
 * @param playout  set on success only; attached and unloaded as any other
 * @return 0
 * @return -EINVAL  a field is outside its range, or a part is a joined playout
 * @return -ESTALE  a part was unloaded
 * @return -ENOSPC  playouts_max playouts are loaded; counted
 * @return -ENOMEM  memory cannot be had
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    the playout can be attached by every call that starts after the return.
 */
STW_API int stw_playout_join(struct stw_media *media, const struct stw_playout_join *config,
			     struct stw_playout *playout);

/**
 * Unload a playout that nobody listens to.
 *
 * @param media    borrowed, not NULL
 * @param playout  which
 * @return 0
 * @return -ESTALE  it was unloaded before
 * @return -EBUSY   a leg listens, or it is part of a joined playout
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    the handle is stale for every call that starts after the return.
 */
STW_API int stw_playout_unload(struct stw_media *media, struct stw_playout playout);

/**
 * Let a leg's party listen to a playout from its beginning, one packet each 20 ms, instead of what
 * it listened to before. What another leg relays to it is still sent, too. An announcement's end
 * is told by STW_MEDIA_EVENT_PLAYOUT_ENDED.
 *
 * @param media    borrowed, not NULL
 * @param leg      who listens
 * @param playout  to what; id 0: to nothing any more
 * @param now_ns   host's clock, nanoseconds; when the first packet is due
 * @return 0
 * @return -ESTALE  the leg was removed or the playout unloaded
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    after a return with id 0 nothing of the playout is sent to the leg any more, but for a
 *           burst under way.
 */
STW_API int stw_playout_attach(struct stw_media *media, struct stw_leg leg,
			       struct stw_playout playout, uint64_t now_ns);

#ifdef __cplusplus
}
#endif

#endif
