/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Configuration of skills, and finding what a tenant has named: under the configuration lock (config.c).
 */
#include "config.h"

#include <errno.h>

/* Whether a tenant has defined the skill. */
bool
config_skill_known(const struct stw_acd *acd, uint32_t tenant, struct stw_skill skill)
{
	uint32_t slot = (uint32_t)skill.id;

	return slot < acd->config.skills_max && names_owner(&acd->skill_names, slot) == tenant &&
	       acd->skill_generations[slot] == skill.id >> 32;
}

int
config_terms_check(struct stw_acd *acd, uint32_t tenant, const struct stw_skill_level *terms,
		   uint32_t count)
{
	if (count && !terms)
		return -EINVAL;
	for (uint32_t i = 0; i < count; i++)
		if (!terms[i].level || terms[i].level > STW_SKILL_LEVEL_MAX)
			return -EINVAL;
	for (uint32_t i = 0; i < count; i++)
		if (!config_skill_known(acd, tenant, terms[i].skill))
			return -ESTALE;
	return 0;
}

static int
skill_define(struct stw_acd *acd, struct stw_tenant tenant, const char *name,
	     struct stw_skill *skill)
{
	uint32_t slot;
	uint32_t t;
	int error = acd_tenant_slot(acd, tenant, &t);

	if (error)
		return error;
	if (names_find(&acd->skill_names, t, name) != NAMES_NONE)
		return -EEXIST;
	error = acd_tenant_take(acd, t, ACD_TENANT_SKILLS);
	if (error)
		return error;
	error = slot_pool_take(&acd->skill_slots, &slot);
	if (error) {
		acd_tenant_give(acd, t, ACD_TENANT_SKILLS);
		return error;
	}
	acd->skill_generations[slot] += 1 + (acd->skill_generations[slot] == UINT32_MAX);
	names_add(&acd->skill_names, t, slot, name);
	skill->id = acd_handle(slot, acd->skill_generations[slot]);
	return 0;
}

int
stw_skill_define(struct stw_acd *acd, struct stw_tenant tenant, const char *name,
		 struct stw_skill *skill)
{
	int error;

	if (!names_valid(name))
		return -EINVAL;
	control_lock_take(&acd->lock);
	error = skill_define(acd, tenant, name, skill);
	control_lock_leave(&acd->lock);
	return error;
}

/* Slot of what a tenant has named so. */
int
config_name_find(struct stw_acd *acd, const struct names *names, struct stw_tenant tenant,
		 const char *name, uint32_t *slot)
{
	uint32_t t;
	int error = acd_tenant_slot(acd, tenant, &t);

	if (error)
		return error;
	*slot = names_find(names, t, name);
	return *slot == NAMES_NONE ? -ENOENT : 0;
}

int
stw_skill_find(struct stw_acd *acd, struct stw_tenant tenant, const char *name,
	       struct stw_skill *skill)
{
	uint32_t slot;
	int error;

	control_lock_take(&acd->lock);
	error = config_name_find(acd, &acd->skill_names, tenant, name, &slot);
	if (!error)
		skill->id = acd_handle(slot, acd->skill_generations[slot]);
	control_lock_leave(&acd->lock);
	return error;
}
