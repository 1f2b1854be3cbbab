/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The owned UDP ports of an address: pure editing, and writing to BPF maps.
 */
#include "steer_ranges.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/base.h"

/* The programs walk the ranges in one cache line. */
static_assert(sizeof(struct steer_ranges) == STW_CACHE_LINE, "ranges fill a cache line");

int
steer_ranges_add(struct steer_ranges *ranges, uint16_t first, uint16_t last)
{
	size_t i;

	if (first == 0 || last < first)
		return -EINVAL;
	for (i = 0; i < STEER_RANGES_MAX && ranges->range[i].first != 0; i++) {
		if (ranges->range[i].first <= first && ranges->range[i].last >= last)
			return 0;
	}
	if (i == STEER_RANGES_MAX)
		return -ENOSPC;
	ranges->range[i].first = first;
	ranges->range[i].last = last;
	return 0;
}

/** A key of either map. */
union key {
	struct steer_key4 v4;
	struct steer_key6 v6;
};

/** The key of an address, and the descriptor of its map. */
static int
key_of(const struct steer_maps *maps, const struct stw_ip *ip, uint16_t vlan, union key *key,
       int *map_fd)
{
	memset(key, 0, sizeof(*key));
	if (ip->family == 4) {
		memcpy(&key->v4.address, ip->bytes, sizeof(key->v4.address));
		key->v4.vlan = vlan;
		*map_fd = maps->owned;
		return 0;
	}
	if (ip->family != 6)
		return -EINVAL;
	memcpy(key->v6.address, ip->bytes, sizeof(key->v6.address));
	key->v6.vlan = vlan;
	*map_fd = maps->owned6;
	return 0;
}

/** What is owned of an address, and where it is; -ENOENT: nothing. */
static int
ranges_read(const struct steer_maps *maps, const struct stw_ip *ip, uint16_t vlan, union key *key,
	    int *map_fd, struct steer_ranges *ranges)
{
	int error = key_of(maps, ip, vlan, key, map_fd);

	if (error)
		return error;
	error = bpf_map_lookup_elem(*map_fd, key, ranges);
	return error && error != -ENOENT ? -EIO : error;
}

int
steer_map_own(const struct steer_maps *maps, const struct stw_ip *ip, uint16_t vlan, uint16_t first,
	      uint16_t last)
{
	struct steer_ranges ranges = {0};
	union key key;
	int error, map_fd;

	error = ranges_read(maps, ip, vlan, &key, &map_fd, &ranges);
	if (error && error != -ENOENT)
		return error;
	error = steer_ranges_add(&ranges, first, last);
	if (error)
		return error;
	error = bpf_map_update_elem(map_fd, &key, &ranges, BPF_ANY);
	if (error == -E2BIG)
		return -ENOSPC;
	return error ? -EIO : 0;
}

int
steer_map_entries(const struct steer_maps *maps, const struct stw_ip *ip, uint16_t vlan,
		  uint32_t entries_base)
{
	struct steer_ranges ranges = {0};
	union key key;
	int error, map_fd;

	error = ranges_read(maps, ip, vlan, &key, &map_fd, &ranges);
	if (error)
		return error;
	ranges.entries_base = entries_base;
	return bpf_map_update_elem(map_fd, &key, &ranges, BPF_EXIST) ? -EIO : 0;
}

int
steer_map_disown(const struct steer_maps *maps, const struct stw_ip *ip, uint16_t vlan)
{
	union key key;
	int error, map_fd;

	error = key_of(maps, ip, vlan, &key, &map_fd);
	if (error)
		return error;
	error = bpf_map_delete_elem(map_fd, &key);
	if (error == -ENOENT)
		return -ENOENT;
	return error ? -EIO : 0;
}
