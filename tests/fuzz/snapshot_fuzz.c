/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Snapshots: a file is read as a whole or refused with a reason and nothing kept; what was read is
 * restored to a sound engine or refused.
 */
#include "journal_fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static struct stw_snapshot *snapshot;
	struct stw_journal_report report = {.reason = NULL};
	uint8_t *file;
	size_t size = journal_fuzz_file(bytes, count, FRAMES_SNAPSHOT, &file);
	int error;

	if (!snapshot) {
		struct stw_acd *acd = journal_fuzz_engine();

		FUZZ_ASSERT(!stw_snapshot_create(&snapshot, acd));
		stw_acd_destroy(acd);
	}
	error = acd_snapshot_read(snapshot, file, size, &report);
	FUZZ_ASSERT(!error == !report.reason);
	FUZZ_ASSERT(report.offset <= size);
	if (!error) {
		journal_fuzz_restore(snapshot);
		return 0;
	}
	for (uint32_t c = 0; c < snapshot->contacts_max; c++)
		FUZZ_ASSERT(!snapshot->contacts[c].id);
	FUZZ_ASSERT(!snapshot->head.last_ns && !snapshot->queues[0].id);
	return 0;
}
