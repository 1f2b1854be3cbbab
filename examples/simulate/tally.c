/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows of intervals; a row is found by its index, an interval by its time. */
#include "tally.h"

#include <errno.h>
#include <stdlib.h>

/* A year of minutes. */
#define INTERVALS_MAX 525600

int
tally_create(struct tally *tally, uint64_t from_ns, uint64_t to_ns, uint64_t interval_ns)
{
	uint64_t intervals;

	*tally = (struct tally){.from_ns = from_ns, .interval_ns = interval_ns};
	if (interval_ns == 0 || to_ns <= from_ns)
		return -EINVAL;
	intervals = (to_ns - from_ns + interval_ns - 1) / interval_ns;
	if (intervals > INTERVALS_MAX)
		return -EINVAL;
	tally->intervals = (uint32_t)intervals;
	return 0;
}

int
tally_rows(struct tally *tally, uint32_t queues, uint32_t flows, uint32_t groups)
{
	tally->queues = queues;
	tally->flows = flows;
	tally->groups = groups;
	tally->cells =
		calloc((size_t)(queues + flows) * tally->intervals + 1, sizeof(*tally->cells));
	tally->staff = calloc((size_t)groups * tally->intervals + 1, sizeof(*tally->staff));
	return tally->cells && tally->staff ? 0 : -ENOMEM;
}

void
tally_free(struct tally *tally)
{
	free(tally->cells);
	free(tally->staff);
	*tally = (struct tally){0};
}

struct tally_cell *
tally_queue(const struct tally *tally, uint32_t queue)
{
	return &tally->cells[(size_t)queue * tally->intervals];
}

struct tally_cell *
tally_flow(const struct tally *tally, uint32_t flow)
{
	return tally_queue(tally, tally->queues + flow);
}

struct tally_staff *
tally_group(const struct tally *tally, uint32_t group)
{
	return &tally->staff[(size_t)group * tally->intervals];
}

uint32_t
tally_interval(const struct tally *tally, uint64_t at_ns)
{
	uint64_t interval;

	if (at_ns < tally->from_ns)
		return tally->intervals;
	interval = (at_ns - tally->from_ns) / tally->interval_ns;
	return interval < tally->intervals ? (uint32_t)interval : tally->intervals;
}

static uint64_t
end_of(const struct tally *tally)
{
	return tally->from_ns + tally->intervals * tally->interval_ns;
}

void
tally_spell(const struct tally *tally, uint64_t *first, size_t element_bytes, uint64_t from_ns,
	    uint64_t to_ns)
{
	if (from_ns < tally->from_ns)
		from_ns = tally->from_ns;
	if (to_ns > end_of(tally))
		to_ns = end_of(tally);
	for (uint32_t i = tally_interval(tally, from_ns); from_ns < to_ns; i++) {
		uint64_t end_ns = tally->from_ns + (i + 1) * tally->interval_ns;
		uint64_t cut_ns = to_ns < end_ns ? to_ns : end_ns;

		*(uint64_t *)((char *)first + i * element_bytes) += cut_ns - from_ns;
		from_ns = cut_ns;
	}
}

uint64_t
tally_clip(const struct tally *tally, uint64_t from_ns, uint64_t to_ns)
{
	if (from_ns < tally->from_ns)
		from_ns = tally->from_ns;
	if (to_ns > end_of(tally))
		to_ns = end_of(tally);
	return from_ns < to_ns ? to_ns - from_ns : 0;
}

struct tally_cell
tally_cells_sum(const struct tally_cell *cells, uint32_t count)
{
	struct tally_cell sum = {0};

	for (const struct tally_cell *cell = cells; cell < cells + count; cell++) {
		sum.offered += cell->offered;
		sum.answered += cell->answered;
		sum.in_time += cell->in_time;
		sum.abandoned += cell->abandoned;
		sum.refused += cell->refused;
		sum.deflected += cell->deflected;
		sum.overflowed += cell->overflowed;
		sum.callbacks += cell->callbacks;
		sum.accepted += cell->accepted;
		sum.unreached += cell->unreached;
		sum.left += cell->left;
		sum.waited += cell->waited;
		sum.wait_answered_ns += cell->wait_answered_ns;
		sum.wait_abandoned_ns += cell->wait_abandoned_ns;
		if (sum.wait_max_ns < cell->wait_max_ns)
			sum.wait_max_ns = cell->wait_max_ns;
		sum.waiting_ns += cell->waiting_ns;
		sum.talk_ns += cell->talk_ns;
		sum.told += cell->told;
		sum.told_ns += cell->told_ns;
		sum.came_ns += cell->came_ns;
		sum.error_ns += cell->error_ns;
		sum.told_long += cell->told_long;
		sum.error_share += cell->error_share;
	}
	return sum;
}

struct tally_staff
tally_staff_sum(const struct tally_staff *staff, uint32_t count)
{
	struct tally_staff sum = {0};

	for (uint32_t i = 0; i < count; i++) {
		sum.ready_ns += staff[i].ready_ns;
		sum.busy_ns += staff[i].busy_ns;
		sum.not_ready_ns += staff[i].not_ready_ns;
	}
	return sum;
}

double
tally_ratio(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

double
tally_service_level(const struct tally_cell *cell)
{
	return tally_ratio((double)cell->in_time, (double)cell->offered);
}

double
tally_abandoned(const struct tally_cell *cell)
{
	return tally_ratio((double)cell->abandoned, (double)cell->offered);
}

double
tally_answer_s(const struct tally_cell *cell)
{
	return tally_ratio((double)cell->wait_answered_ns, (double)cell->answered) / 1e9;
}

double
tally_occupancy(const struct tally_staff *staff)
{
	return tally_ratio((double)staff->busy_ns, (double)(staff->busy_ns + staff->ready_ns));
}

double
tally_told_error(const struct tally_cell *cell)
{
	return tally_ratio(cell->error_share, (double)cell->told_long);
}
