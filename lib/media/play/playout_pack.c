/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A WAV file as payloads of 20 ms. Samples go through 16 bit linear a payload at a time, but for
 * the codec that the file already has.
 */
#include "playout_pack.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "wav.h"

static_assert(PLAYOUT_PAYLOAD_BYTES == WAV_RATE_HZ / 1000 * STW_PLAYOUT_PACKET_MS,
	      "a payload is a packet's time");

static const uint8_t silence[RTP_CODEC_COUNT] = {
	[STW_CODEC_PCMU] = RTP_PCMU_SILENCE,
	[STW_CODEC_PCMA] = RTP_PCMA_SILENCE,
};

static void
samples_read(const struct wav *wav, size_t first, size_t count, int16_t *samples)
{
	if (wav->coding != WAV_PCM16) {
		rtp_g711_decode(wav->coding == WAV_PCMA ? STW_CODEC_PCMA : STW_CODEC_PCMU,
				wav->data + first, count, samples);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const uint8_t *bytes = wav->data + 2 * (first + i);

		samples[i] = (int16_t)(uint16_t)(bytes[0] | bytes[1] << 8);
	}
}

static void
payload_pack(const struct wav *wav, size_t first, size_t count, enum stw_codec codec,
	     uint8_t *payload)
{
	int16_t samples[PLAYOUT_PAYLOAD_BYTES];

	if (wav->coding == (codec == STW_CODEC_PCMA ? WAV_PCMA : WAV_PCMU)) {
		memcpy(payload, wav->data + first, count);
	} else {
		samples_read(wav, first, count, samples);
		rtp_g711_encode(codec, samples, count, payload);
	}
	memset(payload + count, silence[codec], PLAYOUT_PAYLOAD_BYTES - count);
}

int
playout_pack_memory(const uint8_t *file, size_t file_bytes, struct playout_block *block)
{
	struct wav wav;
	size_t packets;
	int error = wav_parse(file, file_bytes, &wav);

	if (error)
		return error;
	packets = (wav.samples + PLAYOUT_PAYLOAD_BYTES - 1) / PLAYOUT_PAYLOAD_BYTES;
	if (packets == 0)
		return -EINVAL;
	if (packets > block->packets_max)
		return -ENOSPC;
	for (size_t packet = 0; packet < packets; packet++) {
		size_t first = packet * PLAYOUT_PAYLOAD_BYTES;
		size_t count = wav.samples - first;

		if (count > PLAYOUT_PAYLOAD_BYTES)
			count = PLAYOUT_PAYLOAD_BYTES;
		for (int codec = 0; codec < RTP_CODEC_COUNT; codec++)
			payload_pack(&wav, first, count, (enum stw_codec)codec,
				     block->payloads[codec] + first);
	}
	block->packets = (uint32_t)packets;
	return 0;
}

/* Read up to bytes_max bytes; fewer when the file has become shorter. */
static ssize_t
file_read(int fd, uint8_t *bytes, size_t bytes_max)
{
	size_t count = 0;

	while (count < bytes_max) {
		ssize_t more = read(fd, bytes + count, bytes_max - count);

		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			return -EIO;
		if (more == 0)
			break;
		count += (size_t)more;
	}
	return (ssize_t)count;
}

static int
file_load(int fd, struct playout_block *block)
{
	struct stat status;
	uint8_t *bytes;
	ssize_t count;
	int error;

	if (fstat(fd, &status) != 0)
		return -EIO;
	if (!S_ISREG(status.st_mode))
		return -EINVAL;
	if (status.st_size > PLAYOUT_FILE_BYTES_MAX)
		return -ENOSPC;
	bytes = malloc((size_t)status.st_size + 1);
	if (!bytes)
		return -ENOMEM;
	count = file_read(fd, bytes, (size_t)status.st_size);
	error = count < 0 ? (int)count : playout_pack_memory(bytes, (size_t)count, block);
	free(bytes);
	return error;
}

int
playout_pack(const char *path, struct playout_block *block)
{
	/* A pipe at that path must not hold up the host: it is refused when open. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int error;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR ? -ENOENT : -EIO;
	error = file_load(fd, block);
	close(fd);
	return error;
}
