/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the agents' phones are, kept beside the journal: an agent who was logged in is rung at once by
 * a switch that was started again.
 */
#ifndef SWITCH_PHONES_H
#define SWITCH_PHONES_H

#include "exchange.h"

/* Keep it, if it has changed since the last time and there is a journal. */
void phones_save(struct exchange *exchange);

/* Take it over, when the engine was restored. Agents without a phone are logged out, those with one logged in. */
void phones_load(struct exchange *exchange);

#endif
