/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The seats of lib/acd/seats.c: an agent with SEATS slots takes one contact after the other, each is parked in a
 * seat once it is connected, and leaves it when it ends, maybe by way of a wrap-up. Contacts are enqueued, claimed, accepted,
 * declined and ended; any thread helps any other, and one host thread may stop for ever between any two
 * steps. Every access to a shared word is a step of its own. It begins with contact 0 just connected and not
 * parked, and contact 1 waiting; with GROW the agent has one slot then, and is given seats meanwhile.
 *
 * Shown, over all interleavings of the hosts' calls, at every change of a word:
 *   S2  a claim is in one seat at most, and a seat that is TAKEN is that of a contact which is connected or ends by
 *       that very claim;
 *   S3  a contact that is offered is held, one that is connected is held or in a seat, and a contact goes on from ENDING
 *       when it is neither;
 *   S4  whoever claims has a seat that is EMPTY when his compare-exchange succeeds (S5 follows);
 * and when all calls have returned, or a thread has stopped, and stw_acd_advance has come round twice: the agent is not ready and
 * open while a contact waits, no contact is decided and not finished, no connected contact is left unparked.
 *
 * Left out: channels, other agents, rings, what the agent asked for meanwhile, logging out, lists and events. An agent's
 * description is read once in a call: as old as can be. Memory is sequentially consistent.
 *
 * Switches: HOSTS, OPS (calls of host 0), OPS_OTHERS (of each other host), STOP (1: host 0 may stop), SEATS, GROW.
 * Mutations that must end in an error:
 *   MUTATE_FILL    step P2 does not look whether the hold lasts
 *   MUTATE_STAMP   all EMPTY words of a seat are the same
 *   MUTATE_PARKS   (GROW) parks becomes 1 without a grace period
 *   MUTATE_SEATS   who claims reads the seats before the agent's word, not after it
 *   MUTATE_LEAVE   P3 is done before P2
 */
#ifdef MUTATE_PARKS
#define GROW
#endif
#ifndef HOSTS
#define HOSTS 2
#endif
#ifndef OPS
#define OPS 1
#endif
#ifndef OPS_OTHERS
#define OPS_OTHERS 2
#endif
#ifndef STOP
#define STOP 1
#endif
#ifndef SEATS
#define SEATS 1
#endif
#define CONTACTS 2
#define DIRECT   2

/* Words: state 3 | contact 1 | version or stamp; parking: seat + 1 in place of the state. */
#define WORD(state, c, version) ((version) * 16 + (c) * 8 + (state))
#define STATE(word)   ((word) & 7)
#define WHICH(word)   (((word) >> 3) & 1)
#define VERSION(word) ((word) >> 4)
#define CLAIM(word)   ((word) >> 3)

#define FREE      0
#define WAITING   1
#define OFFERED   2
#define CONNECTED 3
#define DECLINED  4 /* from here on: closing */
#define ENDING    5
#define CLOSING(word) (STATE(word) >= DECLINED)

#define READY 0
#define HOLD  1

#define EMPTY   0
#define TAKEN   1
#define WRAP_UP 2

short contact[CONTACTS];
short agent;
short seat[2]; /* the second is used if SEATS is 2 */
short parking;
byte stamp;
bit taken[CONTACTS];
bit last;
bit given; /* the agent's description has seats */
bit parks;
bit old_reader[HOSTS]; /* in a call that has read the description without seats */
byte done;
bit stopped;

/* Before each access to a shared word: host 0 may stop here for ever. */
#define STEP if :: (STOP && self == 0 && !stopped) -> stopped = 1; goto dead :: true fi

#define IN(s, c, k) (seat[s] == WORD(TAKEN, c, k))
#define HELD(c, k) (agent == WORD(HOLD, c, k))
#define S2(s) (STATE(seat[s]) != TAKEN || \
	contact[WHICH(seat[s])] == WORD(CONNECTED, 0, VERSION(seat[s]) + 2) || \
	contact[WHICH(seat[s])] == WORD(ENDING, 0, VERSION(seat[s]) + 3))
#define S3(c) \
	((STATE(contact[c]) != OFFERED || HELD(c, VERSION(contact[c]) - 1)) && \
	(STATE(contact[c]) != CONNECTED || HELD(c, VERSION(contact[c]) - 2) || \
	 IN(0, c, VERSION(contact[c]) - 2) || IN(1, c, VERSION(contact[c]) - 2)))
#define CHECK \
	assert(S2(0) && S2(1)); \
	assert(STATE(seat[0]) != TAKEN || seat[0] != seat[1]); \
	assert(S3(0) && S3(1))

/* One compare-exchange of a contact's word. */
inline contact_change(c, from, to)
{
	atomic {
		STEP;
		d_step {
			ok = (contact[c] == from);
			if
			:: ok -> contact[c] = to; CHECK
			:: else
			fi
		}
	}
}

/* The agent's word becomes READY. */
inline agent_ready(from)
{
	atomic {
		STEP;
		d_step {
			ok = (agent == from);
			if
			:: ok ->
				stamp++;
				agent = WORD(READY, 0, stamp);
				CHECK
			:: else
			fi
		}
	}
}

/* A seat's word, which was TAKEN or WRAP_UP, gets a state without contact. */
inline seat_leave(s, from, to)
{
	atomic {
		STEP;
		d_step {
			ok = (seat[s] == from);
			if
			:: ok ->
#ifndef MUTATE_STAMP
				stamp++;
				seat[s] = WORD(to, 0, stamp);
#else
				seat[s] = WORD(to, 0, 0);
#endif
				CHECK
			:: else
			fi
		}
	}
}

#define SAME(word, hold) (STATE(word) == HOLD && (word) == (hold))

/* P1 to P3; `parked`: look again. */
inline park(hold, closing)
{
	parked = 0;
	if
	:: sees ->
		atomic { STEP; direct = !parks };
		if
		:: direct && !(closing)
		:: else -> parked = 1
		fi
	:: else
	fi;
	if
	:: parked ->
		/* P1 */
		do
		:: atomic { STEP; old = parking };
			if
			:: old && CLAIM(old) == CLAIM(hold) -> s = STATE(old) - 1; break
			:: else
			fi;
			s = DIRECT;
			if
			:: !direct ->
				s = 3;
				atomic { STEP; s = (STATE(seat[0]) == EMPTY -> 0 : 3) };
				if
				:: SEATS == 2 && s == 3 ->
					atomic { STEP; s = (STATE(seat[1]) == EMPTY -> 1 : 3) }
				:: else
				fi
			:: else
			fi;
			atomic { STEP; ok = SAME(agent, hold) };
			if
			:: !ok -> s = 3; break
			:: else
			fi;
			if
			:: s != 3 ->
				atomic {
					STEP;
					d_step {
						ok = (parking == old);
						if
						:: ok -> parking = WORD(s + 1, WHICH(hold), VERSION(hold))
						:: else
						fi
					}
				}
				if
				:: ok -> break
				:: else
				fi
			:: else
			fi
		od;
		old = 0;
		direct = 0;
		if
		:: s == DIRECT -> parked = 0
		:: s < DIRECT ->
#ifdef MUTATE_LEAVE
			agent_ready(hold);
#endif
			/* P2 */
			do
			:: atomic { STEP; old = seat[s] };
#ifndef MUTATE_FILL
				atomic { STEP; ok = SAME(agent, hold) };
				if
				:: !ok -> break
				:: else
				fi;
#endif
				if
				:: old == WORD(TAKEN, WHICH(hold), VERSION(hold)) -> ok = 1; break
				:: STATE(old) == EMPTY ->
					atomic {
						STEP;
						d_step {
							ok = (seat[s] == old);
							if
							:: ok ->
								seat[s] = WORD(TAKEN, WHICH(hold), VERSION(hold));
								CHECK
							:: else
							fi
						}
					}
					if
					:: ok -> break
					:: else
					fi
				:: else
#ifdef MUTATE_FILL
					-> ok = 0; break
#endif
				fi
			od;
			/* P3 */
			if
			:: ok -> agent_ready(hold)
			:: else
			fi
		:: else
		fi;
		s = 0;
		old = 0
	:: else
	fi
}

/* seats.c: P4 for a claim whose hold is over. The contact 1 asks for a wrap-up. */
inline seats_release(c, k)
{
	i = 0;
	do
	:: sees && i < SEATS ->
		atomic { STEP; old = seat[i] };
		if
		:: old == WORD(TAKEN, c, k) ->
			atomic { STEP; last = c };
			seat_leave(i, old, (c -> WRAP_UP : EMPTY));
			look = 1;
			break
		:: else -> i++
		fi
	:: else -> break
	od;
	old = 0;
	i = 0
}

/* finish.c: step 4, which is P4 when the hold is over. */
inline release(c, k, ended)
{
	do
	:: atomic { STEP; hold = agent };
		if
		:: hold != WORD(HOLD, c, k) -> seats_release(c, k); break
		:: else
		fi;
		parked = 0;
		if
		:: ended -> park(hold, 1)
		:: else
		fi;
		if
		:: parked -> look = 1
		:: else ->
			atomic { STEP; last = c };
			agent_ready(hold);
			if
			:: ok -> look = 1; break
			:: else
			fi
		fi
	od;
	parked = 0;
	hold = 0
}

/* seats.c: by which claim the agent has contact c; 0: the contact has gone on. */
inline seats_claim(c)
{
	atomic { STEP; hold = agent };
	if
	:: STATE(hold) == HOLD && WHICH(hold) == c
	:: else ->
		hold = 0;
		i = 0;
		do
		:: sees && i < SEATS ->
			atomic { STEP; hold = seat[i] };
			if
			:: STATE(hold) == TAKEN && WHICH(hold) == c -> break
			:: else -> hold = 0; i++
			fi
		:: else -> break
		od;
		i = 0
	fi
}

/* Release the agent of a decided contact, then let the contact go on. */
inline finish(c, word)
{
	if
	:: STATE(word) == ENDING ->
		seats_claim(c);
		if
		:: hold ->
			atomic { STEP; ok = (contact[c] == word) };
			if
			:: ok -> k4 = VERSION(hold); release(c, k4, 1)
			:: else
			fi
		:: else
		fi;
		k4 = 0;
		hold = 0;
		atomic {
			STEP;
			d_step {
				ok = (contact[c] == word);
				if
				:: ok ->
					assert(!HELD(c, VERSION(word) - 3));
					assert(!IN(0, c, VERSION(word) - 3) && !IN(1, c, VERSION(word) - 3));
					contact[c] = WORD(FREE, 0, VERSION(word) + 1);
					taken[c] = 0
				:: else
				fi
			}
		}
	:: else ->
		k4 = VERSION(word) - 2;
		release(c, k4, 0);
		k4 = 0;
		contact_change(c, word, WORD(WAITING, 0, VERSION(word) + 1));
		if
		:: ok -> look = 1
		:: else
		fi
	fi
}

/* claim.c: bring the agent's word to one that says the truth by itself. */
inline settle(word)
{
	do
	:: atomic { STEP; word = agent };
		if
		:: STATE(word) != HOLD ->
			atomic { STEP; c1 = last };
			atomic { STEP; w1 = contact[c1] };
			j = 0;
			do
			:: CLOSING(w1) || j == SEATS || !sees -> break
			:: else ->
				atomic { STEP; w1 = seat[j] };
				j++;
				if
				:: STATE(w1) == TAKEN ->
					c1 = WHICH(w1);
					atomic { STEP; w1 = contact[c1] }
				:: else -> w1 = 0
				fi
			od;
			j = 0;
			if
			:: CLOSING(w1) -> finish(c1, w1)
			:: else -> break
			fi
		:: else ->
			c1 = WHICH(word);
			atomic { STEP; w1 = contact[c1] };
			if
			:: w1 == WORD(WAITING, 0, VERSION(word)) ->
				contact_change(c1, w1, WORD(OFFERED, 0, VERSION(w1) + 1))
			:: w1 == WORD(OFFERED, 0, VERSION(word) + 1) -> break
			:: w1 == WORD(CONNECTED, 0, VERSION(word) + 2) ->
				park(word, 0);
				if
				:: parked -> look = 1; parked = 0
				:: else -> break
				fi
			:: w1 == WORD(DECLINED, 0, VERSION(word) + 2) ||
			   w1 == WORD(ENDING, 0, VERSION(word) + 3) -> finish(c1, w1)
			:: else ->
				agent_ready(word);
				if
				:: ok -> look = 1
				:: else
				fi
			fi
		fi
	od;
	c1 = 0;
	w1 = 0
}

/* seats.c: whether the agent has a seat for another contact; each is read. */
inline look_open()
{
	open = !sees;
	i = 0;
	do
	:: sees && i < SEATS && !open ->
		atomic { STEP; open = (STATE(seat[i]) == EMPTY) };
		i++
	:: else -> break
	od;
	i = 0
}

/* Whether there is an EMPTY seat, or he has one slot and is READY. */
#define ROOM (!given || STATE(seat[0]) == EMPTY || SEATS == 2 && STATE(seat[1]) == EMPTY)

inline match_run()
{
	do
	:: !look -> break
	:: else ->
		look = 0;
#ifdef MUTATE_SEATS
		look_open();
#endif
		settle(word);
#ifndef MUTATE_SEATS
		look_open();
#endif
		if
		:: STATE(word) == READY && open ->
			/* The best contact, in one step. */
			atomic {
				STEP;
				d_step {
					c2 = (STATE(contact[0]) == WAITING -> 0 : 1);
					w2 = contact[c2]
				}
			}
			if
			:: STATE(w2) == WAITING ->
				atomic {
					STEP;
					d_step {
						ok = (agent == word);
						if
						:: ok -> assert(ROOM); agent = WORD(HOLD, c2, VERSION(w2))
						:: else
						fi
					}
				}
				if
				:: ok ->
					contact_change(c2, w2, WORD(OFFERED, 0, VERSION(w2) + 1));
					settle(word)
				:: else
				fi;
				look = 1
			:: else
			fi
		:: else
		fi;
		open = 0;
		c2 = 0;
		w2 = 0
	od;
	word = 0
}

/* The local variables of a thread that is inside the engine. */
#define LOCALS \
	bit ok, look, parked, direct, open, sees, c1, c2; \
	byte i, j, s, k4; \
	short word, hold, old, w1, w2, w4

/* What the contact's word allows. */
inline call_contact(c)
{
	atomic { STEP; w4 = contact[c] };
	if
	:: STATE(w4) == FREE ->
		d_step { ok = !taken[c]; taken[c] = 1 }
		if
		:: ok ->
			atomic { STEP; contact[c] = WORD(WAITING, 0, VERSION(contact[c]) + 1) };
			look = 1
		:: else
		fi
	:: STATE(w4) == WAITING -> look = 1
	:: CLOSING(w4) -> finish(c, w4)
	:: STATE(w4) == OFFERED ->
		contact_change(c, w4, WORD(CONNECTED, 0, VERSION(w4) + 1));
		look = ok
	:: STATE(w4) == OFFERED ->
		contact_change(c, w4, WORD(DECLINED, 0, VERSION(w4) + 1));
		if
		:: ok -> w4 = WORD(DECLINED, 0, VERSION(w4) + 1); finish(c, w4)
		:: else
		fi
	:: STATE(w4) == CONNECTED ->
		contact_change(c, w4, WORD(ENDING, 0, VERSION(w4) + 1));
		if
		:: ok -> w4 = WORD(ENDING, 0, VERSION(w4) + 1); finish(c, w4)
		:: else
		fi
	fi;
	w4 = 0
}

/* P6: the wrap-up of a seat ends. */
inline call_wrap_up(x)
{
	atomic { STEP; old = seat[x] };
	if
	:: STATE(old) == WRAP_UP ->
		seat_leave(x, old, EMPTY);
		look = look || ok
	:: else
	fi;
	old = 0
}

proctype host(byte self)
{
	LOCALS;
	byte n;

	do
	:: n < (self == 0 -> OPS : OPS_OTHERS) ->
		n++;
		atomic { sees = given; old_reader[self] = !given };
		if
		:: call_contact(0)
		:: call_contact(1)
		:: look = 1
		:: call_wrap_up(0)
		fi;
		match_run();
		atomic { old_reader[self] = 0; sees = 0 }
	:: else -> break
	od;
dead:
	done++
}

#ifdef GROW
/* config.c: the agent gets seats; when nobody reads the old description any more, they are parked in. */
proctype grow()
{
	given = 1;
#ifndef MUTATE_PARKS
end:
	!old_reader[0] && !old_reader[1];
#endif
	parks = 1;
	done++
}
#endif

/* stw_acd_advance, twice round. */
inline advance()
{
	n = 0;
	do
	:: n < 4 ->
		look = 1;
		match_run();
		w4 = contact[n % 2];
		if
		:: CLOSING(w4) -> finish((n % 2), w4)
		:: else
		fi;
		look = 1;
		match_run();
		n++
	:: else -> break
	od
}

init {
	LOCALS;
	byte self = HOSTS;
	byte n;

	d_step {
		contact[0] = WORD(CONNECTED, 0, 3);
		contact[1] = WORD(WAITING, 0, 1);
		taken[0] = 1;
		taken[1] = 1;
		agent = WORD(HOLD, 0, 1);
#ifndef GROW
		given = 1;
		parks = 1;
#endif
		stamp = 1
	}
	atomic {
#ifdef GROW
		run grow();
#endif
		do
		:: n < HOSTS -> run host(n); n++
		:: else -> break
		od;
		n = 0
	}
#ifdef GROW
#ifdef MUTATE_PARKS
	done == HOSTS + 1;
#else
	/* A stopped thread may keep the configuration waiting: then nothing is parked. */
	done == HOSTS + 1 || done == HOSTS && stopped && given && old_reader[0];
#endif
#else
	done == HOSTS;
#endif
	sees = given;
	/* Contact 0 is as if a thread had stopped: the rounds park it if nobody has. */
	advance();
	assert(!(STATE(agent) == READY && ROOM && (STATE(contact[0]) == WAITING || STATE(contact[1]) == WAITING)));
	assert(!CLOSING(contact[0]) && !CLOSING(contact[1]));
	assert(!parks || !given || STATE(agent) != HOLD || STATE(contact[WHICH(agent)]) == OFFERED);
dead:
	skip
}
