/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Surge rules: when they go on and off, what becomes of newcomers, and that everybody is counted.
 */
#include "house.h"

TestSuite(acd_surge, .init = house_open, .fini = house_close);

static struct stw_surge_rule
rule_of(enum stw_surge_metric metric, uint64_t on_bound, uint64_t off_bound,
	enum stw_surge_action action)
{
	return (struct stw_surge_rule){.metric = metric,
				       .action = action,
				       .on_bound = on_bound,
				       .off_bound = off_bound,
				       .value_max = 15,
				       .urgency_max = 15};
}

static struct stw_queue
queue_ruled(const char *name, const struct stw_surge_rule *rules, uint32_t count)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;

	config.surge_rules = rules;
	config.surge_rules_count = count;
	config.service_level_ns = 10 * SECOND;
	config.offer_timeout_ns = 0;
	return queue_with(config, name, NULL);
}

static int
come_with(struct stw_contact_request request, struct stw_queue queue, struct stw_contact *contact)
{
	int result;

	request.queue = queue;
	result = stw_contact_enqueue(house, &request, now, contact);
	stw_acd_check(house);
	return result;
}

static int
come(struct stw_queue queue)
{
	struct stw_contact contact;

	return come_with((struct stw_contact_request)STW_CONTACT_REQUEST_INIT, queue, &contact);
}

static void
leave(struct stw_contact contact)
{
	cr_assert_eq(stw_contact_cancel(house, contact, now), 0);
	stw_acd_check(house);
}

/* 1: the rule went on, 0: off, -1: nothing is told of it. */
static int
told_of(struct stw_queue queue, uint32_t rule)
{
	struct stw_event event = await(STW_EVENT_SURGE);

	if (event.type == STW_EVENT_NONE)
		return -1;
	cr_assert_eq(event.queue.id, queue.id);
	cr_assert_eq(event.reason, rule);
	return event.surge_on;
}

Test(acd_surge, length_refuses_between_its_bounds)
{
	struct stw_surge_rule rule = rule_of(STW_SURGE_LENGTH, 3, 1, STW_SURGE_REFUSE);
	struct stw_queue queue = queue_ruled("sales", &rule, 1);
	struct stw_contact waiting[3], refused = {7};

	for (int i = 0; i < 3; i++)
		waiting[i] = enqueue(queue);
	cr_expect_eq(told_of(queue, 0), -1);
	cr_expect_eq(
		come_with((struct stw_contact_request)STW_CONTACT_REQUEST_INIT, queue, &refused),
		-EAGAIN);
	cr_expect_eq(refused.id, 7);
	cr_expect_eq(told_of(queue, 0), 1);
	leave(waiting[0]);
	cr_expect_eq(come(queue), -EAGAIN);
	leave(waiting[1]);
	cr_expect_eq(come(queue), 0);
	cr_expect_eq(told_of(queue, 0), 0);
	cr_expect_eq(told_of(queue, 0), -1);
	cr_expect_eq(stats_of(queue).offered, 6);
	cr_expect_eq(stats_of(queue).refused, 2);
	cr_expect_eq(stats_of(queue).waiting, 2);
}

Test(acd_surge, a_noisy_metric_does_not_make_it_flap)
{
	struct stw_surge_rule rule = rule_of(STW_SURGE_LENGTH, 20, 10, STW_SURGE_CALLBACK);
	struct stw_queue queue = queue_ruled("sales", &rule, 1);
	struct stw_contact waiting[64];
	unsigned count = 0, switches = 0;
	uint64_t dice = 1;

	/* Twice up past the one bound and down past the other, and much to and fro between. */
	for (int turn = 0; turn < 4; turn++) {
		while (turn & 1 ? count > 9 : count < 21) {
			dice = dice * 6364136223846793005u + 1442695040888963407u;
			if ((dice >> 33) % 100 < (turn & 1 ? 45 : 55) && count < 60) {
				struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;

				cr_assert_geq(come_with(request, queue, &waiting[count]), 0);
				count++;
			} else if (count) {
				leave(waiting[--count]);
			}
			for (struct stw_event event = next_event(); event.type != STW_EVENT_NONE;
			     event = next_event())
				switches += event.type == STW_EVENT_SURGE;
		}
		/* Somebody comes, whether it goes up or down. */
		cr_assert_geq(come_with((struct stw_contact_request)STW_CONTACT_REQUEST_INIT, queue,
					&waiting[count]),
			      0);
		count++;
	}
	for (struct stw_event event = next_event(); event.type != STW_EVENT_NONE;
	     event = next_event())
		switches += event.type == STW_EVENT_SURGE;
	cr_expect_eq(switches, 4, "%u", switches);
}

Test(acd_surge, goes_off_by_time_when_nobody_comes)
{
	struct stw_surge_rule rule = rule_of(STW_SURGE_LENGTH, 1, 0, STW_SURGE_DEFLECT);
	struct stw_queue queue = queue_ruled("sales", &rule, 1);
	struct stw_contact contact = enqueue(queue);

	cr_expect_eq(come(queue), STW_ENQUEUE_DEFLECTED);
	cr_expect_eq(told_of(queue, 0), 1);
	leave(contact);
	for (int i = 0; i < 20; i++)
		advance(SECOND);
	cr_expect_eq(told_of(queue, 0), 0);
}

Test(acd_surge, deflected_ones_are_counted_and_not_queued)
{
	struct stw_surge_rule rule = rule_of(STW_SURGE_LENGTH, 1, 0, STW_SURGE_DEFLECT);
	struct stw_queue queue = queue_ruled("sales", &rule, 1);
	struct stw_contact contact = {7};

	enqueue(queue);
	cr_expect_eq(
		come_with((struct stw_contact_request)STW_CONTACT_REQUEST_INIT, queue, &contact),
		STW_ENQUEUE_DEFLECTED);
	cr_expect_eq(contact.id, 7);
	cr_expect_eq(stats_of(queue).deflected, 1);
	cr_expect_eq(stats_of(queue).offered, 2);
	cr_expect_eq(stats_of(queue).waiting, 1);
}

Test(acd_surge, callback_is_offered_and_the_contact_queued)
{
	struct stw_surge_rule rule = rule_of(STW_SURGE_LENGTH, 1, 0, STW_SURGE_CALLBACK);
	struct stw_queue queue = queue_ruled("sales", &rule, 1);
	struct stw_contact contact = {0};

	enqueue(queue);
	cr_expect_eq(
		come_with((struct stw_contact_request)STW_CONTACT_REQUEST_INIT, queue, &contact),
		STW_ENQUEUE_CALLBACK);
	cr_expect_eq(stats_of(queue).callbacks_offered, 1);
	cr_expect_eq(stats_of(queue).waiting, 2);
	leave(contact);
}

Test(acd_surge, overflow_goes_to_the_other_queue_and_counts_in_both)
{
	struct stw_surge_rule rule = rule_of(STW_SURGE_LENGTH, 1, 0, STW_SURGE_OVERFLOW);
	struct stw_surge_rule refuse = rule_of(STW_SURGE_LENGTH, 1, 0, STW_SURGE_REFUSE);
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_contact_status status;
	struct stw_contact contact = {0};
	struct stw_queue other, queue;

	config.surge_rules = &refuse;
	config.surge_rules_count = 1;
	config.length_max = 2;
	other = queue_with(config, "overflow", NULL);
	rule.overflow = other;
	queue = queue_ruled("sales", &rule, 1);
	enqueue(queue);
	enqueue(other);
	cr_expect_eq(
		come_with((struct stw_contact_request)STW_CONTACT_REQUEST_INIT, queue, &contact),
		STW_ENQUEUE_OVERFLOWED);
	cr_assert_eq(stw_contact_status(house, contact, &status), 0);
	cr_expect_eq(status.queue.id, other.id);
	cr_expect_eq(come(queue), -ENOSPC);
	cr_expect_eq(stats_of(queue).offered, 3);
	cr_expect_eq(stats_of(queue).overflowed, 2);
	cr_expect_eq(stats_of(other).offered, 3);
	cr_expect_eq(stats_of(other).refused, 1);
	cr_expect_eq(stats_of(other).waiting, 2);
}

Test(acd_surge, overflow_to_a_removed_queue_does_not_apply)
{
	struct stw_surge_rule rule = rule_of(STW_SURGE_LENGTH, 1, 0, STW_SURGE_OVERFLOW);
	struct stw_queue queue;

	rule.overflow = queue_of("overflow", NULL);
	queue = queue_ruled("sales", &rule, 1);
	cr_assert_eq(stw_queue_remove(house, rule.overflow), 0);
	enqueue(queue);
	cr_expect_eq(come(queue), STW_ENQUEUE_QUEUED);
	cr_expect_eq(stats_of(queue).waiting, 2);
}

Test(acd_surge, rules_are_for_the_classes_they_name)
{
	struct stw_surge_rule rules[2] = {rule_of(STW_SURGE_LENGTH, 1, 0, STW_SURGE_REFUSE),
					  rule_of(STW_SURGE_LENGTH, 1, 0, STW_SURGE_DEFLECT)};
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_contact contact;
	struct stw_queue queue;

	rules[0].value_max = 3;
	rules[1].urgency_max = 5;
	queue = queue_ruled("sales", rules, 2);
	enqueue(queue);
	request.value = 3;
	cr_expect_eq(come_with(request, queue, &contact), -EAGAIN);
	request.value = 4;
	cr_expect_eq(come_with(request, queue, &contact), STW_ENQUEUE_DEFLECTED);
	request.urgency = 6;
	cr_expect_eq(come_with(request, queue, &contact), STW_ENQUEUE_QUEUED);
	request.value = request.urgency = 0;
	request.red_channel = 1;
	cr_expect_eq(come_with(request, queue, &contact), STW_ENQUEUE_QUEUED);
}

Test(acd_surge, expected_wait_is_a_metric)
{
	struct stw_surge_rule rule =
		rule_of(STW_SURGE_EWT, 60 * SECOND, 30 * SECOND, STW_SURGE_CALLBACK);
	struct stw_queue queue = queue_ruled("sales", &rule, 1);

	ready_agent("Ann", NULL);
	/* One contact in ten seconds, so the sixth waits for a minute. */
	for (int i = 0; i < 3; i++)
		come(queue);
	for (int i = 0; i < 20; i++) {
		now += 10 * SECOND;
		end(accept_next().contact);
		come(queue);
	}
	cr_expect_eq(stats_of(queue).callbacks_offered, 0);
	come(queue);
	come(queue);
	cr_expect_eq(stats_of(queue).callbacks_offered, 0);
	come(queue);
	cr_expect_eq(come(queue), STW_ENQUEUE_CALLBACK);
	for (int i = 0; i < 5; i++) {
		end(accept_next().contact);
		now += 10 * SECOND;
	}
	cr_expect_eq(come(queue), STW_ENQUEUE_QUEUED);
}

Test(acd_surge, service_level_goes_on_when_it_falls)
{
	struct stw_surge_rule rule = rule_of(STW_SURGE_SERVICE_LEVEL, 500, 800, STW_SURGE_DEFLECT);
	struct stw_queue queue = queue_ruled("sales", &rule, 1);

	ready_agent("Ann", NULL);
	enqueue(queue);
	enqueue(queue);
	enqueue(queue);
	now += 11 * SECOND;
	end(accept_next().contact);
	cr_expect_eq(come(queue), STW_ENQUEUE_DEFLECTED);
	/* Who waits yet is served; with nobody waiting it is met. */
	end(accept_next().contact);
	end(accept_next().contact);
	cr_expect_eq(come(queue), STW_ENQUEUE_QUEUED);
	cr_expect_eq(stats_of(queue).deflected, 1);
}

Test(acd_surge, occupancy_is_of_the_agents_at_work)
{
	struct stw_surge_rule rule = rule_of(STW_SURGE_OCCUPANCY, 1000, 500, STW_SURGE_REFUSE);
	struct stw_queue queue = queue_ruled("sales", &rule, 1);
	struct stw_agent ann, bob;

	cr_expect_eq(come(queue), -EAGAIN);
	ann = ready_agent("Ann", NULL);
	bob = ready_agent("Bob", NULL);
	cr_expect_eq(come(queue), STW_ENQUEUE_QUEUED);
	cr_expect_eq(come(queue), STW_ENQUEUE_QUEUED);
	cr_expect_eq(come(queue), -EAGAIN);
	accept_next();
	end(accept_next().contact);
	cr_expect_eq(come(queue), STW_ENQUEUE_QUEUED);
	cr_expect_eq(state_of(ann) == STW_AGENT_CONNECTED || state_of(bob) == STW_AGENT_CONNECTED,
		     true);
	cr_expect_eq(come(queue), -EAGAIN);
}

Test(acd_surge, agents_who_are_away_are_not_busy)
{
	struct stw_surge_rule rule = rule_of(STW_SURGE_OCCUPANCY, 400, 100, STW_SURGE_REFUSE);
	struct stw_queue queue = queue_ruled("sales", &rule, 1);

	ready_agent("Ann", NULL);
	stw_agent_login(house, agent_of("Bob", NULL), now);
	stw_acd_check(house);
	cr_expect_eq(come(queue), STW_ENQUEUE_QUEUED);
	cr_expect_eq(come(queue), -EAGAIN);
}

Test(acd_surge, rules_that_go_away_go_off)
{
	struct stw_surge_rule rule = rule_of(STW_SURGE_LENGTH, 1, 0, STW_SURGE_REFUSE);
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_queue queue = queue_ruled("sales", &rule, 1);

	enqueue(queue);
	cr_expect_eq(come(queue), -EAGAIN);
	cr_expect_eq(told_of(queue, 0), 1);
	config.name = NULL;
	cr_assert_eq(stw_queue_update(house, queue, &config, now), 0);
	cr_expect_eq(come(queue), STW_ENQUEUE_QUEUED);
	cr_expect_eq(told_of(queue, 0), 0);
}

Test(acd_surge, rules_are_checked)
{
	struct stw_surge_rule good = rule_of(STW_SURGE_LENGTH, 3, 1, STW_SURGE_REFUSE), rule;
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_queue queue;

	config.name = "sales";
	config.surge_rules_count = 1;
	cr_expect_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	config.surge_rules = &rule;
	config.surge_rules_count = STW_SURGE_RULES_MAX + 1;
	cr_expect_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	config.surge_rules_count = 1;
	rule = good;
	rule.off_bound = 3;
	cr_expect_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	rule = good;
	rule.metric = STW_SURGE_SERVICE_LEVEL;
	cr_expect_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	rule.off_bound = 1001;
	cr_expect_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	rule = good;
	rule.metric = (enum stw_surge_metric)4;
	cr_expect_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	rule = good;
	rule.action = (enum stw_surge_action)4;
	cr_expect_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	rule = good;
	rule.value_max = 16;
	cr_expect_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	rule = good;
	rule.urgency_max = 16;
	cr_expect_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	rule = good;
	rule.action = STW_SURGE_OVERFLOW;
	cr_expect_eq(stw_queue_define(house, &config, &queue), -ESTALE);
	rule = good;
	cr_expect_eq(stw_queue_define(house, &config, &queue), 0);
}
