/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A host is really killed, again and again, at random points. Its traffic comes from a seed, so this
 * process can make the same again: as far as the journal reaches, what is restored is what the
 * engine told, and at the end of the call that the journal's last event belongs to, what it held.
 */
#include <criterion/criterion.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/snapshots.h"
#include "support/traffic.h"

extern char **environ;

static char directory[64];
static char progress[80];

/* The record that the child has written last, as it says. */
static uint64_t
progress_read(void)
{
	uint64_t written = 0;
	int file = open(progress, O_RDONLY | O_CLOEXEC);

	if (file >= 0) {
		if (read(file, &written, sizeof(written)) != sizeof(written))
			written = 0;
		close(file);
	}
	return written;
}

/* Let a host run until it has written so many records, and kill it. */
static void
live_and_die(uint64_t seed, uint64_t until)
{
	char text[24];
	char *arguments[] = {(char *)CHILD_PROGRAM, directory, text, NULL};
	pid_t child;
	int status;

	snprintf(text, sizeof(text), "%llu", (unsigned long long)seed);
	cr_assert_eq(posix_spawn(&child, CHILD_PROGRAM, NULL, NULL, arguments, environ), 0);
	while (progress_read() < until) {
		cr_assert_eq(waitpid(child, &status, WNOHANG), 0, "the host has ended: %x", status);
		usleep(200);
	}
	cr_assert_eq(kill(child, SIGKILL), 0);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL, "status %x", status);
}

static void
directory_remove(void)
{
	DIR *folder = opendir(directory);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		closedir(folder);
	rmdir(directory);
}

/* The lives again, in this process. */
struct mirror {
	struct stw_acd *acd;
	struct traffic traffic;
	struct stw_snapshot *held;     /* what the engine holds */
	struct stw_snapshot *restored; /* what the files say */
};

static void
assert_same(struct stw_snapshot *one, struct stw_snapshot *other, uint64_t seed, const char *when)
{
	const char *text = snapshots_differ(one, other);

	cr_assert_null(text, "seed %llu, %s: %s", (unsigned long long)seed, when, text ? text : "");
}

static void
mirror_begin(struct mirror *mirror)
{
	struct stw_acd_config config;

	traffic_config(&config);
	cr_assert_eq(stw_acd_create(&mirror->acd, &config), 0);
	cr_assert_eq(stw_snapshot_create(&mirror->held, mirror->acd), 0);
	cr_assert_eq(stw_snapshot_create(&mirror->restored, mirror->acd), 0);
}

/* A new engine as the child made it: with what was restored, or the first. */
static void
mirror_live(struct mirror *mirror, uint64_t seed, bool first)
{
	uint64_t now_ns = first ? 1000000000 : stw_snapshot_time(mirror->restored);
	struct stw_acd_config config;
	const char *why = "-";

	stw_acd_destroy(mirror->acd);
	traffic_config(&config);
	cr_assert_eq(stw_acd_create(&mirror->acd, &config), 0);
	cr_assert_eq(traffic_define(&mirror->traffic, mirror->acd, seed, now_ns), 0);
	if (first)
		return;
	cr_assert_eq(stw_acd_restore(mirror->acd, mirror->restored, 0, now_ns, &why), 0, "%s", why);
	stw_acd_check(mirror->acd);
}

/* Make so many events; those that the last call makes beyond go to what was restored. */
static void
mirror_run(struct mirror *mirror, uint64_t events, struct stw_snapshot *fold)
{
	uint64_t made = 0;
	struct stw_event event;

	for (;;) {
		while (stw_events_take(mirror->acd, &event, 1) == 1) {
			traffic_learn(&mirror->traffic, &event);
			made++;
			if (made <= events)
				cr_assert_geq(stw_snapshot_apply(fold, &event), 0);
			else
				cr_assert_eq(stw_snapshot_apply(mirror->restored, &event),
					     traffic_is_kept(&event));
			if (made == events)
				assert_same(fold, mirror->restored, events, "at the last event");
		}
		if (made >= events)
			return;
		traffic_step(&mirror->traffic);
	}
}

static void
lives(uint64_t seed)
{
	struct random random = {.state = seed};
	struct mirror mirror = {.acd = NULL};
	struct stw_journal_report report;
	struct stw_snapshot *fold;
	uint64_t through = 0;

	mirror_begin(&mirror);
	cr_assert_eq(stw_snapshot_create(&fold, mirror.acd), 0);
	for (uint64_t life = 0; life < 5; life++) {
		uint64_t life_seed = seed * 100 + life, written;

		live_and_die(life_seed, through + 1 + random_below(&random, 1500));
		mirror_live(&mirror, life_seed, life == 0);
		cr_assert_eq(stw_snapshot_take(fold, mirror.acd, NULL, 0), 0);
		cr_assert_eq(stw_snapshot_load(mirror.restored, directory, &report), 0, "%s",
			     report.reason);
		cr_assert_eq(report.lost, 0);
		written = mirror.restored->head.through;
		cr_assert_geq(written, progress_read(), "what was written is there");
		mirror_run(&mirror, written - through, fold);
		cr_assert_eq(stw_snapshot_take(mirror.held, mirror.acd, NULL, 0), 0);
		assert_same(mirror.held, mirror.restored, life_seed, "at the end of the call");
		/* The next host begins with what the files say, without the rest of that call. */
		cr_assert_eq(stw_snapshot_load(mirror.restored, directory, &report), 0);
		through = written;
	}
	stw_snapshot_destroy(fold);
	stw_snapshot_destroy(mirror.held);
	stw_snapshot_destroy(mirror.restored);
	stw_acd_destroy(mirror.acd);
}

Test(kill, a_killed_host_goes_on_at_the_last_journalled_event, .timeout = 280)
{
	for (uint64_t seed = 1; seed <= soak_or(4, 40); seed++) {
		snprintf(directory, sizeof(directory), "/tmp/strowger-kill-XXXXXX");
		cr_assert_not_null(mkdtemp(directory));
		snprintf(progress, sizeof(progress), "%s/progress", directory);
		lives(seed);
		directory_remove();
	}
}
