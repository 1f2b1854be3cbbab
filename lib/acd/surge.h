/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a queue knows of its own state: how fast it is served, who stands where in it, and what surge rules
 * make of that.
 */
#ifndef STW_ACD_SURGE_H
#define STW_ACD_SURGE_H

#include <stdbool.h>
#include <stdint.h>

#include <strowger/acd.h>

#include "sync/lower_bound_tree.h"

struct acd_queue_description;

/* pace.c: how fast a queue is served. */
void acd_pace_start(struct stw_acd *acd, uint32_t q, bool more, uint64_t now_ns);
int acd_pace_wait(struct stw_acd *acd, uint32_t q, uint32_t ahead, uint64_t now_ns,
		  uint64_t *wait_ns);

/* surge.c */
int acd_surge_rules_check(struct stw_acd *acd, uint32_t tenant,
			  const struct stw_queue_config *config);
void acd_surge_served(struct stw_acd *acd, uint32_t q, bool in_time);
const struct stw_surge_rule *acd_surge_rule(struct stw_acd *acd, uint32_t q,
					    const struct acd_queue_description *queue,
					    const struct stw_contact_request *request,
					    uint64_t now_ns);
int acd_surge_apply(struct stw_acd *acd, uint32_t q, const struct stw_surge_rule *rule,
		    const struct stw_contact_request *request, uint64_t now_ns,
		    struct stw_contact *handle);
void acd_surge_review(struct stw_acd *acd, uint32_t q, uint64_t now_ns);

/* position.c */
void acd_position_timer_set(struct stw_acd *acd, uint32_t c, uint32_t q, uint64_t told,
			    uint64_t now_ns);
void acd_position_move(struct stw_acd *acd, uint32_t c, uint32_t q, uint64_t now_ns);
enum lower_bound_tree_verdict acd_position_timer_check(struct stw_acd *acd, uint32_t c,
						       uint64_t told);
bool acd_position_fire(struct stw_acd *acd, uint32_t c, uint64_t told, uint64_t now_ns);

#endif
