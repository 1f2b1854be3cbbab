/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Agents with several slots: what they are offered while they talk, and what being ready, not ready and logged
 * out mean to them.
 */
#include "house.h"

TestSuite(acd_seats, .init = house_open, .fini = house_close);

static struct stw_queue
queue_on(const char *name, uint32_t channel, uint64_t wrap_up_ns)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;

	config.channel = channel;
	config.wrap_up_ns = wrap_up_ns;
	return queue_with(config, name, NULL);
}

static struct stw_agent_config
slots(uint8_t calls, uint8_t chats)
{
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;

	config.slots[STW_CHANNEL_VOICE] = calls;
	config.slots[STW_CHANNEL_CHAT] = chats;
	return config;
}

static struct stw_agent
ready_with(struct stw_agent_config config, const char *name)
{
	struct stw_agent agent = agent_with(config, name, NULL);

	make_ready(agent);
	return agent;
}

static struct stw_agent_status
agent_status_of(struct stw_agent agent)
{
	struct stw_agent_status status = {.connected = 99};

	cr_assert_eq(stw_agent_status(house, agent, &status), 0);
	return status;
}

/* A contact that comes and is answered. */
static struct stw_contact
answered(struct stw_queue queue)
{
	struct stw_contact contact = enqueue(queue);

	now++;
	cr_assert_eq(accept_next().contact.id, contact.id);
	return contact;
}

Test(acd_seats, several_contacts_up_to_the_slots)
{
	struct stw_queue chat = queue_on("chat", STW_CHANNEL_CHAT, 0);
	struct stw_agent ann = ready_with(slots(0, 3), "ann");
	struct stw_contact contacts[4];

	for (int i = 0; i < 3; i++) {
		contacts[i] = answered(chat);
		cr_assert_eq(agent_id_of(contacts[i]), ann.id);
	}
	cr_assert_eq(agent_status_of(ann).connected, 3);
	cr_assert_eq(agent_status_of(ann).open, 0);
	contacts[3] = enqueue(chat);
	cr_assert_eq(await(STW_EVENT_OFFER).type, STW_EVENT_NONE);
	end(contacts[1]);
	cr_assert_eq(accept_next().contact.id, contacts[3].id);
	cr_assert_eq(agent_status_of(ann).connected, 3);
	cr_assert_eq(state_of(ann), STW_AGENT_CONNECTED);
}

Test(acd_seats, one_offer_at_a_time)
{
	struct stw_queue chat = queue_on("chat", STW_CHANNEL_CHAT, 0);
	struct stw_agent ann = ready_with(slots(0, 3), "ann");
	struct stw_contact first = enqueue(chat), second = enqueue(chat);
	struct stw_offer offer = await(STW_EVENT_OFFER).offer;

	cr_assert_eq(offer.contact.id, first.id);
	cr_assert_eq(await(STW_EVENT_OFFER).type, STW_EVENT_NONE);
	cr_assert_eq(state_of(ann), STW_AGENT_OFFERED);
	cr_assert_eq(stw_offer_accept(house, offer, now), 0);
	cr_assert_eq(stw_offer_accept(house, offer, now), -EALREADY);
	cr_assert_eq(accept_next().contact.id, second.id);
	cr_assert_eq(agent_status_of(ann).connected, 2);
	cr_assert_eq(agent_status_of(ann).contacts, 2);
}

Test(acd_seats, another_channel_only_while_at_rest)
{
	struct stw_queue calls = queue_on("calls", STW_CHANNEL_VOICE, 0);
	struct stw_queue chat = queue_on("chat", STW_CHANNEL_CHAT, 0);
	struct stw_agent ann = ready_with(slots(1, 3), "ann");
	struct stw_contact written = answered(chat), call = enqueue(calls);

	cr_assert_eq(agent_id_of(call), 0);
	cr_assert_eq(agent_status_of(ann).open, 1u << STW_CHANNEL_CHAT);
	end(written);
	cr_assert_eq(accept_next().contact.id, call.id);
	written = enqueue(chat);
	cr_assert_eq(agent_id_of(written), 0);
	cr_assert_eq(agent_status_of(ann).open, 0);
	end(call);
	cr_assert_eq(agent_id_of(written), ann.id);
}

Test(acd_seats, a_call_may_interrupt_chats_but_not_the_other_way_round)
{
	struct stw_agent_config config = slots(1, 2);
	struct stw_queue calls = queue_on("calls", STW_CHANNEL_VOICE, 0);
	struct stw_queue chat = queue_on("chat", STW_CHANNEL_CHAT, 0);
	struct stw_contact written, call, waits;
	struct stw_agent ann;

	config.interrupts[STW_CHANNEL_VOICE] = 1u << STW_CHANNEL_CHAT;
	ann = ready_with(config, "ann");
	written = answered(chat);
	call = answered(calls);
	cr_assert_eq(agent_id_of(written), ann.id);
	cr_assert_eq(agent_id_of(call), ann.id);
	waits = enqueue(chat);
	cr_assert_eq(agent_id_of(waits), 0);
	end(call);
	cr_assert_eq(agent_id_of(waits), ann.id);
}

Test(acd_seats, nobody_is_offered_a_channel_without_slots)
{
	struct stw_queue chat = queue_on("chat", STW_CHANNEL_CHAT, 0);
	struct stw_agent caller = ready_agent("caller", NULL);
	struct stw_contact contact = enqueue(chat);
	struct stw_agent writer;

	cr_assert_eq(agent_id_of(contact), 0);
	cr_assert_eq(agent_status_of(caller).open, 1u << STW_CHANNEL_VOICE);
	writer = ready_with(slots(0, 1), "writer");
	cr_assert_eq(agent_id_of(contact), writer.id);
}

Test(acd_seats, who_has_just_got_one_comes_after_who_has_none)
{
	struct stw_queue chat = queue_on("chat", STW_CHANNEL_CHAT, 0);
	struct stw_agent ann = ready_with(slots(0, 3), "ann"), bob;

	now++;
	bob = ready_with(slots(0, 3), "bob");
	now++;
	cr_assert_eq(agent_id_of(answered(chat)), ann.id);
	cr_assert_eq(agent_id_of(answered(chat)), bob.id);
	cr_assert_eq(agent_id_of(answered(chat)), ann.id);
}

Test(acd_seats, wrap_up_keeps_the_slot_and_not_the_agent)
{
	struct stw_queue chat = queue_on("chat", STW_CHANNEL_CHAT, 10 * SECOND);
	struct stw_agent ann = ready_with(slots(0, 2), "ann");
	struct stw_contact first = answered(chat), third;

	end(first);
	cr_assert_eq(state_of(ann), STW_AGENT_WRAP_UP);
	cr_assert_eq(agent_status_of(ann).wrapping, 1);
	cr_assert_eq(agent_id_of(answered(chat)), ann.id);
	third = enqueue(chat);
	cr_assert_eq(agent_id_of(third), 0);
	cr_assert_eq(advance(10 * SECOND - 2), 0);
	cr_assert_eq(advance(2), 1);
	cr_assert_eq(agent_id_of(third), ann.id);
	cr_assert_eq(agent_status_of(ann).wrapping, 0);
}

Test(acd_seats, ready_ends_all_wrap_ups)
{
	struct stw_queue chat = queue_on("chat", STW_CHANNEL_CHAT, 10 * SECOND);
	struct stw_agent ann = ready_with(slots(0, 2), "ann");
	struct stw_contact first = answered(chat), second = answered(chat);

	end(first);
	end(second);
	cr_assert_eq(agent_status_of(ann).wrapping, 2);
	first = enqueue(chat);
	cr_assert_eq(stw_agent_ready(house, ann, now), 0);
	cr_assert_eq(agent_id_of(first), ann.id);
	cr_assert_eq(stw_agent_ready(house, ann, now), -EALREADY);
	cr_assert_eq(advance(20 * SECOND), 1, "the offer has timed out, and no wrap-up");
}

Test(acd_seats, not_ready_is_about_new_offers_at_once)
{
	struct stw_queue chat = queue_on("chat", STW_CHANNEL_CHAT, 0);
	struct stw_agent ann = ready_with(slots(0, 3), "ann");
	struct stw_contact first = answered(chat), second;

	cr_assert_eq(stw_agent_not_ready(house, ann, 7, now), 0);
	cr_assert_eq(state_of(ann), STW_AGENT_NOT_READY);
	cr_assert_eq(reason_of(ann), 7);
	cr_assert_eq(agent_status_of(ann).connected, 1);
	second = enqueue(chat);
	cr_assert_eq(agent_id_of(second), 0);
	end(first);
	cr_assert_eq(state_of(ann), STW_AGENT_NOT_READY);
	cr_assert_eq(stw_agent_ready(house, ann, now), 0);
	cr_assert_eq(agent_id_of(second), ann.id);
}

Test(acd_seats, what_is_asked_for_while_it_rings_comes_when_it_is_answered)
{
	struct stw_queue chat = queue_on("chat", STW_CHANNEL_CHAT, 0);
	struct stw_agent ann = ready_with(slots(0, 3), "ann");
	struct stw_offer offer;

	enqueue(chat);
	offer = await(STW_EVENT_OFFER).offer;
	cr_assert_eq(stw_agent_not_ready(house, ann, 9, now), 0);
	cr_assert_eq(state_of(ann), STW_AGENT_OFFERED);
	cr_assert_eq(stw_offer_accept(house, offer, now), 0);
	stw_acd_check(house);
	cr_assert_eq(state_of(ann), STW_AGENT_NOT_READY);
	cr_assert_eq(reason_of(ann), 9);
	cr_assert_eq(agent_status_of(ann).contact_id, offer.contact.id);
}

Test(acd_seats, logging_out_waits_for_the_last_contact)
{
	struct stw_queue chat = queue_on("chat", STW_CHANNEL_CHAT, 10 * SECOND);
	struct stw_agent ann = ready_with(slots(0, 3), "ann");
	struct stw_contact first = answered(chat), second = answered(chat), third = answered(chat);

	end(third);
	cr_assert_eq(stw_agent_logout(house, ann, now), 0);
	cr_assert_eq(stw_agent_logout(house, ann, now), 0);
	stw_acd_check(house);
	cr_assert_eq(reason_of(ann), STW_REASON_LOGOUT);
	cr_assert_eq(agent_status_of(ann).wrapping, 0);
	cr_assert_eq(stw_agent_remove(house, ann), -EBUSY);
	cr_assert_eq(stw_agent_login(house, ann, now), -EALREADY);
	end(first);
	cr_assert_eq(state_of(ann), STW_AGENT_NOT_READY);
	end(second);
	cr_assert_eq(state_of(ann), STW_AGENT_LOGGED_OUT, "without a wrap-up");
	cr_assert_eq(stw_agent_remove(house, ann), 0);
}

Test(acd_seats, ready_undoes_a_logout_that_waits)
{
	struct stw_queue chat = queue_on("chat", STW_CHANNEL_CHAT, 0);
	struct stw_agent ann = ready_with(slots(0, 3), "ann");
	struct stw_contact first = answered(chat);

	cr_assert_eq(stw_agent_logout(house, ann, now), 0);
	cr_assert_eq(stw_agent_ready(house, ann, now), 0);
	end(first);
	cr_assert_eq(state_of(ann), STW_AGENT_READY);
}

Test(acd_seats, logout_asked_for_in_a_second_offer_waits_for_the_first_contact)
{
	struct stw_queue chat = queue_on("chat", STW_CHANNEL_CHAT, 0);
	struct stw_agent ann = ready_with(slots(0, 3), "ann");
	struct stw_contact first = answered(chat);
	struct stw_offer offer;

	enqueue(chat);
	offer = await(STW_EVENT_OFFER).offer;
	cr_assert_eq(stw_agent_logout(house, ann, now), 0);
	cr_assert_eq(stw_offer_decline(house, offer, 0, now), 0);
	stw_acd_check(house);
	cr_assert_eq(reason_of(ann), STW_REASON_LOGOUT);
	end(first);
	cr_assert_eq(state_of(ann), STW_AGENT_LOGGED_OUT);
}

Test(acd_seats, who_declines_keeps_his_contacts)
{
	struct stw_queue chat = queue_on("chat", STW_CHANNEL_CHAT, 0);
	struct stw_agent_config config = slots(0, 3);
	struct stw_agent ann;

	config.penalty_ns = SECOND;
	ann = ready_with(config, "ann");
	answered(chat);
	enqueue(chat);
	cr_assert_eq(stw_offer_decline(house, await(STW_EVENT_OFFER).offer, 0, now), 0);
	stw_acd_check(house);
	cr_assert_eq(state_of(ann), STW_AGENT_NOT_READY);
	cr_assert_eq(reason_of(ann), STW_REASON_PENALTY);
	cr_assert_eq(agent_status_of(ann).connected, 1);
	cr_assert_eq(advance(SECOND), 1);
	cr_assert_eq(state_of(ann), STW_AGENT_OFFERED);
}

Test(acd_seats, busy_time_counts_once_however_many_contacts)
{
	struct stw_queue chat = queue_on("chat", STW_CHANNEL_CHAT, 0);
	struct stw_agent ann = ready_with(slots(0, 3), "ann");
	uint64_t from;
	struct stw_contact first, second;

	now += SECOND;
	from = now;
	first = answered(chat);
	now += SECOND;
	second = answered(chat);
	now += SECOND;
	end(first);
	now += SECOND;
	end(second);
	cr_assert_eq(agent_status_of(ann).busy_ns, now - from);
	now += SECOND;
	cr_assert_eq(stw_agent_not_ready(house, ann, 1, now), 0);
	cr_assert_eq(agent_status_of(ann).busy_ns, now - from - SECOND);
}

Test(acd_seats, an_agent_who_talks_gets_more_slots)
{
	struct stw_queue calls = queue_on("calls", STW_CHANNEL_VOICE, 0);
	struct stw_queue chat = queue_on("chat", STW_CHANNEL_CHAT, 0);
	struct stw_agent ann = ready_agent("ann", NULL);
	struct stw_contact call = answered(calls), written = enqueue(chat);
	struct stw_agent_config config = slots(1, 2);

	cr_assert_eq(agent_id_of(written), 0);
	config.interrupts[STW_CHANNEL_CHAT] = 1u << STW_CHANNEL_VOICE;
	cr_assert_eq(stw_agent_update(house, ann, &config, now), 0);
	stw_acd_check(house);
	cr_assert_eq(agent_id_of(written), ann.id);
	cr_assert_eq(agent_id_of(call), ann.id);
	accept_next();
	cr_assert_eq(agent_status_of(ann).connected, 2);
	config = slots(1, 0);
	cr_assert_eq(stw_agent_update(house, ann, &config, now), 0);
	stw_acd_check(house);
	cr_assert_eq(agent_status_of(ann).connected, 2, "what he has stays his");
	written = enqueue(chat);
	end(call);
	call = enqueue(calls);
	cr_assert_eq(agent_id_of(call), 0, "the chat may not be interrupted");
	cr_assert_eq(agent_id_of(written), 0);
}

Test(acd_seats, a_new_channel_matches_at_once)
{
	struct stw_queue chat = queue_on("chat", STW_CHANNEL_CHAT, 0);
	struct stw_agent ann = ready_agent("ann", NULL);
	struct stw_contact contact = enqueue(chat);
	struct stw_agent_config config = slots(0, 1);

	cr_assert_eq(stw_agent_update(house, ann, &config, now), 0);
	stw_acd_check(house);
	cr_assert_eq(agent_id_of(contact), ann.id);
}

Test(acd_seats, slots_and_channels_have_limits)
{
	struct stw_queue_config queue = STW_QUEUE_CONFIG_INIT;
	struct stw_agent_config config = slots(8, 8);
	struct stw_agent agent = agent_with(config, "most", NULL);
	struct stw_queue handle = queue_on("chat", STW_CHANNEL_CHAT, 0);

	config.slots[7] = 1;
	config.name = "too many";
	cr_assert_eq(stw_agent_define(house, &config, &agent), -EINVAL);
	queue.name = "nowhere";
	queue.channel = STW_CHANNEL_COUNT;
	cr_assert_eq(stw_queue_define(house, &queue, &handle), -EINVAL);
	queue.name = NULL;
	queue.channel = STW_CHANNEL_EMAIL;
	cr_assert_eq(stw_queue_update(house, handle, &queue, now), -EINVAL);
	queue.channel = STW_CHANNEL_CHAT;
	cr_assert_eq(stw_queue_update(house, handle, &queue, now), 0);
}

Test(acd_seats, sixteen_contacts_are_the_most)
{
	struct stw_queue chat = queue_on("chat", STW_CHANNEL_CHAT, 0);
	struct stw_queue calls = queue_on("calls", STW_CHANNEL_VOICE, 0);
	struct stw_agent ann = ready_with(slots(0, 16), "ann");
	struct stw_agent_config config = slots(1, 0);
	struct stw_contact call;

	for (int i = 0; i < 16; i++)
		answered(chat);
	cr_assert_eq(agent_status_of(ann).connected, 16);
	/* Now a call could interrupt, but there is no seat for it. */
	config.interrupts[STW_CHANNEL_VOICE] = 0xff;
	cr_assert_eq(stw_agent_update(house, ann, &config, now), 0);
	call = enqueue(calls);
	cr_assert_eq(agent_id_of(call), 0);
	cr_assert_eq(agent_status_of(ann).open, 0);
	end((struct stw_contact){agent_status_of(ann).connected_ids[3]});
	cr_assert_eq(agent_id_of(call), ann.id);
}

Test(acd_seats, no_more_agents_with_several_slots_than_the_limit, .init = NULL)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;
	struct stw_agent_config many = slots(1, 1), one = STW_AGENT_CONFIG_INIT;
	struct stw_agent ann, bob, handle;

	config.concurrent_max = 1;
	house_open_with(&config);
	ann = agent_with(many, "ann", NULL);
	bob = agent_of("bob", NULL);
	many.name = "cy";
	cr_assert_eq(stw_agent_define(house, &many, &handle), -ENOSPC);
	many.name = NULL;
	cr_assert_eq(stw_agent_update(house, bob, &many, now), -ENOSPC);
	cr_assert_eq(stw_agent_update(house, ann, &one, now), 0);
	cr_assert_eq(stw_agent_update(house, bob, &many, now), -ENOSPC, "ann keeps her seats");
	cr_assert_eq(stw_agent_remove(house, ann), 0);
	cr_assert_eq(stw_agent_update(house, bob, &many, now), 0);
	stw_acd_check(house);
}

Test(acd_seats, nobody_may_have_several_slots_where_the_limit_is_0, .init = NULL)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;
	struct stw_agent_config many = slots(0, 2);
	struct stw_agent agent;

	config.concurrent_max = 0;
	house_open_with(&config);
	many.name = "ann";
	cr_assert_eq(stw_agent_define(house, &many, &agent), -ENOSPC);
	many.slots[STW_CHANNEL_CHAT] = 1;
	cr_assert_eq(stw_agent_define(house, &many, &agent), 0);
}

Test(acd_seats, seats_of_a_removed_agent_serve_another)
{
	struct stw_queue chat = queue_on("chat", STW_CHANNEL_CHAT, SECOND);
	char name[16];

	for (int i = 0; i < 80; i++) {
		struct stw_agent agent;

		snprintf(name, sizeof(name), "agent-%d", i);
		agent = ready_with(slots(0, 2), name);
		end(answered(chat));
		cr_assert_eq(stw_agent_logout(house, agent, now), 0);
		cr_assert_eq(stw_agent_remove(house, agent), 0);
		while (next_event().type != STW_EVENT_NONE)
			;
	}
	cr_assert_eq(advance(2 * SECOND), 0);
}
