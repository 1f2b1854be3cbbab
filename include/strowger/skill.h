/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Skills: what an agent can do and a contact may ask for. A skill is a name with an index; agents
 * hold it at a level, queues ask for a level. A tenant's skills go when the tenant is removed.
 */
#ifndef STROWGER_SKILL_H
#define STROWGER_SKILL_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/export.h>
#include <strowger/tenant.h>

#ifdef __cplusplus
extern "C" {
#endif

struct stw_acd;

/** Highest level of proficiency. Level 0 means the agent has not the skill. */
#define STW_SKILL_LEVEL_MAX 100

/** Longest name of a skill, queue or agent, in bytes without the closing NUL. */
#define STW_NAME_BYTES_MAX 63

/** Handle of a skill: a value, copied freely. An id of 0 names nothing. */
struct stw_skill {
	uint64_t id; /**< slot in the low, generation in the high 32 bits; 0 names nothing */
};

/** A skill at a level: what an agent has, or the least a queue asks for. */
struct stw_skill_level {
	struct stw_skill skill; /**< which skill */
	uint8_t level;          /**< 1 to STW_SKILL_LEVEL_MAX; 0 is refused */
};

/**
 * Define a skill.
 *
 * @param acd     borrowed, not NULL
 * @param tenant  whose; id 0: the default tenant's
 * @param name    copied; UTF-8, 1 to STW_NAME_BYTES_MAX bytes
 * @param skill   set on success only
 * @return 0
 * @return -EINVAL  the name is empty, too long or NULL
 * @return -ESTALE  the tenant was removed
 * @return -EEXIST  the tenant has a skill of that name
 * @return -ENOSPC  skills_max skills are defined, the engine's or the tenant's
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures; never holds up a hot call).
 * Order:    what is defined is seen by every call that starts after the return.
 */
STW_API int stw_skill_define(struct stw_acd *acd, struct stw_tenant tenant, const char *name,
			     struct stw_skill *skill);

/**
 * Find a skill by its name.
 *
 * @param acd     borrowed, not NULL
 * @param tenant  whose; id 0: the default tenant's
 * @param name    borrowed until return
 * @param skill   set on success only
 * @return 0
 * @return -ESTALE  the tenant was removed
 * @return -ENOENT  no skill of the tenant has that name
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures).
 * Order:    sees every definition that returned before the call.
 */
STW_API int stw_skill_find(struct stw_acd *acd, struct stw_tenant tenant, const char *name,
			   struct stw_skill *skill);

#ifdef __cplusplus
}
#endif

#endif
