/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The real engine on a virtual clock. The simulation is its host: it enqueues, answers, hangs up,
 * logs agents in and out, calls stw_acd_advance when the engine asks for it, and takes events at
 * once. One thread, no clock: the same plan and seed give the same events, byte for byte.
 */
#ifndef SIMULATE_SIMULATION_H
#define SIMULATE_SIMULATION_H

#include "plan.h"
#include "tally.h"

/* Time of the engine at the day's midnight: its clock may not show 0. */
#define SIMULATION_ORIGIN_NS PLAN_SECOND_NS

struct simulation;

/* One agent's numbers, within what is counted. */
struct simulation_agent {
	uint32_t group;
	uint32_t number; /* within the group, from 1 */
	uint64_t contacts;
	struct tally_staff staff;
};

/* Sees each event of the engine before the simulation does anything about it. */
typedef void (*simulation_event_fn)(void *context, const struct stw_event *event);

/* Called from time to time: where the day is, and how many contacts have come. */
typedef void (*simulation_progress_fn)(void *context, uint64_t now_ns, uint64_t contacts);

/*
 * Make an engine with the plan's skills, queues and agents. The plan is borrowed until
 * simulation_destroy. 0, or what the engine says of a description, or -ENOMEM.
 */
int simulation_create(struct simulation **out, const struct plan *plan, uint64_t seed);
void simulation_destroy(struct simulation *simulation);

void simulation_observe(struct simulation *simulation, simulation_event_fn event,
			simulation_progress_fn progress, void *context);

/*
 * Run until nothing more can happen; once. Ends with stw_acd_check, and -EPROTO if the engine's
 * counters and the simulation's differ. Otherwise 0, or the error of the call that failed.
 */
int simulation_run(struct simulation *simulation);

const struct tally *simulation_tally(const struct simulation *simulation);
uint32_t simulation_agents(const struct simulation *simulation);
void simulation_agent(const struct simulation *simulation, uint32_t index,
		      struct simulation_agent *agent);

/* simulation_serves.c: whether an agent of the group can serve the queue in any of its steps. */
int simulation_serves(const struct plan *plan, uint32_t group, uint32_t queue);

/* Contacts that such an agent may have at a time, all channels together. */
uint32_t simulation_slots(const struct stw_agent_config *agent);

struct stw_acd *simulation_engine(const struct simulation *simulation);

#endif
