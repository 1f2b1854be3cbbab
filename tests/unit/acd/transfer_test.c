/* SPDX-License-Identifier: BSD-3-Clause */
/* From queue to queue: overflow after the longest wait, moves, transfers. */
#include "house.h"

TestSuite(transfer, .init = house_open, .fini = house_close);

static struct stw_queue
queue_waiting(const char *name, uint64_t wait_max_ns, struct stw_queue overflow)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;

	config.wait_max_ns = wait_max_ns;
	config.overflow = overflow;
	return queue_with(config, name, NULL);
}

static const struct stw_agent nobody = {0};

Test(transfer, contact_leaves_after_the_longest_wait)
{
	struct stw_queue queue = queue_waiting("sales", SECOND, (struct stw_queue){0});
	struct stw_contact contact = enqueue(queue);
	struct stw_contact_status status;
	struct stw_event event;

	cr_assert_eq(advance(SECOND - 1), 0);
	cr_assert_eq(advance(1), 1);
	event = await(STW_EVENT_EXPIRED);
	cr_assert_eq(event.contact.id, contact.id);
	cr_assert_eq(event.cause, STW_CAUSE_WAIT_MAX);
	cr_assert_eq(event.wait_ns, SECOND);
	cr_assert_eq(event.agent.id, 0);
	cr_assert_eq(stw_contact_status(house, contact, &status), -ESTALE);
	cr_assert_eq(stats_of(queue).timed_out, 1);
	cr_assert_eq(stats_of(queue).abandoned, 0);
	cr_assert_eq(stats_of(queue).waiting, 0);
}

Test(transfer, longest_wait_goes_on_after_a_decline)
{
	struct stw_queue queue = queue_waiting("sales", SECOND, (struct stw_queue){0});
	struct stw_agent ann = ready_agent("ann", NULL);
	struct stw_contact contact = enqueue(queue);
	struct stw_contact_status status;

	now += SECOND / 2;
	cr_assert_eq(stw_agent_not_ready(house, ann, 1, now), 0);
	cr_assert_eq(stw_offer_decline(house, await(STW_EVENT_OFFER).offer, 0, now), 0);
	cr_assert_eq(advance(SECOND / 2 - 1), 0);
	cr_assert_eq(advance(1), 1);
	cr_assert_eq(stw_contact_status(house, contact, &status), -ESTALE);
}

Test(transfer, offer_that_rings_at_the_longest_wait_may_still_be_answered)
{
	struct stw_queue queue = queue_waiting("sales", SECOND, (struct stw_queue){0});
	struct stw_agent ann = ready_agent("ann", NULL);
	struct stw_contact contact = enqueue(queue);

	cr_assert_eq(advance(2 * SECOND), 0);
	accept_next();
	cr_assert_eq(agent_id_of(contact), ann.id);
}

Test(transfer, contact_overflows_and_keeps_its_place)
{
	struct stw_queue back = queue_of("back", NULL);
	struct stw_queue front = queue_waiting("front", SECOND, back);
	struct stw_contact early = enqueue(front), late;
	uint64_t came_ns = now;
	struct stw_agent ann;
	struct stw_event event;

	now += SECOND / 2;
	late = enqueue(back);
	cr_assert_eq(advance(SECOND / 2), 1);
	event = await(STW_EVENT_MOVED);
	cr_assert_eq(event.contact.id, early.id);
	cr_assert_eq(event.queue.id, front.id);
	cr_assert_eq(event.queue_to.id, back.id);
	cr_assert_eq(status_of(early).queue.id, back.id);
	cr_assert_eq(status_of(early).enqueue_ns, came_ns);
	cr_assert_eq(status_of(early).entered_ns, now);
	cr_assert_eq(stats_of(front).overflowed, 1);
	cr_assert_eq(stats_of(front).waiting, 0);
	cr_assert_eq(stats_of(back).offered, 2);
	ann = ready_agent("ann", NULL);
	cr_assert_eq(agent_id_of(early), ann.id);
	cr_assert_eq(agent_id_of(late), 0);
}

Test(transfer, overflow_into_a_full_or_removed_queue_ends_the_wait)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_queue full, gone = queue_of("gone", NULL), front, other;

	config.length_max = 1;
	full = queue_with(config, "full", NULL);
	enqueue(full);
	front = queue_waiting("front", SECOND, full);
	other = queue_waiting("other", SECOND, gone);
	cr_assert_eq(stw_queue_remove(house, gone), 0);
	enqueue(front);
	enqueue(other);
	cr_assert_eq(advance(SECOND), 2);
	cr_assert_eq(stats_of(front).timed_out, 1);
	cr_assert_eq(stats_of(other).timed_out, 1);
	cr_assert_eq(stats_of(full).offered, 1);
}

Test(transfer, longer_wait_by_an_update_is_seen_when_the_shorter_is_over)
{
	struct stw_queue queue = queue_waiting("sales", SECOND, (struct stw_queue){0});
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_contact contact = enqueue(queue);

	config.wait_max_ns = 3 * SECOND;
	cr_assert_eq(stw_queue_update(house, queue, &config, now), 0);
	cr_assert_eq(advance(2 * SECOND), 0);
	cr_assert_eq(status_of(contact).state, STW_CONTACT_WAITING);
	cr_assert_eq(advance(SECOND), 1);
	cr_assert_eq(stats_of(queue).timed_out, 1);
}

Test(transfer, moved_contact_is_ranked_by_the_other_queue)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_queue sales = queue_of("sales", NULL), fast;
	struct stw_contact contact = enqueue(sales);
	uint64_t came_ns = now;

	config.target_ns[0][0] = -(int64_t)SECOND;
	fast = queue_with(config, "fast", NULL);
	now += SECOND;
	cr_assert_eq(stw_contact_move(house, contact, fast, now), 0);
	stw_acd_check(house);
	cr_assert_eq(status_of(contact).rank_ns, (int64_t)(came_ns - SECOND));
	cr_assert_eq(status_of(contact).queue.id, fast.id);
	cr_assert_eq(stw_queue_remove(house, sales), 0);
	cr_assert_eq(stw_queue_remove(house, fast), -EBUSY);
}

Test(transfer, moved_contact_is_offered_before_the_return)
{
	struct stw_contact contact = enqueue(queue_of("french", "french"));
	struct stw_queue german = queue_of("german", "german");
	struct stw_agent ann = ready_agent("ann", "german");

	cr_assert_eq(stw_contact_move(house, contact, german, now), 0);
	cr_assert_eq(agent_id_of(contact), ann.id);
}

Test(transfer, move_says_why_it_cannot_be)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_queue sales = queue_of("sales", NULL), full, gone = queue_of("gone", NULL);
	struct stw_contact contact = enqueue(sales);

	config.length_max = 1;
	full = queue_with(config, "full", NULL);
	enqueue(full);
	cr_assert_eq(stw_queue_remove(house, gone), 0);
	cr_assert_eq(stw_contact_move(house, contact, full, now), -ENOSPC);
	cr_assert_eq(stw_contact_move(house, contact, gone, now), -ENOENT);
	cr_assert_eq(stw_contact_move(house, contact, (struct stw_queue){0}, now), -ENOENT);
	cr_assert_eq(stw_contact_move(house, contact, sales, 0), -EINVAL);
	stw_acd_check(house);
	cr_assert_eq(stats_of(sales).waiting, 1);
	ready_agent("ann", NULL);
	cr_assert_eq(stw_contact_move(house, contact, sales, now), -EBUSY);
	cr_assert_eq(stw_contact_cancel(house, contact, now), 0);
	cr_assert_eq(stw_contact_move(house, contact, sales, now), -ESTALE);
}

Test(transfer, contact_keeps_its_enqueue_time_and_its_agent_wraps_up)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_queue sales, service = queue_of("service", "service");
	struct stw_contact contact, late;
	uint64_t came_ns = now;
	struct stw_agent ann, bob;
	struct stw_event event;

	config.wrap_up_ns = SECOND;
	sales = queue_with(config, "sales", NULL);
	ann = ready_agent("ann", NULL);
	contact = enqueue(sales);
	accept_next();
	now += SECOND;
	late = enqueue(service);
	now += SECOND;
	cr_assert_eq(stw_contact_transfer(house, contact, service, nobody, 0, now), 0);
	stw_acd_check(house);
	event = await(STW_EVENT_TRANSFERRED);
	cr_assert_eq(event.contact.id, contact.id);
	cr_assert_eq(event.agent.id, ann.id);
	cr_assert_eq(event.queue.id, sales.id);
	cr_assert_eq(event.queue_to.id, service.id);
	cr_assert_eq(state_of(ann), STW_AGENT_WRAP_UP);
	cr_assert_eq(status_of(contact).enqueue_ns, came_ns);
	cr_assert_eq(stats_of(sales).transfers, 1);
	cr_assert_eq(stats_of(sales).ended, 1);
	cr_assert_eq(stats_of(sales).talk_ns, 2 * SECOND);
	cr_assert_eq(stats_of(service).offered, 2);
	bob = ready_agent("bob", "service");
	cr_assert_eq(agent_id_of(contact), bob.id);
	cr_assert_eq(agent_id_of(late), 0);
	accept_next();
	cr_assert_eq(stats_of(service).wait_ns_answered, 0);
	end(contact);
}

Test(transfer, contact_is_handed_to_an_agent_in_person)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent ann = ready_agent("ann", NULL), bob = ready_agent("bob", NULL);
	struct stw_contact first = enqueue(queue), second = enqueue(queue);

	accept_next();
	accept_next();
	cr_assert_eq(stw_contact_transfer(house, first, (struct stw_queue){0}, bob, SECOND, now),
		     0);
	stw_acd_check(house);
	cr_assert_eq(status_of(first).preferred.id, bob.id);
	cr_assert_eq(state_of(ann), STW_AGENT_READY);
	end(second);
	cr_assert_eq(agent_id_of(first), bob.id);
}

Test(transfer, agent_who_transfers_may_get_it_again_when_nobody_else_can)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent ann = ready_agent("ann", NULL);
	struct stw_contact contact = enqueue(queue);
	struct stw_offer offer = accept_next();

	cr_assert_eq(stw_contact_transfer(house, contact, queue, nobody, 0, now), 0);
	stw_acd_check(house);
	cr_assert_eq(agent_id_of(contact), ann.id);
	cr_assert_eq(stw_offer_accept(house, offer, now), -ESTALE);
	accept_next();
	end(contact);
}

Test(transfer, says_why_it_cannot_be)
{
	struct stw_queue queue = queue_of("sales", NULL), gone = queue_of("gone", NULL);
	struct stw_contact contact = enqueue(queue);

	cr_assert_eq(stw_queue_remove(house, gone), 0);
	cr_assert_eq(stw_contact_transfer(house, contact, queue, nobody, 0, now), -EBUSY);
	ready_agent("ann", NULL);
	accept_next();
	cr_assert_eq(stw_contact_transfer(house, contact, gone, nobody, 0, now), -ENOENT);
	cr_assert_eq(stw_contact_transfer(house, contact, queue, nobody, UINT64_MAX - 1, now),
		     -EINVAL);
	stw_acd_check(house);
	end(contact);
	cr_assert_eq(stw_contact_transfer(house, contact, queue, nobody, 0, now), -ESTALE);
}

/* Of an agent with several slots the contact is parked in a seat, whose wrap-up it begins. */
Test(transfer, agent_wraps_up_in_the_slot_that_he_transferred_from)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_agent_config several = STW_AGENT_CONFIG_INIT;
	struct stw_queue chat, service;
	struct stw_contact first, second;
	struct stw_agent_status status;
	struct stw_agent ann;

	config.channel = STW_CHANNEL_CHAT;
	config.wrap_up_ns = SECOND;
	chat = queue_with(config, "chat", NULL);
	service = queue_with(config, "service", "service");
	several.slots[STW_CHANNEL_CHAT] = 2;
	ann = agent_with(several, "ann", NULL);
	make_ready(ann);
	first = enqueue(chat);
	accept_next();
	second = enqueue(chat);
	accept_next();
	cr_assert_eq(stw_contact_transfer(house, first, service, nobody, 0, now), 0);
	stw_acd_check(house);
	cr_assert_eq(stw_agent_status(house, ann, &status), 0);
	cr_assert_eq(status.connected, 1);
	cr_assert_eq(status.wrapping, 1);
	cr_assert_eq(status.open, 0, "the slot is not free yet");
	cr_assert_eq(await(STW_EVENT_TRANSFERRED).agent.id, ann.id);
	now += SECOND;
	cr_assert_eq(stw_acd_advance(house, now, 100, NULL), 1);
	stw_acd_check(house);
	cr_assert_eq(stw_agent_status(house, ann, &status), 0);
	cr_assert_eq(status.wrapping, 0);
	cr_assert_eq(status.open, 1u << STW_CHANNEL_CHAT);
	end(second);
}

Test(transfer, counts_for_the_agent)
{
	struct stw_queue queue = queue_of("sales", NULL), service = queue_of("service", "service");
	struct stw_agent ann = ready_agent("ann", NULL);
	struct stw_contact contact = enqueue(queue);
	struct stw_agent_numbers numbers;

	accept_next();
	cr_assert_eq(stw_contact_transfer(house, contact, service, nobody, 0, now), 0);
	contact = enqueue(queue);
	accept_next();
	cr_assert_eq(stw_contact_end_with(house, contact, 1, now), 0);
	cr_assert_eq(stw_agent_interval(house, ann, STW_INTERVAL_LIVE, now, &numbers), 0);
	cr_assert_eq(numbers.answered, 2);
	cr_assert_eq(numbers.ended, 2);
	cr_assert_eq(numbers.transfers, 1);
	cr_assert_eq(numbers.resolution_reported, 1);
	cr_assert_eq(numbers.resolved, 1);
}

Test(transfer, position_is_told_as_the_other_queue_says)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_queue silent = queue_of("silent", "other"), telling;
	struct stw_contact contact = enqueue(silent);
	struct stw_event event;

	config.announce_ns = SECOND;
	telling = queue_with(config, "telling", "other");
	cr_assert_eq(stw_contact_move(house, contact, telling, now), 0);
	now += SECOND;
	stw_acd_advance(house, now, 100, NULL);
	event = await(STW_EVENT_POSITION);
	cr_assert_eq(event.contact.id, contact.id);
	cr_assert_eq(event.queue.id, telling.id);
	cr_assert_eq(event.position, 1);
	cr_assert_eq(stw_contact_move(house, contact, silent, now), 0);
	now += SECOND;
	stw_acd_advance(house, now, 100, NULL);
	cr_assert_eq(await(STW_EVENT_POSITION).type, STW_EVENT_NONE);
	stw_acd_check(house);
}

static struct stw_queue
queue_ringing(struct stw_queue_config config, const char *name)
{
	struct stw_step_config step = {.ring_count = 2};
	struct stw_queue queue = {0};

	config.name = name;
	config.steps = &step;
	config.steps_count = 1;
	cr_assert_eq(stw_queue_define(house, &config, &queue), 0);
	return queue;
}

Test(transfer, who_won_a_ring_hands_over_and_is_free)
{
	struct stw_queue queue =
		queue_ringing((struct stw_queue_config)STW_QUEUE_CONFIG_INIT, "sales");
	struct stw_queue service = queue_of("service", "service");
	struct stw_agent ann = ready_agent("ann", NULL), bob = ready_agent("bob", NULL);
	struct stw_contact contact = enqueue(queue);
	struct stw_event offers[2] = {await(STW_EVENT_OFFER), await(STW_EVENT_OFFER)};

	cr_assert_eq(offers[0].agent.id, ann.id);
	cr_assert_eq(stw_offer_accept(house, offers[1].offer, now), 0);
	cr_assert_eq(stw_contact_transfer(house, contact, service, nobody, 0, now), 0);
	stw_acd_check(house);
	cr_assert_eq(await(STW_EVENT_TRANSFERRED).agent.id, bob.id);
	cr_assert_eq(state_of(bob), STW_AGENT_READY);
	cr_assert_eq(stats_of(queue).ended, 1);
	cr_assert_eq(stats_of(service).waiting, 1);
}

Test(transfer, who_is_wanted_in_person_is_rung_alone)
{
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_queue queue =
		queue_ringing((struct stw_queue_config)STW_QUEUE_CONFIG_INIT, "sales");
	struct stw_agent bob;

	ready_agent("ann", NULL);
	bob = ready_agent("bob", NULL);
	request.preferred = bob;
	request.preferred_wait_ns = SECOND;
	enqueue_with(request, queue);
	cr_assert_eq(await(STW_EVENT_OFFER).agent.id, bob.id);
	cr_assert_eq(await(STW_EVENT_OFFER).type, STW_EVENT_NONE);
	stw_acd_check(house);
}

Test(transfer, ring_whose_host_is_silent_is_withdrawn)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_agent ann, bob;
	struct stw_queue queue;
	struct stw_event event;
	struct stw_contact contact;

	config.lease_ns = SECOND;
	queue = queue_ringing(config, "sales");
	ann = ready_agent("ann", NULL);
	bob = ready_agent("bob", NULL);
	contact = enqueue(queue);
	now += SECOND - 1;
	cr_assert_eq(stw_acd_advance(house, now, 100, NULL), 0);
	now++;
	cr_assert_eq(stw_acd_advance(house, now, 100, NULL), 1);
	stw_acd_check(house);
	cr_assert_eq(await(STW_EVENT_WITHDRAWN).agent.id, ann.id);
	cr_assert_eq(await(STW_EVENT_WITHDRAWN).agent.id, bob.id);
	event = await(STW_EVENT_EXPIRED);
	cr_assert_eq(event.contact.id, contact.id);
	cr_assert_eq(event.cause, STW_CAUSE_LEASE);
	cr_assert_eq(stats_of(queue).timed_out, 1);
	cr_assert_eq(stats_of(queue).abandoned, 0);
	cr_assert_eq(stats_of(queue).reaped, 1);
	cr_assert_eq(stats_of(queue).offers_withdrawn, 2);
	cr_assert_eq(stw_contact_cancel(house, contact, now), -ESTALE);
}
