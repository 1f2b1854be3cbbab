/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cdr.h"

static const struct cdr_offer offers[] = {
	{"alice", CDR_OFFER_TIMED_OUT},
	{"bob", CDR_OFFER_ACCEPTED},
};

static const struct cdr_recording recordings[] = {
	{"rec/1.pcapng", "rec/1.wav", 0, 1500},
	{"rec/1-2.pcapng", "", 4000, 6000, 2},
};

static struct cdr
sample(void)
{
	struct cdr record = {
		.call_id = "1@192.0.2.7",
		.caller = "1001",
		.called = "menu",
		.start = "2026-11-21T21:00:26.123Z",
		.digits = "15",
		.queue = "sales",
		.agent = "bob",
		.offers = offers,
		.offers_count = 2,
		.wait_ms = 5100,
		.talk_ms = 60000,
		.duration_ms = 66000,
		.result = CDR_ANSWERED,
		.hangup_by = CDR_AGENT,
		.recordings = recordings,
		.recordings_count = 2,
		.caller_rtp.stats = {.local = {{4, {192, 0, 2, 1}}, 20000},
				     .remote = {{4, {192, 0, 2, 7}}, 4000},
				     .packets_received = 3000,
				     .packets_sent = 2999,
				     .packets_lost = -1,
				     .jitter_us = 250},
	};

	return record;
}

static const char *
text(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

static json_int_t
number(const json_t *json, const char *key)
{
	return json_integer_value(json_object_get(json, key));
}

Test(cdr, record_has_every_key_of_the_contract)
{
	static const char *const keys[] = {
		"call_id",   "caller",     "called",      "start",      "digits",      "queue",
		"agent",     "offers",     "wait_ms",     "talk_ms",    "duration_ms", "result",
		"hangup_by", "recordings", "kernel_legs", "caller_rtp", "agent_rtp",
	};
	struct cdr record = sample();
	json_t *json = cdr_json(&record);

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		cr_assert_not_null(json_object_get(json, keys[i]), "'%s' is missing", keys[i]);
	cr_assert_eq(json_object_size(json), sizeof(keys) / sizeof(keys[0]));
	json_decref(json);
}

Test(cdr, record_says_what_happened)
{
	struct cdr record = sample();
	json_t *json = cdr_json(&record), *rtp = json_object_get(json, "caller_rtp");
	json_t *list = json_object_get(json, "offers");

	cr_assert_str_eq(text(json, "result"), "answered");
	cr_assert_str_eq(text(json, "hangup_by"), "agent");
	cr_assert_eq(number(json, "wait_ms"), 5100);
	cr_assert_eq(json_array_size(list), 2);
	cr_assert_str_eq(text(json_array_get(list, 0), "agent"), "alice");
	cr_assert_str_eq(text(json_array_get(list, 0), "result"), "timed_out");
	cr_assert_str_eq(text(json_array_get(list, 1), "result"), "accepted");
	cr_assert_str_eq(text(rtp, "remote_address"), "192.0.2.7");
	cr_assert_eq(number(rtp, "remote_port"), 4000);
	cr_assert_eq(number(rtp, "packets_lost"), -1);
	cr_assert(json_is_null(json_object_get(json, "agent_rtp")));
	json_decref(json);
}

Test(cdr, each_recording_names_its_files_and_its_span)
{
	struct cdr record = sample();
	json_t *json = cdr_json(&record), *list = json_object_get(json, "recordings");
	json_t *second = json_array_get(list, 1);

	cr_assert_eq(json_array_size(list), 2);
	cr_assert_str_eq(text(json_array_get(list, 0), "wav"), "rec/1.wav");
	cr_assert_eq(number(json_array_get(list, 0), "to_ms"), 1500);
	cr_assert_str_eq(text(second, "pcapng"), "rec/1-2.pcapng");
	cr_assert_eq(number(second, "from_ms"), 4000);
	cr_assert_eq(number(second, "kernel_legs"), 2);
	cr_assert(json_is_null(json_object_get(second, "wav")), "there is no such file");
	json_decref(json);
}

Test(cdr, call_of_which_nothing_is_kept_has_no_recordings)
{
	struct cdr record = sample();
	json_t *json;

	record.recordings_count = 0;
	json = cdr_json(&record);
	cr_assert(json_is_array(json_object_get(json, "recordings")));
	cr_assert_eq(json_array_size(json_object_get(json, "recordings")), 0);
	json_decref(json);
}

Test(cdr, text_that_is_not_utf8_is_still_written)
{
	json_t *json = cdr_text("caf\xe9 \"x\"");

	cr_assert_str_eq(json_string_value(json), "caf? \"x\"");
	json_decref(json);
	json = cdr_text("caf\xc3\xa9");
	cr_assert_str_eq(json_string_value(json), "caf\xc3\xa9");
	json_decref(json);
}

Test(cdr, records_are_lines_appended_to_the_file)
{
	char path[] = "/tmp/strowger-cdr-XXXXXX", line[4096];
	struct cdr record = sample();
	struct cdr_file *file;
	json_error_t error;
	json_t *json;
	FILE *read;
	int lines = 0;

	close(mkstemp(path));
	for (int run = 0; run < 2; run++) {
		cr_assert_eq(cdr_open(&file, path), 0);
		cr_assert_eq(cdr_write(file, &record), 0);
		cr_assert_eq(cdr_write(file, &record), 0);
		cdr_close(file);
	}
	read = fopen(path, "r");
	while (fgets(line, sizeof(line), read)) {
		cr_assert_eq(line[strlen(line) - 1], '\n');
		json = json_loads(line, 0, &error);
		cr_assert_not_null(json, "line %d: %s", lines, error.text);
		json_decref(json);
		lines++;
	}
	fclose(read);
	unlink(path);
	cr_assert_eq(lines, 4);
}

Test(cdr, file_that_cannot_be_made_is_an_error)
{
	struct cdr_file *file = NULL;

	cr_assert_lt(cdr_open(&file, "/nowhere/cdr.jsonl"), 0);
	cr_assert_null(file);
}

Test(cdr, without_a_file_records_go_nowhere)
{
	struct cdr record = sample();
	struct cdr_file *file;

	cr_assert_eq(cdr_open(&file, NULL), 0);
	cr_assert_eq(cdr_write(file, &record), 0);
	cdr_close(file);
}
