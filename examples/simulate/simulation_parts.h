/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the files of the simulation, and by nobody else. */
#ifndef SIMULATE_SIMULATION_PARTS_H
#define SIMULATE_SIMULATION_PARTS_H

#include <stdbool.h>

#include "agenda.h"
#include "simulation.h"

/* What the agenda's items are about: subject is a flow, a contact or an agent. */
enum simulation_kind {
	KIND_ARRIVAL, /* flow */
	KIND_PATIENCE,
	KIND_ANSWER, /* agent; mark: which of his offers */
	KIND_HANG_UP,
	KIND_RETURN,
	KIND_LOGIN, /* agent */
	KIND_LOGOUT,
	KIND_BREAK,
	KIND_BACK,
	KIND_LOOK, /* a wrap-up is over that no event tells of */
};

enum simulation_contact_state {
	CONTACT_FREE,
	CONTACT_WAITING,
	CONTACT_CONNECTED,
	CONTACT_AWAY, /* deflected, will call again */
};

/* A contact under way. Its place is its cookie; places are used again. */
struct simulation_contact {
	struct stw_contact handle;
	uint64_t arrived_ns;
	uint64_t connected_ns;
	uint64_t handling_ns;
	uint64_t patience_ns;
	uint64_t told_ns; /* expected wait at arrival; VARIATE_NEVER: not told, or counted */
	uint64_t mark;    /* differs for each contact in this place */
	uint32_t state;
	uint32_t flow;
	uint32_t queue;
	uint32_t interval;
	uint32_t next_free;
	double choice; /* 0 to 1: what he does when he is deflected or offered a callback */
	uint8_t value;
	uint8_t urgency;
	uint8_t rings;  /* phones that ring for him */
	bool returned;  /* called again after self-service */
	bool unreached; /* does not answer when called back */
};

struct simulation_person {
	struct stw_agent handle;
	struct simulation_agent numbers;
	const struct plan_shift *shift;
	uint32_t state; /* enum stw_agent_state */
	uint64_t since_ns;
	struct stw_offer offer; /* number 0: none rings */
	uint64_t offers;        /* so far */
};

struct simulation_source {
	struct variate_stream arrivals;
	struct variate_stream patience;
	struct variate_stream handling;
	struct variate_stream choices;
	uint64_t at_ns; /* the arrival before the next */
	uint32_t next;  /* of the list */
};

struct simulation {
	const struct plan *plan;
	struct stw_acd *acd;
	struct agenda agenda;
	struct tally tally;
	struct simulation_contact *contacts;
	uint32_t contacts_count;
	uint32_t contacts_size;
	uint32_t first_free;
	struct simulation_person *persons;
	uint32_t persons_count;
	struct simulation_source *sources;
	struct stw_queue *queues;
	struct variate_stream answers;
	simulation_event_fn event;
	simulation_progress_fn progress;
	void *context;
	uint64_t now_ns;
	uint64_t arrivals;
	struct tally_cell *totals; /* [queue]: all contacts, also outside of what is counted */
	uint32_t *surges;          /* [queue]: a bit per rule that is on */
	int error;                 /* the first */
};

#define NO_CONTACT UINT32_MAX

/* simulation_house.c */
int simulation_house_build(struct simulation *simulation, uint64_t seed);

/* simulation_define.c: all that the plan names. */
int simulation_define(struct simulation *simulation);

/* simulation_agents.c */
void simulation_agents_plan(struct simulation *simulation);
void simulation_agent_act(struct simulation *simulation, const struct agenda_item *item);
void simulation_agent_look(struct simulation *simulation, uint32_t index);
void simulation_agents_close(struct simulation *simulation);

/* simulation_contacts.c */
void simulation_arrival_plan(struct simulation *simulation, uint32_t flow);
void simulation_contact_act(struct simulation *simulation, const struct agenda_item *item);
void simulation_contact_event(struct simulation *simulation, const struct stw_event *event);
void simulation_contacts_close(struct simulation *simulation);
uint32_t simulation_place_take(struct simulation *simulation);
void simulation_place_free(struct simulation *simulation, struct simulation_contact *contact);

/* The contact's cells, of queue and flow; 2, or 0 outside of what is counted. */
unsigned simulation_cells(struct simulation *simulation, const struct simulation_contact *contact,
			  struct tally_cell *cells[2]);

/* simulation_entry.c */
void simulation_arrive(struct simulation *simulation, uint32_t flow);
void simulation_return(struct simulation *simulation, uint32_t index);
void simulation_surge(struct simulation *simulation, const struct stw_event *event);

/* Add one to a counter of tally_cell: of the contact's queue and flow. */
void simulation_count(struct simulation *simulation, const struct simulation_contact *contact,
		      size_t offset);

/* simulation.c: take events until there are none, and do what they ask for. */
void simulation_events(struct simulation *simulation);

static inline uint64_t
simulation_now(const struct simulation *simulation)
{
	return simulation->now_ns + SIMULATION_ORIGIN_NS;
}

/* Keep the first error; whoever runs the simulation stops at it. */
static inline void
simulation_fail(struct simulation *simulation, int result)
{
	if (result < 0 && simulation->error == 0)
		simulation->error = result;
}

static inline void
simulation_add(struct simulation *simulation, uint64_t at_ns, enum simulation_kind kind,
	       uint32_t subject, uint64_t mark)
{
	struct agenda_item item = {.at_ns = at_ns, .kind = kind, .subject = subject, .mark = mark};

	simulation_fail(simulation, agenda_add(&simulation->agenda, &item));
}

#endif
