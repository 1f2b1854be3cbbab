/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * acd-sql: N contacts wait for N agents, and all of them are to be matched: by one pass of a
 * polling dispatcher on a database (rival_sql.h), and by our engine as the agents become ready,
 * with the events taken and the offers accepted. Both must give each contact the same agent.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <strowger/acd.h>

#include "acd_must.h"
#include "rival_sql.h"
#include "rounds.h"

#define BENCH        "acd-sql"
#define EVENTS_BATCH 256

struct ours {
	struct stw_acd *acd;
	struct stw_queue queue;
	struct stw_agent *agents;
	struct stw_contact *contacts;
	uint32_t count; /* of each */
	uint64_t now_ns;
};

static void
ours_create(struct ours *ours, uint32_t count)
{
	struct stw_acd_config limits = STW_ACD_CONFIG_INIT;
	struct stw_queue_config queue = STW_QUEUE_CONFIG_INIT;
	char name[32];

	*ours = (struct ours){.count = count, .now_ns = 1};
	ours->agents = array(count, sizeof(*ours->agents));
	ours->contacts = array(count, sizeof(*ours->contacts));
	limits.agents_max = limits.contacts_max = count;
	must(stw_acd_create(&ours->acd, &limits), "stw_acd_create");
	queue.name = "support";
	queue.offer_timeout_ns = 0;
	must(stw_queue_define(ours->acd, &queue, &ours->queue), "stw_queue_define");
	for (uint32_t i = 0; i < count; i++) {
		struct stw_agent_config agent = STW_AGENT_CONFIG_INIT;

		snprintf(name, sizeof(name), "agent-%" PRIu32, i);
		agent.name = name;
		agent.cookie = i;
		must(stw_agent_define(ours->acd, &agent, &ours->agents[i]), "stw_agent_define");
	}
	if (stw_agents_login(ours->acd, ours->agents, count, ours->now_ns, NULL) != count)
		rounds_die("stw_agents_login: some failed");
}

static void
ours_destroy(struct ours *ours)
{
	stw_acd_check(ours->acd);
	stw_acd_destroy(ours->acd);
	free(ours->agents);
	free(ours->contacts);
}

/* Take all events; accept the offers and note who got whom. */
static uint32_t
take(struct ours *ours, uint32_t *agent_by_contact)
{
	struct stw_event events[EVENTS_BATCH];
	uint32_t matched = 0;
	int taken;

	while ((taken = stw_events_take(ours->acd, events, EVENTS_BATCH)) > 0) {
		for (int i = 0; i < taken; i++) {
			if (events[i].type != STW_EVENT_OFFER)
				continue;
			must(stw_offer_accept(ours->acd, events[i].offer, ours->now_ns),
			     "stw_offer_accept");
			agent_by_contact[events[i].contact_cookie] =
				(uint32_t)events[i].agent_cookie;
			matched++;
		}
	}
	must(taken, "stw_events_take");
	return matched;
}

/* All agents not ready, all contacts waiting. */
static void
ours_reset(struct ours *ours)
{
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;

	request.queue = ours->queue;
	for (uint32_t i = 0; i < ours->count; i++) {
		request.cookie = i;
		must(stw_contact_enqueue(ours->acd, &request, ++ours->now_ns, &ours->contacts[i]),
		     "stw_contact_enqueue");
	}
}

/* The agents go for a break as soon as they are free, so that the next turn finds them so. */
static void
ours_finish(struct ours *ours, uint32_t *agent_by_contact)
{
	stw_agents_not_ready(ours->acd, ours->agents, ours->count, 1, ++ours->now_ns, NULL);
	for (uint32_t i = 0; i < ours->count; i++)
		must(stw_contact_end(ours->acd, ours->contacts[i], ++ours->now_ns),
		     "stw_contact_end");
	take(ours, agent_by_contact);
}

static double
turn_of_ours(struct ours *ours, uint32_t *agent_by_contact)
{
	uint64_t start_ns, ns;
	uint32_t matched;

	ours_reset(ours);
	start_ns = rounds_now_ns();
	stw_agents_ready(ours->acd, ours->agents, ours->count, ++ours->now_ns, NULL);
	matched = take(ours, agent_by_contact);
	ns = rounds_now_ns() - start_ns;
	if (matched != ours->count)
		rounds_die("strowger matched %" PRIu32 " of %" PRIu32, matched, ours->count);
	ours_finish(ours, agent_by_contact);
	return (double)ns * 1e-9;
}

static double
turn_of_rival(struct rival_sql *rival, uint32_t count, uint32_t *agent_by_member)
{
	uint64_t start_ns, ns;
	uint32_t matched;

	rival_sql_reset(rival);
	start_ns = rounds_now_ns();
	matched = rival_sql_pass(rival);
	ns = rounds_now_ns() - start_ns;
	if (matched != count)
		rounds_die("sqlite matched %" PRIu32 " of %" PRIu32, matched, count);
	rival_sql_agents(rival, agent_by_member);
	return (double)ns * 1e-9;
}

static void
run_size(uint32_t count, bool is_tuned, const struct rounds_options *options)
{
	char name[40];
	struct rounds_metric metric = {BENCH, is_tuned ? "sqlite-tuned" : "sqlite-plain", name, "s",
				       "lower"};
	uint32_t *agents[2] = {array(count, sizeof(uint32_t)), array(count, sizeof(uint32_t))};
	struct rival_sql *rival = rival_sql_create(count, count, is_tuned);
	struct ours ours;

	snprintf(name, sizeof(name), "pass-%" PRIu32 "x%" PRIu32, count, count);
	ours_create(&ours, count);
	for (unsigned round = 0; round < options->rounds; round++) {
		double seconds[2] = {0, 0};

		for (unsigned turn = 0; turn < 2; turn++) {
			if ((turn + round) % 2 == 0)
				seconds[0] = turn_of_ours(&ours, agents[0]);
			else
				seconds[1] = turn_of_rival(rival, count, agents[1]);
		}
		for (uint32_t i = 0; i < count; i++) {
			if (agents[0][i] != agents[1][i])
				rounds_die("contact %" PRIu32 " got agent %" PRIu32
					   " of ours and %" PRIu32 " of theirs",
					   i, agents[0][i], agents[1][i]);
		}
		rounds_print(&metric, round, seconds[0], seconds[1]);
	}
	ours_destroy(&ours);
	rival_sql_destroy(rival);
	free(agents[0]);
	free(agents[1]);
}

int
main(int argc, char **argv)
{
	struct rounds_options options;

	rounds_parse(&options, argc, argv);
	for (int is_tuned = 0; is_tuned < 2; is_tuned++) {
		run_size(100, is_tuned, &options);
		run_size(options.quick ? 200 : 1000, is_tuned, &options);
	}
	return 0;
}
