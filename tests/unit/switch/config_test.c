/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

/* Each line is one of the file's, so a test names a line by what it replaces. */
static const char *const lines[] = {
	/*  1 */ "listen: { address: 192.0.2.1, sip_port: 5060 }",
	/*  2 */ "media:",
	/*  3 */ "  interface: sw0",
	/*  4 */ "  rtp_ports: { first: 20000, last: 29999 }",
	/*  5 */ "  worker_core: N",
	/*  6 */ "menu:",
	/*  7 */ "  default_queue: support",
	/*  8 */ "  choices:",
	/*  9 */ "    - { digit: \"1\", queue: sales }",
	/* 10 */ "    - { digit: \"2\", queue: support }",
	/* 11 */ "queues:",
	/* 12 */ "  - { name: sales, skills: [ { name: sales, level: 3 } ], target_s: 32 }",
	/* 13 */ "  - { name: support, skills: [ { name: support } ] }",
	/* 14 */ "agents:",
	/* 15 */ "  - { name: alice, password: secret, skills: [ { name: sales, level: 5 } ] }",
	/* 16 */ "  - { name: bob, password: secret, skills: [ { name: support, level: 5 } ] }",
	/* 17 */ "customers:",
	/* 18 */ "  - { number: \"2002\", value: 3 }",
	/* 19 */ "  - { number: \"1001\", value: 15 }",
};

/* A CPU that we may use is written there. */
#define WORKER_LINE 5

#define LINES (sizeof(lines) / sizeof(lines[0]))

static struct config config;
static char path[] = "/tmp/strowger-config-XXXXXX";

static void
make_file(void)
{
	int descriptor = mkstemp(path);

	cr_assert_geq(descriptor, 0);
	close(descriptor);
}

static void
remove_file(void)
{
	config_free(&config);
	unlink(path);
}

TestSuite(config, .init = make_file, .fini = remove_file);

/* Load the file with one line replaced; line 0: as it is. */
static int
load(unsigned line, const char *text)
{
	FILE *file = fopen(path, "w");

	cr_assert_not_null(file);
	for (unsigned i = 0; i < LINES; i++)
		if (i + 1 == line)
			fprintf(file, "%s\n", text);
		else if (i + 1 == WORKER_LINE)
			fprintf(file, "  worker_core: %d\n", sched_getcpu());
		else
			fprintf(file, "%s\n", lines[i]);
	fclose(file);
	return config_load(&config, path);
}

/* The replaced line is refused with exactly these words about that line. */
static void
refused(unsigned line, const char *text, unsigned line_named, const char *what)
{
	char expected[512];

	cr_assert_neq(load(line, text), 0, "'%s' is taken", text);
	snprintf(expected, sizeof(expected), "%s:%u: %s\n", path, line_named, what);
	cr_assert_str_eq(config.document.errors, expected, "it says: %s", config.document.errors);
	config_free(&config);
}

Test(config, good_file_is_read)
{
	cr_assert_eq(load(0, NULL), 0, "%s", config.document.errors);
	cr_assert_eq(config.address.family, 4);
	cr_assert_eq(config.address.bytes[0], 192);
	cr_assert_eq(config.queues_count, 2);
	cr_assert_eq(config.agents_count, 2);
	cr_assert_eq(config.menu.default_queue, 1);
	cr_assert_eq(config.menu.choices[0].queue, 0);
	cr_assert_eq(config.queues[0].levels[0].skill, config.agents[0].levels[0].skill);
	cr_assert_neq(config.queues[1].levels[0].skill, config.queues[0].levels[0].skill);
	cr_assert_eq(config.queues[0].levels[0].level, 3);
	cr_assert_eq(config.queues[1].levels[0].level, 1, "the least level is meant");
}

Test(config, defaults_are_those_that_the_sample_tells)
{
	cr_assert_eq(load(0, NULL), 0);
	cr_assert_eq(config.driver, CONFIG_DRIVER_AUTO);
	cr_assert_eq(config.relay, CONFIG_RELAY_WORKER);
	cr_assert_eq(config.queues[0].record, CONFIG_RECORD_ALL);
	cr_assert_eq(config.calls_max, 1000);
	cr_assert_eq(config.menu.timeout_s, 10);
	cr_assert_eq(config.queues[0].offer_timeout_s, 15);
	cr_assert_eq(config.queues[0].service_level_s, 20);
	cr_assert_not(config.queues[0].show_caller);
	cr_assert_eq(config.agents[0].penalty_s, 2);
	cr_assert_null(config.recording_directory.text,
		       "nothing is recorded unless it is asked for");
}

Test(config, a_journal_is_kept_where_it_is_said)
{
	char expected[] = "/tmp/calls";

	cr_assert_eq(load(17, "journal: { directory: /tmp/calls }\ncustomers:"), 0, "%s",
		     config.document.errors);
	cr_assert_str_eq(config.journal_directory.text, expected);
	cr_assert_eq(config.journal_sync_ms, 100);
	config_free(&config);
	cr_assert_eq(load(0, NULL), 0);
	cr_assert_null(config.journal_directory.text, "there is none unless it is asked for");
	config_free(&config);
	refused(17, "journal: { sync_ms: 5 }\ncustomers:", 17, "'directory' is missing here");
}

Test(config, kernel_relays_where_it_is_told_to)
{
	cr_assert_eq(load(3, "  interface: sw0\n  relay: kernel"), 0, "%s", config.document.errors);
	cr_assert_eq(config.relay, CONFIG_RELAY_KERNEL);
	config_free(&config);
	cr_assert_eq(load(3, "  interface: sw0\n  relay: auto\n  driver: af-packet"), 0, "%s",
		     config.document.errors);
	cr_assert_eq(config.relay, CONFIG_RELAY_AUTO);
	config_free(&config);
	refused(3, "  interface: sw0\n  relay: nobody", 4,
		"'relay' is one of: worker, kernel, auto");
	refused(3, "  interface: sw0\n  driver: af-packet\n  relay: kernel", 5,
		"the kernel relays by XDP, which the driver af-packet is without");
}

Test(config, queue_says_which_calls_are_recorded)
{
	cr_assert_eq(load(11, "recording: { directory: rec }\nqueues:\n"
			      "  - { name: billing, record: none }\n"
			      "  - { name: claims, record: on_demand }"),
		     0, "%s", config.document.errors);
	cr_assert_eq(config.queues[0].record, CONFIG_RECORD_NONE);
	cr_assert_eq(config.queues[1].record, CONFIG_RECORD_ON_DEMAND);
	cr_assert_not(config_records(&config, 0));
	cr_assert_not(config_records(&config, 1), "not before the agent asks for it");
	cr_assert(config_records(&config, 2));
	config_free(&config);
	refused(13, "  - { name: support, record: some }", 13,
		"'record' is one of: all, none, on_demand");
}

Test(config, queue_that_records_needs_a_place_for_it)
{
	const char *where = "the queue 'support' has calls recorded, but there is no part "
			    "'recording' that says where";

	refused(13, "  - { name: support, record: on_demand }", 13, where);
	refused(13, "  - { name: support,\n      record: all }", 14, where);
	cr_assert_eq(load(13, "  - { name: support, record: none }"), 0, "%s",
		     config.document.errors);
	cr_assert_not(config_records(&config, 0), "nothing is recorded without a place for it");
}

Test(config, menu_is_recorded_if_one_of_its_queues_records_all)
{
	cr_assert_eq(load(12, "  - { name: sales, record: none }"), 0, "%s",
		     config.document.errors);
	cr_assert_not(config_records(&config, CONFIG_NONE), "there is no place for it");
	config_free(&config);
	cr_assert_eq(load(11, "recording: { directory: rec }\nqueues:\n"
			      "  - { name: billing, record: none }"),
		     0, "%s", config.document.errors);
	cr_assert(config_records(&config, CONFIG_NONE));
	for (uint32_t i = 0; i < config.queues_count; i++)
		config.queues[i].record = CONFIG_RECORD_ON_DEMAND;
	cr_assert_not(config_records(&config, CONFIG_NONE));
	config.queues[config.menu.default_queue].record = CONFIG_RECORD_ALL;
	cr_assert(config_records(&config, CONFIG_NONE));
}

Test(config, syntax_errors_name_their_line)
{
	cr_assert_neq(load(12, "  - { name: sales, skills: [ }"), 0);
	cr_assert_not_null(strstr(config.document.errors, ":12: "), "it says: %s",
			   config.document.errors);
}

Test(config, missing_file_is_an_error)
{
	cr_assert_neq(config_load(&config, "/nowhere/switch.yaml"), 0);
	cr_assert_str_eq(config.document.errors,
			 "/nowhere/switch.yaml: No such file or directory\n");
}

Test(config, wrong_keys_name_their_line)
{
	refused(3, "  interfaces: sw0\n  interface: sw0", 3, "'interfaces' is not known here");
	refused(3, "  interface: sw0\n  interface: sw1", 4, "'interface' is here twice");
	refused(5, "", 3, "'worker_core' is missing here");
	refused(17, "limits: []\ncustomers:", 17, "here belong 'name: value' pairs");
	refused(13, "  - { name: support, skills: {} }", 13, "here belongs a list");
}

Test(config, wrong_values_name_their_line)
{
	refused(5, "  worker_core: one", 5, "'worker_core' is a whole number, 0 to 1023");
	refused(5, "  worker_core: -1", 5, "'worker_core' is a whole number, 0 to 1023");
	refused(5, "  worker_core: 99999999999999999999", 5,
		"'worker_core' is a whole number, 0 to 1023");
	refused(3, "  interface: sw0\n  driver: dpdk", 4,
		"'driver' is one of: auto, xdp-native, xdp-generic, af-packet");
	refused(3, "  interface: sw0\n  nat: maybe", 4, "'nat' is true or false");
	refused(19, "  - { number: \"1001\", value: 16 }", 19,
		"'value' is a whole number, 0 to 15");
	refused(1, "listen: { address: example.org }", 1,
		"'address' is an IPv4 address of this machine, like 192.0.2.1");
}

Test(config, worker_needs_a_cpu_that_is_there)
{
	refused(5, "  worker_core: 1023", 5, "there is no CPU 1023 for the worker");
}

Test(config, wrong_port_ranges_name_their_line)
{
	const char *pairs = "RTP ports come in pairs: 'first' is even, 'last' is odd";

	refused(4, "  rtp_ports: { first: 20001, last: 29999 }", 4, pairs);
	refused(4, "  rtp_ports: { first: 20000, last: 29998 }", 4, pairs);
	refused(4, "  rtp_ports: { first: 20000, last: 20001 }", 4,
		"a call needs two pairs of RTP ports: 'last' is 20003 or more");
	refused(4, "  rtp_ports: { first: 5000, last: 5999 }", 4,
		"the SIP port 5060 is one of the RTP ports");
}

Test(config, unknown_and_repeated_names_name_their_line)
{
	refused(7, "  default_queue: suport", 7, "there is no queue 'suport'");
	refused(9, "    - { digit: \"1\", queue: selas }", 9, "there is no queue 'selas'");
	refused(10, "    - { digit: \"1\", queue: support }", 10, "the digit '1' is here twice");
	refused(10, "    - { digit: \"12\", queue: support }", 10,
		"'12' is not a key of a phone: 0 to 9, *, #, A to D");
	refused(12, "  - { name: sales, skills: [ { name: seles } ] }", 12,
		"no agent has the skill 'seles'");
	refused(16, "  - { name: alice, password: x, skills: [ { name: support } ] }", 16,
		"the agent 'alice' is here twice");
	refused(19, "  - { number: \"2002\", value: 1 }", 19, "the number '2002' is here twice");
	refused(13, "  - { name: support }\n  - { name: menu }", 14,
		"'menu' is what callers call to hear the menu");
}

Test(config, listed_skills_are_the_only_ones)
{
	cr_assert_neq(load(17, "skills: [ sales ]\ncustomers:"), 0);
	cr_assert_not_null(strstr(config.document.errors,
				  ":13: the skill 'support' is not in the list 'skills'\n"),
			   "it says: %s", config.document.errors);
	cr_assert_not_null(strstr(config.document.errors, ":16: the skill 'support'"));
}

Test(config, names_are_fit_for_a_sip_uri)
{
	refused(16, "  - { name: \"b@b\", password: x, skills: [ { name: support } ] }", 16,
		"the agent's name 'b@b' is not made of at most 63 letters, digits, '-', '_' and "
		"'.'");
}

Test(config, missing_sound_names_its_line)
{
	refused(7, "  default_queue: support\n  prompt: /nowhere/menu.wav", 8,
		"/nowhere/menu.wav: No such file or directory");
}

Test(config, all_errors_are_told_at_once)
{
	cr_assert_neq(load(12, "  - { name: sales, lenght_max: 3, target_s: x }"), 0);
	cr_assert_eq(config.document.errors_count, 2);
}

Test(config, paths_are_relative_to_the_file)
{
	cr_assert_eq(load(1, "files: { cdr: cdr.jsonl, status: /run/status.json }\n"
			     "listen: { address: 192.0.2.1 }"),
		     0);
	cr_assert_str_eq(config.cdr.text, "/tmp/cdr.jsonl");
	cr_assert_str_eq(config.status.text, "/run/status.json");
}

Test(config, customers_are_known_by_number)
{
	cr_assert_eq(load(0, NULL), 0);
	cr_assert_eq(config_customer_value(&config, "1001"), 15);
	cr_assert_eq(config_customer_value(&config, "2002"), 3);
	cr_assert_eq(config_customer_value(&config, "1002"), 0);
}

Test(config, valued_customers_have_shorter_targets)
{
	cr_assert_eq(load(0, NULL), 0);
	cr_assert_eq(config_target_ns(&config.queues[0], 0), INT64_C(32000000000));
	cr_assert_eq(config_target_ns(&config.queues[0], 15), INT64_C(2000000000));
}
