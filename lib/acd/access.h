/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Access to the engine's data: counting, and the ordered accesses to shared words, which are made here, by name:
 *
 *  label  where                      order    pairs with  without it
 *  W1     change of a word           acq_rel  W2          a state is seen without what led to it
 *  W2     reading a word             acquire  W1          same, seen from the reader
 *  D1     publishing a description   release  D2          a half-written description is read
 *  D2     reading its pointer        acquire  D1          same, seen from the reader
 *  D3     writing a contact's field  release  D4          a new life's field, an old life's word
 *  D4     reading a contact's field  acquire  D3          same, seen from the reader
 *  N1     arrivals: add              acq_rel  N2          a contact overtakes a better one
 *  N2     arrivals: read             acquire  N1          same, seen from the search
 *  Q1     known: a contact has gone  release  Q2          the queue goes under a contact's last steps
 *  Q2     known: close from 0        acquire  Q1          same, seen from who removes the queue
 */
#ifndef STW_ACD_ACCESS_H
#define STW_ACD_ACCESS_H

#include "data.h"

/* interval.c: if an interval has ended, another begins. Each call that counts asks that first. */
static inline void
acd_interval_tick(struct stw_acd *acd, uint64_t now_ns)
{
	if (STW_UNLIKELY(now_ns >=
			 atomic_load_explicit(&acd->intervals.end_ns, memory_order_relaxed)))
		acd_interval_pass(acd, now_ns);
}

static inline void
acd_count(struct stw_acd *acd, uint32_t queue, enum acd_counter counter, uint64_t amount)
{
	/* A queue's first count in an interval closes those before. */
	if (STW_UNLIKELY(atomic_load_explicit(&acd->queues[queue].rolled, memory_order_relaxed) !=
			 atomic_load_explicit(&acd->intervals.number, memory_order_relaxed)))
		acd_queue_roll(acd, queue);
	counters_add(&acd->counters, queue, counter, amount);
}

static inline void
acd_count_engine(struct stw_acd *acd, enum acd_counter counter, uint64_t amount)
{
	counters_add(&acd->counters, acd->config.queues_max + 1, counter, amount);
}

static inline struct acd_agent_description *
acd_agent_description(struct stw_acd *acd, uint32_t a)
{
	/* D2, pairs with D1: the description was written before it was published. */
	return atomic_load_explicit(&acd->agents[a].description, memory_order_acquire);
}

static inline struct acd_queue_description *
acd_queue_description(struct stw_acd *acd, uint32_t q)
{
	/* D2, pairs with D1 */
	return atomic_load_explicit(&acd->queues[q].description, memory_order_acquire);
}

static inline void
acd_agent_description_publish(struct stw_acd *acd, uint32_t a, struct acd_agent_description *new)
{
	/* D1, pairs with D2 */
	atomic_store_explicit(&acd->agents[a].description, new, memory_order_release);
}

static inline void
acd_queue_description_publish(struct stw_acd *acd, uint32_t q, struct acd_queue_description *new)
{
	/* D1, pairs with D2 */
	atomic_store_explicit(&acd->queues[q].description, new, memory_order_release);
}

/* A contact has become visible: searches under way look again. */
static inline void
acd_arrivals_add(struct stw_acd *acd)
{
	/* N1, pairs with N2 */
	atomic_fetch_add_explicit(&acd->arrivals, 1, memory_order_acq_rel);
}

static inline uint64_t
acd_arrivals_read(const struct stw_acd *acd)
{
	/* N2, pairs with N1 */
	return atomic_load_explicit(&acd->arrivals, memory_order_acquire);
}

/* A contact of the queue is no more. */
static inline void
acd_queue_known_drop(struct stw_acd *acd, uint32_t q)
{
	acd_tenant_contact_leave(acd, acd->queues[q].tenant);
	/* Q1, pairs with Q2 */
	atomic_fetch_sub_explicit(&acd->queues[q].known, 1, memory_order_release);
}

/* Close a queue for contacts; false: it has some. */
static inline bool
acd_queue_close(struct stw_acd *acd, uint32_t q)
{
	uint64_t known = atomic_load_explicit(&acd->queues[q].known, memory_order_relaxed);

	while (!(known & ~ACD_QUEUE_DRAINING)) {
		/* Q2, pairs with Q1; a retry: a contact came and went, or draining was turned. */
		if (atomic_compare_exchange_weak_explicit(&acd->queues[q].known, &known,
							  ACD_QUEUE_CLOSED, memory_order_acquire,
							  memory_order_relaxed))
			return true;
	}
	return false;
}

/* Fields of a contact are written while its slot is free, and read by anybody at any time. Who reads
 * them reads the word before and after: the same word means that the fields are of that life. */
static inline uint64_t
acd_field_read(const _Atomic uint64_t *field)
{
	/* D4, pairs with D3 */
	return atomic_load_explicit(field, memory_order_acquire);
}

static inline uint32_t
acd_field_read_32(const _Atomic uint32_t *field)
{
	/* D4, pairs with D3 */
	return atomic_load_explicit(field, memory_order_acquire);
}

static inline void
acd_field_write(_Atomic uint64_t *field, uint64_t value)
{
	/* D3, pairs with D4 */
	atomic_store_explicit(field, value, memory_order_release);
}

static inline void
acd_field_write_32(_Atomic uint32_t *field, uint32_t value)
{
	/* D3, pairs with D4 */
	atomic_store_explicit(field, value, memory_order_release);
}

static inline uint64_t
acd_word_read(const _Atomic uint64_t *word)
{
	/* W2, pairs with W1 */
	return atomic_load_explicit(word, memory_order_acquire);
}

/* Change a word from exactly this value. */
static inline bool
acd_word_change(_Atomic uint64_t *word, uint64_t from, uint64_t to)
{
	/* W1, pairs with W2 */
	return atomic_compare_exchange_strong_explicit(word, &from, to, memory_order_acq_rel,
						       memory_order_relaxed);
}

static inline bool
acd_bit(const _Atomic uint32_t *bits, uint32_t i)
{
	return atomic_load_explicit(&bits[i / HINT_BITS_WIDTH], memory_order_relaxed) >>
		       i % HINT_BITS_WIDTH &
	       1;
}

/* Value of a contact whose word this is. */
static inline uint32_t
acd_contact_value(const struct stw_acd *acd, uint32_t c, uint64_t word)
{
	return acd_field_read_32(&acd->contacts[c].class[word_side(word)]) / STW_CLASS_COUNT;
}

/* What a set of the waiting tree is: queue, step, least value. */
static inline uint32_t
acd_set_make(uint32_t q, uint32_t k, uint32_t value_min)
{
	return value_min << 20 | k << 16 | q;
}

static inline uint32_t
acd_set_queue(uint32_t what)
{
	return what & 0xffff;
}

static inline uint32_t
acd_set_step(uint32_t what)
{
	return what >> 16 & 0xf;
}

static inline uint32_t
acd_set_value(uint32_t what)
{
	return what >> 20;
}

/* Queue of a contact whose word this is. */
static inline uint32_t
acd_contact_queue(const struct stw_acd *acd, uint32_t c, uint64_t word)
{
	return acd_field_read_32(&acd->contacts[c].queue[word_side(word)]);
}

static inline bool
acd_is_among(uint32_t a, const uint32_t *list, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (list[i] == a)
			return true;
	return false;
}

static inline uint64_t
acd_handle(uint32_t slot, uint32_t generation)
{
	return (uint64_t)generation << 32 | slot;
}

static inline uint64_t
acd_elapsed(uint64_t from_ns, uint64_t now_ns)
{
	return now_ns > from_ns ? now_ns - from_ns : 0;
}

/* A time after another; for ever after is never. */
static inline uint64_t
acd_later(uint64_t from_ns, uint64_t after_ns)
{
	return after_ns == UINT64_MAX ? ACD_NEVER : from_ns + after_ns;
}

/* Raise a time to now unless it is later already. */
static inline void
acd_time_raise(_Atomic uint64_t *time_ns, uint64_t now_ns)
{
	uint64_t old = atomic_load_explicit(time_ns, memory_order_relaxed);

	while (old < now_ns &&
	       !atomic_compare_exchange_weak_explicit(time_ns, &old, now_ns, memory_order_relaxed,
						      memory_order_relaxed)) {
	}
}

#endif
