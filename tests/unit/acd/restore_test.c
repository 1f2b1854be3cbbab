/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Restoring an engine from a snapshot, and what is refused of that.
 */
#include "life.h"

TestSuite(restore, .init = snapshot_begin, .fini = snapshot_end);

Test(restore, a_restored_house_has_its_contacts_offers_and_agents)
{
	struct stw_agent alice = ready_agent("alice", NULL), bob = ready_agent("bob", NULL), other;
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_contact talks = enqueue(queue), rings, waits;
	struct stw_event event;
	struct stw_contact_status before, after;

	accept_next();
	now += SECOND;
	rings = enqueue(queue);
	event = await(STW_EVENT_OFFER);
	now += SECOND;
	waits = enqueue(queue);
	cr_assert_eq(stw_contact_status(house, waits, &before), 0);
	take();
	die();
	agent_of("alice", NULL);
	agent_of("bob", NULL);
	queue_of("sales", NULL);
	cr_assert_eq(restore(), 0, "%s", why);
	stw_acd_check(house);
	cr_assert_eq(state_of(alice), STW_AGENT_CONNECTED);
	cr_assert_eq(state_of(bob), STW_AGENT_OFFERED);
	cr_assert_eq(stw_contact_status(house, waits, &after), 0);
	cr_assert_eq(after.enqueue_ns, before.enqueue_ns);
	cr_assert_eq(after.rank_ns, before.rank_ns);
	cr_assert_eq(stw_offer_accept(house, event.offer, now), 0);
	end(rings);
	cr_assert_eq(agent_id_of(waits), bob.id);
	end(talks);
	other = agent_of("carol", NULL);
	make_ready(other);
}

Test(restore, the_events_after_restoring_tell_what_there_is)
{
	struct stw_agent alice = ready_agent("alice", NULL);
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_contact talks = enqueue(queue), waits;
	struct stw_event event;

	accept_next();
	waits = enqueue(queue);
	take();
	die();
	agent_of("alice", NULL);
	queue_of("sales", NULL);
	cr_assert_eq(restore(), 0, "%s", why);
	event = next_event();
	cr_assert_eq(event.type, STW_EVENT_CONNECTED);
	cr_assert_eq(event.contact.id, talks.id);
	cr_assert_eq(event.agent.id, alice.id);
	event = next_event();
	cr_assert_eq(event.type, STW_EVENT_QUEUED);
	cr_assert_eq(event.contact.id, waits.id);
	cr_assert_eq(next_event().type, STW_EVENT_NONE);
}

Test(restore, timers_go_on_after_restoring)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_agent alice = ready_agent("alice", NULL), bob;
	struct stw_contact contact;
	struct stw_queue queue;

	config.wrap_up_ns = 10 * SECOND;
	queue = queue_with(config, "sales", NULL);
	contact = enqueue(queue);
	accept_next();
	end(contact);
	cr_assert_eq(state_of(alice), STW_AGENT_WRAP_UP);
	bob = ready_agent("bob", NULL);
	contact = enqueue(queue);
	cr_assert_eq(agent_id_of(contact), bob.id);
	take();
	die();
	agent_of("alice", NULL);
	agent_of("bob", NULL);
	queue_with(config, "sales", NULL);
	cr_assert_eq(restore(), 0, "%s", why);
	advance(10 * SECOND - 1);
	cr_assert_eq(state_of(alice), STW_AGENT_WRAP_UP);
	advance(1);
	cr_assert_eq(state_of(alice), STW_AGENT_READY);
	cr_assert_eq(state_of(bob), STW_AGENT_OFFERED);
	advance(5 * SECOND);
	cr_assert_eq(agent_id_of(contact), alice.id, "the offer timed out after its whole time");
}

Test(restore, queues_and_agents_are_found_by_name)
{
	struct stw_agent alice, zoe;
	struct stw_queue sales;
	struct stw_event event;

	fill_house();
	die();
	/* Other slots than before. */
	zoe = agent_of("zoe", NULL);
	alice = agent_of("alice", NULL);
	queue_of("support", NULL);
	sales = queue_of("sales", NULL);
	cr_assert_eq(restore(), 0, "%s", why);
	stw_acd_check(house);
	cr_assert_eq(state_of(alice), STW_AGENT_CONNECTED);
	cr_assert_eq(state_of(zoe), STW_AGENT_LOGGED_OUT);
	event = await(STW_EVENT_QUEUED);
	cr_assert_eq(event.queue.id, sales.id);
	make_ready(zoe);
	cr_assert_eq(await(STW_EVENT_OFFER).agent.id, zoe.id);
}

Test(restore, a_queue_with_contacts_that_is_not_defined_is_refused)
{
	struct stw_acd_stats stats;

	fill_house();
	die();
	agent_of("alice", NULL);
	cr_assert_eq(restore(), -ENOENT);
	cr_assert_str_eq(why, "a queue that has contacts is not defined");
	stw_acd_stats(house, &stats);
	cr_assert_eq(stats.contacts, 0);
	stw_acd_check(house);
	queue_of("sales", NULL);
	cr_assert_eq(restore(), 0, "and then it is taken");
}

Test(restore, an_agent_at_work_who_is_not_defined_is_refused)
{
	fill_house();
	die();
	queue_of("sales", NULL);
	cr_assert_eq(restore(), -ENOENT);
	cr_assert_str_eq(why, "an agent who is logged in is not defined");
	stw_acd_check(house);
}

Test(restore, who_is_not_needed_may_be_gone)
{
	struct stw_queue queue = queue_of("old", NULL);
	struct stw_contact contact = enqueue(queue);
	struct stw_acd_stats stats;

	cr_assert_eq(stw_contact_cancel(house, contact, now), 0);
	agent_of("dave", NULL);
	take();
	die();
	cr_assert_eq(restore(), 0, "%s", why);
	stw_acd_stats(house, &stats);
	cr_assert_eq(stats.queues.abandoned, 1, "counted among the removed queues");
	stw_acd_check(house);
}

Test(restore, only_a_fresh_engine_is_filled)
{
	fill_house();
	cr_assert_eq(restore(), -EBUSY);
	cr_assert_str_eq(why, "the engine is not fresh");
	die();
	ready_agent("alice", NULL);
	queue_of("sales", NULL);
	cr_assert_eq(restore(), -EBUSY);
	cr_assert_eq(stw_acd_restore(house, snapshot, 0, 0, NULL), -EINVAL);
}

Test(restore, what_contradicts_itself_is_refused)
{
	struct snapshot_contact *talks = &snapshot->contacts[0], *waits = &snapshot->contacts[1];
	struct snapshot_contact good = {.id = 0};

	fill_house();
	die();
	agent_of("alice", NULL);
	queue_of("sales", NULL);
	good = *waits;
	waits->class = 256;
	cr_assert_eq(restore(), -EBADMSG);
	*waits = good;
	waits->enqueue_ns = 0;
	cr_assert_eq(restore(), -EBADMSG);
	*waits = good;
	waits->state = SNAPSHOT_CONNECTED;
	waits->agent = talks->agent;
	cr_assert_eq(restore(), -EBADMSG);
	cr_assert_str_eq(why, "an agent has two contacts");
	*waits = good;
	snapshot->queues[0].counters[ACD_COUNT_OFFERED]++;
	cr_assert_eq(restore(), -EBADMSG);
	cr_assert_str_eq(why, "counters and contacts do not agree");
	snapshot->queues[0].counters[ACD_COUNT_OFFERED]--;
	snapshot->agents[0].state = STW_AGENT_LOGGED_OUT;
	cr_assert_eq(restore(), -EBADMSG);
	snapshot->agents[0].state = STW_AGENT_READY;
	snapshot->agents[1] = snapshot->agents[0];
	cr_assert_eq(restore(), -EBADMSG);
	cr_assert_str_eq(why, "two agents have one name");
	snapshot->agents[1].id = 0;
	cr_assert_eq(restore(), 0, "%s", why);
	stw_acd_check(house);
}

Test(restore, times_follow_a_clock_that_was_set)
{
	struct stw_contact_status status;
	struct stw_event event;
	int64_t rank_ns;

	now = 1000 * SECOND;
	fill_house();
	event = await(STW_EVENT_QUEUED);
	rank_ns = event.rank_ns;
	die();
	agent_of("alice", NULL);
	queue_of("sales", NULL);
	now = 10 * SECOND;
	cr_assert_eq(stw_acd_restore(house, snapshot, -(int64_t)(990 * SECOND), now, &why), 0);
	cr_assert_eq(stw_contact_status(house, event.contact, &status), 0);
	cr_assert_eq(status.enqueue_ns, 10 * SECOND);
	cr_assert_eq(status.rank_ns, rank_ns - (int64_t)(990 * SECOND));
}

Test(restore, a_match_that_was_still_to_be_made_is_made)
{
	struct stw_agent alice = agent_of("alice", NULL);
	struct stw_contact contact;

	cr_assert_eq(stw_agent_login(house, alice, now), 0);
	contact = enqueue(queue_of("sales", NULL));
	take();
	/* The journal ended after he had become ready and before the offer. */
	snapshot->agents[0].state = STW_AGENT_READY;
	snapshot->agents[0].reason = 0;
	die();
	agent_of("alice", NULL);
	queue_of("sales", NULL);
	cr_assert_eq(restore(), 0, "%s", why);
	stw_acd_check(house);
	cr_assert_eq(agent_id_of(contact), alice.id);
}

Test(restore, numbers_of_events_go_on_from_the_highest)
{
	const uint64_t high = (UINT64_C(1) << 34) + 7;
	struct stw_queue queue;

	fill_house();
	for (int c = 0; c < 2; c++)
		snapshot->contacts[c].sequence = high << (64 - ACD_VERSION_BITS);
	snapshot->agents[0].sequence = 1000;
	die();
	agent_of("alice", NULL);
	queue = queue_of("sales", NULL);
	cr_assert_eq(restore(), 0, "%s", why);
	cr_assert_eq(await(STW_EVENT_CONNECTED).sequence, high << (64 - ACD_VERSION_BITS));
	cr_assert_eq(await(STW_EVENT_QUEUED).queue.id, queue.id);
	end((struct stw_contact){snapshot->contacts[0].id});
	cr_assert_gt(await(STW_EVENT_AGENT_STATE).sequence, 1000);
}

Test(restore, a_queue_with_fewer_steps_takes_a_contact_at_its_last)
{
	struct stw_contact_status status;
	struct stw_contact contact;

	contact = enqueue(queue_of("sales", NULL));
	take();
	snapshot->contacts[0].step = 5;
	die();
	queue_of("sales", NULL);
	cr_assert_eq(restore(), 0, "%s", why);
	stw_acd_check(house);
	cr_assert_eq(stw_contact_status(house, contact, &status), 0);
	cr_assert_eq(status.step, 0);
}

Test(restore, a_call_under_way_that_has_not_counted_yet_is_counted)
{
	/* A thread that took the snapshot found the offer made, and counted just after that. */
	agent_of("bob", NULL);
	ready_agent("alice", NULL);
	enqueue(queue_of("sales", NULL));
	acd_count(house, 0, ACD_COUNT_OFFERS, (uint64_t)-1);
	take();
	acd_count(house, 0, ACD_COUNT_OFFERS, 1);
	cr_assert_eq(snapshot->queues[0].counters[ACD_COUNT_OFFERS], 1);
	die();
	agent_of("bob", NULL);
	agent_of("alice", NULL);
	queue_of("sales", NULL);
	cr_assert_eq(restore(), 0, "%s", why);
	stw_acd_check(house);
}

static struct stw_tenant
tenant_of(const char *name, uint32_t contacts_max)
{
	struct stw_tenant_config config = STW_TENANT_CONFIG_INIT;
	struct stw_tenant tenant = {0};

	config.name = name;
	config.contacts_max = contacts_max;
	cr_assert_eq(stw_tenant_define(house, &config, &tenant), 0);
	return tenant;
}

static void
open_tenants_engine(void)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;
	uint64_t then = now;

	house_close();
	config.agents_max = 4;
	config.queues_max = 3;
	config.contacts_max = 8;
	config.skills_max = 2;
	config.events_max = 256;
	config.tenants_max = 3;
	config.journal = 1;
	house_open_with(&config);
	now = then;
}

/* Acme and Bcme have an agent and a queue of the same names. */
static struct stw_queue
define_tenant(const char *name, uint32_t contacts_max, struct stw_agent *agent)
{
	struct stw_agent_config person = STW_AGENT_CONFIG_INIT;
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;

	config.tenant = person.tenant = tenant_of(name, contacts_max);
	*agent = agent_with(person, "alice", NULL);
	return queue_with(config, "sales", NULL);
}

Test(restore, each_tenant_has_its_own_again)
{
	struct stw_agent acme, bcme;
	struct stw_contact contact;
	struct stw_queue queue;

	open_tenants_engine();
	queue = define_tenant("acme", 2, &acme);
	define_tenant("bcme", 2, &bcme);
	make_ready(acme);
	enqueue(queue);
	accept_next();
	contact = enqueue(queue);
	take();
	/* Fewer are allowed now. */
	open_tenants_engine();
	define_tenant("acme", 1, &acme);
	cr_assert_eq(restore(), -ENOSPC);
	cr_assert_str_eq(why, "a tenant has more contacts than it may");
	stw_acd_check(house);
	/* Not defined. */
	open_tenants_engine();
	define_tenant("bcme", 2, &bcme);
	cr_assert_eq(restore(), -ENOENT);
	stw_acd_check(house);
	/* In another order. */
	open_tenants_engine();
	define_tenant("bcme", 2, &bcme);
	queue = define_tenant("acme", 2, &acme);
	cr_assert_eq(restore(), 0, "%s", why);
	stw_acd_check(house);
	cr_assert_eq(state_of(acme), STW_AGENT_CONNECTED);
	cr_assert_eq(state_of(bcme), STW_AGENT_LOGGED_OUT);
	make_ready(bcme);
	cr_assert_eq(agent_id_of(contact), 0, "the other tenant's agent does not get it");
	end(await(STW_EVENT_CONNECTED).contact);
	cr_assert_eq(agent_id_of(contact), acme.id);
	cr_assert_eq(stw_contact_cancel(house, contact, now), 0);
	stw_acd_check(house);
}

static struct stw_agent
define_chat(struct stw_queue *queue)
{
	struct stw_agent_config person = STW_AGENT_CONFIG_INIT;
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;

	person.slots[STW_CHANNEL_CHAT] = 3;
	config.channel = STW_CHANNEL_CHAT;
	*queue = queue_with(config, "chats", NULL);
	return agent_with(person, "alice", NULL);
}

Test(restore, an_agent_with_several_slots_has_all_contacts_again)
{
	struct stw_contact first, second, third, fourth;
	struct stw_agent_status status;
	struct stw_agent alice;
	struct stw_queue queue;
	struct stw_event event;

	alice = define_chat(&queue);
	make_ready(alice);
	first = enqueue(queue);
	event = await(STW_EVENT_OFFER);
	cr_assert_eq(stw_offer_accept(house, event.offer, now), 0);
	second = enqueue(queue);
	event = await(STW_EVENT_OFFER);
	cr_assert_eq(stw_offer_accept(house, event.offer, now), 0);
	third = enqueue(queue);
	event = await(STW_EVENT_OFFER);
	take();
	die();
	alice = define_chat(&queue);
	cr_assert_eq(restore(), 0, "%s", why);
	stw_acd_check(house);
	cr_assert_eq(stw_agent_status(house, alice, &status), 0);
	cr_assert_eq(status.connected, 2);
	cr_assert_eq(stw_offer_accept(house, event.offer, now), 0);
	fourth = enqueue(queue);
	cr_assert_eq(agent_id_of(fourth), 0, "all three slots are taken");
	end(second);
	cr_assert_eq(agent_id_of(fourth), alice.id);
	end(first);
	end(third);
}
