/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Input of the targets about journals and snapshots. Its first byte says what the others are: 0: a
 * file. Else: its records, each a type, a payload's length in two bytes, and the payload; the
 * target adds heads, numbers and checksums, so that what lies behind those is reached.
 */
#ifndef STW_TEST_JOURNAL_FUZZ_H
#define STW_TEST_JOURNAL_FUZZ_H

#include <errno.h>
#include <string.h>

#include "acd/snapshot.h"
#include "fuzz.h"
#include "journal/frames.h"

/** Most bytes of an input; longer ones are cut. */
#define JOURNAL_FUZZ_BYTES_MAX 16384

/** The input as a file, in static memory; its size. */
static size_t
journal_fuzz_file(const uint8_t *bytes, size_t count, enum frames_kind kind, uint8_t **file)
{
	static uint8_t memory[JOURNAL_FUZZ_BYTES_MAX * 8];
	struct frame frame = {.number = 1};
	size_t size = FRAMES_HEAD_BYTES;

	*file = memory;
	count = count > JOURNAL_FUZZ_BYTES_MAX ? JOURNAL_FUZZ_BYTES_MAX : count;
	if (!count || !bytes[0]) {
		memcpy(memory, bytes + !!count, count - !!count);
		return count - !!count;
	}
	frames_head_write(memory, kind, 1);
	for (size_t at = 1; at + 3 <= count; at += 3 + frame.bytes) {
		frame.type = bytes[at];
		frame.bytes = (uint32_t)(bytes[at + 1] | bytes[at + 2] << 8) % FRAMES_PAYLOAD_MAX;
		if (at + 3 + frame.bytes > count)
			break;
		memcpy(memory + size + FRAMES_RECORD_BYTES, bytes + at + 3, frame.bytes);
		size += frames_record_write(memory + size, &frame);
		frame.number++;
	}
	return size;
}

/** An engine of a few agents, queues and contacts. */
static struct stw_acd *
journal_fuzz_engine(void)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;
	struct stw_queue_config queue = STW_QUEUE_CONFIG_INIT;
	struct stw_agent_config agent = STW_AGENT_CONFIG_INIT;
	struct stw_acd *acd = NULL;
	struct stw_queue q;
	struct stw_agent a;

	config.agents_max = 4;
	config.queues_max = 4;
	config.contacts_max = 8;
	config.skills_max = 1;
	config.events_max = 64;
	config.threads_max = 1;
	config.journal = 1;
	queue.wrap_up_ns = 5;
	FUZZ_ASSERT(!stw_acd_create(&acd, &config));
	queue.name = "sales";
	FUZZ_ASSERT(!stw_queue_define(acd, &queue, &q));
	queue.name = "support";
	FUZZ_ASSERT(!stw_queue_define(acd, &queue, &q));
	agent.name = "alice";
	FUZZ_ASSERT(!stw_agent_define(acd, &agent, &a));
	agent.name = "bob";
	FUZZ_ASSERT(!stw_agent_define(acd, &agent, &a));
	return acd;
}

/** What a snapshot says is restored to a sound engine that goes on, or refused and nothing done. */
static void
journal_fuzz_restore(const struct stw_snapshot *snapshot)
{
	struct stw_acd *acd = journal_fuzz_engine();
	const uint64_t now_ns = UINT64_C(1) << 40;
	struct stw_acd_stats stats;
	const char *why = NULL;
	int error = stw_acd_restore(acd, snapshot, 0, now_ns, &why);

	FUZZ_ASSERT(!error == !why);
	stw_acd_check(acd);
	stw_acd_stats(acd, &stats);
	if (error)
		FUZZ_ASSERT(!stats.contacts && !stats.agents_logged_in && !stats.queues.offered);
	FUZZ_ASSERT(stw_acd_advance(acd, now_ns + 1, 100, NULL) >= 0);
	stw_acd_check(acd);
	stw_acd_destroy(acd);
}

#endif
