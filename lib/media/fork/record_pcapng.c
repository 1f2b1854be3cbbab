/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A recording as a pcapng file, with DPDK's rte_pcapng. What DPDK 22.11 does not do is done here:
 *
 * - Its times come from the TSC by a conversion that is process-wide and begins when the first file
 *   is made; a packet received before that gets nonsense. The copy is already the block of the
 *   file, so its time is overwritten with the packet's own.
 * - It names the interface by a table that only knows ports of the file's beginning, unchecked.
 * - It does not free the copies after writing, though its header says so, and takes a short write
 *   for a success. Here a short write is cut off, so that the file ends with a whole packet.
 * - It leaves what a buffer had in the padding behind a packet: zeros here.
 * - A copy that needs a second segment becomes an invalid block: such packets are left out.
 *
 * An encrypted file is made of the same blocks: DPDK writes its beginning into memory, and the blocks
 * of packets get the numbers of their interfaces here.
 */
#include "record_pcapng.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_pcapng.h>

#include "record_file.h"
#include "record_seal.h"

#include "base/base.h"

/** Where an enhanced packet block keeps the number of its interface, host order. */
#define BLOCK_INTERFACE_OFFSET 8

/** Where it keeps the packet, which is padded to whole words. */
#define BLOCK_DATA_OFFSET 28
#define BLOCK_ALIGN       4

/** Bytes of a file's beginning that are read at once. */
#define BEGIN_BYTES 4096

/** Where an enhanced packet block keeps its time: high word, then low word, host order. */
#define BLOCK_TIME_OFFSET 12

static_assert(RECORD_PCAPNG_ROOM_BYTES == RTE_PKTMBUF_HEADROOM + 23, "room beside a packet");

struct record_pcapng {
	rte_pcapng_t *file; /**< owns fd; NULL: the file is encrypted */
	int fd;
	struct record_seal *seal; /**< of an encrypted file */
	int error;                /**< first failure; 0: none */
	uint16_t port_id;
	int64_t wall_offset_ns;
	struct rte_mempool *pool;
	struct record_pcapng_stats stats;
	bool port_named[RTE_MAX_ETHPORTS];         /**< it has an interface block */
	uint32_t port_interface[RTE_MAX_ETHPORTS]; /**< number of that block */
};

static int
file_begin(struct record_pcapng *pcapng, const char *comment)
{
	off_t bytes;

	rte_errno = 0;
	pcapng->file = rte_pcapng_fdopen(pcapng->fd, NULL, NULL, "strowger", comment);
	if (!pcapng->file)
		return rte_errno == ENOMEM ? -ENOMEM : record_file_error(errno);
	bytes = lseek(pcapng->fd, 0, SEEK_END);
	if (bytes <= 0) {
		rte_pcapng_close(pcapng->file);
		return -EIO;
	}
	pcapng->stats.bytes_written = (uint64_t)bytes;
	return 0;
}

/** Put what DPDK writes at a file's beginning into an encrypted one. */
static int
begin_seal(struct record_pcapng *pcapng, int memory)
{
	uint8_t bytes[BEGIN_BYTES];
	off_t place = 0;
	int error = 0;

	while (!error) {
		ssize_t count = pread(memory, bytes, sizeof(bytes), place);

		if (count <= 0)
			return count < 0 ? -EIO : 0;
		error = record_seal_append(pcapng->seal, bytes, (size_t)count);
		place += count;
	}
	return error;
}

static int
sealed_begin(struct record_pcapng *pcapng, const struct record_pcapng_config *config)
{
	int memory = memfd_create("strowger-pcapng", MFD_CLOEXEC), fd, error;

	if (memory < 0)
		return -ENOMEM;
	/* The memory takes the place of the file until DPDK has written to it. */
	fd = pcapng->fd;
	pcapng->fd = memory;
	error = file_begin(pcapng, config->comment);
	pcapng->fd = fd;
	if (error)
		goto close;
	error = record_seal_open(&pcapng->seal, fd, config->key);
	if (error)
		goto end;
	error = begin_seal(pcapng, memory);
	if (error) {
		record_seal_close(pcapng->seal, NULL);
		pcapng->fd = -1;
		goto end;
	}
	pcapng->stats.bytes_written = record_seal_bytes(pcapng->seal);
end:
	rte_pcapng_close(pcapng->file);
	pcapng->file = NULL;
	return error;
close:
	close(memory);
	return error;
}

int
record_pcapng_open(struct record_pcapng **out, const struct record_pcapng_config *config)
{
	struct record_pcapng *pcapng;
	uint32_t interfaces = 0;
	uint16_t port_id;
	int error;

	if (!rte_eth_dev_is_valid_port(config->port_id))
		return -ENODEV;
	pcapng = calloc(1, sizeof(*pcapng));
	if (!pcapng)
		return -ENOMEM;
	pcapng->port_id = config->port_id;
	pcapng->wall_offset_ns = config->wall_offset_ns;
	pcapng->pool = config->pool;
	RTE_ETH_FOREACH_DEV(port_id)
	{
		pcapng->port_named[port_id] = true;
		pcapng->port_interface[port_id] = interfaces++;
	}
	pcapng->fd = record_file_create(config->path);
	error = pcapng->fd;
	if (pcapng->fd < 0)
		goto fail_create;
	error = config->key ? sealed_begin(pcapng, config) : file_begin(pcapng, config->comment);
	if (error)
		goto fail_begin;
	*out = pcapng;
	return 0;

fail_begin:
	if (pcapng->fd >= 0)
		close(pcapng->fd);
	unlink(config->path);
fail_create:
	free(pcapng);
	return error;
}

static uint16_t
packet_port(const struct record_pcapng *pcapng, const struct rte_mbuf *mbuf)
{
	if (mbuf->port < RTE_MAX_ETHPORTS && pcapng->port_named[mbuf->port])
		return mbuf->port;
	return pcapng->port_id;
}

/* A copy of the packet as a block of the file; NULL when there is no buffer for it. */
static struct rte_mbuf *
packet_copy(const struct record_pcapng *pcapng, const struct record_packet *packet)
{
	enum rte_pcapng_direction direction = packet->side == STW_SIDE_CALLER
						      ? RTE_PCAPNG_DIRECTION_IN
						      : RTE_PCAPNG_DIRECTION_OUT;
	uint64_t wall_ns = packet->time_ns + (uint64_t)pcapng->wall_offset_ns;
	uint32_t words[2] = {(uint32_t)(wall_ns >> 32), (uint32_t)wall_ns};
	uint32_t room = rte_pktmbuf_data_room_size(pcapng->pool);
	struct rte_mbuf *copy;
	uint32_t bytes;

	if (rte_pktmbuf_pkt_len(packet->mbuf) + RECORD_PCAPNG_ROOM_BYTES > room)
		return NULL;
	/* Not a time here: it keeps DPDK's own clock sound for others in the process. */
	copy = rte_pcapng_copy(packet_port(pcapng, packet->mbuf), 0, packet->mbuf, pcapng->pool,
			       UINT32_MAX, rte_get_tsc_cycles(), direction);
	if (!copy)
		return NULL;
	memcpy(rte_pktmbuf_mtod_offset(copy, uint8_t *, BLOCK_TIME_OFFSET), words, sizeof(words));
	/* DPDK leaves there what the buffer had. */
	bytes = rte_pktmbuf_pkt_len(packet->mbuf);
	memset(rte_pktmbuf_mtod_offset(copy, uint8_t *, BLOCK_DATA_OFFSET + bytes), 0,
	       RTE_ALIGN_CEIL(bytes, BLOCK_ALIGN) - bytes);
	return copy;
}

static int
copies_seal(struct record_pcapng *pcapng, struct rte_mbuf **copies, uint16_t count)
{
	int error = 0;

	for (uint16_t i = 0; i < count && !error; i++) {
		uint8_t *block = rte_pktmbuf_mtod(copies[i], uint8_t *);

		memcpy(block + BLOCK_INTERFACE_OFFSET, &pcapng->port_interface[copies[i]->port],
		       sizeof(uint32_t));
		error = record_seal_append(pcapng->seal, block, rte_pktmbuf_data_len(copies[i]));
	}
	if (!error)
		pcapng->stats.packets += count;
	pcapng->stats.bytes_written = record_seal_bytes(pcapng->seal);
	return error;
}

static int
copies_write(struct record_pcapng *pcapng, struct rte_mbuf **copies, uint16_t count, size_t bytes)
{
	ssize_t written = rte_pcapng_write_packets(pcapng->file, copies, count);
	int error;

	if (written == (ssize_t)bytes) {
		pcapng->stats.packets += count;
		pcapng->stats.bytes_written += bytes;
		return 0;
	}
	error = written < 0 ? record_file_error(rte_errno) : -ENOSPC;
	if (ftruncate(pcapng->fd, (off_t)pcapng->stats.bytes_written) != 0)
		error = -EIO;
	return error;
}

int
record_pcapng_write(struct record_pcapng *pcapng, const struct record_packet *packets,
		    unsigned count)
{
	struct rte_mbuf *copies[RECORD_PCAPNG_BURST];
	uint16_t copied = 0;
	size_t bytes = 0;

	if (count > RECORD_PCAPNG_BURST)
		return -EINVAL;
	if (pcapng->error)
		return pcapng->error;
	for (unsigned i = 0; i < count; i++) {
		struct rte_mbuf *copy = packet_copy(pcapng, &packets[i]);

		if (copy) {
			bytes += rte_pktmbuf_pkt_len(copy);
			copies[copied++] = copy;
		} else {
			pcapng->stats.packets_dropped++;
		}
	}
	if (copied > 0) {
		pcapng->error = pcapng->seal ? copies_seal(pcapng, copies, copied)
					     : copies_write(pcapng, copies, copied, bytes);
		rte_pktmbuf_free_bulk(copies, copied);
	}
	return pcapng->error ? pcapng->error : copied;
}

void
record_pcapng_stats(const struct record_pcapng *pcapng, struct record_pcapng_stats *stats)
{
	*stats = pcapng->stats;
}

int
record_pcapng_close(struct record_pcapng *pcapng, struct record_pcapng_stats *stats)
{
	int error;

	if (!pcapng)
		return 0;
	error = pcapng->error;
	if (pcapng->seal) {
		int closed = record_seal_close(pcapng->seal, &pcapng->stats.bytes_written);

		error = error ? error : closed;
	} else {
		rte_pcapng_close(pcapng->file);
	}
	if (stats)
		*stats = pcapng->stats;
	free(pcapng);
	return error;
}
