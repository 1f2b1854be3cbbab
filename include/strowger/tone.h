/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tones: ring-back, busy, keys and the like, made once as a playout and then attached to any number of
 * legs as any other (stw_playout_attach).
 */
#ifndef STROWGER_TONE_H
#define STROWGER_TONE_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/export.h>
#include <strowger/playout.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most parts of a tone's cadence. */
#define STW_TONE_PARTS_MAX 8

/** One part of a cadence: one or two frequencies together, or a pause. */
struct stw_tone_part {
	uint16_t frequency_hz[2]; /**< 100 to 3,700; 0: none. Both 0: a pause */
	uint16_t duration_ms;     /**< 20 to 10,000, a multiple of 20 */
};

/** Description of a tone. Begin with STW_TONE_CONFIG_INIT or stw_tone_preset. */
struct stw_tone_config {
	size_t struct_size; /**< bytes of this struct as compiled; never 0 */
	struct stw_tone_part parts[STW_TONE_PARTS_MAX]; /**< in this order */
	uint8_t parts_count;                            /**< 1 to STW_TONE_PARTS_MAX */
	int8_t level_dbm0; /**< of each frequency, -63 to -3 dBm0 (ITU-T G.711: full scale is 3.14) */
	uint8_t loop;      /**< 1: again and again; 0: once */
};

/** A tone without parts, at -16 dBm0, that does not end. */
#define STW_TONE_CONFIG_INIT                                                                       \
	{                                                                                          \
		sizeof(struct stw_tone_config), {{{0, 0}, 0}}, 0, -16, 1                           \
	}

/** Tones that are the same everywhere in a region. */
enum stw_tone_kind {
	STW_TONE_RING_BACK,      /**< Europe: 425 Hz, 1 s in 5 s */
	STW_TONE_BUSY,           /**< Europe: 425 Hz, 500 ms in 1 s */
	STW_TONE_CONGESTION,     /**< Europe: 425 Hz, 240 ms in 480 ms */
	STW_TONE_RING_BACK_US,   /**< North America: 440 and 480 Hz, 2 s in 6 s */
	STW_TONE_BUSY_US,        /**< North America: 480 and 620 Hz, 500 ms in 1 s */
	STW_TONE_CONGESTION_US,  /**< North America: 480 and 620 Hz, 240 ms in 500 ms, nearly */
	STW_TONE_CALL_WAITING,   /**< 425 Hz, 200 ms twice in 10 s, nearly */
	STW_TONE_RECORD_BEEP,    /**< 1,400 Hz, 400 ms, every 15 s: the call is recorded */
	STW_TONE_INTERCEPT_BEEP, /**< 1,400 Hz, 200 ms, once: somebody has come in */
	STW_TONE_KIND_COUNT      /**< number of kinds */
};

/**
 * Fill in a tone's description.
 *
 * @param kind    which
 * @param config  filled
 * @return 0
 * @return -EINVAL  no such kind; config is untouched
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 * Source:   ITU-T E.180 and its supplement 2 (tones by country), E.182; ETSI TR 101 041.
 */
STW_API int stw_tone_preset(enum stw_tone_kind kind, struct stw_tone_config *config);

/**
 * Fill in the description of a key's two frequencies, once.
 *
 * @param key          '0' to '9', '*', '#', 'A' to 'D'
 * @param duration_ms  40 to 5,000, a multiple of 20
 * @param config       filled
 * @return 0
 * @return -EINVAL  no such key or duration; config is untouched
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 * Source:   ITU-T Q.23.
 */
STW_API int stw_tone_key(char key, uint16_t duration_ms, struct stw_tone_config *config);

/**
 * Make a tone, encoded for each codec: a playout like those of files.
 *
 * @param media    borrowed, not NULL
 * @param config   borrowed; copied
 * @param playout  set on success only; unload it with stw_playout_unload
 * @return 0
 * @return -EINVAL  a field is outside its range
 * @return -ENOSPC  playouts_max playouts are loaded, or the packets do not fit playout_packets_max;
 *                  counted
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another control call; never for a worker).
 * Order:    the playout can be attached by every call that starts after the return.
 */
STW_API int stw_tone_load(struct stw_media *media, const struct stw_tone_config *config,
			  struct stw_playout *playout);

#ifdef __cplusplus
}
#endif

#endif
