/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * media-memory: resident bytes that 100,000 calls take, all tables in, after a packet of each of
 * their 200,000 legs was relayed; beside the kibibyte a call that is promised.
 *
 * A call's bytes are what the process has grown by from the empty plane to one with all calls, by their
 * number; the tables are there from the beginning, but take memory as they are touched. What the empty
 * plane takes (packet buffers above all, which go by traffic and not by calls) is in the notes.
 */
#include <stdio.h>
#include <string.h>

#include "relay_house.h"

#define BENCH          "media-memory"
#define PROMISED_BYTES 1024

/* Resident memory of the process, bytes; DPDK's own included. */
static double
resident_bytes(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	unsigned long kib, sum = 0;
	char line[200];

	if (!file)
		rounds_die(BENCH ": the kernel does not tell of memory");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Rss: %lu kB", &kib) == 1 ||
		    sscanf(line, "Private_Hugetlb: %lu kB", &kib) == 1)
			sum += kib;
	}
	fclose(file);
	return (double)sum * 1024;
}

int
main(int argc, char **argv)
{
	struct rounds_metric call_metric = {BENCH, "promise", "call", "bytes", "lower"};
	uint32_t calls = HOUSE_CALLS_MAX;
	struct stw_media_config config;
	struct house house = {0};
	double before, empty, full;

	house_open(&house, BENCH, argc, argv);
	if (house.options.quick)
		calls /= 10;
	config = house_config(calls);
	/* Nobody takes the events of legs that latch: a queue for them all is not what is measured. */
	config.events_max = 16384;
	before = resident_bytes();
	house_media_make(&house, &config);
	empty = resident_bytes();
	for (uint32_t call = 0; call < calls; call++)
		house_call_add(&house, call, &house.streams[2 * call]);
	full = resident_bytes();
	/* What the generator takes for its phones is not the relay's. */
	generator_load(house.generator, house.streams, 2 * calls, house.options.seed);
	full -= resident_bytes();
	house_warm_up(&house, 2 * calls);
	full += resident_bytes();
	for (unsigned round = 0; round < house.options.rounds; round++)
		rounds_print(&call_metric, round, (full - empty) / calls, PROMISED_BYTES);
	rounds_note(BENCH,
		    "empty, made for %u calls: %.1f MiB; their memory is touched as they come",
		    calls, (empty - before) / (1 << 20));
	house_close(&house);
	return 0;
}
