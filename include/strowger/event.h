/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Events: what the engine tells the host. They leave through one queue per engine, in an order
 * that respects each contact's life.
 */
#ifndef STROWGER_EVENT_H
#define STROWGER_EVENT_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/agent.h>
#include <strowger/contact.h>
#include <strowger/export.h>
#include <strowger/offer.h>
#include <strowger/queue.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What happened. */
enum stw_event_type {
	STW_EVENT_NONE,        /**< never sent */
	STW_EVENT_OFFER,       /**< ring the agent */
	STW_EVENT_WITHDRAWN,   /**< stop ringing: the contact was cancelled, or another answered */
	STW_EVENT_DECLINED,    /**< the offer was declined; the contact waits again, unless
				    others are rung */
	STW_EVENT_TIMED_OUT,   /**< stop ringing: nobody answered; the contact waits again */
	STW_EVENT_CONNECTED,   /**< the offer was accepted */
	STW_EVENT_ENDED,       /**< a connected contact is over */
	STW_EVENT_ABANDONED,   /**< a contact was cancelled before it was connected */
	STW_EVENT_AGENT_STATE, /**< an agent logged in or out, became ready or not ready, wraps up */
	STW_EVENT_LOST,        /**< `lost` events before this one found the queue full */
	STW_EVENT_QUEUED,      /**< a contact waits: it has come, was put back, or has a new rank;
				    only with stw_acd_config.journal. Numbers of types are kept in
				    journals: a new one comes at the end */
	STW_EVENT_POSITION, /**< a contact that waits: its `position` and expected wait, `ewt_ns` */
	STW_EVENT_SURGE,    /**< a queue's surge rule, by `reason`, went on or off (`surge_on`) */
	STW_EVENT_EXPIRED,  /**< the engine has let a contact go before an agent had it: `cause` */
	STW_EVENT_MOVED,    /**< a contact waits in another queue, queue_to, from now on */
	STW_EVENT_TRANSFERRED, /**< likewise, and its agent is free of it */
};

/** Why a contact has left. */
enum stw_cause {
	STW_CAUSE_HOST,      /**< the host has said so */
	STW_CAUSE_TRANSFER,  /**< its agent has handed over to another: contact_to */
	STW_CAUSE_LEASE,     /**< its host has not renewed it for its queue's lease_ns */
	STW_CAUSE_WAIT_MAX,  /**< it has waited for its queue's wait_max_ns */
	STW_CAUSE_UNSTAFFED, /**< nobody serves its queue any more: leave_when */
};

/** One event. Fields that do not apply are 0. */
struct stw_event {
	enum stw_event_type type;         /**< what happened */
	enum stw_agent_state agent_state; /**< of AGENT_STATE: the new state */
	enum stw_cause cause;             /**< of ENDED, ABANDONED and EXPIRED */
	uint32_t reason;                  /**< of DECLINED and of AGENT_STATE with NOT_READY; of
				      SURGE: index of the rule */
	uint8_t value;                    /**< class of the contact, 0 to 15 */
	uint8_t urgency;                  /**< class of the contact, 0 to 15 */
	uint8_t step;     /**< last routing step open to it; 0: the first, or it has left */
	uint8_t callback; /**< 1: its caller has hung up and is to be called back */
	uint8_t surge_on; /**< of SURGE: 1: the rule went on; 0: off */
	uint8_t in_time;  /**< of CONNECTED: 1 within service_level_ns; of WITHDRAWN and ABANDONED:
			       1 within short_abandon_ns; both since entered_ns; else 0 */
	uint64_t time_ns; /**< now_ns of the call that caused it */
	uint64_t wait_ns; /**< since the contact was enqueued, nanoseconds */
	struct stw_contact contact;     /**< whom it is about; id 0: no contact */
	struct stw_contact contact_to;  /**< of ENDED by a transfer: the contact that goes on */
	struct stw_contact contact_for; /**< of a consultation: whom it is for; id 0: it is none */
	struct stw_agent agent;         /**< offered to, connected, or changed; id 0: nobody */
	struct stw_agent preferred;     /**< whom the contact waits for in person; id 0: nobody */
	struct stw_queue queue;         /**< the contact's; id 0: none */
	struct stw_queue queue_to;      /**< of MOVED and TRANSFERRED: where it waits now */
	struct stw_offer offer;         /**< of OFFER, WITHDRAWN, DECLINED, TIMED_OUT, CONNECTED */
	uint64_t contact_cookie;        /**< as given at enqueue */
	uint64_t agent_cookie;          /**< as given at definition */
	uint64_t queue_cookie;          /**< as given at definition */
	uint64_t lost;                  /**< of LOST: how many */
	/**
	 * Number among the events of this contact, or of this agent's states, over all lives of a
	 * slot: of two the later is the one with (int64_t)(later - earlier) > 0; 0: none.
	 */
	uint64_t sequence;
	uint64_t enqueue_ns; /**< of a contact: when it came, host's clock */
	uint64_t
		entered_ns; /**< of a contact: when it came into its queue (queue_to), host's clock */
	int64_t rank_ns;    /**< of a contact: its rank; see stw_queue_config.target_ns */
	uint64_t credit_ns; /**< of a contact: as given, nanoseconds; UINT64_MAX: red channel */
	uint64_t arrival;   /**< of a contact: its number among all that came, 0 the first */
	uint64_t preferred_until_ns; /**< end of the wait for `preferred`, host's clock; UINT64_MAX:
					  never; 0: it waits for nobody */
	uint64_t customer_key;       /**< as given at enqueue; 0: none */
	uint64_t refused;            /**< of QUEUED: contacts that its queue has refused so far */
	uint64_t refused_unstaffed;  /**< of QUEUED: of these, those refused as refuse_when held */
	uint64_t deflected;          /**< of QUEUED: those that its queue has deflected so far */
	uint64_t overflowed; /**< of QUEUED: those that its queue has sent to another so far */
	uint64_t callbacks_offered; /**< of QUEUED: those queued to be offered a callback so far */
	uint64_t callbacks; /**< of QUEUED: those of its queue that became callbacks so far */
	uint64_t resumed;   /**< of QUEUED: those that got the place of one given up so far */
	uint64_t repeats;   /**< of QUEUED: those of customers served shortly before so far */
	uint64_t resolution_reported; /**< of QUEUED: those ended by stw_contact_end_with so far */
	uint64_t resolved;            /**< of QUEUED: of these, those whose matter is settled */
	uint64_t until_ns; /**< of AGENT_STATE: end of wrap-up or penalty, host's clock; else 0 */
	uint64_t ewt_ns;   /**< of POSITION: expected wait from now, nanoseconds; UINT64_MAX: not
			      known */
	uint32_t position; /**< of POSITION: place in the queue, 1 is next */
};

/**
 * Take events, oldest first.
 *
 * @param acd     borrowed, not NULL
 * @param events  filled with up to count events
 * @param count   1 to 65536
 * @return number of events taken, 0 when there are none
 * @return -EINVAL  count is outside its range
 * @return -EBUSY   another thread is taking events
 *
 * Threads:  one at a time; at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread's event arrived. A stopped thread holds back at
 *           most the event of the change it has just made, until another call touches that contact
 *           or agent, or stw_acd_advance comes round to it.
 * Order:    what a thread wrote before the call that caused an event is seen by its taker. Events of
 *           one contact come in the order of its life; events of one agent likewise.
 */
STW_API int stw_events_take(struct stw_acd *acd, struct stw_event *events, uint32_t count);

#ifdef __cplusplus
}
#endif

#endif
