/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A switch that is killed and started again: engine, journal, phones; without SIP and packets.
 */
#include <criterion/criterion.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "call.h"
#include "clock.h"
#include "journal.h"
#include "phones.h"
#include "routing.h"

#define AGENTS 3

static struct config_queue queues[] = {
	{.name.text = "sales", .offer_timeout_s = 60, .service_level_s = 20, .length_max = 50},
	{.name.text = "support", .offer_timeout_s = 60, .service_level_s = 20, .length_max = 50},
};
static struct config_agent agents[AGENTS] = {
	{.name.text = "alice"}, {.name.text = "bob"}, {.name.text = "carol"}};
static struct config config = {.queues = queues,
			       .queues_count = 2,
			       .agents = agents,
			       .agents_count = AGENTS,
			       .calls_max = 20,
			       .journal_sync_ms = 100};
static struct exchange exchange = {.config = &config};
static char directory[] = "/tmp/strowger-switch-XXXXXX";

static void
make_directory(void)
{
	cr_assert_not_null(mkdtemp(directory));
	config.journal_directory.text = directory;
}

static void
remove_directory(void)
{
	DIR *folder = opendir(directory);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		closedir(folder);
	rmdir(directory);
}

TestSuite(journal, .init = make_directory, .fini = remove_directory);

static void
open_switch(void)
{
	cr_assert_eq(call_tables_create(&exchange), 0);
	cr_assert_eq(routing_open(&exchange), 0);
}

static void
close_switch(void)
{
	routing_close(&exchange);
	call_tables_destroy(&exchange);
}

static void
phone_comes(struct agent *agent)
{
	agent->registered = true;
	agent->cseq = 7;
	agent->expires_ns = clock_now_ns() + 600 * CLOCK_SECOND_NS;
	snprintf(agent->contact, sizeof(agent->contact), "sip:%s@192.0.2.9",
		 agent->config->name.text);
	snprintf(agent->call_id, sizeof(agent->call_id), "id");
	exchange.phones_changed = true;
	routing_login(&exchange, agent);
}

/* A contact as of the call with this number. */
static struct stw_contact
enqueue(uint32_t queue, uint64_t number)
{
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_contact contact = {0};

	request.queue = exchange.queues[queue].handle;
	request.cookie = number << 20;
	stw_contact_enqueue(exchange.acd, &request, clock_now_ns(), &contact);
	return contact;
}

/* Ready: alice, bob, both with a contact of sales, one accepted; two wait. Carol is not there. */
static void
live(int results)
{
	struct stw_contact contacts[4];
	struct stw_contact_status status;
	struct stw_journal_stats stats;
	struct stw_event event;

	open_switch();
	phone_comes(&exchange.agents[0]);
	phone_comes(&exchange.agents[1]);
	phones_save(&exchange);
	routing_take(&exchange);
	for (uint64_t i = 0; i < 4; i++)
		contacts[i] = enqueue(i == 3, 40 + i);
	/* The test is the host here: nobody's phone rings. */
	for (int offers = 0; offers < 2 && stw_events_take(exchange.acd, &event, 1) == 1;) {
		journal_append(&exchange, &event, 1);
		if (event.type == STW_EVENT_OFFER && offers++ == 0)
			stw_offer_accept(exchange.acd, event.offer, clock_now_ns());
	}
	while (stw_events_take(exchange.acd, &event, 1) == 1)
		journal_append(&exchange, &event, 1);
	stw_contact_status(exchange.acd, contacts[2], &status);
	do {
		usleep(1000);
		journal_stats(&exchange, &stats);
	} while (stats.records < 11);
	if (write(results, &contacts[2], sizeof(contacts[2])) < 0 ||
	    write(results, &status, sizeof(status)) < 0)
		_exit(1);
	kill(getpid(), SIGKILL);
}

static enum stw_agent_state
state_of(uint32_t agent)
{
	struct stw_agent_status status = {.state = STW_AGENT_WRAP_UP};

	stw_agent_status(exchange.acd, exchange.agents[agent].handle, &status);
	return status.state;
}

static void
live_and_die(struct stw_contact *contact, struct stw_contact_status *before)
{
	int pipes[2], status;
	pid_t child;

	cr_assert_eq(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		live(pipes[1]);
		_exit(1);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "status %x", status);
	cr_assert_eq(read(pipes[0], contact, sizeof(*contact)), sizeof(*contact));
	cr_assert_eq(read(pipes[0], before, sizeof(*before)), sizeof(*before));
	close(pipes[0]);
	close(pipes[1]);
}

Test(journal, a_killed_switch_begins_where_its_journal_ends)
{
	struct stw_contact_status before, after;
	struct stw_queue_stats sales, support;
	struct stw_contact waits;

	live_and_die(&waits, &before);
	open_switch();
	cr_assert(exchange.restored);
	cr_assert_eq(exchange.restored_contacts, 4);
	cr_assert(exchange.agents[0].registered);
	cr_assert_str_eq(exchange.agents[1].contact, "sip:bob@192.0.2.9");
	cr_assert_not(exchange.agents[2].registered);
	cr_assert_eq(exchange.calls_number, 43, "calls are numbered on");
	cr_assert_eq(state_of(2), STW_AGENT_LOGGED_OUT);
	stw_acd_check(exchange.acd);
	/* Who talked or rang went with the process; so did who was offered then, in turn: agents are
	 * ready again, and nobody has missed anything. */
	cr_assert_eq(state_of(0), STW_AGENT_READY);
	cr_assert_eq(state_of(1), STW_AGENT_READY);
	stw_queue_stats(exchange.acd, exchange.queues[0].handle, &sales);
	stw_queue_stats(exchange.acd, exchange.queues[1].handle, &support);
	cr_assert_eq(sales.offered, 3);
	cr_assert_eq(sales.answered, 1);
	cr_assert_eq(sales.ended, 1);
	cr_assert_eq(sales.abandoned, 2);
	cr_assert_eq(support.offered, 1);
	cr_assert_eq(sales.offers_timed_out + sales.offers_declined, 0);
	cr_assert_eq(stw_contact_status(exchange.acd, waits, &after), -ESTALE);
	close_switch();
}

Test(journal, who_waits_keeps_the_place_until_an_agent_is_there)
{
	struct stw_contact_status before, after;
	struct stw_contact waits;
	char path[100];

	live_and_die(&waits, &before);
	/* Nobody's phone is known, so nobody is logged in and no turn comes. */
	snprintf(path, sizeof(path), "%s/phones", directory);
	cr_assert_eq(unlink(path), 0);
	open_switch();
	cr_assert_eq(state_of(0), STW_AGENT_LOGGED_OUT);
	cr_assert_eq(stw_contact_status(exchange.acd, waits, &after), 0);
	cr_assert_eq(after.state, STW_CONTACT_WAITING);
	cr_assert_eq(after.enqueue_ns, before.enqueue_ns);
	cr_assert_eq(after.rank_ns, before.rank_ns);
	cr_assert_eq(after.cookie, before.cookie);
	cr_assert_eq(exchange.orphans_count, 2);
	routing_orphans_end(&exchange);
	cr_assert_eq(stw_contact_status(exchange.acd, waits, &after), -ESTALE);
	stw_acd_check(exchange.acd);
	close_switch();
}

Test(journal, a_corrupt_snapshot_keeps_the_switch_from_starting)
{
	char path[100];
	FILE *file;

	open_switch();
	close_switch();
	snprintf(path, sizeof(path), "%s/snapshot-0000000000000000", directory);
	file = fopen(path, "r+b");
	cr_assert_not_null(file);
	fseek(file, 40, SEEK_SET);
	fputc(0xaa, file);
	fclose(file);
	cr_assert_eq(call_tables_create(&exchange), 0);
	cr_assert_eq(routing_open(&exchange), -EBADMSG);
	cr_assert_null(exchange.acd);
	call_tables_destroy(&exchange);
}

Test(journal, without_one_a_switch_begins_empty)
{
	config.journal_directory.text = NULL;
	open_switch();
	cr_assert_null(exchange.journal);
	cr_assert_not(exchange.restored);
	close_switch();
}
