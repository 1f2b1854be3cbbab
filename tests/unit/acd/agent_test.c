/* SPDX-License-Identifier: BSD-3-Clause */
#include "house.h"

TestSuite(agent, .init = house_open, .fini = house_close);

Test(agent, begins_logged_out_and_logs_in_not_ready)
{
	struct stw_agent agent = agent_of("ann", NULL);
	struct stw_agent_status status;

	cr_assert_eq(stw_agent_status(house, agent, &status), 0);
	cr_assert_eq(status.state, STW_AGENT_LOGGED_OUT);
	cr_assert_eq(status.since_ns, 0);
	cr_assert_eq(stw_agent_login(house, agent, now), 0);
	cr_assert_eq(stw_agent_login(house, agent, now), -EALREADY);
	cr_assert_eq(state_of(agent), STW_AGENT_NOT_READY);
	cr_assert_eq(reason_of(agent), STW_REASON_LOGIN);
	stw_acd_check(house);
}

Test(agent, logged_out_can_neither_be_ready_nor_not_ready)
{
	struct stw_agent agent = agent_of("ann", NULL);

	cr_assert_eq(stw_agent_ready(house, agent, now), -EINVAL);
	cr_assert_eq(stw_agent_not_ready(house, agent, 1, now), -EINVAL);
	cr_assert_eq(stw_agent_logout(house, agent, now), -EALREADY);
}

Test(agent, ready_twice_is_told_so)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent agent = ready_agent("ann", NULL);

	cr_assert_eq(stw_agent_ready(house, agent, now), -EALREADY);
	enqueue(queue);
	cr_assert_eq(stw_agent_ready(house, agent, now), -EALREADY);
}

Test(agent, not_ready_gives_the_hosts_reason_only)
{
	struct stw_agent agent = ready_agent("ann", NULL);

	cr_assert_eq(stw_agent_not_ready(house, agent, 1000, now), -EINVAL);
	cr_assert_eq(stw_agent_not_ready(house, agent, 999, now), 0);
	cr_assert_eq(state_of(agent), STW_AGENT_NOT_READY);
	cr_assert_eq(reason_of(agent), 999);
	cr_assert_eq(stw_agent_not_ready(house, agent, 998, now), 0);
	cr_assert_eq(reason_of(agent), 998);
	stw_acd_check(house);
}

Test(agent, not_ready_takes_no_contact)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent agent = ready_agent("ann", NULL);
	struct stw_contact contact;

	cr_assert_eq(stw_agent_not_ready(house, agent, 1, now), 0);
	contact = enqueue(queue);
	cr_assert_eq(agent_id_of(contact), 0);
	cr_assert_eq(stw_agent_ready(house, agent, now), 0);
	stw_acd_check(house);
	cr_assert_eq(agent_id_of(contact), agent.id);
}

Test(agent, who_has_been_idle_for_longest_is_chosen)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent agents[40];
	char name[16];

	for (int i = 0; i < 40; i++) {
		snprintf(name, sizeof(name), "agent %d", i);
		agents[i] = agent_of(name, NULL);
	}
	for (int i = 0; i < 40; i++) {
		now++;
		make_ready(agents[(i * 7 + 3) % 40]);
	}
	for (int i = 0; i < 40; i++)
		cr_assert_eq(agent_id_of(enqueue(queue)), agents[(i * 7 + 3) % 40].id);
}

Test(agent, withdrawn_offer_begins_a_new_idle_time)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent ann = ready_agent("ann", NULL);
	struct stw_agent bob;
	struct stw_contact contact;

	now++;
	bob = ready_agent("bob", NULL);
	contact = enqueue(queue);
	cr_assert_eq(agent_id_of(contact), ann.id);
	now++;
	cr_assert_eq(stw_contact_cancel(house, contact, now), 0);
	cr_assert_eq(agent_id_of(enqueue(queue)), bob.id);
}

Test(agent, what_is_asked_during_a_contact_holds_after_it)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent agent = ready_agent("ann", NULL);
	struct stw_contact contact = enqueue(queue);

	accept_next();
	cr_assert_eq(stw_agent_not_ready(house, agent, 5, now), 0);
	cr_assert_eq(state_of(agent), STW_AGENT_CONNECTED);
	end(contact);
	cr_assert_eq(state_of(agent), STW_AGENT_NOT_READY);
	cr_assert_eq(reason_of(agent), 5);

	cr_assert_eq(stw_agent_ready(house, agent, now), 0);
	contact = enqueue(queue);
	cr_assert_eq(stw_agent_logout(house, agent, now), 0);
	cr_assert_eq(state_of(agent), STW_AGENT_OFFERED);
	cr_assert_eq(stw_contact_cancel(house, contact, now), 0);
	cr_assert_eq(state_of(agent), STW_AGENT_LOGGED_OUT);
	stw_acd_check(house);
}

Test(agent, ready_undoes_what_was_asked_during_a_contact)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent agent = ready_agent("ann", NULL);
	struct stw_contact contact = enqueue(queue);

	accept_next();
	cr_assert_eq(stw_agent_logout(house, agent, now), 0);
	cr_assert_eq(stw_agent_ready(house, agent, now), 0);
	cr_assert_eq(stw_agent_ready(house, agent, now), -EALREADY);
	end(contact);
	cr_assert_eq(state_of(agent), STW_AGENT_READY);
}

Test(agent, wraps_up_until_the_time_is_over)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_queue queue;
	struct stw_agent agent = ready_agent("ann", NULL);
	struct stw_contact contact;
	struct stw_contact next;
	uint64_t next_ns;

	config.wrap_up_ns = 10 * SECOND;
	queue = queue_with(config, "sales", NULL);
	contact = enqueue(queue);
	accept_next();
	end(contact);
	cr_assert_eq(state_of(agent), STW_AGENT_WRAP_UP);
	next = enqueue(queue);
	cr_assert_eq(agent_id_of(next), 0);
	cr_assert_eq(stw_acd_advance(house, now + 10 * SECOND - 1, 10, &next_ns), 0);
	cr_assert_eq(next_ns, now + 10 * SECOND);
	cr_assert_eq(advance(10 * SECOND), 1);
	cr_assert_eq(agent_id_of(next), agent.id);
}

Test(agent, ready_ends_the_wrap_up_and_its_timer)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_agent agent = ready_agent("ann", NULL);
	struct stw_contact contact;
	uint64_t next_ns;

	config.wrap_up_ns = 10 * SECOND;
	contact = enqueue(queue_with(config, "sales", NULL));
	accept_next();
	end(contact);
	cr_assert_eq(stw_agent_ready(house, agent, now), 0);
	cr_assert_eq(state_of(agent), STW_AGENT_READY);
	stw_acd_check(house);
	cr_assert_eq(stw_acd_advance(house, now + 20 * SECOND, 10, &next_ns), 0);
	cr_assert_eq(next_ns, UINT64_MAX);
}

Test(agent, wrap_up_can_end_in_not_ready_or_logout)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_agent agent = ready_agent("ann", NULL);
	struct stw_queue queue;
	struct stw_contact contact;

	config.wrap_up_ns = 10 * SECOND;
	queue = queue_with(config, "sales", NULL);
	contact = enqueue(queue);
	accept_next();
	end(contact);
	cr_assert_eq(stw_agent_not_ready(house, agent, 3, now), 0);
	cr_assert_eq(advance(20 * SECOND), 0);
	cr_assert_eq(reason_of(agent), 3);
	cr_assert_eq(stw_agent_ready(house, agent, now), 0);
	contact = enqueue(queue);
	accept_next();
	end(contact);
	cr_assert_eq(stw_agent_logout(house, agent, now), 0);
	cr_assert_eq(advance(20 * SECOND), 0);
	cr_assert_eq(state_of(agent), STW_AGENT_LOGGED_OUT);
}

Test(agent, removed_only_when_logged_out_and_then_stale)
{
	struct stw_agent agent = ready_agent("ann", NULL);
	struct stw_agent_status status;
	struct stw_agent again;

	cr_assert_eq(stw_agent_remove(house, agent), -EBUSY);
	cr_assert_eq(stw_agent_logout(house, agent, now), 0);
	cr_assert_eq(stw_agent_remove(house, agent), 0);
	stw_acd_check(house);
	cr_assert_eq(stw_agent_remove(house, agent), -ESTALE);
	cr_assert_eq(stw_agent_login(house, agent, now), -ESTALE);
	cr_assert_eq(stw_agent_ready(house, agent, now), -ESTALE);
	cr_assert_eq(stw_agent_not_ready(house, agent, 1, now), -ESTALE);
	cr_assert_eq(stw_agent_logout(house, agent, now), -ESTALE);
	cr_assert_eq(stw_agent_status(house, agent, &status), -ESTALE);
	cr_assert_eq(stw_agent_find(house, STW_TENANT_DEFAULT, "ann", &again), -ENOENT);
	again = agent_of("ann", NULL);
	cr_assert_neq(again.id, agent.id);
	cr_assert_eq(stw_agent_login(house, agent, now), -ESTALE);
	cr_assert_eq(state_of(again), STW_AGENT_LOGGED_OUT);
}

Test(agent, status_counts_contacts_and_busy_time)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_agent agent = ready_agent("ann", NULL);
	struct stw_agent_status status;
	struct stw_contact contact;

	now += 100;
	contact = enqueue(queue);
	now += 5;
	accept_next();
	now += 20;
	cr_assert_eq(stw_agent_status(house, agent, &status), 0);
	cr_assert_eq(status.state, STW_AGENT_CONNECTED);
	cr_assert_eq(status.contact_id, contact.id);
	cr_assert_eq(status.since_ns, now - 20);
	end(contact);
	now += 1000;
	cr_assert_eq(stw_agent_status(house, agent, &status), 0);
	cr_assert_eq(status.contacts, 1);
	cr_assert_eq(status.busy_ns, 25);
	cr_assert_eq(status.contact_id, 0);
}

Test(agent, events_tell_each_state_in_order)
{
	static const enum stw_agent_state states[] = {STW_AGENT_NOT_READY, STW_AGENT_READY,
						      STW_AGENT_NOT_READY, STW_AGENT_LOGGED_OUT};
	struct stw_agent agent = ready_agent("ann", NULL);

	cr_assert_eq(stw_agent_not_ready(house, agent, 9, now), 0);
	cr_assert_eq(stw_agent_logout(house, agent, now), 0);
	for (int i = 0; i < 4; i++) {
		struct stw_event event = next_event();

		cr_assert_eq(event.type, STW_EVENT_AGENT_STATE);
		cr_assert_eq(event.agent_state, states[i]);
		cr_assert_eq(event.agent.id, agent.id);
	}
	cr_assert_eq(next_event().type, STW_EVENT_NONE);
}
