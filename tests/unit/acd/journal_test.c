/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Journals in real files: what is written is read again, what is torn is cut off, what is corrupt or
 * missing is refused, and a full buffer is counted and told.
 */
#include "scratch.h"

#define EVENTS 200

static struct stw_journal *journal;
static struct stw_journal_config config;
static struct stw_journal_report report;
static uint64_t now = 1;

/* What a receiver got. */
static struct {
	uint64_t count;
	uint64_t lost;
	uint64_t first;
	uint64_t last_cookie;
	uint64_t stop_at;
} got;

static int
receive(void *context, uint64_t number, const struct stw_event *event)
{
	got.first = got.count++ ? got.first : number;
	got.lost += event->lost;
	got.last_cookie = event->contact_cookie;
	return got.stop_at && got.count == got.stop_at ? -ECANCELED : 0;
}

static int
read_all(uint64_t after)
{
	memset(&got, 0, sizeof(got));
	return stw_journal_read(scratch, after, receive, NULL, &report);
}

static void
journal_begin(void)
{
	scratch_make();
	config = (struct stw_journal_config)STW_JOURNAL_CONFIG_INIT;
	config.directory = scratch;
}

static void
journal_end(void)
{
	cr_assert_eq(stw_journal_close(journal), 0);
	journal = NULL;
	scratch_remove();
}

TestSuite(journal, .init = journal_begin, .fini = journal_end);

static void
reopen(void)
{
	cr_assert_eq(stw_journal_close(journal), 0);
	cr_assert_eq(stw_journal_open(&journal, &config, &report), 0);
}

static void
append(uint64_t first, uint64_t count)
{
	for (uint64_t i = first; i < first + count; i++) {
		struct stw_event event = {.type = STW_EVENT_QUEUED, .contact_cookie = i};

		cr_assert_eq(stw_journal_append(journal, &event, 1), 0);
	}
	cr_assert_eq(stw_journal_write(journal, now++), (int)count);
}

Test(journal, events_are_read_as_they_were_appended)
{
	struct stw_event event;

	memset(&event, 0, sizeof(event));
	event = (struct stw_event){
		.type = STW_EVENT_CONNECTED,
		.agent_state = STW_AGENT_WRAP_UP,
		.reason = UINT32_MAX,
		.value = 15,
		.urgency = 1,
		.step = 9,
		.in_time = 1,
		.time_ns = UINT64_C(1) << 62,
		.wait_ns = 1,
		.contact.id = UINT64_MAX,
		.agent.id = 2,
		.queue.id = 3,
		.offer = {{4}, 5},
		.contact_cookie = 6,
		.agent_cookie = 127,
		.queue_cookie = 128,
		.lost = 16384,
		.sequence = 7,
		.enqueue_ns = 8,
		.rank_ns = INT64_MIN,
		.credit_ns = UINT64_MAX,
		.arrival = 10,
		.refused = 11,
		.until_ns = 12,
		.deflected = 13,
		.overflowed = 14,
		.callbacks = 15,
		.callbacks_offered = 17,
		.resumed = 18,
		.refused_unstaffed = 28,
		.repeats = 19,
		.resolution_reported = 20,
		.resolved = 21,
		.cause = STW_CAUSE_WAIT_MAX,
		.callback = 1,
		.contact_to.id = 22,
		.contact_for.id = 23,
		.queue_to.id = 24,
		.entered_ns = 25,
		.preferred.id = 26,
		.preferred_until_ns = UINT64_MAX,
		.customer_key = 27,
		.surge_on = 1,
		.ewt_ns = UINT64_MAX,
		.position = 16,
	};
	uint8_t bytes[1000];
	struct stw_event read;
	size_t size = fields_write(acd_event_fields.fields, acd_event_fields.count, &event, bytes);

	memset(&read, 0, sizeof(read));
	cr_assert_eq(
		fields_read(acd_event_fields.fields, acd_event_fields.count, bytes, size, &read),
		0);
	for (size_t i = 0; i < acd_event_fields.count; i++) {
		const struct field *field = &acd_event_fields.fields[i];

		cr_assert(!memcmp((char *)&event + field->offset, (char *)&read + field->offset,
				  field->bytes),
			  "tag %u", field->tag);
	}
}

Test(journal, a_field_of_a_later_release_is_passed_over)
{
	/* Tag 1 (a number), tag 90 (a number), tag 91 (text). */
	const uint8_t bytes[] = {2, 5, 0xb4, 1, 7, 0xb7, 1, 2, 'h', 'i'};
	struct stw_event event = {.type = STW_EVENT_NONE};

	cr_assert_eq(fields_read(acd_event_fields.fields, acd_event_fields.count, bytes,
				 sizeof(bytes), &event),
		     0);
	cr_assert_eq(event.type, STW_EVENT_CONNECTED);
}

Test(journal, fields_that_cannot_be_are_refused)
{
	static const struct {
		uint8_t bytes[12];
		size_t size;
	} cases[] = {
		{{2}, 1},                    /* no value */
		{{4, 1, 2, 1}, 4},           /* tags fall */
		{{2, 1, 2, 1}, 4},           /* a tag twice */
		{{0, 1}, 2},                 /* tag 0 */
		{{8, 0x80, 2}, 3},           /* 256 in a byte */
		{{16, 0x80, 0x80, 0x80}, 4}, /* a number without an end */
		{{16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2}, 11}, /* 65 bits */
		{{0xb7, 1, 3, 'h', 'i'}, 5}, /* text that is cut */
	};

	for (size_t i = 0; i < STW_ARRAY_COUNT(cases); i++) {
		struct stw_event event = {.type = STW_EVENT_NONE};

		cr_assert_eq(fields_read(acd_event_fields.fields, acd_event_fields.count,
					 cases[i].bytes, cases[i].size, &event),
			     -EBADMSG, "case %zu", i);
	}
}

Test(journal, records_go_through_files_and_are_numbered_on)
{
	struct stw_journal_stats stats;

	config.file_bytes_max = 1000;
	reopen();
	append(1, EVENTS);
	stw_journal_stats(journal, &stats);
	cr_assert_eq(stats.records, EVENTS);
	cr_assert_eq(stats.number, EVENTS + 1);
	cr_assert_gt(stats.files, 3);
	cr_assert_eq(stats.lost, 0);
	reopen();
	append(EVENTS + 1, 3);
	cr_assert_eq(read_all(0), 0);
	cr_assert_eq(got.count, EVENTS + 3);
	cr_assert_eq(got.last_cookie, EVENTS + 3);
	cr_assert_null(report.reason);
	cr_assert_eq(read_all(EVENTS - 1), 0);
	cr_assert_eq(got.first, EVENTS);
	cr_assert_eq(got.count, 4);
}

Test(journal, only_files_that_a_snapshot_has_wholly_are_dropped)
{
	int directory = open(scratch, O_RDONLY | O_DIRECTORY);

	config.file_bytes_max = 150;
	reopen();
	append(1, 60);
	for (uint64_t through = 0; through <= 60; through++) {
		cr_assert_eq(files_drop(directory, through), 0);
		cr_assert_eq(read_all(through), 0, "through %d: %s", (int)through, report.reason);
		cr_assert_eq(got.count, 60 - through);
	}
	cr_assert_eq(scratch_files("journal-"), 1);
	close(directory);
}

Test(journal, opening_without_an_event_leaves_no_file)
{
	reopen();
	reopen();
	cr_assert_eq(scratch_files("journal-"), 0);
	append(1, 1);
	reopen();
	cr_assert_eq(scratch_files("journal-"), 1);
}

Test(journal, a_full_buffer_is_counted_and_told_at_its_place)
{
	struct stw_event event = {.type = STW_EVENT_QUEUED};
	struct stw_journal_stats stats;

	config.events_max = 64;
	reopen();
	for (uint32_t i = 0; i < 64; i++)
		cr_assert_eq(stw_journal_append(journal, &event, 1), 0);
	cr_assert_eq(stw_journal_append(journal, &event, 1), -ENOSPC);
	cr_assert_eq(stw_journal_append(journal, &event, 1), -ENOSPC);
	stw_journal_stats(journal, &stats);
	cr_assert_eq(stats.lost, 2);
	cr_assert_eq(stw_journal_write(journal, 1), 65);
	append(5, 1);
	cr_assert_eq(read_all(64), 0);
	cr_assert_eq(got.lost, 2, "the gap comes before the event after it");
	cr_assert_eq(got.count, 2);
	cr_assert_eq(got.last_cookie, 5);
	cr_assert_eq(report.lost, 2);
}

Test(journal, a_torn_tail_is_cut_off_at_every_byte)
{
	char *name, *whole;
	size_t bytes, last;

	reopen();
	append(1, 3);
	cr_assert_eq(read_all(0), 0);
	name = strdup(report.file);
	whole = scratch_read(name, &bytes);
	/* The last record: a head, and the type, cookie and their tags. */
	last = bytes - (20 + 4);
	for (size_t cut = last + 1; cut < bytes; cut++) {
		cr_assert_eq(stw_journal_close(journal), 0);
		journal = NULL;
		scratch_clear();
		scratch_write(name, whole, cut);
		cr_assert_eq(read_all(0), 0, "cut at %zu", cut);
		cr_assert_eq(got.count, 2);
		cr_assert_eq(report.torn_bytes, cut - last);
		cr_assert_eq(stw_journal_open(&journal, &config, &report), 0);
		cr_assert_eq(report.torn_bytes, cut - last);
		append(7, 1);
		cr_assert_eq(read_all(0), 0, "cut at %zu: %s", cut, report.reason);
		cr_assert_eq(got.count, 3);
		cr_assert_eq(got.last_cookie, 7);
		cr_assert_eq(report.torn_bytes, 0);
	}
	free(whole);
	free(name);
}

Test(journal, a_file_cut_within_its_head_is_begun_anew)
{
	char *name, *whole;
	size_t bytes;

	config.file_bytes_max = 100;
	reopen();
	append(1, 4);
	cr_assert_eq(read_all(0), 0);
	name = strdup(report.file);
	whole = scratch_read(name, &bytes);
	scratch_write(name, whole, 20);
	reopen();
	cr_assert_eq(report.torn_bytes, 20);
	append(9, 1);
	cr_assert_eq(read_all(0), 0, "%s", report.reason);
	cr_assert_eq(got.last_cookie, 9);
	free(whole);
	free(name);
}

Test(journal, a_wrong_byte_before_the_end_is_refused)
{
	char *name, *whole;
	size_t bytes;

	reopen();
	append(1, 5);
	cr_assert_eq(stw_journal_close(journal), 0);
	journal = NULL;
	cr_assert_eq(read_all(0), 0);
	name = strdup(report.file);
	whole = scratch_read(name, &bytes);
	for (size_t at = 0; at < bytes - 24; at++) {
		whole[at] ^= 0x10;
		scratch_write(name, whole, bytes);
		cr_assert_lt(read_all(0), 0, "byte %zu", at);
		cr_assert_not_null(report.reason);
		cr_assert_lt(stw_journal_open(&journal, &config, &report), 0, "byte %zu", at);
		whole[at] ^= 0x10;
	}
	free(whole);
	free(name);
}

Test(journal, a_missing_file_is_refused)
{
	struct stw_journal_stats stats;
	char name[FILES_NAME_BYTES];

	config.file_bytes_max = 200;
	reopen();
	append(1, 50);
	stw_journal_stats(journal, &stats);
	cr_assert_gt(stats.files, 3);
	files_name(name, FRAMES_JOURNAL, 1);
	scratch_unlink(name);
	cr_assert_eq(read_all(0), -EBADMSG);
	cr_assert_str_eq(report.reason, "records are missing");
	cr_assert_eq(got.count, 0);
}

Test(journal, a_cut_file_that_is_not_the_newest_is_refused)
{
	char name[FILES_NAME_BYTES];
	char *whole;
	size_t bytes;

	config.file_bytes_max = 200;
	reopen();
	append(1, 50);
	files_name(name, FRAMES_JOURNAL, 1);
	whole = scratch_read(name, &bytes);
	scratch_write(name, whole, bytes - 3);
	cr_assert_eq(read_all(0), -EBADMSG);
	cr_assert_str_eq(report.reason, "the last record is cut");
	cr_assert_str_eq(report.file, name);
	/* A whole record less leaves a gap. */
	scratch_write(name, whole, bytes - 24);
	cr_assert_eq(read_all(0), -EBADMSG);
	cr_assert_str_eq(report.reason, "records are missing");
	free(whole);
}

Test(journal, a_receiver_ends_the_reading)
{
	reopen();
	append(1, 5);
	memset(&got, 0, sizeof(got));
	got.stop_at = 2;
	cr_assert_eq(stw_journal_read(scratch, 0, receive, NULL, &report), -ECANCELED);
	cr_assert_eq(got.count, 2);
}

Test(journal, a_full_disk_loses_nothing)
{
	struct rlimit small = {4096, RLIM_INFINITY}, all = {RLIM_INFINITY, RLIM_INFINITY};
	struct stw_event event = {.type = STW_EVENT_QUEUED};

	signal(SIGXFSZ, SIG_IGN);
	reopen();
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (uint32_t i = 0; i < 300; i++) {
		event.contact_cookie = i + 1;
		cr_assert_eq(stw_journal_append(journal, &event, 1), 0);
	}
	cr_assert_eq(stw_journal_write(journal, 1), -EFBIG);
	cr_assert_eq(stw_journal_write(journal, 2), -EFBIG);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &all), 0);
	cr_assert_geq(stw_journal_write(journal, 3), 0);
	append(301, 1);
	cr_assert_eq(read_all(0), 0, "%s", report.reason);
	cr_assert_eq(got.count, 301);
	cr_assert_eq(got.last_cookie, 301);
}

Test(journal, the_disk_is_told_to_keep_it_as_configured)
{
	struct stw_journal_stats stats;

	config.sync = STW_JOURNAL_SYNC_NEVER;
	now = 1000000;
	reopen();
	append(1, 1);
	stw_journal_stats(journal, &stats);
	cr_assert_eq(stats.syncs, 0);
	config.sync = STW_JOURNAL_SYNC_ALWAYS;
	reopen();
	append(2, 1);
	append(3, 1);
	cr_assert_eq(stw_journal_write(journal, now), 0);
	stw_journal_stats(journal, &stats);
	cr_assert_eq(stats.syncs, 2, "nothing new, nothing to keep");
	config.sync = STW_JOURNAL_SYNC_INTERVAL;
	config.sync_ns = 100;
	reopen();
	append(4, 1);
	append(5, 1);
	now += 100;
	append(6, 1);
	stw_journal_stats(journal, &stats);
	cr_assert_eq(stats.syncs, 2);
}

Test(journal, a_config_out_of_range_is_refused)
{
	struct stw_journal_config wrong = config;
	struct stw_journal *none = NULL;

	wrong.events_max = 63;
	cr_assert_eq(stw_journal_open(&none, &wrong, NULL), -EINVAL);
	wrong = config;
	wrong.directory = NULL;
	cr_assert_eq(stw_journal_open(&none, &wrong, NULL), -EINVAL);
	wrong = config;
	wrong.struct_size = 8;
	cr_assert_eq(stw_journal_open(&none, &wrong, NULL), -EINVAL);
	wrong = config;
	wrong.sync = (enum stw_journal_sync)3;
	cr_assert_eq(stw_journal_open(&none, &wrong, NULL), -EINVAL);
	wrong = config;
	wrong.directory = "/dev/null/none";
	cr_assert_eq(stw_journal_open(&none, &wrong, NULL), -ENOTDIR);
	cr_assert_eq(stw_journal_read("/dev/null/none", 0, receive, NULL, NULL), -ENOTDIR);
	cr_assert_null(none);
}
