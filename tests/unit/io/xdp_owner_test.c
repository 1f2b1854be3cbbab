/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who has an interface's XDP: on the loop-back interface of a network namespace of the test's own.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <linux/bpf.h>
#include <linux/bpf_common.h>
#include <linux/if_link.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "io/xdp_owner.h"
#include "io/xdp_steer.h"

#define LOOPBACK 1 /* the first interface of each namespace */

static void
enter(void)
{
	struct xdp_owner owner;

	if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0)
		cr_skip_test("network namespaces and BPF programs need root");
	cr_assert_eq(xdp_owner_find(&owner, LOOPBACK), 0);
	cr_assert_eq(owner.program_id, 0);
	xdp_owner_release(&owner);
}

TestSuite(xdp_owner, .init = enter);

static int
load(struct xdp_steer **steer, bool takeover)
{
	const struct xdp_steer_setup setup = {
		.ifindex = LOOPBACK, .name = "lo", .mode = STW_XDP_GENERIC, .takeover = takeover};

	return xdp_steer_load(steer, &setup);
}

static struct xdp_steer *
steering(uint32_t takeover_ms)
{
	struct xdp_steer *steer;
	int error;

	error = load(&steer, takeover_ms != 0);
	if (error == -EPERM || error == -ENOTSUP)
		cr_skip_test("BPF programs may not be loaded here");
	cr_assert_eq(error, 0);
	return steer;
}

static struct xdp_owner
find(void)
{
	struct xdp_owner owner;

	cr_assert_eq(xdp_owner_find(&owner, LOOPBACK), 0);
	return owner;
}

static uint32_t
program_on_it(void)
{
	struct xdp_owner owner = find();

	xdp_owner_release(&owner);
	return owner.program_id;
}

Test(xdp_owner, steering_program_is_known_by_its_maps_and_token)
{
	struct xdp_steer *steer = steering(0);
	struct xdp_owner owner;

	cr_assert_eq(xdp_steer_attach(steer, 0), 0);
	owner = find();
	cr_assert(owner.ours);
	cr_assert_str_eq(owner.program, "xsk_def_prog");
	cr_assert_eq(owner.mode, STW_XDP_GENERIC);
	cr_assert(xdp_owner_is_there(&owner));
	xdp_steer_free(steer);
	cr_assert_not(xdp_owner_is_there(&owner), "its program is still held");
	xdp_owner_release(&owner);
	cr_assert_eq(program_on_it(), 0);
}

Test(xdp_owner, program_of_that_name_without_our_maps_is_a_strangers)
{
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_link_create_opts, options, .flags = XDP_FLAGS_SKB_MODE);
	struct xdp_steer *steer = NULL;
	struct xdp_owner owner;
	int program, link;

	program = bpf_prog_load(BPF_PROG_TYPE_XDP, "xsk_def_prog", "GPL", code, 2, NULL);
	if (program < 0)
		cr_skip_test("BPF programs may not be loaded here");
	link = bpf_link_create(program, LOOPBACK, BPF_XDP, &options);
	cr_assert_geq(link, 0);
	owner = find();
	cr_assert_neq(owner.program_id, 0);
	cr_assert_not(owner.ours);
	cr_assert_eq(load(&steer, true), -EBUSY);
	close(link);
	close(program);
}

Test(xdp_owner, successor_takes_the_link_and_its_program_is_never_missing)
{
	struct xdp_steer *old = steering(0);
	struct xdp_steer *new;
	struct xdp_owner held, owner;
	uint32_t before;
	int error;

	cr_assert_eq(xdp_steer_attach(old, 0), 0);
	new = steering(1000);
	cr_assert_eq(xdp_steer_attach(new, 1), -EBUSY, "it stays");
	held = find();
	before = held.program_id;
	xdp_steer_free(old);
	owner = find();
	cr_assert_eq(owner.program_id, before, "whoever waits holds the link");
	cr_assert_eq(xdp_steer_attach(new, 1000), 0);
	cr_assert_neq(program_on_it(), before);
	error = xdp_owner_replace(&owner, xdp_steer_program_fd(new));
	cr_assert_eq(error, -EAGAIN, "a second successor comes too late: %d", error);
	xdp_owner_release(&owner);
	owner = find();
	cr_assert(xdp_owner_is_there(&owner));
	xdp_owner_release(&owner);
	held.program_fd = -1; /* closed with `old`, as descriptors of its program */
	xdp_owner_release(&held);
	xdp_steer_free(new);
	cr_assert_eq(program_on_it(), 0);
}
