/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Looks at BPF programs, maps and links of other processes.
 */
#include "xdp_owner.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include "base/base.h"

#define TOKEN_NAME       "stw_owner"
#define TOKEN_DESCRIPTOR 512 /* or above; the usual limit is 1,024 */

/* libxdp's own program for sockets has our program's name, but not these maps. */
static const char program_name[] = "xsk_def_prog";
static const char *const map_names[] = {"owned", "owned6", "xsks_map"};

#define PROGRAM_MAPS_MAX 64
#define OBJECTS_MAX      100000 /* looked at for one; a host has thousands at most */

static int lift(int fd);
static bool name_program(struct xdp_owner *owner);
static bool has_our_maps(int program_fd);
static void find_link(struct xdp_owner *owner, int ifindex);
static uint32_t find_token(uint32_t program_id);

int
xdp_owner_find(struct xdp_owner *owner, int ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	uint32_t ids[4];
	size_t i;

	if (bpf_xdp_query(ifindex, 0, &query) < 0)
		return errno == EPERM ? -EPERM : -ENODEV;
	*owner = (struct xdp_owner){.program_fd = -1, .link_fd = -1};
	ids[0] = query.prog_id;
	ids[1] = query.drv_prog_id;
	ids[2] = query.skb_prog_id;
	ids[3] = query.hw_prog_id;
	for (i = 0; i < STW_ARRAY_COUNT(ids) && owner->program_id == 0; i++)
		owner->program_id = ids[i];
	if (query.attach_mode == XDP_ATTACHED_DRV)
		owner->mode = STW_XDP_NATIVE;
	else if (query.attach_mode == XDP_ATTACHED_SKB)
		owner->mode = STW_XDP_GENERIC;
	owner->ours = owner->program_id != 0 && name_program(owner);
	if (!owner->ours) {
		xdp_owner_release(owner);
		return 0;
	}
	owner->token_id = find_token(owner->program_id);
	find_link(owner, ifindex);
	return 0;
}

bool
xdp_owner_is_there(const struct xdp_owner *owner)
{
	int fd = owner->token_id ? bpf_map_get_fd_by_id(owner->token_id) : -1;

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int
xdp_owner_replace(struct xdp_owner *owner, int program_fd)
{
	LIBBPF_OPTS(bpf_link_update_opts, options, .flags = BPF_F_REPLACE);
	int error, fd;

	options.old_prog_fd = (uint32_t)owner->program_fd;
	error = bpf_link_update(owner->link_fd, program_fd, &options);
	if (error == -EPERM || error == -ENOLINK)
		return -EAGAIN;
	if (error)
		return error;
	fd = owner->link_fd;
	owner->link_fd = -1;
	return fd;
}

void
xdp_owner_release(struct xdp_owner *owner)
{
	if (owner->program_fd >= 0)
		close(owner->program_fd);
	if (owner->link_fd >= 0)
		close(owner->link_fd);
	owner->program_fd = -1;
	owner->link_fd = -1;
}

int
xdp_owner_token(int program_fd)
{
	struct bpf_prog_info program = {0};
	uint32_t bytes = sizeof(program);
	uint32_t key = 0;
	int error, fd;

	error = bpf_obj_get_info_by_fd(program_fd, &program, &bytes);
	if (error)
		return error;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, TOKEN_NAME, sizeof(key), sizeof(program.id), 1,
			    NULL);
	if (fd < 0)
		return fd;
	error = bpf_map_update_elem(fd, &key, &program.id, BPF_ANY);
	if (error) {
		close(fd);
		return error;
	}
	return lift(fd);
}

/*
 * The kernel closes what a killed process leaves from the last descriptor to the first, and waits a grace period
 * at each socket: so the token goes first, and a successor is not held up by them.
 */
static int
lift(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, TOKEN_DESCRIPTOR);

	if (high < 0)
		return fd;
	close(fd);
	return high;
}

/* True when it is a steering program of ours. */
static bool
name_program(struct xdp_owner *owner)
{
	struct bpf_prog_info info = {0};
	uint32_t bytes = sizeof(info);

	owner->program_fd = bpf_prog_get_fd_by_id(owner->program_id);
	if (owner->program_fd < 0 || bpf_obj_get_info_by_fd(owner->program_fd, &info, &bytes) != 0)
		return false;
	memcpy(owner->program, info.name, sizeof(owner->program));
	return strcmp(owner->program, program_name) == 0 && has_our_maps(owner->program_fd);
}

/* Bit i: the map has map_names[i]. */
static unsigned int
map_bit(uint32_t id)
{
	struct bpf_map_info info = {0};
	uint32_t bytes = sizeof(info);
	unsigned int bit = 0;
	size_t i;
	int fd;

	fd = bpf_map_get_fd_by_id(id);
	if (fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &bytes) == 0) {
		for (i = 0; i < STW_ARRAY_COUNT(map_names); i++)
			bit |= strcmp(info.name, map_names[i]) == 0 ? 1u << i : 0;
	}
	close(fd);
	return bit;
}

static bool
has_our_maps(int program_fd)
{
	uint32_t maps[PROGRAM_MAPS_MAX] = {0};
	struct bpf_prog_info info = {.nr_map_ids = PROGRAM_MAPS_MAX, .map_ids = (uintptr_t)maps};
	uint32_t bytes = sizeof(info);
	unsigned int found = 0;
	uint32_t i;

	if (bpf_obj_get_info_by_fd(program_fd, &info, &bytes) != 0)
		return false;
	for (i = 0; i < info.nr_map_ids && i < PROGRAM_MAPS_MAX; i++)
		found |= map_bit(maps[i]);
	return found == (1u << STW_ARRAY_COUNT(map_names)) - 1;
}

static bool
is_link(int fd, const struct xdp_owner *owner, int ifindex)
{
	struct bpf_link_info info = {0};
	uint32_t bytes = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &bytes) == 0 && info.type == BPF_LINK_TYPE_XDP &&
	       info.prog_id == owner->program_id && info.xdp.ifindex == (uint32_t)ifindex;
}

/* A link that is being made or detached has no number. */
static void
find_link(struct xdp_owner *owner, int ifindex)
{
	uint32_t id = 0;
	int i, fd;

	for (i = 0; i < OBJECTS_MAX && owner->link_fd < 0; i++) {
		if (bpf_link_get_next_id(id, &id) != 0)
			return;
		fd = bpf_link_get_fd_by_id(id);
		if (fd < 0)
			continue;
		if (is_link(fd, owner, ifindex))
			owner->link_fd = fd;
		else
			close(fd);
	}
}

static bool
is_token(int fd, uint32_t program_id)
{
	struct bpf_map_info info = {0};
	uint32_t bytes = sizeof(info);
	uint32_t key = 0, value = 0;

	return bpf_obj_get_info_by_fd(fd, &info, &bytes) == 0 && info.type == BPF_MAP_TYPE_ARRAY &&
	       strcmp(info.name, TOKEN_NAME) == 0 && info.key_size == sizeof(key) &&
	       info.value_size == sizeof(value) && bpf_map_lookup_elem(fd, &key, &value) == 0 &&
	       value == program_id;
}

static uint32_t
find_token(uint32_t program_id)
{
	uint32_t id = 0;
	bool found;
	int i, fd;

	for (i = 0; i < OBJECTS_MAX && bpf_map_get_next_id(id, &id) == 0; i++) {
		fd = bpf_map_get_fd_by_id(id);
		if (fd < 0)
			continue;
		found = is_token(fd, program_id);
		close(fd);
		if (found)
			return id;
	}
	return 0;
}
