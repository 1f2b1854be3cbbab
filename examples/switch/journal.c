/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The main thread appends, the journal's thread writes, and makes a newer snapshot out of the files
 * when there are new ones. Events that are lost to a full buffer leave a hole that only the engine itself
 * can fill: then the thread takes a snapshot of it.
 */
#include "journal.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include <strowger/error.h>
#include <strowger/log.h>

#include "clock.h"

#define IDLE_NS 2000000

/* Files after which they are made into a snapshot. */
#define FILES_MAX 4

/* How long errors of the disk are not logged again. */
#define SILENCE_NS (UINT64_C(10) * CLOCK_SECOND_NS)

struct journal {
	struct stw_acd *acd;
	const char *directory;
	struct stw_journal *journal;
	struct stw_snapshot *snapshot; /* the thread's, once it runs */
	pthread_t thread;
	bool running;
	atomic_bool stop;
	atomic_bool hole; /* events were lost */
	uint64_t files;   /* that the last snapshot was made of */
	uint64_t logged_ns;
};

static void
log_failure(struct journal *journal, const char *what, int error, const char *reason)
{
	uint64_t now_ns = clock_now_ns();

	if (journal->logged_ns && now_ns < journal->logged_ns + SILENCE_NS)
		return;
	journal->logged_ns = now_ns;
	stw_log(STW_LOG_ERROR, "JOURNAL-FAILURE what=%s directory=%s error=\"%s\" reason=\"%s\"",
		what, journal->directory, stw_error_text(error), reason ? reason : "-");
}

/* A newer snapshot: of the engine if there is a hole, else of the files. */
static void
renew(struct journal *journal)
{
	struct stw_journal_report report = {.reason = NULL};
	struct stw_journal_stats stats;
	bool hole = atomic_exchange_explicit(&journal->hole, false, memory_order_relaxed);
	int error;

	stw_journal_stats(journal->journal, &stats);
	if (!hole && stats.files < journal->files + FILES_MAX)
		return;
	journal->files = stats.files;
	error = hole ? stw_snapshot_take(journal->snapshot, journal->acd, journal->journal,
					 clock_now_ns())
		     : stw_snapshot_load(journal->snapshot, journal->directory, &report);
	if (error == 0)
		error = stw_snapshot_save(journal->snapshot, journal->directory);
	if (error != 0)
		log_failure(journal, "snapshot", error, report.reason);
}

static void *
run(void *argument)
{
	static const struct timespec idle = {0, IDLE_NS};
	struct journal *journal = argument;

	while (!atomic_load_explicit(&journal->stop, memory_order_relaxed)) {
		int written = stw_journal_write(journal->journal, clock_now_ns());

		if (written < 0)
			log_failure(journal, "write", written, NULL);
		renew(journal);
		if (written <= 0)
			nanosleep(&idle, NULL);
	}
	return NULL;
}

static int
thread_start(struct journal *journal)
{
	sigset_t all, before;
	int error;

	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	error = pthread_create(&journal->thread, NULL, run, journal);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	journal->running = error == 0;
	return -error;
}

/* What was: 0 also when there is nothing. */
static int
restore(struct exchange *exchange, struct journal *journal)
{
	uint64_t now_ns = clock_now_ns(), then_ns;
	struct stw_journal_report report;
	struct stw_acd_stats stats;
	const char *reason;
	int error = stw_snapshot_load(journal->snapshot, journal->directory, &report);

	if (error == -ENOENT && report.file[0] == '\0')
		return 0;
	reason = report.reason;
	then_ns = stw_snapshot_time(journal->snapshot);
	/* The clock begins anew with the machine: then no time has passed since. */
	if (error == 0)
		error = stw_acd_restore(exchange->acd, journal->snapshot,
					then_ns > now_ns ? -(int64_t)(then_ns - now_ns) : 0, now_ns,
					&reason);
	if (error != 0) {
		stw_log(STW_LOG_ERROR,
			"JOURNAL-REFUSED directory=%s file=%s offset=%" PRIu64
			" error=\"%s\" reason=\"%s\"",
			journal->directory, report.file, report.offset, stw_error_text(error),
			reason ? reason : "-");
		return error;
	}
	stw_acd_stats(exchange->acd, &stats);
	exchange->restored = true;
	exchange->restored_contacts = stats.contacts;
	stw_log(STW_LOG_INFO,
		"SWITCH-RESTORED contacts=%" PRIu64 " agents=%" PRIu64 " events=%" PRIu64
		" lost=%" PRIu64 " torn_bytes=%" PRIu64,
		stats.contacts, stats.agents_logged_in, report.records, report.lost,
		report.torn_bytes);
	return 0;
}

/* Begin behind what was, with a snapshot of what is. */
static int
begin(struct exchange *exchange, struct journal *journal)
{
	struct stw_journal_config config = STW_JOURNAL_CONFIG_INIT;
	int error;

	config.directory = journal->directory;
	config.sync_ns = exchange->config->journal_sync_ms * CLOCK_MILLISECOND_NS;
	error = stw_journal_open(&journal->journal, &config, NULL);
	if (error == 0)
		error = stw_snapshot_take(journal->snapshot, exchange->acd, journal->journal,
					  clock_now_ns());
	if (error == 0)
		error = stw_snapshot_save(journal->snapshot, journal->directory);
	return error == 0 ? thread_start(journal) : error;
}

int
journal_start(struct exchange *exchange)
{
	struct journal *journal;
	int error;

	if (!exchange->config->journal_directory.text)
		return 0;
	journal = calloc(1, sizeof(*journal));
	if (!journal)
		return -ENOMEM;
	exchange->journal = journal;
	journal->acd = exchange->acd;
	journal->directory = exchange->config->journal_directory.text;
	error = stw_snapshot_create(&journal->snapshot, exchange->acd);
	if (error == 0)
		error = restore(exchange, journal);
	if (error == 0) {
		error = begin(exchange, journal);
		if (error != 0)
			log_failure(journal, "begin", error, NULL);
	}
	if (error != 0)
		journal_stop(exchange);
	return error;
}

void
journal_stop(struct exchange *exchange)
{
	struct journal *journal = exchange->journal;
	int error;

	if (!journal)
		return;
	atomic_store_explicit(&journal->stop, true, memory_order_relaxed);
	if (journal->running)
		pthread_join(journal->thread, NULL);
	error = stw_journal_close(journal->journal);
	if (error != 0)
		log_failure(journal, "close", error, NULL);
	stw_snapshot_destroy(journal->snapshot);
	free(journal);
	exchange->journal = NULL;
}

void
journal_append(struct exchange *exchange, const struct stw_event *events, uint32_t count)
{
	struct journal *journal = exchange->journal;
	bool lost = false;

	if (!journal)
		return;
	for (uint32_t i = 0; i < count; i++)
		lost |= events[i].type == STW_EVENT_LOST;
	lost |= stw_journal_append(journal->journal, events, count) != 0;
	if (lost)
		atomic_store_explicit(&journal->hole, true, memory_order_relaxed);
}

bool
journal_stats(const struct exchange *exchange, struct stw_journal_stats *stats)
{
	if (!exchange->journal)
		return false;
	stw_journal_stats(exchange->journal->journal, stats);
	return true;
}
