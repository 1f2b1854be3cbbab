/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The steering program of one interface: load, attach in the mode asked for, count, detach.
 */
#include "xdp_steer.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "base/base.h"
#include "bpf_log.h"
#include "port.h"
#include "steer_map.h"
#include "xdp_steer.skel.h"

struct xdp_steer {
	struct xdp_steer_bpf *object;
	int link_fd;
	enum stw_xdp_mode mode;
};

static int refuse_foreign(int ifindex, const char *name);
static int load_object(struct xdp_steer *steer, const char *name);
static int attach(struct xdp_steer *steer, int ifindex, const char *name, enum stw_xdp_mode mode);
static void close_forgotten(int program_fd);

int
xdp_steer_attach(struct xdp_steer **out, int ifindex, const char *name, enum stw_xdp_mode mode)
{
	struct xdp_steer *steer;
	int error;

	error = refuse_foreign(ifindex, name);
	if (error)
		return error;
	steer = calloc(1, sizeof(*steer));
	if (!steer)
		return -ENOMEM;
	steer->link_fd = -1;
	error = load_object(steer, name);
	if (!error)
		error = attach(steer, ifindex, name, mode);
	if (error) {
		xdp_steer_free(steer);
		return error;
	}
	stw_log(STW_LOG_INFO, "XDP-ATTACHED interface=%s mode=%s", name,
		steer->mode == STW_XDP_NATIVE ? "native" : "generic");
	*out = steer;
	return 0;
}

void
xdp_steer_detach(struct xdp_steer *steer)
{
	if (!steer || steer->link_fd < 0)
		return;
	close(steer->link_fd);
	steer->link_fd = -1;
}

void
xdp_steer_free(struct xdp_steer *steer)
{
	if (!steer)
		return;
	xdp_steer_detach(steer);
	if (steer->object) {
		close_forgotten(xdp_steer_program_fd(steer));
		xdp_steer_bpf__destroy(steer->object);
	}
	free(steer);
}

enum stw_xdp_mode
xdp_steer_mode(const struct xdp_steer *steer)
{
	return steer->mode;
}

struct steer_maps
xdp_steer_maps(const struct xdp_steer *steer)
{
	return (struct steer_maps){.owned = bpf_map__fd(steer->object->maps.owned),
				   .owned6 = bpf_map__fd(steer->object->maps.owned6)};
}

int
xdp_steer_program_fd(const struct xdp_steer *steer)
{
	return bpf_program__fd(steer->object->progs.xsk_def_prog);
}

static uint64_t
count_of_all_cpus(const struct xdp_steer *steer, uint32_t key)
{
	int cpus = libbpf_num_possible_cpus();
	uint64_t sum = 0;
	uint64_t *each;
	int i;

	if (cpus <= 0)
		return 0;
	each = calloc((size_t)cpus, sizeof(*each));
	if (!each)
		return 0;
	if (bpf_map_lookup_elem(bpf_map__fd(steer->object->maps.counts), &key, each) == 0) {
		for (i = 0; i < cpus; i++)
			sum += each[i];
	}
	free(each);
	return sum;
}

void
xdp_steer_counts(const struct xdp_steer *steer, struct port_steer_counts *counts)
{
	counts->steered = count_of_all_cpus(steer, STEER_COUNT_STEERED);
	counts->passed = count_of_all_cpus(steer, STEER_COUNT_PASSED);
	counts->unserved = count_of_all_cpus(steer, STEER_COUNT_UNSERVED);
	counts->fragments = count_of_all_cpus(steer, STEER_COUNT_FRAGMENTS);
}

/* Another program means that somebody else owns the interface's XDP, maybe another of us. */
static int
refuse_foreign(int ifindex, const char *name)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	struct bpf_prog_info info = {0};
	uint32_t info_bytes = sizeof(info);
	uint32_t ids[4];
	uint32_t id = 0;
	size_t i;
	int fd;

	if (bpf_xdp_query(ifindex, 0, &query) < 0) {
		stw_log(STW_LOG_ERROR, "XDP-NO-INTERFACE interface=%s errno=%d", name, errno);
		return errno == EPERM ? -EPERM : -ENODEV;
	}
	ids[0] = query.prog_id;
	ids[1] = query.drv_prog_id;
	ids[2] = query.skb_prog_id;
	ids[3] = query.hw_prog_id;
	for (i = 0; i < STW_ARRAY_COUNT(ids) && id == 0; i++)
		id = ids[i];
	if (id == 0)
		return 0;
	fd = bpf_prog_get_fd_by_id(id);
	if (fd >= 0) {
		bpf_obj_get_info_by_fd(fd, &info, &info_bytes);
		close(fd);
	}
	stw_log(STW_LOG_ERROR, "XDP-BUSY interface=%s program=%s id=%u", name,
		info.name[0] ? info.name : "?", id);
	return -EBUSY;
}

static int
load_object(struct xdp_steer *steer, const char *name)
{
	struct bpf_log log;
	int error;

	bpf_log_begin(&log);
	steer->object = xdp_steer_bpf__open_opts(&log.options);
	error = steer->object ? xdp_steer_bpf__load(steer->object) : -errno;
	bpf_log_end(&log, name, error);
	if (error == -EPERM || error == -ENOMEM)
		return error;
	return error ? -ENOTSUP : 0;
}

static int
attach_as(struct xdp_steer *steer, int ifindex, enum stw_xdp_mode mode)
{
	LIBBPF_OPTS(bpf_link_create_opts, options);
	int fd;

	options.flags = mode == STW_XDP_NATIVE ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE;
	fd = bpf_link_create(xdp_steer_program_fd(steer), ifindex, BPF_XDP, &options);
	if (fd < 0)
		return fd;
	steer->link_fd = fd;
	steer->mode = mode;
	return 0;
}

static int
attach(struct xdp_steer *steer, int ifindex, const char *name, enum stw_xdp_mode mode)
{
	int error;

	error = attach_as(steer, ifindex, mode == STW_XDP_GENERIC ? mode : STW_XDP_NATIVE);
	if (error && mode == STW_XDP_AUTO && error != -EPERM && error != -EBUSY) {
		stw_log(STW_LOG_WARN, "XDP-GENERIC interface=%s native_errno=%d", name, -error);
		error = attach_as(steer, ifindex, STW_XDP_GENERIC);
	}
	if (!error)
		return 0;
	stw_log(STW_LOG_ERROR, "XDP-REFUSED interface=%s mode=%s errno=%d", name,
		mode == STW_XDP_GENERIC ? "generic" : "native", -error);
	if (error == -EPERM || error == -EBUSY || error == -ENOMEM || error == -ENODEV)
		return error;
	return error == -EEXIST ? -EBUSY : -ENOTSUP;
}

/* The program's id; 0 when the descriptor is no program's. */
static uint32_t
program_id(int fd)
{
	static const char kind[] = "anon_inode:bpf-prog";
	struct bpf_prog_info info = {0};
	uint32_t info_bytes = sizeof(info);
	char target[sizeof(kind)] = {0};
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (readlink(path, target, sizeof(target)) != sizeof(kind) - 1 ||
	    memcmp(target, kind, sizeof(kind) - 1) != 0)
		return 0;
	return bpf_obj_get_info_by_fd(fd, &info, &info_bytes) == 0 ? info.id : 0;
}

/*
 * libxdp 1.3 looks at the program once for each socket that joins and forgets a descriptor of it,
 * which would keep the program and its maps in the kernel until the process ends.
 */
static void
close_forgotten(int program_fd)
{
	uint32_t ours = program_id(program_fd);
	struct dirent *entry;
	DIR *descriptors;

	descriptors = ours ? opendir("/proc/self/fd") : NULL;
	if (!descriptors)
		return;
	while ((entry = readdir(descriptors))) {
		int fd = (int)strtol(entry->d_name, NULL, 10);

		if (entry->d_name[0] != '.' && fd != program_fd && program_id(fd) == ours)
			close(fd);
	}
	closedir(descriptors);
}
