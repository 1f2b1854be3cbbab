/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Limits of the packet plane that control calls run into, and drain. Nothing grows while packets
 * flow: a full table refuses, says so, and is counted by name.
 */
#ifndef STROWGER_LIMIT_H
#define STROWGER_LIMIT_H

#include <strowger/export.h>

#ifdef __cplusplus
extern "C" {
#endif

struct stw_media;

/** What was full when a control call was refused. */
enum stw_limit {
	STW_LIMIT_SESSIONS,        /**< sessions_max sessions exist */
	STW_LIMIT_LEGS,            /**< legs_max legs exist, or workers still hold removed ones */
	STW_LIMIT_SESSION_LEGS,    /**< the session has STW_SESSION_LEGS_MAX legs */
	STW_LIMIT_UDP_PORTS,       /**< all of the address are in use or in quarantine */
	STW_LIMIT_FORKS,           /**< forks_max forks exist, those not yet closed included */
	STW_LIMIT_PLAYOUTS,        /**< playouts_max are loaded */
	STW_LIMIT_PLAYOUT_PACKETS, /**< playout_packets_max, or memory for them */
	STW_LIMIT_DRAIN,           /**< the packet plane is being drained */
	STW_LIMIT_PT_MAPS,         /**< all maps of payload types are in use */
	STW_LIMIT_SRTP,            /**< srtp_max key sets are in use */
	STW_LIMIT_CONSUMERS,       /**< STW_CONSUMERS_MAX are open, or they hold too many buffers */
	STW_LIMIT_MIXES,           /**< mixes_max mixes, or mix_legs_max legs in mixes */
	STW_LIMIT_DIGITS,          /**< STW_DIGITS_LEGS_MAX legs are sent digits */
	STW_LIMIT_COUNT            /**< number of limits */
};

/**
 * Name of a limit for logs and metrics, like "udp_ports".
 *
 * @param limit  which
 * @return static text, never NULL; "unknown" outside the range
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed; the texts are constant.
 */
STW_API const char *stw_limit_name(enum stw_limit limit);

/**
 * Let the packet plane run empty: new sessions are refused with -ESHUTDOWN and counted, those that
 * exist live on and may still change, with new legs, forks and playouts. It is empty when
 * stw_media_stats says 0 sessions. Drain can be ended again.
 *
 * @param media     borrowed, not NULL
 * @param draining  1: drain; 0: take sessions again
 * @return 0
 * @return -EINVAL    draining is neither 0 nor 1
 * @return -EALREADY  it is so already
 *
 * Threads:  any, at the same time as every function but stw_media_destroy.
 * Progress: blocking (waits for another thread's control call; never for a worker).
 * Order:    no session is added after the return, until drain ends.
 */
STW_API int stw_media_drain(struct stw_media *media, int draining);

#ifdef __cplusplus
}
#endif

#endif
