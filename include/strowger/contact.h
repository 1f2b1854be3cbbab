/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Contacts: a call (later a chat, an e-mail, a ticket) that wants a person.
 */
#ifndef STROWGER_CONTACT_H
#define STROWGER_CONTACT_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/agent.h>
#include <strowger/export.h>
#include <strowger/queue.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Handle of a contact: a value, copied freely. An id of 0 names nothing. */
struct stw_contact {
	uint64_t id; /**< slot in the low, generation in the high 32 bits; 0 names nothing */
};

/** Where a contact stands. */
enum stw_contact_state {
	STW_CONTACT_WAITING,   /**< no agent yet */
	STW_CONTACT_OFFERED,   /**< an offer rings at an agent */
	STW_CONTACT_CONNECTED, /**< talks to an agent */
};

/** What the host says of a new contact. Begin with STW_CONTACT_REQUEST_INIT. */
struct stw_contact_request {
	size_t struct_size;     /**< bytes of this struct as compiled; never 0 */
	struct stw_queue queue; /**< where it waits */
	uint64_t cookie;        /**< the host's own; handed back in events; 0 is fine */
	uint8_t value;          /**< class of the customer, 0 (least) to 15 */
	uint8_t urgency;        /**< class of the matter, 0 (least) to 15 */
	uint8_t red_channel;    /**< 1: before every contact that is not red; 0: by rank */
	uint64_t credit_ns;     /**< taken off the rank, nanoseconds, to 2^61; 0: none */
	/**
	 * Who of the queue's tenant is to have it in person, if he has slots for its channel, whatever
	 * his skills; id 0: nobody. It is offered to nobody
	 * else for preferred_wait_ns or until he logs out or misses it; then its queue routes it.
	 */
	struct stw_agent preferred;
	/** How long it waits for him, nanoseconds to 2^61; UINT64_MAX: for ever; 0: not at all,
	 * it is his only if he is ready at once. */
	uint64_t preferred_wait_ns;
	/** Names the customer over his contacts; host's own; 0: nobody. See customers_max. */
	uint64_t customer_key;
	/** 1: whoever served the customer last is `preferred`, unless that names somebody; 0: not. */
	uint8_t last_agent;
};

/** A request of the lowest class in no queue yet. */
#define STW_CONTACT_REQUEST_INIT                                                                   \
	{                                                                                          \
		sizeof(struct stw_contact_request), {0}, 0, 0, 0, 0, 0, {0}, 0, 0, 0               \
	}

/** What stw_contact_enqueue returns when a surge rule of the queue was on for the contact. */
enum stw_enqueue {
	STW_ENQUEUE_QUEUED,     /**< it waits, or is offered; no rule applied */
	STW_ENQUEUE_CALLBACK,   /**< likewise; the caller is to be offered a callback */
	STW_ENQUEUE_OVERFLOWED, /**< likewise, but in the rule's other queue */
	STW_ENQUEUE_DEFLECTED,  /**< it does not wait: the host sends it to self-service */
};

/** What a reader sees of a contact at one instant. */
struct stw_contact_status {
	enum stw_contact_state state; /**< where it stands */
	struct stw_queue queue;       /**< where it was put */
	struct stw_agent agent;       /**< offered or connected; id 0 while WAITING; of several
					   who are rung, the first */
	uint64_t enqueue_ns;          /**< when it came, host's clock */
	int64_t rank_ns; /**< virtual deadline; the smallest of a queue is served first */
	uint64_t cookie; /**< the host's own */
	uint32_t step;   /**< last routing step open to it, 0: the first */
	struct stw_agent preferred; /**< whom it waits for in person; id 0: nobody */
	uint8_t callback;           /**< 1: its caller has hung up and is to be called back */
	uint64_t entered_ns;        /**< when it came into the queue, host's clock */
};

/**
 * Put a contact into its queue. If a suitable agent is ready the offer is made before the return.
 *
 * @param acd      borrowed, not NULL
 * @param request  borrowed; copied before return
 * @param now_ns   host's clock, nanoseconds, 1 to 2^62; it becomes the enqueue time
 * @param contact  set when it waits or is offered
 * @return 0, or another value of enum stw_enqueue
 * @return -EINVAL  a field is outside its range
 * @return -ESTALE  the queue was removed
 * @return -EAGAIN  a surge rule refuses it; counted as refused; nothing else changed
 * @return -ENOSPC  contacts_max contacts are known, the engine's or the tenant's, or length_max wait in
 *                  the queue; counted as refused; nothing else changed
 * @return -ESHUTDOWN  the queue takes no contacts (stw_queue_door says why); counted as refused
 * @return -EHOSTDOWN  nobody serves the queue, and its refuse_when holds; counted as refused
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread's enqueue, offer or change of state finished.
 * Order:    what the caller wrote before is seen by whoever takes the offer's event. There is room in the
 *           engine and in the queue at one instant of the call, before the contact waits; who comes back
 *           to the queue in between, as his offer was missed, still does.
 * Source:   Kleinrock, "A delay dependent queue discipline", 1964, for ranks that grow with time.
 */
STW_API int stw_contact_enqueue(struct stw_acd *acd, const struct stw_contact_request *request,
				uint64_t now_ns, struct stw_contact *contact);

/**
 * The caller has gone before being connected. Cancel always wins over offers that ring: each
 * is withdrawn (STW_EVENT_WITHDRAWN) and a later accept of it fails. The handle is stale
 * after success.
 *
 * @param acd      borrowed, not NULL
 * @param contact  which
 * @param now_ns   host's clock, nanoseconds
 * @return 0
 * @return -ESTALE  it has ended
 * @return -EBUSY   it is connected: end it instead
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread changed this contact.
 * Order:    no offer of the contact is made after the return.
 */
STW_API int stw_contact_cancel(struct stw_acd *acd, struct stw_contact contact, uint64_t now_ns);

/**
 * Give a waiting contact another class, at once. Its enqueue time stays, its rank is computed anew.
 *
 * @param acd      borrowed, not NULL
 * @param contact  which
 * @param value    0 to 15
 * @param urgency  0 to 15
 * @param now_ns   host's clock, nanoseconds
 * @return 0
 * @return -EINVAL  a class is above 15
 * @return -ESTALE  it has ended
 * @return -EBUSY   it is not waiting, or another thread is changing its class at this moment
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread changed this contact.
 * Order:    matches made by calls that start after the return see the new rank.
 */
STW_API int stw_contact_reprioritise(struct stw_acd *acd, struct stw_contact contact, uint8_t value,
				     uint8_t urgency, uint64_t now_ns);

/**
 * A connected contact is over. The agent goes to wrap-up, or to what was asked for meanwhile, or
 * is ready at once and gets the best waiting contact before the return. The handle is stale after
 * success.
 *
 * @param acd      borrowed, not NULL
 * @param contact  which
 * @param now_ns   host's clock, nanoseconds
 * @return 0
 * @return -ESTALE  it has ended
 * @return -EBUSY   it is not connected: cancel it instead
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread's change finished.
 * Order:    the agent's state is seen by every call that starts after the return.
 */
STW_API int stw_contact_end(struct stw_acd *acd, struct stw_contact contact, uint64_t now_ns);

/**
 * End a connected contact as stw_contact_end does, and say whether the customer's matter is settled (first-contact
 * resolution).
 *
 * @param acd       borrowed, not NULL
 * @param contact   which
 * @param resolved  1: it is settled; 0: it is not
 * @param now_ns    host's clock, nanoseconds
 * @return 0
 * @return -EINVAL  resolved is above 1
 * @return -ESTALE  it has ended
 * @return -EBUSY   it is not connected: cancel it instead
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread's change finished.
 * Order:    as stw_contact_end.
 */
STW_API int stw_contact_end_with(struct stw_acd *acd, struct stw_contact contact, uint8_t resolved,
				 uint64_t now_ns);

/**
 * Say that a contact is still there, before its queue's lease_ns is over: the contact rings or talks on.
 *
 * @param acd      borrowed, not NULL
 * @param contact  which; one that waits needs no renewal, and saying so changes nothing
 * @param now_ns   host's clock, nanoseconds
 * @return 0
 * @return -ESTALE  it has ended
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread renewed it.
 * Order:    a call of stw_acd_advance that starts after the return sees the renewal.
 */
STW_API int stw_contact_renew(struct stw_acd *acd, struct stw_contact contact, uint64_t now_ns);

/**
 * The caller has hung up and is to be called back; the contact keeps its place, and its offers say so
 * (`callback` of their events). Its queue's wait_max_ns does not end its wait. Or he has called again.
 *
 * @param acd      borrowed, not NULL
 * @param contact  which, waiting or ringing
 * @param on       1: he is to be called back; 0: he is on the line again
 * @param now_ns   host's clock, nanoseconds
 * @return 0
 * @return -EINVAL  on is above 1
 * @return -ESTALE  it has ended
 * @return -EBUSY   it is connected
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread changed this contact.
 * Order:    events of offers made after the return say it; one made at the same time may or may not.
 */
STW_API int stw_contact_callback(struct stw_acd *acd, struct stw_contact contact, uint8_t on,
				 uint64_t now_ns);

/**
 * Read where a contact stands.
 *
 * @param acd      borrowed, not NULL
 * @param contact  which
 * @param status   filled on success only
 * @return 0
 * @return -ESTALE  it has ended
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread changed this contact.
 * Order:    all fields are of one instant.
 */
STW_API int stw_contact_status(struct stw_acd *acd, struct stw_contact contact,
			       struct stw_contact_status *status);

/**
 * Tell at which place of its queue a contact stands.
 *
 * @param acd       borrowed, not NULL
 * @param contact   which
 * @param position  set on success only; 1: of its queue, it is served next
 * @return 0
 * @return -ESTALE  it has ended
 * @return -EBUSY   it is not waiting
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread changed this contact.
 * Order:    contacts that come or go during the call may be counted or not.
 */
STW_API int stw_contact_position(struct stw_acd *acd, struct stw_contact contact,
				 uint32_t *position);

/**
 * Estimate how long a contact will still wait until an agent is offered it, from its place and from
 * how fast its queue has been served of late.
 *
 * @param acd      borrowed, not NULL
 * @param contact  which
 * @param now_ns   host's clock, nanoseconds
 * @param ewt_ns   set on success only; nanoseconds from now
 * @return 0
 * @return -ESTALE   it has ended
 * @return -EBUSY    it is not waiting
 * @return -ENODATA  the queue has served too few to tell
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread changed this contact.
 * Order:    contacts that come or go during the call may be counted or not.
 * Source:   Whitt, "Predicting queueing delays", 1999; Ibrahim and Whitt, "Real-time delay
 *           estimation in overloaded multiserver queues with abandonments", 2009.
 */
STW_API int stw_contact_ewt(struct stw_acd *acd, struct stw_contact contact, uint64_t now_ns,
			    uint64_t *ewt_ns);

/**
 * Estimate how long a contact of a class would wait that came now.
 *
 * @param acd      borrowed, not NULL
 * @param queue    which
 * @param value    class of the customer, 0 to 15
 * @param urgency  class of the matter, 0 to 15
 * @param now_ns   host's clock, nanoseconds, 1 to 2^62
 * @param ewt_ns   set on success only; nanoseconds; 0 when an agent is ready for it
 * @return 0
 * @return -EINVAL   a value is outside its range
 * @return -ESTALE   the queue was removed
 * @return -ENODATA  the queue has served too few to tell
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread changed who is ready.
 * Order:    contacts that come or go during the call may be counted or not.
 * Source:   as stw_contact_ewt.
 */
STW_API int stw_queue_ewt(struct stw_acd *acd, struct stw_queue queue, uint8_t value,
			  uint8_t urgency, uint64_t now_ns, uint64_t *ewt_ns);

#ifdef __cplusplus
}
#endif

#endif
