/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A context's life: filled from keys, retired, freed. For those who keep the tables.
 */
#ifndef STW_MEDIA_SRTP_CONTEXT_H
#define STW_MEDIA_SRTP_CONTEXT_H

#include "srtp.h"

/**
 * Fill a context's rows from keys. After a failure they are half filled, for srtp_context_free.
 *
 * @return 0, or -EIO when keys cannot be derived or the device refuses them
 *
 * Threads: control, under the mutex. Progress: blocking (waits for memory). Order: none.
 */
int srtp_context_fill(struct srtp *srtp, uint32_t context, const struct stw_srtp_keys *keys,
		      bool inward);

/** SSRCs go on with the index that they have reached under former keys (RFC 3711 3.3.1). */
void srtp_context_continue(struct srtp *srtp, uint32_t context, uint32_t former);

/** A context that no worker sees: its sessions and secrets go, its slot is free. */
void srtp_context_free(struct srtp *srtp, uint32_t context);

/** Free a device's session of a context, if it has it. */
void srtp_session_free(const struct srtp *srtp, const struct srtp_head *head, void **session);

/** Free a context later, when every worker has passed a quiescent state; 0: nothing. */
void srtp_context_retire(struct stw_media *media, uint32_t context);

/** Take out the former keys of a context, if they are still taken. */
void srtp_previous_end(struct stw_media *media, uint32_t context);

/** Free retired contexts that no worker sees any more; a bounded number. */
void srtp_contexts_reclaim(struct stw_media *media);

#endif
