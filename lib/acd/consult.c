/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Consultations, callbacks, leases: what the host tells of a contact beside its way through the queues.
 *
 * Who completes a consultation owns the first contact's other side (move.c), so its slot is not used again
 * before he has written which contact goes on.
 *
 * The callback mark carries its life's generation: a late writer of another life cannot be taken for this one's. It is
 * changed by compare-exchange after the handle was found valid, so he does not undo this life's either. When it
 * is taken back the contact waits on at a new version, whose timer knows its longest wait again.
 *
 * A renewal only moves the time on, and a thread that comes late with it brings an older time, which
 * changes nothing.
 */
#include "engine.h"

#include <errno.h>

bool
acd_contact_is_callback(const struct stw_acd *acd, uint32_t c)
{
	uint64_t generation = acd_field_read_32(&acd->contacts[c].generation);

	return acd_field_read(&acd->contacts[c].callback) == (generation << 1 | 1);
}

int
stw_contact_renew(struct stw_acd *acd, struct stw_contact contact, uint64_t now_ns)
{
	uint64_t word;
	uint32_t c;
	int error;

	reclaim_enter();
	error = acd_contact_find(acd, contact, &c, &word);
	if (!error && word_contact_over(word))
		error = -ESTALE;
	if (!error)
		acd_time_raise(&acd->contacts[c].renewed_ns, now_ns);
	reclaim_exit();
	return error;
}

/* Change the mark; -EAGAIN: another thread did, or the contact has gone on. */
static int
callback_mark(struct stw_acd *acd, struct stw_contact contact, uint8_t on, uint64_t now_ns,
	      struct acd_todo *todo)
{
	uint64_t mark = contact.id >> 32 << 1 | on;
	uint64_t word, old;
	uint32_t c;
	int error = acd_contact_settle(acd, contact, &c, &word, now_ns, todo);

	if (error)
		return error;
	if (word_state(word) == ACD_CONTACT_CONNECTED)
		return -EBUSY;
	old = acd_field_read(&acd->contacts[c].callback);
	if (acd_word_read(&acd->contacts[c].word) != word)
		return -EAGAIN;
	if (old != mark && !acd_word_change(&acd->contacts[c].callback, old, mark))
		return -EAGAIN;
	if (old != mark && on)
		acd_count(acd, acd_contact_queue(acd, c, word), ACD_COUNT_CALLBACKS, 1);
	/* For a journal the mark, too, is told by a word. */
	if ((on && !acd->config.journal) || word_state(word) != ACD_CONTACT_WAITING)
		return 0;
	return acd_contact_step(acd, c, word, word_step(word), now_ns, todo);
}

int
stw_contact_callback(struct stw_acd *acd, struct stw_contact contact, uint8_t on, uint64_t now_ns)
{
	struct acd_todo todo = {.count = 0};
	int error;

	if (on > 1)
		return -EINVAL;
	acd_interval_tick(acd, now_ns);
	reclaim_enter();
	do
		error = callback_mark(acd, contact, on, now_ns, &todo);
	while (error == -EAGAIN);
	acd_match_run(acd, &todo, now_ns);
	reclaim_exit();
	return error;
}

int
stw_contact_consult(struct stw_acd *acd, struct stw_contact contact,
		    const struct stw_contact_request *request, uint64_t now_ns,
		    struct stw_contact *second)
{
	struct acd_origin origin = {.partner = contact.id};
	struct acd_todo todo = {.count = 0};
	struct stw_contact handle;
	uint64_t word;
	uint32_t c;
	int error = acd_contact_request_check(request, now_ns);

	if (error)
		return error;
	acd_interval_tick(acd, now_ns);
	reclaim_enter();
	error = acd_contact_settle(acd, contact, &c, &word, now_ns, &todo);
	if (!error && word_state(word) != ACD_CONTACT_CONNECTED)
		error = -EBUSY;
	if (!error) {
		origin.enqueue_ns = acd_field_read(&acd->contacts[c].enqueue_ns);
		/* While the word is the same the time is this contact's. */
		error = acd_word_read(&acd->contacts[c].word) == word ? 0 : -ESTALE;
	}
	if (!error) {
		error = acd_contact_put(acd, request->queue, request, &origin, now_ns, &handle);
		error = error == -ESTALE ? -ENOENT : error;
	}
	acd_match_run(acd, &todo, now_ns);
	reclaim_exit();
	if (!error)
		*second = handle;
	return error;
}

/* Whether the second goes on for the first; -EINVAL: it has nothing to do with it. */
static int
second_check(struct stw_acd *acd, struct stw_contact contact, struct stw_contact second)
{
	uint64_t partner, word;
	uint32_t c;
	int error = acd_contact_find(acd, second, &c, &word);

	if (error || word_contact_over(word))
		return -ESTALE;
	partner = acd_field_read(&acd->contacts[c].partner);
	/* Its life, in which the partner does not change, is not over yet. */
	if (acd_contact_find(acd, second, &c, &word))
		return -ESTALE;
	return partner == contact.id ? 0 : -EINVAL;
}

/* Hand over, by the owner of the first contact's other side. */
static int
contact_complete(struct stw_acd *acd, struct stw_contact contact, struct stw_contact second,
		 uint64_t now_ns, struct acd_todo *todo)
{
	uint64_t word;
	uint32_t c;
	int error;

	do {
		error = second_check(acd, contact, second);
		if (!error)
			error = acd_contact_settle(acd, contact, &c, &word, now_ns, todo);
		if (!error && word_state(word) != ACD_CONTACT_CONNECTED)
			error = -EBUSY;
		if (!error) {
			acd_field_write(&acd->contacts[c].successor, second.id);
			error = acd_contact_end(acd, c, word, STW_CAUSE_TRANSFER, now_ns, todo);
		}
	} while (error == -EAGAIN);
	return error;
}

int
stw_contact_complete(struct stw_acd *acd, struct stw_contact contact, struct stw_contact second,
		     uint64_t now_ns)
{
	struct acd_todo todo = {.count = 0};
	uint64_t word;
	uint32_t c;
	int error;

	acd_interval_tick(acd, now_ns);
	reclaim_enter();
	error = acd_contact_settle(acd, contact, &c, &word, now_ns, &todo);
	if (!error)
		error = acd_contact_own(acd, c, contact.id >> 32);
	if (!error) {
		error = contact_complete(acd, contact, second, now_ns, &todo);
		acd_contact_slot_leave(acd, c, 0, ACD_RANKING);
	}
	acd_match_run(acd, &todo, now_ns);
	reclaim_exit();
	return error;
}
