/* SPDX-License-Identifier: BSD-3-Clause */
#include "property/beside.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define TRIES_MAX 20000 /* sets of answers tried to explain one step */

const char *
beside_story(const struct beside *run)
{
	static char text[HISTORY_TOLD * 710 + 600];
	const struct history *h = &run->history;
	int used = snprintf(text, sizeof(text),
			    "house '%s' seed %" PRIu64 " step %" PRIu64 ": %s\nlast operations:\n",
			    h->size->name, h->seed, h->steps, h->compare.problem);

	for (uint64_t i = h->steps < HISTORY_TOLD ? 0 : h->steps - HISTORY_TOLD; i < h->steps; i++)
		used += snprintf(text + used, sizeof(text) - (size_t)used, "  %" PRIu64 " %s\n", i,
				 h->told[i % HISTORY_TOLD]);
	return text;
}

static bool
differs(struct beside *run, const char *problem)
{
	snprintf(run->history.compare.problem, sizeof(run->history.compare.problem), "%s", problem);
	return false;
}

bool
beside_take(struct beside *run, uint32_t *count, uint64_t *lost)
{
	int taken;

	*count = 0;
	*lost = 0;
	do {
		/* in bites of odd sizes, so that the queue wraps at every place */
		uint32_t room = 1 + random_below(&run->history.random, 40);

		taken = stw_events_take(run->acd, &run->got[*count], room);
		for (int i = 0, kept = 0; i < taken; i++) {
			struct stw_event *event = &run->got[*count];

			*event = run->got[*count + (uint32_t)(i - kept)];
			if (event->type != STW_EVENT_LOST) {
				(*count)++;
				kept++;
			} else {
				*lost += event->lost;
			}
		}
		if (*count > EVENTS_KEPT - 100)
			taken = -1;
	} while (taken > 0);
	run->events_taken += *count;
	run->lost += *lost;
	return taken == 0;
}

static bool
explains(struct beside *run, const struct step *step, const struct stw_event *got, uint32_t count,
	 bool takes)
{
	struct compare *compare = &run->history.compare;
	uint64_t next_ns = 0;
	int result = step_oracle(&run->history.oracle, step, &next_ns);

	if (result != step->result || (step->result < 0 && run->events.count)) {
		snprintf(compare->problem, sizeof(compare->problem), "returned %d, expected %d",
			 step->result, result);
		return false;
	}
	if (step->kind == STEP_ADVANCE && result >= 0 && step->next_ns != next_ns) {
		snprintf(compare->problem, sizeof(compare->problem),
			 "next timer %" PRIu64 ", expected %" PRIu64, step->next_ns, next_ns);
		return false;
	}
	if (takes && !compare_events(compare, got, count, run->events.list, run->events.count, 0))
		return false;
	return compare_statuses(compare, run->acd, &run->history.oracle);
}

/* Tries each answer to what the headers leave open; the problem told is that of the first. */
static bool
oracle_follows(struct beside *run, const struct step *step, const struct stw_event *got,
	       uint32_t count, bool takes)
{
	char problem[sizeof(run->history.compare.problem)];

	oracle_events = &run->events;
	oracle_choices = &run->choices;
	run->history.before = run->history.oracle;
	memset(&run->choices, 0, sizeof(run->choices));
	for (int tries = 0;; tries++) {
		run->events.count = 0;
		if (explains(run, step, got, count, takes))
			return true;
		if (!tries)
			memcpy(problem, run->history.compare.problem, sizeof(problem));
		if (tries == TRIES_MAX || !oracle_choices_next(&run->choices))
			break;
		run->history.oracle = run->history.before;
	}
	return differs(run, problem);
}

/* A starving history keeps what it expects, and compares when it takes after many steps. */
static bool
compare_later(struct beside *run, bool takes)
{
	uint32_t count;
	uint64_t lost;

	memcpy(&run->wanted[run->wanted_count], run->events.list,
	       run->events.count * sizeof(run->events.list[0]));
	run->wanted_count += run->events.count;
	if (!takes && run->wanted_count < EVENTS_KEPT / 2)
		return true;
	if (!beside_take(run, &count, &lost))
		return differs(run, "events cannot be taken");
	if (!compare_events(&run->history.compare, run->got, count, run->wanted, run->wanted_count,
			    lost))
		return false;
	if (lost && count < run->history.size->events_max)
		return differs(run, "events lost before the queue was full");
	run->wanted_count = 0;
	return true;
}

bool
beside_step(struct beside *run)
{
	struct history *h = &run->history;
	char *told = h->told[h->steps % HISTORY_TOLD];
	bool starves = h->size->starve_steps > 0;
	struct stw_acd_stats stats;
	struct step step;
	uint32_t count = 0;
	uint64_t lost = 0;

	history_next(h, &step);
	step_text(&step, told, sizeof(h->told[0]));
	step_engine(run->acd, &run->skills, &step);
	step_text(&step, told, sizeof(h->told[0]));
	h->steps++;
	run->refusals += step.result == -ENOSPC;
	history_remember(h, &step);
	if (!starves && (!beside_take(run, &count, &lost) || lost))
		return differs(run, "events lost");
	if (step.kind == STEP_ADVANCE && !step.budget)
		return step.result == -EINVAL || differs(run, "budget 0 taken");
	if (!oracle_follows(run, &step, run->got, count, !starves))
		return false;
	if (starves && !compare_later(run, h->steps % h->size->starve_steps == 0))
		return false;
	if (stw_acd_check(run->acd))
		return differs(run, "stw_acd_check fails");
	if (!compare_stats(&h->compare, run->acd, &h->oracle))
		return false;
	stw_acd_stats(run->acd, &stats);
	if (starves ? stats.events_lost < run->lost : stats.events_lost)
		return differs(run, "events_lost is wrong");
	return true;
}

bool
beside_open(struct beside *run, const struct house_size *size, uint64_t seed)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;

	config.agents_max = size->agents_max;
	config.queues_max = size->queues_max;
	config.contacts_max = size->contacts_max;
	config.events_max = size->events_max;
	config.skills_max = ORACLE_SKILLS_MAX;
	config.threads_max = 4;
	config.steps_max = size->queues_max * ORACLE_STEPS_MAX * 8;
	config.seed = seed;
	history_begin(&run->history, size, seed);
	run->wanted_count = 0;
	run->lost = 0;
	return !stw_acd_create(&run->acd, &config) && !step_skills_define(run->acd, &run->skills);
}

void
beside_close(struct beside *run)
{
	stw_acd_destroy(run->acd);
}
