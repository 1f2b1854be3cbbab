/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Offers: the engine has chosen an agent for a contact, and the host rings. Each offer has a
 * handle of its own, so an answer to an old offer can never hit a new one.
 */
#ifndef STROWGER_OFFER_H
#define STROWGER_OFFER_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/contact.h>
#include <strowger/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Handle of one offer, from its event: a value, copied freely. */
struct stw_offer {
	struct stw_contact contact; /**< whom it is about; id 0 names nothing */
	uint64_t number;            /**< which of the contact's offers; 0 names nothing */
};

/**
 * The agent has answered: contact and agent are connected (STW_EVENT_CONNECTED). If others are rung
 * for the same contact their offers are withdrawn first (STW_EVENT_WITHDRAWN), and they are ready
 * again.
 *
 * @param acd     borrowed, not NULL
 * @param offer   which
 * @param now_ns  host's clock, nanoseconds
 * @return 0
 * @return -ESTALE  it was withdrawn, declined or timed out, another agent was quicker, or the
 *                  contact has ended
 * @return -EALREADY  it was accepted before
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread changed this contact.
 * Order:    exactly one of accept, decline, cancel and time-out of an offer succeeds; of several
 *           offers of one contact at once, at most one accept.
 */
STW_API int stw_offer_accept(struct stw_acd *acd, struct stw_offer offer, uint64_t now_ns);

/**
 * The agent does not want it, or cannot be reached. The contact waits again with its rank, and is
 * offered to this agent again only when no other eligible one is ready at that moment. The agent
 * pauses for penalty_ns (NOT_READY, STW_REASON_PENALTY) and is set not-ready after misses_max misses
 * in a row. If others are rung for the same contact they ring on, and it waits again when the last
 * of them has declined.
 *
 * @param acd     borrowed, not NULL
 * @param offer   which
 * @param reason  the host's own, handed back in the event; 0 is fine
 * @param now_ns  host's clock, nanoseconds
 * @return 0
 * @return -ESTALE  it was withdrawn, accepted, declined or timed out, or the contact has ended
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread changed this contact.
 * Order:    exactly one of accept, decline, cancel and time-out of an offer succeeds.
 */
STW_API int stw_offer_decline(struct stw_acd *acd, struct stw_offer offer, uint32_t reason,
			      uint64_t now_ns);

#ifdef __cplusplus
}
#endif

#endif
