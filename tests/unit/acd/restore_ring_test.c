/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Contacts that ring at several agents, in snapshots and after a restore.
 */
#include "life.h"

TestSuite(restore_ring, .init = snapshot_begin, .fini = snapshot_end);

/* A queue that rings two at once. */
static struct stw_queue
define_ring(void)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_step_config step = {.ring_count = 2};

	config.steps = &step;
	config.steps_count = 1;
	return queue_with(config, "sales", NULL);
}

Test(restore_ring, a_contact_that_rang_at_several_waits_again)
{
	struct stw_contact contact;
	struct stw_acd_stats stats;
	struct stw_event event;

	take();
	ready_agent("alice", NULL);
	ready_agent("bob", NULL);
	contact = enqueue(define_ring());
	take();
	die();
	agent_of("alice", NULL);
	agent_of("bob", NULL);
	define_ring();
	cr_assert_eq(restore(), 0, "%s", why);
	stw_acd_check(house);
	stw_acd_stats(house, &stats);
	cr_assert_eq(stats.queues.offers, 4, "and is offered again");
	cr_assert_eq(stats.queues.offers_withdrawn, 2);
	cr_assert_eq(stats.queues.ringing, 1);
	event = await(STW_EVENT_OFFER);
	cr_assert_eq(stw_offer_accept(house, event.offer, now), 0);
	end(contact);
	stw_acd_check(house);
}

Test(restore_ring, events_of_a_ring_lead_to_what_the_engine_holds)
{
	struct stw_contact first, second;
	struct stw_queue queue;
	struct stw_event event;

	agent_of("alice", NULL);
	agent_of("bob", NULL);
	queue = define_ring();
	take();
	make_ready((struct stw_agent){UINT64_C(1) << 32});
	make_ready((struct stw_agent){UINT64_C(1) << 32 | 1});
	first = enqueue(queue);
	cr_assert_eq(stw_contact_cancel(house, first, now), 0);
	second = enqueue(queue);
	for (uint32_t offers = 0; stw_events_take(house, &event, 1) == 1;) {
		cr_assert_eq(stw_snapshot_apply(snapshot, &event), 1, "type %d", event.type);
		if (event.type == STW_EVENT_OFFER && ++offers == 4)
			cr_assert_eq(stw_offer_accept(house, event.offer, now), 0);
	}
	cr_assert_eq(snapshot->contacts[(uint32_t)second.id].state, SNAPSHOT_CONNECTED);
	for (uint32_t i = 0; i < ACD_COUNTERS; i++)
		cr_assert_eq(snapshot->queues[0].counters[i], counters_read(&house->counters, 0, i),
			     "column %u", i);
	die();
	agent_of("alice", NULL);
	agent_of("bob", NULL);
	define_ring();
	cr_assert_eq(restore(), 0, "%s", why);
	stw_acd_check(house);
	end(second);
}
