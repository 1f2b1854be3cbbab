/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Ringing several agents at once, of lib/acd/ring.c and ring_fill.c: one contact rings at up to three agents. It is
 * enqueued, re-ranked, cancelled, accepted, declined, timed out and ended, agents become ready and not ready, any
 * thread helps any other, two threads fill one ring, and one host thread may stop for ever between any
 * two steps. Every access to a shared word is a step of its own; ring_base() is computed from the word, as there.
 *
 * Shown, over all interleavings of the hosts' calls, at every change of a word:
 *   R1  the entry of a place that is joined is that of the agent who joined, while the contact is at its base;
 *   R2  the agent of a place that rings, or has won, holds (c, k, place); whom the contact is connected to holds it;
 *   R4  an agent joins at most one place of a ring;
 *   R5  a contact leaves RING_CLOSING only when all who joined, but the winner, are released;
 * and when all calls have returned: nobody is ready while the contact waits, no claim is open, the contact is not
 * left decided and unfinished. After a thread has stopped, the same when stw_acd_advance has come round twice.
 *
 * Left out: other contacts (an agent who holds another is one who is not ready), the claim of a single agent (claim.pml), the
 * lists (whoever looks for an agent finds him in one step), events, timers (a time-out is a call), seats,
 * what an agent asked for after a contact. Memory is sequentially consistent.
 *
 * Switches: HOSTS, OPS (calls of host 0), OPS_OTHERS (of each other host), STOP (1: host 0 may stop), CALLS (host 0
 * only enqueues, agents 0 and 1 stay ready), BEGUN (two places ring at first, so that the calls are those that decide). Mutations that must end in an error:
 *   MUTATE_IN_RING   who fills a ring does not look whether the agent was in it (R4, then not looked at itself: it is
 *                    R2 that breaks, as a hold is released by contact and version, whatever its place)
 *   MUTATE_REPLACE   step 2a replaces another's entry of the same version
 *   MUTATE_SEEN      step 2a does not look whether the contact is still at the base
 *   MUTATE_ROLLBACK  who holds a place that is not joined yet is taken back, though the ring goes on
 *   MUTATE_WINNER    a closing ring lets the contact go on before it releases anybody
 *
 * To look for the agent in the entries before his word is read, not after it, is no error here: a ring is filled
 * place by place, so had he joined since, this place would be seen joined.
 */
#ifndef HOSTS
#define HOSTS 2
#endif
#ifndef OPS
#define OPS 1
#endif
#ifndef OPS_OTHERS
#define OPS_OTHERS 1
#endif
#ifndef STOP
#define STOP 1
#endif
#ifdef CALLS
#define ALL 0
#else
#define ALL 1
#endif
#define AGENTS 3
#define PLACES 3
#define NONE   3

/* The contact's word: state 3, then agent 2, or joined 3 | live 3 | last 2 | flag 1; then version. */
#define WORD(state, who, version) ((version) * 4096 + (who) * 8 + (state))
#define RING(state, joined, live, last, flag, version) \
	((version) * 4096 + (joined) * 512 + (live) * 64 + (last) * 16 + (flag) * 8 + (state))
#define STATE(word)   ((word) & 7)
#define WHO(word)     (((word) >> 3) & 3)
#define FLAG(word)    (((word) >> 3) & 1)
#define LAST(word)    (((word) >> 4) & 3)
#define LIVE(word)    (((word) >> 6) & 7)
#define JOINED(word)  (((word) >> 9) & 7)
#define VERSION(word) ((word) >> 12)

#define FREE         0
#define WAITING      1
#define RINGING      2
#define CONNECTED    3
#define RING_CLOSING 4 /* from here on: closing */
#define ENDING       5
#define CANCELLED    6
#define CLOSING(word) (STATE(word) >= RING_CLOSING)
#define IS_RING(word) (STATE(word) == RINGING || STATE(word) == RING_CLOSING)

/* Causes of a ring that nobody has won. */
#define BY_CANCEL  0
#define BY_TIME    1
#define BY_DECLINE 2

#define COUNT(bits) (((bits) & 1) + (((bits) >> 1) & 1) + (((bits) >> 2) & 1))
#define HAS_BIT(bits, i) (((bits) >> (i)) & 1)
#define FIRST_OF(bits) (((bits) & 1) -> 0 : (((bits) & 2) -> 1 : 2))
#define BASE(word) (VERSION(word) - COUNT(JOINED(word)) - COUNT(JOINED(word) & (7 - LIVE(word))) - \
	(STATE(word) == RING_CLOSING))

/* The base that a join from this word is of, and the word after it. */
#define BASE_OF(word) (STATE(word) == WAITING -> VERSION(word) : BASE(word))
#define JOIN(word, p) \
	RING(RINGING, (STATE(word) == WAITING -> 0 : JOINED(word)) | (1 << (p)), \
	     (STATE(word) == WAITING -> 0 : LIVE(word)) | (1 << (p)), p, 0, VERSION(word) + 1)

/* An agent's word: state 2 | place 2 | version or stamp. A place's entry: agent 2 | version + 1. */
#define AGENT(state, place, version) ((version) * 16 + (place) * 4 + (state))
#define AGENT_STATE(word)   ((word) & 3)
#define AGENT_PLACE(word)   (((word) >> 2) & 3)
#define AGENT_VERSION(word) ((word) >> 4)
#define NOT_READY 0
#define READY     1
#define HOLD      2
#define ENTRY(k, a) (((k) + 1) * 4 + (a))
#define IS_OF(e, k) (((e) >> 2) == (k) + 1)
#define ENTRY_AGENT(e) ((e) & 3)

/* What the contact's word says of a hold. */
#define OPEN     0
#define HELD     1
#define LEFT     2 /* declined, others ring on */
#define DECIDED  3
#define OVER     4
#define AGAIN    5

int contact;
short agent[AGENTS];
byte entry[PLACES];
byte stamp[AGENTS];
byte by[PLACES]; /* who joined: not in the engine, for the assertions */
bit taken;
byte done;
bit stopped;

/* Before each access to a shared word: host 0 may stop here for ever. */
#define STEP if :: (STOP && self == 0 && !stopped) -> stopped = 1; goto dead :: true fi

#define RINGS(i) (STATE(contact) == RINGING && HAS_BIT(LIVE(contact), i) || \
	STATE(contact) == RING_CLOSING && !FLAG(contact) && LAST(contact) == (i))
#define R1(i) (!IS_RING(contact) || !HAS_BIT(JOINED(contact), i) || \
	entry[i] == ENTRY(BASE(contact), by[i]))
#define R2(i) (!RINGS(i) || agent[by[i]] == AGENT(HOLD, i, BASE(contact)))
#define WON (STATE(contact) != CONNECTED || AGENT_STATE(agent[WHO(contact)]) == HOLD)
#ifdef MUTATE_IN_RING
#define R4(i, j) true
#else
#define R4(i, j) (!IS_RING(contact) || !HAS_BIT(JOINED(contact), i) || \
	!HAS_BIT(JOINED(contact), j) || by[i] != by[j])
#endif
#define CHECK \
	assert(R1(0) && R1(1) && R1(2)); \
	assert(R2(0) && R2(1) && R2(2)); \
	assert(R4(0, 1) && R4(0, 2) && R4(1, 2)); \
	assert(WON)
#define RELEASED(i) (!HAS_BIT(JOINED(contact), i) || !FLAG(contact) && LAST(contact) == (i) || \
	AGENT_STATE(agent[by[i]]) != HOLD || AGENT_VERSION(agent[by[i]]) != BASE(contact))

/* One compare-exchange of the contact's word. */
inline contact_change(from, to)
{
	atomic {
		STEP;
		d_step {
			ok = (contact == from);
			if
			:: ok && STATE(from) == RING_CLOSING ->
				assert(RELEASED(0) && RELEASED(1) && RELEASED(2));
				by[0] = 0; by[1] = 0; by[2] = 0
			:: else
			fi;
			if
			:: ok ->
				contact = to;
				if
				:: STATE(to) == RINGING && !FLAG(to) ->
					by[LAST(to)] = ENTRY_AGENT(e)
				:: else
				fi;
				CHECK
			:: else
			fi
		}
	}
}

/* One compare-exchange of an agent's word to a state without contact, or to a hold. */
inline agent_change(a, from, to)
{
	atomic {
		STEP;
		d_step {
			ok = (agent[a] == from);
			if
			:: ok && AGENT_STATE(to) == HOLD -> agent[a] = to
			:: ok && AGENT_STATE(to) != HOLD ->
				stamp[a]++;
				agent[a] = AGENT(to, 0, stamp[a]);
				CHECK
			:: else
			fi
		}
	}
}

/* finish.c: step 4 for the claim (c, k), whichever place it has. */
inline release(a, k)
{
	do
	:: atomic { STEP; hold = agent[a] };
		if
		:: AGENT_STATE(hold) != HOLD || AGENT_VERSION(hold) != k -> break
		:: else
		fi;
		agent_change(a, hold, READY);
		if
		:: ok -> todo_agent[a] = 1; break
		:: else
		fi
	od;
	hold = 0
}

/* ring.c: steps 4 and 5 of a ring that closes. */
inline ring_finish(word)
{
	i = 0;
#ifdef MUTATE_WINNER
	i = PLACES;
#endif
	do
	:: i == PLACES -> break
	:: i < PLACES && !HAS_BIT(JOINED(word), i) -> i++
	:: i < PLACES && HAS_BIT(JOINED(word), i) ->
		atomic { STEP; e = entry[i] };
		if
		:: !IS_OF(e, BASE(word)) -> break
		:: IS_OF(e, BASE(word)) && !FLAG(word) && LAST(word) == i -> i++
		:: else ->
			release(ENTRY_AGENT(e), BASE(word));
			i++
		fi
	od;
	i = (FLAG(word) -> FIRST_OF(LIVE(word)) : LAST(word));
	atomic { STEP; e = entry[i] };
	if
	:: FLAG(word) && LAST(word) == BY_CANCEL ->
		contact_change(word, WORD(FREE, NONE, VERSION(word) + 1));
		if
		:: ok -> taken = 0
		:: else
		fi
	:: IS_OF(e, BASE(word)) && FLAG(word) && LAST(word) != BY_CANCEL ->
		contact_change(word, WORD(WAITING, ENTRY_AGENT(e), VERSION(word) + 1));
		if
		:: ok -> todo_contact = 1
		:: else
		fi
	:: IS_OF(e, BASE(word)) && !FLAG(word) ->
		contact_change(word, WORD(CONNECTED, ENTRY_AGENT(e), VERSION(word) + 1))
	:: else
	fi;
	e = 0;
	i = 0
}

/* finish.c: release the agent of a decided contact, then let the contact go on. */
inline finish(word)
{
	if
	:: STATE(word) == RING_CLOSING -> ring_finish(word)
	:: else ->
		if
		:: STATE(word) == ENDING ->
			atomic { STEP; hold = agent[WHO(word)] };
			atomic { STEP; ok = (AGENT_STATE(hold) == HOLD && contact == word) };
			if
			:: ok ->
				k4 = AGENT_VERSION(hold);
				release(WHO(word), k4);
				k4 = 0
			:: else
			fi;
			hold = 0
		:: else
		fi;
		contact_change(word, WORD(FREE, NONE, VERSION(word) + 1));
		if
		:: ok -> taken = 0
		:: else
		fi
	fi
}

/* ring.c: steps 2a and 2b for agent a, or for whoever was before him, from this word. */
inline join(word, p, a)
{
	do
	:: atomic { STEP; e = entry[p] };
		if
#ifdef MUTATE_REPLACE
		:: e == ENTRY(BASE_OF(word), a) -> break
#else
		:: IS_OF(e, BASE_OF(word)) -> break
#endif
		:: else
		fi;
#ifndef MUTATE_SEEN
		atomic { STEP; ok = (contact == word) };
		if
		:: !ok -> e = 0; break
		:: else
		fi;
#endif
		atomic {
			STEP;
			d_step {
				ok = (entry[p] == e);
				if
				:: ok ->
					e = ENTRY(BASE_OF(word), a);
					entry[p] = e;
					CHECK
				:: else
				fi
			}
		}
		if
		:: ok -> break
		:: else
		fi
	od;
	if
	:: e -> contact_change(word, JOIN(word, p))
	:: else
	fi;
	e = 0
}
/* claim.c and ring.c: what the contact's word w1 says of the hold. */
inline judge(a, word)
{
	if
	:: IS_RING(w1) ->
		if
		:: BASE(w1) != AGENT_VERSION(word) -> stage = OVER
		:: BASE(w1) == AGENT_VERSION(word) && !HAS_BIT(JOINED(w1), AGENT_PLACE(word)) ->
			stage = (STATE(w1) == RINGING -> OPEN : OVER)
		:: else ->
			atomic { STEP; e = entry[AGENT_PLACE(word)] };
			stage = (!IS_OF(e, AGENT_VERSION(word)) -> AGAIN :
				(ENTRY_AGENT(e) != a -> OVER :
				(STATE(w1) == RING_CLOSING -> DECIDED :
				(HAS_BIT(LIVE(w1), AGENT_PLACE(word)) -> HELD : LEFT))));
			e = 0
		fi
	:: else ->
		stage = (VERSION(w1) == AGENT_VERSION(word) ->
			(STATE(w1) == WAITING -> OPEN : OVER) :
			(WHO(w1) != a -> OVER :
			(STATE(w1) == CONNECTED && VERSION(w1) >= AGENT_VERSION(word) + 2 -> HELD :
			(STATE(w1) == ENDING && VERSION(w1) >= AGENT_VERSION(word) + 3 -> DECIDED :
			OVER))))
	fi
}

/* claim.c: bring an agent's word to one that says the truth by itself. */
inline settle(a, word)
{
	do
	:: atomic { STEP; word = agent[a] };
		atomic { STEP; w1 = contact };
		if
		:: AGENT_STATE(word) != HOLD ->
			if
			:: CLOSING(w1) && (STATE(w1) == RING_CLOSING || WHO(w1) == a) -> finish(w1)
			:: else -> break
			fi
		:: else ->
			judge(a, word);
#ifdef MUTATE_ROLLBACK
			stage = (stage == OPEN && STATE(w1) == RINGING -> OVER : stage);
#endif
			if
			:: stage == HELD -> break
			:: stage == OPEN -> join(w1, AGENT_PLACE(word), a)
			:: stage == LEFT -> k4 = AGENT_VERSION(word); release(a, k4); k4 = 0
			:: stage == DECIDED -> finish(w1)
			:: stage == OVER ->
				agent_change(a, word, READY);
				if
				:: ok -> todo_agent[a] = 1
				:: else
				fi
			:: stage == AGAIN
			fi
		fi
	od;
	stage = 0;
	w1 = 0
}

/* ring_fill.c: whether an agent is or was in the ring of base k: each entry is read. */
inline look_in_ring(a, k)
{
	found = 0;
#ifndef MUTATE_IN_RING
	i = 0;
	do
	:: i < PLACES ->
		atomic { STEP; found = found || entry[i] == ENTRY(k, a) };
		i++
	:: else -> break
	od;
	i = 0
#endif
}

/* ring_fill.c: ring others beside the first, in the ring of base k; who missed the contact is passed over. */
inline fill(k, missed)
{
	atomic { STEP; w5 = contact };
	p5 = (STATE(w5) == RINGING && BASE(w5) == k -> 1 : PLACES);
	a5 = 0;
	do
	:: p5 == PLACES || a5 == AGENTS -> break
	:: p5 < PLACES && a5 < AGENTS && a5 == missed -> a5++
	:: p5 < PLACES && a5 < AGENTS && a5 != missed ->
		settle(a5, word);
		atomic { STEP; w5 = contact };
		if
		:: STATE(w5) != RINGING || BASE(w5) != k -> break
		:: STATE(w5) == RINGING && BASE(w5) == k && HAS_BIT(JOINED(w5), p5) -> p5++; a5 = 0
		:: else ->
			if
			:: AGENT_STATE(word) == READY ->
				look_in_ring(a5, k);
				ok = 0;
				if
				:: !found -> agent_change(a5, word, AGENT(HOLD, p5, k))
				:: else
				fi;
				found = 0;
				if
				:: ok ->
#ifdef MUTATE_ROLLBACK
					join(w5, p5, a5);
#endif
					settle(a5, word);
					p5++;
					a5 = 0
				:: else -> a5++
				fi
			:: else -> a5++
			fi
		fi
	od;
	found = 0;
	p5 = 0;
	a5 = 0;
	w5 = 0
}

inline match_agent(a)
{
	do
	:: settle(a, word);
		if
		:: AGENT_STATE(word) != READY -> break
		:: else
		fi;
		atomic { STEP; w2 = contact };
		if
		:: STATE(w2) != WAITING -> break
		:: else
		fi;
		agent_change(a, word, AGENT(HOLD, 0, VERSION(w2)));
		if
		:: ok ->
			join(w2, 0, a);
			settle(a, word)
		:: else
		fi;
		fill(VERSION(w2), WHO(w2))
	od;
	w2 = 0;
	word = 0
}

/* Somebody for the contact: not who missed it, unless there is nobody else. */
#define CAN(a) (AGENT_STATE(agent[a]) == READY)
#define PICK(but) \
	(STATE(contact) != WAITING -> NONE : \
	(CAN(0) && (but) != 0 -> 0 : (CAN(1) && (but) != 1 -> 1 : (CAN(2) && (but) != 2 -> 2 : \
	(CAN(0) -> 0 : (CAN(1) -> 1 : (CAN(2) -> 2 : NONE)))))))

inline match_run()
{
	do
	:: if
		:: todo_contact ->
			atomic {
				STEP;
				d_step {
					m = PICK(WHO(contact));
					todo_contact = (m != NONE)
				}
			}
		:: else ->
			m = (todo_agent[0] -> 0 : (todo_agent[1] -> 1 : (todo_agent[2] -> 2 : NONE)));
			if
			:: m == NONE -> break
			:: else -> todo_agent[m] = 0
			fi
		fi;
		if
		:: m != NONE -> match_agent(m)
		:: else
		fi
	od;
	m = 0
}

/* The local variables of a thread that is inside the engine. */
#define LOCALS \
	bit ok, todo_agent[AGENTS], todo_contact, found; \
	byte e, i, stage, k4, p5, a5, m; \
	short word, hold; \
	int w1, w2, w4, w5

inline call_enqueue()
{
	d_step {
		ok = !taken;
		taken = 1
	}
	if
	:: ok ->
		atomic { STEP; contact = WORD(WAITING, NONE, VERSION(contact) + 1) };
		todo_contact = 1
	:: else
	fi
}

/* Change the contact's word to a closing one and finish that. */
inline close(to)
{
	contact_change(w4, to);
	if
	:: ok -> w4 = to; finish(w4)
	:: else
	fi
}

/* The agent of place p accepts or declines. */
inline call_place(p)
{
	if
	:: true -> /* accept */
		atomic { STEP; ok = IS_OF(entry[p], BASE(w4)) };
		if
		:: ok -> next = RING(RING_CLOSING, JOINED(w4), LIVE(w4), p, 0, VERSION(w4) + 1)
		:: else
		fi
	:: LIVE(w4) == (1 << p) -> /* the last to decline */
		next = RING(RING_CLOSING, JOINED(w4), LIVE(w4), BY_DECLINE, 1, VERSION(w4) + 1)
	:: LIVE(w4) != (1 << p) -> /* decline */
		atomic { STEP; e = entry[p] };
		if
		:: IS_OF(e, BASE(w4)) ->
			m = ENTRY_AGENT(e);
			e = 0;
			contact_change(w4, RING(RINGING, JOINED(w4), LIVE(w4) & (7 - (1 << p)), p, 1,
						VERSION(w4) + 1));
			if
			:: ok -> settle(m, word)
			:: else
			fi;
			m = 0
		:: else -> e = 0
		fi
	fi
}

/* What the contact's word allows. */
inline call_contact()
{
	atomic { STEP; w4 = contact };
	next = 0;
	if
	:: STATE(w4) == FREE
	:: CLOSING(w4) -> finish(w4)
	:: STATE(w4) == WAITING -> next = WORD(CANCELLED, NONE, VERSION(w4) + 1)
	:: STATE(w4) == WAITING -> /* re-prioritise */
		contact_change(w4, WORD(WAITING, WHO(w4), VERSION(w4) + 1));
		if
		:: ok -> todo_contact = 1
		:: else
		fi
	:: STATE(w4) == RINGING -> /* cancel */
		next = RING(RING_CLOSING, JOINED(w4), LIVE(w4), BY_CANCEL, 1, VERSION(w4) + 1)
	:: STATE(w4) == RINGING -> /* time out */
		next = RING(RING_CLOSING, JOINED(w4), LIVE(w4), BY_TIME, 1, VERSION(w4) + 1)
	:: STATE(w4) == RINGING ->
		if
		:: HAS_BIT(LIVE(w4), 0) -> op = 0
		:: HAS_BIT(LIVE(w4), 1) -> op = 1
		:: HAS_BIT(LIVE(w4), 2) -> op = 2
		fi;
		call_place(op);
		op = 0
	:: STATE(w4) == CONNECTED -> next = WORD(ENDING, WHO(w4), VERSION(w4) + 1)
	fi;
	if
	:: next -> close(next)
	:: else
	fi;
	next = 0;
	w4 = 0
}

/* ready, not ready */
inline call_agent(a)
{
	settle(a, word);
	if
	:: AGENT_STATE(word) == NOT_READY ->
		agent_change(a, word, READY);
		if
		:: ok -> todo_agent[a] = 1
		:: else
		fi
	:: AGENT_STATE(word) == READY -> agent_change(a, word, NOT_READY)
	:: AGENT_STATE(word) == HOLD
	fi;
	word = 0
}

proctype host(byte self)
{
	LOCALS;
	int next;
	byte op, n;

	do
	:: n < (self == 0 -> OPS : OPS_OTHERS) ->
		n++;
		if
		:: call_enqueue()
		:: ALL || self -> call_contact()
		:: ALL || self ->
			if
			:: ALL -> op = 0
			:: ALL -> op = 1
			:: op = 2
			fi;
			call_agent(op);
			op = 0
		fi;
		match_run()
	:: else -> break
	od;
dead:
	done++
}

/* stw_acd_advance, twice round. */
inline advance()
{
	n = 0;
	do
	:: n < 2 * AGENTS ->
		a4 = n % AGENTS;
		settle(a4, word);
		todo_agent[a4] = (AGENT_STATE(word) == READY);
		match_run();
		w4 = contact;
		if
		:: CLOSING(w4) -> finish(w4)
		:: STATE(w4) == WAITING -> todo_contact = 1
		:: else
		fi;
		match_run();
		n++
	:: else -> break
	od
}

/* Whether an agent's claim is not open. */
#define RINGS_AT(a, i) (RINGS(i) && by[i] == (a) && agent[a] == AGENT(HOLD, i, BASE(contact)))
#define SETTLED(a) (AGENT_STATE(agent[a]) != HOLD || RINGS_AT(a, 0) || RINGS_AT(a, 1) || \
	RINGS_AT(a, 2) || STATE(contact) == CONNECTED && WHO(contact) == (a))

init {
	LOCALS;
	byte self = HOSTS;
	byte n, a4;

	d_step {
		contact = WORD(FREE, NONE, 0);
		agent[0] = AGENT(READY, 0, 1);
		agent[1] = AGENT(READY, 0, 1);
		agent[2] = AGENT(NOT_READY, 0, 1);
		stamp[0] = 1;
		stamp[1] = 1;
		stamp[2] = 1;
#ifdef BEGUN
		taken = 1;
		contact = RING(RINGING, 3, 3, 1, 0, 3);
		agent[0] = AGENT(HOLD, 0, 1);
		agent[1] = AGENT(HOLD, 1, 1);
		entry[0] = ENTRY(1, 0);
		entry[1] = ENTRY(1, 1);
		by[1] = 1
#endif
	}
	atomic {
		do
		:: n < HOSTS -> run host(n); n++
		:: else -> break
		od;
		n = 0
	}
	done == HOSTS;
	if
	:: stopped -> advance()
	:: else
	fi;
	assert(PICK(NONE) == NONE);
	assert(SETTLED(0) && SETTLED(1) && SETTLED(2));
	assert(!CLOSING(contact));
dead:
	skip
}
