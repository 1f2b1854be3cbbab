/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The program with relay inside the kernel, for tests. A socket of AF_XDP can be in the program's map when it has a
 * ring, bound to no interface: so what would be given to it can be told from what is dropped.
 */
#include "bpf_run.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <linux/bpf.h>
#include <linux/if_xdp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "io/bpf_log.h"
#include "xdp_steer.skel.h"

#define CPUS_MAX 256

void
bpf_run_serve(const struct bpf_run *run, int is_served)
{
	int map = bpf_map__fd(run->program->maps.xsks_map);
	uint32_t queue = 0;

	if (is_served)
		cr_assert_eq(bpf_map_update_elem(map, &queue, &run->socket, BPF_ANY), 0);
	else
		cr_assert_eq(bpf_map_delete_elem(map, &queue), 0);
}

void
bpf_run_open(struct bpf_run *run, uint32_t legs_slots, uint32_t entries_lines, uint32_t port)
{
	struct bpf_log log;
	int ring = 64;
	int error;

	if (geteuid() != 0)
		cr_skip_test("BPF programs need root");
	error = kernel_relay_open(&run->relay, legs_slots, entries_lines);
	if (error == -EPERM)
		cr_skip_test("BPF programs may not be loaded here");
	cr_assert_eq(error, 0);
	run->memory = kernel_relay_memory(run->relay);
	bpf_log_begin(&log);
	run->program = xdp_steer_bpf__open_opts(&log.options);
	cr_assert_not_null(run->program);
	run->program->rodata->relay_is_loaded = 1;
	run->program->rodata->relay_queue_first = port * KERNEL_QUEUES_A_PORT;
	cr_assert_eq(kernel_relay_use(run->relay, run->program->obj), 0);
	error = xdp_steer_bpf__load(run->program);
	bpf_log_end(&log, "test", error);
	cr_assert_eq(error, 0);
	run->maps.owned = bpf_map__fd(run->program->maps.owned);
	run->maps.owned6 = bpf_map__fd(run->program->maps.owned6);
	run->socket = socket(AF_XDP, SOCK_RAW, 0);
	cr_assert_geq(run->socket, 0);
	cr_assert_eq(setsockopt(run->socket, SOL_XDP, XDP_RX_RING, &ring, sizeof(ring)), 0);
	bpf_run_serve(run, 1);
}

void
bpf_run_close(struct bpf_run *run)
{
	xdp_steer_bpf__destroy(run->program);
	kernel_relay_close(run->relay);
	close(run->socket);
}

void
bpf_run_own(const struct bpf_run *run, const struct stw_ip *ip, uint16_t vlan, uint16_t first,
	    uint16_t last, uint32_t entry)
{
	cr_assert_eq(steer_map_own(&run->maps, ip, vlan, first, last), 0);
	cr_assert_eq(steer_map_entries(&run->maps, ip, vlan, entry + STEER_ENTRIES_BASE - first),
		     0);
}

uint64_t
bpf_run_steer_count(const struct bpf_run *run, uint32_t which)
{
	uint64_t each[CPUS_MAX] = {0};
	uint64_t sum = 0;

	cr_assert_leq(libbpf_num_possible_cpus(), CPUS_MAX);
	cr_assert_eq(bpf_map_lookup_elem(bpf_map__fd(run->program->maps.counts), &which, each), 0);
	for (unsigned i = 0; i < CPUS_MAX; i++)
		sum += each[i];
	return sum;
}

uint64_t
bpf_run_count(const struct bpf_run *run, enum kernel_count which)
{
	uint64_t counts[KERNEL_COUNTS];

	kernel_relay_counts(run->relay, counts);
	return counts[which];
}

enum bpf_fate
bpf_run_frame(const struct bpf_run *run, struct bpf_frame *frame)
{
	uint64_t steered = bpf_run_steer_count(run, STEER_COUNT_STEERED);
	uint64_t unserved = bpf_run_steer_count(run, STEER_COUNT_UNSERVED);
	struct bpf_frame out = {0};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->data,
		    .data_size_in = frame->bytes, .data_out = out.data,
		    .data_size_out = sizeof(out.data));
	int fd = bpf_program__fd(run->program->progs.xsk_def_prog);

	cr_assert_eq(bpf_prog_test_run_opts(fd, &options), 0);
	steered = bpf_run_steer_count(run, STEER_COUNT_STEERED) - steered;
	unserved = bpf_run_steer_count(run, STEER_COUNT_UNSERVED) - unserved;
	cr_assert_leq(steered + unserved, 1);
	out.bytes = options.data_size_out;
	if (options.retval == XDP_REDIRECT && !steered) {
		cr_assert_eq(unserved, 0);
		*frame = out;
		return BPF_SENT;
	}
	/* What is not sent is as it was. */
	cr_assert(options.retval == XDP_DROP ||
		  (out.bytes == frame->bytes && memcmp(out.data, frame->data, out.bytes) == 0));
	if (options.retval == XDP_REDIRECT)
		return BPF_STEERED;
	if (options.retval == XDP_PASS)
		return BPF_PASSED;
	cr_assert_eq(options.retval, XDP_DROP);
	return unserved ? BPF_UNSERVED : BPF_DROPPED;
}
