/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "house.h"

/* Every allocation of the process goes through these (linked with --wrap). */
void *__real_calloc(size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);

static size_t calloc_bytes;
static int calloc_failures;

void *
__wrap_calloc(size_t count, size_t bytes)
{
	if (calloc_failures && !--calloc_failures)
		return NULL;
	calloc_bytes += count * bytes;
	return __real_calloc(count, bytes);
}

TestSuite(engine, .init = house_open, .fini = house_close);

Test(engine, create_takes_exactly_the_memory_that_is_told)
{
	static const uint32_t sizes[][5] = {
		{1, 1, 1, 1, 1}, {1000, 100, 10000, 64, 64}, {33, 2000, 5, 4096, 1024}};

	for (int i = 0; i < 3; i++) {
		struct stw_acd_config config = STW_ACD_CONFIG_INIT;
		struct stw_acd *acd;
		size_t bytes;

		config.agents_max = sizes[i][0];
		config.queues_max = sizes[i][1];
		config.contacts_max = sizes[i][2];
		config.skills_max = sizes[i][3];
		config.threads_max = sizes[i][4];
		cr_assert_eq(stw_acd_memory_needed(&config, &bytes), 0);
		calloc_bytes = 0;
		cr_assert_eq(stw_acd_create(&acd, &config), 0);
		cr_assert_eq(calloc_bytes, bytes);
		stw_acd_check(acd);
		stw_acd_destroy(acd);
	}
}

Test(engine, hot_calls_take_no_memory)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_contact contact;

	ready_agent("ann", NULL);
	calloc_bytes = 0;
	for (int i = 0; i < 100; i++) {
		contact = enqueue(queue);
		accept_next();
		end(contact);
	}
	cr_assert_eq(calloc_bytes, 0);
}

Test(engine, failed_allocation_leaves_everything_as_it_was)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;
	struct stw_agent_config agent_config = STW_AGENT_CONFIG_INIT;
	struct stw_queue_config queue_config = STW_QUEUE_CONFIG_INIT;
	struct stw_acd *acd = house;
	struct stw_agent agent = {5};
	struct stw_queue queue = {6};

	calloc_failures = 1;
	cr_assert_eq(stw_acd_create(&acd, &config), -ENOMEM);
	cr_assert_eq(acd, house);
	agent_config.name = queue_config.name = "x";
	for (int i = 1; i <= 3; i++) {
		calloc_failures = i;
		cr_assert_eq(stw_agent_define(house, &agent_config, &agent), -ENOMEM);
	}
	for (int i = 1; i <= 2; i++) {
		calloc_failures = i;
		cr_assert_eq(stw_queue_define(house, &queue_config, &queue), -ENOMEM);
	}
	cr_assert_eq(agent.id, 5);
	cr_assert_eq(queue.id, 6);
	cr_assert_eq(stw_agent_find(house, STW_TENANT_DEFAULT, "x", &agent), -ENOENT);
	cr_assert_eq(stw_agent_define(house, &agent_config, &agent), 0);
	calloc_failures = 2;
	cr_assert_eq(stw_agent_update(house, agent, &agent_config, now), -ENOMEM);
	stw_acd_check(house);
}

Test(engine, limits_outside_their_ranges_are_refused)
{
	static const uint32_t low[] = {0, 0, 0, 0, 63, 0, UINT32_MAX, UINT32_MAX};
	static const uint32_t high[] = {1000001,  65536, 1000001, 4097,
					16777217, 1025,  65536,   65536};

	for (int i = 0; i < 16; i++) {
		struct stw_acd_config config = STW_ACD_CONFIG_INIT;
		uint32_t *limits[] = {&config.agents_max,   &config.queues_max,
				      &config.contacts_max, &config.skills_max,
				      &config.events_max,   &config.threads_max,
				      &config.tenants_max,  &config.calendars_max};
		struct stw_acd *acd;
		size_t bytes;

		*limits[i / 2] = i % 2 ? high[i / 2] : low[i / 2];
		cr_assert_eq(stw_acd_create(&acd, &config), -EINVAL);
		cr_assert_eq(stw_acd_memory_needed(&config, &bytes), -EINVAL);
	}
}

Test(engine, destroying_nothing_is_fine)
{
	stw_acd_destroy(NULL);
}

Test(engine, advance_needs_a_budget_and_keeps_to_it)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_queue queue;
	char name[8];
	uint64_t next_ns;

	config.offer_timeout_ns = 1;
	queue = queue_with(config, "sales", NULL);
	for (int i = 0; i < 10; i++) {
		struct stw_agent_config agent = STW_AGENT_CONFIG_INIT;

		agent.misses_max = 1;
		snprintf(name, sizeof(name), "%d", i);
		make_ready(agent_with(agent, name, NULL));
		enqueue(queue);
	}
	now += 5;
	cr_assert_eq(stw_acd_advance(house, now, 0, &next_ns), -EINVAL);
	cr_assert_eq(stw_acd_advance(house, now, 4, &next_ns), 4);
	cr_assert_eq(next_ns, now);
	cr_assert_eq(stw_acd_advance(house, now, 100, &next_ns), 6);
	cr_assert_eq(next_ns, UINT64_MAX);
	stw_acd_check(house);
}

Test(engine, numbers_tell_what_happened)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_queue_stats stats;
	struct stw_acd_stats sum;
	struct stw_contact first, second;

	first = enqueue(queue);
	now += 30 * SECOND;
	second = enqueue(queue);
	ready_agent("ann", NULL);
	cr_assert_eq(stw_offer_decline(house, await(STW_EVENT_OFFER).offer, 0, now), 0);
	accept_next();
	now += SECOND;
	end(first);
	cr_assert_eq(stw_contact_cancel(house, second, now), 0);
	cr_assert_eq(stw_queue_stats(house, queue, &stats), 0);
	cr_assert_eq(stats.offered, 2);
	cr_assert_eq(stats.answered, 1);
	cr_assert_eq(stats.answered_in_time, 0);
	cr_assert_eq(stats.abandoned, 1);
	cr_assert_eq(stats.ended, 1);
	cr_assert_eq(stats.offers, 3);
	cr_assert_eq(stats.offers_declined, 1);
	cr_assert_eq(stats.offers_withdrawn, 1);
	cr_assert_eq(stats.offers_timed_out, 0);
	cr_assert_eq(stats.waiting, 0);
	cr_assert_eq(stats.ringing, 0);
	cr_assert_eq(stats.connected, 0);
	cr_assert_eq(stats.wait_ns_answered, 30 * SECOND);
	cr_assert_eq(stats.wait_ns_max, 30 * SECOND);
	cr_assert_eq(stats.talk_ns, SECOND);
	cr_assert_eq(stw_queue_remove(house, queue), 0);
	cr_assert_eq(stw_queue_stats(house, queue, &stats), -ESTALE);
	stw_acd_stats(house, &sum);
	cr_assert_eq(sum.queues.offered, 2);
	cr_assert_eq(sum.queues.wait_ns_max, 30 * SECOND);
	cr_assert_eq(sum.agents_logged_in, 1);
	cr_assert_eq(sum.agents_ready, 1);
	cr_assert_eq(sum.contacts, 0);
	cr_assert_eq(sum.helps, 0);
}

Test(engine, full_event_queue_counts_and_tells_the_lost)
{
	struct stw_agent agent = agent_of("ann", NULL);
	struct stw_event events[400];
	struct stw_acd_stats stats;
	int taken;

	for (int i = 0; i < 150; i++) {
		cr_assert_eq(stw_agent_login(house, agent, now), 0);
		cr_assert_eq(stw_agent_logout(house, agent, now), 0);
	}
	stw_acd_check(house);
	taken = stw_events_take(house, events, 400);
	cr_assert_eq(taken, 257);
	cr_assert_eq(events[256].type, STW_EVENT_LOST);
	cr_assert_eq(events[256].lost, 44);
	stw_acd_stats(house, &stats);
	cr_assert_eq(stats.events_lost, 44);
	cr_assert_eq(stw_agent_login(house, agent, now), 0);
	cr_assert_eq(next_event().agent_state, STW_AGENT_NOT_READY);
	cr_assert_eq(next_event().type, STW_EVENT_NONE);
}

Test(engine, events_are_taken_in_counts_within_the_range)
{
	struct stw_event event;

	cr_assert_eq(stw_events_take(house, &event, 0), -EINVAL);
	cr_assert_eq(stw_events_take(house, &event, 65537), -EINVAL);
	cr_assert_eq(stw_events_take(house, &event, 1), 0);
}
