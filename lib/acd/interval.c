/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Intervals: time cut into pieces, and what each queue's counters were at every cut.
 *
 * A queue's counters only grow (counters.c). What they were when an interval began is written down once per
 * queue, by whoever counts first in the new interval or reads (roll): so a count costs two loads more than
 * without intervals, and nothing has to run at the cut. An interval's numbers are the difference of two
 * snapshots; so each count lies in exactly one interval, and the intervals add up to the counters.
 *
 * Any call with a later time moves the number of the interval on (acd_interval_tick), before it counts. A
 * call whose clock is behind counts in the interval that the others have reached.
 *
 * I1  The number of the interval never falls.
 * I2  A cell of the table is written for an instant b once: who finds another tag in it than b's writes by
 *     compare-exchange from what he found. What he found is of an earlier instant, as he has read since
 *     then that b is still kept: a later one is written only after the number has come to it.
 * I3  Of one column, the snapshot at b is at most that at b + 1: who writes the latter has seen the former
 *     written (C2), thus reads every count that it has (additions to one counter are in one order).
 * I4  A queue's `rolled` is n only after all snapshots to n, as far as they are kept, are written.
 *
 * roll, read, count and tick may overlap in any way. A roll repeats for a cell only if another thread has
 * written it, a read only if an interval has ended: lock-free. A thread stopped in a roll is in nobody's
 * way: the next one finds the same cells open.
 *
 *  label  where                   order    pairs with  without it
 *  V1     number: raise           acq_rel  V2          a cell of a later interval is taken for an earlier
 *  V2     number: read            acquire  V1          same, seen from who writes a cell
 *  C1     cell: write             acq_rel  C2          a later snapshot misses what an earlier one has
 *  C2     cell: read              acquire  C1          same, seen from who writes the later one
 *  R1     rolled: raise           release  R2          rolled is seen before the snapshots
 *  R2     rolled: read            acquire  R1          same, seen from the reader
 */
#include "engine.h"

#include <errno.h>

/* Each counter, then the longest wait of the interval; whole lines. */
#define WAIT_MAX_COLUMN  ACD_COUNTERS
#define SNAPSHOT_COLUMNS ((ACD_COUNTERS + 1 + 7) / 8 * 8)

#define LENGTH_NS_MIN UINT64_C(1000000)
#define LENGTH_NS_MAX UINT64_C(86400000000000)
#define INTERVALS_MAX 1000

/* Sums of times are kept in steps of 2^14 ns, so that 2^47 of them are 640,000 hours; the longest wait likewise. */
#define TIME_SHIFT 14

static uint32_t
column_shift(uint32_t column)
{
	return column == ACD_COUNT_WAIT_NS || column == ACD_COUNT_TALK_NS ||
			       column == ACD_COUNT_ABANDONED_WAIT_NS
		       ? TIME_SHIFT
		       : 0;
}

bool
acd_intervals_valid(const struct stw_acd_config *config)
{
	return config->intervals_max <= INTERVALS_MAX && config->interval_ns >= LENGTH_NS_MIN &&
	       config->interval_ns <= LENGTH_NS_MAX &&
	       config->interval_offset_ns <= ACD_DURATION_MAX;
}

/* Takes words one after the other; without a base it only counts. */
static void *
words_take(char *base, size_t *used, size_t words)
{
	size_t at = *used;

	*used += STW_WHOLE_LINES(words * sizeof(uint64_t));
	return base ? base + at : NULL;
}

static void
rest_lay(char *base, size_t *used, uint32_t kept, struct acd_rest *rest, uint32_t rows,
	 size_t row_bytes)
{
	rest->rows = rows;
	rest->columns = (uint32_t)(row_bytes / sizeof(uint64_t));
	rest->numbers = words_take(base, used, (size_t)rows * (1 + kept) * rest->columns);
	rest->interval = words_take(base, used, (size_t)rows * kept);
}

/* Lays out the rows of each kind. */
static size_t
intervals_lay(const struct stw_acd_config *config, char *base, struct acd_intervals *intervals)
{
	size_t agent_bytes = sizeof(struct stw_agent_numbers);
	size_t used = 0;
	uint32_t kept = config->intervals_max ? config->intervals_max + 1 : 0;
	uint64_t places;

	intervals->kept = kept;
	intervals->places_shift = 0;
	while (acd_interval_places(intervals) < kept)
		intervals->places_shift++;
	places = acd_interval_places(intervals);
	intervals->snapshots =
		words_take(base, &used, (size_t)config->queues_max * places * SNAPSHOT_COLUMNS);
	intervals->agents = words_take(
		base, &used, (size_t)config->agents_max * (1 + places) * ACD_AGENT_STRIDE);
	intervals->groups = words_take(base, &used, config->agents_max);
	rest_lay(base, &used, kept, &intervals->channels, ACD_CHANNELS + 1,
		 sizeof(struct stw_queue_stats));
	rest_lay(base, &used, kept, &intervals->queue_tenants, config->tenants_max + 2,
		 sizeof(struct stw_queue_stats));
	rest_lay(base, &used, kept, &intervals->teams, config->pools_max + 2, agent_bytes);
	rest_lay(base, &used, kept, &intervals->agent_tenants, config->tenants_max + 2,
		 agent_bytes);
	return used;
}

static_assert(sizeof(struct acd_agent_group) == sizeof(uint64_t), "groups are laid out as words");

size_t
acd_intervals_bytes(const struct stw_acd_config *config)
{
	struct acd_intervals intervals;

	return intervals_lay(config, NULL, &intervals);
}

void
acd_intervals_init(struct stw_acd *acd, void *memory)
{
	struct acd_intervals *intervals = &acd->intervals;

	intervals_lay(&acd->config, memory, intervals);
	intervals->length_ns = acd->config.interval_ns;
	intervals->offset_ns = acd->config.interval_offset_ns;
	/* Without intervals the first one never ends. */
	atomic_init(&intervals->end_ns, intervals->kept ? 0 : UINT64_MAX);
}

uint64_t
acd_interval_of(const struct acd_intervals *intervals, uint64_t now_ns)
{
	uint64_t at_ns = now_ns < ACD_NOW_MAX ? now_ns : ACD_NOW_MAX;

	return intervals->kept ? (at_ns + intervals->offset_ns) / intervals->length_ns : 0;
}

static uint64_t
number_read(const struct acd_intervals *intervals)
{
	/* V2, pairs with V1 */
	return atomic_load_explicit(&intervals->number, memory_order_acquire);
}

static uint64_t
cell_read(const _Atomic uint64_t *cell)
{
	/* C2, pairs with C1 */
	return atomic_load_explicit(cell, memory_order_acquire);
}

static bool
cell_change(_Atomic uint64_t *cell, uint64_t from, uint64_t to)
{
	/* C1, pairs with C2 */
	return atomic_compare_exchange_strong_explicit(cell, &from, to, memory_order_acq_rel,
						       memory_order_relaxed);
}

/* now_ns is not before the end of the interval under way: move on. */
void
acd_interval_pass(struct stw_acd *acd, uint64_t now_ns)
{
	struct acd_intervals *intervals = &acd->intervals;
	uint64_t number = acd_interval_of(intervals, now_ns);
	uint64_t old = number_read(intervals);

	while (old < number) {
		/* V1, pairs with V2 */
		if (atomic_compare_exchange_weak_explicit(&intervals->number, &old, number,
							  memory_order_acq_rel,
							  memory_order_relaxed))
			break;
	}
	acd_time_raise(&intervals->end_ns,
		       (number + 1) * intervals->length_ns - intervals->offset_ns);
}

/* Whether there are cells for an interval, or an instant, still. */
bool
acd_interval_is_kept(const struct acd_intervals *intervals, uint64_t number)
{
	return number + intervals->kept > number_read(intervals);
}

/*
 * Add to the cell of an interval: cells[0] of the first place, each place `stride` words on. What comes so late
 * that its interval is not kept any more counts in the oldest that is.
 */
void
acd_cell_add(const struct acd_intervals *intervals, _Atomic uint64_t *cells, uint32_t stride,
	     uint64_t number, uint64_t amount)
{
	uint64_t old, value;
	_Atomic uint64_t *cell;

	do {
		cell = &cells[acd_interval_place(intervals, number) * stride];
		old = cell_read(cell);
		while (!acd_interval_is_kept(intervals, number)) {
			number = number_read(intervals) + 1 - intervals->kept;
			cell = &cells[acd_interval_place(intervals, number) * stride];
			old = cell_read(cell);
		}
		/* I2: another tag is an earlier one's. */
		value = acd_cell_is_of(intervals, old, number) ? old + amount : amount;
	} while (!cell_change(cell, old, acd_cell_make(intervals, number, value)));
}

static _Atomic uint64_t *
snapshot(struct stw_acd *acd, uint32_t q, uint64_t number, uint32_t column)
{
	size_t row = (size_t)q * acd_interval_places(&acd->intervals) +
		     acd_interval_place(&acd->intervals, number);

	return &acd->intervals.snapshots[row * SNAPSHOT_COLUMNS + column];
}

static uint64_t
counter_now(struct stw_acd *acd, uint32_t q, uint32_t column)
{
	return counters_read(&acd->counters, q, column) >> column_shift(column) &
	       ACD_CELL_VALUE_MASK;
}

static void
snapshot_write(struct stw_acd *acd, uint32_t q, uint64_t number, uint32_t column)
{
	const struct acd_intervals *intervals = &acd->intervals;
	_Atomic uint64_t *cell = snapshot(acd, q, number, column);
	uint64_t old;

	do {
		old = cell_read(cell);
		if (acd_cell_is_of(intervals, old, number) ||
		    !acd_interval_is_kept(intervals, number))
			return;
	} while (!cell_change(cell, old,
			      acd_cell_make(intervals, number, counter_now(acd, q, column))));
}

/* Write down a queue's counters at the beginning of each interval since the last time. Nothing was counted
 * in between, or it would have been done then. */
void
acd_queue_roll(struct stw_acd *acd, uint32_t q)
{
	struct acd_queue *queue = &acd->queues[q];
	uint64_t number = number_read(&acd->intervals);
	/* R2, pairs with R1 */
	uint64_t rolled = atomic_load_explicit(&queue->rolled, memory_order_acquire);
	uint64_t from = rolled + 1;

	if (rolled >= number)
		return;
	if (from + acd->intervals.kept <= number)
		from = number + 1 - acd->intervals.kept;
	for (; from <= number; from++)
		for (uint32_t column = 0; column < ACD_COUNTERS; column++)
			snapshot_write(acd, q, from, column);
	while (rolled < number) {
		/* R1, pairs with R2 */
		if (atomic_compare_exchange_weak_explicit(&queue->rolled, &rolled, number,
							  memory_order_release,
							  memory_order_relaxed))
			return;
	}
}

/* A contact of the queue was answered after so long. */
void
acd_queue_wait_raise(struct stw_acd *acd, uint32_t q, uint64_t wait_ns)
{
	const struct acd_intervals *intervals = &acd->intervals;
	uint64_t wait = wait_ns >> TIME_SHIFT;
	uint64_t number, old;
	_Atomic uint64_t *cell;

	if (!intervals->kept)
		return;
	do {
		number = number_read(intervals);
		cell = snapshot(acd, q, number, WAIT_MAX_COLUMN);
		old = cell_read(cell);
		if (!acd_interval_is_kept(intervals, number))
			continue;
		if (acd_cell_is_of(intervals, old, number) && (old & ACD_CELL_VALUE_MASK) >= wait)
			return;
	} while (!acd_interval_is_kept(intervals, number) ||
		 !cell_change(cell, old, acd_cell_make(intervals, number, wait)));
}

/* The counters when the interval `number` began; false: written over meanwhile. */
static bool
counters_at(struct stw_acd *acd, uint32_t q, uint64_t number, uint64_t n[ACD_COUNTERS])
{
	for (uint32_t column = 0; column < ACD_COUNTERS; column++) {
		uint64_t cell = cell_read(snapshot(acd, q, number, column));

		if (!acd_cell_is_of(&acd->intervals, cell, number))
			return false;
		n[column] = cell & ACD_CELL_VALUE_MASK;
	}
	return true;
}

/* The counters when an interval ended, or now while it is under way; false: it has just ended. */
static bool
counters_at_end(struct stw_acd *acd, uint32_t q, uint64_t number, uint64_t current,
		uint64_t n[ACD_COUNTERS])
{
	if (number < current)
		return counters_at(acd, q, number + 1, n);
	for (uint32_t column = 0; column < ACD_COUNTERS; column++)
		n[column] = counter_now(acd, q, column);
	return number_read(&acd->intervals) == current;
}

/* Two snapshots make an interval's numbers; what waits, rings and talks is that of its end. */
static void
stats_make(const uint64_t begin[ACD_COUNTERS], const uint64_t end[ACD_COUNTERS],
	   struct stw_queue_stats *stats)
{
	struct stw_queue_stats ends = {.offered = 0};
	uint64_t n[ACD_COUNTERS];

	for (uint32_t column = 0; column < ACD_COUNTERS; column++)
		n[column] = ((end[column] - begin[column]) & ACD_CELL_VALUE_MASK)
			    << column_shift(column);
	*stats = (struct stw_queue_stats){.offered = 0};
	acd_stats_add(stats, n);
	acd_stats_add(&ends, end);
	acd_stats_clip(&ends);
	stats->waiting = ends.waiting;
	stats->ringing = ends.ringing;
	stats->connected = ends.connected;
}

int
acd_queue_interval_read(struct stw_acd *acd, uint32_t q, uint64_t interval,
			struct stw_queue_stats *stats)
{
	const struct acd_intervals *intervals = &acd->intervals;
	uint64_t begin[ACD_COUNTERS], end[ACD_COUNTERS];
	uint64_t current, longest;

	for (;;) {
		current = number_read(intervals);
		if (interval > current || !acd_interval_is_kept(intervals, interval))
			return -ERANGE;
		if (interval < atomic_load_explicit(&acd->queues[q].first, memory_order_relaxed)) {
			*stats = (struct stw_queue_stats){.offered = 0};
			return 0;
		}
		acd_queue_roll(acd, q);
		longest = cell_read(snapshot(acd, q, interval, WAIT_MAX_COLUMN));
		if (counters_at(acd, q, interval, begin) &&
		    counters_at_end(acd, q, interval, current, end))
			break;
	}
	stats_make(begin, end, stats);
	if (acd_cell_is_of(intervals, longest, interval))
		stats->wait_ns_max = (longest & ACD_CELL_VALUE_MASK) << TIME_SHIFT;
	return 0;
}

/* A queue is about to be published, its counters 0 or, in an engine that nobody uses yet, restored: what
 * they are now was counted before the interval under way. */
void
acd_queue_numbers_begin(struct stw_acd *acd, uint32_t q, uint32_t channel)
{
	const struct acd_intervals *intervals = &acd->intervals;
	struct acd_queue *queue = &acd->queues[q];
	uint64_t number = number_read(intervals);

	queue->channel = channel;
	atomic_store_explicit(&queue->first, number, memory_order_relaxed);
	atomic_store_explicit(&queue->rolled, number, memory_order_relaxed);
	if (!intervals->kept)
		return;
	for (uint32_t column = 0; column < ACD_COUNTERS; column++)
		atomic_store_explicit(snapshot(acd, q, number, column),
				      acd_cell_make(intervals, number, counter_now(acd, q, column)),
				      memory_order_relaxed);
	atomic_store_explicit(snapshot(acd, q, number, WAIT_MAX_COLUMN), 0, memory_order_relaxed);
}
