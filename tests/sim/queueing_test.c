/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mathematics as the judge: the real engine on a virtual clock must give what queueing theory says,
 * within three standard errors. The seed is fixed, so a test passes always or never; a mistake of a
 * few per cent in who is served when, or in what is counted, is many standard errors.
 */
#include <criterion/criterion.h>

#include "support/random.h"
#include "trial.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Callers of one repeat: a large group forgets its state only after many of them. */
#define CALLERS(agents) ((1000 + 5 * (uint64_t)(agents)) * soak_or(1, 20))

static struct chain chain;
static struct trial trial;

static void
begin(uint32_t agents, double load, double handling_s)
{
	trial = (struct trial){.agents = agents, .load = load, .handling_s = handling_s};
}

Test(queueing, callers_without_patience_are_lost_as_erlang_b_says, .timeout = 300)
{
	for (unsigned i = 0; i < COUNT(exact_losses); i++) {
		const struct exact_loss *exact = &exact_losses[i];

		begin(exact->agents, exact->load, 180);
		trial.patience_s = TRIAL_NO_PATIENCE;
		chain_solve(&chain, exact->agents, exact->load, 180, 0, exact->agents);
		trial_run(&trial, &chain, CALLERS(exact->agents));
		trial_meets(&trial, "lost", TRIAL_ABANDONED, exact->blocking);
	}
}

Test(queueing, a_full_engine_refuses_as_erlang_b_says, .timeout = 300)
{
	for (unsigned i = 0; i < COUNT(exact_losses); i++) {
		const struct exact_loss *exact = &exact_losses[i];

		begin(exact->agents, exact->load, 180);
		trial.contacts = exact->agents;
		chain_solve(&chain, exact->agents, exact->load, 180, 0, exact->agents);
		trial_run(&trial, &chain, CALLERS(exact->agents));
		trial_meets(&trial, "refused", TRIAL_REFUSED, exact->blocking);
	}
}

Test(queueing, callers_wait_as_erlang_c_says, .timeout = 300)
{
	for (unsigned i = 0; i < COUNT(exact_delays); i++) {
		const struct exact_delay *exact = &exact_delays[i];

		begin(exact->agents, exact->load, exact->handling_s);
		chain_solve(&chain, exact->agents, exact->load, exact->handling_s, 0, 0);
		trial_run(&trial, &chain, CALLERS(exact->agents));
		trial_meets(&trial, "wait at all", TRIAL_WAIT, exact->wait);
		trial_meets(&trial, "mean wait", TRIAL_MEAN_WAIT, exact->mean_wait_s);
		trial_meets(&trial, "answered within 20 s", TRIAL_IN_20_S, exact->in_20_s);
		trial_meets(&trial, "mean length", TRIAL_LENGTH, exact->mean_length);
		trial_meets(&trial, "occupancy", TRIAL_OCCUPANCY, exact->load / exact->agents);
	}
}

Test(queueing, callers_give_up_as_erlang_a_says, .timeout = 300)
{
	for (unsigned i = 0; i < COUNT(exact_patiences); i++) {
		const struct exact_patience *exact = &exact_patiences[i];

		begin(exact->agents, exact->load, exact->handling_s);
		trial.patience_s = exact->patience_s;
		chain_solve(&chain, exact->agents, exact->load, exact->handling_s,
			    exact->patience_s, 0);
		trial_run(&trial, &chain, CALLERS(exact->agents));
		trial_meets(&trial, "abandoned", TRIAL_ABANDONED, exact->abandon);
		trial_meets(&trial, "wait at all", TRIAL_WAIT, exact->wait);
		trial_meets(&trial, "mean wait", TRIAL_MEAN_WAIT, exact->mean_wait_s);
		trial_meets(&trial, "mean length", TRIAL_LENGTH, exact->mean_length);
		trial_meets(&trial, "occupancy", TRIAL_OCCUPANCY, exact->occupancy);
		trial_meets(&trial, "answered within 20 s", TRIAL_IN_20_S, exact->in_20_s);
	}
}

Test(queueing, classes_wait_as_cobham_says, .timeout = 300)
{
	static const char *const names[EXACT_CLASSES_MAX] = {
		"mean wait, 1st class", "mean wait, 2nd class", "mean wait, 3rd class"};

	for (unsigned i = 0; i < COUNT(exact_priorities); i++) {
		const struct exact_classes *exact = &exact_priorities[i];
		double load = exact->utilisation * exact->agents;

		begin(exact->agents, load, exact->handling_s);
		trial.classes = exact->classes;
		trial.shares = exact->shares;
		chain_solve(&chain, exact->agents, load, exact->handling_s, 0, 0);
		trial_run(&trial, &chain, 2 * CALLERS(exact->agents));
		trial_meets(&trial, "wait at all", TRIAL_WAIT, exact->wait);
		for (uint32_t k = 0; k < exact->classes; k++)
			trial_meets(&trial, names[k], TRIAL_CLASS_WAIT + k, exact->mean_wait_s[k]);
	}
}

Test(queueing, a_queue_of_limited_length_refuses_as_its_chain_says, .timeout = 300)
{
	for (unsigned i = 0; i < COUNT(exact_rooms); i++) {
		const struct exact_places *exact = &exact_rooms[i];

		begin(exact->agents, exact->load, exact->handling_s);
		trial.places = exact->places;
		chain_solve(&chain, exact->agents, exact->load, exact->handling_s, 0,
			    exact->places);
		trial_run(&trial, &chain, CALLERS(exact->agents));
		trial_meets(&trial, "refused", TRIAL_REFUSED, exact->blocking);
		trial_meets(&trial, "mean wait", TRIAL_MEAN_WAIT, exact->mean_wait_s);
		trial_meets(&trial, "occupancy", TRIAL_OCCUPANCY, exact->occupancy);
	}
}
