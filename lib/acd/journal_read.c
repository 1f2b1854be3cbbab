/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading journals: file by file, record by record, with the reason where that ends.
 *
 * Only the newest file may end in the middle of a record, as its writer may have been killed, or be at
 * work: what comes after its last whole record is torn if nothing whole follows. Everything else that
 * does not fit is an error: records that are missing or wrong are never passed over.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "journal/files.h"
#include "journal/frames.h"
#include "snapshot.h"

/* What a reading works with. */
struct reading {
	stw_journal_fn receiver;
	void *context;
	struct stw_journal_report *report;
	uint64_t after;
};

static int
event_read(struct reading *reading, const struct frame *frame)
{
	struct stw_event event = {.type = STW_EVENT_NONE};
	int error;

	if (frame->type != SNAPSHOT_EVENT || frame->number <= reading->after)
		return 0;
	if (fields_read(acd_event_fields.fields, acd_event_fields.count, frame->payload,
			frame->bytes, &event)) {
		reading->report->reason = "a record says what cannot be";
		return -EBADMSG;
	}
	reading->report->records++;
	if (event.type == STW_EVENT_LOST)
		reading->report->lost += event.lost;
	error = reading->receiver(reading->context, frame->number, &event);
	if (error < 0)
		reading->report->reason = error == -ENOENT
						  ? "an event of a queue or agent that is not known"
						  : "an event was refused";
	else
		reading->report->applied += (uint64_t)error;
	return error < 0 ? error : 0;
}

/* Read a file's records. `newest`: its end may be torn. *next: number that the first must have, 0:
 * any; then of the record after the last. */
static int
file_read(struct reading *reading, const uint8_t *memory, size_t bytes, bool newest, uint64_t *next)
{
	struct stw_journal_report *report = reading->report;
	struct frames frames;
	struct frame frame;
	int error = frames_begin(&frames, memory, bytes, FRAMES_JOURNAL);
	int more = 0;

	if (error && newest && bytes < FRAMES_HEAD_BYTES) {
		report->torn_bytes = bytes;
		return 0;
	}
	if (!error && *next && frames.number != *next) {
		frames.why = "records are missing";
		error = -EBADMSG;
	}
	while (!error && (more = frames_next(&frames, &frame)) == 1)
		error = event_read(reading, &frame);
	report->offset = frames.at;
	if (!error && more < 0) {
		if (newest && frames_torn(&frames)) {
			report->torn_bytes = bytes - frames.at;
			frames.why = NULL;
		} else {
			error = more;
		}
	}
	if (frames.why)
		report->reason = frames.why;
	*next = frames.number;
	return error;
}

int
acd_journal_read_memory(const uint8_t *memory, size_t bytes, stw_journal_fn receiver, void *context,
			struct stw_journal_report *report)
{
	struct reading reading = {receiver, context, report, 0};
	uint64_t next = 0;

	memset(report, 0, sizeof(*report));
	return file_read(&reading, memory, bytes, true, &next);
}

static int
files_of(struct reading *reading, int directory, const struct files *files, uint64_t *next)
{
	int error = 0;

	for (uint32_t i = 0; i < files->count && !error; i++) {
		bool newest = i + 1 == files->count;
		struct file_bytes file = {.memory = NULL};

		/* A file ends where the next one begins. */
		if (!newest && files->numbers[i + 1] - 1 <= reading->after)
			continue;
		if (!*next && files->numbers[i] - 1 > reading->after) {
			reading->report->reason = "records are missing";
			return -EBADMSG;
		}
		error = files_read(directory, FRAMES_JOURNAL, files->numbers[i], &file);
		memcpy(reading->report->file, file.name, sizeof(reading->report->file));
		if (error)
			break;
		*next = *next ? *next : files->numbers[i];
		error = file_read(reading, file.memory, file.bytes, newest, next);
		files_memory_free(&file);
	}
	return error;
}

int
acd_journal_read(int directory, uint64_t after, stw_journal_fn receiver, void *context,
		 struct stw_journal_report *report, uint64_t *next)
{
	struct reading reading = {receiver, context, report, after};
	struct files files;
	uint64_t number = 0;
	int error = files_list(directory, FRAMES_JOURNAL, &files);

	if (error)
		return error;
	error = files_of(&reading, directory, &files, &number);
	files_free(&files);
	if (next)
		*next = number;
	return error;
}

int
stw_journal_read(const char *directory, uint64_t after, stw_journal_fn receiver, void *context,
		 struct stw_journal_report *report)
{
	struct stw_journal_report own;
	int descriptor = files_directory(directory, false);
	int error;

	report = report ? report : &own;
	memset(report, 0, sizeof(*report));
	if (descriptor < 0)
		return descriptor;
	error = acd_journal_read(descriptor, after, receiver, context, report, NULL);
	close(descriptor);
	return error;
}
