/* SPDX-License-Identifier: BSD-3-Clause */
#include "house.h"

#define TENANTS_MAX 17

static void
tenants_open(void)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;

	config.agents_max = 10;
	config.queues_max = 10;
	config.contacts_max = 20;
	config.skills_max = 4;
	config.events_max = 256;
	config.tenants_max = TENANTS_MAX;
	house_open_with(&config);
}

TestSuite(tenant, .init = tenants_open, .fini = house_close);

static struct stw_tenant
tenant_with(struct stw_tenant_config config, const char *name)
{
	struct stw_tenant tenant = {0};

	config.name = name;
	cr_assert_eq(stw_tenant_define(house, &config, &tenant), 0);
	cr_assert_neq(tenant.id, 0);
	stw_acd_check(house);
	return tenant;
}

static struct stw_tenant
tenant_of(const char *name)
{
	return tenant_with((struct stw_tenant_config)STW_TENANT_CONFIG_INIT, name);
}

static int
queue_define_for(struct stw_tenant tenant, const char *name, const struct stw_skill *skill,
		 struct stw_queue *queue)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_skill_level level = {.level = 50};
	struct stw_step_config step = {.terms = &level, .terms_count = 1};
	int error;

	config.name = name;
	config.tenant = tenant;
	if (skill) {
		level.skill = *skill;
		config.steps = &step;
		config.steps_count = 1;
	}
	error = stw_queue_define(house, &config, queue);
	stw_acd_check(house);
	return error;
}

static struct stw_queue
queue_for(struct stw_tenant tenant, const char *name)
{
	struct stw_queue queue = {0};

	cr_assert_eq(queue_define_for(tenant, name, NULL, &queue), 0);
	return queue;
}

static int
agent_define_for(struct stw_tenant tenant, const char *name, const struct stw_skill *skill,
		 struct stw_agent *agent)
{
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_skill_level level = {.level = 50};
	int error;

	config.name = name;
	config.tenant = tenant;
	if (skill) {
		level.skill = *skill;
		config.skills = &level;
		config.skills_count = 1;
	}
	error = stw_agent_define(house, &config, agent);
	stw_acd_check(house);
	return error;
}

static struct stw_agent
agent_for(struct stw_tenant tenant, const char *name)
{
	struct stw_agent agent = {0};

	cr_assert_eq(agent_define_for(tenant, name, NULL, &agent), 0);
	return agent;
}

static struct stw_tenant_usage
usage_of(struct stw_tenant tenant)
{
	struct stw_tenant_usage usage = {.agents = 99};

	cr_assert_eq(stw_tenant_usage(house, tenant, &usage), 0);
	return usage;
}

Test(tenant, names_are_of_each_tenant)
{
	struct stw_tenant red = tenant_of("red"), blue = tenant_of("blue"), found;
	struct stw_queue red_queue = queue_for(red, "sales"), blue_queue = queue_for(blue, "sales");
	struct stw_agent red_agent = agent_for(red, "ann"), blue_agent = agent_for(blue, "ann");
	struct stw_skill red_skill, blue_skill, skill;
	struct stw_queue queue;
	struct stw_agent agent;

	cr_assert_eq(stw_skill_define(house, red, "french", &red_skill), 0);
	cr_assert_eq(stw_skill_define(house, blue, "french", &blue_skill), 0);
	cr_assert_eq(stw_skill_define(house, blue, "french", &skill), -EEXIST);
	cr_assert_eq(queue_define_for(red, "sales", NULL, &queue), -EEXIST);
	cr_assert_eq(agent_define_for(red, "ann", NULL, &agent), -EEXIST);
	cr_assert_eq(stw_queue_find(house, blue, "sales", &queue), 0);
	cr_assert_eq(queue.id, blue_queue.id);
	cr_assert_eq(stw_queue_find(house, red, "sales", &queue), 0);
	cr_assert_eq(queue.id, red_queue.id);
	cr_assert_eq(stw_queue_find(house, STW_TENANT_DEFAULT, "sales", &queue), -ENOENT);
	cr_assert_eq(stw_agent_find(house, blue, "ann", &agent), 0);
	cr_assert_eq(agent.id, blue_agent.id);
	cr_assert_eq(stw_agent_find(house, red, "ann", &agent), 0);
	cr_assert_eq(agent.id, red_agent.id);
	cr_assert_eq(stw_agent_find(house, STW_TENANT_DEFAULT, "ann", &agent), -ENOENT);
	cr_assert_eq(stw_skill_find(house, red, "french", &skill), 0);
	cr_assert_eq(skill.id, red_skill.id);
	cr_assert_eq(stw_skill_find(house, STW_TENANT_DEFAULT, "french", &skill), -ENOENT);
	cr_assert_eq(stw_tenant_find(house, "blue", &found), 0);
	cr_assert_eq(found.id, blue.id);
	cr_assert_eq(stw_tenant_find(house, "green", &found), -ENOENT);
}

Test(tenant, name_is_not_found_for_any_other_tenant)
{
	struct stw_queue queue = queue_for(STW_TENANT_DEFAULT, "sales"), found;

	for (int i = 0; i < TENANTS_MAX; i++) {
		char name[16];
		struct stw_tenant tenant;

		snprintf(name, sizeof(name), "%d", i);
		tenant = tenant_of(name);
		cr_assert_eq(stw_queue_find(house, tenant, "sales", &found), -ENOENT);
	}
	cr_assert_eq(stw_queue_find(house, STW_TENANT_DEFAULT, "sales", &found), 0);
	cr_assert_eq(found.id, queue.id);
}

Test(tenant, agents_serve_their_own_tenant_only)
{
	struct stw_tenant red = tenant_of("red"), blue = tenant_of("blue");
	struct stw_queue queue = queue_for(red, "sales");
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_queue_config queue_config = STW_QUEUE_CONFIG_INIT;
	struct stw_agent theirs = agent_for(blue, "ann"), ours = agent_for(red, "ann");
	struct stw_agent everybodys = agent_for(STW_TENANT_DEFAULT, "ann");
	struct stw_contact contact;

	make_ready(theirs);
	make_ready(everybodys);
	cr_assert_eq(enqueue_into(queue, &contact), 0);
	cr_assert_eq(agent_id_of(contact), 0);
	config.tenant = blue;
	cr_assert_eq(stw_agent_update(house, theirs, &config, now), 0);
	queue_config.tenant = red;
	cr_assert_eq(stw_queue_update(house, queue, &queue_config, now), 0);
	stw_acd_check(house);
	cr_assert_eq(agent_id_of(contact), 0);
	make_ready(ours);
	cr_assert_eq(agent_id_of(contact), ours.id);
	cr_assert_eq(state_of(theirs), STW_AGENT_READY);
}

Test(tenant, skills_of_another_tenant_are_unknown)
{
	struct stw_tenant red = tenant_of("red"), blue = tenant_of("blue");
	struct stw_skill skill;
	struct stw_queue queue;
	struct stw_agent agent;

	cr_assert_eq(stw_skill_define(house, red, "french", &skill), 0);
	cr_assert_eq(queue_define_for(blue, "q", &skill, &queue), -ESTALE);
	cr_assert_eq(queue_define_for(STW_TENANT_DEFAULT, "q", &skill, &queue), -ESTALE);
	cr_assert_eq(agent_define_for(blue, "a", &skill, &agent), -ESTALE);
	cr_assert_eq(queue_define_for(red, "q", &skill, &queue), 0);
	cr_assert_eq(agent_define_for(red, "a", &skill, &agent), 0);
}

Test(tenant, tenant_of_a_queue_or_agent_stays)
{
	struct stw_tenant red = tenant_of("red");
	struct stw_agent_config agent_config = STW_AGENT_CONFIG_INIT;
	struct stw_queue_config queue_config = STW_QUEUE_CONFIG_INIT;
	struct stw_queue queue = queue_for(red, "sales");
	struct stw_agent agent = agent_for(red, "ann");

	cr_assert_eq(stw_queue_update(house, queue, &queue_config, now), -EINVAL);
	cr_assert_eq(stw_agent_update(house, agent, &agent_config, now), -EINVAL);
	agent_config.tenant = queue_config.tenant = red;
	cr_assert_eq(stw_queue_update(house, queue, &queue_config, now), 0);
	cr_assert_eq(stw_agent_update(house, agent, &agent_config, now), 0);
}

Test(tenant, limits_hold_for_definitions)
{
	struct stw_tenant_config config = STW_TENANT_CONFIG_INIT;
	struct stw_tenant red;
	struct stw_skill skill;
	struct stw_queue queue, more;
	struct stw_agent agent, another;

	config.agents_max = config.queues_max = config.skills_max = 1;
	red = tenant_with(config, "red");
	cr_assert_eq(agent_define_for(red, "a", NULL, &agent), 0);
	cr_assert_eq(queue_define_for(red, "q", NULL, &queue), 0);
	cr_assert_eq(stw_skill_define(house, red, "s", &skill), 0);
	cr_assert_eq(agent_define_for(red, "b", NULL, &another), -ENOSPC);
	cr_assert_eq(queue_define_for(red, "r", NULL, &more), -ENOSPC);
	cr_assert_eq(stw_skill_define(house, red, "t", &skill), -ENOSPC);
	cr_assert_eq(usage_of(red).agents, 1);
	cr_assert_eq(usage_of(red).queues, 1);
	cr_assert_eq(usage_of(red).skills, 1);
	cr_assert_eq(stw_agent_remove(house, agent), 0);
	cr_assert_eq(stw_queue_remove(house, queue), 0);
	cr_assert_eq(agent_define_for(red, "b", NULL, &another), 0);
	cr_assert_eq(queue_define_for(red, "r", NULL, &more), 0);
	agent_for(STW_TENANT_DEFAULT, "b");
}

Test(tenant, limits_of_the_engine_come_on_top)
{
	struct stw_tenant red = tenant_of("red");
	struct stw_skill skill;
	struct stw_queue queue;
	struct stw_agent agent;
	char name[16];

	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "%d", i);
		queue_for(red, name);
		agent_for(red, name);
		if (i < 4)
			cr_assert_eq(stw_skill_define(house, red, name, &skill), 0);
	}
	cr_assert_eq(queue_define_for(red, "more", NULL, &queue), -ENOSPC);
	cr_assert_eq(agent_define_for(red, "more", NULL, &agent), -ENOSPC);
	cr_assert_eq(stw_skill_define(house, red, "more", &skill), -ENOSPC);
	cr_assert_eq(usage_of(red).queues, 10);
	cr_assert_eq(usage_of(red).agents, 10);
	cr_assert_eq(usage_of(red).skills, 4);
}

Test(tenant, limit_of_contacts_counts_over_all_its_queues)
{
	struct stw_tenant_config config = STW_TENANT_CONFIG_INIT;
	struct stw_contact contacts[2], contact;
	struct stw_queue sales, service, other;
	struct stw_queue_stats stats;
	struct stw_tenant red;

	config.contacts_max = 2;
	red = tenant_with(config, "red");
	sales = queue_for(red, "sales");
	service = queue_for(red, "service");
	other = queue_for(STW_TENANT_DEFAULT, "sales");
	cr_assert_eq(enqueue_into(sales, &contacts[0]), 0);
	cr_assert_eq(enqueue_into(service, &contacts[1]), 0);
	cr_assert_eq(enqueue_into(sales, &contact), -ENOSPC);
	cr_assert_eq(enqueue_into(other, &contact), 0);
	cr_assert_eq(stw_queue_stats(house, sales, &stats), 0);
	cr_assert_eq(stats.offered, 2);
	cr_assert_eq(stats.refused, 1);
	cr_assert_eq(usage_of(red).contacts, 2);
	cr_assert_eq(usage_of(red).contacts_refused, 1);
	/* A connected one still counts; an ended and a cancelled one do not. */
	make_ready(agent_for(red, "ann"));
	accept_next();
	cr_assert_eq(enqueue_into(sales, &contact), -ENOSPC);
	end(contacts[0]);
	cr_assert_eq(enqueue_into(sales, &contact), 0);
	cr_assert_eq(enqueue_into(sales, &contacts[0]), -ENOSPC);
	cr_assert_eq(stw_contact_cancel(house, contact, now), 0);
	stw_acd_check(house);
	cr_assert_eq(usage_of(red).contacts, 1);
	cr_assert_eq(usage_of(red).contacts_refused, 3);
	cr_assert_eq(enqueue_into(service, &contact), 0);
}

Test(tenant, contact_refused_by_another_limit_does_not_count)
{
	struct stw_queue_config queue_config = STW_QUEUE_CONFIG_INIT;
	struct stw_tenant_config config = STW_TENANT_CONFIG_INIT;
	struct stw_contact contact;
	struct stw_queue queue, other;
	struct stw_tenant red;

	config.contacts_max = 19;
	red = tenant_with(config, "red");
	queue_config.name = "short";
	queue_config.tenant = red;
	queue_config.length_max = 1;
	cr_assert_eq(stw_queue_define(house, &queue_config, &queue), 0);
	other = queue_for(STW_TENANT_DEFAULT, "other");
	cr_assert_eq(enqueue_into(queue, &contact), 0);
	cr_assert_eq(enqueue_into(queue, &contact), -ENOSPC);
	cr_assert_eq(usage_of(red).contacts, 1);
	cr_assert_eq(usage_of(red).contacts_refused, 0);
	for (int i = 0; i < 19; i++)
		cr_assert_eq(enqueue_into(other, &contact), 0);
	cr_assert_eq(enqueue_into(queue_for(red, "long"), &contact), -ENOSPC);
	cr_assert_eq(usage_of(red).contacts, 1);
}

Test(tenant, tenant_with_agents_or_queues_cannot_be_removed)
{
	struct stw_tenant red = tenant_of("red"), again;
	struct stw_skill skill, fresh;
	struct stw_agent agent = agent_for(red, "ann");
	struct stw_queue queue;
	struct stw_tenant_usage usage;

	cr_assert_eq(stw_tenant_remove(house, red), -EBUSY);
	cr_assert_eq(stw_agent_remove(house, agent), 0);
	queue = queue_for(red, "sales");
	cr_assert_eq(stw_tenant_remove(house, red), -EBUSY);
	cr_assert_eq(stw_queue_remove(house, queue), 0);
	cr_assert_eq(stw_skill_define(house, red, "french", &skill), 0);
	cr_assert_eq(stw_tenant_remove(house, red), 0);
	stw_acd_check(house);
	cr_assert_eq(stw_tenant_remove(house, red), -ESTALE);
	cr_assert_eq(stw_tenant_usage(house, red, &usage), -ESTALE);
	cr_assert_eq(stw_tenant_find(house, "red", &again), -ENOENT);
	cr_assert_eq(queue_define_for(red, "sales", NULL, &queue), -ESTALE);
	cr_assert_eq(agent_define_for(red, "ann", NULL, &agent), -ESTALE);
	cr_assert_eq(stw_skill_define(house, red, "german", &fresh), -ESTALE);
	cr_assert_eq(stw_skill_find(house, red, "french", &fresh), -ESTALE);
	/* Its slots are given anew, and old handles name nothing. */
	again = tenant_of("red");
	cr_assert_neq(again.id, red.id);
	cr_assert_eq(stw_skill_find(house, again, "french", &fresh), -ENOENT);
	for (int i = 0; i < 4; i++) {
		char name[2] = {(char)('a' + i), 0};

		cr_assert_eq(stw_skill_define(house, again, name, &fresh), 0);
	}
	cr_assert_eq(queue_define_for(again, "sales", &skill, &queue), -ESTALE);
}

Test(tenant, default_tenant_is_always_there)
{
	struct stw_tenant_usage usage;

	cr_assert_eq(stw_tenant_remove(house, STW_TENANT_DEFAULT), -EINVAL);
	queue_for(STW_TENANT_DEFAULT, "sales");
	usage = usage_of(STW_TENANT_DEFAULT);
	cr_assert_eq(usage.queues, 1);
	cr_assert_eq(usage.agents, 0);
}

Test(tenant, bad_definitions_are_refused)
{
	struct stw_tenant_config config = STW_TENANT_CONFIG_INIT;
	struct stw_tenant tenant = {9};

	cr_assert_eq(stw_tenant_define(house, &config, &tenant), -EINVAL);
	config.name = "";
	cr_assert_eq(stw_tenant_define(house, &config, &tenant), -EINVAL);
	config.name = "red";
	config.struct_size = 0;
	cr_assert_eq(stw_tenant_define(house, &config, &tenant), -EINVAL);
	tenant_of("red");
	config.struct_size = sizeof(config);
	cr_assert_eq(stw_tenant_define(house, &config, &tenant), -EEXIST);
	for (int i = 1; i < TENANTS_MAX; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d", i);
		tenant_of(name);
	}
	config.name = "more";
	cr_assert_eq(stw_tenant_define(house, &config, &tenant), -ENOSPC);
	cr_assert_eq(tenant.id, 9);
}

Test(tenant, handles_that_name_nothing_are_stale)
{
	const uint64_t bad[] = {1,
				2,
				UINT64_C(1) << 32,
				(UINT64_C(1) << 32) + 1,
				(UINT64_C(1) << 32) + TENANTS_MAX + 1,
				UINT64_MAX};
	struct stw_tenant_usage usage;
	struct stw_queue queue;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct stw_tenant tenant = {bad[i]};

		cr_assert_eq(stw_tenant_usage(house, tenant, &usage), -ESTALE);
		cr_assert_eq(stw_tenant_remove(house, tenant), -ESTALE);
		cr_assert_eq(queue_define_for(tenant, "q", NULL, &queue), -ESTALE);
	}
}
