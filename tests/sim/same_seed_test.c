/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The same scenario and seed give the same history: every event of the engine, byte for byte. Both
 * engines live at the same time, so nothing that depends on addresses can be equal by chance.
 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "event_line.h"
#include "scenario.h"
#include "simulation.h"

struct history {
	struct simulation *simulation;
	FILE *file;
	char *bytes;
	size_t length;
	unsigned types; /* a bit for each type of event seen */
};

static void
keep(void *context, const struct stw_event *event)
{
	struct history *history = context;
	char line[EVENT_LINE_BYTES];

	history->types |= 1u << event->type;
	fwrite(line, 1, event_line(line, event), history->file);
}

static void
begin(struct history *history, const struct plan *plan, uint64_t seed)
{
	*history = (struct history){0};
	history->file = open_memstream(&history->bytes, &history->length);
	cr_assert_not_null(history->file);
	cr_assert_eq(simulation_create(&history->simulation, plan, seed), 0);
	simulation_observe(history->simulation, keep, NULL, history);
	cr_assert_eq(simulation_run(history->simulation), 0);
	fclose(history->file);
}

static void
end(struct history *history)
{
	simulation_destroy(history->simulation);
	free(history->bytes);
}

Test(seed, the_same_seed_gives_the_same_events_byte_for_byte)
{
	struct scenario *scenario;
	struct history first, second;

	cr_assert_eq(scenario_load(&scenario, DAY_SCENARIO), 0, "%s", scenario_errors(scenario));
	begin(&first, scenario_plan(scenario), 42);
	begin(&second, scenario_plan(scenario), 42);
	cr_assert_eq(first.length, second.length);
	cr_assert(!memcmp(first.bytes, second.bytes, first.length));
	/* The day has something of everything: answers, misses, gone callers, states. */
	cr_assert(first.types & 1u << STW_EVENT_TIMED_OUT);
	cr_assert(first.types & 1u << STW_EVENT_ABANDONED);
	cr_assert(first.types & 1u << STW_EVENT_ENDED);
	cr_assert(first.types & 1u << STW_EVENT_AGENT_STATE);
	cr_assert_gt(first.length, 100000);
	end(&first);
	end(&second);
	scenario_free(scenario);
}

Test(seed, another_seed_gives_another_history)
{
	struct scenario *scenario;
	struct history first, second;

	cr_assert_eq(scenario_load(&scenario, DAY_SCENARIO), 0);
	begin(&first, scenario_plan(scenario), 42);
	begin(&second, scenario_plan(scenario), 43);
	cr_assert(first.length != second.length || memcmp(first.bytes, second.bytes, first.length));
	end(&first);
	end(&second);
	scenario_free(scenario);
}
