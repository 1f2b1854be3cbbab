/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The owned UDP ports of an address: pure editing, and writing to a BPF map.
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

static int
key_of(const struct stw_ip *ip, uint32_t *key)
{
	if (ip->family != 4)
		return -EINVAL;
	memcpy(key, ip->bytes, sizeof(*key));
	return 0;
}

int
steer_map_own(int map_fd, const struct stw_ip *ip, uint16_t first, uint16_t last)
{
	struct steer_ranges ranges = {0};
	uint32_t key;
	int error;

	error = key_of(ip, &key);
	if (error)
		return error;
	error = bpf_map_lookup_elem(map_fd, &key, &ranges);
	if (error && error != -ENOENT)
		return -EIO;
	error = steer_ranges_add(&ranges, first, last);
	if (error)
		return error;
	error = bpf_map_update_elem(map_fd, &key, &ranges, BPF_ANY);
	if (error == -E2BIG)
		return -ENOSPC;
	return error ? -EIO : 0;
}

int
steer_map_disown(int map_fd, const struct stw_ip *ip)
{
	uint32_t key;
	int error;

	error = key_of(ip, &key);
	if (error)
		return error;
	error = bpf_map_delete_elem(map_fd, &key);
	if (error == -ENOENT)
		return -ENOENT;
	return error ? -EIO : 0;
}
