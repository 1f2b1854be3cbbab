/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From queue to queue and from agent to agent: a contact keeps its enqueue time, so its place.
 */
#ifndef STROWGER_TRANSFER_H
#define STROWGER_TRANSFER_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/agent.h>
#include <strowger/contact.h>
#include <strowger/export.h>
#include <strowger/queue.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Move a waiting contact to another queue (STW_EVENT_MOVED). Its class and its enqueue time stay; its rank is
 * computed anew with the other queue's targets, whose wait_max_ns begins now. It waits for no agent in
 * person any more. Counted as overflowed there and as offered here.
 *
 * @param acd      borrowed, not NULL
 * @param contact  which
 * @param to       where it waits from now on; its own queue is fine
 * @param now_ns   host's clock, nanoseconds, 1 to 2^62
 * @return 0
 * @return -EINVAL  now_ns is outside its range
 * @return -ESTALE  it has ended
 * @return -ENOENT  the queue was removed, or is another tenant's
 * @return -ESHUTDOWN  the queue is closed or drained
 * @return -EHOSTDOWN  nobody serves the queue, and its refuse_when holds
 * @return -ENOSPC  length_max contacts wait there, or the tenant has contacts_max; nothing changed
 * @return -EBUSY   it is not waiting, or another thread is changing its class or queue at this moment
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread changed this contact.
 * Order:    matches made by calls that start after the return see it in the other queue.
 */
STW_API int stw_contact_move(struct stw_acd *acd, struct stw_contact contact, struct stw_queue to,
			     uint64_t now_ns);

/**
 * Transfer a connected contact without asking (cold): its agent is free of it and wraps up
 * (STW_EVENT_TRANSFERRED), and it waits again with its enqueue time, in a queue or for an agent. Counted as
 * ended there and as offered here.
 *
 * @param acd            borrowed, not NULL
 * @param contact        which
 * @param to             where it waits; id 0: in its own queue
 * @param agent          who is to have it in person (see stw_contact_request); id 0: whom the queue finds
 * @param agent_wait_ns  how long it waits for him, as preferred_wait_ns
 * @param now_ns         host's clock, nanoseconds, 1 to 2^62
 * @return 0
 * @return -EINVAL  a time is outside its range
 * @return -ESTALE  it has ended
 * @return -ENOENT  the queue was removed, or is another tenant's
 * @return -ESHUTDOWN  the queue is closed or drained
 * @return -EHOSTDOWN  nobody serves the queue, and its refuse_when holds
 * @return -ENOSPC  length_max contacts wait there, or the tenant has contacts_max; nothing changed
 * @return -EBUSY   it is not connected, or another thread is changing its queue at this moment
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread changed this contact.
 * Order:    both the agent's state and the contact's are seen by calls that start after the return.
 */
STW_API int stw_contact_transfer(struct stw_acd *acd, struct stw_contact contact,
				 struct stw_queue to, struct stw_agent agent,
				 uint64_t agent_wait_ns, uint64_t now_ns);

/**
 * Consult before a transfer (warm): for a connected contact a second one is put into a queue, or waits for an
 * agent in person, ranked by the first one's enqueue time. To hand over, complete; to return to the
 * first, end or cancel the second.
 *
 * @param acd      borrowed, not NULL
 * @param contact  the first, connected
 * @param request  borrowed; copied before return: the second
 * @param now_ns   host's clock, nanoseconds, 1 to 2^62
 * @param second   set on success only
 * @return 0
 * @return -EINVAL  a field is outside its range
 * @return -ESTALE  the first has ended
 * @return -EBUSY   the first is not connected
 * @return -ENOENT  the second's queue was removed
 * @return -ESHUTDOWN  that queue is closed or drained; counted as refused
 * @return -EHOSTDOWN  nobody serves that queue, and its refuse_when holds; counted as refused
 * @return -ENOSPC  as stw_contact_enqueue; counted as refused
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread's enqueue, offer or change of state finished.
 * Order:    as stw_contact_enqueue.
 */
STW_API int stw_contact_consult(struct stw_acd *acd, struct stw_contact contact,
				const struct stw_contact_request *request, uint64_t now_ns,
				struct stw_contact *second);

/**
 * Hand over after a consultation: the first contact ends (STW_EVENT_ENDED, STW_CAUSE_TRANSFER, contact_to the
 * second) and its agent wraps up; the second goes on where it stands, connected or not yet.
 *
 * @param acd      borrowed, not NULL
 * @param contact  the first, connected
 * @param second   of stw_contact_consult for the first
 * @param now_ns   host's clock, nanoseconds
 * @return 0
 * @return -ESTALE  one of them has ended
 * @return -EINVAL  the second is not a consultation for the first
 * @return -EBUSY   the first is not connected, or another thread hands it over at this moment
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: lock-free; a retry means another thread changed the first contact.
 * Order:    the agent's state is seen by every call that starts after the return.
 */
STW_API int stw_contact_complete(struct stw_acd *acd, struct stw_contact contact,
				 struct stw_contact second, uint64_t now_ns);

#ifdef __cplusplus
}
#endif

#endif
