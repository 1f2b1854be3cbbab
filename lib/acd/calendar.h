/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calendars, inside; how they work is told in calendar.c.
 */
#ifndef STW_ACD_CALENDAR_H
#define STW_ACD_CALENDAR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <strowger/skill.h>

#include "base/base.h"
#include "hours.h"

/** Of a queue that is always open. */
#define ACD_CALENDAR_NONE UINT32_MAX

struct acd_calendar_description {
	uint32_t generation;
	struct hours hours;
	char name[STW_NAME_BYTES_MAX + 1];
};

struct acd_calendar {
	_Atomic uint64_t word STW_ALIGNED_LINE;
	_Atomic(struct acd_calendar_description *) description;
	/* Under the configuration lock. */
	uint32_t generation; /* of the last definition */
	uint32_t users;      /* uses by queues and their steps */
};

struct stw_acd;
struct acd_queue_description;
struct acd_todo;

/* calendar.c */
int acd_calendar_slot(struct stw_acd *acd, struct stw_calendar handle, uint32_t tenant,
		      uint32_t *k);
bool acd_calendar_open(struct stw_acd *acd, uint32_t k, uint64_t now_ns);
bool acd_calendar_noted(struct stw_acd *acd, uint32_t k);
uint32_t acd_calendar_uses(const struct acd_queue_description *queue, uint32_t k);
uint64_t acd_calendars_advance(struct stw_acd *acd, uint64_t now_ns, struct acd_todo *todo);
void acd_calendars_free(struct stw_acd *acd);
void acd_calendars_check(struct stw_acd *acd);

#endif
