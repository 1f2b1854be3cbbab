/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Time that the steering program takes to relay a packet inside the kernel, by the number of legs.
 *
 * The kernel runs the program over a frame (BPF_PROG_TEST_RUN) that a generator in front of it, in the same
 * run, makes the next packet of another leg (program_ns.bpf.c). The time of the generator alone, over as many runs,
 * is taken away. So it is the program's own time: without the driver, without what the kernel does with the
 * packet afterwards, with the frame in the cache, and with the memory of legs as a relay meets it. Whatever
 * the CPU does of generator and program at one time counts as the generator's.
 *
 * Not a comparison: where legs are many it is mostly how long this machine waits for memory, once a packet.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/base.h"
#include "io/kernel_relay.h"
#include "io/steer_ranges.h"
#include "program_ns.h"
#include "program_ns.skel.h"
#include "rounds.h"

#define RUNS       2000000u
#define ROUNDS_MAX 101
#define MAP_TURN   3

struct bench {
	struct kernel_relay *relay;
	struct kernel_memory *memory;
	struct program_ns_bpf *program;
	uint32_t legs;
	uint8_t frame[PROGRAM_FRAME_BYTES];
};

static void
leg_fill(struct bench *bench, uint32_t leg)
{
	uint32_t slot = leg + 1, peer = (leg ^ 1) + 1;
	uint32_t entry = leg / PROGRAM_PORTS * PROGRAM_PORTS + leg % PROGRAM_PORTS;
	struct kernel_row *row = &bench->memory->rows[slot];
	struct leg_intake *intake = &bench->memory->intakes[slot];
	union egress_map map = {.turn = MAP_TURN};
	union egress_last last = {.sequence = 0xffff};

	*row = (struct kernel_row){.peer = peer,
				   .source = {htonl(PROGRAM_SOURCE + leg)},
				   .source_port = htons(PROGRAM_SOURCE_PORT),
				   .flags = KERNEL_HOP_GIVEN,
				   .audio_pt_in = 8,
				   .audio_pt_to = 8,
				   .dscp = 46,
				   .ifindex = 1,
				   .port_from = 1,
				   .port_to = 2,
				   .sum_change = 0x4321};
	row->state = KERNEL_KERNEL;
	intake->reception.sources = 1;
	intake->reception.ssrc = leg;
	intake->reception.seen = 1;
	intake->reception.sequence_first = intake->reception.sequence_max = 0xffff;
	intake->reception.sequence_bad = 0x10000;
	intake->voice = egress_voice(peer, MAP_TURN);
	bench->memory->egresses[peer].map = map.word;
	bench->memory->egresses[peer].last = last.word;
	bench->memory->entries[entry / KERNEL_ENTRIES_A_LINE].entry[entry % KERNEL_ENTRIES_A_LINE] =
		slot;
}

static void
addresses_own(const struct bench *bench)
{
	struct steer_maps maps = {.owned = bpf_map__fd(bench->program->maps.owned),
				  .owned6 = bpf_map__fd(bench->program->maps.owned6)};

	for (uint32_t first = 0; first < bench->legs; first += PROGRAM_PORTS) {
		uint32_t ip = htonl(PROGRAM_LOCAL + first / PROGRAM_PORTS);
		struct stw_ip address = {.family = 4};

		memcpy(address.bytes, &ip, sizeof(ip));
		if (steer_map_own(&maps, &address, 0, PROGRAM_PORT,
				  PROGRAM_PORT + PROGRAM_PORTS - 1) ||
		    steer_map_entries(&maps, &address, 0,
				      first + STEER_ENTRIES_BASE - PROGRAM_PORT))
			rounds_die("program-ns: cannot own an address");
	}
}

static void
bench_begin(struct bench *bench, uint32_t legs)
{
	uint32_t lines = (legs + PROGRAM_PORTS) / KERNEL_ENTRIES_A_LINE;
	uint16_t type = htons(0x0800);

	memset(bench, 0, sizeof(*bench));
	bench->legs = legs;
	memcpy(bench->frame + 12, &type, sizeof(type));
	if (kernel_relay_open(&bench->relay, legs + 2, lines))
		rounds_die("program-ns: no memory in the kernel");
	bench->memory = kernel_relay_memory(bench->relay);
	bench->program = program_ns_bpf__open();
	if (!bench->program)
		rounds_die("program-ns: cannot read the program");
	bench->program->rodata->legs = legs;
	bench->program->rodata->relay_is_loaded = 1;
	if (kernel_relay_use(bench->relay, bench->program->obj) ||
	    program_ns_bpf__load(bench->program))
		rounds_die("program-ns: cannot load the program");
	addresses_own(bench);
	for (uint32_t leg = 0; leg < legs; leg++)
		leg_fill(bench, leg);
}

static void
bench_end(struct bench *bench)
{
	program_ns_bpf__destroy(bench->program);
	kernel_relay_close(bench->relay);
}

/** Nanoseconds of a run, on average. */
static double
run_ns(struct bench *bench, const struct bpf_program *program, uint32_t runs)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = bench->frame,
		    .data_size_in = sizeof(bench->frame), .repeat = (int)runs);

	if (bpf_prog_test_run_opts(bpf_program__fd(program), &options))
		rounds_die("program-ns: cannot run the program");
	return options.duration;
}

static int
compare(const void *left, const void *right)
{
	double difference = *(const double *)left - *(const double *)right;

	return (difference > 0) - (difference < 0);
}

static void
run_metric(const struct rounds_options *options, uint32_t legs)
{
	uint32_t runs = options->quick ? RUNS / 10 : RUNS;
	uint64_t counts[KERNEL_COUNTS];
	double ns[ROUNDS_MAX], none[ROUNDS_MAX];
	unsigned rounds = options->rounds < ROUNDS_MAX ? options->rounds : ROUNDS_MAX;
	struct bench bench;

	bench_begin(&bench, legs);
	/* Every leg once, and a number that goes on. */
	run_ns(&bench, bench.program->progs.program_ns_whole, legs);
	for (unsigned i = 0; i < rounds; i++) {
		none[i] = run_ns(&bench, bench.program->progs.program_ns_none, runs / legs * legs);
		/* What the generator alone has numbered was not received: go back. */
		bench.program->bss->at.round -= runs / legs;
		ns[i] = run_ns(&bench, bench.program->progs.program_ns_whole, runs / legs * legs) -
			none[i];
	}
	kernel_relay_counts(bench.relay, counts);
	if (counts[KERNEL_COUNT_RELAYED] != legs + (uint64_t)rounds * (runs / legs * legs))
		rounds_die("program-ns: not all packets were relayed");
	qsort(ns, rounds, sizeof(*ns), compare);
	qsort(none, rounds, sizeof(*none), compare);
	printf("program-ns legs=%u median=%.0f min=%.0f max=%.0f generator=%.0f unit=ns/packet "
	       "bytes=%llu\n",
	       legs, ns[rounds / 2], ns[0], ns[rounds - 1], none[rounds / 2],
	       (unsigned long long)kernel_relay_bytes(bench.relay));
	bench_end(&bench);
}

int
main(int argc, char **argv)
{
	static const uint32_t legs[] = {1, 1000, 200000};
	struct rounds_options options;

	rounds_parse(&options, argc, argv);
	for (size_t i = 0; i < STW_ARRAY_COUNT(legs); i++)
		run_metric(&options, legs[i]);
	return 0;
}
