/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tables of mixes: made, freed, slots used again. All but the making under the mutex of control.
 *
 *  label  where           order    pairs with  without it
 *  X16    listed: read    acquire  X15         (turn.c) a slot is used again while it is in a list
 */
#include "mix.h"

#include <errno.h>

#include "media/memory.h"
#include "media/plane.h"

/** Mixes that a packet plane may have, and legs in them. */
#define MIXES_MAX    1000000u
#define MIX_LEGS_MAX 4000000u

/** Legs in mixes for each mix, if the description does not say. */
#define MIX_LEGS_EACH 4

/** Mixes and inputs freed in one call: a bound for who holds the mutex. */
#define MIX_RECLAIM_BURST 4096

static_assert(MIX_LEGS_MAX <= MIX_SLOT_MASK, "an input has a place in a place's word");

static uint32_t
inputs_wanted(const struct stw_media_config *config)
{
	return config->mix_legs_max ? config->mix_legs_max : MIX_LEGS_EACH * config->mixes_max;
}

bool
mixes_config_is_valid(const struct stw_media_config *config)
{
	return config->mixes_max <= MIXES_MAX && config->mix_legs_max <= MIX_LEGS_MAX &&
	       (config->mixes_max || !config->mix_legs_max);
}

/** All slots free, the lowest on top. */
static void
slots_free(uint32_t *slots, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		slots[i] = count - i;
}

int
mixes_init(struct stw_media *media, const struct stw_media_config *config)
{
	struct mixes *mixes = &media->mixes;

	mixes->mixes_max = config->mixes_max;
	mixes->inputs_max = inputs_wanted(config);
	mixes->legs_slots = media->legs_slots;
	/* Pages that are never touched cost nothing, so rows of legs that never join do not. */
	mixes->legs = memory_map(sizeof(*mixes->legs) * mixes->legs_slots);
	mixes->mixes = memory_map(sizeof(*mixes->mixes) * (mixes->mixes_max + 1));
	mixes->inputs = memory_map(sizeof(*mixes->inputs) * ((size_t)mixes->inputs_max + 1));
	mixes->mixes_free = memory_map(sizeof(uint32_t) * (mixes->mixes_max + 1));
	mixes->inputs_free = memory_map(sizeof(uint32_t) * ((size_t)mixes->inputs_max + 1));
	if (!mixes->legs || !mixes->mixes || !mixes->inputs || !mixes->mixes_free ||
	    !mixes->inputs_free)
		return -ENOMEM;
	slots_free(mixes->mixes_free, mixes->mixes_max);
	slots_free(mixes->inputs_free, mixes->inputs_max);
	mixes->mixes_free_count = mixes->mixes_max;
	mixes->inputs_free_count = mixes->inputs_max;
	return 0;
}

void
mixes_destroy(struct stw_media *media)
{
	struct mixes *mixes = &media->mixes;

	memory_unmap(mixes->legs, sizeof(*mixes->legs) * mixes->legs_slots);
	memory_unmap(mixes->mixes, sizeof(*mixes->mixes) * (mixes->mixes_max + 1));
	memory_unmap(mixes->inputs, sizeof(*mixes->inputs) * ((size_t)mixes->inputs_max + 1));
	memory_unmap(mixes->mixes_free, sizeof(uint32_t) * (mixes->mixes_max + 1));
	memory_unmap(mixes->inputs_free, sizeof(uint32_t) * ((size_t)mixes->inputs_max + 1));
}

static void
inputs_reclaim(struct stw_media *media)
{
	struct mixes *mixes = &media->mixes;

	for (unsigned i = 0; i < MIX_RECLAIM_BURST && mixes->inputs_given_up; i++) {
		uint32_t slot = mixes->inputs_given_up;

		if (!plane_passed(media, mixes->inputs[slot].token))
			return;
		mixes->inputs_given_up = mixes->inputs[slot].following;
		if (!mixes->inputs_given_up)
			mixes->inputs_given_up_end = 0;
		mixes->inputs_free[mixes->inputs_free_count++] = slot;
	}
}

void
mixes_reclaim(struct stw_media *media)
{
	struct mixes *mixes = &media->mixes;
	uint32_t *link = &mixes->mixes_removed;

	inputs_reclaim(media);
	for (unsigned i = 0; i < MIX_RECLAIM_BURST && *link; i++) {
		uint32_t slot = *link;
		struct mix *mix = &mixes->mixes[slot];

		/* X16, pairs with X15: its worker has let it go. */
		if (atomic_load_explicit(&mix->turn.listed, memory_order_acquire) ||
		    !plane_passed(media, mix->token)) {
			link = &mix->following;
			continue;
		}
		*link = mix->following;
		mixes->mixes_free[mixes->mixes_free_count++] = slot;
	}
}

uint32_t
mixes_count(const struct stw_media *media)
{
	const struct mixes *mixes = &media->mixes;
	uint32_t removed = 0;

	for (uint32_t slot = mixes->mixes_removed; slot; slot = mixes->mixes[slot].following)
		removed++;
	return mixes->mixes_max - mixes->mixes_free_count - removed;
}

uint32_t
mix_leg_input(const struct stw_media *media, uint32_t leg)
{
	return atomic_load_explicit(&media->mixes.legs[leg].input, memory_order_relaxed);
}

uint64_t
mix_leg_sent(const struct stw_media *media, uint32_t leg)
{
	struct mix_input *input = &media->mixes.inputs[mix_leg_input(media, leg)];

	/* Slot 0 has sent nothing. */
	return atomic_load_explicit(&input->source.numbers[MIX_SENT], memory_order_relaxed);
}

/** A mix in use: its places, its matrix and its legs' rows agree; the number of its legs. */
static uint32_t
mix_check(struct stw_media *media, uint32_t slot)
{
	struct mix *mix = &media->mixes.mixes[slot];
	uint32_t legs = 0;

	STW_ASSERT(mix->matrix == roles_matrix(mix->seats));
	STW_ASSERT(media->sessions[mix->session].mix == slot);
	for (unsigned place = 0; place < MIX_PLACES; place++) {
		uint64_t word = mix->places[place];
		uint32_t leg = mix_place_leg(word);
		union leg_traits traits;

		STW_ASSERT(!word == !mix->seats[place].leg);
		if (!word)
			continue;
		legs++;
		STW_ASSERT(mix->seats[place].leg == media->cards[leg].handle);
		STW_ASSERT(mix_leg_input(media, leg) == mix_place_input(word));
		STW_ASSERT(media->mixes.legs[leg].mix == slot);
		traits.word =
			atomic_load_explicit(&media->routes[leg].traits, memory_order_relaxed);
		STW_ASSERT(traits.features & LEG_MIX);
		rtp_conceal_check(&media->mixes.inputs[mix_place_input(word)].conceal);
	}
	return legs;
}

void
mixes_check(struct stw_media *media)
{
	struct mixes *mixes = &media->mixes;
	uint32_t inputs = mixes->inputs_free_count, used = mixes->mixes_free_count;

	for (uint32_t slot = 1; slot <= mixes->mixes_max; slot++) {
		if (!mixes->mixes[slot].used)
			continue;
		inputs += mix_check(media, slot);
		used++;
	}
	for (uint32_t slot = mixes->mixes_removed; slot; slot = mixes->mixes[slot].following)
		used++;
	for (uint32_t slot = mixes->inputs_given_up; slot; slot = mixes->inputs[slot].following)
		inputs++;
	STW_ASSERT(inputs == mixes->inputs_max);
	STW_ASSERT(used == mixes->mixes_max);
}
