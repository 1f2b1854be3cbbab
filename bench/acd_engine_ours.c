/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Our engine as the benches see it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <strowger/acd.h>

#include "acd_engines.h"
#include "acd_must.h"
#include "acd_threads.h"
#include "acd_workload.h"

struct ours {
	struct stw_acd *acd;
	struct stw_skill skills[WORKLOAD_SKILLS];
	struct stw_queue *queues;
	struct stw_agent *agents;
	struct stw_contact *contacts; /* by cookie */
	const struct stw_surge_rule *rule;
	uint64_t switches; /* of the rule, in all queues */
};

static void
ours_queue_define(void *state, uint32_t queue, const struct rival_term *terms, uint32_t terms_count,
		  const int64_t target_ns[RIVAL_CLASSES][RIVAL_CLASSES])
{
	struct ours *ours = state;
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_skill_level levels[RIVAL_TERMS_MAX];
	struct stw_step_config one = {levels, terms_count, STW_SELECT_LONGEST_IDLE};
	char name[32];

	snprintf(name, sizeof(name), "queue-%" PRIu32, queue);
	for (uint32_t i = 0; i < terms_count; i++)
		levels[i] = (struct stw_skill_level){ours->skills[terms[i].skill], terms[i].level};
	config.name = name;
	config.steps = &one;
	config.steps_count = 1;
	config.offer_timeout_ns = 0;
	config.surge_rules = ours->rule;
	config.surge_rules_count = ours->rule != NULL;
	for (uint32_t value = 0; value < RIVAL_CLASSES; value++) {
		for (uint32_t urgency = 0; urgency < RIVAL_CLASSES; urgency++)
			config.target_ns[value][urgency] = target_ns[value][urgency];
	}
	must(stw_queue_define(ours->acd, &config, &ours->queues[queue]), "stw_queue_define");
}

static void
ours_agent_define(void *state, uint32_t agent, const uint8_t levels[RIVAL_SKILLS_MAX])
{
	struct ours *ours = state;
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_skill_level skills[WORKLOAD_SKILLS];
	char name[32];

	snprintf(name, sizeof(name), "agent-%" PRIu32, agent);
	config.name = name;
	config.cookie = agent;
	config.skills = skills;
	for (uint32_t i = 0; i < WORKLOAD_SKILLS; i++) {
		if (levels[i])
			skills[config.skills_count++] =
				(struct stw_skill_level){ours->skills[i], levels[i]};
	}
	must(stw_agent_define(ours->acd, &config, &ours->agents[agent]), "stw_agent_define");
}

static void
ours_agent_ready(void *state, uint32_t agent, uint64_t now_ns)
{
	struct ours *ours = state;
	struct stw_event events[ENGINES_EVENTS_BATCH];

	must(stw_agent_login(ours->acd, ours->agents[agent], now_ns), "stw_agent_login");
	must(stw_agent_ready(ours->acd, ours->agents[agent], now_ns), "stw_agent_ready");
	must(stw_events_take(ours->acd, events, ENGINES_EVENTS_BATCH), "stw_events_take");
}

static void
ours_enqueue(void *state, uint32_t queue, uint32_t cookie, uint8_t value, uint8_t urgency,
	     uint64_t now_ns)
{
	struct ours *ours = state;
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;

	request.queue = ours->queues[queue];
	request.cookie = cookie;
	request.value = value;
	request.urgency = urgency;
	must(stw_contact_enqueue(ours->acd, &request, now_ns, &ours->contacts[cookie]),
	     "stw_contact_enqueue");
}

static void
ours_agents_ready(void *state, uint32_t first, uint32_t count, uint64_t now_ns)
{
	struct ours *ours = state;

	if (stw_agents_login(ours->acd, &ours->agents[first], count, now_ns, NULL) != count ||
	    stw_agents_ready(ours->acd, &ours->agents[first], count, now_ns, NULL) != count)
		rounds_die("strowger: not all agents are ready");
}

static bool
ours_admit(void *state, uint32_t queue, uint32_t cookie, uint8_t value, bool is_red,
	   uint64_t now_ns)
{
	struct ours *ours = state;
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	int outcome;

	request.queue = ours->queues[queue];
	request.cookie = cookie;
	request.value = value;
	request.red_channel = is_red;
	outcome = stw_contact_enqueue(ours->acd, &request, now_ns, &ours->contacts[cookie]);
	must(outcome, "stw_contact_enqueue");
	return outcome != STW_ENQUEUE_DEFLECTED;
}

static void
ours_advance(void *state, uint64_t now_ns)
{
	struct ours *ours = state;

	must(stw_acd_advance(ours->acd, now_ns, UINT32_MAX, NULL), "stw_acd_advance");
}

static void
ours_cancel(void *state, uint32_t cookie, uint64_t now_ns)
{
	struct ours *ours = state;

	must(stw_contact_cancel(ours->acd, ours->contacts[cookie], now_ns), "stw_contact_cancel");
}

static uint32_t
ours_take(void *state, struct workload_match *matches, uint32_t count, uint64_t now_ns)
{
	struct ours *ours = state;
	struct stw_event events[ENGINES_EVENTS_BATCH];
	uint32_t found = 0;
	int taken;

	do {
		taken = stw_events_take(ours->acd, events, ENGINES_EVENTS_BATCH);
		must(taken, "stw_events_take");
		for (int i = 0; i < taken; i++) {
			ours->switches += events[i].type == STW_EVENT_SURGE;
			if (events[i].type != STW_EVENT_OFFER)
				continue;
			if (found == count)
				rounds_die("more decisions at once than can be");
			must(stw_offer_accept(ours->acd, events[i].offer, now_ns),
			     "stw_offer_accept");
			matches[found].cookie = (uint32_t)events[i].contact_cookie;
			matches[found++].agent = (uint32_t)events[i].agent_cookie;
		}
	} while (taken == ENGINES_EVENTS_BATCH);
	return found;
}

static void
ours_end(void *state, uint32_t cookie, uint64_t now_ns)
{
	struct ours *ours = state;

	must(stw_contact_end(ours->acd, ours->contacts[cookie], now_ns), "stw_contact_end");
}

static void
ours_destroy(void *state)
{
	struct ours *ours = state;
	struct stw_acd_stats stats;

	stw_acd_stats(ours->acd, &stats);
	if (stats.events_lost)
		rounds_die("strowger: %" PRIu64 " events were lost", stats.events_lost);
	stw_acd_check(ours->acd);
	stw_acd_destroy(ours->acd);
	free(ours->queues);
	free(ours->agents);
	free(ours->contacts);
	free(ours);
}

void
workload_ours_create(struct workload_engine *engine, const struct workload_size *size)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;
	struct ours *ours = array(1, sizeof(*ours));
	char name[32];

	config.agents_max = size->agents;
	config.queues_max = size->queues;
	config.contacts_max = workload_contacts_max(size);
	config.skills_max = RIVAL_SKILLS_MAX;
	config.events_max = ENGINES_EVENTS_MAX;
	config.threads_max = THREADS_MAX + 1;
	must(stw_acd_create(&ours->acd, &config), "stw_acd_create");
	ours->queues = array(size->queues, sizeof(*ours->queues));
	ours->agents = array(size->agents, sizeof(*ours->agents));
	ours->contacts = array(config.contacts_max, sizeof(*ours->contacts));
	for (uint32_t i = 0; i < WORKLOAD_SKILLS; i++) {
		snprintf(name, sizeof(name), "skill-%" PRIu32, i);
		must(stw_skill_define(ours->acd, STW_TENANT_DEFAULT, name, &ours->skills[i]),
		     "stw_skill_define");
	}
	*engine = (struct workload_engine){
		.name = "strowger",
		.state = ours,
		.queue_define = ours_queue_define,
		.agent_define = ours_agent_define,
		.agent_ready = ours_agent_ready,
		.agents_ready = ours_agents_ready,
		.enqueue = ours_enqueue,
		.admit = ours_admit,
		.cancel = ours_cancel,
		.take = ours_take,
		.end = ours_end,
		.advance = ours_advance,
		.destroy = ours_destroy,
	};
}

void
workload_ours_rule(const struct workload_engine *engine, const struct stw_surge_rule *rule)
{
	((struct ours *)engine->state)->rule = rule;
}

uint64_t
workload_ours_switches(const struct workload_engine *engine)
{
	return ((const struct ours *)engine->state)->switches;
}

void
workload_ours_stats(const struct workload_engine *engine, struct stw_acd_stats *stats)
{
	stw_acd_stats(((const struct ours *)engine->state)->acd, stats);
}

static int
ours_threads_enqueue(void *state, uint32_t queue, uint64_t now_ns)
{
	struct ours *ours = state;
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_contact contact;
	int error;

	request.queue = ours->queues[queue];
	error = stw_contact_enqueue(ours->acd, &request, now_ns, &contact);
	if (error != -ENOSPC)
		must(error, "stw_contact_enqueue");
	return error;
}

static uint32_t
ours_threads_serve(void *state, uint64_t now_ns)
{
	struct ours *ours = state;
	struct stw_event events[ENGINES_EVENTS_BATCH];
	uint32_t served = 0;
	int taken = stw_events_take(ours->acd, events, ENGINES_EVENTS_BATCH);

	if (taken == -EBUSY)
		return 0;
	must(taken, "stw_events_take");
	for (int i = 0; i < taken; i++) {
		if (events[i].type != STW_EVENT_OFFER)
			continue;
		must(stw_offer_accept(ours->acd, events[i].offer, now_ns), "stw_offer_accept");
		must(stw_contact_end(ours->acd, events[i].contact, now_ns), "stw_contact_end");
		served++;
	}
	return served;
}

void
workload_ours_threads(const struct workload_engine *engine, struct threads_engine *threads)
{
	*threads = (struct threads_engine){engine->state, ours_threads_enqueue, ours_threads_serve};
}
