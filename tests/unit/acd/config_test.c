/* SPDX-License-Identifier: BSD-3-Clause */
#include "house.h"

TestSuite(config, .init = house_open, .fini = house_close);

static const char long_name[] = "0123456789012345678901234567890123456789012345678901234567890123";

Test(config, names_are_unique_and_found)
{
	struct stw_agent agent = agent_of("ann", NULL);
	struct stw_queue queue = queue_of("ann", NULL);
	struct stw_skill skill = skill_of("ann");
	struct stw_agent_config agent_config = STW_AGENT_CONFIG_INIT;
	struct stw_queue_config queue_config = STW_QUEUE_CONFIG_INIT;
	struct stw_agent found_agent;
	struct stw_queue found_queue;
	struct stw_skill found_skill;

	agent_config.name = queue_config.name = "ann";
	cr_assert_eq(stw_agent_define(house, &agent_config, &found_agent), -EEXIST);
	cr_assert_eq(stw_queue_define(house, &queue_config, &found_queue), -EEXIST);
	cr_assert_eq(stw_skill_define(house, STW_TENANT_DEFAULT, "ann", &found_skill), -EEXIST);
	cr_assert_eq(stw_agent_find(house, STW_TENANT_DEFAULT, "ann", &found_agent), 0);
	cr_assert_eq(stw_queue_find(house, STW_TENANT_DEFAULT, "ann", &found_queue), 0);
	cr_assert_eq(stw_skill_find(house, STW_TENANT_DEFAULT, "ann", &found_skill), 0);
	cr_assert_eq(found_agent.id, agent.id);
	cr_assert_eq(found_queue.id, queue.id);
	cr_assert_eq(found_skill.id, skill.id);
	cr_assert_eq(stw_agent_find(house, STW_TENANT_DEFAULT, "bob", &found_agent), -ENOENT);
	cr_assert_eq(stw_queue_find(house, STW_TENANT_DEFAULT, "bob", &found_queue), -ENOENT);
	cr_assert_eq(stw_skill_find(house, STW_TENANT_DEFAULT, "bob", &found_skill), -ENOENT);
}

Test(config, names_have_1_to_63_bytes)
{
	const char *bad[] = {NULL, "", long_name};

	for (int i = 0; i < 3; i++) {
		struct stw_agent_config agent_config = STW_AGENT_CONFIG_INIT;
		struct stw_queue_config queue_config = STW_QUEUE_CONFIG_INIT;
		struct stw_agent agent;
		struct stw_queue queue;
		struct stw_skill skill;

		agent_config.name = queue_config.name = bad[i];
		cr_assert_eq(stw_agent_define(house, &agent_config, &agent), -EINVAL);
		cr_assert_eq(stw_queue_define(house, &queue_config, &queue), -EINVAL);
		cr_assert_eq(stw_skill_define(house, STW_TENANT_DEFAULT, bad[i], &skill), -EINVAL);
	}
	agent_of(long_name + 1, NULL);
}

Test(config, full_tables_are_told)
{
	struct stw_agent_config agent_config = STW_AGENT_CONFIG_INIT;
	struct stw_queue_config queue_config = STW_QUEUE_CONFIG_INIT;
	struct stw_agent agent = {0};
	struct stw_queue queue = {0};
	struct stw_skill skill;
	char name[16];

	for (int i = 0; i < 70; i++) {
		snprintf(name, sizeof(name), "%d", i);
		agent = agent_of(name, NULL);
		if (i < 40)
			queue = queue_of(name, NULL);
		if (i < 8)
			skill_of(name);
	}
	agent_config.name = queue_config.name = "more";
	cr_assert_eq(stw_agent_define(house, &agent_config, &agent), -ENOSPC);
	cr_assert_eq(stw_queue_define(house, &queue_config, &queue), -ENOSPC);
	cr_assert_eq(stw_skill_define(house, STW_TENANT_DEFAULT, "more", &skill), -ENOSPC);
	cr_assert_eq(stw_agent_remove(house, agent), 0);
	cr_assert_eq(stw_agent_define(house, &agent_config, &agent), 0);
	cr_assert_eq(stw_queue_remove(house, queue), 0);
	cr_assert_eq(stw_queue_define(house, &queue_config, &queue), 0);
	stw_acd_check(house);
}

Test(config, agent_fields_outside_their_ranges_are_refused)
{
	struct stw_skill_level level = {.skill = skill_of("a"), .level = 1};
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_agent agent = {9};

	config.name = "ann";
	config.skills_count = 1;
	cr_assert_eq(stw_agent_define(house, &config, &agent), -EINVAL);
	config.skills = &level;
	level.level = 0;
	cr_assert_eq(stw_agent_define(house, &config, &agent), -EINVAL);
	level.level = 101;
	cr_assert_eq(stw_agent_define(house, &config, &agent), -EINVAL);
	level.level = 100;
	level.skill.id++;
	cr_assert_eq(stw_agent_define(house, &config, &agent), -ESTALE);
	level.skill = (struct stw_skill){0};
	cr_assert_eq(stw_agent_define(house, &config, &agent), -ESTALE);
	level.skill = skill_of("a");
	config.skills_count = 9;
	cr_assert_eq(stw_agent_define(house, &config, &agent), -EINVAL);
	config.skills_count = 1;
	config.struct_size = 0;
	cr_assert_eq(stw_agent_define(house, &config, &agent), -EINVAL);
	cr_assert_eq(agent.id, 9);
	config.struct_size = sizeof(config);
	cr_assert_eq(stw_agent_define(house, &config, &agent), 0);
}

Test(config, queue_fields_outside_their_ranges_are_refused)
{
	struct stw_skill_level level = {.skill = {0}, .level = 1};
	struct stw_step_config step = {.terms = &level, .terms_count = 1};
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_queue queue = {9};

	config.name = "sales";
	config.target_ns[3][3] = (INT64_C(1) << 61) + 1;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	config.target_ns[3][3] = -(INT64_C(1) << 61) - 1;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	config.target_ns[3][3] = 0;
	config.steps_count = 1;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	config.steps = &step;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -ESTALE);
	level.skill = skill_of("a");
	step.terms_count = 17;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	step.terms_count = 1;
	step.select = (enum stw_select)77;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	step.select = STW_SELECT_LONGEST_IDLE;
	config.steps_count = STW_QUEUE_STEPS_MAX + 1;
	cr_assert_eq(stw_queue_define(house, &config, &queue), -EINVAL);
	cr_assert_eq(queue.id, 9);
	config.steps_count = 1;
	cr_assert_eq(stw_queue_define(house, &config, &queue), 0);
}

Test(config, new_skill_of_an_agent_matches_at_once)
{
	struct stw_skill_level level = {.skill = skill_of("french"), .level = 50};
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_agent agent = ready_agent("ann", NULL);
	struct stw_contact contact = enqueue(queue_of("french", "french"));

	cr_assert_eq(agent_id_of(contact), 0);
	config.skills = &level;
	config.skills_count = 1;
	cr_assert_eq(stw_agent_update(house, agent, &config, now), 0);
	stw_acd_check(house);
	cr_assert_eq(agent_id_of(contact), agent.id);
	config.name = "bob";
	cr_assert_eq(stw_agent_update(house, agent, &config, now), -EINVAL);
	config.name = "ann";
	cr_assert_eq(stw_agent_update(house, agent, &config, now), 0);
	agent.id += UINT64_C(1) << 32;
	cr_assert_eq(stw_agent_update(house, agent, &config, now), -ESTALE);
}

Test(config, skill_taken_from_an_agent_takes_the_contacts, .description = "no offer any more")
{
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_queue queue = queue_of("french", "french");
	struct stw_agent agent = ready_agent("ann", "french");

	cr_assert_eq(stw_agent_update(house, agent, &config, now), 0);
	cr_assert_eq(agent_id_of(enqueue(queue)), 0);
}

Test(config, easier_queue_matches_at_once_and_keeps_ranks)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_queue queue = queue_of("french", "french");
	struct stw_agent ann = ready_agent("ann", NULL);
	struct stw_contact contacts[3];
	struct stw_contact_status status;
	struct stw_agent bob;

	now++;
	bob = ready_agent("bob", NULL);
	for (int i = 0; i < 3; i++)
		contacts[i] = enqueue(queue);
	config.target_ns[0][0] = 1000;
	cr_assert_eq(stw_queue_update(house, queue, &config, now), 0);
	stw_acd_check(house);
	cr_assert_eq(agent_id_of(contacts[0]), ann.id);
	cr_assert_eq(agent_id_of(contacts[1]), bob.id);
	cr_assert_eq(stw_contact_status(house, contacts[2], &status), 0);
	cr_assert_eq(status.rank_ns, (int64_t)now);
	config.name = "other";
	cr_assert_eq(stw_queue_update(house, queue, &config, now), -EINVAL);
	queue.id += UINT64_C(1) << 32;
	cr_assert_eq(stw_queue_update(house, queue, &config, now), -ESTALE);
}

Test(config, queue_with_contacts_cannot_be_removed)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_contact contact = enqueue(queue);
	struct stw_queue again;

	cr_assert_eq(stw_queue_remove(house, queue), -EBUSY);
	ready_agent("ann", NULL);
	accept_next();
	cr_assert_eq(stw_queue_remove(house, queue), -EBUSY);
	end(contact);
	cr_assert_eq(stw_queue_remove(house, queue), 0);
	cr_assert_eq(stw_queue_remove(house, queue), -ESTALE);
	request.queue = queue;
	cr_assert_eq(stw_contact_enqueue(house, &request, now, &contact), -ESTALE);
	again = queue_of("sales", NULL);
	cr_assert_neq(again.id, queue.id);
	cr_assert_eq(stw_contact_enqueue(house, &request, now, &contact), -ESTALE);
	contact = enqueue(again);
	cr_assert_neq(agent_id_of(contact), 0);
}

Test(config, queue_of_many_terms_asks_for_all)
{
	struct stw_skill_level terms[3] = {
		{skill_of("a"), 10}, {skill_of("b"), 20}, {skill_of("c"), 30}};
	struct stw_step_config step = {.terms = terms, .terms_count = 3};
	struct stw_queue_config queue_config = STW_QUEUE_CONFIG_INIT;
	struct stw_agent_config agent_config = STW_AGENT_CONFIG_INIT;
	struct stw_contact contact;
	struct stw_queue queue;
	struct stw_agent agent;

	queue_config.name = "q";
	queue_config.steps = &step;
	queue_config.steps_count = 1;
	cr_assert_eq(stw_queue_define(house, &queue_config, &queue), 0);
	contact = enqueue(queue);
	agent_config.skills = terms;
	agent_config.skills_count = 2;
	agent_config.name = "two";
	cr_assert_eq(stw_agent_define(house, &agent_config, &agent), 0);
	make_ready(agent);
	cr_assert_eq(agent_id_of(contact), 0);
	agent_config.skills_count = 3;
	agent_config.name = "three";
	cr_assert_eq(stw_agent_define(house, &agent_config, &agent), 0);
	make_ready(agent);
	cr_assert_eq(agent_id_of(contact), agent.id);
}
