/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The claim of lib/acd/claim.c and finish.c: contacts come, are cancelled, re-ranked, accepted, declined
 * and ended, slots are used again, agents become ready and not ready, and one host thread may stop
 * for ever between any two steps. Every access to a shared word is a step of its own.
 *
 * Shown, over all interleavings of the hosts' calls:
 *   P1  a contact that says it is offered to or connected with an agent is held by that agent, in that very
 *       version (claim.c, I2): asserted at every change of a contact's and of an agent's word;
 *   P3  when all calls have returned, nobody is ready while somebody waits; after a thread has stopped
 *       for ever, the same when stw_acd_advance has come round twice (first it lists an agent whom the
 *       stopped thread left unlisted, then the contacts find him);
 *   P4  those rounds end, and leave no claim open and no contact decided but not finished, whatever the stopped
 *       thread left behind.
 *
 * Left out: ranks (the search for the best contact is one step; see inversion.pml and tree.pml), events,
 * timers (a time-out is a decline), wrap-up. Memory is sequentially consistent here; see missed.pml.
 *
 * Switches: HOSTS, OPS (calls of host 0), OPS_OTHERS (of each other host), STOP (1: host 0 may stop). Mutations that must end in an error:
 *   MUTATE_ROLLBACK   an agent is taken back while his contact still waits in the claimed version
 *   MUTATE_VERSION    step 2 does not compare versions
 *   MUTATE_HELP       a claim that another thread left open is not finished
 *   MUTATE_LOOK       who makes an agent ready does not look for a contact
 *
 * Whoever takes an agent back from a claim that came to nothing looks for work for him, too. In none of the
 * histories here is that needed: whoever enqueues meanwhile meets the agent in his list and takes him back.
 */
#ifndef HOSTS
#define HOSTS 2
#endif
#ifndef OPS
#define OPS 2
#endif
#ifndef OPS_OTHERS
#define OPS_OTHERS OPS
#endif
#ifndef STOP
#define STOP 1
#endif
#define AGENTS   2
#define CONTACTS 2
#define NONE     3

/* Words: version, agent or contact, state. */
#define WORD(state, who, version) ((version) * 64 + (who) * 16 + (state))
#define STATE(word)   ((word) & 15)
#define WHO(word)     (((word) >> 4) & 3)
#define VERSION(word) ((word) >> 6)

#define FREE      0
#define WAITING   1
#define OFFERED   2
#define CONNECTED 3
#define DECLINED  4 /* from here on: closing */
#define WITHDRAWN 5
#define ENDING    6
#define CANCELLED 7
#define CLOSING(word) (STATE(word) >= DECLINED)

#define NOT_READY 0
#define READY     1
#define HOLD      2

short contact[CONTACTS];
short agent[AGENTS];
byte stamp[AGENTS];
byte last[AGENTS];       /* what the agent held last */
bit listed[AGENTS];      /* hint bit, and how often it was set */
byte listings[AGENTS];
bit taken[CONTACTS];     /* slot given out */
byte arrivals;
byte done;
bit stopped;

/* Before each access to a shared word: host 0 may stop here for ever. */
#define STEP if :: (STOP && self == 0 && !stopped) -> stopped = 1; goto dead :: true fi

/* I2, from the contact's and from the agent's side. */
#define HELD_BY(c, word, back) \
	(agent[WHO(word)] == WORD(HOLD, c, VERSION(word) - (back)))
#define HAS(c, a, k) \
	(contact[c] == WORD(OFFERED, a, (k) + 1) || contact[c] == WORD(CONNECTED, a, (k) + 2))

/* One compare-exchange of a contact's word. */
inline contact_change(c, from, to)
{
	atomic {
		STEP;
		d_step {
			ok = 0;
			if
	#ifdef MUTATE_VERSION
			:: STATE(contact[c]) == STATE(from) && STATE(to) == OFFERED ->
				contact[c] = WORD(OFFERED, WHO(to), VERSION(contact[c]) + 1); ok = 1
	#endif
			:: contact[c] == from -> contact[c] = to; ok = 1
			:: else
			fi;
			if
			:: ok && STATE(to) == OFFERED -> assert(HELD_BY(c, contact[c], 1))
			:: ok && STATE(to) == CONNECTED -> assert(HELD_BY(c, contact[c], 2))
			:: else
			fi
		}
	}
}

/* One compare-exchange of an agent's word to a state without contact; then he is listed. */
inline agent_move(a, from, state)
{
	atomic {
		STEP;
		d_step {
			ok = 0;
			if
			:: agent[a] == from ->
				assert(STATE(from) != HOLD || !HAS(WHO(from), a, VERSION(from)));
				stamp[a]++;
				agent[a] = WORD(state, 0, stamp[a]);
				ok = 1
			:: else
			fi
		}
	}
	if
	:: ok && state == READY ->
		atomic { STEP; d_step { listed[a] = 1; listings[a]++ } }
	:: else
	fi
}

/* finish.c: release the agent of a decided contact, then let the contact go on. */
inline finish_agent(c, word)
{
	if
	:: WHO(word) != NONE && STATE(word) != CANCELLED ->
		who = WHO(word);
		atomic { STEP; hold = agent[who] };
		if
		:: hold == WORD(HOLD, c, VERSION(word) - (STATE(word) == ENDING -> 3 : 2)) ->
			atomic { STEP; last[who] = c };
			agent_move(who, hold, READY);
			if
#ifndef MUTATE_LOOK
			:: ok -> todo_agent[who] = 1
#endif
			:: else
			fi
		:: else
		fi;
		hold = 0;
		who = 0
	:: else
	fi
}

inline finish_contact(c, word)
{
	if
	:: STATE(word) == DECLINED ->
		contact_change(c, word, WORD(WAITING, WHO(word), VERSION(word) + 1));
		if
		:: ok ->
			atomic { STEP; arrivals++ };
			todo_contact[c] = 1
		:: else
		fi
	:: else ->
		contact_change(c, word, WORD(FREE, NONE, VERSION(word) + 1));
		if
		:: ok -> taken[c] = 0
		:: else
		fi
	fi
}

inline finish(c, word)
{
	finish_agent(c, word);
	finish_contact(c, word)
}

/* claim.c: bring an agent's word to one that says the truth by itself. */
inline settle(a, word)
{
	do
	:: atomic { STEP; word = agent[a] };
		if
		:: STATE(word) != HOLD ->
			c1 = last[a];
			atomic { STEP; w1 = contact[c1] };
			if
			:: CLOSING(w1) && STATE(w1) != CANCELLED && WHO(w1) == a ->
				finish(c1, w1)
			:: else -> break
			fi
		:: else ->
			c1 = WHO(word);
			atomic { STEP; w1 = contact[c1] };
			if
			:: VERSION(w1) == VERSION(word) && STATE(w1) == WAITING ->
#ifdef MUTATE_HELP
				break
#else
#ifdef MUTATE_ROLLBACK
				agent_move(a, word, READY);
				if
				:: ok -> todo_agent[a] = 1
				:: else
				fi
#else
				contact_change(c1, w1, WORD(OFFERED, a, VERSION(w1) + 1))
#endif
#endif
			:: (w1 == WORD(OFFERED, a, VERSION(word) + 1) ||
			    w1 == WORD(CONNECTED, a, VERSION(word) + 2)) -> break
			:: WHO(w1) == a && ((VERSION(w1) == VERSION(word) + 2 &&
			    (STATE(w1) == DECLINED || STATE(w1) == WITHDRAWN)) ||
			    (VERSION(w1) == VERSION(word) + 3 && STATE(w1) == ENDING)) ->
				finish(c1, w1)
			:: else ->
				agent_move(a, word, READY);
				if
				:: ok -> todo_agent[a] = 1
				:: else
				fi
			fi
		fi
	od;
	c1 = 0;
	w1 = 0
}

/* idle.c: take an agent off the list who is not ready. */
inline unlist(a)
{
	do
	:: atomic { STEP; seen = listings[a] };
		if
		:: !listed[a] -> break
		:: else
		fi;
		STEP;
		if
		:: STATE(agent[a]) == READY -> break
		:: else
		fi;
		atomic {
			STEP;
			d_step {
				ok = 0;
				if
				:: listings[a] == seen -> listed[a] = 0; ok = 1
				:: else
				fi
			}
		}
		if
		:: ok -> break
		:: else
		fi
	od;
	seen = 0
}

/* The best contact: the first slot that waits. */
inline best_contact(c, word)
{
	atomic {
		STEP;
		d_step {
			c = NONE;
			if
			:: STATE(contact[0]) == WAITING -> c = 0; word = contact[0]
			:: else ->
				if
				:: STATE(contact[1]) == WAITING -> c = 1; word = contact[1]
				:: else
				fi
			fi
		}
	}
}

inline match_agent(a)
{
	do
	:: settle(a, word);
		if
		:: STATE(word) != READY -> unlist(a); break
		:: else
		fi;
		atomic { STEP; count = arrivals };
		best_contact(c2, w2);
		STEP;
		if
		:: count != arrivals -> skip
		:: count == arrivals && c2 == NONE -> break
		:: else ->
			atomic {
				STEP;
				d_step {
					ok = 0;
					if
					:: agent[a] == word ->
						agent[a] = WORD(HOLD, c2, VERSION(w2));
						ok = 1
					:: else
					fi
				}
			}
			if
			:: ok ->
				contact_change(c2, w2, WORD(OFFERED, a, VERSION(w2) + 1));
				settle(a, word);
				unlist(a)
			:: else
			fi
		fi
	od;
	c2 = 0;
	w2 = 0;
	word = 0;
	count = 0
}

/* The agent listed first, but for who missed the contact; him when there is nobody else. */
inline pick(c, w, a)
{
	a = NONE;
	STEP;
	if
	:: listed[0] && WHO(w) != 0 -> a = 0
	:: else ->
		STEP;
		if
		:: listed[1] && WHO(w) != 1 -> a = 1
		:: else ->
			STEP;
			if
			:: WHO(w) != NONE && STATE(agent[WHO(w) & 1]) == READY -> a = WHO(w)
			:: else
			fi
		fi
	fi
}

inline match_contact(c)
{
	do
	:: atomic { STEP; w3 = contact[c] };
		if
		:: STATE(w3) != WAITING -> break
		:: else
		fi;
		pick(c, w3, a3);
		if
		:: a3 == NONE -> break
		:: else -> match_agent(a3)
		fi
	od;
	w3 = 0;
	a3 = 0
}

inline match_run()
{
	do
	:: todo_contact[0] -> todo_contact[0] = 0; match_contact(0)
	:: else ->
		if
		:: todo_contact[1] -> todo_contact[1] = 0; match_contact(1)
		:: else ->
			if
			:: todo_agent[0] -> todo_agent[0] = 0; match_agent(0)
			:: else ->
				if
				:: todo_agent[1] -> todo_agent[1] = 0; match_agent(1)
				:: else -> break
				fi
			fi
		fi
	od
}

/* The local variables of a thread that is inside the engine. */
#define LOCALS \
	bit ok, todo_agent[AGENTS], todo_contact[CONTACTS]; \
	byte c1, c2, a3, who, seen, count; \
	short w1, w2, w3, word, hold

inline call_enqueue()
{
	d_step {
		op = NONE;
		if
		:: !taken[0] -> taken[0] = 1; op = 0
		:: else ->
			if
			:: !taken[1] -> taken[1] = 1; op = 1
			:: else
			fi
		fi
	}
	if
	:: op != NONE ->
		atomic { STEP; contact[op] = WORD(WAITING, NONE, VERSION(contact[op]) + 1) };
		atomic { STEP; arrivals++ };
		todo_contact[op] = 1
	:: else
	fi
}

/* cancel, re-prioritise, accept, decline, end: what the word allows. */
inline call_contact(c)
{
	atomic { STEP; w4 = contact[c] };
	if
	:: STATE(w4) == FREE
	:: CLOSING(w4) -> finish(c, w4)
	:: STATE(w4) == WAITING -> /* cancel */
		contact_change(c, w4, WORD(CANCELLED, NONE, VERSION(w4) + 1));
		if
		:: ok -> finish(c, WORD(CANCELLED, NONE, VERSION(w4) + 1))
		:: else
		fi
	:: STATE(w4) == WAITING -> /* re-prioritise */
		contact_change(c, w4, WORD(WAITING, WHO(w4), VERSION(w4) + 1));
		if
		:: ok ->
			atomic { STEP; arrivals++ };
			todo_contact[c] = 1
		:: else
		fi
	:: STATE(w4) == OFFERED ->
		contact_change(c, w4, WORD(CONNECTED, WHO(w4), VERSION(w4) + 1))
	:: STATE(w4) == OFFERED ->
		contact_change(c, w4, WORD(DECLINED, WHO(w4), VERSION(w4) + 1));
		if
		:: ok -> finish(c, WORD(DECLINED, WHO(w4), VERSION(w4) + 1))
		:: else
		fi
	:: STATE(w4) == OFFERED -> /* cancel */
		contact_change(c, w4, WORD(WITHDRAWN, WHO(w4), VERSION(w4) + 1));
		if
		:: ok -> finish(c, WORD(WITHDRAWN, WHO(w4), VERSION(w4) + 1))
		:: else
		fi
	:: STATE(w4) == CONNECTED ->
		contact_change(c, w4, WORD(ENDING, WHO(w4), VERSION(w4) + 1));
		if
		:: ok -> finish(c, WORD(ENDING, WHO(w4), VERSION(w4) + 1))
		:: else
		fi
	fi;
	w4 = 0
}

/* ready, not ready */
inline call_agent(a)
{
	settle(a, word);
	if
	:: STATE(word) == NOT_READY ->
		agent_move(a, word, READY);
		if
		:: ok -> todo_agent[a] = 1
		:: else
		fi
	:: STATE(word) == READY ->
		agent_move(a, word, NOT_READY);
		if
		:: ok -> unlist(a)
		:: else
		fi
	:: STATE(word) == HOLD
	fi;
	word = 0
}

proctype host(byte self)
{
	LOCALS;
	short w4;
	byte op, n;

	do
	:: n < (self == 0 -> OPS : OPS_OTHERS) ->
		n++;
		if
		:: call_enqueue()
		:: call_contact(0)
		:: call_contact(1)
		:: call_agent(0)
		:: call_agent(1)
		fi;
		op = 0;
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
		if
		:: STATE(word) == READY -> d_step { listed[a4] = 1; listings[a4]++ }
		:: else
		fi;
		match_run();
		w4 = contact[a4];
		if
		:: CLOSING(w4) -> finish(a4, w4)
		:: STATE(w4) == WAITING -> todo_contact[a4] = 1
		:: else
		fi;
		match_run();
		n++
	:: else -> break
	od
}

/* No claim is open, no decided contact unfinished. */
#define SETTLED(a) (STATE(agent[a]) != HOLD || HAS(WHO(agent[a]), a, VERSION(agent[a])))
#define SOMEBODY_READY   (STATE(agent[0]) == READY || STATE(agent[1]) == READY)
#define SOMEBODY_WAITS   (STATE(contact[0]) == WAITING || STATE(contact[1]) == WAITING)

init {
	LOCALS;
	byte self = HOSTS;
	byte n, a4;
	short w4;

	d_step {
		contact[0] = WORD(FREE, NONE, 0);
		contact[1] = WORD(FREE, NONE, 0);
		agent[0] = WORD(READY, 0, 1);
		agent[1] = WORD(NOT_READY, 0, 1);
		stamp[0] = 1;
		stamp[1] = 1;
		listed[0] = 1
	}
	atomic {
		do
		:: n < HOSTS -> run host(n); n++
		:: else -> break
		od
	}
	done == HOSTS;
	if
	:: stopped -> advance()
	:: else
	fi;
	assert(!(SOMEBODY_READY && SOMEBODY_WAITS));
	assert(SETTLED(0) && SETTLED(1));
	assert(!CLOSING(contact[0]) && !CLOSING(contact[1]));
dead:
	skip
}
