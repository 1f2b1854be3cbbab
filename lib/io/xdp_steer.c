/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The steering program of one interface: load, attach in the mode asked for, count, detach.
 */
#include "xdp_steer.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "base/base.h"
#include "bpf_counts.h"
#include "bpf_log.h"
#include "clock.h"
#include "kernel_relay.h"
#include "port.h"
#include "steer_map.h"
#include "xdp_owner.h"
#include "xdp_steer.skel.h"

/* Between two looks whether the predecessor is gone. */
#define LOOK_NS 1000000u

/* For who takes over, after the predecessor is gone: others may want the same. */
#define SETTLE_NS 1000000000u

struct xdp_steer {
	struct xdp_steer_bpf *object;
	int link_fd;
	int token_fd;
	int ifindex;
	char name[IF_NAMESIZE];
	enum stw_xdp_mode wanted;
	enum stw_xdp_mode mode;
};

static int refuse_foreign(int ifindex, const char *name, bool takeover);
static int load_object(struct xdp_steer *steer, const struct xdp_steer_setup *setup);
static int attach_or_take_over(struct xdp_steer *steer, uint64_t until_ns);
static void close_forgotten(int program_fd);

int
xdp_steer_load(struct xdp_steer **out, const struct xdp_steer_setup *setup)
{
	struct xdp_steer *steer;
	int error;

	error = refuse_foreign(setup->ifindex, setup->name, setup->takeover);
	if (error)
		return error;
	steer = calloc(1, sizeof(*steer));
	if (!steer)
		return -ENOMEM;
	steer->link_fd = -1;
	steer->token_fd = -1;
	steer->ifindex = setup->ifindex;
	snprintf(steer->name, sizeof(steer->name), "%s", setup->name);
	steer->wanted = setup->mode;
	error = load_object(steer, setup);
	if (!error) {
		steer->token_fd = xdp_owner_token(xdp_steer_program_fd(steer));
		error = steer->token_fd < 0 ? steer->token_fd : 0;
	}
	if (error) {
		xdp_steer_free(steer);
		return error;
	}
	if (setup->relay)
		kernel_relay_memory(setup->relay)->ifindex[setup->port] = (uint32_t)setup->ifindex;
	*out = steer;
	return 0;
}

int
xdp_steer_attach(struct xdp_steer *steer, uint32_t takeover_ms)
{
	const struct timespec pause = {.tv_nsec = LOOK_NS};
	uint64_t until_ns = takeover_ms ? clock_now_ns() + takeover_ms * UINT64_C(1000000) : 0;
	int error;

	while ((error = attach_or_take_over(steer, until_ns)) == -EAGAIN) {
		if (clock_now_ns() >= until_ns + SETTLE_NS) {
			stw_log(STW_LOG_ERROR, "XDP-UNSETTLED interface=%s", steer->name);
			return -EBUSY;
		}
		nanosleep(&pause, NULL);
	}
	if (error)
		return error;
	stw_log(STW_LOG_INFO, "XDP-ATTACHED interface=%s mode=%s", steer->name,
		steer->mode == STW_XDP_NATIVE ? "native" : "generic");
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
	/* The sockets are closed: now a successor does not get in our way for the kernel's locks. */
	if (steer->token_fd >= 0)
		close(steer->token_fd);
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

/** Bytes of a map's keys and values, of each CPU where they are. */
static uint64_t
map_bytes(const struct bpf_map *map, bool each_cpu)
{
	int cpus = each_cpu ? libbpf_num_possible_cpus() : 1;

	return ((uint64_t)bpf_map__key_size(map) +
		(uint64_t)bpf_map__value_size(map) * (cpus > 0 ? (uint64_t)cpus : 1)) *
	       bpf_map__max_entries(map);
}

uint64_t
xdp_steer_map_bytes(const struct xdp_steer *steer)
{
	return map_bytes(steer->object->maps.owned, false) +
	       map_bytes(steer->object->maps.owned6, false) +
	       map_bytes(steer->object->maps.xsks_map, false) +
	       map_bytes(steer->object->maps.counts, true);
}

void
xdp_steer_counts(const struct xdp_steer *steer, struct port_steer_counts *counts)
{
	uint64_t all[STEER_COUNTS];

	bpf_counts_read(bpf_map__fd(steer->object->maps.counts), all, STEER_COUNTS);
	counts->steered = all[STEER_COUNT_STEERED];
	counts->passed = all[STEER_COUNT_PASSED];
	counts->unserved = all[STEER_COUNT_UNSERVED];
	counts->fragments = all[STEER_COUNT_FRAGMENTS];
}

static int
find_owner(struct xdp_owner *owner, int ifindex, const char *name)
{
	int error = xdp_owner_find(owner, ifindex);

	if (error)
		stw_log(STW_LOG_ERROR, "XDP-NO-INTERFACE interface=%s errno=%d", name, -error);
	return error;
}

static int
refuse(const struct xdp_owner *owner, const char *name)
{
	stw_log(STW_LOG_ERROR, "XDP-BUSY interface=%s program=%s id=%" PRIu32, name,
		owner->program[0] ? owner->program : "?", owner->program_id);
	return -EBUSY;
}

/* Another program means that somebody else owns the interface's XDP, maybe another of us. */
static int
refuse_foreign(int ifindex, const char *name, bool takeover)
{
	struct xdp_owner owner;
	int error;

	error = find_owner(&owner, ifindex, name);
	if (error)
		return error;
	if (owner.program_id != 0 && !(owner.ours && takeover))
		error = refuse(&owner, name);
	xdp_owner_release(&owner);
	return error;
}

/* What of the program is fixed from now on. */
static int
object_set(struct xdp_steer_bpf *object, const struct kernel_relay *relay, uint32_t port)
{
	if (!relay)
		return 0;
	object->rodata->relay_is_loaded = 1;
	object->rodata->relay_queue_first = port * KERNEL_QUEUES_A_PORT;
	return kernel_relay_use(relay, object->obj);
}

static int
load_object(struct xdp_steer *steer, const struct xdp_steer_setup *setup)
{
	struct bpf_log log;
	int error;

	bpf_log_begin(&log);
	steer->object = xdp_steer_bpf__open_opts(&log.options);
	error = steer->object ? object_set(steer->object, setup->relay, setup->port) : -errno;
	if (!error)
		error = xdp_steer_bpf__load(steer->object);
	bpf_log_end(&log, setup->name, error);
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

static int
take_over(struct xdp_steer *steer, struct xdp_owner *owner, uint64_t until_ns)
{
	const struct timespec pause = {.tv_nsec = LOOK_NS};
	uint64_t began_ns = clock_now_ns();
	int fd;

	if (owner->link_fd < 0)
		return -EAGAIN;
	if (xdp_owner_is_there(owner))
		stw_log(STW_LOG_INFO, "XDP-WAIT interface=%s id=%" PRIu32, steer->name,
			owner->program_id);
	while (xdp_owner_is_there(owner)) {
		if (clock_now_ns() >= until_ns)
			return refuse(owner, steer->name);
		nanosleep(&pause, NULL);
	}
	/* What is on the link ends with who holds it, so another mode can be had then. */
	if (steer->wanted != STW_XDP_AUTO && steer->wanted != owner->mode)
		return -EAGAIN;
	fd = xdp_owner_replace(owner, xdp_steer_program_fd(steer));
	if (fd == -EAGAIN)
		return fd;
	if (fd < 0) {
		stw_log(STW_LOG_ERROR, "XDP-NOT-TAKEN interface=%s errno=%d", steer->name, -fd);
		return fd == -ENOMEM ? fd : -ENOTSUP;
	}
	steer->link_fd = fd;
	steer->mode = owner->mode;
	stw_log(STW_LOG_INFO, "XDP-TAKEN interface=%s id=%" PRIu32 " waited_ms=%" PRIu64,
		steer->name, owner->program_id, (clock_now_ns() - began_ns) / 1000000u);
	return 0;
}

/* -EAGAIN: to be tried again, as things have changed. until_ns 0: no take-over. */
static int
attach_or_take_over(struct xdp_steer *steer, uint64_t until_ns)
{
	struct xdp_owner owner;
	int error;

	error = find_owner(&owner, steer->ifindex, steer->name);
	if (error)
		return error;
	if (owner.program_id == 0) {
		error = attach(steer, steer->ifindex, steer->name, steer->wanted);
		if (error == -EBUSY && until_ns)
			error = -EAGAIN;
	} else if (owner.ours && until_ns) {
		error = take_over(steer, &owner, until_ns);
	} else {
		error = refuse(&owner, steer->name);
	}
	xdp_owner_release(&owner);
	return error;
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
