/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a WAV recording is made of: whatever timestamps, sources, sizes and arrivals say, every packet is
 * counted once, the file is no longer than the arrivals allow, and its header says its length.
 *
 * The bytes are packets of 10 each: side (bit 0), codec (bit 1) and source (bits 2, 3); payload's length
 * through 8; milliseconds since the last one, 16 bits; timestamp, 32 bits; first byte of the payload; a step
 * of it.
 */
#include "fuzz.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "media/fork/record_wav.h"

#define PACKET_BYTES 10
#define START_NS     UINT64_C(1000000000)
#define HEADER_BYTES 44

static uint32_t
little32(const uint8_t *bytes)
{
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 |
	       (uint32_t)bytes[3] << 24;
}

/** Frames that the file may have when its last packet came so late. */
static uint64_t
frames_max(uint64_t elapsed_ns)
{
	return elapsed_ns / 125000 + 1 + RECORD_WAV_DRIFT_FRAMES + RECORD_WAV_PACKET_SAMPLES;
}

static void
file_check(const char *path, uint64_t elapsed_ns, const struct record_wav_stats *stats)
{
	uint8_t header[HEADER_BYTES];
	FILE *file = fopen(path, "rb");
	struct stat status;

	FUZZ_ASSERT(file && fstat(fileno(file), &status) == 0);
	FUZZ_ASSERT(fread(header, sizeof(header), 1, file) == 1);
	fclose(file);
	FUZZ_ASSERT((uint64_t)status.st_size == stats->bytes_written);
	FUZZ_ASSERT(little32(header + 4) == status.st_size - 8);
	FUZZ_ASSERT(memcmp(header + 36, "data", 4) == 0);
	FUZZ_ASSERT(little32(header + 40) == status.st_size - HEADER_BYTES);
	FUZZ_ASSERT(little32(header + 40) % 4 == 0);
	FUZZ_ASSERT(little32(header + 40) / 4 <= frames_max(elapsed_ns));
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static uint8_t payload[8 * 255];
	struct record_wav_stats stats;
	char path[64];
	struct record_wav *wav;
	uint64_t elapsed_ns = 0, given = 0;

	snprintf(path, sizeof(path), "/tmp/stw-record-%d", (int)getpid());
	unlink(path);
	FUZZ_ASSERT(record_wav_open(&wav, path, START_NS, NULL) == 0);
	for (; count >= PACKET_BYTES; bytes += PACKET_BYTES, count -= PACKET_BYTES) {
		uint32_t payload_bytes = 8u * bytes[1];

		elapsed_ns += (uint64_t)(bytes[2] << 8 | bytes[3]) * 1000000;
		for (uint32_t i = 0; i < payload_bytes; i++)
			payload[i] = (uint8_t)(bytes[8] + i * bytes[9]);
		FUZZ_ASSERT(record_wav_write(wav, (enum stw_side)(bytes[0] & 1),
					     (enum stw_codec)(bytes[0] >> 1 & 1), bytes[0] >> 2 & 3,
					     little32(bytes + 4), payload, payload_bytes,
					     START_NS + elapsed_ns) == 0);
		given += payload_bytes > 0;
		record_wav_check(wav);
	}
	FUZZ_ASSERT(record_wav_close(wav, &stats) == 0);
	FUZZ_ASSERT(stats.packets + stats.packets_late + stats.packets_stray == given);
	file_check(path, elapsed_ns, &stats);
	unlink(path);
	return 0;
}
