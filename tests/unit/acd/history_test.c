/* SPDX-License-Identifier: BSD-3-Clause */
/* What is remembered of customers. */
#include "house.h"

TestSuite(history, .init = house_open, .fini = house_close);

static uint64_t
enqueued_ns(struct stw_contact contact)
{
	struct stw_contact_status status;

	cr_assert_eq(stw_contact_status(house, contact, &status), 0);
	return status.enqueue_ns;
}

static struct stw_contact_request
of_customer(uint64_t key)
{
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;

	request.customer_key = key;
	return request;
}

static struct stw_queue
queue_remembering(uint64_t window_ns)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;

	config.resume_window_ns = window_ns;
	config.repeat_window_ns = window_ns;
	return queue_with(config, "sales", NULL);
}

Test(history, who_gave_up_gets_his_place_back_once)
{
	struct stw_queue queue = queue_remembering(10 * SECOND);
	struct stw_contact contact = enqueue_with(of_customer(7), queue), again;
	uint64_t came_ns = now;
	struct stw_agent ann;

	now += SECOND;
	enqueue(queue);
	cr_assert_eq(stw_contact_cancel(house, contact, now), 0);
	now += SECOND;
	again = enqueue_with(of_customer(7), queue);
	cr_assert_eq(enqueued_ns(again), came_ns);
	cr_assert_eq(enqueued_ns(enqueue_with(of_customer(7), queue)), now);
	cr_assert_eq(enqueued_ns(enqueue_with(of_customer(8), queue)), now);
	cr_assert_eq(enqueued_ns(enqueue_with(of_customer(0), queue)), now);
	cr_assert_eq(stats_of(queue).resumed, 1);
	ann = ready_agent("ann", NULL);
	cr_assert_eq(agent_id_of(again), ann.id);
}

Test(history, place_is_lost_when_the_window_is_over)
{
	struct stw_queue queue = queue_remembering(10 * SECOND);
	struct stw_contact contact = enqueue_with(of_customer(7), queue);

	cr_assert_eq(stw_contact_cancel(house, contact, now), 0);
	now += 10 * SECOND;
	cr_assert_eq(enqueued_ns(enqueue_with(of_customer(7), queue)), now);
	cr_assert_eq(stats_of(queue).resumed, 0);
}

Test(history, last_agent_is_preferred_when_asked_for)
{
	struct stw_contact_request request = of_customer(7);
	struct stw_queue queue = queue_remembering(0);
	struct stw_agent ann = ready_agent("ann", NULL), bob;
	struct stw_contact contact = enqueue_with(request, queue);

	accept_next();
	now += SECOND;
	bob = ready_agent("bob", NULL);
	end(contact);
	now += SECOND;
	cr_assert_eq(stw_agent_ready(house, ann, now), -EALREADY);
	request.last_agent = 1;
	request.preferred_wait_ns = SECOND;
	cr_assert_eq(agent_id_of(enqueue_with(request, queue)), ann.id);
	cr_assert_eq(agent_id_of(enqueue_with(of_customer(7), queue)), bob.id);
}

Test(history, repeats_and_resolutions_are_counted)
{
	struct stw_queue queue = queue_remembering(10 * SECOND);
	struct stw_contact contact;

	ready_agent("ann", NULL);
	for (int i = 0; i < 3; i++) {
		contact = enqueue_with(of_customer(7), queue);
		accept_next();
		cr_assert_eq(stw_contact_end_with(house, contact, 2, now), -EINVAL);
		cr_assert_eq(stw_contact_end_with(house, contact, i == 2, now), 0);
		cr_assert_eq(stw_contact_end_with(house, contact, 1, now), -ESTALE);
		stw_acd_check(house);
	}
	now += 10 * SECOND;
	contact = enqueue_with(of_customer(7), queue);
	cr_assert_eq(stw_contact_end_with(house, contact, 1, now), -EBUSY);
	cr_assert_eq(stats_of(queue).repeats, 2);
	cr_assert_eq(stats_of(queue).resolution_reported, 3);
	cr_assert_eq(stats_of(queue).resolved, 1);
}

Test(history, oldest_customers_make_room)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;
	struct stw_queue queue;
	struct stw_contact contact;

	house_close();
	config.customers_max = 4;
	house_open_with(&config);
	queue = queue_remembering(1000 * SECOND);
	for (uint64_t key = 1; key <= 5; key++) {
		contact = enqueue_with(of_customer(key), queue);
		cr_assert_eq(stw_contact_cancel(house, contact, now), 0);
		now += SECOND;
	}
	cr_assert_eq(enqueued_ns(enqueue_with(of_customer(1), queue)), now);
	cr_assert_eq(enqueued_ns(enqueue_with(of_customer(2), queue)), 2 * SECOND);
	cr_assert_eq(enqueued_ns(enqueue_with(of_customer(5), queue)), 5 * SECOND);
}

Test(history, without_a_table_nothing_is_remembered)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;
	struct stw_queue queue;
	struct stw_contact contact;

	house_close();
	config.customers_max = 0;
	house_open_with(&config);
	queue = queue_remembering(1000 * SECOND);
	contact = enqueue_with(of_customer(7), queue);
	cr_assert_eq(stw_contact_cancel(house, contact, now), 0);
	now += SECOND;
	cr_assert_eq(enqueued_ns(enqueue_with(of_customer(7), queue)), now);
}
