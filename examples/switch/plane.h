/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packet plane: brought up from the configuration, and a call's session, legs, forks and playouts
 * in it.
 */
#ifndef SWITCH_PLANE_H
#define SWITCH_PLANE_H

#include "call.h"

/* Bring it up; sounds are loaded. 0 or a negative errno; the log names what is wrong. */
int plane_open(struct exchange *exchange);

/* Everything that calls use must be released. */
void plane_close(struct exchange *exchange);

/* Take events, give them to their calls. */
void plane_take(struct exchange *exchange);

/* A call's session. 0 or the library's error. */
int plane_call_open(struct call *call);

/* Keep the last numbers of the legs, release all. */
void plane_call_close(struct call *call, uint64_t now_ns);

/* Legs of the call whose RTP is relayed inside the kernel now. */
uint32_t plane_kernel_legs(const struct call *call);

/* Packets of a party that did not arrive; one that repeats some does not make up for another's. */
int64_t plane_lost(const struct stw_leg_stats *stats);

/* A leg for a dialog as its party describes itself. 0 or the library's error. */
int plane_leg_open(struct call *call, struct dialog *dialog, uint64_t now_ns);

/* Its party has described itself anew. 0 or the library's error. */
int plane_leg_update(struct dialog *dialog, uint64_t now_ns);

/* Release a leg before its call is over. */
void plane_leg_close(struct dialog *dialog, uint64_t now_ns);

/* Let the media follow the call's state: who hears whom, music, prompt. */
void plane_call_follow(struct call *call);

/* The same, and what is played begins again. */
void plane_call_replay(struct call *call);

/* "net_af_xdp" or "net_af_packet"; "native", "generic" or "none". */
const char *plane_xdp_text(enum stw_xdp_mode mode);

#endif
