/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requirements: attributes and pools by name, and expressions, checked and evaluated. All under the
 * configuration lock: hot calls see only the bits that come of it (config.c).
 *
 * Attributes and pools are every tenant's; skills are each tenant's own.
 *
 * An expression is evaluated on a stack of results, one bit each in a word; that it fits and leaves
 * exactly one result is checked when it is taken in.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static_assert((STW_STEP_TERMS_MAX + STW_REQUIREMENT_TERMS_MAX) * STW_SKILL_LEVEL_MAX <= UINT16_MAX,
	      "a sum of levels fits");
static_assert(STW_REQUIREMENT_TERMS_MAX <= 32, "a stack of results fits a word");

static int
define(struct stw_acd *acd, struct names *names, uint32_t *count, uint32_t max, const char *name,
       uint64_t *id)
{
	int error = 0;

	if (!names_valid(name))
		return -EINVAL;
	control_lock_take(&acd->lock);
	if (names_find(names, ACD_TENANT_DEFAULT, name) != NAMES_NONE)
		error = -EEXIST;
	else if (*count == max)
		error = -ENOSPC;
	if (!error) {
		names_add(names, ACD_TENANT_DEFAULT, *count, name);
		*id = acd_handle((*count)++, 1);
	}
	control_lock_leave(&acd->lock);
	return error;
}

static int
find(struct stw_acd *acd, const struct names *names, const char *name, uint64_t *id)
{
	uint32_t slot;

	control_lock_take(&acd->lock);
	slot = names_find(names, ACD_TENANT_DEFAULT, name);
	if (slot != NAMES_NONE)
		*id = acd_handle(slot, 1);
	control_lock_leave(&acd->lock);
	return slot == NAMES_NONE ? -ENOENT : 0;
}

int
stw_attribute_define(struct stw_acd *acd, const char *name, struct stw_attribute *attribute)
{
	return define(acd, &acd->attribute_names, &acd->attributes_count,
		      acd->config.attributes_max, name, &attribute->id);
}

int
stw_attribute_find(struct stw_acd *acd, const char *name, struct stw_attribute *attribute)
{
	return find(acd, &acd->attribute_names, name, &attribute->id);
}

int
stw_pool_define(struct stw_acd *acd, const char *name, struct stw_pool *pool)
{
	return define(acd, &acd->pool_names, &acd->pools_count, acd->config.pools_max, name,
		      &pool->id);
}

int
stw_pool_find(struct stw_acd *acd, const char *name, struct stw_pool *pool)
{
	return find(acd, &acd->pool_names, name, &pool->id);
}

/* A handle of something that is defined once and for all. */
static int
handle_check(uint64_t id, uint32_t count)
{
	return (uint32_t)id >= count || id >> 32 != 1 ? -ESTALE : 0;
}

int
config_pool_check(const struct stw_acd *acd, struct stw_pool pool)
{
	return pool.id ? handle_check(pool.id, acd->pools_count) : 0;
}

static bool
value_valid(const char *value)
{
	return value && strnlen(value, STW_VALUE_BYTES_MAX + 1) <= STW_VALUE_BYTES_MAX;
}

int
config_attributes_check(const struct stw_acd *acd, const struct stw_attribute_value *values,
			uint32_t count)
{
	if (count > STW_AGENT_ATTRIBUTES_MAX || (count && !values))
		return -EINVAL;
	for (uint32_t i = 0; i < count; i++) {
		if (!value_valid(values[i].value))
			return -EINVAL;
		for (uint32_t j = 0; j < i; j++)
			if (values[j].attribute.id == values[i].attribute.id)
				return -EINVAL;
	}
	for (uint32_t i = 0; i < count; i++)
		if (handle_check(values[i].attribute.id, acd->attributes_count))
			return -ESTALE;
	return 0;
}

/* What a term takes from the stack; it leaves one result. */
static uint32_t
operands_of(enum stw_term_kind kind)
{
	return kind == STW_TERM_NOT ? 1 : kind == STW_TERM_AND || kind == STW_TERM_OR ? 2 : 0;
}

/* Whether the fields of a term are in their ranges. */
static bool
term_valid(const struct stw_term *term)
{
	switch (term->kind) {
	case STW_TERM_SKILL:
		return term->level && term->level <= STW_SKILL_LEVEL_MAX;
	case STW_TERM_ATTRIBUTE_IS:
	case STW_TERM_ATTRIBUTE_IS_NOT:
		return value_valid(term->value);
	default:
		return (unsigned)term->kind <= STW_TERM_NOT;
	}
}

int
config_requirement_check(const struct stw_acd *acd, uint32_t tenant, const struct stw_term *terms,
			 uint32_t count)
{
	uint32_t depth = 0;

	if (count > STW_REQUIREMENT_TERMS_MAX || (count && !terms))
		return -EINVAL;
	for (uint32_t i = 0; i < count; i++) {
		if (!term_valid(&terms[i]) || depth < operands_of(terms[i].kind))
			return -EINVAL;
		depth += 1 - operands_of(terms[i].kind);
	}
	if (count && depth != 1)
		return -EINVAL;
	for (uint32_t i = 0; i < count; i++) {
		int error = 0;

		if (terms[i].kind == STW_TERM_SKILL)
			error = config_skill_known(acd, tenant, terms[i].skill) ? 0 : -ESTALE;
		else if (!operands_of(terms[i].kind))
			error = handle_check(terms[i].attribute.id, acd->attributes_count);
		if (error)
			return error;
	}
	return 0;
}

/* Copy what was checked; returns NULL for no terms, or without memory. */
struct acd_term *
config_requirement_copy(const struct stw_term *terms, uint32_t count)
{
	struct acd_term *copy = count ? calloc(count, sizeof(*copy)) : NULL;

	for (uint32_t i = 0; copy && i < count; i++) {
		copy[i].kind = terms[i].kind;
		copy[i].level = terms[i].level;
		copy[i].what =
			terms[i].kind == STW_TERM_SKILL ? terms[i].skill.id : terms[i].attribute.id;
		if (terms[i].kind == STW_TERM_ATTRIBUTE_IS ||
		    terms[i].kind == STW_TERM_ATTRIBUTE_IS_NOT)
			memcpy(copy[i].value, terms[i].value, strlen(terms[i].value) + 1);
	}
	return copy;
}

/* Copy an agent's attributes into his description. -ENOMEM: no memory. */
int
config_attributes_copy(struct acd_agent_description *agent,
		       const struct stw_attribute_value *values, uint32_t count)
{
	agent->attributes = calloc((size_t)count + 1, sizeof(*agent->attributes));
	if (!agent->attributes)
		return -ENOMEM;
	for (uint32_t i = 0; i < count; i++) {
		agent->attributes[i].attribute = values[i].attribute.id;
		memcpy(agent->attributes[i].value, values[i].value, strlen(values[i].value) + 1);
	}
	agent->attributes_count = count;
	return 0;
}

static uint8_t
level_of(const struct acd_agent_description *agent, uint64_t skill)
{
	for (uint32_t i = 0; i < agent->skills_count; i++)
		if (agent->skills[i].skill.id == skill)
			return agent->skills[i].level;
	return 0;
}

static bool
attribute_is(const struct acd_agent_description *agent, const struct acd_term *term)
{
	for (uint32_t i = 0; i < agent->attributes_count; i++)
		if (agent->attributes[i].attribute == term->what)
			return !strcmp(agent->attributes[i].value, term->value);
	return false;
}

static bool
requirement_holds(const struct acd_step *step, const struct acd_agent_description *agent)
{
	uint32_t results = 1;

	for (uint32_t i = 0; i < step->requirement_count; i++) {
		const struct acd_term *term = &step->requirement[i];
		uint32_t top = results & 1, below = results >> 1 & 1;

		switch (term->kind) {
		case STW_TERM_SKILL:
			results = results << 1 | (level_of(agent, term->what) >= term->level);
			break;
		case STW_TERM_ATTRIBUTE_IS:
			results = results << 1 | attribute_is(agent, term);
			break;
		case STW_TERM_ATTRIBUTE_IS_NOT:
			results = results << 1 | !attribute_is(agent, term);
			break;
		case STW_TERM_AND:
			results = (results >> 2 << 1) | (top & below);
			break;
		case STW_TERM_OR:
			results = (results >> 2 << 1) | (top | below);
			break;
		case STW_TERM_NOT:
			results ^= 1;
			break;
		}
	}
	return results & 1;
}

/* The i-th skill that a step names: of its terms, then of its requirement; 0: the term is no skill. */
static uint64_t
skill_named(const struct acd_step *step, uint32_t i)
{
	if (i < step->terms_count)
		return step->terms[i].skill.id;
	i -= step->terms_count;
	return step->requirement[i].kind == STW_TERM_SKILL ? step->requirement[i].what : 0;
}

/* Note how proficient an agent is in the skills that a step names, for a step that asks. */
void
config_step_score(const struct acd_step *step, uint32_t a,
		  const struct acd_agent_description *agent)
{
	uint32_t sum = 0;

	if (!step->scores)
		return;
	for (uint32_t i = 0; i < step->terms_count + step->requirement_count; i++) {
		uint64_t skill = skill_named(step, i);

		for (uint32_t j = 0; j < i && skill; j++)
			if (skill_named(step, j) == skill)
				skill = 0;
		sum += skill ? level_of(agent, skill) : 0;
	}
	atomic_store_explicit(&step->scores[a], (uint16_t)sum, memory_order_relaxed);
}

/* Whether an agent meets what a step asks for, and has slots for its channel. The step's members say so to hot calls. */
bool
config_step_admits(const struct acd_step *step, const struct acd_agent_description *agent)
{
	if (step->tenant != agent->tenant || !agent->slots[step->channel] ||
	    (step->pool && step->pool != agent->pool))
		return false;
	for (uint32_t i = 0; i < step->terms_count; i++)
		if (level_of(agent, step->terms[i].skill.id) < step->terms[i].level)
			return false;
	return requirement_holds(step, agent);
}
