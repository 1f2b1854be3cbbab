/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The packet plane and its relay inside the kernel: opened before the ports, told of the local addresses, counted.
 */
#include "media_relay.h"

#include <errno.h>

#include "xdp_steer.h"

/** Whether any port could have a relay inside the kernel. */
static bool
relay_has_ports(const struct stw_media_config *config)
{
	for (uint32_t i = 0; i < config->ports_count; i++) {
		if (config->ports[i].kind == STW_PORT_AF_XDP)
			return true;
	}
	return false;
}

int
media_relay_open(struct media_io *io, const struct stw_media_config *config)
{
	uint32_t last = config->addresses_count - 1, lines;
	int error = -ENOTSUP;

	if (config->kernel_relay == STW_KERNEL_RELAY_NEVER)
		return 0;
	lines = kernel_entries_first(config, last) / KERNEL_ENTRIES_A_LINE +
		kernel_entries_lines(&config->addresses[last]);
	if (relay_has_ports(config))
		error = kernel_relay_open(&io->relay, plane_legs_slots(config), lines);
	if (!error) {
		if (config->kernel_relay == STW_KERNEL_RELAY_REQUIRED)
			kernel_relay_trust(io->relay);
		return 0;
	}
	stw_log(config->kernel_relay == STW_KERNEL_RELAY_REQUIRED ? STW_LOG_ERROR : STW_LOG_WARN,
		"KERNEL-RELAY-NONE error=%d text=%s", error, stw_error_text(error));
	return config->kernel_relay == STW_KERNEL_RELAY_REQUIRED ? error : 0;
}

void
media_relay_lend(struct media_io *io, struct kernel_relay *relay,
		 const struct stw_media_config *config)
{
	struct kernel_memory *memory = kernel_relay_memory(relay);

	io->relay = relay;
	io->relay_is_lent = 1;
	for (uint32_t i = 0; i < config->ports_count; i++)
		memory->ifindex[i] = i + 1;
}

void
media_relay_close(struct media_io *io)
{
	if (!io->relay_is_lent)
		kernel_relay_close(io->relay);
}

int
media_relay_own(struct media_io *io, const struct stw_media_config *config, uint32_t index)
{
	const struct stw_address_config *address = &config->addresses[index];

	if (!io->relay)
		return 0;
	kernel_relay_memory(io->relay)->hop_ifindex[index] = (uint32_t)io->ifindexes[index];
	return port_own_legs(&io->ports[address->port], &address->ip, address->vlan,
			     kernel_entries_first(config, index), address->udp_port_first);
}

void
media_relay_stats(const struct media_io *io, struct stw_media_stats *stats)
{
	const struct kernel *kernel = &io->plane.kernel;
	uint64_t counts[KERNEL_COUNTS], dropped;

	for (uint32_t i = 0; i < io->ports_open; i++) {
		if (io->ports[i].steer)
			stats->steer_map_bytes += xdp_steer_map_bytes(io->ports[i].steer);
	}
	if (!io->relay)
		return;
	kernel_relay_counts(io->relay, counts);
	dropped = counts[KERNEL_COUNT_FOREIGN] + counts[KERNEL_COUNT_RATE] +
		  counts[KERNEL_COUNT_NO_BUFFER];
	stats->kernel_relay = kernel_is_there(&io->plane);
	stats->packets_kernel = counts[KERNEL_COUNT_RELAYED];
	stats->packets_kernel_dropped = dropped;
	stats->packets_received += counts[KERNEL_COUNT_RELAYED] + dropped;
	stats->packets_sent += counts[KERNEL_COUNT_RELAYED];
	stats->verdicts[STW_PASS_RELAYED] += counts[KERNEL_COUNT_RELAYED];
	stats->verdicts[STW_DROP_SOURCE] += counts[KERNEL_COUNT_FOREIGN];
	stats->verdicts[STW_DROP_RATE] += counts[KERNEL_COUNT_RATE];
	stats->verdicts[STW_DROP_NO_BUFFER] += counts[KERNEL_COUNT_NO_BUFFER];
	stats->kernel_left = atomic_load_explicit(&kernel->left, memory_order_relaxed) +
			     counts[KERNEL_COUNT_LEFT];
	/* Read last, so that no leg has left more often than it entered. */
	stats->kernel_entered = atomic_load_explicit(&kernel->entered, memory_order_relaxed);
	if (stats->kernel_entered > stats->kernel_left)
		stats->kernel_legs = (uint32_t)(stats->kernel_entered - stats->kernel_left);
	stats->kernel_map_bytes = kernel_relay_bytes(io->relay);
}
