/* SPDX-License-Identifier: BSD-3-Clause */
#include "house.h"

TestSuite(contact, .init = house_open, .fini = house_close);

Test(contact, waits_when_nobody_is_ready)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_contact contact = enqueue(queue);
	struct stw_contact_status status;

	cr_assert_eq(stw_contact_status(house, contact, &status), 0);
	cr_assert_eq(status.state, STW_CONTACT_WAITING);
	cr_assert_eq(status.queue.id, queue.id);
	cr_assert_eq(status.agent.id, 0);
	cr_assert_eq(status.enqueue_ns, now);
	cr_assert_eq(next_event().type, STW_EVENT_NONE);
}

Test(contact, is_offered_before_enqueue_returns_when_an_agent_is_ready)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent agent = ready_agent("ann", NULL);
	struct stw_contact contact = enqueue(queue);
	struct stw_event event = await(STW_EVENT_OFFER);

	cr_assert_eq(event.type, STW_EVENT_OFFER);
	cr_assert_eq(event.agent.id, agent.id);
	cr_assert_eq(event.contact.id, contact.id);
	cr_assert_eq(event.offer.contact.id, contact.id);
	cr_assert_neq(event.offer.number, 0);
	cr_assert_eq(state_of(agent), STW_AGENT_OFFERED);
	cr_assert_eq(agent_id_of(contact), agent.id);
}

Test(contact, goes_only_to_an_agent_with_the_skill_at_the_level)
{
	struct stw_skill_level low = {.skill = skill_of("french"), .level = 49};
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_queue queue = queue_of("french", "french");
	struct stw_agent ann = ready_agent("ann", "german");
	struct stw_agent bob = {0};
	struct stw_contact contact;

	config.name = "bob";
	config.skills = &low;
	config.skills_count = 1;
	cr_assert_eq(stw_agent_define(house, &config, &bob), 0);
	make_ready(bob);
	contact = enqueue(queue);
	cr_assert_eq(agent_id_of(contact), 0);
	cr_assert_eq(state_of(ann), STW_AGENT_READY);
	cr_assert_eq(agent_id_of(contact), 0);
	cr_assert_eq(ready_agent("cid", "french").id, agent_id_of(contact));
}

Test(contact, event_carries_what_a_screen_needs)
{
	struct stw_queue_config queue_config = STW_QUEUE_CONFIG_INIT;
	struct stw_agent_config agent_config = STW_AGENT_CONFIG_INIT;
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_queue queue;
	struct stw_event event;

	queue_config.cookie = 11;
	agent_config.cookie = 22;
	request.cookie = 33;
	request.value = 4;
	request.urgency = 5;
	queue = queue_with(queue_config, "sales", NULL);
	enqueue_with(request, queue);
	now += 7;
	make_ready(agent_with(agent_config, "ann", NULL));
	event = await(STW_EVENT_OFFER);
	cr_assert_eq(event.queue_cookie, 11);
	cr_assert_eq(event.agent_cookie, 22);
	cr_assert_eq(event.contact_cookie, 33);
	cr_assert_eq(event.value, 4);
	cr_assert_eq(event.urgency, 5);
	cr_assert_eq(event.wait_ns, 7);
	cr_assert_eq(event.time_ns, now);
	cr_assert_eq(event.queue.id, queue.id);
}

Test(contact, bad_request_is_refused_and_changes_nothing)
{
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_contact contact = {77};

	request.queue = queue_of("sales", NULL);
	request.value = 16;
	cr_assert_eq(stw_contact_enqueue(house, &request, now, &contact), -EINVAL);
	request.value = 0;
	request.urgency = 16;
	cr_assert_eq(stw_contact_enqueue(house, &request, now, &contact), -EINVAL);
	request.urgency = 0;
	request.red_channel = 2;
	cr_assert_eq(stw_contact_enqueue(house, &request, now, &contact), -EINVAL);
	request.red_channel = 0;
	request.credit_ns = (UINT64_C(1) << 61) + 1;
	cr_assert_eq(stw_contact_enqueue(house, &request, now, &contact), -EINVAL);
	request.credit_ns = 0;
	cr_assert_eq(stw_contact_enqueue(house, &request, 0, &contact), -EINVAL);
	cr_assert_eq(stw_contact_enqueue(house, &request, (UINT64_C(1) << 62) + 1, &contact),
		     -EINVAL);
	request.struct_size--;
	cr_assert_eq(stw_contact_enqueue(house, &request, now, &contact), -EINVAL);
	cr_assert_eq(contact.id, 77);
	stw_acd_check(house);
}

Test(contact, unknown_queue_is_stale)
{
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_contact contact;

	cr_assert_eq(stw_contact_enqueue(house, &request, now, &contact), -ESTALE);
	request.queue.id = (UINT64_C(1) << 32) | 39;
	cr_assert_eq(stw_contact_enqueue(house, &request, now, &contact), -ESTALE);
	request.queue.id = UINT64_MAX;
	cr_assert_eq(stw_contact_enqueue(house, &request, now, &contact), -ESTALE);
}

Test(contact, one_too_many_is_refused_and_counted)
{
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_queue_stats stats;
	struct stw_contact contact;

	request.queue = queue_of("sales", NULL);
	for (int i = 0; i < 100; i++)
		cr_assert_eq(stw_contact_enqueue(house, &request, now, &contact), 0);
	cr_assert_eq(stw_contact_enqueue(house, &request, now, &contact), -ENOSPC);
	stw_acd_check(house);
	cr_assert_eq(stw_queue_stats(house, request.queue, &stats), 0);
	cr_assert_eq(stats.offered, 101);
	cr_assert_eq(stats.refused, 1);
	cr_assert_eq(stats.waiting, 100);
	cr_assert_eq(stw_contact_cancel(house, contact, now), 0);
	cr_assert_eq(stw_contact_enqueue(house, &request, now, &contact), 0);
}

Test(contact, queue_holds_no_more_than_its_length)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_contact contact;

	config.length_max = 2;
	request.queue = queue_with(config, "sales", NULL);
	ready_agent("ann", NULL);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(stw_contact_enqueue(house, &request, now, &contact), 0);
	cr_assert_eq(stw_contact_enqueue(house, &request, now, &contact), -ENOSPC);
	stw_acd_check(house);
}

Test(contact, smallest_rank_is_served_first)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_contact slow, fast, credited;
	struct stw_queue queue;

	config.target_ns[1][2] = 100;
	config.target_ns[3][4] = 50;
	queue = queue_with(config, "sales", NULL);
	request.value = 1;
	request.urgency = 2;
	slow = enqueue_with(request, queue);
	now += 60;
	request.credit_ns = 30; /* now + 60 + 100 - 30 */
	credited = enqueue_with(request, queue);
	request.credit_ns = 0;
	request.value = 3;
	request.urgency = 4;
	now -= 20; /* now + 40 + 50 */
	fast = enqueue_with(request, queue);
	ready_agent("ann", NULL);
	cr_assert_neq(agent_id_of(fast), 0);
	ready_agent("bob", NULL);
	cr_assert_neq(agent_id_of(slow), 0);
	ready_agent("cid", NULL);
	cr_assert_neq(agent_id_of(credited), 0);
}

Test(contact, red_channel_goes_before_every_rank)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_contact strict, red, later_red;
	struct stw_queue queue;

	config.target_ns[15][15] = -(INT64_C(1) << 61);
	queue = queue_with(config, "sales", NULL);
	request.value = request.urgency = 15;
	request.credit_ns = UINT64_C(1) << 61;
	strict = enqueue_with(request, queue);
	memset(&request, 0, sizeof(request));
	request.struct_size = sizeof(request);
	request.red_channel = 1;
	now = UINT64_C(1) << 62;
	red = enqueue_with(request, queue);
	later_red = enqueue_with(request, queue_of("other", NULL));
	now = SECOND;
	ready_agent("ann", NULL);
	cr_assert_neq(agent_id_of(red), 0);
	ready_agent("bob", NULL);
	cr_assert_neq(agent_id_of(later_red), 0);
	ready_agent("cid", NULL);
	cr_assert_neq(agent_id_of(strict), 0);
}

Test(contact, equal_ranks_are_served_by_arrival_over_all_queues)
{
	struct stw_queue queues[3] = {queue_of("a", NULL), queue_of("b", NULL),
				      queue_of("c", NULL)};
	struct stw_contact contacts[60];
	char name[16];

	for (int i = 0; i < 60; i++)
		contacts[i] = enqueue(queues[(i * 7) % 3]);
	for (int i = 0; i < 60; i++) {
		struct stw_agent agent;

		snprintf(name, sizeof(name), "agent %d", i);
		agent = ready_agent(name, NULL);
		cr_assert_eq(agent_id_of(contacts[i]), agent.id, "contact %d", i);
	}
}

Test(contact, cancelled_while_waiting_is_abandoned)
{
	struct stw_contact contact = enqueue(queue_of("sales", NULL));
	struct stw_event event;

	now += 5;
	cr_assert_eq(stw_contact_cancel(house, contact, now), 0);
	stw_acd_check(house);
	event = next_event();
	cr_assert_eq(event.type, STW_EVENT_ABANDONED);
	cr_assert_eq(event.contact.id, contact.id);
	cr_assert_eq(event.wait_ns, 5);
	cr_assert_eq(stw_contact_cancel(house, contact, now), -ESTALE);
	ready_agent("ann", NULL);
	cr_assert_eq(await(STW_EVENT_OFFER).type, STW_EVENT_NONE);
}

Test(contact, cancelled_while_offered_is_withdrawn_then_abandoned)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent agent = ready_agent("ann", NULL);
	struct stw_contact contact = enqueue(queue);
	struct stw_event offer = await(STW_EVENT_OFFER);
	struct stw_event event;

	cr_assert_eq(stw_contact_cancel(house, contact, now), 0);
	stw_acd_check(house);
	event = next_event();
	cr_assert_eq(event.type, STW_EVENT_WITHDRAWN);
	cr_assert_eq(event.agent.id, agent.id);
	cr_assert_eq(event.offer.number, offer.offer.number);
	event = next_event();
	cr_assert_eq(event.type, STW_EVENT_ABANDONED);
	cr_assert_eq(event.agent.id, 0);
	event = next_event();
	cr_assert_eq(event.type, STW_EVENT_AGENT_STATE);
	cr_assert_eq(event.agent_state, STW_AGENT_READY);
	cr_assert_eq(stw_offer_accept(house, offer.offer, now), -ESTALE);
	cr_assert_eq(state_of(agent), STW_AGENT_READY);
}

Test(contact, connected_cannot_be_cancelled_and_waiting_cannot_be_ended)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_contact waiting = enqueue(queue);
	struct stw_contact connected = waiting;

	cr_assert_eq(stw_contact_end(house, waiting, now), -EBUSY);
	ready_agent("ann", NULL);
	cr_assert_eq(stw_contact_end(house, waiting, now), -EBUSY);
	accept_next();
	cr_assert_eq(stw_contact_cancel(house, connected, now), -EBUSY);
	end(connected);
	cr_assert_eq(stw_contact_end(house, connected, now), -ESTALE);
	cr_assert_eq(stw_contact_cancel(house, connected, now), -ESTALE);
}

Test(contact, handle_of_a_former_contact_in_the_slot_is_stale)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_contact old = enqueue(queue);
	struct stw_contact new;
	struct stw_contact_status status;

	cr_assert_eq(stw_contact_cancel(house, old, now), 0);
	new = enqueue(queue);
	cr_assert_eq((uint32_t) new.id, (uint32_t)old.id);
	cr_assert_neq(new.id, old.id);
	cr_assert_eq(stw_contact_cancel(house, old, now), -ESTALE);
	cr_assert_eq(stw_contact_end(house, old, now), -ESTALE);
	cr_assert_eq(stw_contact_status(house, old, &status), -ESTALE);
	cr_assert_eq(stw_contact_reprioritise(house, old, 1, 1, now), -ESTALE);
	cr_assert_eq(stw_contact_cancel(house, (struct stw_contact){0}, now), -ESTALE);
	cr_assert_eq(stw_contact_cancel(house, (struct stw_contact){UINT64_MAX}, now), -ESTALE);
	cr_assert_eq(stw_contact_status(house, new, &status), 0);
}

Test(contact, new_class_changes_the_order_at_once)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_contact_status status;
	struct stw_contact first, second;
	struct stw_queue queue;

	config.target_ns[7][8] = -100;
	queue = queue_with(config, "sales", NULL);
	first = enqueue(queue);
	now += 10;
	second = enqueue(queue);
	cr_assert_eq(stw_contact_reprioritise(house, second, 7, 8, now + 5), 0);
	stw_acd_check(house);
	cr_assert_eq(stw_contact_status(house, second, &status), 0);
	cr_assert_eq(status.rank_ns, (int64_t)now - 100);
	cr_assert_eq(status.enqueue_ns, now);
	ready_agent("ann", NULL);
	cr_assert_neq(agent_id_of(second), 0);
	cr_assert_eq(await(STW_EVENT_OFFER).value, 7);
	cr_assert_eq(agent_id_of(first), 0);
	cr_assert_eq(stw_contact_reprioritise(house, second, 1, 1, now), -EBUSY);
	cr_assert_eq(stw_contact_reprioritise(house, first, 16, 1, now), -EINVAL);
	cr_assert_eq(stw_contact_reprioritise(house, first, 1, 16, now), -EINVAL);
	for (uint8_t i = 0; i < 16; i++)
		cr_assert_eq(stw_contact_reprioritise(house, first, i, i, now), 0);
	stw_acd_check(house);
}

Test(contact, status_says_who_has_it)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent agent = ready_agent("ann", NULL);
	struct stw_contact contact = enqueue(queue);
	struct stw_contact_status status;

	cr_assert_eq(stw_contact_status(house, contact, &status), 0);
	cr_assert_eq(status.state, STW_CONTACT_OFFERED);
	accept_next();
	cr_assert_eq(stw_contact_status(house, contact, &status), 0);
	cr_assert_eq(status.state, STW_CONTACT_CONNECTED);
	cr_assert_eq(status.agent.id, agent.id);
}
