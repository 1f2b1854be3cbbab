/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The lower-bound tree of lib/sync/lower_bound_tree.c: a root over two chunks of two entries, each word a
 * bound and a version. Inserters put entries in and take them out again; searches look for the minimum
 * and raise bounds that are too low.
 *
 * Shown:
 *   - a bound is never above an entry below it whose insert has returned (I1, I2);
 *   - the minimum found is exact: no entry that was in when the search began and is still in when it ends is
 *     smaller than what it found, and it finds one if there is such an entry.
 *
 * Left out: hint bits (hint_bits.h has the argument of a word without a bound), several sets, entries that
 * turn stale by themselves, and the raise by who removes, which is that of a search (visit). Versions wrap
 * after 2^19 inserts in the code and do not here.
 *
 * Mutations that must end in an error:
 *   MUTATE_VERSION   insert moves the version on only when it lowers the bound
 *   MUTATE_ORDER     insert lowers the bounds before it writes the entry
 *   MUTATE_TICKET    a search reads the word that it raises after its look
 */
#ifndef SEARCHES
#define SEARCHES 2
#endif
#define CHUNKS  2
#define ENTRIES 4 /* two per chunk */
#define EMPTY   7

byte key[ENTRIES];       /* EMPTY: no entry */
byte bound[CHUNKS + 1];  /* chunks, then the root */
byte version[CHUNKS + 1];
bit settled[ENTRIES];    /* the insert has returned */

#define ROOT CHUNKS
#define BELOW(e, w) (settled[e] && key[e] < bound[w])

inline lower(w, k)
{
	d_step {
#ifdef MUTATE_VERSION
		if
		:: k < bound[w] -> version[w]++
		:: else
		fi;
#else
		version[w]++;
#endif
		bound[w] = (k < bound[w] -> k : bound[w])
	}
}

/* An entry's way in: the entry, its chunk's bound, the root's. */
inline insert(e, k)
{
#ifdef MUTATE_ORDER
	lower(e / 2, k);
	lower(ROOT, k);
	d_step { key[e] = k; settled[e] = 1 }
#else
	key[e] = k;
	lower(e / 2, k);
	lower(ROOT, k);
	settled[e] = 1
#endif
}

/* Compare-exchange from the version and bound read before the look. */
inline raise(w, seen_bound, seen_version, to)
{
	d_step {
		if
		:: to > seen_bound && bound[w] == seen_bound && version[w] == seen_version ->
			bound[w] = to
		:: else
		fi;
		/* I1, I2 */
		if
		:: w == ROOT ->
			assert(!BELOW(0, ROOT) && !BELOW(1, ROOT) && !BELOW(2, ROOT) &&
				!BELOW(3, ROOT))
		:: else -> assert(!BELOW(w * 2, w) && !BELOW(w * 2 + 1, w))
		fi
	}
}

/* Visit a chunk: its smallest entry, and its bound mended. */
inline visit(k)
{
#ifndef MUTATE_TICKET
	d_step { chunk_bound = bound[k]; chunk_version = version[k] }
#endif
	low = key[k * 2];
	low = (key[k * 2 + 1] < low -> key[k * 2 + 1] : low);
#ifdef MUTATE_TICKET
	d_step { chunk_bound = bound[k]; chunk_version = version[k] }
#endif
	raise(k, chunk_bound, chunk_version, low);
	floor = (low < floor -> low : floor);
	found = (low < found -> low : found)
}

proctype searcher(byte times)
{
	byte n, found, floor, low, first, second;
	byte root_bound, root_version, chunk_bound, chunk_version, other;
	byte before; /* the smallest entry that was in and settled at the begin */

	do
	:: n < times ->
		n++;
		found = EMPTY;
		floor = EMPTY;
		d_step {
			root_bound = bound[ROOT];
			root_version = version[ROOT];
			before = EMPTY;
			before = (settled[0] && key[0] < before -> key[0] : before);
			before = (settled[1] && key[1] < before -> key[1] : before);
			before = (settled[2] && key[2] < before -> key[2] : before);
			before = (settled[3] && key[3] < before -> key[3] : before)
		}
		if
		:: root_bound != EMPTY ->
			/* The chunk with the lower bound first; the other unless its bound excludes it. */
			d_step { first = bound[0] }
			d_step { first = (bound[1] < first -> 1 : 0) }
			visit(first);
			second = 1 - first;
			other = bound[second];
			if
			:: other > found -> floor = (other < floor -> other : floor)
			:: else -> visit(second)
			fi;
			raise(ROOT, root_bound, root_version, floor)
		:: else
		fi;
		d_step {
			/* What was smaller and is no longer in has been taken out meanwhile. */
			assert(before >= found || (key[0] != before && key[1] != before &&
				key[2] != before && key[3] != before));
			found = 0; floor = 0; low = 0; first = 0; second = 0; before = 0; other = 0;
			root_bound = 0; root_version = 0; chunk_bound = 0; chunk_version = 0
		}
	:: else -> break
	od;
}

/* Puts its entry in, takes it out, puts it in again with another key. */
proctype owner(byte e; byte first_key; byte second_key)
{
	insert(e, first_key);
	d_step { key[e] = EMPTY; settled[e] = 0 }
	insert(e, second_key)
}

init {
	d_step {
		key[0] = EMPTY; key[1] = EMPTY; key[2] = EMPTY; key[3] = EMPTY;
		bound[0] = EMPTY; bound[1] = EMPTY; bound[ROOT] = EMPTY
	}
	atomic {
		run owner(0, 3, 1);
		run owner(1, 5, 2);
		run owner(2, 4, 6);
		run searcher(SEARCHES)
#ifdef TWO
		;run searcher(SEARCHES)
#endif
	}
}
