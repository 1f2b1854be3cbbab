/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An agent's numbers: a row of his own, written as things happen, live and per interval.
 *
 * Unlike a queue's, these are put into the interval's cell at once (acd_cell_add), because a spell of a state
 * is cut where an interval ends: a part to each. Whoever moves the begin of the spell on (acd_agent_spell) adds what
 * lies between, so each nanosecond counts once. A reader adds the spell under way.
 *
 * A team's and a tenant's numbers are the sum over the agents who are in it, and what others did who have
 * left it since (acd_rest): when an agent goes, what he has done stays behind, and is taken off where
 * he comes to. That is added up under the configuration lock by the reader, so it costs a hot call nothing.
 *
 * I1  An agent's live number is the sum of all that was added to his cells since his definition.
 * I2  The sum of a number over all teams, or tenants, is the sum over all agents, removed ones included.
 *
 * Everything may overlap everything but the end of a row, which waits for all hot calls that may know the
 * agent. A retry means that another thread's addition, or the end of a spell, came between: lock-free.
 *
 *  label  where           order    pairs with  without it
 *  S1     since: read     acquire  none        a cell is read before the spell's begin
 *  none   live: all       relaxed  none        a reader misses what is under way, which it may
 */
#include "engine.h"

#include <errno.h>
#include <string.h>

static_assert(sizeof(struct stw_agent_numbers) == ACD_AGENT_COLUMNS * sizeof(uint64_t),
	      "a column for each number");
static_assert(offsetof(struct stw_agent_numbers, not_ready_other_ns) ==
		      ACD_AGENT_NOT_READY_OTHER_NS * sizeof(uint64_t),
	      "in the same order");

/* The live cells of an agent, and after them those of the intervals. */
static _Atomic uint64_t *
cells(struct stw_acd *acd, uint32_t a)
{
	return &acd->intervals
			.agents[a * (1 + acd_interval_places(&acd->intervals)) * ACD_AGENT_STRIDE];
}

static void
cell_add(struct stw_acd *acd, uint32_t a, uint32_t column, uint64_t number, uint64_t amount)
{
	acd_cell_add(&acd->intervals, cells(acd, a) + ACD_AGENT_STRIDE + column, ACD_AGENT_STRIDE,
		     number, amount);
}

/* Count something that an agent did, in the interval under way. */
void
acd_agent_count(struct stw_acd *acd, uint32_t a, enum acd_agent_column column, uint64_t amount)
{
	atomic_fetch_add_explicit(&cells(acd, a)[column], amount, memory_order_relaxed);
	if (acd->intervals.kept)
		cell_add(acd, a, column,
			 atomic_load_explicit(&acd->intervals.number, memory_order_relaxed),
			 amount);
}

/* In which column the present spell of an agent counts who has no contact in a seat. */
static uint32_t
word_column(struct stw_acd *acd, uint32_t a)
{
	uint64_t word = acd_word_read(&acd->agents[a].word);
	uint64_t contact;

	switch (word_state(word)) {
	case ACD_AGENT_NOT_READY:
	case ACD_AGENT_PAUSED:
		return acd_not_ready_column(word_reason(word));
	case ACD_AGENT_READY:
		return ACD_AGENT_READY_NS;
	case ACD_AGENT_WRAP_UP:
		return ACD_AGENT_WRAP_UP_NS;
	case ACD_AGENT_HOLD:
		break;
	default:
		return ACD_AGENT_NO_COLUMN;
	}
	contact = acd_word_read(&acd->contacts[word_slot(word)].word);
	/* One of several who are rung; if he has not joined yet, he is about to. */
	if (word_state(contact) == ACD_CONTACT_RINGING ||
	    word_state(contact) == ACD_CONTACT_RING_CLOSING)
		return ACD_AGENT_OFFERED_NS;
	/* Not yet his, or a claim that came to nothing: he is idle. */
	if (word_slot(contact) != a || word_state(contact) < ACD_CONTACT_OFFERED)
		return ACD_AGENT_READY_NS;
	return word_state(contact) == ACD_CONTACT_CONNECTED ||
			       word_state(contact) == ACD_CONTACT_ENDING ||
			       word_state(contact) == ACD_CONTACT_MOVING
		       ? ACD_AGENT_CONNECTED_NS
		       : ACD_AGENT_OFFERED_NS;
}

/* In which column the present spell of an agent counts. While a seat is taken or wraps up he is
 * connected, whether he could take more or not. */
uint32_t
acd_agent_time_column(struct stw_acd *acd, uint32_t a)
{
	uint32_t column = word_column(acd, a);

	if ((column == ACD_AGENT_READY_NS ||
	     (column >= ACD_AGENT_NOT_READY_NS && column < ACD_AGENT_NO_COLUMN)) &&
	    acd_seats_busy(acd, a))
		return ACD_AGENT_CONNECTED_NS;
	return column;
}

/* What of a span lies in an interval. */
static uint64_t
overlap_ns(const struct acd_intervals *intervals, uint64_t number, uint64_t since_ns,
	   uint64_t now_ns)
{
	uint64_t begin_ns = number * intervals->length_ns;
	uint64_t end_ns = begin_ns + intervals->length_ns;
	uint64_t from_ns = since_ns + intervals->offset_ns;
	uint64_t to_ns = now_ns + intervals->offset_ns;

	from_ns = from_ns > begin_ns ? from_ns : begin_ns;
	to_ns = to_ns < end_ns ? to_ns : end_ns;
	return acd_elapsed(from_ns, to_ns);
}

/* A spell has ended: count it, a part to each interval that it touches. */
void
acd_agent_time_add(struct stw_acd *acd, uint32_t a, uint32_t column, uint64_t since_ns,
		   uint64_t now_ns)
{
	const struct acd_intervals *intervals = &acd->intervals;
	uint64_t number, first, last;

	if (column == ACD_AGENT_NO_COLUMN)
		return;
	atomic_fetch_add_explicit(&cells(acd, a)[column], now_ns - since_ns, memory_order_relaxed);
	if (!intervals->kept)
		return;
	acd_interval_tick(acd, now_ns);
	number = atomic_load_explicit(&intervals->number, memory_order_relaxed);
	if (overlap_ns(intervals, number, since_ns, now_ns) == now_ns - since_ns) {
		cell_add(acd, a, column, number, now_ns - since_ns);
		return;
	}
	first = acd_interval_of(intervals, since_ns);
	last = acd_interval_of(intervals, now_ns);
	if (last - first >= intervals->kept)
		first = last + 1 - intervals->kept;
	for (; first <= last; first++) {
		uint64_t part_ns = overlap_ns(intervals, first, since_ns, now_ns);

		if (part_ns)
			cell_add(acd, a, column, first, part_ns);
	}
}

/* Add the cells of an agent, without the spell under way, to numbers; -ERANGE: not kept. */
static int
cells_add(struct stw_acd *acd, uint32_t a, uint64_t interval, uint64_t *numbers)
{
	const struct acd_intervals *intervals = &acd->intervals;
	bool live = interval == STW_INTERVAL_LIVE;
	const _Atomic uint64_t *row = cells(acd, a);

	if (!live && !intervals->kept)
		return -ERANGE;
	if (!live)
		row += (1 + acd_interval_place(intervals, interval)) * ACD_AGENT_STRIDE;
	for (uint32_t i = 0; i < ACD_AGENT_COLUMNS; i++) {
		uint64_t cell = acd_word_read(&row[i]);

		if (live)
			numbers[i] += cell;
		else if (acd_cell_is_of(intervals, cell, interval))
			numbers[i] += cell & ACD_CELL_VALUE_MASK;
	}
	return live || acd_interval_is_kept(intervals, interval) ? 0 : -ERANGE;
}

/* An agent's numbers with the spell under way. While its begin is the same, no spell was added. */
int
acd_agent_numbers(struct stw_acd *acd, uint32_t a, uint64_t interval, uint64_t now_ns,
		  struct stw_agent_numbers *numbers)
{
	const struct acd_intervals *intervals = &acd->intervals;
	uint64_t sum[ACD_AGENT_COLUMNS + 1];
	uint64_t since_ns, spell_ns;
	int error;

	do {
		/* S1: the cells are read after it, and it is read again after them. */
		since_ns = atomic_load_explicit(&acd->agents[a].since_ns, memory_order_acquire);
		spell_ns = interval == STW_INTERVAL_LIVE
				   ? acd_elapsed(since_ns, now_ns)
				   : overlap_ns(intervals, interval, since_ns, now_ns);
		memset(sum, 0, sizeof(sum));
		/* Logged out, the column is the one after the last. */
		sum[acd_agent_time_column(acd, a)] = spell_ns;
		error = cells_add(acd, a, interval, sum);
		if (error)
			return error;
	} while (acd_word_read(&acd->agents[a].since_ns) != since_ns);
	memcpy(numbers, sum, sizeof(*numbers));
	return 0;
}

/* Add the agent's numbers up to now to one row, and take them off another; ACD_NOBODY: none. */
static void
numbers_leave(struct stw_acd *acd, uint32_t a, const struct acd_rest *rest, uint32_t from,
	      uint32_t to, uint64_t now_ns)
{
	uint32_t kept = acd->intervals.kept;
	uint64_t current = atomic_load_explicit(&acd->intervals.number, memory_order_relaxed);

	for (uint32_t back = 0; back <= kept; back++) {
		uint64_t interval = back < kept ? current - back : STW_INTERVAL_LIVE;
		struct stw_agent_numbers numbers;
		uint64_t sum[ACD_AGENT_COLUMNS];

		if ((back < kept && back > current) ||
		    acd_agent_numbers(acd, a, interval, now_ns, &numbers))
			continue;
		memcpy(sum, &numbers, sizeof(sum));
		for (uint32_t i = 0; i < ACD_AGENT_COLUMNS; i++) {
			acd_rest_row(rest, kept, from, interval)[i] += sum[i];
			if (to != ACD_NOBODY)
				acd_rest_row(rest, kept, to, interval)[i] -= sum[i];
		}
	}
}

/* Under the configuration lock: from now on the agent's numbers count for this team and tenant. Of the spell
 * under way, what lies before now stays behind, too. */
void
acd_agent_group_set(struct stw_acd *acd, uint32_t a, uint32_t team, uint32_t tenant,
		    uint64_t now_ns)
{
	struct acd_agent_group *group = &acd->intervals.groups[a];

	acd_interval_tick(acd, now_ns);
	if (group->team != team)
		numbers_leave(acd, a, &acd->intervals.teams, group->team, team, now_ns);
	if (group->tenant != tenant)
		numbers_leave(acd, a, &acd->intervals.agent_tenants, group->tenant, tenant, now_ns);
	*group = (struct acd_agent_group){.team = team, .tenant = tenant};
}

/* Under the configuration lock, when no call knows the agent any more: his numbers stay behind. */
void
acd_agent_numbers_end(struct stw_acd *acd, uint32_t a)
{
	const struct acd_agent_group *group = &acd->intervals.groups[a];
	uint64_t words = (1 + acd_interval_places(&acd->intervals)) * ACD_AGENT_STRIDE;

	numbers_leave(acd, a, &acd->intervals.teams, group->team, ACD_NOBODY, 0);
	numbers_leave(acd, a, &acd->intervals.agent_tenants, group->tenant, ACD_NOBODY, 0);
	for (uint64_t i = 0; i < words; i++)
		atomic_store_explicit(&cells(acd, a)[i], 0, memory_order_relaxed);
}

/* An agent's live numbers, without the spell under way. */
void
acd_agent_cells_read(struct stw_acd *acd, uint32_t a, uint64_t numbers[ACD_AGENT_COLUMNS])
{
	for (uint32_t i = 0; i < ACD_AGENT_COLUMNS; i++)
		numbers[i] = acd_word_read(&cells(acd, a)[i]);
}

/* Restored: they count as live numbers, and in no interval. Nobody uses the engine yet. */
void
acd_agent_cells_put(struct stw_acd *acd, uint32_t a, const uint64_t numbers[ACD_AGENT_COLUMNS])
{
	for (uint32_t i = 0; i < ACD_AGENT_COLUMNS; i++)
		atomic_store_explicit(&cells(acd, a)[i], numbers[i], memory_order_relaxed);
}
