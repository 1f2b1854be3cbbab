/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A snapshot: an engine's state as plain data, without words, trees and hints.
 *
 * What a contact, agent or queue brings into it is a member here, a line in its table
 * (snapshot_fields.c), its value from the engine (snapshot.c) and back (restore.c), and, if events
 * change it, its line in snapshot_apply.c. What an event brings is a member of struct stw_event and
 * a line in its table.
 */
#ifndef STW_ACD_SNAPSHOT_H
#define STW_ACD_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include <strowger/journal.h>

#include "engine.h"
#include "journal/fields.h"

/* Types of records, in snapshots and journals. */
enum snapshot_record {
	SNAPSHOT_HEAD = 1,
	SNAPSHOT_QUEUE = 2,
	SNAPSHOT_AGENT = 3,
	SNAPSHOT_CONTACT = 4,
	SNAPSHOT_END = 5,
	SNAPSHOT_EVENT = 16,
};

enum snapshot_state {
	SNAPSHOT_FREE,
	SNAPSHOT_WAITING,
	SNAPSHOT_OFFERED,
	SNAPSHOT_CONNECTED,
};

struct snapshot_contact {
	uint64_t id;       /* handle; 0: the slot was never used */
	uint64_t sequence; /* of the last event that is in it */
	uint64_t queue;    /* handle */
	uint64_t agent;    /* handle; WAITING: who missed it last; 0: nobody */
	uint64_t enqueue_ns;
	int64_t rank_ns;
	uint64_t credit_ns;
	uint64_t arrival;
	uint64_t cookie;
	uint64_t connect_ns;
	uint64_t entered_ns;         /* when it came into its queue */
	uint64_t preferred;          /* handle of whom it waits for in person; 0: nobody */
	uint64_t preferred_until_ns; /* how long for; UINT64_MAX: for ever */
	uint64_t customer;           /* key, as the host gave it; 0: none */
	uint64_t partner;            /* handle of whom it is a consultation for; 0: none */
	uint32_t class;
	uint8_t state; /* enum snapshot_state */
	uint8_t step;  /* ACD_STEP_PREFERRED while it waits for one in person, or rings at him */
	uint8_t callback;
	uint8_t rung; /* OFFERED: offers that ring beside the first */
	uint8_t ring; /* OFFERED: 1: several were rung */
};

struct snapshot_agent {
	uint64_t id;       /* handle; 0: not defined */
	uint64_t sequence; /* of the last event that is in it */
	uint64_t since_ns;
	uint64_t idle_since_ns;
	uint64_t until_ns;
	uint64_t contacts;
	uint64_t busy_ns;
	uint64_t login_ns;
	uint64_t busy_login_ns; /* busy_ns at his log-in */
	uint64_t contacts_today;
	uint32_t reason;
	uint32_t misses;
	uint8_t state; /* enum stw_agent_state, as if he had no contact */
	uint8_t busy;  /* with a contact or in wrap-up: the spell counts when it ends */
	uint8_t spell; /* which time it counts as, 1: ACD_AGENT_READY_NS; 0: logged out */
	uint64_t numbers[ACD_AGENT_COLUMNS]; /* without the spell under way */
	char name[STW_NAME_BYTES_MAX + 1];
	char tenant[STW_NAME_BYTES_MAX + 1]; /* "": the default one */
};

/* The row after the last queue is that of the removed ones, without id and name. */
struct snapshot_queue {
	uint64_t id; /* handle; 0: not defined */
	uint64_t wait_ns_max;
	uint64_t counters[ACD_COUNTERS];
	char name[STW_NAME_BYTES_MAX + 1];
	char tenant[STW_NAME_BYTES_MAX + 1]; /* "": the default one */
};

/* Beginning and end of a snapshot's file. */
struct snapshot_head {
	uint64_t through; /* number of the last record of the journal that is in it */
	uint64_t last_ns;
	uint64_t lost;
	uint64_t records; /* of the end: between head and end */
};

/* How many contacts of a queue are in each state. */
struct snapshot_census {
	uint64_t of[SNAPSHOT_CONNECTED + 1];
	uint64_t rings;  /* of them OFFERED to several */
	uint64_t beside; /* offers beside the first of each */
};

struct stw_snapshot {
	uint32_t contacts_max;
	uint32_t agents_max;
	uint32_t queues_max;
	struct snapshot_head head;
	struct snapshot_contact *contacts;
	struct snapshot_agent *agents;
	struct snapshot_queue *queues;  /* queues_max + 1 */
	struct snapshot_census *census; /* as many: what taking counts with */
};

static inline uint8_t
acd_spell_of_column(uint32_t column)
{
	return column == ACD_AGENT_NO_COLUMN ? 0 : (uint8_t)(column - ACD_AGENT_READY_NS + 1);
}

struct fields_table {
	const struct field *fields;
	size_t count;
};

extern const struct fields_table acd_event_fields;
extern const struct fields_table acd_head_fields;
extern const struct fields_table acd_queue_fields;
extern const struct fields_table acd_agent_fields;
extern const struct fields_table acd_contact_fields;

/* snapshot.c */
void acd_snapshot_clear(struct stw_snapshot *snapshot);
bool acd_snapshot_fits(const struct stw_snapshot *snapshot, const struct stw_acd *acd);

/* snapshot_file.c: the inside of a file, in memory. */
int acd_snapshot_read(struct stw_snapshot *snapshot, const uint8_t *memory, size_t bytes,
		      struct stw_journal_report *report);

/* journal_read.c */
int acd_journal_read(int directory, uint64_t after, stw_journal_fn receiver, void *context,
		     struct stw_journal_report *report, uint64_t *next);
int acd_journal_read_memory(const uint8_t *memory, size_t bytes, stw_journal_fn receiver,
			    void *context, struct stw_journal_report *report);

/* journal.c */
uint64_t acd_journal_number(struct stw_journal *journal);

#endif
