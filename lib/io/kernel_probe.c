/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tries of what relay inside the kernel needs: maps and programs that do nothing else.
 */
#include "kernel_probe.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

#include "base/base.h"

/** 0, or the negative errno with which the kernel refuses. */
static int
mapped_arrays_are_there(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "probe", sizeof(uint32_t), sizeof(uint64_t), 1,
				&options);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

/** A program that adds 1 to a word of its stack, and is told what was there. */
static int
atomics_are_there(void)
{
	const struct bpf_insn program[] = {
		{.code = BPF_ST | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_10, .off = -8},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_1, .imm = 1},
		{.code = BPF_STX | BPF_ATOMIC | BPF_DW,
		 .dst_reg = BPF_REG_10,
		 .src_reg = BPF_REG_1,
		 .off = -8,
		 .imm = BPF_ADD | BPF_FETCH},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "probe", "BSD", program, STW_ARRAY_COUNT(program),
			       NULL);

	if (fd < 0)
		return -errno;
	close(fd);
	return 0;
}

static int
hops_are_there(void)
{
	int found = libbpf_probe_bpf_helper(BPF_PROG_TYPE_XDP, BPF_FUNC_fib_lookup, NULL);

	return found > 0 ? 0 : found < 0 ? found : -ENOTSUP;
}

int
kernel_probe(void)
{
	static const struct {
		const char *what;
		int (*try)(void);
	} tries[] = {
		{"mapped-arrays", mapped_arrays_are_there},
		{"atomic-fetch", atomics_are_there},
		{"fib-lookup", hops_are_there},
	};

	for (size_t i = 0; i < STW_ARRAY_COUNT(tries); i++) {
		int error = tries[i].try();

		if (!error)
			continue;
		stw_log(STW_LOG_ERROR, "KERNEL-RELAY-NONE lacks=%s errno=%d", tries[i].what,
			-error);
		return error == -EPERM ? -EPERM : -ENOTSUP;
	}
	return 0;
}
