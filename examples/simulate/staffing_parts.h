/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the files of the search for agents, and by nobody else. */
#ifndef SIMULATE_STAFFING_PARTS_H
#define SIMULATE_STAFFING_PARTS_H

#include "staffing.h"

/* A queue that anyone serves, with the goal as its service level. */
struct stw_queue_config staffing_queue(const struct plan *plan, uint32_t queue,
				       const struct staffing_goal *goal);

/* Agents like those of the first group that serves the queue; without skills and shifts. */
struct plan_group staffing_group(const struct plan *plan, uint32_t queue);

uint32_t staffing_intervals(const struct plan *plan);

/* Contacts expected of a flow for a queue between two times. */
double staffing_expected(const struct plan_flow *flow, uint32_t queue, uint64_t from_ns,
			 uint64_t to_ns);

/* Simulate days with the agents of the rows, and note the levels reached. */
int staffing_day(const struct plan *plan, const struct staffing_goal *goal, uint64_t seed,
		 struct staffing_row *rows);

#endif
