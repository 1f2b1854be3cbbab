/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A house for tests: an engine, and short words for what tests do with it. Every call that changes
 * something is followed by a check of all invariants.
 */
#ifndef TESTS_HOUSE_H
#define TESTS_HOUSE_H

#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <strowger/acd.h>

#define SECOND UINT64_C(1000000000)

static struct stw_acd *house;
static uint64_t now = SECOND;

/* Open a house, instead of one that a suite may have opened before. */
static inline void
house_open_with(const struct stw_acd_config *config)
{
	stw_acd_destroy(house);
	house = NULL;
	now = SECOND;
	cr_assert_eq(stw_acd_create(&house, config), 0);
}

static inline void
house_open(void)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;

	config.agents_max = 70;
	config.queues_max = 40;
	config.contacts_max = 100;
	config.skills_max = 8;
	config.events_max = 256;
	house_open_with(&config);
}

static inline void
house_close(void)
{
	stw_acd_destroy(house);
	house = NULL;
}

static inline struct stw_skill
skill_of(const char *name)
{
	struct stw_skill skill = {0};

	if (stw_skill_find(house, STW_TENANT_DEFAULT, name, &skill))
		cr_assert_eq(stw_skill_define(house, STW_TENANT_DEFAULT, name, &skill), 0);
	return skill;
}

static inline struct stw_agent
agent_with(struct stw_agent_config config, const char *name, const char *skill)
{
	struct stw_skill_level level = {.level = 50};
	struct stw_agent agent = {0};

	config.name = name;
	if (skill) {
		level.skill = skill_of(skill);
		config.skills = &level;
		config.skills_count = 1;
	}
	cr_assert_eq(stw_agent_define(house, &config, &agent), 0);
	return agent;
}

static inline struct stw_agent
agent_of(const char *name, const char *skill)
{
	return agent_with((struct stw_agent_config)STW_AGENT_CONFIG_INIT, name, skill);
}

static inline void
make_ready(struct stw_agent agent)
{
	cr_assert_eq(stw_agent_login(house, agent, now), 0);
	cr_assert_eq(stw_agent_ready(house, agent, now), 0);
	stw_acd_check(house);
}

static inline struct stw_agent
ready_agent(const char *name, const char *skill)
{
	struct stw_agent agent = agent_of(name, skill);

	make_ready(agent);
	return agent;
}

static inline struct stw_queue
queue_with(struct stw_queue_config config, const char *name, const char *skill)
{
	struct stw_skill_level level = {.level = 50};
	struct stw_step_config step = {.terms = &level, .terms_count = 1};
	struct stw_queue queue = {0};

	config.name = name;
	if (skill) {
		level.skill = skill_of(skill);
		config.steps = &step;
		config.steps_count = 1;
	}
	cr_assert_eq(stw_queue_define(house, &config, &queue), 0);
	return queue;
}

static inline struct stw_queue
queue_of(const char *name, const char *skill)
{
	return queue_with((struct stw_queue_config)STW_QUEUE_CONFIG_INIT, name, skill);
}

static inline struct stw_contact
enqueue_with(struct stw_contact_request request, struct stw_queue queue)
{
	struct stw_contact contact = {0};

	request.queue = queue;
	cr_assert_eq(stw_contact_enqueue(house, &request, now, &contact), 0);
	stw_acd_check(house);
	return contact;
}

static inline struct stw_contact
enqueue(struct stw_queue queue)
{
	return enqueue_with((struct stw_contact_request)STW_CONTACT_REQUEST_INIT, queue);
}

/* What enqueueing says, where it may be refused. */
static inline int
enqueue_into(struct stw_queue queue, struct stw_contact *contact)
{
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	int error;

	request.queue = queue;
	error = stw_contact_enqueue(house, &request, now, contact);
	stw_acd_check(house);
	return error;
}

static inline int
enqueue_error(struct stw_queue queue)
{
	struct stw_contact contact;

	return enqueue_into(queue, &contact);
}

static inline struct stw_event
next_event(void)
{
	struct stw_event event = {.type = STW_EVENT_NONE};

	stw_events_take(house, &event, 1);
	return event;
}

/* The next event of a type, passing over others; type NONE if there is none. */
static inline struct stw_event
await(enum stw_event_type type)
{
	struct stw_event event;

	do
		event = next_event();
	while (event.type != type && event.type != STW_EVENT_NONE);
	return event;
}

static inline enum stw_agent_state
state_of(struct stw_agent agent)
{
	struct stw_agent_status status = {.state = STW_AGENT_LOGGED_OUT};

	cr_assert_eq(stw_agent_status(house, agent, &status), 0);
	return status.state;
}

static inline uint32_t
reason_of(struct stw_agent agent)
{
	struct stw_agent_status status = {.state = STW_AGENT_LOGGED_OUT};

	cr_assert_eq(stw_agent_status(house, agent, &status), 0);
	return status.reason;
}

static inline struct stw_contact_status
status_of(struct stw_contact contact)
{
	struct stw_contact_status status = {.state = STW_CONTACT_WAITING};

	cr_assert_eq(stw_contact_status(house, contact, &status), 0);
	return status;
}

/* Whom a contact is offered or connected to; id 0: nobody. */
static inline uint64_t
agent_id_of(struct stw_contact contact)
{
	return status_of(contact).agent.id;
}

static inline struct stw_queue_stats
stats_of(struct stw_queue queue)
{
	struct stw_queue_stats stats = {.offered = 0};

	cr_assert_eq(stw_queue_stats(house, queue, &stats), 0);
	return stats;
}

static inline struct stw_offer
accept_next(void)
{
	struct stw_event event = await(STW_EVENT_OFFER);

	cr_assert_eq(event.type, STW_EVENT_OFFER);
	cr_assert_eq(stw_offer_accept(house, event.offer, now), 0);
	stw_acd_check(house);
	return event.offer;
}

static inline void
end(struct stw_contact contact)
{
	cr_assert_eq(stw_contact_end(house, contact, now), 0);
	stw_acd_check(house);
}

static inline int
advance(uint64_t by_ns)
{
	int fired;

	now += by_ns;
	fired = stw_acd_advance(house, now, 1000, NULL);
	stw_acd_check(house);
	return fired;
}

#endif
