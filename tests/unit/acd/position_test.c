/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Position and expected wait, on demand and as events.
 */
#include "house.h"

#include "acd/engine.h"

TestSuite(acd_position, .init = house_open, .fini = house_close);

static uint32_t
position_of(struct stw_contact contact)
{
	uint32_t position = 0;

	cr_assert_eq(stw_contact_position(house, contact, &position), 0);
	return position;
}

static uint64_t
ewt_of(struct stw_contact contact)
{
	uint64_t ewt_ns = 0;

	cr_assert_eq(stw_contact_ewt(house, contact, now, &ewt_ns), 0);
	return ewt_ns;
}

static void
expect_near(uint64_t got, uint64_t wanted)
{
	cr_expect(got > wanted - wanted / 50 && got < wanted + wanted / 50, "%lu s, expected %lu s",
		  (unsigned long)(got / SECOND), (unsigned long)(wanted / SECOND));
}

Test(acd_position, is_the_place_by_rank)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_contact first, second, third;
	struct stw_queue queue;
	uint32_t position;

	config.target_ns[9][0] = -(int64_t)(100 * SECOND);
	queue = queue_with(config, "sales", NULL);
	enqueue(queue_of("other", NULL));
	first = enqueue(queue);
	second = enqueue(queue);
	request.value = 9;
	third = enqueue_with(request, queue);
	cr_expect_eq(position_of(third), 1);
	cr_expect_eq(position_of(first), 2);
	cr_expect_eq(position_of(second), 3);
	stw_contact_reprioritise(house, second, 9, 0, now);
	cr_expect_eq(position_of(second), 1);
	cr_expect_eq(position_of(third), 2);
	stw_contact_cancel(house, second, now);
	cr_expect_eq(position_of(third), 1);
	cr_expect_eq(stw_contact_position(house, second, &position), -ESTALE);
	ready_agent("Ann", NULL);
	cr_expect_eq(stw_contact_position(house, third, &position), -EBUSY);
}

Test(acd_position, expected_wait_is_told_only_when_something_is_known)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_contact contact;
	uint64_t ewt_ns = 7;

	cr_expect_eq(stw_queue_ewt(house, queue, 16, 0, now, &ewt_ns), -EINVAL);
	cr_expect_eq(stw_queue_ewt(house, queue, 0, 16, now, &ewt_ns), -EINVAL);
	cr_expect_eq(stw_queue_ewt(house, (struct stw_queue){0}, 0, 0, now, &ewt_ns), -ESTALE);
	cr_expect_eq(stw_queue_ewt(house, queue, 0, 0, now, &ewt_ns), -ENODATA);
	contact = enqueue(queue);
	cr_expect_eq(stw_contact_ewt(house, contact, now, &ewt_ns), -ENODATA);
	cr_expect_eq(ewt_ns, 7);
	ready_agent("Ann", NULL);
	cr_expect_eq(stw_contact_ewt(house, contact, now, &ewt_ns), -EBUSY);
	accept_next();
	ready_agent("Bob", NULL);
	cr_expect_eq(stw_queue_ewt(house, queue, 0, 0, now, &ewt_ns), 0);
	cr_expect_eq(ewt_ns, 0);
}

/* Before there are gaps: who is connected, and how long that took others. */
Test(acd_position, expected_wait_begins_with_the_handling_time)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_contact contact;
	uint64_t ewt_ns;

	ready_agent("Ann", NULL);
	ready_agent("Bob", NULL);
	contact = enqueue(queue);
	accept_next();
	now += 60 * SECOND;
	end(contact);
	enqueue(queue);
	accept_next();
	enqueue(queue);
	accept_next();
	cr_assert_eq(stw_queue_ewt(house, queue, 0, 0, now, &ewt_ns), 0);
	cr_expect_eq(ewt_ns, 30 * SECOND);
	contact = enqueue(queue);
	enqueue(queue);
	expect_near(ewt_of(contact), 30 * SECOND);
	cr_assert_eq(stw_queue_ewt(house, queue, 0, 0, now, &ewt_ns), 0);
	expect_near(ewt_ns, 90 * SECOND);
}

/* Serve from the queue's head every `gap_ns`, by one agent. */
static void
serve_steadily(struct stw_queue queue, unsigned count, uint64_t gap_ns)
{
	for (unsigned i = 0; i < count; i++) {
		enqueue(queue);
		now += gap_ns;
		end(accept_next().contact);
	}
}

Test(acd_position, expected_wait_follows_the_pace_of_the_queue)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_contact last;
	uint64_t ewt_ns;

	ready_agent("Ann", NULL);
	for (int i = 0; i < 10; i++)
		last = enqueue(queue);
	serve_steadily(queue, 40, 20 * SECOND);
	last = enqueue(queue);
	cr_expect_eq(position_of(last), 10);
	expect_near(ewt_of(last), 200 * SECOND);
	serve_steadily(queue, 200, 10 * SECOND);
	cr_assert_eq(stw_queue_ewt(house, queue, 0, 0, now, &ewt_ns), 0);
	expect_near(ewt_ns, 110 * SECOND);
	/* Nobody comes any more: the longer, the worse it looks. */
	now += 1000 * SECOND;
	cr_assert_eq(stw_queue_ewt(house, queue, 0, 0, now, &ewt_ns), 0);
	cr_expect_gt(ewt_ns, 400 * SECOND);
}

Test(acd_position, expected_wait_is_shorter_where_many_give_up)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_contact last;
	uint64_t patient_ns, impatient_ns;

	ready_agent("Ann", NULL);
	for (int i = 0; i < 10; i++)
		last = enqueue(queue);
	serve_steadily(queue, 40, 10 * SECOND);
	cr_assert_eq(stw_queue_ewt(house, queue, 0, 0, now, &patient_ns), 0);
	for (int i = 0; i < 40; i++) {
		last = enqueue(queue);
		now += SECOND / 10;
		stw_contact_cancel(house, last, now);
	}
	now -= 4 * SECOND;
	cr_assert_eq(stw_queue_ewt(house, queue, 0, 0, now, &impatient_ns), 0);
	cr_expect_lt(impatient_ns, patient_ns);
}

Test(acd_position, is_told_every_so_often_until_the_contact_is_offered)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_contact first, second;
	struct stw_event event;
	struct stw_queue queue;

	config.announce_ns = 30 * SECOND;
	config.offer_timeout_ns = 0;
	queue = queue_with(config, "sales", NULL);
	first = enqueue(queue);
	second = enqueue(queue);
	cr_expect_eq(advance(29 * SECOND), 0);
	cr_expect_eq(advance(SECOND), 2);
	for (uint32_t i = 1; i <= 2; i++) {
		event = next_event();
		cr_expect_eq(event.type, STW_EVENT_POSITION);
		cr_expect_eq(event.contact.id, i == 1 ? first.id : second.id);
		cr_expect_eq(event.position, i);
		cr_expect_eq(event.ewt_ns, UINT64_MAX);
		cr_expect_eq(event.wait_ns, 30 * SECOND);
		cr_expect_eq(event.queue.id, queue.id);
		cr_expect_eq(event.agent.id, 0);
	}
	/* A new class does not stop it. */
	stw_contact_reprioritise(house, second, 1, 1, now);
	stw_contact_cancel(house, first, now);
	cr_expect_eq(next_event().type, STW_EVENT_ABANDONED);
	advance(30 * SECOND);
	event = next_event();
	cr_expect_eq(event.contact.id, second.id);
	cr_expect_eq(event.position, 1);
	cr_expect_eq(next_event().type, STW_EVENT_NONE);
	/* While it rings or talks nothing is told. */
	ready_agent("Ann", NULL);
	event = await(STW_EVENT_OFFER);
	advance(30 * SECOND);
	cr_expect_eq(await(STW_EVENT_POSITION).type, STW_EVENT_NONE);
	cr_expect_eq(stw_offer_accept(house, event.offer, now), 0);
	advance(60 * SECOND);
	cr_expect_eq(await(STW_EVENT_POSITION).type, STW_EVENT_NONE);
	/* The next life of the slot is told of for itself. */
	end(event.contact);
	first = enqueue(queue);
	accept_next();
	second = enqueue(queue);
	advance(30 * SECOND);
	event = await(STW_EVENT_POSITION);
	cr_expect_eq(event.contact.id, second.id);
	cr_expect_neq(event.ewt_ns, 0);
}

Test(acd_position, of_a_requeued_contact_is_told_again)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_agent ann = ready_agent("Ann", NULL);

	config.announce_ns = 10 * SECOND;
	config.offer_timeout_ns = 12 * SECOND;
	enqueue(queue_with(config, "sales", NULL));
	stw_agent_not_ready(house, ann, 1, now);
	advance(10 * SECOND);
	cr_expect_eq(await(STW_EVENT_POSITION).type, STW_EVENT_NONE);
	advance(2 * SECOND);
	advance(8 * SECOND);
	cr_expect_eq(await(STW_EVENT_POSITION).position, 1);
}

Test(acd_position, interval_of_telling_is_checked)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_queue queue;

	config.name = "sales";
	config.announce_ns = (UINT64_C(1) << 61) + 1;
	cr_expect_eq(stw_queue_define(house, &config, &queue), -EINVAL);
}

/* Two threads find the same timer due, or one goes on late. */
Test(acd_position, is_told_once_whoever_tells_it)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_contact contact;
	uint64_t told;

	config.announce_ns = 10 * SECOND;
	contact = enqueue(queue_with(config, "sales", NULL));
	told = contact.id >> 32 << 32;
	now += 10 * SECOND;
	reclaim_enter();
	cr_expect(acd_position_fire(house, (uint32_t)contact.id, told, now));
	cr_expect(!acd_position_fire(house, (uint32_t)contact.id, told, now));
	reclaim_exit();
	cr_expect_eq(next_event().type, STW_EVENT_POSITION);
	cr_expect_eq(next_event().type, STW_EVENT_NONE);
	advance(0);
	cr_expect_eq(next_event().type, STW_EVENT_NONE);
	advance(10 * SECOND);
	cr_expect_eq(next_event().type, STW_EVENT_POSITION);
	cr_expect_eq(next_event().type, STW_EVENT_NONE);
}

Test(acd_position, counts_over_all_steps)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_step_config steps[2] = {{.after_ns = 0}, {.after_ns = 10 * SECOND}};
	struct stw_contact first, second;
	struct stw_queue queue;

	config.name = "sales";
	config.steps = steps;
	config.steps_count = 2;
	cr_assert_eq(stw_queue_define(house, &config, &queue), 0);
	first = enqueue(queue);
	advance(10 * SECOND);
	second = enqueue(queue);
	cr_expect_eq(position_of(first), 1);
	cr_expect_eq(position_of(second), 2);
}
