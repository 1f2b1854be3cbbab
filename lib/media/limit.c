/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Names of the limits; drain.
 */
#include "plane.h"

#include <errno.h>

static const char *const limit_names[STW_LIMIT_COUNT] = {
	[STW_LIMIT_SESSIONS] = "sessions",
	[STW_LIMIT_LEGS] = "legs",
	[STW_LIMIT_SESSION_LEGS] = "session_legs",
	[STW_LIMIT_UDP_PORTS] = "udp_ports",
	[STW_LIMIT_FORKS] = "forks",
	[STW_LIMIT_PLAYOUTS] = "playouts",
	[STW_LIMIT_PLAYOUT_PACKETS] = "playout_packets",
	[STW_LIMIT_DRAIN] = "drain",
	[STW_LIMIT_PT_MAPS] = "pt_maps",
	[STW_LIMIT_SRTP] = "srtp",
	[STW_LIMIT_CONSUMERS] = "consumers",
	[STW_LIMIT_MIXES] = "mixes",
	[STW_LIMIT_DIGITS] = "digits",
};

const char *
stw_limit_name(enum stw_limit limit)
{
	if ((unsigned)limit >= STW_LIMIT_COUNT)
		return "unknown";
	return limit_names[limit];
}

int
stw_media_drain(struct stw_media *media, int draining)
{
	int error = 0;

	if (draining != 0 && draining != 1)
		return -EINVAL;
	plane_lock(media);
	if (media->draining == draining)
		error = -EALREADY;
	media->draining = (uint8_t)draining;
	plane_unlock(media);
	return error;
}
