/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many agents in one call.
 */
#include "house.h"

#define MANY 5

TestSuite(acd_agents, .init = house_open, .fini = house_close);

static struct stw_agent agents[MANY];

static void
define_many(void)
{
	char name[16];

	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "agent-%d", i);
		agents[i] = agent_of(name, NULL);
	}
}

Test(acd_agents, shift_comes_and_goes)
{
	struct stw_queue queue = queue_of("queue", NULL);
	struct stw_contact contacts[MANY];
	int results[MANY];

	define_many();
	for (int i = 0; i < MANY; i++)
		contacts[i] = enqueue(queue);
	cr_assert_eq(stw_agents_login(house, agents, MANY, now, results), MANY);
	cr_assert_eq(stw_agents_ready(house, agents, MANY, now, NULL), MANY);
	stw_acd_check(house);
	for (int i = 0; i < MANY; i++) {
		cr_assert_eq(agent_id_of(contacts[i]), agents[i].id, "in the order given");
		cr_assert_eq(results[i], 0);
		accept_next();
		end(contacts[i]);
	}
	cr_assert_eq(stw_agents_not_ready(house, agents, MANY, 12, now, results), MANY);
	cr_assert_eq(reason_of(agents[3]), 12);
	cr_assert_eq(stw_agents_logout(house, agents, MANY, now, results), MANY);
	cr_assert_eq(state_of(agents[4]), STW_AGENT_LOGGED_OUT);
	stw_acd_check(house);
}

Test(acd_agents, refusal_of_one_is_his_own)
{
	int results[MANY];

	define_many();
	cr_assert_eq(stw_agent_login(house, agents[1], now), 0);
	cr_assert_eq(stw_agent_remove(house, agents[2]), 0);
	cr_assert_eq(stw_agents_login(house, agents, MANY, now, results), 3);
	cr_assert_eq(results[0], 0);
	cr_assert_eq(results[1], -EALREADY);
	cr_assert_eq(results[2], -ESTALE);
	cr_assert_eq(results[4], 0);
	cr_assert_eq(stw_agents_not_ready(house, agents, MANY, 1000, now, results), 0);
	cr_assert_eq(results[4], -EINVAL);
	cr_assert_eq(stw_agents_ready(house, agents, 0, now, NULL), 0);
	cr_assert_eq(stw_agents_logout(house, agents, MANY, now, results), 4);
	cr_assert_eq(results[2], -ESTALE);
}

Test(acd_agents, update_teaches_many_at_once)
{
	struct stw_queue queue = queue_of("queue", "french");
	struct stw_agent_config configs[MANY];
	struct stw_skill_level french = {.level = 60};
	struct stw_contact contact;
	int results[MANY];

	define_many();
	french.skill = skill_of("french");
	for (int i = 0; i < MANY; i++) {
		configs[i] = (struct stw_agent_config)STW_AGENT_CONFIG_INIT;
		configs[i].skills = &french;
		configs[i].skills_count = 1;
	}
	configs[1].slots[STW_CHANNEL_CHAT] = 17;
	configs[2].name = "another";
	make_ready(agents[1]);
	make_ready(agents[3]);
	contact = enqueue(queue);
	cr_assert_eq(agent_id_of(contact), 0);
	cr_assert_eq(stw_agents_update(house, agents, configs, MANY, now, results), 3);
	stw_acd_check(house);
	cr_assert_eq(results[0], 0);
	cr_assert_eq(results[1], -EINVAL);
	cr_assert_eq(results[2], -EINVAL);
	cr_assert_eq(agent_id_of(contact), agents[3].id);
	cr_assert_eq(stw_agents_update(house, agents, configs, 0, now, NULL), 0);
}

Test(acd_agents, update_of_one_agent_twice_keeps_the_last)
{
	struct stw_agent_config configs[2] = {STW_AGENT_CONFIG_INIT, STW_AGENT_CONFIG_INIT};
	struct stw_queue_config chat = STW_QUEUE_CONFIG_INIT;
	struct stw_contact contact;
	struct stw_agent twice[2];

	define_many();
	twice[0] = twice[1] = agents[0];
	configs[0].slots[STW_CHANNEL_VOICE] = 2;
	configs[1].slots[STW_CHANNEL_CHAT] = 2;
	make_ready(agents[0]);
	cr_assert_eq(stw_agents_update(house, twice, configs, 2, now, NULL), 2);
	stw_acd_check(house);
	contact = enqueue(queue_of("calls", NULL));
	cr_assert_eq(agent_id_of(contact), 0);
	chat.channel = STW_CHANNEL_CHAT;
	contact = enqueue(queue_with(chat, "chat", NULL));
	cr_assert_eq(agent_id_of(contact), agents[0].id);
}
