/* SPDX-License-Identifier: BSD-3-Clause */
#include "step.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const names[STEP_KINDS] = {
	"enqueue",      "cancel",       "accept",       "decline",      "end",
	"reprioritise", "move",         "transfer",     "ready",        "not_ready",
	"login",        "logout",       "extend",       "advance",      "agent_define",
	"agent_update", "agent_remove", "queue_define", "queue_update", "queue_remove",
};

int
step_skills_define(struct stw_acd *acd, struct step_skills *skills)
{
	char name[24];
	int error = 0;

	for (int i = 0; i < ORACLE_SKILLS_MAX && !error; i++) {
		snprintf(name, sizeof(name), "skill-%d", i);
		error = stw_skill_define(acd, STW_TENANT_DEFAULT, name, &skills->skill[i]);
	}
	for (int i = 0; i < ORACLE_ATTRIBUTES_MAX && !error; i++) {
		snprintf(name, sizeof(name), "attribute-%d", i);
		error = stw_attribute_define(acd, name, &skills->attribute[i]);
	}
	for (int i = 0; i < ORACLE_POOLS_MAX && !error; i++) {
		snprintf(name, sizeof(name), "pool-%d", i);
		error = stw_pool_define(acd, name, &skills->pool[i]);
	}
	return error;
}

static uint32_t
levels(const struct step_skills *skills, const uint8_t *level, struct stw_skill_level *list)
{
	uint32_t count = 0;

	for (int i = 0; i < ORACLE_SKILLS_MAX; i++) {
		if (level[i])
			list[count++] = (struct stw_skill_level){skills->skill[i], level[i]};
	}
	return count;
}

static void
agent_config(struct stw_acd *acd, const struct step_skills *skills, struct step *step)
{
	struct stw_skill_level list[ORACLE_SKILLS_MAX];
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_attribute_value values[ORACLE_ATTRIBUTES_MAX];
	char letters[ORACLE_ATTRIBUTES_MAX][2] = {""};
	struct stw_agent agent = {step->agent};

	config.name = step->name[0] ? step->name : NULL;
	config.cookie = step->agent_rule.cookie;
	config.skills = list;
	config.skills_count = levels(skills, step->agent_rule.level, list);
	config.misses_max = step->agent_rule.misses_max;
	config.penalty_ns = step->agent_rule.penalty_ns;
	memcpy(config.slots, step->agent_rule.slots, sizeof(config.slots));
	memcpy(config.interrupts, step->agent_rule.interrupts, sizeof(config.interrupts));
	config.position = step->agent_rule.position;
	if (step->agent_rule.pool)
		config.pool = skills->pool[step->agent_rule.pool - 1];
	config.attributes = values;
	for (int i = 0; i < ORACLE_ATTRIBUTES_MAX; i++) {
		letters[i][0] = step->agent_rule.value[i];
		if (letters[i][0])
			values[config.attributes_count++] =
				(struct stw_attribute_value){skills->attribute[i], letters[i]};
	}
	if (step->kind == STEP_AGENT_DEFINE)
		step->result = stw_agent_define(acd, &config, &agent);
	else
		step->result = stw_agent_update(acd, agent, &config, step->now_ns);
	step->id = agent.id;
}

/* What a step of the engine's borrows. */
struct step_parts {
	struct stw_skill_level level[ORACLE_SKILLS_MAX];
	struct stw_term term[ORACLE_TERMS_MAX];
	char letter[ORACLE_TERMS_MAX][2];
};

static void
step_config(const struct step_skills *skills, const struct oracle_step_rule *rule,
	    struct step_parts *parts, struct stw_step_config *config)
{
	memset(parts, 0, sizeof(*parts));
	for (uint32_t i = 0; i < rule->terms_count; i++) {
		const struct oracle_term *term = &rule->term[i];

		parts->letter[i][0] = term->value;
		parts->term[i].kind = term->kind;
		parts->term[i].level = term->level;
		if (term->kind == STW_TERM_SKILL)
			parts->term[i].skill = skills->skill[term->what];
		else
			parts->term[i].attribute = skills->attribute[term->what];
		parts->term[i].value = parts->letter[i];
	}
	*config = (struct stw_step_config){
		.terms = parts->level,
		.terms_count = levels(skills, rule->level, parts->level),
		.requirement = parts->term,
		.requirement_count = rule->terms_count,
		.select = rule->select,
		.reserve_agents = rule->reserve_agents,
		.reserve_value = rule->reserve_value,
		.after_ns = rule->after_ns,
		.when = rule->when,
		.ring_count = rule->ring_count,
	};
	if (rule->pool)
		config->pool = skills->pool[rule->pool - 1];
}

static void
queue_config(struct stw_acd *acd, const struct step_skills *skills, struct step *step)
{
	struct step_parts parts[ORACLE_STEPS_MAX];
	struct stw_step_config steps[ORACLE_STEPS_MAX];
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_queue queue = {step->queue};

	config.name = step->name[0] ? step->name : NULL;
	config.cookie = step->queue_rule.cookie;
	for (uint32_t k = 0; k < step->queue_rule.steps_count; k++)
		step_config(skills, &step->queue_rule.step[k], &parts[k], &steps[k]);
	config.steps = steps;
	config.steps_count = step->queue_rule.steps_count;
	/* No step is one that takes anyone. */
	if (config.steps_count == 1 && !steps[0].terms_count && !steps[0].requirement_count &&
	    !steps[0].pool.id && !steps[0].select && !steps[0].reserve_agents &&
	    !steps[0].ring_count)
		config.steps_count = 0;
	config.offer_timeout_ns = step->queue_rule.offer_timeout_ns;
	config.wrap_up_ns = step->queue_rule.wrap_up_ns;
	config.service_level_ns = step->queue_rule.service_level_ns;
	config.length_max = step->queue_rule.length_max;
	config.channel = step->queue_rule.channel;
	config.short_abandon_ns = ORACLE_SHORT_ABANDON_NS;
	config.resume_window_ns = step->queue_rule.resume_window_ns;
	config.repeat_window_ns = step->queue_rule.resume_window_ns;
	config.lease_ns = step->queue_rule.lease_ns;
	config.wait_max_ns = step->queue_rule.wait_max_ns;
	config.overflow.id = step->queue_rule.overflow;
	memcpy(config.target_ns, step->queue_rule.target_ns, sizeof(config.target_ns));
	if (step->kind == STEP_QUEUE_DEFINE)
		step->result = stw_queue_define(acd, &config, &queue);
	else
		step->result = stw_queue_update(acd, queue, &config, step->now_ns);
	step->id = queue.id;
}

static int
contact_call(struct stw_acd *acd, struct step *step)
{
	struct stw_contact contact = {step->contact};
	struct stw_offer offer = {contact, step->number};
	struct stw_queue queue = {step->queue};
	uint64_t now_ns = step->now_ns;
	int result;

	switch (step->kind) {
	case STEP_ENQUEUE:
		result = stw_contact_enqueue(acd, &step->request, now_ns, &contact);
		step->id = contact.id;
		return result;
	case STEP_CANCEL:
		return stw_contact_cancel(acd, contact, now_ns);
	case STEP_ACCEPT:
		return stw_offer_accept(acd, offer, now_ns);
	case STEP_DECLINE:
		return stw_offer_decline(acd, offer, step->reason, now_ns);
	case STEP_END:
		return stw_contact_end(acd, contact, now_ns);
	case STEP_MOVE:
		return stw_contact_move(acd, contact, queue, now_ns);
	case STEP_TRANSFER:
		return stw_contact_transfer(acd, contact, queue, (struct stw_agent){step->agent},
					    step->agent_wait_ns, now_ns);
	default:
		return stw_contact_reprioritise(acd, contact, step->value, step->urgency, now_ns);
	}
}

void
step_engine(struct stw_acd *acd, const struct step_skills *skills, struct step *step)
{
	struct stw_agent agent = {step->agent};
	struct stw_queue queue = {step->queue};

	switch (step->kind) {
	case STEP_READY:
		step->result = stw_agent_ready(acd, agent, step->now_ns);
		break;
	case STEP_NOT_READY:
		step->result = stw_agent_not_ready(acd, agent, step->reason, step->now_ns);
		break;
	case STEP_LOGIN:
		step->result = stw_agent_login(acd, agent, step->now_ns);
		break;
	case STEP_LOGOUT:
		step->result = stw_agent_logout(acd, agent, step->now_ns);
		break;
	case STEP_EXTEND:
		step->result = stw_agent_wrap_up_extend(acd, agent, step->by_ns, step->now_ns);
		break;
	case STEP_ADVANCE:
		step->result = stw_acd_advance(acd, step->now_ns, step->budget, &step->next_ns);
		break;
	case STEP_AGENT_DEFINE:
	case STEP_AGENT_UPDATE:
		agent_config(acd, skills, step);
		break;
	case STEP_AGENT_REMOVE:
		step->result = stw_agent_remove(acd, agent);
		break;
	case STEP_QUEUE_DEFINE:
	case STEP_QUEUE_UPDATE:
		queue_config(acd, skills, step);
		break;
	case STEP_QUEUE_REMOVE:
		step->result = stw_queue_remove(acd, queue);
		break;
	default:
		step->result = contact_call(acd, step);
	}
}

static int
oracle_configures(struct oracle *o, const struct step *s)
{
	switch (s->kind) {
	case STEP_AGENT_DEFINE:
		return oracle_agent_define(o, &s->agent_rule, s->id);
	case STEP_AGENT_UPDATE:
		return oracle_agent_update(o, s->agent, &s->agent_rule, s->now_ns);
	case STEP_AGENT_REMOVE:
		return oracle_agent_remove(o, s->agent);
	case STEP_QUEUE_DEFINE:
		return oracle_queue_define(o, &s->queue_rule, s->id);
	case STEP_QUEUE_UPDATE:
		return oracle_queue_update(o, s->queue, &s->queue_rule, s->now_ns);
	default:
		return oracle_queue_remove(o, s->queue);
	}
}

int
step_oracle(struct oracle *o, const struct step *s, uint64_t *next_ns)
{
	switch (s->kind) {
	case STEP_ENQUEUE:
		return oracle_enqueue(o, &s->request, s->now_ns, s->id);
	case STEP_CANCEL:
		return oracle_cancel(o, s->contact, s->now_ns);
	case STEP_ACCEPT:
		return oracle_accept(o, s->contact, s->offer, s->now_ns);
	case STEP_DECLINE:
		return oracle_decline(o, s->contact, s->offer, s->reason, s->now_ns);
	case STEP_END:
		return oracle_end(o, s->contact, s->now_ns);
	case STEP_MOVE:
		return oracle_move(o, s->contact, s->queue, s->now_ns);
	case STEP_TRANSFER:
		return oracle_transfer(o, s->contact, s->queue, s->agent, s->agent_wait_ns,
				       s->now_ns);
	case STEP_REPRIORITISE:
		return oracle_reprioritise(o, s->contact, s->value, s->urgency, s->now_ns);
	case STEP_READY:
		return oracle_agent_ready(o, s->agent, s->now_ns);
	case STEP_NOT_READY:
		return oracle_agent_not_ready(o, s->agent, s->reason, s->now_ns);
	case STEP_LOGIN:
		return oracle_agent_login(o, s->agent, s->now_ns);
	case STEP_LOGOUT:
		return oracle_agent_logout(o, s->agent, s->now_ns);
	case STEP_EXTEND:
		return oracle_agent_extend(o, s->agent, s->by_ns, s->now_ns);
	case STEP_ADVANCE:
		return oracle_advance(o, s->now_ns, s->budget, next_ns);
	default:
		return oracle_configures(o, s);
	}
}

static void
queue_text(const struct step *s, char *text, size_t bytes)
{
	const struct oracle_queue_rule *rule = &s->queue_rule;
	int used = snprintf(text, bytes,
			    " queue=%" PRIx64 " name=%s timeout=%" PRIu64 " wrap_up=%" PRIu64
			    " length_max=%u -> %d id=%" PRIx64,
			    s->queue, s->name, rule->offer_timeout_ns, rule->wrap_up_ns,
			    rule->length_max, s->result, s->id);

	for (uint32_t k = 0; k < rule->steps_count && (size_t)used < bytes; k++)
		used += snprintf(
			text + used, bytes - (size_t)used,
			" step(%u,%u,%u,%u after=%" PRId64
			" when=%d select=%d terms=%u pool=%u reserve=%u,%u)",
			rule->step[k].level[0], rule->step[k].level[1], rule->step[k].level[2],
			rule->step[k].level[3], (int64_t)rule->step[k].after_ns, rule->step[k].when,
			rule->step[k].select, rule->step[k].terms_count, rule->step[k].pool,
			rule->step[k].reserve_agents, rule->step[k].reserve_value);
}

void
step_text(const struct step *s, char *text, size_t bytes)
{
	int used = snprintf(text, bytes, "t=%" PRIu64 " %s", s->now_ns, names[s->kind]);
	size_t rest = bytes - (size_t)used;

	text += used;
	if (s->kind == STEP_ENQUEUE)
		snprintf(text, rest,
			 " queue=%" PRIx64 " class=%u,%u red=%u credit=%" PRIu64 " agent=%" PRIx64
			 " for %" PRIu64 " -> %d id=%" PRIx64,
			 s->request.queue.id, s->request.value, s->request.urgency,
			 s->request.red_channel, s->request.credit_ns, s->request.preferred.id,
			 s->request.preferred_wait_ns, s->result, s->id);
	else if (s->kind == STEP_MOVE || s->kind == STEP_TRANSFER)
		snprintf(text, rest,
			 " contact=%" PRIx64 " queue=%" PRIx64 " agent=%" PRIx64 " for %" PRIu64
			 " -> %d",
			 s->contact, s->queue, s->agent, s->agent_wait_ns, s->result);
	else if (s->kind <= STEP_REPRIORITISE)
		snprintf(text, rest, " contact=%" PRIx64 " offer=%" PRIu64 " class=%u,%u -> %d",
			 s->contact, s->number, s->value, s->urgency, s->result);
	else if (s->kind <= STEP_EXTEND || s->kind == STEP_AGENT_REMOVE)
		snprintf(text, rest, " agent=%" PRIx64 " reason=%u -> %d", s->agent, s->reason,
			 s->result);
	else if (s->kind == STEP_ADVANCE)
		snprintf(text, rest, " budget=%u -> %d next=%" PRIu64, s->budget, s->result,
			 s->next_ns);
	else if (s->kind <= STEP_AGENT_UPDATE)
		snprintf(text, rest,
			 " agent=%" PRIx64 " name=%s levels=%u,%u,%u,%u misses_max=%u"
			 " penalty=%" PRIu64 " -> %d id=%" PRIx64,
			 s->agent, s->name, s->agent_rule.level[0], s->agent_rule.level[1],
			 s->agent_rule.level[2], s->agent_rule.level[3], s->agent_rule.misses_max,
			 s->agent_rule.penalty_ns, s->result, s->id);
	else
		queue_text(s, text, rest);
}
