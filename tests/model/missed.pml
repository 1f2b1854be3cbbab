/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * "Nobody is missed" (lib/acd/claim.c, fences F1) on a machine that may let a thread's later load overtake its
 * earlier store, as C11's acquire and release allow: each thread has a store buffer.
 *
 * One thread makes a contact wait and then looks for an agent; the other makes an agent ready and then
 * looks for a contact. Shown: one of the two sees the other.
 *
 * MUTATE_FENCE: no full fence between the store and the look; must end in an error.
 */
bit waits, ready;      /* memory */
bit waits_buffered, ready_buffered;
bit sees_agent, sees_contact;
byte done;

/* What is buffered reaches memory at any time. */
proctype memory()
{
end:
	do
	:: atomic { waits_buffered -> waits = 1; waits_buffered = 0 }
	:: atomic { ready_buffered -> ready = 1; ready_buffered = 0 }
	od
}

proctype enqueue()
{
	waits_buffered = 1;
#ifndef MUTATE_FENCE
	!waits_buffered; /* the fence: all of its own stores are in memory */
#endif
	sees_agent = ready;
	done++
}

proctype make_ready()
{
	ready_buffered = 1;
#ifndef MUTATE_FENCE
	!ready_buffered;
#endif
	sees_contact = waits;
	done++
}

init {
	atomic { run memory(); run enqueue(); run make_ready() }
	done == 2;
	assert(sees_agent || sees_contact)
}
