/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cookies of the engine's events: a contact's is its call's, an agent's its index.
 */
#include "routing.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <strowger/error.h>
#include <strowger/log.h>

#include "call.h"
#include "clock.h"
#include "journal.h"
#include "phones.h"

#define EVENTS_AT_ONCE 64
#define TIMERS_AT_ONCE 1000

/* Rounds of events in one go. An agent whose phone cannot be reached declines at once and is offered
 * again after a pause, so that rounds end; with a pause of 0 this bound ends them. */
#define ROUNDS_MAX 100

static int
define_skills(struct exchange *exchange, struct stw_skill *skills)
{
	const struct config *config = exchange->config;
	int error = 0;

	for (uint32_t i = 0; i < config->skills_count && error == 0; i++)
		error = stw_skill_define(exchange->acd, STW_TENANT_DEFAULT, config->skills[i].text,
					 &skills[i]);
	return error;
}

static void
fill_levels(const struct config_level *levels, uint32_t count, const struct stw_skill *skills,
	    struct stw_skill_level *out)
{
	for (uint32_t i = 0; i < count; i++) {
		out[i].skill = skills[levels[i].skill];
		out[i].level = (uint8_t)levels[i].level;
	}
}

static int
define_queue(struct exchange *exchange, uint32_t index, const struct stw_skill *skills)
{
	const struct config_queue *from = &exchange->config->queues[index];
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_skill_level terms[STW_STEP_TERMS_MAX];
	struct stw_step_config step = {
		.terms = from->levels_count ? terms : NULL,
		.terms_count = from->levels_count,
		.select = STW_SELECT_LONGEST_IDLE,
	};

	fill_levels(from->levels, from->levels_count, skills, terms);
	config.name = from->name.text;
	config.cookie = index;
	config.steps = &step;
	config.steps_count = 1;
	config.offer_timeout_ns = from->offer_timeout_s * CLOCK_SECOND_NS;
	config.wrap_up_ns = from->wrap_up_s * CLOCK_SECOND_NS;
	config.service_level_ns = from->service_level_s * CLOCK_SECOND_NS;
	config.length_max = from->length_max;
	for (uint32_t value = 0; value < STW_CLASS_COUNT; value++)
		for (uint32_t urgency = 0; urgency < STW_CLASS_COUNT; urgency++)
			config.target_ns[value][urgency] = config_target_ns(from, value);
	exchange->queues[index].config = from;
	return stw_queue_define(exchange->acd, &config, &exchange->queues[index].handle);
}

static int
define_agent(struct exchange *exchange, uint32_t index, const struct stw_skill *skills)
{
	const struct config_agent *from = &exchange->config->agents[index];
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_skill_level *levels = NULL;
	int error;

	if (from->levels_count) {
		levels = calloc(from->levels_count, sizeof(*levels));
		if (!levels)
			return -ENOMEM;
		fill_levels(from->levels, from->levels_count, skills, levels);
	}
	config.name = from->name.text;
	config.cookie = index;
	config.skills = levels;
	config.skills_count = from->levels_count;
	config.misses_max = from->misses_max;
	config.penalty_ns = from->penalty_s * CLOCK_SECOND_NS;
	exchange->agents[index].config = from;
	error = stw_agent_define(exchange->acd, &config, &exchange->agents[index].handle);
	free(levels);
	return error;
}

static int
define_all(struct exchange *exchange)
{
	const struct config *config = exchange->config;
	struct stw_skill *skills = calloc(config->skills_count + 1, sizeof(*skills));
	int error = skills ? define_skills(exchange, skills) : -ENOMEM;

	for (uint32_t i = 0; i < config->queues_count && error == 0; i++)
		error = define_queue(exchange, i, skills);
	for (uint32_t i = 0; i < config->agents_count && error == 0; i++)
		error = define_agent(exchange, i, skills);
	free(skills);
	return error;
}

/* What a restored engine tells first: before any call comes, as calls are numbered on from there. */
static void
take_restored(struct exchange *exchange)
{
	const struct config *config = exchange->config;
	uint32_t most = config->calls_max + config->agents_count;

	if (!exchange->restored)
		return;
	phones_load(exchange);
	for (uint32_t taken = 0; taken <= most; taken += ROUNDS_MAX * EVENTS_AT_ONCE)
		routing_take(exchange);
}

int
routing_open(struct exchange *exchange)
{
	const struct config *config = exchange->config;
	struct stw_acd_config acd = STW_ACD_CONFIG_INIT;
	int error = -ENOMEM;

	acd.agents_max = config->agents_count;
	acd.queues_max = config->queues_count;
	acd.contacts_max = config->calls_max;
	acd.skills_max = config->skills_count ? config->skills_count : 1;
	acd.threads_max = 4;
	acd.seed = clock_now_ns();
	/* One of each is told after a restart. */
	acd.events_max += config->calls_max + config->agents_count;
	acd.journal = config->journal_directory.text != NULL;
	exchange->orphans = calloc(config->calls_max, sizeof(*exchange->orphans));
	exchange->agents = calloc(config->agents_count, sizeof(*exchange->agents));
	exchange->queues = calloc(config->queues_count, sizeof(*exchange->queues));
	if (exchange->agents && exchange->queues && exchange->orphans)
		error = stw_acd_create(&exchange->acd, &acd);
	if (error == 0)
		error = define_all(exchange);
	if (error == 0)
		error = journal_start(exchange);
	if (error != 0) {
		stw_log(STW_LOG_ERROR, "SWITCH-ENGINE error=\"%s\"", stw_error_text(error));
		routing_close(exchange);
		return error;
	}
	take_restored(exchange);
	return 0;
}

void
routing_close(struct exchange *exchange)
{
	journal_stop(exchange);
	stw_acd_destroy(exchange->acd);
	exchange->acd = NULL;
	free(exchange->agents);
	free(exchange->queues);
	free(exchange->orphans);
	exchange->orphans = NULL;
	exchange->orphans_count = 0;
	exchange->agents = NULL;
	exchange->queues = NULL;
}

/*
 * A contact whose call went with the process before. It keeps its place while it waits; when its turn
 * has come, or if it was connected, there is nobody to talk to: it has hung up.
 */
static void
take_for_nobody(struct exchange *exchange, const struct stw_event *event)
{
	uint64_t now_ns = clock_now_ns();

	if (event->type == STW_EVENT_QUEUED &&
	    exchange->orphans_count < exchange->config->calls_max)
		exchange->orphans[exchange->orphans_count++] = event->contact;
	else if (event->type == STW_EVENT_OFFER)
		stw_contact_cancel(exchange->acd, event->contact, now_ns);
	else if (event->type == STW_EVENT_CONNECTED)
		stw_contact_end(exchange->acd, event->contact, now_ns);
	/* No later call is to be taken for that one. */
	if (call_number(event->contact_cookie) > exchange->calls_number)
		exchange->calls_number = call_number(event->contact_cookie);
}

static void
take_for_call(struct exchange *exchange, const struct stw_event *event)
{
	struct call *call = call_find(exchange, event->contact_cookie);

	if (!call) {
		take_for_nobody(exchange, event);
		return;
	}
	switch (event->type) {
	case STW_EVENT_OFFER:
		call_offer(call, &exchange->agents[event->agent_cookie], event->offer);
		break;
	case STW_EVENT_TIMED_OUT:
		call_offer_over(call, event->offer, CDR_OFFER_TIMED_OUT);
		break;
	case STW_EVENT_WITHDRAWN:
		call_offer_over(call, event->offer, CDR_OFFER_WITHDRAWN);
		break;
	case STW_EVENT_DECLINED:
		call_offer_over(call, event->offer, CDR_OFFER_DECLINED);
		break;
	default:
		break;
	}
}

static void
take(struct exchange *exchange, const struct stw_event *event)
{
	switch (event->type) {
	case STW_EVENT_AGENT_STATE:
		stw_log(STW_LOG_INFO, "AGENT-STATE agent=%s state=%s reason=%u",
			exchange->agents[event->agent_cookie].config->name.text,
			routing_state_text(event->agent_state), event->reason);
		break;
	case STW_EVENT_LOST:
		/* The table is sized for all contacts and agents: this does not happen. */
		stw_log(STW_LOG_ERROR, "ENGINE-EVENTS-LOST count=%" PRIu64, event->lost);
		break;
	default:
		take_for_call(exchange, event);
		break;
	}
}

void
routing_take(struct exchange *exchange)
{
	struct stw_event events[EVENTS_AT_ONCE];
	int count = 1;

	if (exchange->taking)
		return;
	exchange->taking = true;
	for (uint32_t round = 0; round < ROUNDS_MAX && count > 0; round++) {
		count = stw_events_take(exchange->acd, events, EVENTS_AT_ONCE);
		if (count > 0)
			journal_append(exchange, events, (uint32_t)count);
		for (int i = 0; i < count; i++)
			take(exchange, &events[i]);
	}
	exchange->taking = false;
}

void
routing_orphans_end(struct exchange *exchange)
{
	uint64_t now_ns = clock_now_ns();

	/* Those who had their turn are stale. */
	while (exchange->orphans_count > 0)
		stw_contact_cancel(exchange->acd, exchange->orphans[--exchange->orphans_count],
				   now_ns);
}

void
routing_advance(struct exchange *exchange, uint64_t now_ns)
{
	stw_acd_advance(exchange->acd, now_ns, TIMERS_AT_ONCE, NULL);
}

void
routing_login(struct exchange *exchange, struct agent *agent)
{
	uint64_t now_ns = clock_now_ns();

	/* -EALREADY: the phone was away for a moment, and the agent is still in a call. */
	stw_agent_login(exchange->acd, agent->handle, now_ns);
	stw_agent_ready(exchange->acd, agent->handle, now_ns);
}

void
routing_logout(struct exchange *exchange, struct agent *agent)
{
	stw_agent_logout(exchange->acd, agent->handle, clock_now_ns());
}

const char *
routing_state_text(enum stw_agent_state state)
{
	static const char *const texts[] = {
		[STW_AGENT_LOGGED_OUT] = "logged_out", [STW_AGENT_NOT_READY] = "not_ready",
		[STW_AGENT_READY] = "ready",           [STW_AGENT_OFFERED] = "offered",
		[STW_AGENT_CONNECTED] = "connected",   [STW_AGENT_WRAP_UP] = "wrap_up",
	};

	return texts[state];
}
