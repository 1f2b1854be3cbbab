/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture.h"
#include "media/fork/record_wav.h"
#include "rtp/g711.h"

#define START_NS UINT64_C(5000000000)
#define TICK_NS  UINT64_C(125000)
#define PACKET   160

static char folder[32];
static char path[64];
static struct record_wav *wav;

static void
make_folder(void)
{
	strcpy(folder, "/tmp/strowger-wav-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/record.wav", folder);
	cr_assert_eq(record_wav_open(&wav, path, START_NS, NULL), 0);
}

static void
drop_folder(void)
{
	record_wav_close(wav, NULL);
	unlink(path);
	rmdir(folder);
}

TestSuite(record_wav, .init = make_folder, .fini = drop_folder);

/* A packet whose samples are all the decoded value of one code. */
static void
write_at(enum stw_side side, uint32_t ssrc, uint32_t timestamp, uint8_t code, int64_t arrival)
{
	uint8_t payload[PACKET];

	memset(payload, code, sizeof(payload));
	cr_assert_eq(record_wav_write(wav, side, STW_CODEC_PCMU, ssrc, timestamp, payload,
				      sizeof(payload), START_NS + (uint64_t)arrival * TICK_NS),
		     0);
	record_wav_check(wav);
}

static int16_t
value(uint8_t code)
{
	int16_t sample;

	rtp_g711_decode(STW_CODEC_PCMU, &code, 1, &sample);
	return sample;
}

/** A file as it is on disk. */
struct disk {
	size_t frames;
	int16_t (*samples)[2];
	uint8_t *bytes;
};

/* Read the file; its sizes must be those of what is there. */
static struct disk
disk_read(size_t frames_max)
{
	struct disk disk;
	struct stat status;
	uint32_t riff_bytes, data_bytes;
	int fd = open(path, O_RDONLY);

	cr_assert_eq(fstat(fd, &status), 0);
	disk.bytes = malloc((size_t)status.st_size);
	cr_assert_eq(read(fd, disk.bytes, (size_t)status.st_size), status.st_size);
	close(fd);
	memcpy(&riff_bytes, disk.bytes + 4, 4);
	memcpy(&data_bytes, disk.bytes + 40, 4);
	cr_assert_eq(memcmp(disk.bytes + 8, "WAVEfmt ", 8), 0);
	cr_assert_eq(memcmp(disk.bytes + 20, "\1\0\2\0\100\37\0\0", 8), 0, "2 channels, 8 kHz");
	cr_assert_eq(le32toh(riff_bytes), le32toh(data_bytes) + 36);
	cr_assert_eq((size_t)status.st_size, le32toh(data_bytes) + 44);
	disk.frames = le32toh(data_bytes) / 4;
	disk.samples = (int16_t(*)[2])(disk.bytes + 44);
	cr_assert_leq(disk.frames, frames_max, "%zu frames", disk.frames);
	return disk;
}

static struct disk
close_and_read(struct record_wav_stats *stats, size_t frames_max)
{
	int error = record_wav_close(wav, stats);

	wav = NULL;
	cr_assert_eq(error, 0);
	return disk_read(frames_max);
}

/* Are these frames of a side of one value? */
static void
expect_run(const struct disk *disk, int side, size_t first, size_t count, int16_t expected)
{
	cr_assert_leq(first + count, disk->frames);
	for (size_t i = first; i < first + count; i++)
		cr_assert_eq((int16_t)le16toh((uint16_t)disk->samples[i][side]), expected,
			     "side %d frame %zu is %d not %d", side, i, disk->samples[i][side],
			     expected);
}

Test(record_wav, file_is_new_and_its_owners_alone)
{
	struct record_wav *other;
	struct stat status;
	char link_path[80];

	umask(0);
	cr_assert_eq(stat(path, &status), 0);
	cr_assert_eq(status.st_mode & 0777, 0600);
	cr_assert_eq(record_wav_open(&other, path, 0, NULL), -EEXIST);
	snprintf(link_path, sizeof(link_path), "%s/link", folder);
	cr_assert_eq(symlink("nowhere", link_path), 0);
	cr_assert_eq(record_wav_open(&other, link_path, 0, NULL), -EEXIST);
	unlink(link_path);
	cr_assert_eq(record_wav_open(&other, "/nowhere/at/all", 0, NULL), -EIO);
}

Test(record_wav, caller_is_left_and_agent_right_on_one_line_of_time)
{
	struct record_wav_stats stats;
	struct disk disk;

	write_at(STW_SIDE_CALLER, 1, 70000, 0x80, 0);
	write_at(STW_SIDE_AGENT, 2, 0xffffffb0, 0x10, 400);
	write_at(STW_SIDE_CALLER, 1, 70160, 0x81, 161);
	write_at(STW_SIDE_AGENT, 2, 0xffffffb0 + 160, 0x11, 560);
	disk = close_and_read(&stats, 720);
	expect_run(&disk, 0, 0, 160, value(0x80));
	expect_run(&disk, 0, 160, 160, value(0x81));
	expect_run(&disk, 0, 320, 400, 0);
	expect_run(&disk, 1, 0, 400, 0);
	expect_run(&disk, 1, 400, 160, value(0x10));
	expect_run(&disk, 1, 560, 160, value(0x11));
	cr_assert_eq(stats.packets, 4);
	cr_assert_eq(stats.packets_anchored, 2);
	cr_assert_eq(stats.bytes_written, 44 + 720 * 4);
	free(disk.bytes);
}

Test(record_wav, places_follow_timestamps_not_arrivals)
{
	struct disk disk;

	write_at(STW_SIDE_CALLER, 1, 1000, 0x80, 100);
	write_at(STW_SIDE_CALLER, 1, 1320, 0x82, 700);
	write_at(STW_SIDE_CALLER, 1, 1160, 0x81, 705);
	write_at(STW_SIDE_CALLER, 1, 1160, 0x81, 706);
	disk = close_and_read(NULL, 580);
	expect_run(&disk, 0, 100, 160, value(0x80));
	expect_run(&disk, 0, 260, 160, value(0x81));
	expect_run(&disk, 0, 420, 160, value(0x82));
	free(disk.bytes);
}

Test(record_wav, packet_late_by_less_than_the_window_finds_its_place)
{
	struct record_wav_stats stats;
	struct disk disk;

	for (uint32_t i = 0; i < 1000; i++)
		if (i != 899)
			write_at(STW_SIDE_CALLER, 1, i * PACKET, (uint8_t)(0x80 + i % 64),
				 i * PACKET);
	write_at(STW_SIDE_CALLER, 1, 899 * PACKET, 0x77, 1000 * PACKET - 200);
	disk = close_and_read(&stats, 160000);
	expect_run(&disk, 0, 899 * PACKET, PACKET, value(0x77));
	expect_run(&disk, 0, 898 * PACKET, PACKET, value(0x80 + 898 % 64));
	cr_assert_eq(stats.packets, 1000);
	cr_assert_eq(stats.packets_late + stats.packets_stray, 0);
	free(disk.bytes);
}

Test(record_wav, single_packet_later_than_that_is_left_out_and_counted)
{
	struct record_wav_stats stats;
	struct disk disk;

	for (uint32_t i = 0; i < 1000; i++) {
		if (i != 100)
			write_at(STW_SIDE_AGENT, 1, i * PACKET, 0x80, i * PACKET);
		if (i == 400)
			write_at(STW_SIDE_AGENT, 1, 100 * PACKET, 0x77, i * PACKET + 1);
	}
	disk = close_and_read(&stats, 160000);
	expect_run(&disk, 1, 100 * PACKET, PACKET, 0);
	expect_run(&disk, 1, 101 * PACKET, 800 * PACKET, value(0x80));
	cr_assert_eq(stats.packets, 999);
	cr_assert_eq(stats.packets_late + stats.packets_stray, 1);
	free(disk.bytes);
}

Test(record_wav, packet_behind_the_window_but_in_bounds_is_counted_late)
{
	struct record_wav_stats stats;

	/* The sender's timestamps run ahead of arrival until the window has left place 100. */
	write_at(STW_SIDE_CALLER, 1, 0, 0x80, 0);
	for (uint32_t i = 0; i < 30; i++)
		write_at(STW_SIDE_CALLER, 1, 15000 + i * 800, 0x80, i * 800);
	write_at(STW_SIDE_CALLER, 1, 9000, 0x77, 23900);
	free(close_and_read(&stats, 40000).bytes);
	cr_assert_eq(stats.packets_late, 1);
	cr_assert_eq(stats.packets_stray, 0);
}

Test(record_wav, packet_across_the_beginning_is_cut_there)
{
	struct disk disk;

	write_at(STW_SIDE_AGENT, 1, 1000, 0x80, 0);
	write_at(STW_SIDE_AGENT, 1, 920, 0x81, 10);
	write_at(STW_SIDE_AGENT, 1, 500, 0x82, 20);
	disk = close_and_read(NULL, 160);
	expect_run(&disk, 1, 0, 80, value(0x81));
	expect_run(&disk, 1, 80, 80, value(0x80));
	expect_run(&disk, 0, 0, 160, 0);
	free(disk.bytes);
}

Test(record_wav, packet_across_the_windows_beginning_touches_nothing_at_its_end)
{
	struct record_wav_stats stats;
	struct disk disk;

	/* Place 20500 moves the window to 4096; the late packet lies across that. */
	write_at(STW_SIDE_CALLER, 1, 0, 0x80, 0);
	write_at(STW_SIDE_CALLER, 1, 20500, 0x81, 20000);
	write_at(STW_SIDE_CALLER, 1, 4016, 0x82, 20001);
	write_at(STW_SIDE_AGENT, 1, 0, 0x83, 24416);
	disk = close_and_read(&stats, 24576);
	expect_run(&disk, 0, 4000, 96, 0);
	expect_run(&disk, 0, 4096, 80, value(0x82));
	expect_run(&disk, 0, 20660, 24576 - 20660, 0);
	expect_run(&disk, 1, 24416, 160, value(0x83));
	cr_assert_eq(stats.packets, 4);
	free(disk.bytes);
}

Test(record_wav, new_source_is_placed_by_its_arrival)
{
	struct disk disk;

	write_at(STW_SIDE_CALLER, 1, 5, 0x80, 0);
	write_at(STW_SIDE_CALLER, 2, 0x87654321, 0x81, 1000);
	write_at(STW_SIDE_CALLER, 2, 0x87654321 + 160, 0x82, 1150);
	write_at(STW_SIDE_CALLER, 1, 5, 0x83, 2000);
	disk = close_and_read(NULL, 2160);
	expect_run(&disk, 0, 0, 160, value(0x80));
	expect_run(&disk, 0, 160, 840, 0);
	expect_run(&disk, 0, 1000, 160, value(0x81));
	expect_run(&disk, 0, 1160, 160, value(0x82));
	expect_run(&disk, 0, 2000, 160, value(0x83));
	free(disk.bytes);
}

Test(record_wav, clock_set_by_the_sender_costs_no_packet)
{
	struct record_wav_stats stats;
	struct disk disk;

	for (uint32_t i = 0; i < 300; i++)
		write_at(STW_SIDE_CALLER, 1,
			 i * PACKET + (i >= 100 ? 0x70000000 : 0) - (i >= 200 ? 0x7f000000 : 0),
			 (uint8_t)(0x80 + i % 64), i * PACKET);
	disk = close_and_read(&stats, 300 * PACKET);
	for (uint32_t i = 0; i < 300; i++)
		expect_run(&disk, 0, i * PACKET, PACKET, value((uint8_t)(0x80 + i % 64)));
	cr_assert_eq(stats.packets, 300);
	cr_assert_eq(stats.packets_anchored, 3);
	cr_assert_eq(stats.packets_stray, 0);
	free(disk.bytes);
}

Test(record_wav, hostile_timestamps_write_no_hours_of_silence)
{
	struct record_wav_stats stats;
	uint32_t seed = 1;

	for (uint32_t i = 0; i < 5000; i++) {
		seed = seed * 1664525 + 1013904223;
		write_at(STW_SIDE_CALLER, i / 1000, seed, 0x80, i);
	}
	free(close_and_read(&stats, 5000 + RECORD_WAV_DRIFT_FRAMES + PACKET).bytes);
	cr_assert_eq(stats.packets + stats.packets_late + stats.packets_stray, 5000);
	cr_assert_gt(stats.packets_stray, 4000);
}

Test(record_wav, silence_of_a_minute_is_silence_of_a_minute)
{
	struct disk disk;

	write_at(STW_SIDE_CALLER, 1, 0, 0x80, 0);
	write_at(STW_SIDE_AGENT, 2, 0, 0x81, 480000);
	disk = disk_read(480160);
	cr_assert_geq(disk.frames, 459000);
	expect_run(&disk, 0, 160, disk.frames - 160, 0);
	free(disk.bytes);
	disk = close_and_read(NULL, 480160);
	expect_run(&disk, 0, 0, 160, value(0x80));
	expect_run(&disk, 0, 160, 480000, 0);
	expect_run(&disk, 1, 0, 480000, 0);
	expect_run(&disk, 1, 480000, 160, value(0x81));
	free(disk.bytes);
}

Test(record_wav, file_is_readable_while_it_grows)
{
	size_t frames_before = 0;

	for (uint32_t i = 0; i < 1000; i++) {
		struct disk disk;

		write_at(STW_SIDE_CALLER, 1, i * PACKET, 0x80, i * PACKET);
		disk = disk_read(i * PACKET + PACKET);
		cr_assert_geq(disk.frames, frames_before);
		if (i * PACKET > 20480)
			cr_assert_geq(disk.frames + 20480, i * PACKET);
		expect_run(&disk, 0, 0, disk.frames, value(0x80));
		frames_before = disk.frames;
		free(disk.bytes);
	}
	cr_assert_gt(frames_before, 130000);
}

Test(record_wav, captured_speech_is_in_the_file_sample_by_sample)
{
	static struct capture capture;
	struct record_wav_stats stats;
	struct disk disk;

	cr_assert_eq(capture_read(&capture, CAPTURE_FOLDER "g711a.pcap"), 0);
	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < capture.count; i++) {
			uint64_t offset_ns = capture.packets[i].time_ns -
					     capture.packets[0].time_ns +
					     (uint64_t)round * 236 * 240 * TICK_NS;

			cr_assert_eq(record_wav_write(wav, STW_SIDE_AGENT, STW_CODEC_PCMA, 9,
						      (uint32_t)(i * 240),
						      capture.packets[i].payload + 12, 240,
						      START_NS + offset_ns),
				     0);
			record_wav_check(wav);
		}
	disk = close_and_read(&stats, 236 * 480);
	cr_assert_eq(disk.frames, 236 * 480);
	cr_assert_eq(stats.packets_anchored, 2);
	for (size_t i = 0; i < disk.frames; i++) {
		int16_t sample;

		rtp_g711_decode(STW_CODEC_PCMA,
				capture.packets[i / 240 % 236].payload + 12 + i % 240, 1, &sample);
		cr_assert_eq(disk.samples[i][1], sample);
		cr_assert_eq(disk.samples[i][0], 0);
	}
	free(disk.bytes);
}

Test(record_wav, empty_recording_is_a_file_without_samples)
{
	struct record_wav_stats stats;
	struct disk disk = close_and_read(&stats, 0);

	cr_assert_eq(disk.frames, 0);
	cr_assert_eq(stats.bytes_written, 44);
	free(disk.bytes);
}

Test(record_wav, arrival_beyond_the_largest_file_is_refused)
{
	uint8_t payload[PACKET] = {0};
	struct disk disk;

	write_at(STW_SIDE_CALLER, 1, 0, 0x80, 0);
	cr_assert_eq(record_wav_write(wav, STW_SIDE_CALLER, STW_CODEC_PCMU, 2, 0, payload, PACKET,
				      UINT64_MAX),
		     -ENOSPC);
	record_wav_check(wav);
	cr_assert_eq(record_wav_close(wav, NULL), -ENOSPC);
	wav = NULL;
	disk = disk_read(PACKET);
	cr_assert_eq(disk.frames, PACKET);
	free(disk.bytes);
}

Test(record_wav, full_disk_is_told_and_what_is_written_stays_readable)
{
	struct rlimit limit = {44 + 5 * 4 * 4096 + 100, RLIM_INFINITY};
	uint8_t payload[PACKET] = {0};
	int error = 0;
	struct disk disk;

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (uint32_t i = 0; i < 1000 && !error; i++)
		error = record_wav_write(wav, STW_SIDE_CALLER, STW_CODEC_PCMU, 1, i * PACKET,
					 payload, PACKET, START_NS + i * PACKET * TICK_NS);
	cr_assert_eq(error, -ENOSPC);
	cr_assert_eq(record_wav_close(wav, NULL), -ENOSPC);
	wav = NULL;
	cr_assert_eq(truncate(path, 44 + 5 * 4 * 4096), 0);
	disk = disk_read(5 * 4096);
	cr_assert_eq(disk.frames, 5 * 4096);
	free(disk.bytes);
}
