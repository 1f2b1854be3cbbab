/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Questions about an interface by its name.
 */
#include "interface.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Asks the kernel about an interface by name; the request's other fields are set by the caller. */
static int
ask_interface(const char *name, unsigned long what, struct ifreq *request)
{
	int error;
	int fd;

	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	snprintf(request->ifr_name, sizeof(request->ifr_name), "%.*s", IFNAMSIZ - 1, name);
	error = ioctl(fd, what, request) < 0 ? -errno : 0;
	close(fd);
	return error;
}

uint32_t
interface_queues(const char *name)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq request = {0};
	uint32_t queues;

	request.ifr_data = (char *)&channels;
	if (ask_interface(name, SIOCETHTOOL, &request) != 0)
		return 1;
	queues = channels.rx_count + channels.combined_count;
	return queues > 0 ? queues : 1;
}

bool
interface_driver_is(const char *name, const char *driver)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq request = {0};

	request.ifr_data = (char *)&info;
	return ask_interface(name, SIOCETHTOOL, &request) == 0 &&
	       strncmp(info.driver, driver, sizeof(info.driver)) == 0;
}

bool
interface_has_carrier(const char *name)
{
	struct ethtool_value carrier = {.cmd = ETHTOOL_GLINK};
	struct ifreq request = {0};

	/* IFF_RUNNING lags behind by up to a second. */
	request.ifr_data = (char *)&carrier;
	return ask_interface(name, SIOCETHTOOL, &request) == 0 && carrier.data;
}
