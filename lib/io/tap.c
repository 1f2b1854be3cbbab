/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A tap interface of the kernel.
 *
 * Source: the kernel's Documentation/networking/tuntap.rst.
 */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/** An error that callers know, for errno. */
static int
error_of(int number)
{
	if (number == EPERM || number == EACCES)
		return -EPERM;
	if (number == EBUSY || number == EINVAL)
		return -number;
	if (number == ENOENT || number == ENODEV || number == ENXIO)
		return -ENODEV;
	return -EIO;
}

static bool
name_is_valid(const char *name)
{
	size_t bytes = strlen(name);

	/* The kernel takes "%d" for a number that it chooses. */
	return bytes > 0 && bytes < IFNAMSIZ && strcspn(name, "/%: \t\n") == bytes &&
	       strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static int
mac_set(int fd, const struct rte_ether_addr *mac)
{
	struct ifreq request = {0};

	request.ifr_hwaddr.sa_family = ARPHRD_ETHER;
	memcpy(request.ifr_hwaddr.sa_data, mac->addr_bytes, sizeof(mac->addr_bytes));
	return ioctl(fd, SIOCSIFHWADDR, &request) < 0 ? error_of(errno) : 0;
}

static int
bring_up(const char *name)
{
	struct ifreq request = {0};
	int error = 0;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -EIO;
	memcpy(request.ifr_name, name, strlen(name));
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0) {
		error = error_of(errno);
	} else if (!(request.ifr_flags & IFF_UP)) {
		request.ifr_flags |= IFF_UP;
		if (ioctl(fd, SIOCSIFFLAGS, &request) < 0)
			error = error_of(errno);
	}
	close(fd);
	return error;
}

int
tap_open(const char *name, const struct rte_ether_addr *mac)
{
	struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int error, fd;

	if (!name_is_valid(name))
		return -EINVAL;
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return error_of(errno);
	memcpy(request.ifr_name, name, strlen(name));
	error = ioctl(fd, TUNSETIFF, &request) < 0 ? error_of(errno) : 0;
	if (!error)
		error = mac_set(fd, mac);
	if (!error)
		error = bring_up(name);
	if (!error)
		return fd;
	close(fd);
	return error;
}
