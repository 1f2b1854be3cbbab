/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The registrar (RFC 3261 10): an agent's phone says where it is. Registered is logged in and ready;
 * unregistered or expired is logged out.
 */
#ifndef SWITCH_REGISTRAR_H
#define SWITCH_REGISTRAR_H

#include <sofia-sip/sip.h>

#include "exchange.h"

/* A REGISTER has come; it is answered and its handle destroyed. */
void registrar_take(struct exchange *exchange, nua_handle_t *handle, const sip_t *sip);

/* Log out whose registration has expired. */
void registrar_tick(struct exchange *exchange, uint64_t now_ns);

#endif
