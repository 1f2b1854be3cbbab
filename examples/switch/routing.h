/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The engine: made from the configuration, its events given to calls, its timers fired.
 */
#ifndef SWITCH_ROUTING_H
#define SWITCH_ROUTING_H

#include "exchange.h"

/* 0 or a negative errno; the log names what is wrong. */
int routing_open(struct exchange *exchange);
void routing_close(struct exchange *exchange);

/* Take the engine's events, until there are no more: handling one may cause others. */
void routing_take(struct exchange *exchange);

/* Contacts whose calls went with the process before give up their places. */
void routing_orphans_end(struct exchange *exchange);

/* Fire what is due. */
void routing_advance(struct exchange *exchange, uint64_t now_ns);

/* An agent's phone has come or gone. */
void routing_login(struct exchange *exchange, struct agent *agent);
void routing_logout(struct exchange *exchange, struct agent *agent);

const char *routing_state_text(enum stw_agent_state state);

#endif
