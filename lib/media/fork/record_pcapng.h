/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A recording as a pcapng file: each packet as it was received, with its wall-clock time to the
 * nanosecond, its port and its side (inbound: the caller's, outbound: the agent's).
 */
#ifndef STW_MEDIA_RECORD_PCAPNG_H
#define STW_MEDIA_RECORD_PCAPNG_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/session.h>

struct rte_mbuf;
struct rte_mempool;
struct record_pcapng;

/** Most packets of one write; the copy pool needs as many buffers. */
#define RECORD_PCAPNG_BURST 32

/**
 * Bytes of a copy beside the packet: headroom (128), padding (3), options (16), block length (4).
 * A pool's data room must be the largest packet and this.
 */
#define RECORD_PCAPNG_ROOM_BYTES 151

/** How a file is made. */
struct record_pcapng_config {
	const char *path;         /**< borrowed; must not exist; made with mode 0600 */
	struct rte_mempool *pool; /**< borrowed for life; packet buffers for the copies, single
				     producer and consumer are enough; RECORD_PCAPNG_BURST are taken */
	uint16_t port_id;       /**< DPDK port named in the file for packets without a known one */
	int64_t wall_offset_ns; /**< wall clock (since 1970, UTC) less the packets' clock, ns */
	const char *comment;    /**< borrowed; text in the file's header; NULL: none */
	const uint8_t
		*key; /**< borrowed; the file is encrypted with it (record_seal.h); NULL: plain */
};

/** One packet to write. */
struct record_packet {
	const struct rte_mbuf *mbuf; /**< borrowed; Ethernet frame, one or more segments */
	uint64_t time_ns;            /**< when it came, on the packets' clock */
	enum stw_side side;          /**< whose */
};

/** Numbers of a recording. */
struct record_pcapng_stats {
	uint64_t packets;         /**< packets in the file */
	uint64_t packets_dropped; /**< left out: no buffer for the copy, or larger than a buffer */
	uint64_t bytes_written;   /**< bytes of the file */
};

/**
 * Make the file with its section header and an interface block for every DPDK port there is now.
 *
 * @param out     given: set on success only; free with record_pcapng_close
 * @param config  borrowed until return
 * @return 0
 * @return -ENODEV  port_id is no DPDK port
 * @return -ENOMEM  memory cannot be had
 * @return -EEXIST  something is at that path
 * @return -ENOSPC  the disk is full
 * @return -EIO     the file cannot be made or written
 *
 * Threads:  any that is registered with EAL.
 * Progress: blocking (waits for the file system and the devices' link state).
 * Order:    none.
 * Source:   draft-ietf-opsawg-pcapng.
 */
int record_pcapng_open(struct record_pcapng **out, const struct record_pcapng_config *config);

/**
 * Write packets in the order given. A packet's interface is the DPDK port in its mbuf, if that
 * existed when the file was made, else the configured one.
 *
 * @param pcapng   borrowed
 * @param packets  borrowed; the mbufs stay the caller's
 * @param count    0 to RECORD_PCAPNG_BURST
 * @return number of packets written; those left out are counted in the numbers
 * @return -EINVAL  count is outside its range
 * @return -ENOSPC  the disk is full; the file ends with its last whole packet
 * @return -EIO     the file cannot be written
 *                  (after either, every later call returns it again)
 *
 * Threads:  one at a time for all pcapng files of a process (DPDK 22.11 keeps its clock in a static
 *           variable), registered with EAL.
 * Progress: blocking (waits for the file system).
 * Order:    none.
 */
int record_pcapng_write(struct record_pcapng *pcapng, const struct record_packet *packets,
			unsigned count);

/** Read the numbers. Threads: one at a time with record_pcapng_write. Progress: wait-free. */
void record_pcapng_stats(const struct record_pcapng *pcapng, struct record_pcapng_stats *stats);

/**
 * Close the file, free all.
 *
 * @param pcapng  taken; NULL is fine
 * @param stats   the last numbers; NULL is fine
 * @return 0
 * @return -ENOSPC  the disk is full, or was
 * @return -EIO     the file could not be written; it holds what could
 *
 * Threads:  one, after the last record_pcapng_write.
 * Progress: blocking (waits for the file system).
 * Order:    none.
 */
int record_pcapng_close(struct record_pcapng *pcapng, struct record_pcapng_stats *stats);

#endif
