/* SPDX-License-Identifier: BSD-3-Clause */
/* Queues that nobody serves: who comes is refused, who waits leaves. */
#include "house.h"

TestSuite(staff, .init = house_open, .fini = house_close);

static struct stw_queue
queue_when(enum stw_queue_when refuse, enum stw_queue_when leave)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;

	config.refuse_when = refuse;
	config.leave_when = leave;
	return queue_with(config, "sales", "sales");
}

static int
come(struct stw_queue queue)
{
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_contact contact;
	int error;

	request.queue = queue;
	error = stw_contact_enqueue(house, &request, now, &contact);
	stw_acd_check(house);
	return error;
}

Test(staff, nobody_is_let_in_while_nobody_is_logged_in)
{
	struct stw_queue queue = queue_when(STW_QUEUE_WHEN_NOBODY_LOGGED_IN, STW_QUEUE_WHEN_NEVER);
	struct stw_agent ann = agent_of("ann", "sales");

	ready_agent("other", "service");
	cr_assert_eq(come(queue), -EHOSTDOWN);
	cr_assert_eq(stats_of(queue).refused, 1);
	cr_assert_eq(stats_of(queue).refused_unstaffed, 1);
	cr_assert_eq(stw_agent_login(house, ann, now), 0);
	cr_assert_eq(come(queue), 0);
	cr_assert_eq(stw_agent_logout(house, ann, now), 0);
	cr_assert_eq(come(queue), -EHOSTDOWN);
	cr_assert_eq(stats_of(queue).offered, 3);
	cr_assert_eq(stats_of(queue).waiting, 1);
}

Test(staff, nobody_is_let_in_while_nobody_works)
{
	struct stw_queue queue = queue_when(STW_QUEUE_WHEN_ALL_NOT_READY, STW_QUEUE_WHEN_NEVER);
	struct stw_agent ann = agent_of("ann", "sales");

	cr_assert_eq(stw_agent_login(house, ann, now), 0);
	cr_assert_eq(come(queue), -EHOSTDOWN);
	cr_assert_eq(stw_agent_ready(house, ann, now), 0);
	cr_assert_eq(come(queue), 0);
	cr_assert_eq(come(queue), 0, "he is busy, so he works");
}

Test(staff, move_to_a_queue_that_nobody_serves_is_refused)
{
	struct stw_queue queue = queue_when(STW_QUEUE_WHEN_NOBODY_LOGGED_IN, STW_QUEUE_WHEN_NEVER);
	struct stw_queue other = queue_of("other", "other");
	struct stw_contact contact = enqueue(other);

	cr_assert_eq(stw_contact_move(house, contact, queue, now), -EHOSTDOWN);
	stw_acd_check(house);
	cr_assert_eq(stats_of(other).waiting, 1);
	cr_assert_eq(stats_of(queue).offered, 0);
}

Test(staff, who_waits_leaves_when_the_last_one_logs_out)
{
	struct stw_queue queue = queue_when(STW_QUEUE_WHEN_NEVER, STW_QUEUE_WHEN_NOBODY_LOGGED_IN);
	struct stw_agent ann = agent_of("ann", "sales"), bob = agent_of("bob", "sales");
	struct stw_contact first, second;
	struct stw_event event;

	cr_assert_eq(stw_agent_login(house, ann, now), 0);
	cr_assert_eq(stw_agent_login(house, bob, now), 0);
	first = enqueue(queue);
	second = enqueue(queue);
	cr_assert_eq(stw_agent_logout(house, ann, now), 0);
	cr_assert_eq(await(STW_EVENT_EXPIRED).type, STW_EVENT_NONE);
	cr_assert_eq(stw_agent_logout(house, bob, now), 0);
	stw_acd_check(house);
	event = await(STW_EVENT_EXPIRED);
	cr_assert_eq(event.contact.id, first.id);
	cr_assert_eq(event.cause, STW_CAUSE_UNSTAFFED);
	cr_assert_eq(await(STW_EVENT_EXPIRED).contact.id, second.id);
	cr_assert_eq(stats_of(queue).timed_out, 2);
	cr_assert_eq(stats_of(queue).left_unstaffed, 2);
	cr_assert_eq(stats_of(queue).abandoned, 0);
	cr_assert_eq(stats_of(queue).waiting, 0);
}

Test(staff, who_waits_leaves_when_nobody_works)
{
	struct stw_queue queue = queue_when(STW_QUEUE_WHEN_NEVER, STW_QUEUE_WHEN_ALL_NOT_READY);
	struct stw_agent ann = ready_agent("ann", "sales");
	struct stw_contact talks = enqueue(queue), waits;

	accept_next();
	waits = enqueue(queue);
	cr_assert_eq(stw_agent_not_ready(house, ann, 1, now), 0);
	cr_assert_eq(await(STW_EVENT_EXPIRED).type, STW_EVENT_NONE, "she talks still");
	end(talks);
	cr_assert_eq(await(STW_EVENT_EXPIRED).contact.id, waits.id);
	cr_assert_eq(stats_of(queue).left_unstaffed, 1);
}

Test(staff, who_comes_to_nobody_leaves_at_once)
{
	struct stw_queue queue = queue_when(STW_QUEUE_WHEN_NEVER, STW_QUEUE_WHEN_NOBODY_LOGGED_IN);

	cr_assert_eq(come(queue), 0);
	cr_assert_eq(await(STW_EVENT_EXPIRED).cause, STW_CAUSE_UNSTAFFED);
	cr_assert_eq(stats_of(queue).waiting, 0);
}

Test(staff, who_is_called_back_stays)
{
	struct stw_queue queue = queue_when(STW_QUEUE_WHEN_NEVER, STW_QUEUE_WHEN_NOBODY_LOGGED_IN);
	struct stw_agent ann = agent_of("ann", "sales");
	struct stw_contact first, second;

	cr_assert_eq(stw_agent_login(house, ann, now), 0);
	first = enqueue(queue);
	second = enqueue(queue);
	cr_assert_eq(stw_contact_callback(house, first, 1, now), 0);
	cr_assert_eq(stw_agent_logout(house, ann, now), 0);
	/* The second stands behind one that stays: the sweep finds it. */
	for (int i = 0; i < 50; i++)
		advance(1);
	cr_assert_eq(await(STW_EVENT_EXPIRED).contact.id, second.id);
	cr_assert_eq(stats_of(queue).waiting, 1);
}

Test(staff, condition_must_be_one)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_queue queue;

	config.name = "sales";
	config.refuse_when = (enum stw_queue_when)3;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	config.refuse_when = STW_QUEUE_WHEN_NEVER;
	config.leave_when = (enum stw_queue_when)3;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
}
