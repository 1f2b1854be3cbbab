/* SPDX-License-Identifier: BSD-3-Clause */
/* Waiting for one agent in person. */
#include "house.h"

TestSuite(preferred, .init = house_open, .fini = house_close);

static struct stw_contact_request
for_agent(struct stw_agent agent, uint64_t wait_ns)
{
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;

	request.preferred = agent;
	request.preferred_wait_ns = wait_ns;
	return request;
}

static uint64_t
waits_for(struct stw_contact contact)
{
	struct stw_contact_status status;

	cr_assert_eq(stw_contact_status(house, contact, &status), 0);
	return status.preferred.id;
}

Test(preferred, contact_goes_to_its_agent_whoever_has_been_idle_for_longer)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent bob;

	ready_agent("ann", NULL);
	now += SECOND;
	bob = ready_agent("bob", NULL);
	cr_assert_eq(agent_id_of(enqueue_with(for_agent(bob, SECOND), queue)), bob.id);
}

Test(preferred, agent_needs_no_skill_of_the_queue)
{
	struct stw_agent bob = ready_agent("bob", "german");
	struct stw_contact contact =
		enqueue_with(for_agent(bob, SECOND), queue_of("french", "french"));

	cr_assert_eq(agent_id_of(contact), bob.id);
}

Test(preferred, contact_waits_for_a_busy_agent_while_others_are_ready)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent bob = ready_agent("bob", NULL);
	struct stw_contact first = enqueue(queue), second;

	accept_next();
	ready_agent("ann", NULL);
	second = enqueue_with(for_agent(bob, SECOND), queue);
	cr_assert_eq(agent_id_of(second), 0);
	cr_assert_eq(waits_for(second), bob.id);
	end(first);
	cr_assert_eq(agent_id_of(second), bob.id);
	cr_assert_eq(waits_for(second), 0);
}

Test(preferred, queue_finds_another_agent_when_the_time_is_over)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent bob = ready_agent("bob", NULL), ann;
	struct stw_contact second;
	uint64_t next_ns;

	enqueue(queue);
	accept_next();
	ann = ready_agent("ann", NULL);
	second = enqueue_with(for_agent(bob, SECOND), queue);
	cr_assert_eq(stw_acd_advance(house, now, 1, &next_ns), 0);
	cr_assert_eq(next_ns, now + SECOND);
	cr_assert_eq(advance(SECOND - 1), 0);
	cr_assert_eq(agent_id_of(second), 0);
	cr_assert_eq(advance(1), 1);
	cr_assert_eq(agent_id_of(second), ann.id);
}

Test(preferred, agent_takes_the_better_rank_of_queue_and_person)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_contact_request request;
	struct stw_agent bob = ready_agent("bob", NULL);
	struct stw_contact first, person, urgent;
	struct stw_queue queue;

	config.target_ns[0][9] = -(int64_t)SECOND;
	queue = queue_with(config, "sales", NULL);
	first = enqueue(queue);
	accept_next();
	person = enqueue_with(for_agent(bob, UINT64_MAX), queue);
	request = (struct stw_contact_request)STW_CONTACT_REQUEST_INIT;
	request.urgency = 9;
	urgent = enqueue_with(request, queue);
	end(first);
	cr_assert_eq(agent_id_of(urgent), bob.id);
	cr_assert_eq(stw_contact_cancel(house, urgent, now), 0);
	stw_acd_check(house);
	cr_assert_eq(agent_id_of(person), bob.id);
}

Test(preferred, nobody_is_waited_for_who_is_not_logged_in)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent bob = agent_of("bob", NULL), ann = ready_agent("ann", NULL);
	struct stw_contact contact = enqueue_with(for_agent(bob, UINT64_MAX), queue);

	cr_assert_eq(agent_id_of(contact), ann.id);
}

Test(preferred, agent_who_was_removed_is_not_waited_for)
{
	struct stw_agent bob = agent_of("bob", NULL), ann = ready_agent("ann", NULL);

	cr_assert_eq(stw_agent_remove(house, bob), 0);
	cr_assert_eq(agent_id_of(enqueue_with(for_agent(bob, UINT64_MAX), queue_of("sales", NULL))),
		     ann.id);
}

Test(preferred, logout_gives_those_who_wait_to_the_queue)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent bob = ready_agent("bob", NULL), ann;
	struct stw_contact contact;

	cr_assert_eq(stw_agent_not_ready(house, bob, 1, now), 0);
	contact = enqueue_with(for_agent(bob, UINT64_MAX), queue);
	ann = ready_agent("ann", NULL);
	cr_assert_eq(agent_id_of(contact), 0);
	cr_assert_eq(stw_agent_logout(house, bob, now), 0);
	stw_acd_check(house);
	cr_assert_eq(agent_id_of(contact), ann.id);
}

Test(preferred, logout_asked_for_during_a_contact_counts_when_it_ends)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent bob = ready_agent("bob", NULL), ann;
	struct stw_contact first = enqueue(queue), second;

	accept_next();
	ann = ready_agent("ann", NULL);
	second = enqueue_with(for_agent(bob, UINT64_MAX), queue);
	cr_assert_eq(stw_agent_logout(house, bob, now), 0);
	cr_assert_eq(waits_for(second), bob.id);
	end(first);
	cr_assert_eq(agent_id_of(second), ann.id);
}

Test(preferred, decline_gives_the_contact_to_the_queue)
{
	struct stw_agent bob = ready_agent("bob", NULL), ann = ready_agent("ann", NULL);
	struct stw_contact contact =
		enqueue_with(for_agent(bob, UINT64_MAX), queue_of("sales", NULL));

	cr_assert_eq(stw_offer_decline(house, await(STW_EVENT_OFFER).offer, 0, now), 0);
	stw_acd_check(house);
	cr_assert_eq(agent_id_of(contact), ann.id);
	cr_assert_eq(waits_for(contact), 0);
}

Test(preferred, no_wait_takes_the_agent_only_if_he_is_ready)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent ann = ready_agent("ann", NULL), bob = ready_agent("bob", NULL);

	cr_assert_eq(agent_id_of(enqueue_with(for_agent(bob, 0), queue)), bob.id);
	cr_assert_eq(agent_id_of(enqueue_with(for_agent(bob, 0), queue)), ann.id);
}

Test(preferred, reprioritised_contact_waits_on_for_its_agent)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_agent bob = ready_agent("bob", NULL);
	struct stw_contact first, second, third;
	struct stw_queue queue;

	config.target_ns[0][5] = -(int64_t)SECOND;
	queue = queue_with(config, "sales", NULL);
	first = enqueue(queue);
	accept_next();
	second = enqueue_with(for_agent(bob, UINT64_MAX), queue);
	third = enqueue_with(for_agent(bob, UINT64_MAX), queue);
	cr_assert_eq(stw_contact_reprioritise(house, third, 0, 5, now), 0);
	stw_acd_check(house);
	cr_assert_eq(waits_for(third), bob.id);
	end(first);
	cr_assert_eq(agent_id_of(third), bob.id);
	cr_assert_eq(agent_id_of(second), 0);
	cr_assert_eq(stw_contact_cancel(house, second, now), 0);
	stw_acd_check(house);
}

Test(preferred, waits_of_which_there_are_too_many_take_the_queue)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;
	struct stw_acd_stats stats;
	struct stw_queue queue;
	struct stw_agent bob, ann;

	house_close();
	config.agents_max = 4;
	config.preferred_max = 0;
	house_open_with(&config);
	queue = queue_of("sales", NULL);
	bob = ready_agent("bob", NULL);
	enqueue(queue);
	ann = ready_agent("ann", NULL);
	cr_assert_eq(agent_id_of(enqueue_with(for_agent(bob, UINT64_MAX), queue)), ann.id);
	stw_acd_stats(house, &stats);
	cr_assert_eq(stats.preferred_full, 1);
	house_close();
	config.preferred_max = 1000001;
	cr_assert_eq(stw_acd_create(&house, &config), -EINVAL);
}

Test(preferred, wait_out_of_range_is_refused)
{
	struct stw_contact_request request =
		for_agent(agent_of("bob", NULL), (UINT64_C(1) << 61) + 1);
	struct stw_contact contact;

	request.queue = queue_of("sales", NULL);
	cr_assert_eq(stw_contact_enqueue(house, &request, now, &contact), -EINVAL);
}
