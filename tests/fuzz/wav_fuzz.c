/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * WAV files: the samples found lie within the file, and a file that is packed fills whole payloads.
 */
#include "fuzz.h"

#include <errno.h>

#include "media/play/playout_pack.h"
#include "media/play/wav.h"

#define PACKETS_MAX 8

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static uint8_t room[RTP_CODEC_COUNT][PACKETS_MAX * PLAYOUT_PAYLOAD_BYTES];
	struct playout_block block = {{room[0], room[1]}, PACKETS_MAX, 0};
	struct wav wav;
	int error = wav_parse(bytes, count, &wav);
	int packed = playout_pack_memory(bytes, count, &block);

	if (error) {
		FUZZ_ASSERT(error == -EINVAL || error == -ENOTSUP);
		FUZZ_ASSERT(packed == error && block.packets == 0);
		return 0;
	}
	FUZZ_ASSERT(wav.data >= bytes && wav.data <= bytes + count);
	FUZZ_ASSERT(wav.samples * (wav.coding == WAV_PCM16 ? 2 : 1) <=
		    (size_t)(bytes + count - wav.data));
	if (packed == 0)
		FUZZ_ASSERT((block.packets - 1) * PLAYOUT_PAYLOAD_BYTES < wav.samples &&
			    wav.samples <= block.packets * PLAYOUT_PAYLOAD_BYTES);
	else
		FUZZ_ASSERT(packed == (wav.samples ? -ENOSPC : -EINVAL));
	return 0;
}
