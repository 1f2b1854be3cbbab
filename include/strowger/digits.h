/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Digits sent to a party, as RFC 4733 telephone events: an agent's softphone without keys dials
 * through somebody's menu, a switch passes on an extension.
 */
#ifndef STROWGER_DIGITS_H
#define STROWGER_DIGITS_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/export.h>
#include <strowger/session.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most digits of one call of stw_leg_send_digits. */
#define STW_DIGITS_MAX 64

/** Legs that are sent digits at one time, at most. */
#define STW_DIGITS_LEGS_MAX 256

/** Description of digits to be sent. Begin with STW_DIGITS_CONFIG_INIT. */
struct stw_digits_config {
	size_t struct_size; /**< bytes of this struct as compiled; never 0 */
	const char *
		digits; /**< '0'-'9', '*', '#', 'A'-'D', '!' (flash); 1 to STW_DIGITS_MAX; copied */
	uint16_t down_ms;  /**< how long a key is down: 40 to 5,000, a multiple of 20 */
	uint16_t pause_ms; /**< between two keys: 60 to 5,000, a multiple of 20 */
	uint8_t volume;    /**< power level without its sign, 0 to 36 dBm0 */
};

/** No digits; 100 ms each with pauses of 100 ms, at -10 dBm0. */
#define STW_DIGITS_CONFIG_INIT                                                                     \
	{                                                                                          \
		sizeof(struct stw_digits_config), 0, 100, 100, 10                                  \
	}

/**
 * Send digits to a leg's party. Until the last is sent the party hears nothing else.
 * STW_MEDIA_EVENT_DIGITS_SENT tells the end.
 *
 * @param media   borrowed, not NULL
 * @param leg     whose party
 * @param config  borrowed; copied; NULL: stop what is being sent; the key that is down is let go
 * @param now_ns  host's clock, nanoseconds; when the first key goes down
 * @return 0
 * @return -EINVAL   a field is outside its range
 * @return -ESTALE   the leg was removed
 * @return -ENOTSUP  the leg has no payload type for telephone events (event_pt): play the keys'
 *                   tones instead (stw_tone_key)
 * @return -EBUSY    digits are being sent to the leg
 * @return -ENOSPC   STW_DIGITS_LEGS_MAX legs are being sent digits; counted
 * @return -ENOENT   config is NULL, and nothing is being sent
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    as the calls.
 * Source:   RFC 4733 2.3, 2.5.1, 3.2.
 */
STW_API int stw_leg_send_digits(struct stw_media *media, struct stw_leg leg,
				const struct stw_digits_config *config, uint64_t now_ns);

#ifdef __cplusplus
}
#endif

#endif
