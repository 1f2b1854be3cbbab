/* SPDX-License-Identifier: BSD-3-Clause */
/* Ringing several agents at once: the first accept wins. */
#include "house.h"

TestSuite(ring, .init = house_open, .fini = house_close);

/* A queue that rings so many at once, for 15 s. */
static struct stw_queue
ring_queue(const char *name, const char *skill, uint32_t count)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_skill_level level = {.level = 50};
	struct stw_step_config step = {.ring_count = count};
	struct stw_queue queue = {0};

	config.name = name;
	config.steps = &step;
	config.steps_count = 1;
	if (skill) {
		level.skill = skill_of(skill);
		step.terms = &level;
		step.terms_count = 1;
	}
	cr_assert_eq(stw_queue_define(house, &config, &queue), 0);
	return queue;
}

/* So many agents, who became ready one after the other. */
static void
ready_agents(struct stw_agent *agents, uint32_t count)
{
	char name[] = "agent-0";

	for (uint32_t i = 0; i < count; i++) {
		name[6] = (char)('0' + i);
		now++;
		agents[i] = ready_agent(name, NULL);
	}
}

static void
take_offers(struct stw_event *events, const struct stw_agent *agents, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		events[i] = await(STW_EVENT_OFFER);
		cr_assert_eq(events[i].agent.id, agents[i].id);
		cr_assert_eq(state_of(agents[i]), STW_AGENT_OFFERED);
		for (uint32_t j = 0; j < i; j++)
			cr_assert_neq(events[i].offer.number, events[j].offer.number);
	}
	cr_assert_eq(await(STW_EVENT_OFFER).type, STW_EVENT_NONE);
}

Test(ring, as_many_as_asked_for_ring_at_once_in_the_order_of_idleness)
{
	struct stw_queue queue = ring_queue("q", NULL, 3);
	struct stw_agent agents[4];
	struct stw_event offers[3];
	struct stw_contact contact;

	ready_agents(agents, 4);
	contact = enqueue(queue);
	take_offers(offers, agents, 3);
	cr_assert_eq(state_of(agents[3]), STW_AGENT_READY);
	cr_assert_eq(agent_id_of(contact), agents[0].id);
}

Test(ring, eight_can_ring)
{
	struct stw_queue queue = ring_queue("q", NULL, 8);
	struct stw_agent agents[9];
	struct stw_event offers[8];
	struct stw_contact contact;

	ready_agents(agents, 9);
	contact = enqueue(queue);
	take_offers(offers, agents, 8);
	for (int i = 7; i > 0; i--)
		cr_assert_eq(stw_offer_decline(house, offers[i].offer, 0, now), 0);
	stw_acd_check(house);
	cr_assert_eq(stw_offer_accept(house, offers[0].offer, now), 0);
	stw_acd_check(house);
	cr_assert_eq(stw_offer_accept(house, offers[0].offer, now), -EALREADY);
	end(contact);
	cr_assert_eq(state_of(agents[0]), STW_AGENT_READY);
}

Test(ring, first_accept_wins_and_the_others_are_withdrawn_without_a_miss)
{
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_queue queue = ring_queue("q", NULL, 3);
	struct stw_agent agents[3];
	struct stw_event offers[3];
	struct stw_event event;
	struct stw_contact contact;

	config.misses_max = 1;
	ready_agents(agents, 3);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(stw_agent_update(house, agents[i], &config, now), 0);
	contact = enqueue(queue);
	take_offers(offers, agents, 3);
	now++;
	cr_assert_eq(stw_offer_accept(house, offers[1].offer, now), 0);
	stw_acd_check(house);
	for (int i = 0; i < 3; i += 2) {
		event = await(STW_EVENT_WITHDRAWN);
		cr_assert_eq(event.agent.id, agents[i].id);
		cr_assert_eq(event.offer.number, offers[i].offer.number);
		cr_assert_eq(state_of(agents[i]), STW_AGENT_READY);
		cr_assert_eq(stw_offer_accept(house, offers[i].offer, now), -ESTALE);
		cr_assert_eq(stw_offer_decline(house, offers[i].offer, 0, now), -ESTALE);
	}
	event = await(STW_EVENT_CONNECTED);
	cr_assert_eq(event.agent.id, agents[1].id);
	cr_assert_eq(event.offer.number, offers[1].offer.number);
	cr_assert_eq(stw_offer_accept(house, offers[1].offer, now), -EALREADY);
	cr_assert_eq(agent_id_of(contact), agents[1].id);
	cr_assert_eq(stw_contact_cancel(house, contact, now), -EBUSY);
	end(contact);
	event = await(STW_EVENT_ENDED);
	cr_assert_eq(event.agent.id, agents[1].id);
	cr_assert_eq(state_of(agents[1]), STW_AGENT_READY);
	cr_assert_eq(await(STW_EVENT_WITHDRAWN).type, STW_EVENT_NONE);
}

Test(ring, who_declines_is_out_and_the_others_ring_on)
{
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_queue queue = ring_queue("q", NULL, 3);
	struct stw_agent agents[3];
	struct stw_event offers[3];
	struct stw_event event;
	struct stw_contact contact;

	config.penalty_ns = SECOND;
	ready_agents(agents, 3);
	cr_assert_eq(stw_agent_update(house, agents[0], &config, now), 0);
	contact = enqueue(queue);
	take_offers(offers, agents, 3);
	cr_assert_eq(stw_offer_decline(house, offers[0].offer, 77, now), 0);
	stw_acd_check(house);
	event = await(STW_EVENT_DECLINED);
	cr_assert_eq(event.agent.id, agents[0].id);
	cr_assert_eq(event.reason, 77);
	cr_assert_eq(event.offer.number, offers[0].offer.number);
	cr_assert_eq(state_of(agents[0]), STW_AGENT_NOT_READY);
	cr_assert_eq(reason_of(agents[0]), STW_REASON_PENALTY);
	cr_assert_eq(stw_offer_decline(house, offers[0].offer, 77, now), -ESTALE);
	cr_assert_eq(stw_offer_accept(house, offers[0].offer, now), -ESTALE);
	cr_assert_eq(agent_id_of(contact), agents[1].id);
	/* He who is out does not come in again, though he is ready. */
	cr_assert_eq(stw_offer_decline(house, offers[1].offer, 0, now), 0);
	stw_acd_check(house);
	cr_assert_eq(state_of(agents[1]), STW_AGENT_READY);
	cr_assert_eq(stw_offer_accept(house, offers[2].offer, now), 0);
	stw_acd_check(house);
	cr_assert_eq(await(STW_EVENT_CONNECTED).agent.id, agents[2].id);
	cr_assert_eq(await(STW_EVENT_WITHDRAWN).type, STW_EVENT_NONE);
}

Test(ring, last_decline_makes_the_contact_wait_with_its_rank_for_others_first)
{
	struct stw_queue queue = ring_queue("q", NULL, 2);
	struct stw_contact_status before, after;
	struct stw_agent agents[3];
	struct stw_event offers[2];
	struct stw_contact contact;

	ready_agents(agents, 2);
	contact = enqueue(queue);
	cr_assert_eq(stw_contact_status(house, contact, &before), 0);
	take_offers(offers, agents, 2);
	cr_assert_eq(stw_offer_decline(house, offers[1].offer, 0, now), 0);
	cr_assert_eq(stw_agent_not_ready(house, agents[1], 0, now), 0);
	now++;
	agents[2] = ready_agent("last", NULL);
	cr_assert_eq(state_of(agents[2]), STW_AGENT_READY, "nobody joins later");
	cr_assert_eq(stw_offer_decline(house, offers[0].offer, 0, now), 0);
	stw_acd_check(house);
	cr_assert_eq(stw_contact_status(house, contact, &after), 0);
	cr_assert_eq(after.rank_ns, before.rank_ns);
	cr_assert_eq(after.agent.id, agents[2].id);
	cr_assert_eq(state_of(agents[0]), STW_AGENT_READY, "who missed it is not rung beside");
	/* Until nobody else is left. */
	cr_assert_eq(stw_offer_decline(house, await(STW_EVENT_OFFER).offer, 0, now), 0);
	stw_acd_check(house);
	cr_assert_eq(agent_id_of(contact), agents[0].id);
	cr_assert_eq(state_of(agents[2]), STW_AGENT_READY);
}

Test(ring, time_out_is_a_miss_for_all_who_ring_at_one_time)
{
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_queue queue = ring_queue("q", NULL, 3);
	struct stw_agent agents[3];
	struct stw_event offers[3];
	struct stw_acd_stats stats;
	struct stw_contact contact;

	config.misses_max = 1;
	ready_agents(agents, 3);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(stw_agent_update(house, agents[i], &config, now), 0);
	contact = enqueue(queue);
	take_offers(offers, agents, 3);
	advance(10 * SECOND);
	cr_assert_eq(stw_offer_decline(house, offers[0].offer, 0, now), 0);
	stw_acd_check(house);
	/* A decline does not lengthen the ringing of the others. */
	cr_assert_eq(advance(5 * SECOND), 1);
	cr_assert_eq(await(STW_EVENT_DECLINED).agent.id, agents[0].id);
	cr_assert_eq(await(STW_EVENT_TIMED_OUT).agent.id, agents[1].id);
	cr_assert_eq(await(STW_EVENT_TIMED_OUT).agent.id, agents[2].id);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(reason_of(agents[i]), STW_REASON_MISSES);
	cr_assert_eq(agent_id_of(contact), 0);
	stw_acd_stats(house, &stats);
	cr_assert_eq(stats.queues.offers, 3);
	cr_assert_eq(stats.queues.offers_declined, 1);
	cr_assert_eq(stats.queues.offers_timed_out, 2);
	cr_assert_eq(stats.queues.waiting, 1);
	cr_assert_eq(advance(20 * SECOND), 0);
}

Test(ring, cancel_withdraws_all)
{
	struct stw_queue queue = ring_queue("q", NULL, 3);
	struct stw_agent agents[3];
	struct stw_event offers[3];
	struct stw_acd_stats stats;
	struct stw_contact contact;

	ready_agents(agents, 3);
	contact = enqueue(queue);
	take_offers(offers, agents, 3);
	stw_acd_stats(house, &stats);
	cr_assert_eq(stats.queues.ringing, 1);
	cr_assert_eq(stats.queues.waiting, 0);
	cr_assert_eq(stw_contact_cancel(house, contact, now), 0);
	stw_acd_check(house);
	for (int i = 0; i < 3; i++) {
		struct stw_event event = next_event();

		cr_assert_eq(event.type, STW_EVENT_WITHDRAWN);
		cr_assert_eq(event.agent.id, agents[i].id);
		cr_assert_eq(event.offer.number, offers[i].offer.number);
	}
	cr_assert_eq(next_event().type, STW_EVENT_ABANDONED);
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(state_of(agents[i]), STW_AGENT_READY);
		cr_assert_eq(stw_offer_accept(house, offers[i].offer, now), -ESTALE);
	}
	stw_acd_stats(house, &stats);
	cr_assert_eq(stats.queues.offers_withdrawn, 3);
	cr_assert_eq(stats.queues.abandoned, 1);
	cr_assert_eq(stats.contacts, 0);
}

Test(ring, one_alone_rings_when_nobody_else_is_ready)
{
	struct stw_queue queue = ring_queue("q", NULL, 4);
	struct stw_contact contact = enqueue(queue);
	struct stw_agent agents[2];
	struct stw_event offers[1];

	ready_agents(agents, 2);
	take_offers(offers, agents, 1);
	cr_assert_eq(state_of(agents[1]), STW_AGENT_READY);
	cr_assert_eq(stw_offer_accept(house, offers[0].offer, now), 0);
	end(contact);
}

Test(ring, agent_for_whom_another_contact_waits_is_not_rung_beside)
{
	struct stw_queue ring = ring_queue("ring", NULL, 3);
	struct stw_queue own = queue_of("own", "quiet");
	struct stw_contact first, second, third;
	struct stw_agent ann, bob, cat;

	ann = ready_agent("ann", NULL);
	bob = ready_agent("bob", "quiet");
	cat = ready_agent("cat", NULL);
	first = enqueue(ring);
	now++;
	second = enqueue(ring);
	now++;
	third = enqueue(own);
	cr_assert_eq(agent_id_of(second), 0);
	cr_assert_eq(agent_id_of(third), 0);
	/* All three become ready at once; the ring of the second is filled while the third waits. */
	cr_assert_eq(stw_contact_cancel(house, first, now), 0);
	stw_acd_check(house);
	cr_assert_eq(agent_id_of(second), ann.id);
	cr_assert_eq(agent_id_of(third), bob.id);
	cr_assert_eq(state_of(cat), STW_AGENT_OFFERED);
}

Test(ring, requests_of_the_rung_are_done_when_the_ring_is_over)
{
	struct stw_queue queue = ring_queue("q", NULL, 3);
	struct stw_agent agents[3];
	struct stw_event offers[3];
	struct stw_contact contact;

	ready_agents(agents, 3);
	contact = enqueue(queue);
	take_offers(offers, agents, 3);
	cr_assert_eq(stw_agent_logout(house, agents[0], now), 0);
	cr_assert_eq(stw_agent_not_ready(house, agents[1], 9, now), 0);
	stw_acd_check(house);
	cr_assert_eq(stw_offer_accept(house, offers[2].offer, now), 0);
	stw_acd_check(house);
	cr_assert_eq(state_of(agents[0]), STW_AGENT_LOGGED_OUT);
	cr_assert_eq(state_of(agents[1]), STW_AGENT_NOT_READY);
	cr_assert_eq(reason_of(agents[1]), 9);
	end(contact);
}

Test(ring, contact_that_rings_cannot_be_reprioritised_or_ended)
{
	struct stw_queue queue = ring_queue("q", NULL, 2);
	struct stw_contact_status status;
	struct stw_agent agents[2];
	struct stw_contact contact;

	ready_agents(agents, 2);
	contact = enqueue(queue);
	cr_assert_eq(stw_contact_reprioritise(house, contact, 1, 1, now), -EBUSY);
	cr_assert_eq(stw_contact_end(house, contact, now), -EBUSY);
	cr_assert_eq(stw_contact_status(house, contact, &status), 0);
	cr_assert_eq(status.state, STW_CONTACT_OFFERED);
	stw_acd_check(house);
}

Test(ring, number_that_never_was_is_stale)
{
	struct stw_queue queue = ring_queue("q", NULL, 2);
	struct stw_agent agents[3];
	struct stw_event offers[2];

	ready_agents(agents, 3);
	enqueue(queue);
	take_offers(offers, agents, 2);
	for (uint64_t bit = 0; bit < 64; bit++) {
		struct stw_offer offer = offers[0].offer;

		offer.number ^= UINT64_C(1) << bit;
		if (offer.number == offers[1].offer.number)
			continue;
		cr_assert_eq(stw_offer_accept(house, offer, now), -ESTALE, "bit %lu", bit);
		cr_assert_eq(stw_offer_decline(house, offer, 0, now), -ESTALE, "bit %lu", bit);
	}
	stw_acd_check(house);
}

Test(ring, queue_can_stop_and_begin_to_ring_at_several)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_step_config step = {.ring_count = 2};
	struct stw_queue queue = ring_queue("q", NULL, 2);
	struct stw_agent agents[4];
	struct stw_event offers[4];

	ready_agents(agents, 4);
	enqueue(queue);
	take_offers(offers, agents, 2);
	config.steps = &step;
	config.steps_count = 1;
	step.ring_count = 0;
	cr_assert_eq(stw_queue_update(house, queue, &config, now), 0);
	stw_acd_check(house);
	enqueue(queue);
	take_offers(offers + 2, agents + 2, 1);
	cr_assert_eq(state_of(agents[3]), STW_AGENT_READY);
	cr_assert_eq(stw_offer_accept(house, offers[1].offer, now), 0);
	cr_assert_eq(stw_offer_accept(house, offers[2].offer, now), 0);
	stw_acd_check(house);
}

Test(ring, size_of_a_ring_is_limited_by_the_engine)
{
	struct stw_acd_config limits = STW_ACD_CONFIG_INIT;
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_step_config step = {.ring_count = STW_STEP_RING_MAX + 1};
	struct stw_queue queue;
	size_t with = 0, without = 0;

	config.name = "q";
	config.steps = &step;
	config.steps_count = 1;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	house_close();
	limits.ring_max = STW_STEP_RING_MAX + 1;
	cr_assert_eq(stw_acd_create(&house, &limits), -EINVAL);
	limits.ring_max = 8;
	cr_assert_eq(stw_acd_memory_needed(&limits, &with), 0);
	limits.ring_max = 1;
	cr_assert_eq(stw_acd_memory_needed(&limits, &without), 0);
	cr_assert_lt(without, with);
	house_open_with(&limits);
	step.ring_count = 2;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	step.ring_count = 1;
	cr_assert_eq(stw_queue_define(house, &config, &queue), 0);
}

Test(ring, slot_of_a_contact_rings_life_after_life)
{
	struct stw_queue queue = ring_queue("q", NULL, 4);
	struct stw_agent agents[6];

	ready_agents(agents, 6);
	for (int life = 0; life < 300; life++) {
		struct stw_contact contact = enqueue(queue);
		struct stw_event offers[4];

		now++;
		for (int i = 0; i < 4; i++)
			offers[i] = await(STW_EVENT_OFFER);
		if (life % 3 == 0) {
			cr_assert_eq(stw_contact_cancel(house, contact, now), 0);
			stw_acd_check(house);
			continue;
		}
		if (life % 3 == 1)
			cr_assert_eq(stw_offer_decline(house, offers[life / 3 % 4].offer, 0, now),
				     0);
		cr_assert_eq(stw_offer_accept(house, offers[(life + 2) / 3 % 4].offer, now),
			     life % 3 == 1 && (life + 2) / 3 % 4 == life / 3 % 4 ? -ESTALE : 0);
		stw_acd_check(house);
		if (stw_contact_end(house, contact, now))
			cr_assert_eq(stw_contact_cancel(house, contact, now), 0);
		stw_acd_check(house);
	}
}

/* Offers made when the second step of a queue opens, whose first nobody meets. */
static uint32_t
offers_after_widening(uint32_t first, uint32_t second)
{
	struct stw_skill_level rare = {skill_of("rare"), 50};
	struct stw_step_config steps[2] = {{&rare, 1, .ring_count = first},
					   {.ring_count = second, .after_ns = SECOND}};
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_agent agents[4];
	struct stw_queue queue;
	uint32_t offers = 0;

	config.name = "q";
	config.steps = steps;
	config.steps_count = 2;
	cr_assert_eq(stw_queue_define(house, &config, &queue), 0);
	ready_agents(agents, 4);
	enqueue(queue);
	cr_assert_eq(await(STW_EVENT_OFFER).type, STW_EVENT_NONE);
	advance(SECOND);
	while (await(STW_EVENT_OFFER).type == STW_EVENT_OFFER)
		offers++;
	return offers;
}

Test(ring, last_open_step_says_how_many)
{
	cr_assert_eq(offers_after_widening(1, 3), 3);
}

Test(ring, step_that_was_left_does_not_say_how_many)
{
	cr_assert_eq(offers_after_widening(3, 0), 1);
}

Test(ring, others_are_chosen_by_the_policy_of_the_step)
{
	struct stw_step_config step = {.ring_count = 2, .select = STW_SELECT_TOP_DOWN};
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	static const char *const names[] = {"ann", "bob", "cat"};
	struct stw_agent agents[3];
	struct stw_queue queue;

	config.name = "q";
	config.steps = &step;
	config.steps_count = 1;
	cr_assert_eq(stw_queue_define(house, &config, &queue), 0);
	for (uint32_t i = 0; i < 3; i++) {
		struct stw_agent_config agent = STW_AGENT_CONFIG_INIT;

		agent.position = 3 - i;
		now++;
		agents[i] = agent_with(agent, names[i], NULL);
		make_ready(agents[i]);
	}
	enqueue(queue);
	cr_assert_eq(await(STW_EVENT_OFFER).agent.id, agents[2].id);
	cr_assert_eq(await(STW_EVENT_OFFER).agent.id, agents[1].id);
	cr_assert_eq(state_of(agents[0]), STW_AGENT_READY);
}
