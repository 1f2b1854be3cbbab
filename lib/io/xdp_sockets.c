/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Finds, reads and closes the sockets that a driver has opened.
 */
#include "xdp_sockets.h"

#include <dirent.h>
#include <linux/if_xdp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
is_socket(int fd, int domain, ino_t *inode)
{
	socklen_t bytes = sizeof(int);
	struct stat status;
	int its_domain;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &its_domain, &bytes) < 0 || its_domain != domain)
		return false;
	if (fstat(fd, &status) < 0)
		return false;
	*inode = status.st_ino;
	return true;
}

void
xdp_sockets_list(struct xdp_sockets *sockets, int domain)
{
	struct dirent *entry;
	DIR *descriptors;

	sockets->count = 0;
	descriptors = opendir("/proc/self/fd");
	if (!descriptors)
		return;
	while (sockets->count < XDP_SOCKETS_MAX && (entry = readdir(descriptors))) {
		struct xdp_socket *found = &sockets->socket[sockets->count];

		found->fd = (int)strtol(entry->d_name, NULL, 10);
		if (entry->d_name[0] != '.' && is_socket(found->fd, domain, &found->inode))
			sockets->count++;
	}
	closedir(descriptors);
}

static bool
is_among(const struct xdp_socket *socket, const struct xdp_sockets *sockets)
{
	size_t i;

	for (i = 0; i < sockets->count; i++) {
		if (sockets->socket[i].inode == socket->inode)
			return true;
	}
	return false;
}

void
xdp_sockets_list_new(struct xdp_sockets *opened, const struct xdp_sockets *before, int domain)
{
	size_t count = 0;

	xdp_sockets_list(opened, domain);
	for (size_t i = 0; i < opened->count; i++) {
		if (!is_among(&opened->socket[i], before))
			opened->socket[count++] = opened->socket[i];
	}
	opened->count = count;
}

struct xdp_socket
xdp_sockets_new(const struct xdp_sockets *before)
{
	struct xdp_socket none = {.fd = -1};
	struct xdp_sockets opened;

	xdp_sockets_list_new(&opened, before, AF_XDP);
	return opened.count ? opened.socket[0] : none;
}

uint64_t
xdp_socket_missed(const struct xdp_socket *socket)
{
	struct xdp_statistics numbers = {0};
	socklen_t bytes = sizeof(numbers);

	if (getsockopt(socket->fd, SOL_XDP, XDP_STATISTICS, &numbers, &bytes) < 0)
		return 0;
	return numbers.rx_dropped + numbers.rx_ring_full;
}

void
xdp_socket_close(const struct xdp_socket *socket)
{
	ino_t inode;

	if (socket->fd >= 0 && is_socket(socket->fd, AF_XDP, &inode) && inode == socket->inode)
		close(socket->fd);
}
