/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * "No inversion" (lib/acd/match.c): an agent's search visits several queues, one after the other, while contacts
 * arrive. Reading the counter of arrivals before and after makes what it finds the best at one instant
 * of the search.
 *
 * Contact i has rank i and waits in queue i; a thread of its own enqueues each: the word first, the counter
 * second. An enqueue takes effect when it is counted, or earlier, when the contact is taken. Shown: there
 * was an instant within the search at which the contact that it takes was waiting and no better one
 * had been counted.
 *
 * MUTATE_SECOND: the counter is not read again; must end in an error.
 */
#define QUEUES 3

bit waiting[QUEUES];
bit counted[QUEUES];
byte arrivals;
bit searching;
bit was_best[QUEUES]; /* at an instant since the search began */

/* Is contact c waiting and the best of those counted, now? */
#define BEST(c) \
	(waiting[c] && !(c > 0 && counted[0]) && !(c > 1 && counted[1]))

inline instant()
{
	was_best[0] = was_best[0] || (searching && BEST(0));
	was_best[1] = was_best[1] || (searching && BEST(1));
	was_best[2] = was_best[2] || (searching && BEST(2))
}

proctype enqueue(byte c)
{
	d_step { waiting[c] = 1; instant() }
	d_step { counted[c] = 1; arrivals++; instant() }
}

proctype search(bit upwards)
{
	byte i, q, best, before;

	d_step { searching = 1; instant() }
again:
	before = arrivals;
	best = QUEUES;
	i = 0;
	do
	:: i < QUEUES ->
		q = (upwards -> i : QUEUES - 1 - i);
		if
		:: waiting[q] && q < best -> best = q
		:: else
		fi;
		i++
	:: else -> break
	od;
#ifndef MUTATE_SECOND
	if
	:: arrivals != before -> goto again
	:: else
	fi;
#endif
	assert(best == QUEUES || was_best[best])
}

init {
	atomic {
		run enqueue(0);
		run enqueue(1);
		run enqueue(2);
		if
		:: run search(0)
		:: run search(1)
		fi
	}
}
