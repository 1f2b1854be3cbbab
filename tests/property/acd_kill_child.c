/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A host that is going to be killed: acd_kill_child DIRECTORY SEED. It restores what the directory
 * holds, then makes traffic from the seed for ever and journals it; a second thread writes, and at times
 * makes a newer snapshot out of the files. It tells in the file "progress" which record was written last.
 * Any failure ends it with status 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <strowger/journal.h>

#include "support/traffic.h"

#define START_NS UINT64_C(1000000000)

static const char *directory;
static struct stw_acd *acd;
static struct stw_journal *journal;
static struct stw_snapshot *compact;

static void
need(int good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "acd_kill_child: %s\n", what);
	_exit(1);
}

static void
progress_tell(int file)
{
	struct stw_journal_stats stats;
	uint64_t written;

	stw_journal_stats(journal, &stats);
	need(!stats.lost, "events were lost");
	written = stats.number - 1;
	need(pwrite(file, &written, sizeof(written), 0) == sizeof(written), "progress");
}

static void *
writing(void *context)
{
	int file = *(int *)context;

	for (uint32_t round = 1;; round++) {
		need(stw_journal_write(journal, round) >= 0, "write");
		progress_tell(file);
		if (round % 50 == 0) {
			struct stw_journal_report report;

			need(!stw_snapshot_load(compact, directory, &report), "load");
			need(!stw_snapshot_save(compact, directory), "save");
		}
		usleep(100);
	}
	return NULL;
}

static void
begin(struct traffic *traffic, uint64_t seed)
{
	struct stw_journal_config config = STW_JOURNAL_CONFIG_INIT;
	struct stw_snapshot *snapshot;
	struct stw_acd_config limits;
	uint64_t now_ns = START_NS;
	int error;

	traffic_config(&limits);
	need(!stw_acd_create(&acd, &limits), "create");
	need(!stw_snapshot_create(&snapshot, acd), "snapshot");
	need(!stw_snapshot_create(&compact, acd), "snapshot");
	error = stw_snapshot_load(snapshot, directory, NULL);
	need(!error || error == -ENOENT, "load");
	if (!error)
		now_ns = stw_snapshot_time(snapshot);
	need(!traffic_define(traffic, acd, seed, now_ns), "define");
	if (!error)
		need(!stw_acd_restore(acd, snapshot, 0, now_ns, NULL), "restore");
	config.directory = directory;
	config.file_bytes_max = 20000;
	config.sync = STW_JOURNAL_SYNC_NEVER;
	need(!stw_journal_open(&journal, &config, NULL), "journal");
	need(!stw_snapshot_take(snapshot, acd, journal, now_ns), "take");
	need(!stw_snapshot_save(snapshot, directory), "save");
	stw_snapshot_destroy(snapshot);
}

/* The disk may be slow: go on when it has caught up, as no event must be lost here. */
static void
wait_for_disk(uint64_t appended)
{
	static uint64_t first;
	struct stw_journal_stats stats;

	stw_journal_stats(journal, &stats);
	first = first ? first : stats.number;
	while (appended > stats.number - first + 10000) {
		usleep(1000);
		stw_journal_stats(journal, &stats);
	}
}

int
main(int argc, char **argv)
{
	static struct traffic traffic;
	struct stw_event event;
	uint64_t appended = 0;
	pthread_t thread;
	char path[300];
	int file;

	need(argc == 3, "acd_kill_child DIRECTORY SEED");
	directory = argv[1];
	begin(&traffic, strtoull(argv[2], NULL, 10));
	snprintf(path, sizeof(path), "%s/progress", directory);
	file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	need(file >= 0, "progress");
	wait_for_disk(0);
	need(!pthread_create(&thread, NULL, writing, &file), "thread");
	for (uint64_t step = 0;; step++) {
		while (stw_events_take(acd, &event, 1) == 1) {
			traffic_learn(&traffic, &event);
			need(!stw_journal_append(journal, &event, 1), "append");
			appended++;
		}
		traffic_step(&traffic);
		wait_for_disk(appended);
		if (step % 8 == 0)
			usleep(50);
	}
}
