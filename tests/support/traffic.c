/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Traffic. It knows contacts only by events, so it can go on with an engine that was restored.
 */
#include "traffic.h"

#include <stdio.h>

#define MILLISECOND UINT64_C(1000000)

void
traffic_config(struct stw_acd_config *config)
{
	*config = (struct stw_acd_config)STW_ACD_CONFIG_INIT;
	config->agents_max = TRAFFIC_AGENTS;
	config->queues_max = TRAFFIC_QUEUES + 1;
	config->contacts_max = TRAFFIC_CONTACTS;
	config->skills_max = TRAFFIC_QUEUES;
	config->events_max = 4096;
	config->journal = 1;
}

static int
queues_define(struct traffic *traffic, struct stw_skill *skills)
{
	static const enum stw_surge_action actions[TRAFFIC_QUEUES] = {
		STW_SURGE_CALLBACK, STW_SURGE_DEFLECT, STW_SURGE_OVERFLOW};
	int error = 0;

	for (uint32_t q = 0; q < TRAFFIC_QUEUES && !error; q++) {
		struct stw_skill_level term = {.level = 10};
		/* Then anybody: by time, or when nobody has the skill. */
		struct stw_step_config steps[2] = {
			{.terms = &term, .terms_count = 1},
			{.after_ns = (1 + q) * 100 * MILLISECOND,
			 .when = q == 2 ? STW_STEP_WHEN_NOBODY_LOGGED_IN : STW_STEP_WHEN_TIME},
		};
		struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
		struct stw_surge_rule rule = {
			.metric = STW_SURGE_LENGTH,
			.on_bound = 4,
			.off_bound = 2,
			.action = actions[q],
			.value_max = 7,
			.urgency_max = 1,
			.overflow = traffic->queues[0],
		};
		char name[16];

		snprintf(name, sizeof(name), "queue %u", q);
		error = stw_skill_define(traffic->acd, STW_TENANT_DEFAULT, name, &skills[q]);
		term.skill = skills[q];
		config.name = name;
		config.cookie = q + 1;
		config.steps = steps;
		config.steps_count = 2;
		config.offer_timeout_ns = 800 * MILLISECOND;
		config.wrap_up_ns = q * 50 * MILLISECOND;
		config.service_level_ns = 3000 * MILLISECOND;
		config.short_abandon_ns = 1000 * MILLISECOND;
		config.announce_ns = q * 300 * MILLISECOND;
		config.surge_rules = &rule;
		config.surge_rules_count = 1;
		config.length_max = 8 + q;
		config.wait_max_ns = (2 + q) * 1500 * MILLISECOND;
		config.overflow = traffic->queues[0];
		config.refuse_when = q == 1 ? STW_QUEUE_WHEN_ALL_NOT_READY : STW_QUEUE_WHEN_NEVER;
		config.leave_when = q == 2 ? STW_QUEUE_WHEN_ALL_NOT_READY : STW_QUEUE_WHEN_NEVER;
		config.lease_ns = (3 + q) * 600 * MILLISECOND;
		config.resume_window_ns = 5000 * MILLISECOND;
		config.repeat_window_ns = 5000 * MILLISECOND;
		for (unsigned value = 0; value < STW_CLASS_COUNT; value++)
			config.target_ns[value][1] = -(int64_t)(value * 10 * MILLISECOND);
		if (!error)
			error = stw_queue_define(traffic->acd, &config, &traffic->queues[q]);
	}
	return error;
}

int
traffic_define(struct traffic *traffic, struct stw_acd *acd, uint64_t seed, uint64_t now_ns)
{
	struct stw_skill skills[TRAFFIC_QUEUES];
	int error;

	*traffic = (struct traffic){.acd = acd, .random.state = seed, .now_ns = now_ns};
	error = queues_define(traffic, skills);
	for (uint32_t a = 0; a < TRAFFIC_AGENTS && !error; a++) {
		struct stw_skill_level levels[TRAFFIC_QUEUES];
		struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
		uint32_t count = 0;
		char name[16];

		for (uint32_t q = 0; q < TRAFFIC_QUEUES; q++)
			if (a % TRAFFIC_QUEUES == q || a % 4 == 0)
				levels[count++] = (struct stw_skill_level){skills[q], 50};
		snprintf(name, sizeof(name), "agent %u", a);
		config.name = name;
		config.cookie = a + 1;
		config.skills = levels;
		config.skills_count = count;
		config.misses_max = a % 3;
		config.penalty_ns = a % 2 * 30 * MILLISECOND;
		error = stw_agent_define(acd, &config, &traffic->agents[a]);
	}
	return error;
}

static void
enqueue(struct traffic *traffic)
{
	struct random *random = &traffic->random;
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_contact contact;
	int result;

	request.queue = traffic->queues[random_below(random, TRAFFIC_QUEUES)];
	request.cookie = ++traffic->enqueued;
	request.value = (uint8_t)random_below(random, STW_CLASS_COUNT);
	request.urgency = (uint8_t)random_below(random, 2);
	request.red_channel = random_happens(random, 20);
	request.customer_key = random_below(random, 30);
	request.preferred = traffic->agents[random_below(random, TRAFFIC_AGENTS)];
	if (random_below(random, 3))
		request.preferred.id = 0;
	request.preferred_wait_ns = random_below(random, 5) * 200 * MILLISECOND;
	request.credit_ns = random_below(random, 2) * MILLISECOND;
	result = stw_contact_enqueue(traffic->acd, &request, traffic->now_ns, &contact);
	if (result >= 0 && result != STW_ENQUEUE_DEFLECTED)
		traffic->contacts[(uint32_t)contact.id] = contact;
}

static void
agent_step(struct traffic *traffic)
{
	struct random *random = &traffic->random;
	struct stw_agent agent = traffic->agents[random_below(random, TRAFFIC_AGENTS)];

	switch (random_below(random, 12)) {
	case 0:
		stw_agent_logout(traffic->acd, agent, traffic->now_ns);
		break;
	case 1:
		stw_agent_not_ready(traffic->acd, agent, random_below(random, 5), traffic->now_ns);
		break;
	case 2:
	case 3:
		stw_agent_login(traffic->acd, agent, traffic->now_ns);
		break;
	default:
		stw_agent_ready(traffic->acd, agent, traffic->now_ns);
		break;
	}
}

/* A slot, most likely of a contact that there is. */
static uint32_t
some_slot(struct traffic *traffic)
{
	uint32_t slot = 0;

	for (unsigned i = 0; i < 12; i++) {
		struct stw_contact_status status;

		slot = random_below(&traffic->random, TRAFFIC_CONTACTS);
		if (!stw_contact_status(traffic->acd, traffic->contacts[slot], &status))
			break;
	}
	return slot;
}

/* To another queue, or back to the same one, perhaps for one agent in person. */
static void
wander(struct traffic *traffic, struct stw_contact contact)
{
	struct random *random = &traffic->random;
	struct stw_queue to = traffic->queues[random_below(random, TRAFFIC_QUEUES)];
	struct stw_agent agent = traffic->agents[random_below(random, TRAFFIC_AGENTS)];
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_contact second;

	switch (random_below(random, 5)) {
	case 0:
		stw_contact_move(traffic->acd, contact, to, traffic->now_ns);
		break;
	case 1:
		stw_contact_callback(traffic->acd, contact, (uint8_t)random_below(random, 2),
				     traffic->now_ns);
		break;
	case 2:
		stw_contact_end_with(traffic->acd, contact, (uint8_t)random_below(random, 2),
				     traffic->now_ns);
		break;
	case 3:
		request.queue = to;
		request.cookie = ++traffic->enqueued;
		if (stw_contact_consult(traffic->acd, contact, &request, traffic->now_ns, &second))
			break;
		traffic->contacts[(uint32_t)second.id] = second;
		if (random_below(random, 2))
			stw_contact_complete(traffic->acd, contact, second, traffic->now_ns);
		break;
	default:
		stw_contact_transfer(traffic->acd, contact, to, agent,
				     random_below(random, 5) * 200 * MILLISECOND, traffic->now_ns);
		break;
	}
}

static void
contact_step(struct traffic *traffic)
{
	struct random *random = &traffic->random;
	uint32_t slot = some_slot(traffic);
	struct stw_contact contact = traffic->contacts[slot];
	uint64_t now_ns = traffic->now_ns;

	switch (random_below(random, 10)) {
	case 0:
		stw_contact_cancel(traffic->acd, contact, now_ns);
		break;
	case 1:
		stw_contact_reprioritise(traffic->acd, contact,
					 (uint8_t)random_below(random, STW_CLASS_COUNT), 1, now_ns);
		break;
	case 2:
		stw_offer_decline(traffic->acd, traffic->offers[slot], 7, now_ns);
		break;
	case 3:
		stw_contact_end(traffic->acd, contact, now_ns);
		break;
	case 4:
	case 5:
	case 6:
		wander(traffic, contact);
		break;
	case 7:
		stw_contact_renew(traffic->acd, contact, now_ns);
		break;
	default:
		stw_offer_accept(traffic->acd, traffic->offers[slot], now_ns);
		break;
	}
}

void
traffic_step(struct traffic *traffic)
{
	uint32_t what = random_below(&traffic->random, 14);

	if (!traffic->still)
		traffic->now_ns += random_below(&traffic->random, 20) * MILLISECOND;
	if (what < 2)
		enqueue(traffic);
	else if (what < 4)
		agent_step(traffic);
	else if (what < 13)
		contact_step(traffic);
	else
		stw_acd_advance(traffic->acd, traffic->now_ns, 1000, NULL);
}

int
traffic_is_kept(const struct stw_event *event)
{
	return event->type != STW_EVENT_POSITION && event->type != STW_EVENT_SURGE;
}

void
traffic_learn(struct traffic *traffic, const struct stw_event *event)
{
	uint32_t slot = (uint32_t)event->contact.id;

	if (!event->contact.id)
		return;
	traffic->contacts[slot] = event->contact;
	if (event->type == STW_EVENT_OFFER)
		traffic->offers[slot] = event->offer;
	if (event->contact_cookie > traffic->enqueued)
		traffic->enqueued = event->contact_cookie;
}
