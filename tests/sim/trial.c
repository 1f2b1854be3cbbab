/* SPDX-License-Identifier: BSD-3-Clause */
#include "trial.h"

#include <criterion/criterion.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "simulation.h"

/* What the repeats are drawn from; each trial has seeds of its own, so that one is not all's luck. */
#define SEED 20261122

/* Agents log in at 0, then who is in the house already comes. */
#define START_NS PLAN_SECOND_NS

/* Classes differ by more than anybody ever waits. */
#define CLASS_NS (INT64_C(1) << 50)

/* Classes settle, and callers go on coming until those who count are served; handling times. */
#define SETTLE_HANDLINGS 20
#define TAIL_HANDLINGS   60

/* A standard error above this share of the figure shows nothing. */
#define BLUR_MAX 0.2

struct trial_plan {
	struct plan plan;
	struct plan_queue queue;
	struct plan_group group;
	struct plan_shift shift;
	struct plan_flow flows[1 + EXACT_CLASSES_MAX]; /* the first: who is there already */
	struct plan_arrival *start;
	double contacts[EXACT_CLASSES_MAX];
};

static void
plan_flow(const struct trial *trial, struct trial_plan *made, uint32_t class, uint32_t classes,
	  uint64_t end_ns)
{
	struct plan_flow *flow = &made->flows[1 + class];
	double share = trial->classes ? trial->shares[class] : 1;

	*flow = (struct plan_flow){.name = "callers",
				   .request = STW_CONTACT_REQUEST_INIT,
				   .handling = {VARIATE_EXPONENTIAL, trial->handling_s},
				   .step_ns = end_ns,
				   .contacts = &made->contacts[class],
				   .contacts_count = 1};
	flow->request.queue.id = 1;
	flow->request.value = (uint8_t)(classes - 1 - class);
	flow->patience.mean_s = trial->patience_s > 0 ? trial->patience_s : 0;
	if (trial->patience_s != 0)
		flow->patience.kind =
			trial->patience_s > 0 ? VARIATE_EXPONENTIAL : VARIATE_CONSTANT;
	made->contacts[class] = share * trial->load / trial->handling_s * ((double)end_ns / 1e9);
}

/* Those who are in the house at the start are of the last class and like all others. */
static void
plan_start(struct trial_plan *made, const struct chain *chain, uint32_t classes, uint64_t seed)
{
	struct plan_flow *flow = &made->flows[0];
	struct variate_stream stream;

	variate_seed(&stream, seed, 99, 0);
	*flow = made->flows[classes];
	flow->contacts_count = 0;
	flow->arrivals_count = chain_draw(chain, variate_unit(&stream));
	made->start = calloc(flow->arrivals_count + 1, sizeof(*made->start));
	cr_assert_not_null(made->start);
	flow->arrivals = made->start;
	for (uint32_t i = 0; i < flow->arrivals_count; i++)
		made->start[i].at_ns = START_NS;
	/* A list of nobody is no list; a profile of nobody is. */
	if (flow->arrivals_count == 0) {
		flow->contacts = NULL;
		flow->arrivals = NULL;
	}
}

static void
plan_make(const struct trial *trial, struct trial_plan *made, const struct chain *chain,
	  uint64_t callers, uint64_t seed)
{
	uint32_t classes = trial->classes ? trial->classes : 1;
	double settle_s = trial->classes ? SETTLE_HANDLINGS * trial->handling_s : 10;
	double counted_s = (double)callers * trial->handling_s / trial->load;
	double tail_s = trial->classes ? TAIL_HANDLINGS * trial->handling_s : 0;

	*made = (struct trial_plan){.plan = {.limits = STW_ACD_CONFIG_INIT},
				    .queue = {.config = STW_QUEUE_CONFIG_INIT},
				    .group = {.config = STW_AGENT_CONFIG_INIT}};
	made->plan.from_ns = (uint64_t)(settle_s * 1e9);
	made->plan.to_ns = made->plan.from_ns + (uint64_t)(counted_s * 1e9);
	made->plan.interval_ns = made->plan.to_ns - made->plan.from_ns;
	made->plan.limits.contacts_max =
		trial->contacts ? trial->contacts : 4 * trial->agents + 4000;
	made->plan.limits.events_max = 1024;
	made->queue.config.name = "all";
	made->queue.config.length_max = trial->places ? trial->places - trial->agents : 0;
	for (int value = 0; value < STW_CLASS_COUNT; value++)
		made->queue.config.target_ns[value][0] = -value * CLASS_NS;
	made->shift = (struct plan_shift){.agents = trial->agents, .to_ns = VARIATE_NEVER};
	made->group.config.name = "agent";
	made->group.answer.kind = VARIATE_CONSTANT;
	made->group.shifts = &made->shift;
	made->group.shifts_count = 1;
	for (uint32_t class = 0; class < classes; class ++)
		plan_flow(trial, made, class, classes, made->plan.to_ns + (uint64_t)(tail_s * 1e9));
	plan_start(made, chain, classes, seed);
	made->plan.queues = &made->queue;
	made->plan.queues_count = 1;
	made->plan.groups = &made->group;
	made->plan.groups_count = 1;
	made->plan.flows = made->flows;
	made->plan.flows_count = 1 + classes;
}

static double
wait_s(const struct tally_cell *cell)
{
	return (double)(cell->wait_answered_ns + cell->wait_abandoned_ns) / 1e9;
}

static void
note(struct trial *trial, enum trial_figure figure, unsigned repeat, double part, double whole)
{
	trial->part[figure][repeat] = part;
	trial->whole[figure][repeat] = whole;
}

static void
measure(struct trial *trial, const struct simulation *simulation, unsigned repeat)
{
	const struct tally *tally = simulation_tally(simulation);
	const struct tally_cell *all = tally_queue(tally, 0);
	const struct tally_staff *staff = tally_group(tally, 0);
	double offered = (double)all->offered, let_in = (double)(all->offered - all->refused);

	note(trial, TRIAL_REFUSED, repeat, (double)all->refused, offered);
	note(trial, TRIAL_ABANDONED, repeat, (double)all->abandoned, offered);
	note(trial, TRIAL_WAIT, repeat, (double)all->waited, let_in);
	note(trial, TRIAL_MEAN_WAIT, repeat, wait_s(all), let_in);
	note(trial, TRIAL_LENGTH, repeat, (double)all->waiting_ns, (double)tally->interval_ns);
	note(trial, TRIAL_OCCUPANCY, repeat, (double)staff->busy_ns,
	     (double)(staff->busy_ns + staff->ready_ns));
	note(trial, TRIAL_IN_20_S, repeat, (double)all->in_time, offered);
	for (uint32_t class = 0; class < trial->classes; class ++) {
		const struct tally_cell *flow = tally_flow(tally, 1 + class);

		note(trial, TRIAL_CLASS_WAIT + class, repeat, wait_s(flow), (double)flow->offered);
	}
}

static uint64_t
seed_of(const struct trial *trial)
{
	double parts[] = {trial->agents, trial->load,     trial->patience_s,
			  trial->places, trial->contacts, trial->classes};
	uint64_t seed = SEED;

	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		seed = seed * 1000003 + (uint64_t)(int64_t)(parts[i] * 8);
	return seed;
}

void
trial_run(struct trial *trial, const struct chain *chain, uint64_t callers)
{
	for (unsigned repeat = 0; repeat < TRIAL_REPEATS; repeat++) {
		struct simulation *simulation;
		struct trial_plan made;

		plan_make(trial, &made, chain, callers, seed_of(trial) + repeat);
		cr_assert_eq(simulation_create(&simulation, &made.plan, seed_of(trial) + repeat),
			     0);
		cr_assert_eq(simulation_run(simulation), 0);
		measure(trial, simulation, repeat);
		simulation_destroy(simulation);
		free(made.start);
	}
}

void
trial_meets(const struct trial *trial, const char *name, enum trial_figure figure, double exact)
{
	const double *part = trial->part[figure], *whole = trial->whole[figure];
	double parts = 0, wholes = 0, squares = 0, ratio, error;

	for (unsigned i = 0; i < TRIAL_REPEATS; i++) {
		parts += part[i];
		wholes += whole[i];
	}
	ratio = parts / wholes;
	/* Of a ratio of sums: the spread of what each repeat is off by. */
	for (unsigned i = 0; i < TRIAL_REPEATS; i++)
		squares += (part[i] - ratio * whole[i]) * (part[i] - ratio * whole[i]);
	error = sqrt(squares * TRIAL_REPEATS / (TRIAL_REPEATS - 1)) / wholes;
	fprintf(stderr, "%4u agents, %6.1f Erlangs: %-22s exact %10.6f, engine %10.6f, %+5.2f se\n",
		trial->agents, trial->load, name, exact, ratio, (ratio - exact) / error);
	cr_expect(fabs(ratio - exact) <= 3 * error, "%s is %g, exact %g, standard error %g", name,
		  ratio, exact, error);
	cr_expect(error <= BLUR_MAX * exact, "%s: a standard error of %g shows nothing of %g", name,
		  error, exact);
}
