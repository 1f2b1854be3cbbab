/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which UDP ports of which addresses a port takes, where the kernel shares its interface.
 */
#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "port.h"
#include "port_guard.h"
#include "steer_map.h"
#include "steer_ranges.h"
#include "xdp_steer.h"

/** The maps of what is steered or guarded here; false for a device without a kernel behind it. */
static bool
maps_of(const struct port *port, struct steer_maps *maps)
{
	if (port->steer)
		*maps = xdp_steer_maps(port->steer);
	else if (port->guard)
		*maps = port_guard_maps(port->guard);
	return port->steer || port->guard;
}

/** Sockets, unlike frames, know no VLAN. */
static uint16_t
vlan_seen(const struct port *port, uint16_t vlan)
{
	return port->guard ? 0 : vlan;
}

int
port_own(struct port *port, const struct stw_ip *ip, uint16_t vlan, uint16_t udp_first,
	 uint16_t udp_last)
{
	char text[STW_ADDRESS_TEXT_BYTES];
	struct steer_ranges ranges = {0};
	struct steer_maps maps;
	int error;

	if (ip->family != 4 && ip->family != 6)
		return -EINVAL;
	error = maps_of(port, &maps)
			? steer_map_own(&maps, ip, vlan_seen(port, vlan), udp_first, udp_last)
			: steer_ranges_add(&ranges, udp_first, udp_last);
	stw_log(error ? STW_LOG_ERROR : STW_LOG_INFO,
		"PORT-OWN port=%s ip=%s vlan=%u udp=%u-%u error=%d", port->name,
		stw_ip_text(ip, text), vlan, udp_first, udp_last, error);
	return error;
}

int
port_own_legs(struct port *port, const struct stw_ip *ip, uint16_t vlan, uint32_t entries_first,
	      uint16_t udp_first)
{
	struct steer_maps maps;

	if (!port->steer || !port->relay)
		return 0;
	maps = xdp_steer_maps(port->steer);
	return steer_map_entries(&maps, ip, vlan, entries_first + STEER_ENTRIES_BASE - udp_first);
}

int
port_disown(struct port *port, const struct stw_ip *ip, uint16_t vlan)
{
	struct steer_maps maps;

	return maps_of(port, &maps) ? steer_map_disown(&maps, ip, vlan_seen(port, vlan)) : 0;
}

void
port_steer_counts(const struct port *port, struct port_steer_counts *counts)
{
	memset(counts, 0, sizeof(*counts));
	if (port->steer)
		xdp_steer_counts(port->steer, counts);
}
