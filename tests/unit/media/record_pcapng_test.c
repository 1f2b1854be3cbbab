/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "capture.h"
#include "media/fork/record_pcapng.h"

/** A wall clock of 2026 and a steady clock, ns; packets come on the steady one. */
#define WALL_NS   UINT64_C(1795294800123456789)
#define STEADY_NS UINT64_C(987654321)

/** Largest packet that the pool's buffers take. */
#define PACKET_BYTES_MAX 500

static char folder[40];
static char path[64];
static struct rte_mempool *packet_pool, *copy_pool;
static struct record_pcapng *pcapng;

static int
open_file(const char *at, uint16_t port_id, struct record_pcapng **out)
{
	const struct record_pcapng_config config = {
		.path = at,
		.pool = copy_pool,
		.port_id = port_id,
		.wall_offset_ns = (int64_t)(WALL_NS - STEADY_NS),
		.comment = "call 42",
	};

	return record_pcapng_open(out, &config);
}

static void
start(void)
{
	char *arguments[] = {
		"unit", "--no-huge", "--no-shconf",       "--no-pci",         "--no-telemetry",
		"-m",   "64",        "--log-level=error", "--vdev=net_null0", "--vdev=net_null1"};

	cr_assert_geq(rte_eal_init(10, arguments), 0);
	packet_pool = rte_pktmbuf_pool_create("packets", 511, 0, 0, 2048, SOCKET_ID_ANY);
	copy_pool = rte_pktmbuf_pool_create(
		"copies", 63, 0, 0, PACKET_BYTES_MAX + RECORD_PCAPNG_ROOM_BYTES, SOCKET_ID_ANY);
	cr_assert(packet_pool && copy_pool);
	strcpy(folder, "/tmp/strowger-pcapng-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/record.pcapng", folder);
	cr_assert_eq(open_file(path, 0, &pcapng), 0);
}

static void
stop(void)
{
	record_pcapng_close(pcapng, NULL);
	cr_expect_eq(rte_mempool_in_use_count(copy_pool), 0);
	unlink(path);
	rmdir(folder);
	rte_eal_cleanup();
}

TestSuite(record_pcapng, .init = start, .fini = stop);

static struct rte_mbuf *
packet_make(const uint8_t *bytes, size_t count, uint16_t port)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(packet_pool);

	cr_assert_not_null(mbuf);
	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)count), bytes, count);
	mbuf->port = port;
	return mbuf;
}

static int
write_one(struct rte_mbuf *mbuf, uint64_t time_ns, enum stw_side side)
{
	struct record_packet packet = {mbuf, time_ns, side};
	int result = record_pcapng_write(pcapng, &packet, 1);

	rte_pktmbuf_free(mbuf);
	return result;
}

/** One packet as the file has it. */
struct block {
	uint32_t interface;
	uint64_t time_ns;
	uint32_t captured;
	uint32_t original;
	uint32_t flags;
	const uint8_t *bytes;
};

/** The file as a reader of the format's draft sees it. */
struct reader {
	uint8_t *file;
	size_t file_bytes;
	size_t interfaces;
	size_t count;
	struct block blocks[CAPTURE_PACKETS_MAX];
};

static uint32_t
word(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, 4);
	return value;
}

/* The option of that code; NULL when there is none. Options are code, length, value, padding. */
static const uint8_t *
option(const uint8_t *options, const uint8_t *end, uint16_t code)
{
	while (options + 4 <= end) {
		uint32_t length = word(options) >> 16;

		if ((word(options) & 0xffff) == code)
			return options + 4;
		options += 4 + (length + 3) / 4 * 4;
	}
	cr_assert_eq(options, end, "options end with their block");
	return NULL;
}

static void
block_read(struct reader *reader, const uint8_t *block, uint32_t bytes)
{
	struct block *packet = &reader->blocks[reader->count];
	const uint8_t *flags;

	if (word(block) == 1) {
		const uint8_t *resolution = option(block + 16, block + bytes - 4, 9);

		cr_assert_eq(word(block + 8) & 0xffff, 1, "Ethernet");
		cr_assert(resolution && *resolution == 9, "nanoseconds");
		reader->interfaces++;
	}
	if (word(block) != 6)
		return;
	packet->interface = word(block + 8);
	packet->time_ns = (uint64_t)word(block + 12) << 32 | word(block + 16);
	packet->captured = word(block + 20);
	packet->original = word(block + 24);
	packet->bytes = block + 28;
	cr_assert_leq(28 + packet->captured + 4, bytes);
	cr_assert_lt(packet->interface, reader->interfaces);
	flags = option(block + 28 + (packet->captured + 3) / 4 * 4, block + bytes - 4, 2);
	cr_assert_not_null(flags);
	packet->flags = word(flags);
	reader->count++;
}

static struct reader *
read_file(void)
{
	static struct reader reader;
	struct stat status;
	int fd = open(path, O_RDONLY);
	size_t offset = 0;

	memset(&reader, 0, sizeof(reader));
	cr_assert_eq(fstat(fd, &status), 0);
	reader.file_bytes = (size_t)status.st_size;
	reader.file = malloc(reader.file_bytes);
	cr_assert_eq(read(fd, reader.file, reader.file_bytes), status.st_size);
	close(fd);
	cr_assert_eq(word(reader.file), 0x0a0d0d0a);
	cr_assert_eq(word(reader.file + 8), 0x1a2b3c4d);
	while (offset < reader.file_bytes) {
		uint32_t bytes = word(reader.file + offset + 4);

		cr_assert(bytes >= 12 && bytes % 4 == 0 && offset + bytes <= reader.file_bytes);
		cr_assert_eq(word(reader.file + offset + bytes - 4), bytes, "length at both ends");
		block_read(&reader, reader.file + offset, bytes);
		offset += bytes;
	}
	return &reader;
}

static struct reader *
close_and_read(struct record_pcapng_stats *stats)
{
	int error = record_pcapng_close(pcapng, stats);

	pcapng = NULL;
	cr_assert_eq(error, 0);
	return read_file();
}

Test(record_pcapng, file_is_new_and_its_owners_alone)
{
	struct record_pcapng *other;
	struct record_pcapng_config config = {.path = path, .pool = copy_pool, .port_id = 2};
	struct stat status;

	cr_assert_eq(stat(path, &status), 0);
	cr_assert_eq(status.st_mode & 0777, 0600);
	cr_assert_eq(open_file(path, 0, &other), -EEXIST);
	cr_assert_eq(open_file("/nowhere/at/all", 0, &other), -EIO);
	cr_assert_eq(record_pcapng_open(&other, &config), -ENODEV);
}

Test(record_pcapng, empty_file_names_every_port)
{
	struct record_pcapng_stats stats;
	struct reader *reader = close_and_read(&stats);

	cr_assert_eq(reader->interfaces, 2);
	cr_assert_eq(reader->count, 0);
	cr_assert_eq(stats.bytes_written, reader->file_bytes);
	free(reader->file);
}

Test(record_pcapng, capture_comes_back_byte_by_byte_with_its_times)
{
	static struct capture capture;
	struct record_packet packets[RECORD_PCAPNG_BURST];
	struct record_pcapng_stats stats;
	struct reader *reader;
	size_t done = 0;

	cr_assert_eq(capture_read(&capture, CAPTURE_FOLDER "g711a.pcap"), 0);
	while (done < capture.count) {
		unsigned count = 0;

		for (; count < RECORD_PCAPNG_BURST && done + count < capture.count; count++) {
			struct capture_packet *from = &capture.packets[done + count];

			packets[count] = (struct record_packet){
				packet_make(from->frame, from->frame_bytes, count % 2),
				STEADY_NS + from->time_ns - capture.packets[0].time_ns,
				count % 3 ? STW_SIDE_AGENT : STW_SIDE_CALLER};
		}
		cr_assert_eq(record_pcapng_write(pcapng, packets, count), (int)count);
		for (unsigned i = 0; i < count; i++)
			rte_pktmbuf_free((struct rte_mbuf *)packets[i].mbuf);
		done += count;
	}
	reader = close_and_read(&stats);
	cr_assert_eq(reader->count, 236);
	cr_assert_eq(stats.packets, 236);
	cr_assert_eq(stats.packets_dropped, 0);
	cr_assert_eq(stats.bytes_written, reader->file_bytes);
	for (size_t i = 0; i < reader->count; i++) {
		struct block *block = &reader->blocks[i];
		struct capture_packet *from = &capture.packets[i];
		unsigned place = i % RECORD_PCAPNG_BURST;

		cr_assert_eq(block->captured, from->frame_bytes);
		cr_assert_eq(block->original, from->frame_bytes);
		cr_assert_eq(memcmp(block->bytes, from->frame, from->frame_bytes), 0);
		cr_assert_eq(block->time_ns, WALL_NS + from->time_ns - capture.packets[0].time_ns);
		cr_assert_eq(block->interface, place % 2);
		cr_assert_eq(block->flags & 3, place % 3 ? 2 : 1, "inbound 1, outbound 2");
	}
	free(reader->file);
}

Test(record_pcapng, packet_from_before_the_file_keeps_its_time)
{
	const uint8_t frame[61] = {1};
	struct reader *reader;

	cr_assert_eq(write_one(packet_make(frame, 61, 0), 5, STW_SIDE_CALLER), 1);
	cr_assert_eq(write_one(packet_make(frame, 61, 0), STEADY_NS * 1000000, STW_SIDE_CALLER), 1);
	reader = close_and_read(NULL);
	cr_assert_eq(reader->blocks[0].time_ns, WALL_NS - STEADY_NS + 5);
	cr_assert_eq(reader->blocks[1].time_ns, WALL_NS + STEADY_NS * 999999);
	free(reader->file);
}

Test(record_pcapng, every_length_that_fits_is_written_and_longer_is_counted)
{
	uint8_t frame[PACKET_BYTES_MAX + 64];
	struct record_pcapng_stats stats;
	struct reader *reader;
	size_t bytes;

	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)i;
	for (bytes = PACKET_BYTES_MAX - 60; bytes <= sizeof(frame); bytes++)
		cr_assert_eq(write_one(packet_make(frame, bytes, 0), bytes, STW_SIDE_AGENT),
			     bytes <= PACKET_BYTES_MAX);
	reader = close_and_read(&stats);
	cr_assert_eq(stats.packets, 61);
	cr_assert_eq(stats.packets_dropped, 64);
	cr_assert_eq(reader->count, 61);
	for (size_t i = 0; i < reader->count; i++) {
		cr_assert_eq(reader->blocks[i].captured, PACKET_BYTES_MAX - 60 + i);
		cr_assert_eq(memcmp(reader->blocks[i].bytes, frame, reader->blocks[i].captured), 0);
	}
	free(reader->file);
}

Test(record_pcapng, segments_become_one_block)
{
	uint8_t frame[200];
	struct rte_mbuf *head, *clone;
	struct reader *reader;

	for (size_t i = 0; i < sizeof(frame); i++)
		frame[i] = (uint8_t)(i * 7);
	head = packet_make(frame, 42, 1);
	cr_assert_eq(rte_pktmbuf_chain(head, packet_make(frame + 42, 158, 1)), 0);
	clone = rte_pktmbuf_clone(head, packet_pool);
	cr_assert_not_null(clone);
	rte_pktmbuf_free(head);
	cr_assert_eq(write_one(clone, 0, STW_SIDE_AGENT), 1);
	reader = close_and_read(NULL);
	cr_assert_eq(reader->blocks[0].captured, 200);
	cr_assert_eq(reader->blocks[0].interface, 1);
	cr_assert_eq(memcmp(reader->blocks[0].bytes, frame, 200), 0);
	free(reader->file);
	cr_assert_eq(rte_mempool_in_use_count(packet_pool), 0);
}

Test(record_pcapng, unknown_and_later_ports_are_the_configured_one)
{
	const uint8_t frame[60] = {1};
	struct reader *reader;

	record_pcapng_close(pcapng, NULL);
	unlink(path);
	cr_assert_eq(open_file(path, 1, &pcapng), 0);
	cr_assert_eq(rte_eal_hotplug_add("vdev", "net_null2", ""), 0);
	cr_assert(rte_eth_dev_is_valid_port(2));
	cr_assert_eq(write_one(packet_make(frame, 60, 2), 0, STW_SIDE_CALLER), 1);
	cr_assert_eq(write_one(packet_make(frame, 60, RTE_MBUF_PORT_INVALID), 0, STW_SIDE_CALLER),
		     1);
	reader = close_and_read(NULL);
	cr_assert_eq(reader->blocks[0].interface, 1);
	cr_assert_eq(reader->blocks[1].interface, 1);
	free(reader->file);
}

Test(record_pcapng, empty_pool_costs_copies_and_nothing_else)
{
	const uint8_t frame[60] = {1};
	struct rte_mbuf *taken[63];
	struct record_pcapng_stats stats;

	cr_assert_eq(rte_pktmbuf_alloc_bulk(copy_pool, taken, 63), 0);
	cr_assert_eq(write_one(packet_make(frame, 60, 0), 0, STW_SIDE_CALLER), 0);
	rte_pktmbuf_free_bulk(taken, 63);
	cr_assert_eq(write_one(packet_make(frame, 60, 0), 0, STW_SIDE_CALLER), 1);
	record_pcapng_stats(pcapng, &stats);
	cr_assert_eq(stats.packets, 1);
	cr_assert_eq(stats.packets_dropped, 1);
}

Test(record_pcapng, more_than_a_burst_is_refused)
{
	cr_assert_eq(record_pcapng_write(pcapng, NULL, RECORD_PCAPNG_BURST + 1), -EINVAL);
	cr_assert_eq(record_pcapng_write(pcapng, NULL, 0), 0);
}

Test(record_pcapng, full_disk_is_told_and_the_file_ends_with_a_whole_packet)
{
	struct rlimit limit = {4000, RLIM_INFINITY};
	const uint8_t frame[300] = {1};
	struct record_pcapng_stats stats;
	struct reader *reader;
	unsigned written = 0;
	int result;

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	do {
		result = write_one(packet_make(frame, 300, 0), 0, STW_SIDE_CALLER);
		written += result == 1;
	} while (result == 1 && written < 100);
	cr_assert_eq(result, -ENOSPC);
	cr_assert_eq(write_one(packet_make(frame, 300, 0), 0, STW_SIDE_CALLER), -ENOSPC);
	cr_assert_eq(record_pcapng_close(pcapng, &stats), -ENOSPC);
	pcapng = NULL;
	reader = read_file();
	cr_assert_eq(reader->count, written);
	cr_assert_eq(stats.packets, written);
	cr_assert_eq(stats.bytes_written, reader->file_bytes);
	free(reader->file);
}
