/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calendars of the engine.
 *
 * A calendar's word is a note of what its hours say: open or not, and the second of Unix time until which that
 * holds. Before that second a hot call reads the word and is done. From it on, a hot call works the answer out from the
 * hours, so a queue opens and closes at the very instant, whether time was advanced or not; and an advance writes the
 * next note, which takes longer, as it looks for the next change.
 *
 * A queue's steps go by the note alone, as of the last advance: who picks an agent for a contact and who picks a contact
 * for an agent must see the same. The advance that turns a note then matches the contacts of the queues whose steps go
 * by it; should it stop before, the sweep comes to each waiting contact in its turn (timers.c).
 *
 * I1  A note is true to the hours and the clock that were published before it.
 *     The word has a version. A note is written by a compare-exchange from the word read *before* the hours and the clock
 *     were read. Who publishes other hours, or sets the clock, then writes a note that is due at once, with another version:
 *     a note made from what was there before fails against it.
 * I2  The note goes forward in time only, but for a change of hours or clock: it is written only when the old one
 *     is due. A call whose now_ns lies a little before another thread's may see that thread's note.
 *
 * Overlaps: everything with everything; definitions hold the configuration lock. Hours are read in
 * read-side sections and freed after a grace period.
 *
 * Progress: a hot call reads a word and perhaps some hours; a failed compare-exchange means that another thread has
 * written a note: wait-free (bound: the openings of one day; of STW_CALENDAR_DAYS_AHEAD days in an advance).
 *
 *  label  where                           order    pairs with  without it
 *  K1     writing a note                  acq_rel  K2          a note that is new, the hours or clock of before
 *  K2     reading a note                  acquire  K1          same, seen from the reader
 *  K3     publishing hours                release  K4          half-written hours are read
 *  K4     reading the pointer to them     acquire  K3          same, seen from the reader
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

#define SECOND_NS INT64_C(1000000000)

/* The word: version 22 | second + WORD_BIAS 41 | open 1. A word of 0 is due at any time. */
#define WORD_SECOND_SHIFT  1
#define WORD_VERSION_SHIFT 42
#define WORD_SECOND_MASK   ((UINT64_C(1) << 41) - 1)
#define WORD_BIAS          (INT64_C(1) << 40)
#define WORD_OPEN          UINT64_C(1)

static int64_t
word_second(uint64_t word)
{
	return (int64_t)(word >> WORD_SECOND_SHIFT & WORD_SECOND_MASK) - WORD_BIAS;
}

static uint64_t
word_after_with(uint64_t word, int64_t until_s, bool open)
{
	return ((word >> WORD_VERSION_SHIFT) + 1) << WORD_VERSION_SHIFT |
	       (uint64_t)(until_s + WORD_BIAS) << WORD_SECOND_SHIFT | (open ? WORD_OPEN : 0);
}

static uint64_t
note_read(const struct acd_calendar *calendar)
{
	/* K2, pairs with K1 */
	return atomic_load_explicit(&calendar->word, memory_order_acquire);
}

static bool
note_write(struct acd_calendar *calendar, uint64_t from, uint64_t to)
{
	/* K1, pairs with K2 */
	return atomic_compare_exchange_strong_explicit(&calendar->word, &from, to,
						       memory_order_acq_rel, memory_order_relaxed);
}

/* A note that is due at once, after hours or the clock have changed. Steps go by the old one till then. */
static void
note_void(struct acd_calendar *calendar)
{
	uint64_t word;

	do
		word = note_read(calendar);
	while (!note_write(calendar, word, word_after_with(word, -WORD_BIAS, word & WORD_OPEN)));
}

static struct acd_calendar_description *
description_of(const struct acd_calendar *calendar)
{
	/* K4, pairs with K3 */
	return atomic_load_explicit(&calendar->description, memory_order_acquire);
}

static void
description_publish(struct acd_calendar *calendar, struct acd_calendar_description *new)
{
	/* K3, pairs with K4 */
	atomic_store_explicit(&calendar->description, new, memory_order_release);
}

/* Second of Unix time, rounded down. */
static int64_t
unix_second(const struct stw_acd *acd, uint64_t now_ns)
{
	int64_t unix_ns = (int64_t)(now_ns < ACD_NOW_MAX ? now_ns : ACD_NOW_MAX) +
			  atomic_load_explicit(&acd->unix_ns_at_zero, memory_order_relaxed);

	return unix_ns / SECOND_NS - (unix_ns % SECOND_NS < 0);
}

/* Host's clock at a second of Unix time; UINT64_MAX: beyond its range. */
static uint64_t
host_time(const struct stw_acd *acd, int64_t unix_s)
{
	int64_t zero_ns = atomic_load_explicit(&acd->unix_ns_at_zero, memory_order_relaxed);
	int64_t now_ns;

	if (__builtin_mul_overflow(unix_s, SECOND_NS, &now_ns) ||
	    __builtin_sub_overflow(now_ns, zero_ns, &now_ns) || now_ns > (int64_t)ACD_NOW_MAX)
		return UINT64_MAX;
	return now_ns > 0 ? (uint64_t)now_ns : 0;
}

/* Slot of a calendar of a tenant; under the configuration lock. */
int
acd_calendar_slot(struct stw_acd *acd, struct stw_calendar handle, uint32_t tenant, uint32_t *k)
{
	uint32_t slot = (uint32_t)handle.id;

	*k = ACD_CALENDAR_NONE;
	if (!handle.id)
		return 0;
	if (slot >= acd->config.calendars_max ||
	    names_owner(&acd->calendar_names, slot) != tenant ||
	    acd->calendars[slot].generation != handle.id >> 32)
		return -ESTALE;
	*k = slot;
	return 0;
}

/* Whether a calendar is open; inside of a read-side section, of one that is defined. */
bool
acd_calendar_open(struct stw_acd *acd, uint32_t k, uint64_t now_ns)
{
	const struct acd_calendar *calendar;
	uint64_t word;
	int64_t unix_s;

	if (k == ACD_CALENDAR_NONE)
		return true;
	calendar = &acd->calendars[k];
	word = note_read(calendar);
	unix_s = unix_second(acd, now_ns);
	if (unix_s < word_second(word))
		return word & WORD_OPEN;
	return hours_open(&description_of(calendar)->hours, unix_s);
}

/* Whether it is open as of the last advance. */
bool
acd_calendar_noted(struct stw_acd *acd, uint32_t k)
{
	return k == ACD_CALENDAR_NONE || note_read(&acd->calendars[k]) & WORD_OPEN;
}

/* How often a queue and its steps go by a calendar. */
uint32_t
acd_calendar_uses(const struct acd_queue_description *queue, uint32_t k)
{
	uint32_t uses = queue->calendar == k;

	for (uint32_t i = 0; i < queue->steps_count; i++)
		uses += queue->steps[i].calendar == k;
	return uses;
}

/* A calendar has opened or closed: steps that go by it may have agents for contacts that wait. */
static void
steps_turned(struct stw_acd *acd, uint32_t k, uint64_t now_ns, struct acd_todo *todo)
{
	/* F1, pairs with F1: the note comes before the search for contacts. */
	sync_fence_full();
	for (uint32_t q = 0; q < acd->config.queues_max; q++) {
		const struct acd_queue_description *queue = acd_queue_description(acd, q);

		if (!queue || acd_calendar_uses(queue, k) == (queue->calendar == k))
			continue;
		acd_review_ask(acd, q);
		for (uint32_t i = 0; i < queue->steps_count; i++)
			for (uint32_t lane = 0; lane < queue->steps[i].lanes_count; lane++)
				acd_match_set(acd, queue->steps[i].lanes[lane].set, now_ns, todo);
	}
	acd_match_run(acd, todo, now_ns);
}

/* Write the note anew if it is due; returns the second until which it holds. */
static int64_t
calendar_advance(struct stw_acd *acd, uint32_t k, uint64_t now_ns, struct acd_todo *todo)
{
	struct acd_calendar *calendar = &acd->calendars[k];
	uint64_t word = note_read(calendar);
	uint64_t next;
	const struct acd_calendar_description *description = description_of(calendar);
	int64_t unix_s = unix_second(acd, now_ns);
	int64_t until_s;

	if (!description)
		return INT64_MAX;
	if (unix_s < word_second(word))
		return word_second(word);
	until_s = hours_change(&description->hours, unix_s);
	if (until_s == INT64_MAX)
		until_s = unix_s + (int64_t)STW_CALENDAR_DAYS_AHEAD * 86400;
	next = word_after_with(word, until_s, hours_open(&description->hours, unix_s));
	if (note_write(calendar, word, next) && (word ^ next) & WORD_OPEN)
		steps_turned(acd, k, now_ns, todo);
	return until_s;
}

/* Write the notes that are due; returns the host's time of the next that will be. Inside of a read-side
 * section. */
uint64_t
acd_calendars_advance(struct stw_acd *acd, uint64_t now_ns, struct acd_todo *todo)
{
	uint32_t end = atomic_load_explicit(&acd->calendars_end, memory_order_relaxed);
	int64_t next_s = INT64_MAX;
	uint64_t next_ns;

	for (uint32_t k = 0; k < end; k++) {
		int64_t until_s = calendar_advance(acd, k, now_ns, todo);

		next_s = until_s < next_s ? until_s : next_s;
	}
	next_ns = host_time(acd, next_s);
	return next_ns > now_ns ? next_ns : now_ns;
}

int
stw_acd_clock_set(struct stw_acd *acd, int64_t unix_ns_at_zero)
{
	if (unix_ns_at_zero >= (int64_t)ACD_NOW_MAX || unix_ns_at_zero <= -(int64_t)ACD_NOW_MAX)
		return -EINVAL;
	control_lock_take(&acd->lock);
	/* Seen with the notes that follow: K1, K2. */
	atomic_store_explicit(&acd->unix_ns_at_zero, unix_ns_at_zero, memory_order_relaxed);
	for (uint32_t k = 0; k < acd->config.calendars_max; k++)
		note_void(&acd->calendars[k]);
	control_lock_leave(&acd->lock);
	return 0;
}

static void
description_free(struct acd_calendar_description *description)
{
	if (!description)
		return;
	hours_free(&description->hours);
	free(description);
}

/* A description as the config says. */
static int
description_create(struct acd_calendar_description **out, const struct stw_calendar_config *config,
		   const char *name, uint32_t generation)
{
	struct acd_calendar_description *description = calloc(1, sizeof(*description));
	int error;

	if (!description)
		return -ENOMEM;
	error = hours_init(&description->hours, config);
	if (error) {
		free(description);
		return error;
	}
	description->generation = generation;
	memcpy(description->name, name, strlen(name) + 1);
	*out = description;
	return 0;
}

static int
calendar_define(struct stw_acd *acd, const struct stw_calendar_config *config,
		struct stw_calendar *handle)
{
	struct acd_calendar_description *description;
	struct acd_calendar *calendar;
	uint32_t tenant;
	uint32_t k = 0;
	int error = acd_tenant_slot(acd, config->tenant, &tenant);

	if (error)
		return error;
	if (names_find(&acd->calendar_names, tenant, config->name) != NAMES_NONE)
		return -EEXIST;
	while (k < acd->config.calendars_max && names_owner(&acd->calendar_names, k) != NAMES_NONE)
		k++;
	if (k == acd->config.calendars_max)
		return -ENOSPC;
	calendar = &acd->calendars[k];
	error = description_create(&description, config, config->name,
				   calendar->generation + 1 + (calendar->generation == UINT32_MAX));
	if (error)
		return error;
	calendar->generation = description->generation;
	names_add(&acd->calendar_names, tenant, k, config->name);
	description_publish(calendar, description);
	note_void(calendar);
	if (k >= atomic_load_explicit(&acd->calendars_end, memory_order_relaxed))
		atomic_store_explicit(&acd->calendars_end, k + 1, memory_order_relaxed);
	handle->id = acd_handle(k, calendar->generation);
	return 0;
}

int
stw_calendar_define(struct stw_acd *acd, const struct stw_calendar_config *config,
		    struct stw_calendar *calendar)
{
	int error;

	if (config->struct_size < sizeof(*config) || !names_valid(config->name) ||
	    hours_config_check(config))
		return -EINVAL;
	control_lock_take(&acd->lock);
	error = calendar_define(acd, config, calendar);
	control_lock_leave(&acd->lock);
	return error;
}

/* Find a calendar of any tenant; under the configuration lock. */
static int
calendar_find(struct stw_acd *acd, struct stw_calendar handle, uint32_t *k)
{
	uint32_t slot = (uint32_t)handle.id;

	if (!handle.id || slot >= acd->config.calendars_max ||
	    !description_of(&acd->calendars[slot]) ||
	    acd->calendars[slot].generation != handle.id >> 32)
		return -ESTALE;
	*k = slot;
	return 0;
}

static int
calendar_update(struct stw_acd *acd, uint32_t k, const struct stw_calendar_config *config,
		struct acd_calendar_description **old)
{
	struct acd_calendar *calendar = &acd->calendars[k];
	struct acd_calendar_description *new;
	uint32_t tenant;
	int error = acd_tenant_slot(acd, config->tenant, &tenant);

	*old = description_of(calendar);
	if (error || tenant != names_owner(&acd->calendar_names, k) ||
	    (config->name && strcmp(config->name, (*old)->name)))
		return -EINVAL;
	error = description_create(&new, config, (*old)->name, (*old)->generation);
	if (error)
		return error;
	description_publish(calendar, new);
	note_void(calendar);
	return 0;
}

int
stw_calendar_update(struct stw_acd *acd, struct stw_calendar calendar,
		    const struct stw_calendar_config *config)
{
	struct acd_calendar_description *old;
	uint32_t k;
	int error;

	if (config->struct_size < sizeof(*config) || hours_config_check(config))
		return -EINVAL;
	control_lock_take(&acd->lock);
	error = calendar_find(acd, calendar, &k);
	if (!error)
		error = calendar_update(acd, k, config, &old);
	if (!error) {
		reclaim_wait();
		description_free(old);
	}
	control_lock_leave(&acd->lock);
	return error;
}

static void
calendar_remove(struct stw_acd *acd, uint32_t k)
{
	struct acd_calendar_description *old = description_of(&acd->calendars[k]);

	description_publish(&acd->calendars[k], NULL);
	names_remove(&acd->calendar_names, k);
	reclaim_wait();
	description_free(old);
}

int
stw_calendar_remove(struct stw_acd *acd, struct stw_calendar calendar)
{
	uint32_t k;
	int error;

	control_lock_take(&acd->lock);
	error = calendar_find(acd, calendar, &k);
	if (!error && acd->calendars[k].users)
		error = -EBUSY;
	if (!error)
		calendar_remove(acd, k);
	control_lock_leave(&acd->lock);
	return error;
}

int
stw_calendar_find(struct stw_acd *acd, struct stw_tenant tenant, const char *name,
		  struct stw_calendar *calendar)
{
	uint32_t k;
	int error;

	control_lock_take(&acd->lock);
	error = config_name_find(acd, &acd->calendar_names, tenant, name, &k);
	if (!error)
		calendar->id = acd_handle(k, acd->calendars[k].generation);
	control_lock_leave(&acd->lock);
	return error;
}

int
stw_calendar_status(struct stw_acd *acd, struct stw_calendar calendar, uint64_t now_ns,
		    struct stw_calendar_status *status)
{
	const struct acd_calendar_description *description;
	uint32_t slot = (uint32_t)calendar.id;
	int64_t change_s;
	int64_t unix_s;

	if (now_ns > ACD_NOW_MAX)
		return -EINVAL;
	if (!calendar.id) {
		*status = (struct stw_calendar_status){.open = 1, .change_ns = UINT64_MAX};
		return 0;
	}
	if (slot >= acd->config.calendars_max)
		return -ESTALE;
	reclaim_enter();
	description = description_of(&acd->calendars[slot]);
	if (!description || description->generation != calendar.id >> 32) {
		reclaim_exit();
		return -ESTALE;
	}
	unix_s = unix_second(acd, now_ns);
	change_s = hours_change(&description->hours, unix_s);
	status->open = hours_open(&description->hours, unix_s);
	status->change_ns = host_time(acd, change_s);
	reclaim_exit();
	return 0;
}

void
acd_calendars_free(struct stw_acd *acd)
{
	for (uint32_t k = 0; k < acd->config.calendars_max; k++)
		description_free(description_of(&acd->calendars[k]));
}

/* Queues have calendars that there are, of their own tenant; a note says what its hours say. */
void
acd_calendars_check(struct stw_acd *acd)
{
	for (uint32_t k = 0; k < acd->config.calendars_max; k++) {
		const struct acd_calendar_description *description =
			description_of(&acd->calendars[k]);
		uint64_t word = note_read(&acd->calendars[k]);
		uint32_t users = 0;

		for (uint32_t q = 0; q < acd->queues_end; q++) {
			const struct acd_queue_description *queue = acd_queue_description(acd, q);

			if (!queue || !acd_calendar_uses(queue, k))
				continue;
			users += acd_calendar_uses(queue, k);
			STW_ASSERT(names_owner(&acd->calendar_names, k) == queue->tenant);
		}
		STW_ASSERT(users == acd->calendars[k].users);
		STW_ASSERT(description || !users);
		if (description && word_second(word) > -WORD_BIAS)
			STW_ASSERT(hours_open(&description->hours, word_second(word) - 1) ==
				   (word & WORD_OPEN));
	}
}
