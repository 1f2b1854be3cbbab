/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the two halves of the configuration, agents and queues, share. All under the lock.
 */
#ifndef STW_ACD_CONFIG_H
#define STW_ACD_CONFIG_H

#include "engine.h"

void config_bit_set(_Atomic uint32_t *bits, uint32_t i, bool set);
int config_terms_check(struct stw_acd *acd, const struct stw_skill_level *terms, uint32_t count);
void config_agents_free(struct stw_acd *acd);
void config_queues_free(struct stw_acd *acd);

#endif
