/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Relay inside the kernel asks the kernel for the link address of the next hop. In a network namespace of the
 * test's own, with an interface that leads to none but another of it.
 */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "kernel_case.h"

static struct kernel_case relayed;

static void
run_command(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command);
}

static void
open_case(void)
{
	if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0)
		cr_skip_test("network namespaces need root");
	if (system("ip link add hop0 type veth peer name hop1 2>/dev/null") != 0)
		cr_skip_test("no interface can be made here");
	run_command("ip link set hop1 up && ip link set hop0 up && ip addr add 198.51.100.1/24 dev "
		    "hop0");
	run_command("ip addr add 2001:db8:7::1/64 dev hop0 nodad");
	run_command("ip neigh add 198.51.100.7 lladdr 02:00:00:00:07:07 dev hop0");
	run_command("ip neigh add 2001:db8:7::7 lladdr 02:00:00:00:07:66 dev hop0");
	run_command("echo 1 >/proc/sys/net/ipv4/conf/hop0/forwarding");
	run_command("echo 1 >/proc/sys/net/ipv6/conf/hop0/forwarding");
	case_open(&relayed);
}

static void
close_case(void)
{
	if (relayed.run.program)
		case_close(&relayed);
}

TestSuite(kernel_hop, .init = open_case, .fini = close_case);

static void
fill(bool v6, uint8_t last)
{
	static const uint8_t hop4[] = {198, 51, 100, 0};
	static const uint8_t hop6[] = {0x20, 1, 0xd, 0xb8, 0, 7, [15] = 0};
	struct kernel_row *row;

	case_fill(&relayed, (struct case_way){.out6 = v6});
	row = case_row(&relayed);
	row->flags &= (uint16_t)~KERNEL_HOP_GIVEN;
	memcpy(row->hop, v6 ? hop6 : hop4, v6 ? 16 : 4);
	((uint8_t *)row->hop)[v6 ? 15 : 3] = last;
	row->hop_ifindex = if_nametoindex("hop0");
}

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

Test(kernel_hop, known_neighbour_gets_the_packets)
{
	for (unsigned v6 = 0; v6 < 2; v6++) {
		const uint8_t known[6] = {2, 0, 0, 0, 7, v6 ? 0x66 : 0x07};
		uint64_t begin = now_ns();

		fill(v6, 7);
		memcpy(relayed.out.mac_to, known, sizeof(known));
		cr_assert_eq(case_run(&relayed), BPF_SENT);
		cr_assert_eq(memcmp(case_row(&relayed)->mac_to, known, sizeof(known)), 0);
		cr_assert_eq(memcmp(case_row(&relayed)->mac_from, relayed.out.mac_from, 6), 0);
		cr_assert(case_row(&relayed)->hop_until_ns >= begin + KERNEL_HOP_NS &&
			  case_row(&relayed)->hop_until_ns <= now_ns() + KERNEL_HOP_NS);
	}
}

Test(kernel_hop, address_stays_while_nothing_is_known_and_until_it_is_time)
{
	uint8_t old[6];

	for (unsigned v6 = 0; v6 < 2; v6++) {
		fill(v6, 8);
		memcpy(old, relayed.out.mac_to, sizeof(old));
		cr_assert_eq(case_run(&relayed), BPF_SENT, "unknown");
		cr_assert_gt(case_row(&relayed)->hop_until_ns, 0);
		/* Known, but it was asked just now. */
		((uint8_t *)case_row(&relayed)->hop)[v6 ? 15 : 3] = 7;
		case_next(&relayed);
		cr_assert_eq(case_run(&relayed), BPF_SENT);
		cr_assert_eq(memcmp(case_row(&relayed)->mac_to, old, sizeof(old)), 0);
		/* Given: never asked. */
		case_row(&relayed)->flags |= KERNEL_HOP_GIVEN;
		case_row(&relayed)->hop_until_ns = 1;
		case_next(&relayed);
		cr_assert_eq(case_run(&relayed), BPF_SENT);
		cr_assert_eq(case_row(&relayed)->hop_until_ns, 1);
	}
}
