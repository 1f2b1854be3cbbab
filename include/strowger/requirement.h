/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requirements: what a routing step asks of an agent beside plain skills. Attributes are facts with a
 * text for a value (site is "berlin"), pools say to which team, site or partner an agent belongs, and
 * an expression over skills and attributes says who fits.
 *
 * An expression is an array of terms in postfix order: operands first, then what joins them.
 * "german at 60, and not at home or senior" is: german>=60, place=="home", NOT, grade=="senior", OR,
 * AND.
 */
#ifndef STROWGER_REQUIREMENT_H
#define STROWGER_REQUIREMENT_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/export.h>
#include <strowger/skill.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most terms of an expression. */
#define STW_REQUIREMENT_TERMS_MAX 32

/** Most attributes of one agent. */
#define STW_AGENT_ATTRIBUTES_MAX 32

/** Longest value of an attribute, in bytes without the closing NUL. */
#define STW_VALUE_BYTES_MAX 63

/** Handle of an attribute: a value, copied freely. An id of 0 names nothing. */
struct stw_attribute {
	uint64_t id; /**< slot in the low, generation in the high 32 bits; 0 names nothing */
};

/** Handle of a pool: a value, copied freely. An id of 0 names nothing. */
struct stw_pool {
	uint64_t id; /**< slot in the low, generation in the high 32 bits; 0 names nothing */
};

/** An attribute of an agent. */
struct stw_attribute_value {
	struct stw_attribute attribute; /**< which; no agent has one twice */
	const char *value; /**< UTF-8, to STW_VALUE_BYTES_MAX bytes; copied; not NULL */
};

/** Kinds of terms. */
enum stw_term_kind {
	STW_TERM_SKILL,            /**< the agent has the skill at least at the level */
	STW_TERM_ATTRIBUTE_IS,     /**< the agent's attribute has this value */
	STW_TERM_ATTRIBUTE_IS_NOT, /**< it has another, or the agent has not the attribute */
	STW_TERM_AND,              /**< both of the two results before it */
	STW_TERM_OR,               /**< one of the two results before it, or both */
	STW_TERM_NOT,              /**< not the result before it */
};

/** A term of an expression. Fields that do not go with the kind are 0. */
struct stw_term {
	enum stw_term_kind kind;        /**< what it is */
	uint8_t level;                  /**< of SKILL: 1 to STW_SKILL_LEVEL_MAX */
	struct stw_skill skill;         /**< of SKILL */
	struct stw_attribute attribute; /**< of ATTRIBUTE_IS and ATTRIBUTE_IS_NOT */
	const char *value;              /**< of these: to STW_VALUE_BYTES_MAX bytes; copied */
};

/**
 * Make a term: the agent has the skill at least at the level.
 *
 * @param skill  which
 * @param level  1 to STW_SKILL_LEVEL_MAX
 * @return the term
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
static inline struct stw_term
stw_term_skill(struct stw_skill skill, uint8_t level)
{
	struct stw_term term = {STW_TERM_SKILL, level, skill, {0}, NULL};

	return term;
}

/**
 * Make a term: the agent's attribute has the value.
 *
 * @param attribute  which
 * @param value      borrowed as long as the term is used; not NULL
 * @return the term
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
static inline struct stw_term
stw_term_is(struct stw_attribute attribute, const char *value)
{
	struct stw_term term = {STW_TERM_ATTRIBUTE_IS, 0, {0}, attribute, value};

	return term;
}

/**
 * Make a term: the agent's attribute has another value, or he has it not.
 *
 * @param attribute  which
 * @param value      borrowed as long as the term is used; not NULL
 * @return the term
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
static inline struct stw_term
stw_term_is_not(struct stw_attribute attribute, const char *value)
{
	struct stw_term term = {STW_TERM_ATTRIBUTE_IS_NOT, 0, {0}, attribute, value};

	return term;
}

/**
 * Make a term: both of the two results before it.
 *
 * @return the term
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
static inline struct stw_term
stw_term_and(void)
{
	struct stw_term term = {STW_TERM_AND, 0, {0}, {0}, NULL};

	return term;
}

/**
 * Make a term: one of the two results before it, or both.
 *
 * @return the term
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
static inline struct stw_term
stw_term_or(void)
{
	struct stw_term term = {STW_TERM_OR, 0, {0}, {0}, NULL};

	return term;
}

/**
 * Make a term: not the result before it.
 *
 * @return the term
 *
 * Threads:  any.
 * Progress: wait-free (bound 1).
 * Order:    none needed.
 */
static inline struct stw_term
stw_term_not(void)
{
	struct stw_term term = {STW_TERM_NOT, 0, {0}, {0}, NULL};

	return term;
}

/**
 * Define an attribute.
 *
 * @param acd        borrowed, not NULL
 * @param name       copied; UTF-8, 1 to STW_NAME_BYTES_MAX bytes
 * @param attribute  set on success only
 * @return 0
 * @return -EINVAL  the name is empty, too long or NULL
 * @return -EEXIST  the name is taken
 * @return -ENOSPC  attributes_max attributes are defined
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures; never holds up a hot call).
 * Order:    what is defined is seen by every call that starts after the return.
 */
STW_API int stw_attribute_define(struct stw_acd *acd, const char *name,
				 struct stw_attribute *attribute);

/**
 * Find an attribute by its name.
 *
 * @param acd        borrowed, not NULL
 * @param name       borrowed until return
 * @param attribute  set on success only
 * @return 0
 * @return -ENOENT  no attribute has that name
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures).
 * Order:    sees every definition that returned before the call.
 */
STW_API int stw_attribute_find(struct stw_acd *acd, const char *name,
			       struct stw_attribute *attribute);

/**
 * Define a pool: a team, a site, a partner.
 *
 * @param acd   borrowed, not NULL
 * @param name  copied; UTF-8, 1 to STW_NAME_BYTES_MAX bytes
 * @param pool  set on success only
 * @return 0
 * @return -EINVAL  the name is empty, too long or NULL
 * @return -EEXIST  the name is taken
 * @return -ENOSPC  pools_max pools are defined
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures; never holds up a hot call).
 * Order:    what is defined is seen by every call that starts after the return.
 */
STW_API int stw_pool_define(struct stw_acd *acd, const char *name, struct stw_pool *pool);

/**
 * Find a pool by its name.
 *
 * @param acd   borrowed, not NULL
 * @param name  borrowed until return
 * @param pool  set on success only
 * @return 0
 * @return -ENOENT  no pool has that name
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures).
 * Order:    sees every definition that returned before the call.
 */
STW_API int stw_pool_find(struct stw_acd *acd, const char *name, struct stw_pool *pool);

#ifdef __cplusplus
}
#endif

#endif
