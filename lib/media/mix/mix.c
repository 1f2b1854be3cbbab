/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mixes: made, changed and removed while packets flow. All under the mutex of control.
 *
 * A leg that joins gets its input first, then its place, then what it hears, then LEG_MIX: from then on its packets
 * are mixed. One that leaves goes the other way. So the matrix says nothing of a place that is not taken.
 *
 *  label  where                       order    pairs with  without it
 *  X1     input: written              release  X2          (input.c) an input is used before it is filled
 *  X10    places: written             release  X9          (turn.c) an unfilled input is met
 *  X12    matrix: written             release  X11         (turn.c) a place goes by its former leg's role
 *  X14    asked: pushed               release  X13         (turn.c) a new mix is met before it is filled
 *  X16    listed: read                acquire  X15         (turn.c) a slot is used again while it is in a list
 */
#include "mix.h"

#include <errno.h>

#include "media/plane.h"

#define MIX_DELAY_MS     40
#define MIX_DELAY_MS_MAX 120
#define SAMPLES_PER_MS   (RTP_FRAME_SAMPLES / MIX_FRAME_MS)

static uint32_t
mix_find(const struct stw_media *media, struct stw_mix mix)
{
	uint32_t slot = handle_slot(mix.id);

	if (slot == 0 || slot > media->mixes.mixes_max || mix.id >> 32 == 0 ||
	    !atomic_load_explicit(&media->mixes.mixes[slot].used, memory_order_relaxed) ||
	    media->mixes.mixes[slot].generation != mix.id >> 32)
		return 0;
	return slot;
}

static uint64_t
leg_handle(const struct stw_media *media, uint32_t leg)
{
	return atomic_load_explicit(&media->cards[leg].handle, memory_order_relaxed);
}

/** Place of a leg by its handle, or a free one for 0; MIX_PLACES when there is none. */
static unsigned
place_find(const struct mix *mix, uint64_t leg)
{
	unsigned place = 0;

	while (place < MIX_PLACES && mix->seats[place].leg != leg)
		place++;
	return place;
}

static bool
leg_config_is_valid(const struct stw_mix_leg_config *config)
{
	return config->struct_size >= sizeof(*config) &&
	       (unsigned)config->role < STW_MIX_ROLE_COUNT &&
	       (config->role == STW_MIX_WHISPERER || !config->to.id) &&
	       (!config->to.id || config->to.id != config->leg.id);
}

static void
matrix_publish(struct mix *mix)
{
	/* X12, pairs with X11: who sees it sees the places that it is about, or newer ones. */
	atomic_store_explicit(&mix->matrix, roles_matrix(mix->seats), memory_order_release);
}

/** Tell workers whether a leg is in a mix. */
static void
leg_feature_set(struct stw_media *media, uint32_t leg, bool mixed)
{
	struct leg_route *route = &media->routes[leg];
	union leg_traits traits = {atomic_load_explicit(&route->traits, memory_order_relaxed)};

	traits.features = mixed ? traits.features | LEG_MIX : traits.features & (uint16_t)~LEG_MIX;
	atomic_store_explicit(&route->traits, traits.word, memory_order_relaxed);
	kernel_leg_follow(media, leg);
}

/** Take an input and make it ready. There is one (inputs_free_count). */
static uint32_t
input_take(struct mixes *mixes, const struct mix *mix)
{
	uint32_t slot = mixes->inputs_free[--mixes->inputs_free_count];
	struct mix_input *input = &mixes->inputs[slot];

	memset(&input->queue, 0, sizeof(input->queue));
	memset(&input->source, 0, sizeof(input->source));
	rtp_conceal_init(&input->conceal, mix->delay);
	return slot;
}

/** Give an input up: it is free when no worker sees it. */
static void
input_give_up(struct stw_media *media, uint32_t slot)
{
	struct mixes *mixes = &media->mixes;

	mixes->inputs[slot].token = rte_rcu_qsbr_start(media->rcu);
	mixes->inputs[slot].following = 0;
	if (mixes->inputs_given_up_end)
		mixes->inputs[mixes->inputs_given_up_end].following = slot;
	else
		mixes->inputs_given_up = slot;
	mixes->inputs_given_up_end = slot;
}

/** Put a leg that is in no mix into one; it hears nobody yet. */
static void
leg_join(struct stw_media *media, uint32_t slot, uint32_t leg)
{
	struct mixes *mixes = &media->mixes;
	struct mix *mix = &mixes->mixes[slot];
	uint32_t input = input_take(mixes, mix);
	unsigned place = place_find(mix, 0);
	union leg_traits traits = {
		atomic_load_explicit(&media->routes[leg].traits, memory_order_relaxed)};

	STW_ASSERT(place < MIX_PLACES);
	mix->seats[place] = (struct mix_seat){
		.leg = leg_handle(media, leg), .role = STW_MIX_HELD, .side = traits.side};
	mixes->legs[leg].mix = slot;
	/* X10, pairs with X9: the input is seen as we filled it. */
	atomic_store_explicit(&mix->places[place],
			      (uint64_t)++mix->serial << 48 | (uint64_t)input << MIX_SLOT_BITS |
				      leg,
			      memory_order_release);
	/* X1, pairs with X2: the same, for who receives. */
	atomic_store_explicit(&mixes->legs[leg].input, input, memory_order_release);
}

static void
seat_set(struct stw_media *media, struct mix *mix, const struct stw_mix_leg_config *config)
{
	struct mix_seat *seat = &mix->seats[place_find(mix, config->leg.id)];

	seat->role = config->role;
	seat->to = config->to.id;
	matrix_publish(mix);
	leg_feature_set(media, handle_slot(config->leg.id), true);
}

/** Add what a leg counted to what the mix remembers. */
static void
numbers_add(const struct mix_input *input, uint64_t numbers[MIX_NUMBERS], uint64_t *refused)
{
	for (unsigned i = 0; i < MIX_NUMBERS; i++)
		numbers[i] += atomic_load_explicit(&input->source.numbers[i], memory_order_relaxed);
	*refused += atomic_load_explicit(&input->queue.refused, memory_order_relaxed);
}

void
mix_leg_leave(struct stw_media *media, uint32_t leg)
{
	struct mixes *mixes = &media->mixes;
	uint32_t input = mix_leg_input(media, leg);
	struct mix *mix = &mixes->mixes[mixes->legs[leg].mix];
	uint64_t sent = mix_leg_sent(media, leg);
	unsigned place = 0;

	if (!input)
		return;
	while (mix_place_leg(atomic_load_explicit(&mix->places[place], memory_order_relaxed)) !=
	       leg)
		place++;
	leg_feature_set(media, leg, false);
	atomic_store_explicit(&mixes->legs[leg].input, 0, memory_order_relaxed);
	mix->seats[place] = (struct mix_seat){0};
	matrix_publish(mix);
	/* X10: after X12, so that a place is free only when the matrix says nothing of it. */
	atomic_store_explicit(&mix->places[place], 0, memory_order_release);
	numbers_add(&mixes->inputs[input], mix->former, &mix->former_refused);
	media->cards[leg].sent_before += sent;
	mixes->legs[leg].mix = 0;
	input_give_up(media, input);
}

/** Whether a leg may be put into a mix of a session; its slot, or a negative errno. */
static int
leg_may_join(const struct stw_media *media, uint32_t session,
	     const struct stw_mix_leg_config *config, uint32_t *leg)
{
	*leg = leg_find(media, config->leg);
	if (!*leg)
		return -ESTALE;
	if (handle_slot(media->cards[*leg].session) != session)
		return -EINVAL;
	return 0;
}

static int
legs_check(const struct stw_media *media, uint32_t session, const struct stw_mix_config *config)
{
	for (uint32_t i = 0; i < config->legs_count; i++) {
		const struct stw_mix_leg_config *one = &config->legs[i];
		bool target = !one->to.id;
		uint32_t leg;
		int error = leg_may_join(media, session, one, &leg);

		if (error < 0)
			return error;
		for (uint32_t j = 0; j < config->legs_count; j++) {
			target |= one->to.id == config->legs[j].leg.id;
			if (i != j && one->leg.id == config->legs[j].leg.id)
				return -EINVAL;
		}
		if (!target)
			return -ESTALE;
	}
	return 0;
}

/** Put a new mix into its worker's list of those to be looked at. */
static void
mix_ask_worker(struct stw_media *media, uint32_t slot)
{
	struct worker *worker = &media->workers[slot % media->workers_count];
	struct mix *mix = &media->mixes.mixes[slot];
	uint32_t first = atomic_load_explicit(&worker->mix_asked, memory_order_relaxed);

	atomic_store_explicit(&mix->turn.listed, 1, memory_order_relaxed);
	do {
		atomic_store_explicit(&mix->asked_next, first, memory_order_relaxed);
		/* X14, pairs with X13: the mix and the link are seen by who takes the list. */
	} while (!atomic_compare_exchange_weak_explicit(
		&worker->mix_asked, &first, slot, memory_order_release, memory_order_relaxed));
	worker_wake(worker);
}

static void
mix_fill(struct mix *mix, uint32_t session, const struct stw_mix_config *config, uint64_t now_ns)
{
	uint32_t delay_ms = config->delay_ms ? config->delay_ms : MIX_DELAY_MS;

	memset(mix->former, 0, sizeof(mix->former));
	memset(mix->seats, 0, sizeof(mix->seats));
	mix->former_refused = 0;
	mix->generation++;
	mix->session = session;
	mix->delay = (uint16_t)(delay_ms * SAMPLES_PER_MS);
	atomic_store_explicit(&mix->matrix, 0, memory_order_relaxed);
	atomic_store_explicit(&mix->start_ns, now_ns, memory_order_relaxed);
	atomic_store_explicit(&mix->turn.frames, 0, memory_order_relaxed);
	atomic_store_explicit(&mix->turn.late, 0, memory_order_relaxed);
	atomic_store_explicit(&mix->used, 1, memory_order_relaxed);
}

/** What a mix with so many legs needs is there. */
static bool
mixes_have(struct stw_media *media, uint32_t mixes, uint32_t legs)
{
	if (media->mixes.mixes_free_count < mixes || media->mixes.inputs_free_count < legs)
		mixes_reclaim(media);
	if (media->mixes.mixes_free_count >= mixes && media->mixes.inputs_free_count >= legs)
		return true;
	plane_refuse(media, STW_LIMIT_MIXES);
	return false;
}

static int
mix_add(struct stw_media *media, struct stw_session handle, const struct stw_mix_config *config,
	uint64_t now_ns, struct stw_mix *out)
{
	uint32_t session = session_find(media, handle), slot;
	struct mix *mix;
	int error;

	if (!session)
		return -ESTALE;
	error = legs_check(media, session, config);
	if (error < 0)
		return error;
	if (media->sessions[session].mix)
		return -EEXIST;
	if (!mixes_have(media, 1, config->legs_count))
		return -ENOSPC;
	slot = media->mixes.mixes_free[--media->mixes.mixes_free_count];
	mix = &media->mixes.mixes[slot];
	mix_fill(mix, session, config, now_ns);
	media->sessions[session].mix = slot;
	for (uint32_t i = 0; i < config->legs_count; i++)
		leg_join(media, slot, handle_slot(config->legs[i].leg.id));
	for (uint32_t i = 0; i < config->legs_count; i++)
		seat_set(media, mix, &config->legs[i]);
	mix_ask_worker(media, slot);
	out->id = handle_make(slot, mix->generation);
	return 0;
}

int
stw_mix_add(struct stw_media *media, struct stw_session session,
	    const struct stw_mix_config *config, uint64_t now_ns, struct stw_mix *mix)
{
	int error;

	if (config->struct_size < sizeof(*config) || config->delay_ms > MIX_DELAY_MS_MAX ||
	    config->legs_count > STW_SESSION_LEGS_MAX || (config->legs_count && !config->legs))
		return -EINVAL;
	for (uint32_t i = 0; i < config->legs_count; i++) {
		if (!leg_config_is_valid(&config->legs[i]))
			return -EINVAL;
	}
	plane_lock(media);
	error = mix_add(media, session, config, now_ns, mix);
	plane_unlock(media);
	return error;
}

static int
mix_leg(struct stw_media *media, struct stw_mix handle, const struct stw_mix_leg_config *config)
{
	uint32_t slot = mix_find(media, handle), leg;
	struct mix *mix = &media->mixes.mixes[slot];
	int error;

	if (!slot)
		return -ESTALE;
	error = leg_may_join(media, mix->session, config, &leg);
	if (error < 0)
		return error;
	if (config->to.id && place_find(mix, config->to.id) == MIX_PLACES)
		return -ESTALE;
	if (!mix_leg_input(media, leg)) {
		if (!mixes_have(media, 0, 1))
			return -ENOSPC;
		leg_join(media, slot, leg);
	}
	seat_set(media, mix, config);
	return 0;
}

int
stw_mix_leg(struct stw_media *media, struct stw_mix mix, const struct stw_mix_leg_config *config)
{
	int error;

	if (!leg_config_is_valid(config))
		return -EINVAL;
	plane_lock(media);
	error = mix_leg(media, mix, config);
	plane_unlock(media);
	return error;
}

int
stw_mix_leg_remove(struct stw_media *media, struct stw_mix handle, struct stw_leg leg)
{
	uint32_t slot, of;
	int error = -ESTALE;

	plane_lock(media);
	slot = mix_find(media, handle);
	of = leg_find(media, leg);
	if (slot && of && media->mixes.legs[of].mix == slot) {
		mix_leg_leave(media, of);
		error = 0;
	}
	plane_unlock(media);
	return error;
}

/** Take a mix away: its legs leave, and its worker takes it off its list. */
static void
mix_remove(struct stw_media *media, uint32_t slot)
{
	struct mix *mix = &media->mixes.mixes[slot];

	for (unsigned place = 0; place < MIX_PLACES; place++) {
		if (mix->seats[place].leg)
			mix_leg_leave(media, handle_slot(mix->seats[place].leg));
	}
	media->sessions[mix->session].mix = 0;
	atomic_store_explicit(&mix->used, 0, memory_order_relaxed);
	mix->token = rte_rcu_qsbr_start(media->rcu);
	mix->following = media->mixes.mixes_removed;
	media->mixes.mixes_removed = slot;
}

void
mix_session_leave(struct stw_media *media, uint32_t session)
{
	if (media->sessions[session].mix)
		mix_remove(media, media->sessions[session].mix);
}

int
stw_mix_remove(struct stw_media *media, struct stw_mix handle)
{
	uint32_t slot;

	plane_lock(media);
	slot = mix_find(media, handle);
	if (slot)
		mix_remove(media, slot);
	plane_unlock(media);
	return slot ? 0 : -ESTALE;
}

static void
stats_read(const struct stw_media *media, const struct mix *mix, struct stw_mix_stats *stats)
{
	uint64_t numbers[MIX_NUMBERS], refused = mix->former_refused;

	memcpy(numbers, mix->former, sizeof(numbers));
	memset(stats, 0, sizeof(*stats));
	for (unsigned place = 0; place < MIX_PLACES; place++) {
		if (!mix->seats[place].leg)
			continue;
		stats->legs++;
		numbers_add(&media->mixes.inputs[mix_leg_input(media,
							       handle_slot(mix->seats[place].leg))],
			    numbers, &refused);
	}
	stats->frames = atomic_load_explicit(&mix->turn.frames, memory_order_relaxed);
	stats->frames_late = atomic_load_explicit(&mix->turn.late, memory_order_relaxed);
	stats->frames_concealed = numbers[MIX_CONCEALED];
	stats->frames_dropped = numbers[MIX_DROPPED];
	stats->frames_inserted = numbers[MIX_INSERTED];
	stats->packets_late = numbers[MIX_LATE];
	stats->packets_refused = refused;
	stats->packets_sent = numbers[MIX_SENT];
	stats->packets_not_sent = numbers[MIX_NOT_SENT];
}

int
stw_mix_stats(struct stw_media *media, struct stw_mix mix, struct stw_mix_stats *stats)
{
	uint32_t slot;

	plane_lock(media);
	slot = mix_find(media, mix);
	if (slot)
		stats_read(media, &media->mixes.mixes[slot], stats);
	plane_unlock(media);
	return slot ? 0 : -ESTALE;
}
