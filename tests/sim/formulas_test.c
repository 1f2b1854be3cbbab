/* SPDX-License-Identifier: BSD-3-Clause */
/* The planner's formulas, the birth-death chain and the table of exact figures must all agree. */
#include <criterion/criterion.h>

#include <math.h>

#include "chain.h"
#include "erlang.h"
#include "exact.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct chain chain;

/* As close as the table's digits: half a unit of the last one, which is absolute. */
static void
agree(const char *what, double is, double exact, double within)
{
	cr_expect(fabs(is - exact) <= within, "%s is %.9g and not %.9g", what, is, exact);
}

Test(formulas, erlang_b_is_the_chain_without_waiting_room)
{
	for (unsigned i = 0; i < COUNT(exact_losses); i++) {
		const struct exact_loss *exact = &exact_losses[i];

		chain_solve(&chain, exact->agents, exact->load, 180, 0, exact->agents);
		agree("blocking", erlang_b(exact->agents, exact->load), exact->blocking, 1e-9);
		agree("blocking of the chain", chain_full(&chain), exact->blocking, 1e-9);
	}
}

Test(formulas, erlang_c_is_the_chain_with_endless_room)
{
	for (unsigned i = 0; i < COUNT(exact_delays); i++) {
		const struct exact_delay *exact = &exact_delays[i];
		struct erlang_group group = {exact->agents, exact->load, exact->handling_s, 0};
		struct erlang_answer answer;

		erlang_answer(&group, &answer);
		agree("chance to wait", answer.wait, exact->wait, 1e-7);
		agree("mean wait", answer.mean_wait_s, exact->mean_wait_s, 1e-4);
		agree("mean length", answer.mean_length, exact->mean_length, 1e-4);
		agree("in 20 s", erlang_service_level(&group, 20), exact->in_20_s, 1e-6);
		chain_solve(&chain, exact->agents, exact->load, exact->handling_s, 0, 0);
		agree("chance to wait of the chain", chain_all_busy(&chain), exact->wait, 1e-7);
		agree("length of the chain", chain_mean_length(&chain), exact->mean_length, 1e-4);
	}
}

Test(formulas, erlang_a_is_the_chain_whose_callers_give_up)
{
	for (unsigned i = 0; i < COUNT(exact_patiences); i++) {
		const struct exact_patience *exact = &exact_patiences[i];
		struct erlang_group group = {exact->agents, exact->load, exact->handling_s,
					     exact->patience_s};
		struct erlang_answer answer;
		double abandon;

		erlang_answer(&group, &answer);
		agree("chance to wait", answer.wait, exact->wait, 2e-6);
		agree("abandoned", answer.abandon, exact->abandon, 2e-6);
		agree("mean wait", answer.mean_wait_s, exact->mean_wait_s, 1e-4);
		agree("mean length", answer.mean_length, exact->mean_length, 1e-4);
		agree("occupancy", answer.occupancy, exact->occupancy, 2e-6);
		agree("in 20 s", erlang_service_level(&group, 20), exact->in_20_s, 2e-5);
		chain_solve(&chain, exact->agents, exact->load, exact->handling_s,
			    exact->patience_s, 0);
		abandon = chain_mean_length(&chain) * chain.gives_up / chain.arrivals;
		agree("chance to wait of the chain", chain_all_busy(&chain), exact->wait, 2e-6);
		agree("abandoned of the chain", abandon, exact->abandon, 2e-6);
		agree("occupancy of the chain", chain_mean_busy(&chain) / exact->agents,
		      exact->occupancy, 2e-6);
	}
}

Test(formulas, cobham_waits_add_up_to_erlang_c)
{
	for (unsigned i = 0; i < COUNT(exact_priorities); i++) {
		const struct exact_classes *exact = &exact_priorities[i];
		struct erlang_group group = {exact->agents, exact->utilisation * exact->agents,
					     exact->handling_s, 0};
		double waits_s[EXACT_CLASSES_MAX], mean_s = 0;
		struct erlang_answer answer;

		erlang_answer(&group, &answer);
		agree("chance to wait", answer.wait, exact->wait, 1e-7);
		erlang_priority_waits(&group, exact->shares, exact->classes, waits_s);
		for (uint32_t k = 0; k < exact->classes; k++) {
			agree("wait of a class", waits_s[k], exact->mean_wait_s[k], 1e-4);
			mean_s += exact->shares[k] * exact->mean_wait_s[k];
		}
		/* Exponential handling: the order changes who waits, not how long on average. */
		agree("mean over the classes", mean_s, answer.mean_wait_s, 1e-4);
	}
}

Test(formulas, a_room_with_few_places_is_its_chain)
{
	for (unsigned i = 0; i < COUNT(exact_rooms); i++) {
		const struct exact_places *exact = &exact_rooms[i];
		double accepted;

		chain_solve(&chain, exact->agents, exact->load, exact->handling_s, 0,
			    exact->places);
		accepted = chain.arrivals * (1 - chain_full(&chain));
		agree("blocking", chain_full(&chain), exact->blocking, 1e-7);
		agree("mean wait", chain_mean_length(&chain) / accepted, exact->mean_wait_s, 1e-4);
		agree("occupancy", chain_mean_busy(&chain) / exact->agents, exact->occupancy, 1e-6);
	}
}

Test(formulas, fewest_agents_are_found)
{
	for (unsigned i = 0; i < COUNT(exact_staffings); i++) {
		const struct exact_staffing *exact = &exact_staffings[i];
		struct erlang_group group = {0, exact->load, exact->handling_s, 0};
		struct erlang_answer answer;

		group.agents = erlang_agents(&group, 0.8, 20);
		cr_expect_eq(group.agents, exact->agents, "%u agents for %g Erlangs", group.agents,
			     exact->load);
		erlang_answer(&group, &answer);
		agree("occupancy", answer.occupancy, exact->occupancy, 1e-5);
		agree("in 20 s", erlang_service_level(&group, 20), exact->in_20_s, 1e-5);
	}
}

Test(formulas, erlang_a_stays_finite_for_a_hopeless_group)
{
	struct erlang_group group = {1000, 20000, 180, 3600};
	struct erlang_answer answer;

	/* Fluid limit: who is too many gives up. */
	erlang_answer(&group, &answer);
	agree("abandoned", answer.abandon, 0.95, 1e-4);
	agree("occupancy", answer.occupancy, 1, 1e-4);
	cr_assert(erlang_service_level(&group, 20) >= 0);
}
