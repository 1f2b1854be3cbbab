/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A first program: one skill, one queue, one agent, one call, and the engine's decision.
 */
#include <stdio.h>

#include <strowger/acd.h>

int
main(void)
{
	struct stw_acd_config limits = STW_ACD_CONFIG_INIT;
	struct stw_queue_config sales = STW_QUEUE_CONFIG_INIT;
	struct stw_agent_config alice = STW_AGENT_CONFIG_INIT;
	struct stw_contact_request call = STW_CONTACT_REQUEST_INIT;
	struct stw_skill_level level = {.level = 5};
	struct stw_step_config step = {.terms = &level, .terms_count = 1};
	struct stw_contact contact;
	struct stw_agent agent;
	struct stw_event event;
	struct stw_acd *acd;

	if (stw_acd_create(&acd, &limits) != 0 ||
	    stw_skill_define(acd, STW_TENANT_DEFAULT, "sales", &level.skill) != 0)
		return 1;
	sales.name = "sales";
	sales.steps = &step;
	sales.steps_count = 1;
	alice.name = "alice";
	alice.skills = &level;
	alice.skills_count = 1;
	if (stw_queue_define(acd, &sales, &call.queue) != 0 ||
	    stw_agent_define(acd, &alice, &agent) != 0)
		return 1;
	stw_agent_login(acd, agent, 1);
	stw_agent_ready(acd, agent, 2);
	stw_contact_enqueue(acd, &call, 3, &contact); /* nanoseconds of your own clock */
	while (stw_events_take(acd, &event, 1) == 1)
		if (event.type == STW_EVENT_OFFER && stw_offer_accept(acd, event.offer, 4) == 0)
			printf("alice answers after %llu ns\n", (unsigned long long)event.wait_ns);
	stw_acd_destroy(acd);
	return 0;
}
