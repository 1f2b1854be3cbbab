/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A house that dies and lives on: its engine, its snapshot, its journal.
 */
#ifndef TESTS_LIFE_H
#define TESTS_LIFE_H

#include "house.h"
#include "scratch.h"

static struct stw_snapshot *snapshot;
static struct stw_journal *journal;
static struct stw_journal_report report;
static const char *why;

static inline void
open_engine(void)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;

	config.agents_max = 4;
	config.queues_max = 3;
	config.contacts_max = 8;
	config.skills_max = 2;
	config.events_max = 256;
	config.journal = 1;
	house_open_with(&config);
}

static inline void
snapshot_begin(void)
{
	scratch_make();
	open_engine();
	cr_assert_eq(stw_snapshot_create(&snapshot, house), 0);
	why = "-";
}

static inline void
snapshot_end(void)
{
	cr_assert_eq(stw_journal_close(journal), 0);
	journal = NULL;
	stw_snapshot_destroy(snapshot);
	house_close();
	scratch_remove();
}

/* The process has died: a new engine, nothing defined; the clock goes on. */
static inline void
die(void)
{
	uint64_t then = now;

	house_close();
	open_engine();
	now = then;
}

static inline int
restore(void)
{
	why = "-";
	return stw_acd_restore(house, snapshot, 0, now, &why);
}

static inline void
take(void)
{
	cr_assert_eq(stw_snapshot_take(snapshot, house, journal, now), 0);
}

static inline void
save(void)
{
	cr_assert_eq(stw_snapshot_save(snapshot, scratch), 0);
}

static inline void
open_journal(void)
{
	struct stw_journal_config config = STW_JOURNAL_CONFIG_INIT;

	config.directory = scratch;
	config.file_bytes_max = 300;
	cr_assert_eq(stw_journal_open(&journal, &config, &report), 0);
}

static inline void
journal_all(void)
{
	struct stw_event event;

	while (stw_events_take(house, &event, 1) == 1)
		cr_assert_eq(stw_journal_append(journal, &event, 1), 0);
	cr_assert_geq(stw_journal_write(journal, now), 0);
}

/* Alice talks, one waits; taken. */
static inline void
fill_house(void)
{
	struct stw_queue queue = queue_of("sales", NULL);

	ready_agent("alice", NULL);
	enqueue(queue);
	accept_next();
	enqueue(queue);
	take();
}

#endif
