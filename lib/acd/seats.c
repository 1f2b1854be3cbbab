/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Seats: an agent with several slots talks to some contacts while he is offered others.
 *
 * An offer holds the agent's word as ever (claim.c), so he is offered one at a time. Once the contact is
 * connected, the hold is parked in a seat and the word is READY again. With (c, k) the hold's claim:
 *  P1  parking  of an older claim    -> (c, k) in seat s         s seen EMPTY while the hold lasts
 *  P2  seat s   EMPTY                -> TAKEN by (c, k)          the hold lasts
 *  P3  agent    HOLD c, k            -> READY | NOT_READY        seat s seen TAKEN by (c, k)
 * and after the contact's word has become closing:
 *  P4  seat s   TAKEN by (c, k)      -> EMPTY | WRAP_UP          the hold seen to be over
 *  P5  contact  closing              -> FREE                     after 4
 *  P6  seat s   WRAP_UP              -> EMPTY                    by time, by ready, by logout
 * A contact that closes before P3 is parked all the same, so P4 finds every one; but see "growing".
 * Each step is one compare-exchange that any thread does for any other: acd_agent_settle parks who is connected
 * and finishes what is closing, acd_contact_finish does both for its contact.
 *
 * "The hold lasts" is read from the agent's word after what the compare-exchange starts from; what was asked for
 * meanwhile (after) may differ. A hold of (c, k) begins once (claim.c, I1), so seen twice it lasted between.
 *
 * S1  Parking is set for a claim at most once, and never to a value it had: its old value was read before
 *     the hold was seen to last, each later claim is held later, and it is (c, k) only by P1.
 * S2  A seat becomes TAKEN by (c, k) at most once, and only while the hold lasts: the EMPTY that P2 starts from was read
 *     before the hold was seen to last, and stamps never repeat. Were the hold over by then, it had ended by P3 (parking said
 *     s, so it was not released directly), after the seat was seen TAKEN: that EMPTY is gone.
 * S3  CONNECTED to a by (c, k) implies HOLD (c, k) or a seat TAKEN by it: P3 is done when the seat has it,
 *     P4 when the contact is closing. Both at once only between P2 and P3; so each contact counts once (P1 of the
 *     proofs), and P5 comes when neither is there, so a closing word still tells how the contact ended.
 * S4  While the agent's word is READY, one value of it, seats only become EMPTY: P2 needs a hold. So a channel seen to
 *     be open after that value was read is open still when the claim's compare-exchange from it succeeds.
 * S5  P1 finds an EMPTY seat: open means that there is one (the claim was made then), and none is taken before P2.
 *     If none is seen, another thread has done P1 and P2, and parking says so.
 *
 * Growing: an agent with one slot who gets several may hold at that moment, and threads that still read his old description
 * release him without a look at parking. So he gets seats at first, in which nobody parks (parks is 0), and
 * who releases him says DIRECT in parking before; after a grace period, when nobody reads the old description any more,
 * parks becomes 1. Between DIRECT and a seat parking decides (S1). Seats stay until he is removed.
 *
 * Logging out with contacts makes the word NOT_READY with STW_REASON_LOGOUT; who sees that ends his
 * wrap-ups, and when all seats are EMPTY, logs him out. In NOT_READY seats only become EMPTY (S4), so LOGGED_OUT
 * implies that they are.
 *
 * Nobody is missed: who empties a seat lists the agent (idle.c), fences, and looks for a contact, as who makes one
 * READY; who takes him off a channel's list reads the list's word before the agent's, and he is listed after
 * everything that opens a channel, so a channel that opens meanwhile stays listed (hint_bits.h).
 *
 * A thread that is stopped for ever holds at most what is told in claim.c: each step above is found open and done by
 * who meets the agent or the contact, or by the sweep. Progress: a compare-exchange here fails only when
 * another thread did a step for this agent; each claim has six: lock-free. The scans are of 16 words.
 *
 * Orders: W1 and W2 of engine.h for words, seats and parking: a seat is read after parking, and the agent's word after
 * both, each with acquire. D3 and D4 for parks: what released without seats comes before who reads 1.
 */
#include "engine.h"

static struct acd_seats *
seats_of(struct stw_acd *acd, uint32_t a)
{
	const struct acd_agent_description *agent = acd_agent_description(acd, a);

	return agent ? agent->seats : NULL;
}

static bool
hold_lasts(struct stw_acd *acd, uint32_t a, uint64_t hold)
{
	uint64_t word = acd_word_read(&acd->agents[a].word);

	return word_state(word) == ACD_AGENT_HOLD && claim_is_same(word, hold);
}

uint64_t
acd_stamp_take(struct stw_acd *acd, uint32_t a)
{
	return atomic_fetch_add_explicit(&acd->agents[a].stamps, 1, memory_order_relaxed) + 1;
}

static uint32_t
seat_empty(const struct acd_seats *seats)
{
	for (uint32_t s = 0; s < ACD_SEATS_MAX; s++)
		if (seat_state(acd_word_read(&seats->words[s])) == ACD_SEAT_EMPTY)
			return s;
	return ACD_NOBODY;
}

/* P1. The seat of the claim, ACD_SEAT_DIRECT if it gets none, ACD_NOBODY if the hold is over. */
static uint32_t
park_decide(struct stw_acd *acd, uint32_t a, struct acd_seats *seats, uint64_t hold, bool direct)
{
	for (;;) {
		uint64_t old = acd_word_read(&seats->parking);
		uint32_t s;

		if (old != ACD_PARKING_NONE && claim_is_same(old, hold))
			return (uint32_t)(old >> ACD_PARKING_SHIFT);
		s = direct ? ACD_SEAT_DIRECT : seat_empty(seats);
		if (!hold_lasts(acd, a, hold))
			return ACD_NOBODY;
		if (s != ACD_NOBODY &&
		    acd_word_change(&seats->parking, old,
				    (uint64_t)s << ACD_PARKING_SHIFT | (hold & ACD_CLAIM_MASK)))
			return s;
	}
}

/* P2; false: the hold is over. */
static bool
park_fill(struct stw_acd *acd, uint32_t a, _Atomic uint64_t *seat, uint64_t hold)
{
	uint32_t c = word_slot(hold);
	uint32_t q = acd_contact_queue(acd, c, acd_word_read(&acd->contacts[c].word));
	const struct acd_queue_description *queue = acd_queue_description(acd, q);
	uint64_t taken = seat_taken(hold, queue ? queue->channel : 0);

	for (;;) {
		uint64_t old = acd_word_read(seat);

		/* While the hold lasts the contact stays, so the queue and its channel are its own. */
		if (!hold_lasts(acd, a, hold))
			return false;
		if (old == taken ||
		    (seat_state(old) == ACD_SEAT_EMPTY && acd_word_change(seat, old, taken)))
			return true;
	}
}

/* P3. The contact was answered, so misses begin anew. */
static void
park_leave(struct stw_acd *acd, uint32_t a, uint64_t hold, uint64_t now_ns)
{
	struct acd_agent *agent = &acd->agents[a];
	uint32_t reason = atomic_load_explicit(&agent->after_reasons[word_after_side(hold)],
					       memory_order_relaxed);

	acd_misses_count(agent, hold, false);
	acd_time_raise(&acd->idle_since_ns[a], now_ns);
	switch (word_after(hold)) {
	case ACD_AFTER_NOT_READY:
	case ACD_AFTER_NOT_READY_TOO:
		acd_agent_move(acd, a, hold, ACD_AGENT_NOT_READY, reason, false, now_ns);
		break;
	case ACD_AFTER_LOGOUT:
		acd_agent_move(acd, a, hold, ACD_AGENT_NOT_READY, STW_REASON_LOGOUT, false, now_ns);
		break;
	default:
		acd_agent_move(acd, a, hold, ACD_AGENT_READY, 0, true, now_ns);
	}
}

/*
 * Park a hold, read from the agent's word, whose contact is connected and announced (closing: or has
 * been, and closes). False: it stays, to be released directly. True: look again, and for work for him.
 */
bool
acd_seats_park(struct stw_acd *acd, uint32_t a, uint64_t hold, bool closing, uint64_t now_ns)
{
	struct acd_seats *seats = seats_of(acd, a);
	bool parks = seats && acd_field_read_32(&seats->parks);
	uint32_t s;

	if (!seats || (!parks && !closing))
		return false;
	s = park_decide(acd, a, seats, hold, !parks);
	if (s == ACD_SEAT_DIRECT)
		return false;
	if (s != ACD_NOBODY && park_fill(acd, a, &seats->words[s], hold))
		park_leave(acd, a, hold, now_ns);
	return true;
}

/* The claim by which an agent has a contact that is connected to him or ends: of his hold or of a seat (S3). False:
 * the contact has gone on. */
bool
acd_seats_claim(struct stw_acd *acd, uint32_t a, uint32_t c, uint64_t *claim)
{
	const struct acd_seats *seats;

	*claim = acd_word_read(&acd->agents[a].word);
	if (word_state(*claim) == ACD_AGENT_HOLD && word_slot(*claim) == c)
		return true;
	seats = seats_of(acd, a);
	for (uint32_t s = 0; seats && s < ACD_SEATS_MAX; s++) {
		*claim = acd_word_read(&seats->words[s]);
		if (seat_state(*claim) == ACD_SEAT_TAKEN && word_slot(*claim) == c)
			return true;
	}
	return false;
}

/* P4 for the claim of a hold that is over; true: a slot may be free. */
bool
acd_seats_release(struct stw_acd *acd, uint32_t a, uint64_t hold, uint64_t contact_word,
		  uint64_t now_ns)
{
	struct acd_seats *seats = seats_of(acd, a);

	for (uint32_t s = 0; seats && s < ACD_SEATS_MAX; s++) {
		uint64_t seat = acd_word_read(&seats->words[s]);

		if (seat_state(seat) != ACD_SEAT_TAKEN || !claim_is_same(seat, hold))
			continue;
		atomic_store_explicit(&acd->agents[a].last_contact, word_slot(hold),
				      memory_order_relaxed);
		if (!acd_wrap_up_begin(acd, a, s, seat, contact_word, now_ns))
			acd_seat_empty(acd, a, s, seat, now_ns);
		return true;
	}
	return false;
}

/* A seat that is TAKEN or in WRAP_UP becomes EMPTY; false: another thread changed it. */
bool
acd_seat_empty(struct stw_acd *acd, uint32_t a, uint32_t s, uint64_t seat, uint64_t now_ns)
{
	struct acd_seats *seats = seats_of(acd, a);
	uint64_t empty = seat_make(ACD_SEAT_EMPTY, 0, acd_stamp_take(acd, a));

	acd_agent_spell(acd, a, true, now_ns);
	acd_time_raise(&acd->idle_since_ns[a], now_ns);
	if (!seats || !acd_word_change(&seats->words[s], seat, empty))
		return false;
	if (word_state(acd_word_read(&acd->agents[a].word)) == ACD_AGENT_READY)
		acd_idle_list(acd, a);
	return true;
}

/* Whether a seat is not EMPTY. Read after a word of the agent that is no hold: once false, it stays so while the
 * word does. */
bool
acd_seats_busy(struct stw_acd *acd, uint32_t a)
{
	const struct acd_seats *seats = seats_of(acd, a);

	for (uint32_t s = 0; seats && s < ACD_SEATS_MAX; s++)
		if (seat_state(acd_word_read(&seats->words[s])) != ACD_SEAT_EMPTY)
			return true;
	return false;
}

/* Log out who wanted to, once he is free of contacts; true: his word has changed. */
static bool
logout_complete(struct stw_acd *acd, uint32_t a, uint64_t word, uint64_t now_ns)
{
	acd_wrap_ups_end(acd, a, now_ns);
	if (acd_seats_busy(acd, a))
		return false;
	acd_announce_agent(acd, a, word, now_ns);
	acd_agent_move(acd, a, word, ACD_AGENT_LOGGED_OUT, 0, false, now_ns);
	return true;
}

/* Finish what other threads have begun with the seats of an agent whose word, no hold, was just read. True: something was
 * done, look again. */
bool
acd_seats_settle(struct stw_acd *acd, uint32_t a, uint64_t word, uint64_t now_ns,
		 struct acd_todo *todo)
{
	struct acd_seats *seats = seats_of(acd, a);

	for (uint32_t s = 0; seats && s < ACD_SEATS_MAX; s++) {
		uint64_t seat = acd_word_read(&seats->words[s]);
		uint64_t contact_word;

		if (seat_state(seat) != ACD_SEAT_TAKEN)
			continue;
		contact_word = acd_word_read(&acd->contacts[word_slot(seat)].word);
		if (word_contact_closing(contact_word) && word_slot(contact_word) == a) {
			acd_contact_finish(acd, word_slot(seat), contact_word, now_ns, todo);
			return true;
		}
	}
	if (word_state(word) != ACD_AGENT_NOT_READY || word_reason(word) != STW_REASON_LOGOUT ||
	    !logout_complete(acd, a, word, now_ns))
		return false;
	/* Nobody waits for him in person any more. */
	acd_preferred_leave(acd, a, now_ns, todo);
	acd_todo_agent(todo, a);
	return true;
}

/* The contact of an accepted offer: park it, and see what else there is for the agent. */
void
acd_seats_connected(struct stw_acd *acd, uint32_t a, uint64_t now_ns, struct acd_todo *todo)
{
	if (seats_of(acd, a))
		acd_agent_settle(acd, a, now_ns, todo);
}

/* Channels that an agent with seats could take a contact of, as far as the seats say. */
static uint32_t
seats_open(const struct acd_agent_description *agent)
{
	uint32_t used[STW_CHANNEL_COUNT] = {0};
	uint32_t busy = 0;
	uint32_t total = 0;
	uint32_t open = 0;

	for (uint32_t s = 0; s < ACD_SEATS_MAX; s++) {
		uint64_t seat = acd_word_read(&agent->seats->words[s]);

		if (seat_state(seat) == ACD_SEAT_EMPTY)
			continue;
		used[seat_channel(seat)]++;
		busy |= UINT32_C(1) << seat_channel(seat);
		total++;
	}
	for (uint32_t x = 0; x < STW_CHANNEL_COUNT && total < ACD_SEATS_MAX; x++) {
		uint32_t own = UINT32_C(1) << x;

		if (used[x] < agent->slots[x] && !(busy & ~(agent->interrupts[x] | own)))
			open |= own;
	}
	return open;
}

/*
 * The channels of which an agent who is READY could take a contact: a bit each. Read after his word, it
 * holds as long as the word stays (S4).
 */
uint32_t
acd_agent_channels(struct stw_acd *acd, uint32_t a)
{
	const struct acd_agent_description *agent = acd_agent_description(acd, a);

	if (!agent)
		return 0;
	return agent->seats ? seats_open(agent) : agent->channels;
}

bool
acd_agent_is_open(struct stw_acd *acd, uint32_t a, uint32_t channel)
{
	return word_state(acd_word_read(&acd->agents[a].word)) == ACD_AGENT_READY &&
	       (acd_agent_channels(acd, a) >> channel & 1);
}

/*
 * The same for a search, which must not find him again by a channel that he cannot take now. Taking him off those
 * lists is given up only when he is open again, so the search goes on to somebody else.
 */
uint32_t
acd_seats_look(struct stw_acd *acd, uint32_t a)
{
	const struct acd_agent_description *agent = acd_agent_description(acd, a);
	uint32_t channels = acd_agent_channels(acd, a);

	if (agent && agent->seats && channels != agent->channels)
		acd_idle_unlist(acd, a);
	return channels;
}
