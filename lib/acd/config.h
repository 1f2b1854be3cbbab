/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the two halves of the configuration, agents and queues, share. All under the lock.
 */
#ifndef STW_ACD_CONFIG_H
#define STW_ACD_CONFIG_H

#include "engine.h"

void config_bit_set(_Atomic uint32_t *bits, uint32_t i, bool set);
/* Team of a pool: 0 for none, else its slot + 1. */
static inline uint32_t
config_team(struct stw_pool pool)
{
	return pool.id ? (uint32_t)pool.id + 1 : 0;
}

int config_terms_check(struct stw_acd *acd, uint32_t tenant, const struct stw_skill_level *terms,
		       uint32_t count);
int config_name_find(struct stw_acd *acd, const struct names *names, struct stw_tenant tenant,
		     const char *name, uint32_t *slot);
bool config_skill_known(const struct stw_acd *acd, uint32_t tenant, struct stw_skill skill);
int config_pool_check(const struct stw_acd *acd, struct stw_pool pool);
int config_attributes_check(const struct stw_acd *acd, const struct stw_attribute_value *values,
			    uint32_t count);
int config_attributes_copy(struct acd_agent_description *agent,
			   const struct stw_attribute_value *values, uint32_t count);
int config_requirement_check(const struct stw_acd *acd, uint32_t tenant,
			     const struct stw_term *terms, uint32_t count);
struct acd_term *config_requirement_copy(const struct stw_term *terms, uint32_t count);
void config_step_score(const struct acd_step *step, uint32_t a,
		       const struct acd_agent_description *agent);
bool config_step_admits(const struct acd_step *step, const struct acd_agent_description *agent);
int config_steps_check(struct stw_acd *acd, uint32_t tenant, const struct stw_queue_config *config);
int config_steps_make(struct stw_acd *acd, const struct stw_queue_config *config,
		      struct acd_queue_description *queue);
void config_steps_free(struct acd_queue_description *queue);
bool config_steps_differ(const struct acd_queue_description *a,
			 const struct acd_queue_description *b);
void config_steps_move(struct stw_acd *acd, uint32_t q, uint64_t now_ns);
int config_sets_take(struct stw_acd *acd, uint32_t q, struct acd_queue_description *queue,
		     const struct acd_queue_description *old);
void config_sets_give(struct stw_acd *acd, const struct acd_queue_description *queue,
		      const struct acd_queue_description *but);
void config_sets_mark(const struct acd_queue_description *queue, uint32_t a,
		      struct acd_agent_description *agent, bool set);
void config_sets_clear(struct stw_acd *acd, const struct acd_queue_description *queue,
		       const struct acd_queue_description *but);
void config_agents_free(struct stw_acd *acd);
void config_queues_free(struct stw_acd *acd);

#endif
