/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A journal beside threads that use the engine, one that takes and appends, one that writes, and
 * snapshots taken in the middle of it all. When everything is quiet, what the files say is what the
 * engine holds; and a snapshot of the middle with the events since then says the same of contacts
 * and agents. No time passes, so that times are the same whichever thread announces a change.
 */
#include <criterion/criterion.h>

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/snapshots.h"
#include "support/traffic.h"

#define USERS  3
#define MIDDLE 3
#define NOW_NS UINT64_C(1000000000)

static struct stw_acd *acd;
static struct stw_journal *journal;
static char directory[64];
static uint64_t steps;

/* What the taker has learned, for the users. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct traffic known;

static _Atomic uint32_t users_left;
static _Atomic uint32_t taker_left;
static _Atomic uint32_t errors;

static void
user_learn(struct traffic *traffic)
{
	pthread_mutex_lock(&lock);
	memcpy(traffic->contacts, known.contacts, sizeof(traffic->contacts));
	memcpy(traffic->offers, known.offers, sizeof(traffic->offers));
	pthread_mutex_unlock(&lock);
	/* What one user does the others and the taker should see. */
	usleep(20);
}

static void *
use(void *context)
{
	struct traffic traffic = *(struct traffic *)context;

	for (uint64_t step = 0; step < steps; step++) {
		if (step % 8 == 0)
			user_learn(&traffic);
		traffic_step(&traffic);
	}
	atomic_fetch_sub_explicit(&users_left, 1, memory_order_release);
	return NULL;
}

static bool
take_all(void)
{
	struct stw_event events[32];
	int count = stw_events_take(acd, events, 32);

	if (count <= 0)
		return false;
	pthread_mutex_lock(&lock);
	for (int i = 0; i < count; i++)
		traffic_learn(&known, &events[i]);
	pthread_mutex_unlock(&lock);
	if (stw_journal_append(journal, events, (uint32_t)count))
		atomic_fetch_add_explicit(&errors, 1, memory_order_relaxed);
	return true;
}

static void *
take(void *context)
{
	bool last = false;

	while (!last) {
		last = !atomic_load_explicit(&users_left, memory_order_acquire);
		while (take_all()) {
		}
		usleep(20);
	}
	atomic_fetch_sub_explicit(&taker_left, 1, memory_order_release);
	return NULL;
}

static void *
write_all(void *context)
{
	bool last = false;

	for (uint64_t now_ns = 1; !last; now_ns++) {
		last = !atomic_load_explicit(&taker_left, memory_order_acquire);
		if (stw_journal_write(journal, now_ns) < 0)
			atomic_fetch_add_explicit(&errors, 1, memory_order_relaxed);
		usleep(50);
	}
	return NULL;
}

static void
begin(uint64_t seed)
{
	struct stw_journal_config config = STW_JOURNAL_CONFIG_INIT;
	struct stw_acd_config limits;

	snprintf(directory, sizeof(directory), "/tmp/strowger-stress-XXXXXX");
	cr_assert_not_null(mkdtemp(directory));
	traffic_config(&limits);
	limits.events_max = 1 << 18;
	limits.threads_max = USERS + 2;
	cr_assert_eq(stw_acd_create(&acd, &limits), 0);
	cr_assert_eq(traffic_define(&known, acd, seed, NOW_NS), 0);
	known.still = 1;
	config.directory = directory;
	config.events_max = 1 << 20;
	config.file_bytes_max = 100000;
	config.sync = STW_JOURNAL_SYNC_NEVER;
	cr_assert_eq(stw_journal_open(&journal, &config, NULL), 0);
	steps = soak_or(4000, 100000);
	atomic_store_explicit(&users_left, USERS, memory_order_relaxed);
	atomic_store_explicit(&taker_left, 1, memory_order_relaxed);
}

static void
end(void)
{
	DIR *folder = opendir(directory);
	struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		if (entry->d_name[0] != '.')
			unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		closedir(folder);
	rmdir(directory);
	stw_journal_close(journal);
	stw_acd_destroy(acd);
}

static int
apply(void *context, uint64_t number, const struct stw_event *event)
{
	return stw_snapshot_apply(context, event);
}

/* A snapshot of the middle and what came since: the same contacts, and it can be restored. */
static void
middle_check(struct stw_snapshot *middle, const struct stw_snapshot *held)
{
	struct stw_journal_report report;
	struct stw_acd_config limits;
	const char *why = "-", *text;
	struct traffic traffic;
	struct stw_acd *next;

	cr_assert_eq(stw_journal_read(directory, middle->head.through, apply, middle, &report), 0,
		     "%s", report.reason);
	text = snapshots_differ_in_states(held, middle);
	cr_assert_null(text, "%s", text ? text : "");
	traffic_config(&limits);
	cr_assert_eq(stw_acd_create(&next, &limits), 0);
	cr_assert_eq(traffic_define(&traffic, next, 1, NOW_NS), 0);
	cr_assert_eq(stw_acd_restore(next, middle, 0, NOW_NS, &why), 0, "%s", why);
	stw_acd_check(next);
	stw_acd_destroy(next);
}

/* However calls fall into the taking: so many contacts as the counters tell. */
static void
counters_check(const struct stw_snapshot *snapshot)
{
	for (uint32_t q = 0; q < TRAFFIC_QUEUES; q++) {
		const uint64_t *n = snapshot->queues[q].counters;
		uint64_t here = 0;

		for (uint32_t c = 0; c < snapshot->contacts_max; c++)
			here += snapshot->contacts[c].state != SNAPSHOT_FREE &&
				(uint32_t)snapshot->contacts[c].queue == q;
		cr_assert_eq(n[ACD_COUNT_OFFERED] - n[ACD_COUNT_REFUSED] - n[ACD_COUNT_DEFLECTED] -
				     n[ACD_COUNT_OVERFLOWED] - n[ACD_COUNT_ABANDONED] -
				     n[ACD_COUNT_EXPIRED] - n[ACD_COUNT_ENDED],
			     here);
	}
}

static void
run(uint64_t seed)
{
	struct stw_snapshot *middle[MIDDLE], *held, *loaded;
	pthread_t threads[USERS + 2];
	struct traffic users[USERS];
	struct stw_journal_report report;
	const char *text;

	begin(seed);
	cr_assert_eq(stw_snapshot_create(&held, acd), 0);
	cr_assert_eq(stw_snapshot_create(&loaded, acd), 0);
	cr_assert_eq(stw_snapshot_take(held, acd, journal, NOW_NS), 0);
	cr_assert_eq(stw_snapshot_save(held, directory), 0);
	for (int i = 0; i < USERS; i++) {
		users[i] = known;
		users[i].random.state = seed * 10 + (uint64_t)i;
		cr_assert_eq(pthread_create(&threads[i], NULL, use, &users[i]), 0);
	}
	cr_assert_eq(pthread_create(&threads[USERS], NULL, take, NULL), 0);
	cr_assert_eq(pthread_create(&threads[USERS + 1], NULL, write_all, NULL), 0);
	for (int i = 0; i < MIDDLE; i++) {
		cr_assert_eq(stw_snapshot_create(&middle[i], acd), 0);
		for (int k = 0; k < 200; k++) {
			usleep(20);
			cr_assert_eq(stw_snapshot_take(middle[i], acd, journal, NOW_NS), 0);
			counters_check(middle[i]);
		}
	}
	for (int i = 0; i < USERS + 2; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(atomic_load_explicit(&errors, memory_order_relaxed), 0);
	stw_acd_check(acd);
	cr_assert_eq(stw_snapshot_take(held, acd, NULL, NOW_NS), 0);
	cr_assert_eq(stw_snapshot_load(loaded, directory, &report), 0, "%s", report.reason);
	cr_assert_gt(report.applied, steps / 4, "too little happens: %llu",
		     (unsigned long long)report.applied);
	cr_assert_eq(report.lost, 0);
	text = snapshots_differ(held, loaded);
	cr_assert_null(text, "seed %llu: %s", (unsigned long long)seed, text ? text : "");
	for (int i = 0; i < MIDDLE; i++) {
		middle_check(middle[i], held);
		stw_snapshot_destroy(middle[i]);
	}
	stw_snapshot_destroy(held);
	stw_snapshot_destroy(loaded);
	end();
}

Test(journal, files_and_engine_agree_beside_threads, .timeout = 280)
{
	for (uint64_t seed = 1; seed <= 4; seed++)
		run(seed);
}
