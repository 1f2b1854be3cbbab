/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The journal's writer. Events go as they are into an event queue (sync/event_queue.h), of no source,
 * so that all of them come out, in the order in which they went in; the writing thread turns them
 * into records. An event that finds no room is counted there, and its gap comes out at its place.
 *
 * I1  number is that of the record after all events that have come out of the event queue.
 *
 * Append may overlap everything; it is event_queue's push: lock-free, a stopped thread stops nobody.
 * There is one writer at a time, guarded by the event queue's `taking`.
 *
 *  label  where            order    pairs with  without it
 *  J1     write: number    release  J2          a snapshot lacks what its number promises
 *  J2     snapshot takes   acquire  J1          same, seen from the snapshot
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal/writer.h"
#include "snapshot.h"
#include "sync/event_queue.h"

struct stw_journal {
	struct event_queue queue;
	/* Published by the writer. */
	_Atomic uint64_t number STW_ALIGNED_LINE;
	_Atomic uint64_t records;
	_Atomic uint64_t bytes;
	_Atomic uint64_t files;
	_Atomic uint64_t syncs;
	/* The writer's own. */
	struct stw_journal_config config STW_ALIGNED_LINE;
	uint64_t number_first;
	uint64_t synced_ns;
	void *memory; /* of the event queue */
	struct writer writer;
};

static int
config_check(const struct stw_journal_config *config)
{
	if (config->struct_size < sizeof(*config) || !config->directory || !*config->directory ||
	    config->events_max < 64 || config->events_max > 16777216 ||
	    config->sync > STW_JOURNAL_SYNC_ALWAYS)
		return -EINVAL;
	return 0;
}

static int
pass_over(void *context, uint64_t number, const struct stw_event *event)
{
	return 0;
}

/* Cut off what is torn; a file without a record goes, as the next one will have its name. */
static int
tail_cut(int directory, const struct stw_journal_report *report, bool empty)
{
	int file, error = 0;

	if (empty)
		return unlinkat(directory, report->file, 0) ? -errno : 0;
	file = openat(directory, report->file, O_WRONLY | O_CLOEXEC);
	if (file < 0)
		return -errno;
	if (ftruncate(file, (off_t)report->offset) || fsync(file))
		error = -errno;
	close(file);
	return error;
}

/* Where the journal of a directory goes on; it is changed only if all is well. */
static int
end_find(int directory, uint64_t *number, struct stw_journal_report *report)
{
	struct files files;
	int error = acd_journal_read(directory, UINT64_MAX - 1, pass_over, NULL, report, number);

	if (error)
		return error;
	if (!*number) {
		error = files_list(directory, FRAMES_SNAPSHOT, &files);
		if (error)
			return error;
		*number = files.count ? files.numbers[files.count - 1] + 1 : 1;
		files_free(&files);
		return 0;
	}
	if (report->offset <= FRAMES_HEAD_BYTES)
		return tail_cut(directory, report, true);
	return report->torn_bytes ? tail_cut(directory, report, false) : 0;
}

/* Memory for the events; its size is a multiple of the line that it begins on. */
static void *
lines_alloc(size_t bytes)
{
	size_t size = STW_WHOLE_LINES(bytes);
	void *memory = aligned_alloc(STW_CACHE_LINE, size);

	if (memory)
		memset(memory, 0, size);
	return memory;
}

static struct stw_journal *
journal_alloc(const struct stw_journal_config *config)
{
	struct stw_journal *journal = lines_alloc(sizeof(*journal));

	if (!journal)
		return NULL;
	journal->memory =
		lines_alloc(event_queue_bytes(config->events_max, 1, sizeof(struct stw_event)));
	if (!journal->memory) {
		free(journal);
		return NULL;
	}
	event_queue_init(&journal->queue, journal->memory, config->events_max, 1,
			 sizeof(struct stw_event));
	journal->config = *config;
	journal->config.directory = NULL;
	return journal;
}

int
stw_journal_open(struct stw_journal **out, const struct stw_journal_config *config,
		 struct stw_journal_report *report)
{
	struct stw_journal_report own;
	struct stw_journal *journal;
	uint64_t number = 0;
	int directory, error = config_check(config);

	report = report ? report : &own;
	memset(report, 0, sizeof(*report));
	if (error)
		return error;
	directory = files_directory(config->directory, true);
	if (directory < 0)
		return directory;
	journal = journal_alloc(config);
	error = journal ? end_find(directory, &number, report) : -ENOMEM;
	if (error) {
		close(directory);
		if (journal)
			free(journal->memory);
		free(journal);
		return error;
	}
	writer_begin(&journal->writer, directory, FRAMES_JOURNAL, number, config->file_bytes_max);
	journal->number_first = number;
	atomic_init(&journal->number, number);
	*out = journal;
	return 0;
}

int
stw_journal_append(struct stw_journal *journal, const struct stw_event *events, uint32_t count)
{
	uint32_t lost = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (event_queue_push(&journal->queue, 0, 0, &events[i]))
			continue;
		/* Before the next one is pushed, so that it knows of the gap. */
		event_queue_lose(&journal->queue, 1);
		lost++;
	}
	return lost ? -ENOSPC : 0;
}

/* The next event as a record. 1, 0: there is none, or the error of the disk. */
static int
event_write(struct stw_journal *journal)
{
	struct stw_event event;
	uint64_t lost = 0;
	uint8_t *payload;
	int error = writer_room(&journal->writer, &payload);
	int what;

	if (error)
		return error;
	what = event_queue_take(&journal->queue, &event, &lost);
	if (!what)
		return 0;
	if (what == 2)
		event = (struct stw_event){.type = STW_EVENT_LOST, .lost = lost};
	writer_add(&journal->writer, SNAPSHOT_EVENT,
		   fields_write(acd_event_fields.fields, acd_event_fields.count, &event, payload));
	return 1;
}

static int
sync_if_due(struct stw_journal *journal, uint64_t now_ns)
{
	const struct stw_journal_config *config = &journal->config;

	if (config->sync == STW_JOURNAL_SYNC_NEVER ||
	    (config->sync == STW_JOURNAL_SYNC_INTERVAL &&
	     acd_elapsed(journal->synced_ns, now_ns) < config->sync_ns))
		return 0;
	journal->synced_ns = now_ns;
	return writer_sync(&journal->writer);
}

static void
numbers_publish(struct stw_journal *journal)
{
	const struct writer *writer = &journal->writer;

	atomic_store_explicit(&journal->records, writer->number - journal->number_first,
			      memory_order_relaxed);
	atomic_store_explicit(&journal->bytes, writer->file_bytes, memory_order_relaxed);
	atomic_store_explicit(&journal->files, writer->files_made, memory_order_relaxed);
	atomic_store_explicit(&journal->syncs, writer->syncs, memory_order_relaxed);
	/* J1, pairs with J2 */
	atomic_store_explicit(&journal->number, writer->number, memory_order_release);
}

int
stw_journal_write(struct stw_journal *journal, uint64_t now_ns)
{
	uint32_t written = 0;
	int error = 1;

	if (!event_queue_take_begin(&journal->queue))
		return -EBUSY;
	/* Those who append might never let it end. */
	while (written <= journal->config.events_max && (error = event_write(journal)) == 1)
		written++;
	if (error >= 0 && journal->writer.file >= 0)
		error = writer_flush(&journal->writer);
	if (error >= 0)
		error = sync_if_due(journal, now_ns);
	numbers_publish(journal);
	event_queue_take_end(&journal->queue);
	return error < 0 ? error : (int)written;
}

uint64_t
acd_journal_number(struct stw_journal *journal)
{
	/* J2, pairs with J1 */
	return atomic_load_explicit(&journal->number, memory_order_acquire);
}

void
stw_journal_stats(struct stw_journal *journal, struct stw_journal_stats *stats)
{
	stats->records = atomic_load_explicit(&journal->records, memory_order_relaxed);
	stats->bytes = atomic_load_explicit(&journal->bytes, memory_order_relaxed);
	stats->files = atomic_load_explicit(&journal->files, memory_order_relaxed);
	stats->syncs = atomic_load_explicit(&journal->syncs, memory_order_relaxed);
	stats->lost = atomic_load_explicit(&journal->queue.lost, memory_order_relaxed);
	stats->number = acd_journal_number(journal);
}

int
stw_journal_close(struct stw_journal *journal)
{
	int error;

	if (!journal)
		return 0;
	error = stw_journal_write(journal, 0);
	if (error >= 0)
		error = writer_sync(&journal->writer);
	writer_end(&journal->writer);
	free(journal->memory);
	free(journal);
	return error < 0 ? error : 0;
}
