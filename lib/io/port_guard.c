/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guard of AF_PACKET interfaces: the program, the sockets that drop everything, the link to the
 * network namespace.
 */
#include "port_guard.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/base.h"
#include "bpf_log.h"
#include "port_guard.skel.h"

struct port_guard {
	struct port_guard_bpf *object;
	int socket_fds[STEER_SINKS];
	int link_fd;
};

static int load_object(struct port_guard *guard, const char *name);
static int open_sinks(struct port_guard *guard);
static int attach(struct port_guard *guard);

int
port_guard_start(struct port_guard **out, const char *name)
{
	struct port_guard *guard;
	int error;

	guard = calloc(1, sizeof(*guard));
	if (!guard)
		return -ENOMEM;
	for (size_t i = 0; i < STEER_SINKS; i++)
		guard->socket_fds[i] = -1;
	guard->link_fd = -1;
	error = load_object(guard, name);
	if (!error)
		error = open_sinks(guard);
	if (!error)
		error = attach(guard);
	if (error) {
		stw_log(STW_LOG_ERROR, "GUARD-REFUSED port=%s errno=%d", name, -error);
		port_guard_stop(guard);
		return error == -EPERM || error == -ENOMEM ? error : -ENOTSUP;
	}
	*out = guard;
	return 0;
}

void
port_guard_stop(struct port_guard *guard)
{
	if (!guard)
		return;
	if (guard->link_fd >= 0)
		close(guard->link_fd);
	for (size_t i = 0; i < STEER_SINKS; i++) {
		if (guard->socket_fds[i] >= 0)
			close(guard->socket_fds[i]);
	}
	port_guard_bpf__destroy(guard->object);
	free(guard);
}

struct steer_maps
port_guard_maps(const struct port_guard *guard)
{
	return (struct steer_maps){.owned = bpf_map__fd(guard->object->maps.owned),
				   .owned6 = bpf_map__fd(guard->object->maps.owned6)};
}

static int
load_object(struct port_guard *guard, const char *name)
{
	struct bpf_log log;
	int error;

	bpf_log_begin(&log);
	guard->object = port_guard_bpf__open_opts(&log.options);
	error = guard->object ? port_guard_bpf__load(guard->object) : -errno;
	bpf_log_end(&log, name, error);
	return error;
}

/* Bound to a loop-back address and a port of the kernel's choice: nothing reaches it but ours. */
static int
open_sink(struct port_guard *guard, uint32_t key, const struct sockaddr *loopback, socklen_t bytes)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog filter = {.len = 1, .filter = &nothing};
	uint64_t value;
	int fd;

	fd = socket(loopback->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	guard->socket_fds[key] = fd;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)) < 0 ||
	    bind(fd, loopback, bytes) < 0)
		return -errno;
	value = (uint64_t)fd;
	return bpf_map_update_elem(bpf_map__fd(guard->object->maps.sinks), &key, &value, BPF_ANY);
}

/* A kernel without IPv6 has no such socket, and no such packets. */
static int
open_sinks(struct port_guard *guard)
{
	struct sockaddr_in6 loopback6 = {.sin6_family = AF_INET6,
					 .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in loopback = {.sin_family = AF_INET};
	int error;

	loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	error = open_sink(guard, STEER_SINK_IPV4, (struct sockaddr *)&loopback, sizeof(loopback));
	if (error)
		return error;
	error = open_sink(guard, STEER_SINK_IPV6, (struct sockaddr *)&loopback6, sizeof(loopback6));
	return error == -EAFNOSUPPORT || error == -EADDRNOTAVAIL ? 0 : error;
}

static int
attach(struct port_guard *guard)
{
	int namespace_fd;
	int fd;

	namespace_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (namespace_fd < 0)
		return -errno;
	fd = bpf_link_create(bpf_program__fd(guard->object->progs.port_guard), namespace_fd,
			     BPF_SK_LOOKUP, NULL);
	close(namespace_fd);
	if (fd < 0)
		return fd;
	guard->link_fd = fd;
	return 0;
}
