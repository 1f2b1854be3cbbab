/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Letting a house's threads run and rest, and taking its events meanwhile.
 */
#include "stress/house.h"

#include <sched.h>
#include <stdio.h>

static void
fill_boxes(struct house *house, const struct stw_event *event)
{
	struct house_box *box = &house->boxes[(uint32_t)event->contact.id % HOUSE_CONTACTS_MAX];
	/* One offer of a ring may take another's room: that one is answered by nobody. */
	uint32_t place = (uint32_t)(event->agent.id % house_ring_max(house));

	if (event->type == STW_EVENT_OFFER) {
		atomic_store_explicit(&box->number[place], event->offer.number,
				      memory_order_relaxed);
		atomic_store_explicit(&box->ringing[place], event->contact.id,
				      memory_order_relaxed);
	} else if (event->type == STW_EVENT_CONNECTED) {
		atomic_store_explicit(&box->talking, event->contact.id, memory_order_relaxed);
	}
}

uint64_t
house_take(struct house *house)
{
	struct stw_event events[64];
	uint64_t taken = 0;
	int count;

	do {
		count = stw_events_take(house->acd, events, 64);
		for (int i = 0; i < count; i++) {
			ledger_enter(&house->ledger, &events[i]);
			fill_boxes(house, &events[i]);
		}
		taken += count > 0 ? (uint64_t)count : 0;
	} while (count == 64);
	if (count < 0)
		snprintf(house->problem, sizeof(house->problem), "taking events: %d", count);
	atomic_fetch_add_explicit(&house->tick, 1, memory_order_relaxed);
	return taken;
}

bool
house_logs_have_room(const struct house *house)
{
	for (uint32_t t = 0; t < house->plan.threads; t++) {
		if (atomic_load_explicit(&house->threads[t].log_count, memory_order_relaxed) >
		    HOUSE_LOG_MAX / 2)
			return false;
	}
	return true;
}

void
house_run(struct house *house)
{
	atomic_store_explicit(&house->pause, 0, memory_order_release);
}

void
house_rest(struct house *house, uint32_t threads)
{
	atomic_store_explicit(&house->pause, 1, memory_order_release);
	while (atomic_load_explicit(&house->paused, memory_order_acquire) < threads) {
		house_take(house);
		sched_yield();
	}
	while (house_take(house))
		;
}
