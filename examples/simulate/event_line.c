/* SPDX-License-Identifier: BSD-3-Clause */
/* Whole events as text: what --events writes, and what two runs are compared by. */
#include "event_line.h"

#include <inttypes.h>
#include <stdio.h>

const char event_line_names[] =
	"time_ns,type,contact,contact_cookie,queue,queue_cookie,value,urgency,wait_ns,agent,"
	"agent_cookie,agent_state,reason,step,offer_contact,offer_number,"
	"surge_on,position,ewt_ns,lost\n";

size_t
event_line(char line[EVENT_LINE_BYTES], const struct stw_event *event)
{
	return (size_t)snprintf(line, EVENT_LINE_BYTES,
				"%" PRIu64 ",%u,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
				",%u,%u,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%u,%u,%u,%" PRIu64
				",%" PRIu64 ",%u,%u,%" PRIu64 ",%" PRIu64 "\n",
				event->time_ns, event->type, event->contact.id,
				event->contact_cookie, event->queue.id, event->queue_cookie,
				event->value, event->urgency, event->wait_ns, event->agent.id,
				event->agent_cookie, event->agent_state, event->reason, event->step,
				event->offer.contact.id, event->offer.number, event->surge_on,
				event->position, event->ewt_ns, event->lost);
}
