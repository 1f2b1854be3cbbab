/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long a contact will wait, from how many are before it and how fast the queue is served.
 *
 * With n before it, a contact waits for n + 1 agents to come to the queue. If all of s agents are busy,
 * each for 1/m on average, and each who waits gives up at rate t, that is on average
 *
 *      sum over j = 0 .. n of  1 / (s m + j t)
 *
 * the estimator "QL" by queue length of Whitt, with abandonment as in Ibrahim and Whitt ("QL_m"). Of all that
 * those papers compare it errs least where its assumptions hold, and where they do not it errs because s m is
 * not known: agents serve several queues, by rank and skill, and come and go. So s m is not computed from a
 * number of agents but measured, as the delay-history estimators (LES, HOL) measure the delay: it is the rate
 * at which offers were made to those who waited, over the last gaps between two such offers in which somebody
 * waited all the time. The gap that is under way counts as far as it is longer than the mean, as a
 * censored observation: so when nobody comes any more the estimate grows. t is abandonments per time
 * waited, its maximum-likelihood estimate for exponential patience. Before there are gaps, s m is what the
 * contacts now connected free, per time: their number over the mean handling time.
 *
 * Offers repeated after a miss do not count as a service. Contacts of higher rank that will come later are not
 * foreseen, nor are agents' future logins.
 *
 * The state is two words per queue. A thread stopped between them loses one observation. A retry means
 * that another thread's offer was counted: lock-free.
 *
 * Source: W. Whitt, "Predicting queueing delays", Management Science 45(6), 1999; R. Ibrahim, W. Whitt,
 * "Real-time delay estimation in overloaded multiserver queues with abandonments", Management Science
 * 55(10), 2009, sections 3 and 4; the same, "Real-time delay estimation based on delay history",
 * Manufacturing & Service Operations Management 11(3), 2009, for LES and HOL.
 *
 *  label  where  order    pairs with  without it
 *  none   all    relaxed  none        an estimate from numbers of slightly different instants
 */
#include "engine.h"

#include <errno.h>

/* Gaps over which the mean goes, once there are so many; and from how many on it is trusted. */
#define GAPS_MAX 32
#define GAPS_MIN 4

/* Terms of the sum that are computed; with more, each stands for several. */
#define TERMS_MAX 64

/* The word: gaps seen 8 (to GAPS_MAX) | mean gap, nanoseconds 56. */
#define GAPS_SHIFT 56
#define GAP_MASK   ((UINT64_C(1) << GAPS_SHIFT) - 1)

static uint64_t
gap_word_after(uint64_t word, uint64_t gap_ns)
{
	uint64_t gaps = word >> GAPS_SHIFT;
	int64_t mean_ns = (int64_t)(word & GAP_MASK);

	gaps += gaps < GAPS_MAX;
	gap_ns = gap_ns < GAP_MASK ? gap_ns : GAP_MASK;
	mean_ns += ((int64_t)gap_ns - mean_ns) / (int64_t)gaps;
	return gaps << GAPS_SHIFT | ((uint64_t)mean_ns & GAP_MASK);
}

/* An offer was made to a contact that waited; `more`: others still wait. */
void
acd_pace_start(struct stw_acd *acd, uint32_t q, bool more, uint64_t now_ns)
{
	struct acd_queue *queue = &acd->queues[q];
	uint64_t old =
		atomic_exchange_explicit(&queue->start, now_ns << 1 | more, memory_order_relaxed);
	uint64_t word;

	if (!(old & 1))
		return;
	word = atomic_load_explicit(&queue->gap, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(
		&queue->gap, &word, gap_word_after(word, acd_elapsed(old >> 1, now_ns)),
		memory_order_relaxed, memory_order_relaxed)) {
	}
}

/* Mean time between two agents who come to the queue, from its gaps; 0: not known. */
static double
gap_measured(struct stw_acd *acd, uint32_t q, uint64_t now_ns)
{
	const struct acd_queue *queue = &acd->queues[q];
	uint64_t word = atomic_load_explicit(&queue->gap, memory_order_relaxed);
	uint64_t start = atomic_load_explicit(&queue->start, memory_order_relaxed);
	double gaps = (double)(word >> GAPS_SHIFT);
	double mean_ns = (double)(word & GAP_MASK);
	double open_ns = start & 1 ? (double)acd_elapsed(start >> 1, now_ns) : 0;

	if (gaps < GAPS_MIN)
		return 0;
	if (open_ns > mean_ns)
		mean_ns += (open_ns - mean_ns) / gaps;
	return mean_ns;
}

/* The same, from who is connected and how long that lasts; 0: not known. */
static double
gap_assumed(struct stw_acd *acd, uint32_t q)
{
	const struct acd_queue_description *queue = acd_queue_description(acd, q);
	uint64_t ended = counters_read(&acd->counters, q, ACD_COUNT_ENDED);
	uint64_t connected = counters_read(&acd->counters, q, ACD_COUNT_ANSWERED) - ended;

	if (!queue || !ended || !connected || connected > acd->config.contacts_max)
		return 0;
	return ((double)counters_read(&acd->counters, q, ACD_COUNT_TALK_NS) / (double)ended +
		(double)queue->wrap_up_ns) /
	       (double)connected;
}

/* How many give up per nanosecond waited. */
static double
abandon_rate(struct stw_acd *acd, uint32_t q)
{
	double waited_ns = (double)counters_read(&acd->counters, q, ACD_COUNT_WAIT_NS) +
			   (double)counters_read(&acd->counters, q, ACD_COUNT_ABANDONED_WAIT_NS);

	return waited_ns > 0
		       ? (double)counters_read(&acd->counters, q, ACD_COUNT_ABANDONED) / waited_ns
		       : 0;
}

/* The sum above. */
static double
wait_sum(uint32_t terms, double gap_ns, double rate)
{
	uint32_t blocks = terms < TERMS_MAX ? terms : TERMS_MAX;
	double each = (double)terms / blocks;
	double sum_ns = 0;

	for (uint32_t i = 0; i < blocks; i++)
		sum_ns += each * gap_ns / (1 + (each * i + (each - 1) / 2) * rate * gap_ns);
	return sum_ns;
}

/* Expected wait of a contact that has `ahead` others before it; -ENODATA: nothing is known yet. */
int
acd_pace_wait(struct stw_acd *acd, uint32_t q, uint32_t ahead, uint64_t now_ns, uint64_t *wait_ns)
{
	double gap_ns = gap_measured(acd, q, now_ns);
	double sum_ns;

	if (gap_ns <= 0)
		gap_ns = gap_assumed(acd, q);
	if (gap_ns <= 0)
		return -ENODATA;
	sum_ns = wait_sum(ahead + 1, gap_ns, abandon_rate(acd, q));
	*wait_ns = sum_ns < (double)ACD_DURATION_MAX ? (uint64_t)sum_ns : ACD_DURATION_MAX;
	return 0;
}
