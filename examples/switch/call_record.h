/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which parts of a call are recorded, as its queue says: all of it, nothing, or what the agent asks for.
 * While nothing is recorded a plain call can be relayed inside the kernel.
 */
#ifndef SWITCH_CALL_RECORD_H
#define SWITCH_CALL_RECORD_H

#include "call.h"

/* The switch answers the call. A recording that cannot be made is logged; the call goes on. */
void call_record_begin(struct call *call);

/* It has come into a queue. Where that does not record all, what the menu heard is deleted. */
void call_record_enter(struct call *call);

/* It is over: what is being recorded ends with the session, a moment later. */
void call_record_over(struct call *call);

/* The INFO of a phone, "Record: on" or "Record: off". Status of the answer. */
int call_record_asked(struct dialog *dialog, const sip_t *sip);

#endif
