/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Numbers: live and per interval, of queues, agents and what is added up over them.
 */
#include "house.h"

#include "acd/engine.h"

#define LENGTH (10 * SECOND)

static const struct stw_tenant everybody = {0};
static const struct stw_pool nobodys = {0}; /* agents without a pool */

static void
open_with_intervals(void)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;

	config.agents_max = 70;
	config.queues_max = 40;
	config.contacts_max = 100;
	config.skills_max = 8;
	config.events_max = 256;
	config.tenants_max = 1;
	config.interval_ns = LENGTH;
	config.intervals_max = 3;
	house_open_with(&config);
}

TestSuite(acd_numbers, .init = open_with_intervals, .fini = house_close);

static struct stw_queue_stats
queue_in(struct stw_queue queue, uint64_t interval)
{
	struct stw_queue_stats stats;

	cr_assert_eq(stw_queue_interval(house, queue, interval, now, &stats), 0);
	return stats;
}

static struct stw_agent_numbers
agent_in(struct stw_agent agent, uint64_t interval)
{
	struct stw_agent_numbers numbers;

	cr_assert_eq(stw_agent_interval(house, agent, interval, now, &numbers), 0);
	return numbers;
}

static struct stw_agent_numbers
team_in(struct stw_pool team, uint64_t interval)
{
	struct stw_agent_numbers numbers;

	cr_assert_eq(stw_team_interval(house, team, interval, now, &numbers), 0);
	return numbers;
}

/* A contact that is connected after `wait_ns` and talks for `talk_ns`. */
static void
serve(struct stw_queue queue, uint64_t wait_ns, uint64_t talk_ns)
{
	struct stw_contact contact = enqueue(queue);

	now += wait_ns;
	accept_next();
	now += talk_ns;
	end(contact);
}

Test(acd_numbers, what_happens_counts_in_its_interval)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent ann = ready_agent("Ann", NULL);

	serve(queue, SECOND, 2 * SECOND);
	now = LENGTH;
	serve(queue, SECOND, SECOND);
	serve(queue, 3 * SECOND, SECOND);
	now = 3 * LENGTH + 1;
	cr_expect_eq(queue_in(queue, 0).answered, 1);
	cr_expect_eq(queue_in(queue, 1).answered, 2);
	cr_expect_eq(queue_in(queue, 2).answered, 0);
	cr_expect_eq(queue_in(queue, 3).answered, 0);
	cr_expect_eq(agent_in(ann, 0).answered, 1);
	cr_expect_eq(agent_in(ann, 1).answered, 2);
	cr_expect_eq(agent_in(ann, 2).answered, 0);
	cr_expect_eq(agent_in(ann, STW_INTERVAL_LIVE).answered, 3);
	cr_expect_eq(queue_in(queue, STW_INTERVAL_LIVE).answered, 3);
	cr_expect_eq(queue_in(queue, 1).wait_ns_max, 3 * SECOND >> 14 << 14);
	cr_expect_eq(queue_in(queue, 0).wait_ns_max, SECOND >> 14 << 14);
	cr_expect_eq(stw_interval_at(house, now), 3);
}

Test(acd_numbers, intervals_not_begun_or_no_longer_kept_are_out_of_range)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent ann = ready_agent("Ann", NULL);
	struct stw_queue_stats stats;
	struct stw_agent_numbers numbers;

	serve(queue, SECOND, SECOND);
	now = 5 * LENGTH;
	cr_expect_eq(stw_queue_interval(house, queue, 6, now, &stats), -ERANGE);
	cr_expect_eq(stw_queue_interval(house, queue, 1, now, &stats), -ERANGE);
	cr_expect_eq(stw_agent_interval(house, ann, 1, now, &numbers), -ERANGE);
	cr_expect_eq(stw_channel_interval(house, 0, 1, now, &stats), -ERANGE);
	cr_expect_eq(stw_team_interval(house, nobodys, 6, now, &numbers), -ERANGE);
	cr_expect_eq(stw_tenant_interval(house, everybody, 6, now, &stats, &numbers), -ERANGE);
	cr_expect_eq(queue_in(queue, 2).answered, 0);
	cr_expect_eq(stw_queue_interval(house, queue, 5, 0, &stats), -EINVAL);
	cr_expect_eq(stw_channel_interval(house, 8, 5, now, &stats), -EINVAL);
	cr_expect_eq(stw_team_interval(house, (struct stw_pool){UINT64_C(1) << 32 | 9999}, 5, now,
				       &numbers),
		     -ESTALE);
	cr_expect_eq(stw_tenant_interval(house, (struct stw_tenant){UINT64_C(1) << 32 | 9999}, 5,
					 now, NULL, NULL),
		     -ESTALE);
	queue.id = 0;
	ann.id = 0;
	cr_expect_eq(stw_queue_interval(house, queue, 5, now, &stats), -ESTALE);
	cr_expect_eq(stw_agent_interval(house, ann, 5, now, &numbers), -ESTALE);
}

Test(acd_numbers, a_state_is_cut_where_an_interval_ends)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent ann = ready_agent("Ann", NULL);
	struct stw_contact contact;

	now = 4 * SECOND;
	contact = enqueue(queue);
	now = 8 * SECOND;
	accept_next();
	now = 23 * SECOND;
	/* Ready 1 to 4, offered to 8, connected since. */
	cr_expect_eq(agent_in(ann, 0).ready_ns, 3 * SECOND);
	cr_expect_eq(agent_in(ann, 0).offered_ns, 4 * SECOND);
	cr_expect_eq(agent_in(ann, 0).connected_ns, 2 * SECOND);
	cr_expect_eq(agent_in(ann, 1).connected_ns, 10 * SECOND);
	cr_expect_eq(agent_in(ann, 2).connected_ns, 3 * SECOND);
	cr_expect_eq(agent_in(ann, STW_INTERVAL_LIVE).connected_ns, 15 * SECOND);
	end(contact);
	cr_expect_eq(agent_in(ann, 0).connected_ns, 2 * SECOND);
	cr_expect_eq(agent_in(ann, 1).connected_ns, 10 * SECOND);
	cr_expect_eq(agent_in(ann, 2).connected_ns, 3 * SECOND);
	now = 25 * SECOND;
	cr_expect_eq(agent_in(ann, 2).ready_ns, 2 * SECOND);
	cr_expect_eq(agent_in(ann, 1).ready_ns, 0);
}

Test(acd_numbers, not_ready_is_told_apart_by_reason)
{
	struct stw_agent ann = ready_agent("Ann", NULL);
	struct stw_agent_numbers numbers;

	now += SECOND;
	stw_agent_not_ready(house, ann, 3, now);
	now += 2 * SECOND;
	stw_agent_not_ready(house, ann, 16, now);
	now += SECOND;
	stw_agent_logout(house, ann, now);
	now += SECOND;
	numbers = agent_in(ann, STW_INTERVAL_LIVE);
	cr_expect_eq(numbers.ready_ns, SECOND);
	cr_expect_eq(numbers.not_ready_ns[3], 2 * SECOND);
	cr_expect_eq(numbers.not_ready_other_ns, SECOND);
	cr_expect_eq(stw_logged_in_ns(&numbers), 4 * SECOND);
}

Test(acd_numbers, a_long_spell_fills_the_intervals_kept)
{
	struct stw_agent ann = ready_agent("Ann", NULL);

	now = 100 * LENGTH + SECOND;
	stw_agent_not_ready(house, ann, 0, now);
	for (uint64_t i = 97; i < 100; i++)
		cr_expect_eq(agent_in(ann, i).ready_ns, LENGTH);
	cr_expect_eq(agent_in(ann, 100).ready_ns, SECOND);
	cr_expect_eq(agent_in(ann, STW_INTERVAL_LIVE).ready_ns, 100 * LENGTH);
}

Test(acd_numbers, waiting_is_told_as_of_the_intervals_end)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_contact contact = enqueue(queue);

	enqueue(queue);
	now = LENGTH;
	cr_expect_eq(queue_in(queue, 0).waiting, 2);
	stw_contact_cancel(house, contact, now);
	cr_expect_eq(queue_in(queue, 0).waiting, 2);
	cr_expect_eq(queue_in(queue, 1).waiting, 1);
	cr_expect_eq(queue_in(queue, 1).abandoned, 1);
	cr_expect_eq(queue_in(queue, 1).offered, 0);
}

Test(acd_numbers, short_abandons_are_told_apart)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_queue_stats stats;
	struct stw_queue queue;
	struct stw_contact contact;

	config.short_abandon_ns = 2 * SECOND;
	queue = queue_with(config, "sales", NULL);
	contact = enqueue(queue);
	now += 2 * SECOND;
	stw_contact_cancel(house, contact, now);
	contact = enqueue(queue);
	now += 2 * SECOND + 1;
	stw_contact_cancel(house, contact, now);
	stats = queue_in(queue, STW_INTERVAL_LIVE);
	cr_expect_eq(stats.abandoned, 2);
	cr_expect_eq(stats.abandoned_short, 1);
	cr_expect_eq(stats.wait_ns_abandoned, 4 * SECOND + 1);
	cr_expect(stw_service_level(&stats) == 0.0);
}

Test(acd_numbers, a_removed_queue_stays_in_the_sums)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_queue_stats stats, before;
	struct stw_agent_numbers numbers;

	ready_agent("Ann", NULL);
	serve(queue, SECOND, SECOND);
	now = LENGTH;
	serve(queue, SECOND, SECOND);
	cr_assert_eq(stw_tenant_interval(house, everybody, 1, now, &before, NULL), 0);
	cr_assert_eq(stw_queue_remove(house, queue), 0);
	stw_acd_check(house);
	cr_assert_eq(stw_queue_interval(house, queue, 1, now, &stats), -ESTALE);
	cr_assert_eq(stw_tenant_interval(house, everybody, 1, now, &stats, &numbers), 0);
	cr_expect(!memcmp(&stats, &before, sizeof(stats)));
	cr_expect_eq(numbers.answered, 1);
	cr_assert_eq(stw_channel_interval(house, 0, 0, now, &stats), 0);
	cr_expect_eq(stats.answered, 1);
	cr_assert_eq(stw_channel_interval(house, 0, STW_INTERVAL_LIVE, now, &stats), 0);
	cr_expect_eq(stats.answered, 2);
	cr_assert_eq(stw_channel_interval(house, 1, STW_INTERVAL_LIVE, now, &stats), 0);
	cr_expect_eq(stats.answered, 0);
	/* Whoever comes into its place begins with nothing. */
	queue = queue_of("service", NULL);
	cr_expect_eq(queue_in(queue, 0).answered, 0);
	cr_expect_eq(queue_in(queue, 1).answered, 0);
	cr_expect_eq(queue_in(queue, 1).wait_ns_max, 0);
	now = 2 * LENGTH;
	cr_expect_eq(queue_in(queue, 1).answered, 0);
}

Test(acd_numbers, a_removed_agent_stays_in_the_sums)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent ann = ready_agent("Ann", NULL);
	struct stw_agent_numbers before, after;

	serve(queue, SECOND, SECOND);
	stw_agent_logout(house, ann, now);
	now = LENGTH;
	before = team_in(nobodys, 0);
	cr_expect_eq(before.connected_ns, SECOND);
	cr_assert_eq(stw_agent_remove(house, ann), 0);
	stw_acd_check(house);
	after = team_in(nobodys, 0);
	cr_expect(!memcmp(&before, &after, sizeof(before)));
	ann = agent_of("Zoe", NULL);
	cr_expect_eq(agent_in(ann, 0).answered, 0);
	cr_expect_eq(agent_in(ann, STW_INTERVAL_LIVE).answered, 0);
}

Test(acd_numbers, who_changes_teams_leaves_behind_what_was_done)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent ann = ready_agent("Ann", NULL);
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_pool north;

	cr_assert_eq(stw_pool_define(house, "north", &north), 0);
	config.pool = north;
	serve(queue, SECOND, SECOND);
	now = LENGTH + SECOND;
	cr_assert_eq(stw_agent_update(house, ann, &config, now), 0);
	stw_acd_check(house);
	now += SECOND;
	serve(queue, SECOND, 2 * SECOND);
	cr_expect_eq(team_in(nobodys, STW_INTERVAL_LIVE).answered, 1);
	cr_expect_eq(team_in(north, STW_INTERVAL_LIVE).answered, 1);
	cr_expect_eq(team_in(nobodys, 0).answered, 1);
	cr_expect_eq(team_in(nobodys, 1).answered, 0);
	cr_expect_eq(team_in(north, 0).answered, 0);
	cr_expect_eq(team_in(north, 1).connected_ns, 2 * SECOND);
	/* Ready 3 to 11 in the old team, 11 to 12 in the new one. */
	cr_expect_eq(team_in(nobodys, STW_INTERVAL_LIVE).ready_ns, 8 * SECOND);
	cr_expect_eq(team_in(north, STW_INTERVAL_LIVE).ready_ns, SECOND);
	cr_expect_eq(agent_in(ann, STW_INTERVAL_LIVE).answered, 2);
}

Test(acd_numbers, helpers_tell_the_usual_ratios)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent ann = ready_agent("Ann", NULL);
	struct stw_queue_stats stats = {.offered = 0};
	struct stw_agent_numbers numbers = {.offers = 0};

	cr_expect(stw_service_level(&stats) == 1.0);
	cr_expect_eq(stw_asa_ns(&stats) + stw_talk_ns(&stats) + stw_aht_ns(&numbers), 0);
	cr_expect(stw_occupancy(&numbers) == 0.0);
	serve(queue, 2 * SECOND, 3 * SECOND);
	serve(queue, 4 * SECOND, SECOND);
	now += 10 * SECOND;
	stats = queue_in(queue, STW_INTERVAL_LIVE);
	numbers = agent_in(ann, STW_INTERVAL_LIVE);
	cr_expect(stw_service_level(&stats) == 1.0);
	cr_expect_eq(stw_asa_ns(&stats), 3 * SECOND);
	cr_expect_eq(stw_talk_ns(&stats), 2 * SECOND);
	cr_expect_eq(stw_aht_ns(&numbers), 2 * SECOND);
	cr_expect(stw_occupancy(&numbers) == 0.5);
}

Test(acd_numbers, time_that_jumps_far_leaves_the_older_intervals_empty)
{
	struct stw_queue queue = queue_of("sales", NULL);

	ready_agent("Ann", NULL);
	/* The places are used again and again, also by numbers a round apart. */
	for (uint64_t i = 1; i < 200; i += 1 + i % 9) {
		now = i * LENGTH;
		serve(queue, SECOND, SECOND);
		cr_assert_eq(queue_in(queue, i).answered, 1);
		for (uint64_t k = i > 3 ? i - 3 : 0; k < i; k++) {
			uint64_t answered = queue_in(queue, k).answered;

			cr_assert(answered <= 1);
		}
	}
}

Test(acd_numbers, without_intervals_only_live_numbers_are_kept, .init = NULL)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;
	struct stw_queue_stats stats;
	struct stw_queue queue;

	config.intervals_max = 0;
	house_open_with(&config);
	queue = queue_of("sales", NULL);
	ready_agent("Ann", NULL);
	serve(queue, SECOND, 10000 * SECOND);
	cr_expect_eq(stw_queue_interval(house, queue, 0, now, &stats), -ERANGE);
	cr_expect_eq(queue_in(queue, STW_INTERVAL_LIVE).answered, 1);
	cr_expect_eq(stw_interval_at(house, now), 0);
}

Test(acd_numbers, limits_of_intervals_are_checked, .init = NULL, .fini = NULL)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;
	size_t bytes;

	config.intervals_max = 1001;
	cr_expect_eq(stw_acd_memory_needed(&config, &bytes), -EINVAL);
	config.intervals_max = 1000;
	config.interval_ns = 999999;
	cr_expect_eq(stw_acd_memory_needed(&config, &bytes), -EINVAL);
	config.interval_ns = 86400 * SECOND + 1;
	cr_expect_eq(stw_acd_memory_needed(&config, &bytes), -EINVAL);
	config.interval_ns = 86400 * SECOND;
	config.interval_offset_ns = (UINT64_C(1) << 61) + 1;
	cr_expect_eq(stw_acd_memory_needed(&config, &bytes), -EINVAL);
	config.interval_offset_ns = 0;
	cr_expect_eq(stw_acd_memory_needed(&config, &bytes), 0);
}

/* A thread that was stopped while it closed an interval goes on later. */
Test(acd_numbers, what_is_written_down_of_an_interval_stays)
{
	struct stw_queue queue = queue_of("sales", NULL);
	_Atomic uint64_t *rolled = &house->queues[(uint32_t)queue.id].rolled;

	ready_agent("Ann", NULL);
	serve(queue, SECOND, SECOND);
	now = LENGTH;
	serve(queue, SECOND, SECOND);
	atomic_store(rolled, 0);
	acd_queue_roll(house, (uint32_t)queue.id);
	cr_expect_eq(queue_in(queue, 0).answered, 1);
	cr_expect_eq(queue_in(queue, 1).answered, 1);
}

/* A contact of the tenant is served, and all that the tenant has goes. */
static void
come_and_go(struct stw_tenant tenant)
{
	struct stw_queue_config queue_config = STW_QUEUE_CONFIG_INIT;
	struct stw_agent_config agent_config = STW_AGENT_CONFIG_INIT;
	struct stw_queue_stats stats;
	struct stw_agent_numbers numbers;
	struct stw_queue queue;
	struct stw_agent agent;

	queue_config.name = agent_config.name = "x";
	queue_config.tenant = agent_config.tenant = tenant;
	cr_assert_eq(stw_queue_define(house, &queue_config, &queue), 0);
	cr_assert_eq(stw_agent_define(house, &agent_config, &agent), 0);
	make_ready(agent);
	serve(queue, SECOND, SECOND);
	cr_assert_eq(stw_agent_logout(house, agent, now), 0);
	cr_assert_eq(stw_agent_remove(house, agent), 0);
	cr_assert_eq(stw_queue_remove(house, queue), 0);
	for (int live = 0; live < 2; live++) {
		uint64_t interval = live ? STW_INTERVAL_LIVE : 0;

		cr_assert_eq(stw_tenant_interval(house, tenant, interval, now, &stats, &numbers),
			     0);
		cr_expect_eq(stats.answered, 1);
		cr_expect_eq(numbers.connected_ns, SECOND);
		cr_assert_eq(stw_tenant_interval(house, everybody, interval, now, &stats, &numbers),
			     0);
		cr_expect_eq(stats.answered + numbers.answered, 0);
	}
}

Test(acd_numbers, tenants_see_their_own_numbers_only)
{
	struct stw_tenant_config config = STW_TENANT_CONFIG_INIT;
	struct stw_tenant tenant;

	config.name = "acme";
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(stw_tenant_define(house, &config, &tenant), 0);
		come_and_go(tenant);
		cr_assert_eq(stw_tenant_remove(house, tenant), 0);
		stw_acd_check(house);
	}
}
