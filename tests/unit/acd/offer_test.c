/* SPDX-License-Identifier: BSD-3-Clause */
#include "house.h"

TestSuite(offer, .init = house_open, .fini = house_close);

Test(offer, accepted_connects_once)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent agent = ready_agent("ann", NULL);
	struct stw_contact contact = enqueue(queue);
	struct stw_offer offer = accept_next();
	struct stw_event event = next_event();

	cr_assert_eq(event.type, STW_EVENT_CONNECTED);
	cr_assert_eq(event.contact.id, contact.id);
	cr_assert_eq(event.offer.number, offer.number);
	cr_assert_eq(state_of(agent), STW_AGENT_CONNECTED);
	cr_assert_eq(stw_offer_accept(house, offer, now), -EALREADY);
	cr_assert_eq(stw_offer_decline(house, offer, 0, now), -ESTALE);
	end(contact);
	cr_assert_eq(next_event().type, STW_EVENT_ENDED);
	cr_assert_eq(stw_offer_accept(house, offer, now), -ESTALE);
}

Test(offer, declined_goes_to_another_agent_with_rank_unchanged)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent ann = ready_agent("ann", NULL);
	struct stw_agent bob;
	struct stw_contact contact;
	struct stw_contact_status before, after;
	struct stw_event event;

	now++;
	bob = ready_agent("bob", NULL);
	contact = enqueue(queue);
	cr_assert_eq(stw_contact_status(house, contact, &before), 0);
	cr_assert_eq(before.agent.id, ann.id);
	now++;
	cr_assert_eq(stw_offer_decline(house, await(STW_EVENT_OFFER).offer, 42, now), 0);
	stw_acd_check(house);
	cr_assert_eq(stw_contact_status(house, contact, &after), 0);
	cr_assert_eq(after.agent.id, bob.id);
	cr_assert_eq(after.rank_ns, before.rank_ns);
	event = await(STW_EVENT_DECLINED);
	cr_assert_eq(event.reason, 42);
	cr_assert_eq(event.agent.id, ann.id);
	cr_assert_eq(await(STW_EVENT_OFFER).agent.id, bob.id);
	cr_assert_eq(state_of(ann), STW_AGENT_READY);
}

Test(offer, declined_comes_back_to_the_only_agent)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent ann = ready_agent("ann", NULL);
	struct stw_contact contact = enqueue(queue);
	struct stw_offer offer = await(STW_EVENT_OFFER).offer;

	cr_assert_eq(stw_offer_decline(house, offer, 0, now), 0);
	stw_acd_check(house);
	cr_assert_eq(agent_id_of(contact), ann.id);
	cr_assert_eq(stw_offer_accept(house, offer, now), -ESTALE);
	cr_assert_eq(stw_offer_decline(house, offer, 0, now), -ESTALE);
	accept_next();
}

Test(offer, decliner_pauses_for_the_penalty)
{
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_contact contact;
	struct stw_agent ann;

	config.penalty_ns = SECOND;
	ann = agent_with(config, "ann", NULL);
	make_ready(ann);
	contact = enqueue(queue);
	cr_assert_eq(stw_offer_decline(house, await(STW_EVENT_OFFER).offer, 0, now), 0);
	stw_acd_check(house);
	cr_assert_eq(state_of(ann), STW_AGENT_NOT_READY);
	cr_assert_eq(reason_of(ann), STW_REASON_PENALTY);
	cr_assert_eq(agent_id_of(contact), 0);
	cr_assert_eq(advance(SECOND - 1), 0);
	cr_assert_eq(agent_id_of(contact), 0);
	cr_assert_eq(advance(1), 1);
	cr_assert_eq(agent_id_of(contact), ann.id);
}

Test(offer, ready_ends_the_pause)
{
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_contact contact;
	struct stw_agent ann;

	config.penalty_ns = SECOND;
	ann = agent_with(config, "ann", NULL);
	make_ready(ann);
	contact = enqueue(queue_of("sales", NULL));
	cr_assert_eq(stw_offer_decline(house, await(STW_EVENT_OFFER).offer, 0, now), 0);
	cr_assert_eq(stw_agent_ready(house, ann, now), 0);
	cr_assert_eq(agent_id_of(contact), ann.id);
	cr_assert_eq(advance(2 * SECOND), 0);
}

Test(offer, unanswered_times_out)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_agent ann = ready_agent("ann", NULL);
	struct stw_agent bob;
	struct stw_contact contact;
	struct stw_event event;
	uint64_t next_ns;

	now++;
	bob = ready_agent("bob", NULL);
	config.offer_timeout_ns = 5 * SECOND;
	contact = enqueue(queue_with(config, "sales", NULL));
	event = await(STW_EVENT_OFFER);
	cr_assert_eq(event.agent.id, ann.id);
	cr_assert_eq(stw_acd_advance(house, now, 1, &next_ns), 0);
	cr_assert_eq(next_ns, now + 5 * SECOND);
	cr_assert_eq(advance(5 * SECOND), 1);
	cr_assert_eq(stw_offer_accept(house, event.offer, now), -ESTALE);
	cr_assert_eq(agent_id_of(contact), bob.id);
	cr_assert_eq(await(STW_EVENT_TIMED_OUT).offer.number, event.offer.number);
}

Test(offer, answered_never_times_out)
{
	struct stw_agent ann = ready_agent("ann", NULL);
	uint64_t next_ns;

	enqueue(queue_of("sales", NULL));
	accept_next();
	cr_assert_eq(advance(1000 * SECOND), 0);
	cr_assert_eq(state_of(ann), STW_AGENT_CONNECTED);
	cr_assert_eq(stw_acd_advance(house, now, 1, &next_ns), 0);
	cr_assert_eq(next_ns, UINT64_MAX);
}

Test(offer, without_time_out_rings_for_ever)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_agent ann = ready_agent("ann", NULL);

	config.offer_timeout_ns = 0;
	enqueue(queue_with(config, "sales", NULL));
	cr_assert_eq(advance(1000000 * SECOND), 0);
	cr_assert_eq(state_of(ann), STW_AGENT_OFFERED);
}

Test(offer, too_many_misses_in_a_row_make_not_ready)
{
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_contact contact;
	struct stw_agent ann;

	config.misses_max = 3;
	ann = agent_with(config, "ann", NULL);
	make_ready(ann);
	contact = enqueue(queue);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(stw_offer_decline(house, await(STW_EVENT_OFFER).offer, 0, now), 0);
	accept_next();
	end(contact);
	contact = enqueue(queue);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(state_of(ann), STW_AGENT_OFFERED);
		cr_assert_eq(stw_offer_decline(house, await(STW_EVENT_OFFER).offer, 0, now), 0);
		stw_acd_check(house);
	}
	cr_assert_eq(state_of(ann), STW_AGENT_NOT_READY);
	cr_assert_eq(reason_of(ann), STW_REASON_MISSES);
	cr_assert_eq(agent_id_of(contact), 0);
	/* Ready again, she may miss as many again. */
	cr_assert_eq(stw_agent_ready(house, ann, now), 0);
	cr_assert_eq(stw_offer_decline(house, await(STW_EVENT_OFFER).offer, 0, now), 0);
	cr_assert_eq(state_of(ann), STW_AGENT_OFFERED);
	cr_assert_eq(stw_agent_not_ready(house, ann, 1, now), 0);
	cr_assert_eq(stw_offer_decline(house, await(STW_EVENT_OFFER).offer, 0, now), 0);
	cr_assert_eq(state_of(ann), STW_AGENT_NOT_READY);
	cr_assert_eq(agent_id_of(contact), 0);
}

Test(offer, decliner_gets_other_work_at_once)
{
	struct stw_queue sales = queue_of("sales", "sales");
	struct stw_queue other = queue_of("other", NULL);
	struct stw_agent ann = ready_agent("ann", "sales");
	struct stw_agent bob;
	struct stw_contact contact = enqueue(sales);
	struct stw_contact waiting = enqueue(other);
	struct stw_offer offer = await(STW_EVENT_OFFER).offer;

	bob = agent_of("bob", "sales");
	cr_assert_eq(stw_agent_login(house, bob, now), 0);
	cr_assert_eq(stw_offer_decline(house, offer, 0, now), 0);
	stw_acd_check(house);
	/* Nobody else is ready, so the better rank comes back to her. */
	cr_assert_eq(agent_id_of(contact), ann.id);
	cr_assert_eq(agent_id_of(waiting), 0);
	cr_assert_eq(stw_agent_ready(house, bob, now), 0);
	cr_assert_eq(agent_id_of(waiting), bob.id);
}

Test(offer, unknown_offers_are_stale)
{
	struct stw_contact contact = enqueue(queue_of("sales", NULL));
	struct stw_offer offer = {contact, 1};

	cr_assert_eq(stw_offer_accept(house, offer, now), -ESTALE);
	cr_assert_eq(stw_offer_accept(house, (struct stw_offer){{0}, 0}, now), -ESTALE);
	cr_assert_eq(stw_offer_decline(house, offer, 0, now), -ESTALE);
}
