/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * "No inversion" while a contact gets another class (lib/acd/match.c, place.c). Contact X is better than Y before
 * and after, and waits all the time; so a search never comes out with Y.
 *
 * X has an entry for each of its words: the new one is put in, the word is changed, that is counted, the old
 * one is taken out. A search reads the counter, visits the places of both entries in either order, passes over an
 * entry whose word is still to come, counts and takes out one whose word has passed, and reads the counter
 * again. X is changed twice; the second change uses the first entry's place again. Any of them may stop for ever
 * after any step, and there are two searches, so one may take out what the other has not seen.
 *
 * MUTATE_LATE: who changed the word takes the old entry out before he counts; must end in an error.
 * MUTATE_STALE: a search takes out a stale entry and does not count; must end in an error.
 * MUTATE_SECOND: the counter is not read again; must end in an error.
 */
#define CHANGES 2

#define NONE 255

byte entry[2] = {0, NONE}; /* the version of X's word for which an entry stands there; Y's is always there */
byte word;                 /* version of X's word */
byte arrivals;

proctype change()
{
	byte i = 0, place, next;

	do
	:: i < CHANGES ->
		i++;
		next = i;
		place = i % 2;
		/* The old entry at this place may be there yet: others have free places, so take none then. */
		if
		:: entry[place] == NONE -> entry[place] = next
		:: else -> break
		fi;
		word = next;
#ifdef MUTATE_LATE
		d_step { entry[1 - place] = (entry[1 - place] == next - 1 -> NONE : entry[1 - place]) };
		arrivals++
#else
		arrivals++;
		d_step { entry[1 - place] = (entry[1 - place] == next - 1 -> NONE : entry[1 - place]) }
#endif
	:: i < CHANGES -> break /* stops for ever, or is content */
	:: else -> break
	od
}

proctype search(bit upwards)
{
	byte i, place, before, seen, now;
	bit found;

again:
	before = arrivals;
	found = 0;
	i = 0;
	do
	:: i < 2 ->
		place = (upwards -> i : 1 - i);
		seen = entry[place];
		if
		:: seen == NONE -> skip
		:: else ->
			now = word;
			if
			:: seen == now -> found = 1
			:: seen > now -> skip
			:: else ->
#ifndef MUTATE_STALE
				arrivals++;
#endif
				d_step { entry[place] = (entry[place] == seen -> NONE : entry[place]) }
			fi
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
	assert(found)
}

init {
	atomic {
		run change();
		run search(0);
		run search(1)
	}
}
