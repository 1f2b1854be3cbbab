/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Snapshots in files, with the journal that leads on from them, and what is refused of them. That the
 * state is right in all its fields is shown by tests/property/acd_snapshot_test.c.
 */
#include "life.h"

TestSuite(snapshot, .init = snapshot_begin, .fini = snapshot_end);

Test(snapshot, the_journal_leads_on_from_a_saved_snapshot)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_contact contacts[5];
	struct stw_contact_status status;

	open_journal();
	take();
	save();
	for (int i = 0; i < 5; i++) {
		now += SECOND;
		contacts[i] = enqueue(queue);
	}
	cr_assert_eq(stw_contact_cancel(house, contacts[1], now), 0);
	journal_all();
	cr_assert_eq(stw_snapshot_load(snapshot, scratch, &report), 0, "%s", report.reason);
	cr_assert_eq(report.records, 6);
	cr_assert_eq(report.applied, 6);
	cr_assert_eq(stw_snapshot_time(snapshot), now);
	die();
	queue_of("sales", NULL);
	cr_assert_eq(restore(), 0, "%s", why);
	cr_assert_eq(stw_contact_status(house, contacts[4], &status), 0);
	cr_assert_eq(status.enqueue_ns, now);
	cr_assert_eq(stw_contact_status(house, contacts[1], &status), -ESTALE);
}

Test(snapshot, a_newer_snapshot_makes_older_files_needless)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_snapshot *again;

	open_journal();
	take();
	save();
	cr_assert_eq(stw_snapshot_create(&again, house), 0);
	for (int i = 0; i < 40; i++) {
		struct stw_contact contact = enqueue(queue);

		cr_assert_eq(stw_contact_cancel(house, contact, ++now), 0);
		journal_all();
	}
	cr_assert_gt(scratch_files("journal-"), 5);
	cr_assert_eq(stw_snapshot_load(again, scratch, &report), 0);
	cr_assert_eq(stw_snapshot_save(again, scratch), 0);
	cr_assert_eq(scratch_files("journal-"), 1, "the one that is written");
	cr_assert_eq(scratch_files("snapshot-"), 1);
	enqueue(queue);
	journal_all();
	cr_assert_eq(stw_snapshot_load(snapshot, scratch, &report), 0, "%s", report.reason);
	cr_assert_eq(report.applied, 1);
	cr_assert_eq(snapshot->queues[0].counters[ACD_COUNT_OFFERED], 41);
	cr_assert_eq(snapshot->queues[0].counters[ACD_COUNT_ABANDONED], 40);
	stw_snapshot_destroy(again);
}

Test(snapshot, a_journal_without_its_files_goes_on_after_the_snapshot)
{
	struct stw_queue queue = queue_of("sales", NULL);

	open_journal();
	take();
	save();
	enqueue(queue);
	journal_all();
	take();
	save();
	cr_assert_eq(stw_journal_close(journal), 0);
	scratch_walk("journal-", true);
	open_journal();
	enqueue(queue);
	journal_all();
	cr_assert_eq(stw_snapshot_load(snapshot, scratch, &report), 0, "%s", report.reason);
	cr_assert_eq(snapshot->queues[0].counters[ACD_COUNT_OFFERED], 2);
}

Test(snapshot, lost_events_cost_no_more_than_their_own)
{
	struct stw_queue queue = queue_of("sales", NULL);
	struct stw_event events[64];
	struct stw_contact contact;
	int count;

	ready_agent("alice", NULL);
	take();
	contact = enqueue(queue);
	accept_next();
	end(contact);
	enqueue(queue);
	accept_next();
	count = stw_events_take(house, events, 64);
	cr_assert_gt(count, 0);
	/* Of two lives, only the second one's CONNECTED arrives. */
	cr_assert_eq(events[count - 1].type, STW_EVENT_CONNECTED);
	cr_assert_eq(stw_snapshot_apply(snapshot, &events[count - 1]), 1);
	die();
	agent_of("alice", NULL);
	queue_of("sales", NULL);
	cr_assert_eq(restore(), 0, "counters agree: %s", why);
	stw_acd_check(house);
}

Test(snapshot, a_cut_or_corrupt_file_is_refused_with_the_reason)
{
	char name[FILES_NAME_BYTES];
	size_t bytes;
	char *whole;

	fill_house();
	save();
	files_name(name, FRAMES_SNAPSHOT, 0);
	whole = scratch_read(name, &bytes);
	for (size_t cut = 0; cut < bytes; cut++) {
		scratch_write(name, whole, cut);
		cr_assert_eq(stw_snapshot_load(snapshot, scratch, &report), -EBADMSG, "cut %zu",
			     cut);
		cr_assert_not_null(report.reason);
		cr_assert_str_eq(report.file, name);
		cr_assert_eq(snapshot->queues[0].id, 0, "half loaded");
		cr_assert_eq(snapshot->contacts[0].id, 0, "half loaded");
	}
	for (size_t at = 0; at < bytes; at++) {
		whole[at] ^= 0x20;
		scratch_write(name, whole, bytes);
		cr_assert_eq(stw_snapshot_load(snapshot, scratch, &report), -EBADMSG, "byte %zu",
			     at);
		cr_assert_eq(snapshot->queues[0].id, 0, "half loaded");
		whole[at] ^= 0x20;
	}
	scratch_write(name, whole, bytes);
	cr_assert_eq(stw_snapshot_load(snapshot, scratch, &report), 0);
	free(whole);
}

Test(snapshot, an_unfinished_file_is_not_looked_at)
{
	fill_house();
	scratch_write("snapshot-0000000000000000.next", "half", 4);
	cr_assert_eq(stw_snapshot_load(snapshot, scratch, &report), -ENOENT);
	cr_assert_str_eq(report.reason, "there is no snapshot");
}

Test(snapshot, a_directory_without_snapshot_is_said_so)
{
	cr_assert_eq(stw_snapshot_load(snapshot, scratch, NULL), -ENOENT);
	cr_assert_eq(stw_snapshot_load(snapshot, "/dev/null/none", NULL), -ENOTDIR);
}

Test(snapshot, a_snapshot_of_a_larger_house_is_refused)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;
	struct stw_snapshot *small;

	fill_house();
	save();
	house_close();
	config.contacts_max = 1;
	house_open_with(&config);
	cr_assert_eq(stw_snapshot_create(&small, house), 0);
	cr_assert_eq(stw_snapshot_load(small, scratch, &report), -ENOSPC);
	cr_assert_eq(stw_snapshot_take(snapshot, house, NULL, now), -EINVAL);
	cr_assert_eq(stw_acd_restore(house, snapshot, 0, now, &why), -EINVAL);
	stw_snapshot_destroy(small);
}

Test(snapshot, an_event_of_an_unknown_queue_or_agent_is_refused)
{
	struct stw_event event;

	fill_house();
	event = (struct stw_event){.type = STW_EVENT_QUEUED,
				   .contact.id = UINT64_C(9) << 32 | 3,
				   .queue.id = UINT64_C(1) << 32 | 2,
				   .sequence = 1};
	cr_assert_eq(stw_snapshot_apply(snapshot, &event), -ENOENT);
	event.contact.id = UINT64_C(9) << 32 | 8;
	cr_assert_eq(stw_snapshot_apply(snapshot, &event), -EBADMSG);
	event.contact.id = UINT64_C(9) << 32 | 3;
	event.value = 16;
	cr_assert_eq(stw_snapshot_apply(snapshot, &event), -EBADMSG);
	event = (struct stw_event){.type = STW_EVENT_AGENT_STATE, .agent.id = 2};
	cr_assert_eq(stw_snapshot_apply(snapshot, &event), -ENOENT);
	event = (struct stw_event){.type = STW_EVENT_AGENT_STATE,
				   .agent.id = UINT64_C(1) << 32,
				   .agent_state = STW_AGENT_OFFERED,
				   .sequence = 1000};
	cr_assert_eq(stw_snapshot_apply(snapshot, &event), -EBADMSG);
}

Test(snapshot, queued_is_told_only_for_a_journal)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;
	struct stw_queue queue;

	house_close();
	house_open_with(&config);
	queue = queue_of("sales", NULL);
	enqueue(queue);
	cr_assert_eq(next_event().type, STW_EVENT_NONE);
	config.journal = 2;
	cr_assert_eq(stw_acd_memory_needed(&config, &(size_t){0}), -EINVAL);
}

Test(snapshot, an_abandonment_tells_whether_it_was_a_short_one)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_contact first, second;
	struct stw_event event;
	struct stw_queue queue;

	config.short_abandon_ns = SECOND;
	queue = queue_with(config, "sales", NULL);
	take();
	first = enqueue(queue);
	second = enqueue(queue);
	now += SECOND;
	cr_assert_eq(stw_contact_cancel(house, first, now), 0);
	now += 1;
	cr_assert_eq(stw_contact_cancel(house, second, now), 0);
	while (stw_events_take(house, &event, 1) == 1) {
		cr_assert_eq(event.in_time,
			     event.type == STW_EVENT_ABANDONED && event.contact.id == first.id);
		cr_assert_eq(stw_snapshot_apply(snapshot, &event), 1);
	}
	cr_assert_eq(snapshot->queues[0].counters[ACD_COUNT_ABANDONED_SHORT], 1);
	cr_assert_eq(snapshot->queues[0].counters[ACD_COUNT_ABANDONED_WAIT_NS], 2 * SECOND + 1);
}

Test(snapshot, who_comes_next_tells_of_those_who_were_sent_away)
{
	const struct stw_surge_rule rule = {
		.metric = STW_SURGE_LENGTH,
		.on_bound = 1,
		.off_bound = 0,
		.action = STW_SURGE_DEFLECT,
	};
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;
	struct stw_contact contact;
	struct stw_event event;

	config.surge_rules = &rule;
	config.surge_rules_count = 1;
	request.queue = queue_with(config, "sales", NULL);
	take();
	cr_assert_eq(stw_contact_enqueue(house, &request, now, &contact), 0);
	cr_assert_eq(stw_contact_enqueue(house, &request, now, &contact), STW_ENQUEUE_DEFLECTED);
	request.red_channel = 1;
	cr_assert_eq(stw_contact_enqueue(house, &request, now, &contact), 0);
	while (stw_events_take(house, &event, 1) == 1)
		cr_assert_eq(stw_snapshot_apply(snapshot, &event), event.type != STW_EVENT_SURGE);
	cr_assert_eq(snapshot->queues[0].counters[ACD_COUNT_DEFLECTED], 1);
	cr_assert_eq(snapshot->queues[0].counters[ACD_COUNT_OFFERED], 3);
	die();
	queue_of("sales", NULL);
	cr_assert_eq(restore(), 0, "%s", why);
	stw_acd_check(house);
}
