/* SPDX-License-Identifier: BSD-3-Clause */
#include "house.h"

TestSuite(door, .init = house_open, .fini = house_close);

Test(door, draining_queue_refuses_and_counts)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_queue_stats stats;

	cr_assert_eq(stw_queue_door(house, queue, now), 0);
	cr_assert_eq(stw_queue_drain(house, queue, 1), 0);
	cr_assert_eq(stw_queue_door(house, queue, now), STW_QUEUE_DRAINING);
	cr_assert_eq(enqueue_error(queue), -ESHUTDOWN);
	cr_assert_eq(stw_queue_stats(house, queue, &stats), 0);
	cr_assert_eq(stats.offered, 1);
	cr_assert_eq(stats.refused, 1);
	cr_assert_eq(stats.waiting, 0);
	cr_assert_eq(next_event().type, STW_EVENT_NONE);
}

Test(door, waiting_contacts_of_a_draining_queue_are_served)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_contact first = enqueue(queue);
	struct stw_contact second = enqueue(queue);

	cr_assert_eq(stw_queue_drain(house, queue, 1), 0);
	ready_agent("ann", NULL);
	accept_next();
	cr_assert_eq(stw_queue_remove(house, queue), -EBUSY);
	end(first);
	accept_next();
	end(second);
	cr_assert_eq(enqueue_error(queue), -ESHUTDOWN);
	cr_assert_eq(stw_queue_remove(house, queue), 0);
	cr_assert_eq(enqueue_error(queue), -ESTALE);
}

Test(door, queue_can_be_opened_again)
{
	struct stw_queue queue = queue_of("sales", NULL);

	cr_assert_eq(stw_queue_drain(house, queue, 1), 0);
	cr_assert_eq(stw_queue_drain(house, queue, 1), 0);
	cr_assert_eq(stw_queue_drain(house, queue, 0), 0);
	cr_assert_eq(stw_queue_drain(house, queue, 0), 0);
	cr_assert_eq(stw_queue_door(house, queue, now), 0);
	cr_assert_eq(enqueue_error(queue), 0);
}

Test(door, update_leaves_the_draining_as_it_is)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_queue queue = queue_of("sales", NULL);

	cr_assert_eq(stw_queue_drain(house, queue, 1), 0);
	cr_assert_eq(stw_queue_update(house, queue, &config, now), 0);
	cr_assert_eq(enqueue_error(queue), -ESHUTDOWN);
}

Test(door, queue_defined_in_the_slot_of_a_drained_one_is_open)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_queue again;

	cr_assert_eq(stw_queue_drain(house, queue, 1), 0);
	cr_assert_eq(stw_queue_remove(house, queue), 0);
	for (int i = 0; i < 40; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		again = queue_of(name, NULL);
		cr_assert_eq(stw_queue_door(house, again, now), 0);
		cr_assert_eq(enqueue_error(again), 0);
	}
	cr_assert_eq(stw_queue_drain(house, queue, 1), -ESTALE);
	cr_assert_eq(stw_queue_door(house, queue, now), -ESTALE);
}

Test(door, bad_calls_are_refused)
{
	struct stw_queue queue = queue_of("sales", NULL);

	cr_assert_eq(stw_queue_drain(house, queue, 2), -EINVAL);
	cr_assert_eq(stw_queue_drain(house, queue, -1), -EINVAL);
	cr_assert_eq(stw_queue_drain(house, (struct stw_queue){0}, 1), -ESTALE);
	cr_assert_eq(stw_queue_door(house, (struct stw_queue){40}, now), -ESTALE);
	cr_assert_eq(enqueue_error(queue), 0);
}
