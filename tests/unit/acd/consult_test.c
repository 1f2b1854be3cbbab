/* SPDX-License-Identifier: BSD-3-Clause */
/* Consultations, callbacks, leases. */
#include "house.h"

TestSuite(consult, .init = house_open, .fini = house_close);
TestSuite(callback, .init = house_open, .fini = house_close);
TestSuite(lease, .init = house_open, .fini = house_close);

static struct stw_contact
consult(struct stw_contact first, struct stw_queue queue)
{
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_contact second = {0};

	request.queue = queue;
	cr_assert_eq(stw_contact_consult(house, first, &request, now, &second), 0);
	stw_acd_check(house);
	return second;
}

Test(consult, second_is_ranked_by_the_first_ones_enqueue_time)
{
	struct stw_queue sales = queue_of("sales", "sales"),
			 service = queue_of("service", "service");
	struct stw_contact first = enqueue(sales), other, second;
	uint64_t came_ns = now;
	struct stw_agent bob;

	ready_agent("ann", "sales");
	accept_next();
	now += SECOND;
	other = enqueue(service);
	now += SECOND;
	second = consult(first, service);
	cr_assert_eq(status_of(second).enqueue_ns, came_ns);
	cr_assert_eq(status_of(second).entered_ns, now);
	bob = ready_agent("bob", "service");
	cr_assert_eq(agent_id_of(second), bob.id);
	cr_assert_eq(agent_id_of(other), 0);
}

Test(consult, completion_ends_the_first_and_names_the_second)
{
	struct stw_queue sales = queue_of("sales", "sales"),
			 service = queue_of("service", "service");
	struct stw_agent ann = ready_agent("ann", "sales"), bob = ready_agent("bob", "service");
	struct stw_contact first = enqueue(sales), second;
	struct stw_event event;

	accept_next();
	second = consult(first, service);
	accept_next();
	cr_assert_eq(stw_contact_complete(house, first, second, now), 0);
	stw_acd_check(house);
	event = await(STW_EVENT_ENDED);
	cr_assert_eq(event.contact.id, first.id);
	cr_assert_eq(event.cause, STW_CAUSE_TRANSFER);
	cr_assert_eq(event.contact_to.id, second.id);
	cr_assert_eq(event.agent.id, ann.id);
	cr_assert_eq(state_of(ann), STW_AGENT_READY);
	cr_assert_eq(agent_id_of(second), bob.id);
	cr_assert_eq(stats_of(sales).transfers, 1);
	cr_assert_eq(stats_of(service).transfers, 0);
	end(second);
	cr_assert_eq(await(STW_EVENT_ENDED).cause, STW_CAUSE_HOST);
}

Test(consult, first_goes_on_when_the_second_is_given_up)
{
	struct stw_queue sales = queue_of("sales", "sales"),
			 service = queue_of("service", "service");
	struct stw_agent ann = ready_agent("ann", "sales");
	struct stw_contact first = enqueue(sales), second;

	accept_next();
	second = consult(first, service);
	cr_assert_eq(stw_contact_cancel(house, second, now), 0);
	cr_assert_eq(stw_contact_complete(house, first, second, now), -ESTALE);
	cr_assert_eq(agent_id_of(first), ann.id);
	end(first);
}

Test(consult, second_that_still_waits_may_take_over)
{
	struct stw_queue sales = queue_of("sales", "sales"),
			 service = queue_of("service", "service");
	struct stw_contact first = enqueue(sales), second;

	ready_agent("ann", "sales");
	accept_next();
	second = consult(first, service);
	cr_assert_eq(stw_contact_complete(house, first, second, now), 0);
	stw_acd_check(house);
	cr_assert_eq(status_of(second).state, STW_CONTACT_WAITING);
}

Test(consult, says_why_it_cannot_be)
{
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_queue queue = queue_of("sales", NULL), gone = queue_of("gone", NULL);
	struct stw_contact first = enqueue(queue), other, second = {5};

	cr_assert_eq(stw_queue_remove(house, gone), 0);
	request.queue = queue;
	cr_assert_eq(stw_contact_consult(house, first, &request, now, &second), -EBUSY);
	ready_agent("ann", NULL);
	accept_next();
	request.queue = gone;
	cr_assert_eq(stw_contact_consult(house, first, &request, now, &second), -ENOENT);
	request.value = 16;
	cr_assert_eq(stw_contact_consult(house, first, &request, now, &second), -EINVAL);
	cr_assert_eq(second.id, 5);
	other = enqueue(queue);
	cr_assert_eq(stw_contact_complete(house, first, other, now), -EINVAL);
	cr_assert_eq(stw_contact_complete(house, other, first, now), -EINVAL);
	end(first);
	request = (struct stw_contact_request)STW_CONTACT_REQUEST_INIT;
	request.queue = queue;
	cr_assert_eq(stw_contact_consult(house, first, &request, now, &second), -ESTALE);
	cr_assert_eq(stw_contact_complete(house, first, other, now), -ESTALE);
}

Test(callback, contact_keeps_its_place_and_the_offer_says_so)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_contact first = enqueue(queue), second;
	struct stw_event event;

	now += 1;
	second = enqueue(queue);
	cr_assert_eq(stw_contact_callback(house, first, 1, now), 0);
	cr_assert_eq(stw_contact_callback(house, first, 1, now), 0);
	stw_acd_check(house);
	cr_assert_eq(status_of(first).callback, 1);
	cr_assert_eq(status_of(second).callback, 0);
	cr_assert_eq(stats_of(queue).callbacks, 1);
	ready_agent("ann", NULL);
	event = await(STW_EVENT_OFFER);
	cr_assert_eq(event.contact.id, first.id);
	cr_assert_eq(event.callback, 1);
	cr_assert_eq(stw_offer_accept(house, event.offer, now), 0);
	cr_assert_eq(stw_contact_callback(house, first, 0, now), -EBUSY);
	end(first);
	cr_assert_eq(await(STW_EVENT_OFFER).callback, 0);
	cr_assert_eq(stw_contact_callback(house, first, 1, now), -ESTALE);
	cr_assert_eq(stw_contact_callback(house, second, 2, now), -EINVAL);
}

Test(callback, slot_used_again_is_no_callback)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;
	struct stw_queue queue;
	struct stw_contact contact;

	house_close();
	config.contacts_max = 1;
	house_open_with(&config);
	queue = queue_of("sales", NULL);
	contact = enqueue(queue);
	cr_assert_eq(stw_contact_callback(house, contact, 1, now), 0);
	cr_assert_eq(stw_contact_cancel(house, contact, now), 0);
	cr_assert_eq(status_of(enqueue(queue)).callback, 0);
}

Test(callback, longest_wait_holds_only_for_who_is_on_the_line)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_contact contact;
	struct stw_queue queue;

	config.wait_max_ns = SECOND;
	queue = queue_with(config, "sales", NULL);
	contact = enqueue(queue);
	cr_assert_eq(stw_contact_callback(house, contact, 1, now), 0);
	cr_assert_eq(advance(2 * SECOND), 0);
	cr_assert_eq(status_of(contact).state, STW_CONTACT_WAITING);
	cr_assert_eq(stw_contact_callback(house, contact, 0, now), 0);
	stw_acd_check(house);
	cr_assert_eq(advance(0), 1);
	cr_assert_eq(await(STW_EVENT_EXPIRED).contact.id, contact.id);
}

static struct stw_queue
queue_leasing(uint64_t lease_ns)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;

	config.lease_ns = lease_ns;
	return queue_with(config, "sales", NULL);
}

Test(lease, contact_whose_host_is_silent_is_ended)
{
	struct stw_queue queue = queue_leasing(SECOND);
	struct stw_agent ann = ready_agent("ann", NULL);
	struct stw_contact contact = enqueue(queue);
	struct stw_event event;

	accept_next();
	cr_assert_eq(advance(SECOND - 1), 0);
	cr_assert_eq(advance(1), 1);
	event = await(STW_EVENT_ENDED);
	cr_assert_eq(event.contact.id, contact.id);
	cr_assert_eq(event.cause, STW_CAUSE_LEASE);
	cr_assert_eq(state_of(ann), STW_AGENT_READY);
	cr_assert_eq(stats_of(queue).reaped, 1);
	cr_assert_eq(stats_of(queue).ended, 1);
	cr_assert_eq(stw_contact_renew(house, contact, now), -ESTALE);
}

Test(lease, renewed_contact_talks_on)
{
	struct stw_queue queue = queue_leasing(SECOND);
	struct stw_contact contact;

	ready_agent("ann", NULL);
	contact = enqueue(queue);
	accept_next();
	for (int i = 0; i < 5; i++) {
		now += SECOND / 2;
		cr_assert_eq(stw_contact_renew(house, contact, now), 0);
		cr_assert_eq(advance(SECOND / 2), 0);
	}
	cr_assert_eq(advance(SECOND / 2 - 1), 0);
	cr_assert_eq(advance(1), 1);
	cr_assert_eq(stats_of(queue).reaped, 1);
}

Test(lease, offer_whose_host_is_silent_is_withdrawn)
{
	struct stw_queue queue = queue_leasing(SECOND);
	struct stw_agent ann = ready_agent("ann", NULL);
	struct stw_contact contact = enqueue(queue);
	struct stw_event event;

	cr_assert_eq(advance(SECOND), 1);
	cr_assert_eq(await(STW_EVENT_WITHDRAWN).contact.id, contact.id);
	event = await(STW_EVENT_EXPIRED);
	cr_assert_eq(event.contact.id, contact.id);
	cr_assert_eq(event.cause, STW_CAUSE_LEASE);
	cr_assert_eq(state_of(ann), STW_AGENT_READY);
	cr_assert_eq(stats_of(queue).timed_out, 1);
	cr_assert_eq(stats_of(queue).reaped, 1);
}

Test(lease, renewed_offer_rings_no_longer_than_its_time)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_contact contact;
	struct stw_queue queue;

	config.lease_ns = SECOND;
	config.offer_timeout_ns = SECOND + SECOND / 2;
	queue = queue_with(config, "sales", NULL);
	ready_agent("ann", NULL);
	contact = enqueue(queue);
	now += SECOND - 1;
	cr_assert_eq(stw_contact_renew(house, contact, now), 0);
	cr_assert_eq(advance(SECOND / 2), 0);
	cr_assert_eq(advance(1), 1);
	cr_assert_eq(await(STW_EVENT_TIMED_OUT).contact.id, contact.id);
	cr_assert_eq(stats_of(queue).reaped, 0);
}

Test(lease, waiting_contact_needs_none)
{
	struct stw_queue queue = queue_leasing(SECOND);
	struct stw_contact contact = enqueue(queue);

	cr_assert_eq(stw_contact_renew(house, contact, now), 0);
	cr_assert_eq(advance(100 * SECOND), 0);
	cr_assert_eq(status_of(contact).state, STW_CONTACT_WAITING);
}
