/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bringing the packet plane up and down. AF_XDP is tried first where the configuration leaves the
 * choice; a kernel, driver or right that is missing makes it AF_PACKET, and the log says so.
 */
#include "plane.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <strowger/error.h>
#include <strowger/log.h>

#include "clock.h"

/* Least bytes of a WAV file that make one packet: 160 G.711 samples. */
#define PACKET_FILE_BYTES 160

/* Number of 1 bits before the first 0 of the netmask of our address; 0: not on the interface. */
static uint8_t
find_prefix(const struct config *config)
{
	struct ifaddrs *all, *one;
	uint8_t bits = 0;

	if (getifaddrs(&all) != 0)
		return 0;
	for (one = all; one; one = one->ifa_next) {
		const struct sockaddr_in *address = (const struct sockaddr_in *)one->ifa_addr;
		const struct sockaddr_in *mask = (const struct sockaddr_in *)one->ifa_netmask;

		if (!address || !mask || address->sin_family != AF_INET ||
		    strcmp(one->ifa_name, config->interface.text) != 0 ||
		    memcmp(&address->sin_addr, config->address.bytes, 4) != 0)
			continue;
		bits = (uint8_t)__builtin_popcount(mask->sin_addr.s_addr);
	}
	freeifaddrs(all);
	return bits;
}

/* The kernel's default route through the interface, if there is one. */
static struct stw_ip
find_gateway(const struct config *config)
{
	struct stw_ip gateway = config->gateway;
	FILE *routes = gateway.family ? NULL : fopen("/proc/net/route", "re");
	char line[256], name[IF_NAMESIZE];
	uint32_t target, via;

	while (routes && fgets(line, sizeof(line), routes)) {
		if (sscanf(line, "%15s %8" SCNx32 " %8" SCNx32, name, &target, &via) != 3 ||
		    target != 0 || via == 0 || strcmp(name, config->interface.text) != 0)
			continue;
		gateway.family = 4;
		memcpy(gateway.bytes, &via, 4); /* the file has it in network order */
		break;
	}
	if (routes)
		fclose(routes);
	return gateway;
}

static int
start_eal(const struct config *config)
{
	struct stw_eal_config eal = STW_EAL_CONFIG_INIT;
	int error;

	eal.memory_mib = config->memory_mib;
	eal.huge_pages = config->huge_pages == 0;
	eal.worker_cpus = &config->worker_core;
	eal.worker_cpus_count = 1;
	error = stw_eal_start(&eal);
	if (error != 0)
		stw_log(STW_LOG_ERROR, "SWITCH-EAL worker_core=%u memory_mib=%u error=\"%s\"",
			config->worker_core, config->memory_mib, stw_error_text(error));
	return error;
}

static uint32_t
file_packets(const struct document_text *path)
{
	struct stat file;

	if (!path->text || stat(path->text, &file) != 0)
		return 0;
	return (uint32_t)(file.st_size / PACKET_FILE_BYTES) + 1;
}

static void
fill_config(const struct exchange *exchange, struct stw_media_config *media)
{
	const struct config *config = exchange->config;

	media->sessions_max = config->calls_max;
	media->legs_max = 3 * config->calls_max;
	media->forks_max = 4 * config->calls_max;
	media->playouts_max = config->queues_count + 1;
	media->playout_packets_max = 1 + file_packets(&config->menu.prompt);
	for (uint32_t i = 0; i < config->queues_count; i++)
		media->playout_packets_max += file_packets(&config->queues[i].music);
}

static int
try_driver(struct exchange *exchange, enum config_driver driver, struct stw_media_config *media)
{
	static const enum stw_xdp_mode modes[] = {
		[CONFIG_DRIVER_AUTO] = STW_XDP_AUTO,
		[CONFIG_DRIVER_XDP_NATIVE] = STW_XDP_NATIVE,
		[CONFIG_DRIVER_XDP_GENERIC] = STW_XDP_GENERIC,
		[CONFIG_DRIVER_AF_PACKET] = STW_XDP_NONE,
	};
	struct stw_port_config port = {
		.kind = modes[driver] == STW_XDP_NONE ? STW_PORT_AF_PACKET : STW_PORT_AF_XDP,
		.device = exchange->config->interface.text,
		.xdp_mode = modes[driver],
	};

	media->ports = &port;
	media->ports_count = 1;
	exchange->driver = port.kind == STW_PORT_AF_XDP ? "net_af_xdp" : "net_af_packet";
	return stw_media_create(&exchange->media, media);
}

static int
create_media(struct exchange *exchange)
{
	static const enum stw_kernel_relay relays[] = {
		[CONFIG_RELAY_WORKER] = STW_KERNEL_RELAY_NEVER,
		[CONFIG_RELAY_KERNEL] = STW_KERNEL_RELAY_REQUIRED,
		[CONFIG_RELAY_AUTO] = STW_KERNEL_RELAY_AUTO,
	};
	const struct config *config = exchange->config;
	struct stw_media_config media = STW_MEDIA_CONFIG_INIT;
	struct stw_address_config address = {
		.ip = config->address,
		.prefix_bits = find_prefix(config),
		.gateway = find_gateway(config),
		.udp_port_first = (uint16_t)config->rtp_first,
		.udp_port_last = (uint16_t)config->rtp_last,
	};
	int error;

	if (address.prefix_bits == 0) {
		stw_log(STW_LOG_ERROR,
			"SWITCH-ADDRESS at=%s:%u error=\"%s has not the address %s\"",
			config->document.path, config->interface.line, config->interface.text,
			config->address_text.text);
		return -ENODEV;
	}
	media.addresses = &address;
	media.addresses_count = 1;
	media.kernel_relay = relays[config->relay];
	fill_config(exchange, &media);
	error = try_driver(exchange, config->driver, &media);
	if (config->driver == CONFIG_DRIVER_AUTO && config->relay != CONFIG_RELAY_KERNEL &&
	    (error == -ENOTSUP || error == -ENODEV || error == -EPERM)) {
		stw_log(STW_LOG_WARN,
			"SWITCH-DRIVER refused=net_af_xdp error=\"%s\" next=net_af_packet",
			stw_error_text(error));
		error = try_driver(exchange, CONFIG_DRIVER_AF_PACKET, &media);
	}
	if (error != 0) {
		stw_log(STW_LOG_ERROR, "SWITCH-DRIVER interface=%s driver=%s error=\"%s\"",
			config->interface.text, exchange->driver, stw_error_text(error));
		return error;
	}
	exchange->xdp_mode = stw_media_xdp_mode(exchange->media, 0);
	return 0;
}

static const char *
sound_error(int error)
{
	switch (error) {
	case -EINVAL:
		return "it is not a WAV file";
	case -ENOTSUP:
		return "it is not mono, 8 kHz, 16 bit linear or G.711";
	default:
		return stw_error_text(error);
	}
}

static int
load_sound(struct exchange *exchange, const struct document_text *path, bool loop,
	   struct stw_playout *playout)
{
	struct stw_playout_config config = STW_PLAYOUT_CONFIG_INIT;
	int error;

	if (!path->text)
		return 0;
	config.path = path->text;
	config.loop = loop;
	error = stw_playout_load(exchange->media, &config, playout);
	if (error != 0)
		stw_log(STW_LOG_ERROR, "SWITCH-SOUND at=%s:%u file=%s error=\"%s\"",
			exchange->config->document.path, path->line, path->text,
			sound_error(error));
	return error;
}

static int
load_sounds(struct exchange *exchange)
{
	const struct config *config = exchange->config;
	int error = load_sound(exchange, &config->menu.prompt, false, &exchange->prompt);

	for (uint32_t i = 0; i < config->queues_count && error == 0; i++)
		error = load_sound(exchange, &config->queues[i].music, true,
				   &exchange->queues[i].music);
	return error;
}

int
plane_open(struct exchange *exchange)
{
	struct stw_media_stats stats;
	int error = start_eal(exchange->config);

	if (error != 0)
		return error;
	error = create_media(exchange);
	if (error != 0)
		goto no_media;
	error = load_sounds(exchange);
	if (error != 0)
		goto no_sounds;
	error = stw_media_start(exchange->media);
	if (error != 0) {
		stw_log(STW_LOG_ERROR, "SWITCH-WORKER worker_core=%u error=\"%s\"",
			exchange->config->worker_core, stw_error_text(error));
		goto no_sounds;
	}
	stw_media_stats(exchange->media, &stats);
	exchange->packets_at_start = stats.packets_in_use;
	exchange->kernel_relay = stats.kernel_relay;
	if (exchange->config->relay != CONFIG_RELAY_WORKER && !exchange->kernel_relay)
		stw_log(STW_LOG_WARN, "SWITCH-RELAY refused=kernel next=worker");
	return 0;
no_sounds:
	stw_media_destroy(exchange->media);
	exchange->media = NULL;
no_media:
	stw_eal_stop();
	return error;
}

void
plane_close(struct exchange *exchange)
{
	if (!exchange->media)
		return;
	stw_media_destroy(exchange->media);
	exchange->media = NULL;
	stw_eal_stop();
}

const char *
plane_xdp_text(enum stw_xdp_mode mode)
{
	switch (mode) {
	case STW_XDP_NATIVE:
		return "native";
	case STW_XDP_GENERIC:
		return "generic";
	case STW_XDP_NONE:
	case STW_XDP_AUTO:
		break;
	}
	return "none";
}
