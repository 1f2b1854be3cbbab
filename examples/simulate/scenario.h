/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A scenario file becomes a plan. All that is wrong with it is found in one pass, with its lines.
 */
#ifndef SIMULATE_SCENARIO_H
#define SIMULATE_SCENARIO_H

#include "document.h"
#include "plan.h"

struct scenario;

/* Read a file. 0, or -EINVAL with errors to show; scenario_free in either case. -ENOMEM: nothing. */
int scenario_load(struct scenario **out, const char *path);
void scenario_free(struct scenario *scenario);

/* Lines "FILE:LINE: what is wrong"; "" when nothing is. */
const char *scenario_errors(const struct scenario *scenario);

/* Borrowed until scenario_free. */
const struct plan *scenario_plan(const struct scenario *scenario);
uint64_t scenario_seed(const struct scenario *scenario);

#endif
