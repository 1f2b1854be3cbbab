/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Intervals of time, and the rows of numbers that are kept for each: what interval.c, numbers.c and
 * numbers_agent.c share. A cell belongs to one interval, or to the instant at which one begins, and says so itself:
 *
 * cell   tag 17 | value 47
 *   tag:   a bit that says it was written, and 16 of the round, where a round is as many intervals as there
 *          are places: which of the numbers that share the cell it is. It comes round after 65,536
 *          rounds, with four places and quarters of an hour 7 years.
 */
#ifndef STW_ACD_INTERVAL_H
#define STW_ACD_INTERVAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <strowger/acd.h>

#include "base/base.h"

#define ACD_CELL_VALUE_BITS 47
#define ACD_CELL_VALUE_MASK ((UINT64_C(1) << ACD_CELL_VALUE_BITS) - 1)
#define ACD_CELL_ROUNDS     UINT64_C(0xffff)
#define ACD_CELL_WRITTEN    UINT64_C(0x10000)

/* Rows of what is added up over queues or agents of a kind that the configuration does not count. */
#define ACD_CHANNELS 8

/* Columns of an agent's row, in the order of struct stw_agent_numbers. */
enum acd_agent_column {
	ACD_AGENT_OFFERS,
	ACD_AGENT_ANSWERED,
	ACD_AGENT_ANSWERED_IN_TIME,
	ACD_AGENT_DECLINED,
	ACD_AGENT_TIMED_OUT,
	ACD_AGENT_WITHDRAWN,
	ACD_AGENT_ENDED,
	ACD_AGENT_TRANSFERS,
	ACD_AGENT_REPORTED,
	ACD_AGENT_RESOLVED,
	ACD_AGENT_WAIT_NS,
	ACD_AGENT_READY_NS,
	ACD_AGENT_OFFERED_NS,
	ACD_AGENT_CONNECTED_NS,
	ACD_AGENT_WRAP_UP_NS,
	ACD_AGENT_NOT_READY_NS,
	ACD_AGENT_NOT_READY_OTHER_NS = ACD_AGENT_NOT_READY_NS + STW_NOT_READY_REASONS,
	ACD_AGENT_COLUMNS,
	ACD_AGENT_NO_COLUMN = ACD_AGENT_COLUMNS, /* logged out */
};

/* Words from one row of an agent's cells to the next: whole lines. */
#define ACD_AGENT_STRIDE ((ACD_AGENT_COLUMNS + 7) / 8 * 8)

/* Numbers of what has left: queues and agents removed, agents who are in another team now. Under the
 * configuration lock. */
struct acd_rest {
	uint64_t *numbers;  /* per row: live, then each interval kept */
	uint64_t *interval; /* per row and interval kept: which it is */
	uint32_t rows;
	uint32_t columns;
};

/* Whom an agent's numbers count for. Under the configuration lock. */
struct acd_agent_group {
	uint32_t team;
	uint32_t tenant;
};

struct acd_intervals {
	_Atomic uint64_t number STW_ALIGNED_LINE; /* of the interval under way */
	_Atomic uint64_t end_ns;                  /* when it ends */
	uint64_t length_ns;
	uint64_t offset_ns;
	uint32_t kept;                  /* the one under way included; 0: none */
	uint32_t places_shift;          /* of the places for those kept: a power of two */
	_Atomic uint64_t *snapshots;    /* per queue, interval and column */
	_Atomic uint64_t *agents;       /* per agent: live, then each interval kept, by column */
	struct acd_agent_group *groups; /* per agent */
	struct acd_rest channels;
	struct acd_rest queue_tenants;
	struct acd_rest teams;
	struct acd_rest agent_tenants;
};

/* interval.c: time, and queues. */
bool acd_intervals_valid(const struct stw_acd_config *config);
size_t acd_intervals_bytes(const struct stw_acd_config *config);
void acd_intervals_init(struct stw_acd *acd, void *memory);
STW_COLD void acd_interval_pass(struct stw_acd *acd, uint64_t now_ns);
uint64_t acd_interval_of(const struct acd_intervals *intervals, uint64_t now_ns);
bool acd_interval_is_kept(const struct acd_intervals *intervals, uint64_t number);
void acd_cell_add(const struct acd_intervals *intervals, _Atomic uint64_t *cells, uint32_t stride,
		  uint64_t number, uint64_t amount);
STW_COLD void acd_queue_roll(struct stw_acd *acd, uint32_t q);
void acd_queue_wait_raise(struct stw_acd *acd, uint32_t q, uint64_t wait_ns);
int acd_queue_interval_read(struct stw_acd *acd, uint32_t q, uint64_t interval,
			    struct stw_queue_stats *stats);
void acd_queue_numbers_begin(struct stw_acd *acd, uint32_t q, uint32_t channel);
void acd_queue_numbers_end(struct stw_acd *acd, uint32_t q);

/* numbers.c: what is added up. */
uint64_t *acd_rest_row(const struct acd_rest *rest, uint32_t kept, uint32_t row, uint64_t interval);
int acd_queue_numbers(struct stw_acd *acd, uint32_t q, uint64_t interval,
		      struct stw_queue_stats *stats);
void acd_tenant_numbers_end(struct stw_acd *acd, uint32_t t);
void acd_numbers_restored(struct stw_acd *acd);
void acd_numbers_check(struct stw_acd *acd);

/* numbers_agent.c: agents. */
void acd_agent_count(struct stw_acd *acd, uint32_t a, enum acd_agent_column column,
		     uint64_t amount);
uint32_t acd_agent_time_column(struct stw_acd *acd, uint32_t a);
void acd_agent_time_add(struct stw_acd *acd, uint32_t a, uint32_t column, uint64_t since_ns,
			uint64_t now_ns);
int acd_agent_numbers(struct stw_acd *acd, uint32_t a, uint64_t interval, uint64_t now_ns,
		      struct stw_agent_numbers *numbers);
void acd_agent_group_set(struct stw_acd *acd, uint32_t a, uint32_t team, uint32_t tenant,
			 uint64_t now_ns);
void acd_agent_numbers_end(struct stw_acd *acd, uint32_t a);
void acd_agent_cells_read(struct stw_acd *acd, uint32_t a, uint64_t numbers[ACD_AGENT_COLUMNS]);
void acd_agent_cells_put(struct stw_acd *acd, uint32_t a,
			 const uint64_t numbers[ACD_AGENT_COLUMNS]);

/* In which column the time of not-ready for a reason counts. */
static inline uint32_t
acd_not_ready_column(uint32_t reason)
{
	return reason < STW_NOT_READY_REASONS ? ACD_AGENT_NOT_READY_NS + reason
					      : ACD_AGENT_NOT_READY_OTHER_NS;
}

/* Places for intervals, and that of one. */
static inline uint64_t
acd_interval_places(const struct acd_intervals *intervals)
{
	return intervals->kept ? UINT64_C(1) << intervals->places_shift : 0;
}

static inline uint64_t
acd_interval_place(const struct acd_intervals *intervals, uint64_t number)
{
	return number & (acd_interval_places(intervals) - 1);
}

/* The cell's tag for an interval. */
static inline uint64_t
acd_cell_tag(const struct acd_intervals *intervals, uint64_t number)
{
	return ACD_CELL_WRITTEN | (number >> intervals->places_shift & ACD_CELL_ROUNDS);
}

static inline uint64_t
acd_cell_make(const struct acd_intervals *intervals, uint64_t number, uint64_t value)
{
	return acd_cell_tag(intervals, number) << ACD_CELL_VALUE_BITS |
	       (value & ACD_CELL_VALUE_MASK);
}

/* Whether a cell, at the place of this interval, is of it and not of an earlier or later one. */
static inline bool
acd_cell_is_of(const struct acd_intervals *intervals, uint64_t cell, uint64_t number)
{
	return cell >> ACD_CELL_VALUE_BITS == acd_cell_tag(intervals, number);
}

#endif
