/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Silence: legs whose party sends nothing any more, or nothing to be heard (quiet.c).
 *
 * A bounded sweep: each worker looks at its own legs (slot modulo workers) in turn, as many a turn as
 * are needed to see each once in SILENCE_ROUND_NS, at most SILENCE_LEGS. So silence is told at most
 * a round late while turns come often enough; nothing ever walks over all legs at once.
 */
#include "stages.h"

#include "media/plane.h"

/** Nanoseconds in which each leg is looked at once. */
#define SILENCE_ROUND_NS UINT64_C(250000000)

/** Most legs looked at in one turn. */
#define SILENCE_LEGS 32

static void
leg_listen(struct worker *worker, uint32_t leg)
{
	struct stw_media *media = worker->media;
	struct leg_play *play = &media->plays[leg];
	uint64_t silent_ns, heard_ns;

	quiet_look(worker, leg);
	silent_ns = atomic_load_explicit(&media->routes[leg].silent_ns, memory_order_relaxed);
	if (!silent_ns)
		return;
	heard_ns = atomic_load_explicit(&media->intakes[leg].heard_ns, memory_order_relaxed);
	if (worker->now_ns < heard_ns || worker->now_ns - heard_ns < silent_ns ||
	    play->silence_told_ns == heard_ns + 1)
		return;
	play->silence_told_ns = heard_ns + 1;
	events_tell_leg(worker, leg, &(struct stw_media_event){.type = STW_MEDIA_EVENT_SILENT});
}

void
silence_turn(struct worker *worker)
{
	struct stw_media *media = worker->media;
	uint64_t passed_ns = worker->now_ns - worker->sweep_ns;
	uint32_t top, legs, share;

	worker->sweep_ns = worker->now_ns;
	if (!atomic_load_explicit(&media->legs_silence, memory_order_relaxed))
		return;
	top = atomic_load_explicit(&media->legs_top, memory_order_relaxed);
	share = top / media->workers_count + 1;
	if (passed_ns > SILENCE_ROUND_NS)
		passed_ns = SILENCE_ROUND_NS;
	worker->sweep_credit += passed_ns * share;
	legs = worker->sweep_credit / SILENCE_ROUND_NS < SILENCE_LEGS
		       ? (uint32_t)(worker->sweep_credit / SILENCE_ROUND_NS)
		       : SILENCE_LEGS;
	worker->sweep_credit -= legs * SILENCE_ROUND_NS;
	/* What a stalled worker owes is not made up for at once. */
	if (worker->sweep_credit > SILENCE_LEGS * SILENCE_ROUND_NS)
		worker->sweep_credit = SILENCE_LEGS * SILENCE_ROUND_NS;
	for (uint32_t i = 0; i < legs; i++) {
		if (worker->sweep_next > top)
			worker->sweep_next = worker->index;
		if (worker->sweep_next && worker->sweep_next <= top)
			leg_listen(worker, worker->sweep_next);
		worker->sweep_next += media->workers_count;
	}
}

uint64_t
silence_due(const struct worker *worker)
{
	struct stw_media *media = worker->media;
	uint32_t share;

	if (!atomic_load_explicit(&media->legs_silence, memory_order_relaxed))
		return UINT64_MAX;
	share = atomic_load_explicit(&media->legs_top, memory_order_relaxed) /
			media->workers_count +
		1;
	return worker->sweep_ns +
	       SILENCE_ROUND_NS * SILENCE_LEGS / RTE_MAX(share, (uint32_t)SILENCE_LEGS);
}
