/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What was counted before a restore, and what goes on being counted after it.
 */
#include "life.h"

TestSuite(restore_numbers, .init = snapshot_begin, .fini = snapshot_end);

/* Alice answers one of two, misses the other, and it gives up. */
static void
count_a_few(struct stw_agent alice, struct stw_queue queue)
{
	struct stw_contact contact = enqueue(queue);

	now += SECOND;
	accept_next();
	now += SECOND;
	end(contact);
	contact = enqueue(queue);
	cr_assert_eq(stw_offer_decline(house, await(STW_EVENT_OFFER).offer, 1, now), 0);
	now += SECOND;
	cr_assert_eq(stw_agent_not_ready(house, alice, 3, now), 0);
	cr_assert_eq(stw_contact_cancel(house, contact, now), 0);
}

Test(restore_numbers, an_agents_numbers_go_on)
{
	struct stw_agent_numbers before, after;
	struct stw_agent alice = ready_agent("alice", NULL);
	struct stw_queue queue = queue_of("sales", NULL);

	count_a_few(alice, queue);
	now += SECOND;
	cr_assert_eq(stw_agent_interval(house, alice, STW_INTERVAL_LIVE, now, &before), 0);
	cr_assert_eq(before.not_ready_ns[3], SECOND);
	take();
	die();
	alice = agent_of("alice", NULL);
	queue_of("sales", NULL);
	cr_assert_eq(restore(), 0, "%s", why);
	stw_acd_check(house);
	cr_assert_eq(stw_agent_interval(house, alice, STW_INTERVAL_LIVE, now, &after), 0);
	cr_assert(!memcmp(&before, &after, sizeof(before)), "the spell under way included");
	cr_assert_eq(stw_agent_ready(house, alice, now), 0);
	stw_acd_check(house);
}

Test(restore_numbers, who_is_away_counts_as_away)
{
	struct stw_agent alice = ready_agent("alice", NULL);

	cr_assert_eq(stw_agent_not_ready(house, alice, 3, now), 0);
	take();
	die();
	alice = agent_of("alice", NULL);
	cr_assert_eq(restore(), 0, "%s", why);
	stw_acd_check(house);
	cr_assert_eq(stw_agent_ready(house, alice, now), 0);
	stw_acd_check(house);
}

Test(restore_numbers, numbers_of_who_is_gone_stay_in_the_sums)
{
	struct stw_agent_numbers numbers;
	struct stw_acd_stats before, after;

	count_a_few(ready_agent("alice", NULL), queue_of("sales", NULL));
	cr_assert_eq(stw_agent_logout(house, (struct stw_agent){UINT64_C(1) << 32}, now), 0);
	stw_acd_stats(house, &before);
	take();
	die();
	cr_assert_eq(restore(), 0, "%s", why);
	stw_acd_check(house);
	stw_acd_stats(house, &after);
	cr_assert(!memcmp(&before.queues, &after.queues, sizeof(before.queues)));
	cr_assert_eq(stw_tenant_interval(house, STW_TENANT_DEFAULT, STW_INTERVAL_LIVE, now, NULL,
					 &numbers),
		     0);
	cr_assert_eq(numbers.offers, 0, "they are nobody's");
}

Test(restore_numbers, what_was_counted_before_is_in_no_interval)
{
	struct stw_agent alice = ready_agent("alice", NULL);
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent_numbers numbers;
	struct stw_queue_stats stats;

	count_a_few(alice, queue);
	take();
	die();
	alice = agent_of("alice", NULL);
	queue = queue_of("sales", NULL);
	cr_assert_eq(restore(), 0, "%s", why);
	cr_assert_eq(stw_queue_interval(house, queue, STW_INTERVAL_LIVE, now, &stats), 0);
	cr_assert_eq(stats.offered, 2);
	cr_assert_eq(stats.wait_ns_abandoned, SECOND);
	cr_assert_eq(stw_queue_interval(house, queue, stw_interval_at(house, now), now, &stats), 0);
	cr_assert_eq(stats.offered, 0);
	cr_assert_eq(stw_agent_interval(house, alice, stw_interval_at(house, now), now, &numbers),
		     0);
	cr_assert_eq(numbers.offers, 0);
	enqueue(queue);
	cr_assert_eq(stw_queue_interval(house, queue, stw_interval_at(house, now), now, &stats), 0);
	cr_assert_eq(stats.offered, 1);
	cr_assert_eq(stats.waiting, 1);
}

Test(restore_numbers, positions_are_told_again)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_contact contact;
	struct stw_event event;

	config.announce_ns = 10 * SECOND;
	contact = enqueue(queue_with(config, "sales", NULL));
	take();
	die();
	queue_with(config, "sales", NULL);
	cr_assert_eq(restore(), 0, "%s", why);
	advance(10 * SECOND);
	event = await(STW_EVENT_POSITION);
	cr_assert_eq(event.contact.id, contact.id);
	cr_assert_eq(event.position, 1);
	cr_assert_eq(stw_snapshot_apply(snapshot, &event), 0);
}
