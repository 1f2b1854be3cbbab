/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Egress streams: a change of source. See egress.h, whose order table names E1 to E3.
 */
#include "egress.h"

/** Tries to take a turn while others take it. */
#define EGRESS_TRIES 3

/** Least ticks from one source's last packet to the next one's first: a packet of 20 ms. */
#define EGRESS_STEP_TICKS 160

/** Ticks by which two workers' clocks may differ. */
#define EGRESS_SKEW_TICKS 80

/** Bits 1 << kind of what the leg's own worker sends it; a playout that was detached is over at once. */
static uint8_t
kinds_speaking(const struct stw_media *media, uint32_t leg)
{
	uint8_t speaking = atomic_load_explicit(&media->plays[leg].speaking, memory_order_relaxed);

	if (!(uint32_t)atomic_load_explicit(&media->asks[leg].attach, memory_order_relaxed))
		speaking &= (uint8_t) ~(1u << EGRESS_PLAY);
	return speaking;
}

/** Whether a source is the one to be heard now. */
static bool
source_is_heard(const struct stw_media *media, uint32_t leg, enum egress_kind kind, uint32_t from)
{
	const struct leg_route *route = &media->routes[leg];
	uint8_t speaking = kinds_speaking(media, leg);
	union leg_traits traits;

	if (speaking >> kind > 1)
		return false;
	if (kind > EGRESS_MIX)
		return speaking >> kind & 1;
	traits.word = atomic_load_explicit(&route->traits, memory_order_relaxed);
	if (kind == EGRESS_MIX)
		return traits.features & LEG_MIX;
	return !(traits.features & LEG_MIX) &&
	       atomic_load_explicit(&route->speaker, memory_order_relaxed) == from;
}

/**
 * Timestamp of a turn's first packet: as much later than the last one as time has passed, and at least
 * the time that the last one lasts. Of an age of 8 s and more only the low bits are compared: then
 * it may be 20 ms more than that, which nobody hears.
 */
static uint32_t
timestamp_next(union egress_last last, uint32_t ticks)
{
	uint32_t timestamp = last.clock + ticks;
	int16_t passed = (int16_t)(uint16_t)(timestamp - last.timestamp_low);

	if (passed >= -EGRESS_SKEW_TICKS && passed < EGRESS_STEP_TICKS)
		timestamp += (uint32_t)(EGRESS_STEP_TICKS - passed);
	return timestamp;
}

/**
 * Where a BPF program may send to the leg, too: take the number before the turn. The program changes `last`
 * only from what it was when it looked, so one of the two has to look again.
 */
static bool
number_take(const struct stw_media *media, struct leg_egress *egress, union egress_last *seen,
	    union egress_last next)
{
	return !media->kernel.memory ||
	       atomic_compare_exchange_strong_explicit(&egress->last, &seen->word, next.word,
						       memory_order_relaxed, memory_order_relaxed);
}

uint8_t
egress_turn(struct worker *worker, uint32_t leg, enum egress_kind kind, uint32_t from,
	    _Atomic uint64_t *voice, struct egress_numbers *numbers)
{
	struct leg_egress *egress = &worker->media->egresses[leg];
	uint32_t ticks = egress_ticks(worker->now_ns);

	for (unsigned i = 0; i < EGRESS_TRIES && source_is_heard(worker->media, leg, kind, from);
	     i++) {
		/* E2, pairs with E1: `last` is of the turn that we take over from, or later. */
		union egress_map map = {atomic_load_explicit(&egress->map, memory_order_acquire)};
		union egress_last last = {
			atomic_load_explicit(&egress->last, memory_order_relaxed)};
		uint16_t sequence = (uint16_t)(last.sequence + 1);
		uint32_t timestamp = timestamp_next(last, ticks);
		union egress_map next = {.timestamp = timestamp - numbers->timestamp,
					 .sequence = (uint16_t)(sequence - numbers->sequence),
					 .turn = (uint16_t)(map.turn + 1)};

		union egress_last first = {.clock = timestamp - ticks,
					   .timestamp_low = (uint16_t)timestamp,
					   .sequence = sequence};

		if (!number_take(worker->media, egress, &last, first))
			continue;
		/* E1, pairs with E2: who takes the next turn sees the numbers of those before. */
		if (!atomic_compare_exchange_strong_explicit(&egress->map, &map.word, next.word,
							     memory_order_acq_rel,
							     memory_order_relaxed))
			continue;
		atomic_store_explicit(&egress->last, first.word, memory_order_relaxed);
		atomic_store_explicit(voice, egress_voice(leg, next.turn), memory_order_relaxed);
		numbers->sequence = sequence;
		numbers->timestamp = timestamp;
		numbers->first = 1;
		return PACKET_PENDING;
	}
	return STW_DROP_SUPERSEDED;
}

void
egress_init(struct stw_media *media, uint32_t leg, uint64_t now_ns)
{
	struct leg_egress *egress = &media->egresses[leg];
	union egress_map map = {atomic_load_explicit(&egress->map, memory_order_relaxed)};
	uint32_t timestamp = plane_random(media), ticks = egress_ticks(now_ns);
	union egress_last last = {.clock = timestamp - ticks,
				  .timestamp_low = (uint16_t)timestamp,
				  .sequence = (uint16_t)plane_random(media)};

	media->routes[leg].ssrc = plane_random(media);
	atomic_store_explicit(&media->routes[leg].speaker, 0, memory_order_relaxed);
	/* A row that no leg has used is only read, and so takes no memory. */
	if (atomic_load_explicit(&media->plays[leg].speaking, memory_order_relaxed))
		atomic_store_explicit(&media->plays[leg].speaking, 0, memory_order_relaxed);
	/* Voices of the slot's former leg have older turns. */
	map = (union egress_map){.turn = (uint16_t)(map.turn + 1)};
	atomic_store_explicit(&egress->map, map.word, memory_order_relaxed);
	atomic_store_explicit(&egress->last, last.word, memory_order_relaxed);
}
