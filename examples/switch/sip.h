/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The SIP side: sofia's user agent, whose events go to calls and the registrar.
 */
#ifndef SWITCH_SIP_H
#define SWITCH_SIP_H

#include "exchange.h"

/*
 * Before anything else: at the end of a process that has not used its random numbers, sofia 1.12.11
 * deletes the thread key 0, which is not its own (su_uniqueid.c). It is liburcu's, who then aborts.
 */
void sip_prepare(void);

/* Listen. 0 or a negative errno; the log names what is wrong. verbose: sofia's own log, too. */
int sip_open(struct exchange *exchange, bool verbose);

/* Handle what has come, or wait for it up to wait_ms. */
void sip_step(struct exchange *exchange, uint32_t wait_ms);

/* Close what is left and stop listening. */
void sip_close(struct exchange *exchange);

#endif
