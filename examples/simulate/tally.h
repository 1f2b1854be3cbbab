/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The numbers of a simulation by interval, gathered from events and not from the engine's counters,
 * so that the two can be compared. A contact is counted where it came; a stretch of time is cut at
 * the intervals' ends.
 */
#ifndef SIMULATE_TALLY_H
#define SIMULATE_TALLY_H

#include <stddef.h>
#include <stdint.h>

/* Waits so short that a share of them says nothing. */
#define TALLY_SHORT_NS UINT64_C(5000000000)

/* Contacts of a queue or a flow that came in one interval. */
struct tally_cell {
	/* Of a queue: answered + abandoned + refused + deflected + overflowed + left. Of a flow, whose
	 * callers are offered where they overflow to, too, the same without overflowed. */
	uint64_t offered;
	uint64_t answered;
	uint64_t in_time; /* answered within the queue's service level */
	uint64_t abandoned;
	uint64_t refused;
	uint64_t deflected;  /* sent to self-service */
	uint64_t overflowed; /* sent to another queue, where they are offered */
	uint64_t callbacks;  /* offered a callback; they wait, too */
	uint64_t accepted;   /* of them, who wait for it without the phone */
	uint64_t unreached;  /* of them, who were called in vain; they are answered, too */
	uint64_t left;       /* still waiting when everything was over */
	uint64_t waited;     /* found nobody at once: answered or abandoned later than they came */
	uint64_t wait_answered_ns;
	uint64_t wait_abandoned_ns;
	uint64_t wait_max_ns; /* of an answered contact */
	uint64_t waiting_ns;  /* in the interval, by whoever waits: over its length, the mean */
	uint64_t talk_ns;     /* in the interval, likewise */
	/* Expected waits that were told at arrival to who was offered to an agent later. */
	uint64_t told;
	uint64_t told_ns;   /* what was told */
	uint64_t came_ns;   /* what came: until the first offer */
	uint64_t error_ns;  /* differences, without their signs */
	uint64_t told_long; /* those for whom TALLY_SHORT_NS or more came */
	double error_share; /* of them: difference by what came */
};

/* Agents of a group, or one agent, in one interval. */
struct tally_staff {
	uint64_t ready_ns;
	uint64_t busy_ns; /* offered, connected, wrap-up */
	uint64_t not_ready_ns;
};

struct tally {
	uint64_t from_ns;
	uint64_t interval_ns;
	uint32_t intervals;
	uint32_t queues;
	uint32_t flows;
	uint32_t groups;
	struct tally_cell *cells;  /* [queue, then flow][interval] */
	struct tally_staff *staff; /* [group][interval] */
};

int tally_create(struct tally *tally, uint64_t from_ns, uint64_t to_ns, uint64_t interval_ns);
void tally_free(struct tally *tally);

/* Make room for so many; once, after tally_create. 0 or -ENOMEM. */
int tally_rows(struct tally *tally, uint32_t queues, uint32_t flows, uint32_t groups);

struct tally_cell *tally_queue(const struct tally *tally, uint32_t queue);
struct tally_cell *tally_flow(const struct tally *tally, uint32_t flow);
struct tally_staff *tally_group(const struct tally *tally, uint32_t group);

/* Index of a time's interval; tally->intervals outside of what is counted. */
uint32_t tally_interval(const struct tally *tally, uint64_t at_ns);

/* Add a stretch of time to a counter of a row whose element for interval 0 is first. */
void tally_spell(const struct tally *tally, uint64_t *first, size_t element_bytes, uint64_t from_ns,
		 uint64_t to_ns);

/* What of a stretch lies in what is counted, nanoseconds. */
uint64_t tally_clip(const struct tally *tally, uint64_t from_ns, uint64_t to_ns);

/* Sums over count elements. */
struct tally_cell tally_cells_sum(const struct tally_cell *cells, uint32_t count);
struct tally_staff tally_staff_sum(const struct tally_staff *staff, uint32_t count);

/* Shares 0 to 1, and seconds; 0 where there is nothing to divide by. */
double tally_service_level(const struct tally_cell *cell);
double tally_abandoned(const struct tally_cell *cell);
double tally_answer_s(const struct tally_cell *cell);
double tally_occupancy(const struct tally_staff *staff);

/* Mean absolute error of what was told, of what came; over those who waited TALLY_SHORT_NS. */
double tally_told_error(const struct tally_cell *cell);

double tally_ratio(double part, double whole);

#endif
