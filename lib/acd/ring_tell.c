/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a word of a ring tells the host, event by event; announce.c puts them into the queue, and verifies after
 * reading that the word is still the contact's. Nothing here is written, so it may overlap everything.
 */
#include "ring.h"

static void
event_add(struct stw_acd *acd, uint32_t c, uint64_t word, uint32_t place, enum stw_event_type type,
	  struct acd_told_event *event)
{
	uint64_t k = ring_base(word);
	uint32_t a = acd_ring_agent(acd, c, place, k);

	*event = (struct acd_told_event){
		.type = type,
		.agent = a == ACD_NOBODY ? ACD_AGENT_NONE : a,
		.offer = offer_number(k, place),
	};
	if (type == STW_EVENT_DECLINED && a != ACD_NOBODY)
		event->reason = acd_field_read_32(&acd->agents[a].decline_reason);
}

static enum stw_event_type
closing_type(uint64_t word)
{
	if (ring_closed_by(word, ACD_RING_DECLINED))
		return STW_EVENT_DECLINED;
	if (ring_closed_by(word, ACD_RING_TIMED_OUT))
		return STW_EVENT_TIMED_OUT;
	return STW_EVENT_WITHDRAWN;
}

/* Events of a RINGING or RING_CLOSING word: up to ACD_TOLD_MAX. Returns how many. */
uint32_t
acd_ring_events(struct stw_acd *acd, uint32_t c, uint64_t word, struct acd_told_event *events)
{
	uint32_t count = 0;

	if (word_state(word) == ACD_CONTACT_RINGING) {
		event_add(acd, c, word, word_ring_last(word),
			  word_ring_flag(word) ? STW_EVENT_DECLINED : STW_EVENT_OFFER, events);
		return 1;
	}
	for (uint32_t bits = ring_live(word); bits; bits &= bits - 1) {
		uint32_t place = (uint32_t)__builtin_ctz(bits);

		if (word_ring_flag(word) || word_ring_last(word) != place)
			event_add(acd, c, word, place, closing_type(word), &events[count++]);
	}
	if (word_contact_over(word))
		events[count++] = acd_leave_event(ring_leave_cause(word));
	return count;
}
