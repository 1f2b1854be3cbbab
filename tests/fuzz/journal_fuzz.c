/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Journals: the events of a file are applied to a snapshot of a small house, as far as they can be
 * read; applied again they change nothing; what comes of them is restored to a sound engine or refused.
 */
#include "journal_fuzz.h"

static int
apply(void *context, uint64_t number, const struct stw_event *event)
{
	struct stw_snapshot *snapshot = context;
	int applied = stw_snapshot_apply(snapshot, event);

	FUZZ_ASSERT(applied >= 0 || applied == -ENOENT || applied == -EBADMSG);
	if (applied == 1 && event->type != STW_EVENT_LOST)
		FUZZ_ASSERT(stw_snapshot_apply(snapshot, event) == 0);
	return applied < 0 ? 0 : applied;
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static struct stw_snapshot *snapshot;
	struct stw_acd *acd = journal_fuzz_engine();
	struct stw_journal_report report;
	uint8_t *file;
	size_t size = journal_fuzz_file(bytes, count, FRAMES_JOURNAL, &file);
	int error;

	if (!snapshot)
		FUZZ_ASSERT(!stw_snapshot_create(&snapshot, acd));
	FUZZ_ASSERT(!stw_snapshot_take(snapshot, acd, NULL, 1));
	stw_acd_destroy(acd);
	error = acd_journal_read_memory(file, size, apply, snapshot, &report);
	FUZZ_ASSERT(!error == !report.reason);
	FUZZ_ASSERT(report.offset + report.torn_bytes <= size || size < FRAMES_HEAD_BYTES);
	journal_fuzz_restore(snapshot);
	return 0;
}
