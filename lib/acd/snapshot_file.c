/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Snapshots in files: a head, a record per queue, agent and contact slot that was ever used, an end
 * with their number. A file without its end, or with a record too many, too few or out of
 * range, is refused as a whole.
 */
#include "snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/writer.h"

static int
record_add(struct writer *writer, enum snapshot_record type, const struct fields_table *table,
	   const void *object)
{
	uint8_t *payload;
	int error = writer_room(writer, &payload);

	if (!error)
		writer_add(writer, type,
			   fields_write(table->fields, table->count, object, payload));
	return error;
}

static int
body_write(struct writer *writer, const struct stw_snapshot *snapshot)
{
	struct snapshot_head head = snapshot->head;
	int error = record_add(writer, SNAPSHOT_HEAD, &acd_head_fields, &head);

	for (uint32_t q = 0; q <= snapshot->queues_max && !error; q++)
		if (snapshot->queues[q].id || q == snapshot->queues_max)
			error = record_add(writer, SNAPSHOT_QUEUE, &acd_queue_fields,
					   &snapshot->queues[q]);
	for (uint32_t a = 0; a < snapshot->agents_max && !error; a++)
		if (snapshot->agents[a].id)
			error = record_add(writer, SNAPSHOT_AGENT, &acd_agent_fields,
					   &snapshot->agents[a]);
	for (uint32_t c = 0; c < snapshot->contacts_max && !error; c++)
		if (snapshot->contacts[c].id)
			error = record_add(writer, SNAPSHOT_CONTACT, &acd_contact_fields,
					   &snapshot->contacts[c]);
	head.records = writer->number - 2;
	if (!error)
		error = record_add(writer, SNAPSHOT_END, &acd_head_fields, &head);
	if (!error)
		error = writer_flush(writer);
	return error ? error : writer_sync(writer);
}

/* A whole file gets its name; the file of that name, which says the same, is replaced. */
static int
file_name(struct writer *writer, uint64_t through)
{
	char name[FILES_NAME_BYTES];

	files_name(name, FRAMES_SNAPSHOT, through);
	if (renameat(writer->directory, writer->name, writer->directory, name) ||
	    fsync(writer->directory))
		return -errno;
	return 0;
}

static int
save_begin(struct writer **out, const char *directory)
{
	struct writer *writer = malloc(sizeof(*writer));
	int descriptor;

	if (!writer)
		return -ENOMEM;
	descriptor = files_directory(directory, true);
	if (descriptor < 0) {
		free(writer);
		return descriptor;
	}
	writer_begin(writer, descriptor, FRAMES_SNAPSHOT, 1, 0);
	*out = writer;
	return 0;
}

static void
save_end(struct writer *writer)
{
	writer_end(writer);
	free(writer);
}

int
stw_snapshot_save(struct stw_snapshot *snapshot, const char *directory)
{
	struct writer *writer;
	int error = save_begin(&writer, directory);

	if (error)
		return error;
	error = body_write(writer, snapshot);
	if (!error)
		error = file_name(writer, snapshot->head.through);
	if (!error)
		error = files_drop(writer->directory, snapshot->head.through);
	save_end(writer);
	return error;
}

/* What a record may be put into; NULL: its slot is outside of the limits. */
static void *
slot_of(struct stw_snapshot *snapshot, uint32_t type, uint64_t id)
{
	uint32_t slot = (uint32_t)id;

	if (type == SNAPSHOT_QUEUE)
		return !id                           ? &snapshot->queues[snapshot->queues_max]
		       : slot < snapshot->queues_max ? &snapshot->queues[slot]
						     : NULL;
	if (type == SNAPSHOT_AGENT)
		return slot < snapshot->agents_max ? &snapshot->agents[slot] : NULL;
	return slot < snapshot->contacts_max ? &snapshot->contacts[slot] : NULL;
}

/* One of the three kinds of objects, by its table. */
static int
object_read(struct stw_snapshot *snapshot, const struct frame *frame,
	    const struct fields_table *table, size_t bytes)
{
	union {
		uint64_t id; /* every one of them begins with it */
		struct snapshot_queue queue;
		struct snapshot_agent agent;
		struct snapshot_contact contact;
	} object;
	uint64_t *slot;

	memset(&object, 0, sizeof(object));
	if (fields_read(table->fields, table->count, frame->payload, frame->bytes, &object) ||
	    (!object.id && frame->type != SNAPSHOT_QUEUE))
		return -EBADMSG;
	slot = slot_of(snapshot, frame->type, object.id);
	if (!slot)
		return -ENOSPC;
	if (*slot)
		return -EBADMSG; /* the same slot twice */
	memcpy(slot, &object, bytes);
	return 0;
}

static int
head_read(const struct frame *frame, struct snapshot_head *head)
{
	return fields_read(acd_head_fields.fields, acd_head_fields.count, frame->payload,
			   frame->bytes, head);
}

static int
record_read(struct stw_snapshot *snapshot, const struct frame *frame, struct snapshot_head *end)
{
	if ((frame->number == 1) != (frame->type == SNAPSHOT_HEAD))
		return -EBADMSG;
	switch (frame->type) {
	case SNAPSHOT_HEAD:
		return head_read(frame, &snapshot->head);
	case SNAPSHOT_QUEUE:
		return object_read(snapshot, frame, &acd_queue_fields,
				   sizeof(struct snapshot_queue));
	case SNAPSHOT_AGENT:
		return object_read(snapshot, frame, &acd_agent_fields,
				   sizeof(struct snapshot_agent));
	case SNAPSHOT_CONTACT:
		return object_read(snapshot, frame, &acd_contact_fields,
				   sizeof(struct snapshot_contact));
	case SNAPSHOT_END:
		return head_read(frame, end) || end->records != frame->number - 2 ? -EBADMSG : 0;
	default:
		return 0; /* of a later release */
	}
}

int
acd_snapshot_read(struct stw_snapshot *snapshot, const uint8_t *memory, size_t bytes,
		  struct stw_journal_report *report)
{
	struct snapshot_head end = {.through = 0};
	struct frame frame = {.type = 0};
	struct frames frames;
	int error = frames_begin(&frames, memory, bytes, FRAMES_SNAPSHOT);
	int more = error ? 0 : 1;

	acd_snapshot_clear(snapshot);
	while (!error && (more = frames_next(&frames, &frame)) == 1) {
		if (frame.type == SNAPSHOT_END && frames.at != bytes)
			error = -EBADMSG;
		else
			error = record_read(snapshot, &frame, &end);
		frames.why = error == -ENOSPC ? "a slot is outside of the limits"
			     : error          ? "a record says what cannot be"
					      : NULL;
	}
	if (!error && more < 0)
		error = more;
	if (!error && frame.type != SNAPSHOT_END) {
		error = -EBADMSG;
		frames.why = "the end of the snapshot is missing";
	}
	report->reason = frames.why;
	report->offset = frames.at;
	if (error)
		acd_snapshot_clear(snapshot);
	return error;
}

/* An event of the journal, applied. */
static int
event_take(void *context, uint64_t number, const struct stw_event *event)
{
	struct stw_snapshot *snapshot = context;
	int applied = stw_snapshot_apply(snapshot, event);

	snapshot->head.through = number;
	return applied;
}

static int
newest_read(struct stw_snapshot *snapshot, int directory, struct stw_journal_report *report)
{
	struct file_bytes file = {.memory = NULL};
	struct files files;
	int error = files_list(directory, FRAMES_SNAPSHOT, &files);

	if (error)
		return error;
	if (!files.count) {
		report->reason = "there is no snapshot";
		return -ENOENT;
	}
	error = files_read(directory, FRAMES_SNAPSHOT, files.numbers[files.count - 1], &file);
	files_free(&files);
	memcpy(report->file, file.name, sizeof(report->file));
	if (error)
		return error;
	error = acd_snapshot_read(snapshot, file.memory, file.bytes, report);
	files_memory_free(&file);
	return error;
}

int
stw_snapshot_load(struct stw_snapshot *snapshot, const char *directory,
		  struct stw_journal_report *report)
{
	struct stw_journal_report own;
	int descriptor = files_directory(directory, false);
	int error;

	report = report ? report : &own;
	memset(report, 0, sizeof(*report));
	acd_snapshot_clear(snapshot);
	if (descriptor < 0)
		return descriptor;
	error = newest_read(snapshot, descriptor, report);
	if (!error)
		error = acd_journal_read(descriptor, snapshot->head.through, event_take, snapshot,
					 report, NULL);
	close(descriptor);
	if (error)
		acd_snapshot_clear(snapshot);
	return error;
}
