/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A house under stress: threads that do random calls on one engine, and one thread (the test's own) that
 * takes the events, keeps the ledger and hands what rings and talks to the others through boxes.
 */
#ifndef TEST_HOUSE_H
#define TEST_HOUSE_H

#include <pthread.h>
#include <stdatomic.h>

#include "stress/ledger.h"
#include "support/random.h"
#include "support/step.h"

#define HOUSE_THREADS_MAX  8
#define HOUSE_AGENTS_MAX   64
#define HOUSE_QUEUES_MAX   4
#define HOUSE_CONTACTS_MAX 256
#define HOUSE_LOG_MAX      65536
#define HOUSE_EVENTS_SAFE  10000 /**< an event queue so large loses nothing here */

/** What a thread does, in parts of a thousand; what is left over is advancing time. */
struct house_mix {
	uint32_t enqueue, accept, decline, end, cancel, reprioritise, ready, not_ready, login,
		logout, configure, extend, move, transfer;
};

struct house_plan {
	uint32_t threads, agents, queues, contacts_max, events_max, skills;
	uint32_t offer_timeout_ns, wrap_up_ns, penalty_ns, misses_max;
	uint32_t channels;    /**< 0: agents with one slot; else two of three have several */
	uint32_t rings;       /**< so many agents are rung at once; 0: 1 */
	uint32_t wait_max_ns; /**< of every other queue; its contacts go to the next one */
	uint32_t lease_ns;    /**< of every queue; nobody renews */
	uint32_t customers;   /**< keys that contacts have; what is remembered holds for long */
	uint32_t in_person;   /**< contacts that want an agent in person, in a thousand */
	uint32_t credit;      /**< operations of a thread between two rounds of the taker */
	struct house_mix mix;
};

/** A call that succeeded, for "exactly one of them does". */
struct house_success {
	enum step_kind kind;
	uint64_t contact, number;
};

/** One per contact slot: who knows what may be done. 0: nothing. */
struct house_box {
	_Atomic uint64_t waiting; /**< handle, from who enqueued it */
	_Atomic uint64_t ringing[STW_STEP_RING_MAX], number[STW_STEP_RING_MAX];
	_Atomic uint64_t talking;
};

struct house;

struct house_thread {
	struct house *house;
	pthread_t thread;
	struct random random;
	uint32_t index;
	_Atomic uint64_t operations;
	_Atomic int inside;          /**< 1 while in a call of the engine */
	_Atomic uint32_t park_after; /**< instructions in calls until stepper's hook; 0: never */
	_Atomic uint64_t accepted, declined, cancelled, ended, enqueued, refused;
	_Atomic uint64_t moved, transferred;
	struct house_success *log;
	_Atomic uint32_t log_count; /**< grows only, but at quiet points */
};

struct house {
	struct house_plan plan;
	struct stw_acd *acd;
	struct step_skills skills;
	struct ledger ledger;
	struct stw_agent agents[HOUSE_AGENTS_MAX];
	struct stw_queue queues[HOUSE_QUEUES_MAX];
	struct oracle_agent_rule agent_rules[HOUSE_AGENTS_MAX]; /**< changed by thread 0 only */
	struct oracle_queue_rule queue_rules[HOUSE_QUEUES_MAX];
	int64_t target_ns[STW_CLASS_COUNT][STW_CLASS_COUNT];
	struct house_box boxes[HOUSE_CONTACTS_MAX];
	uint64_t alive[HOUSE_CONTACTS_MAX]; /**< handles seen at the last quiet point, by slot */
	struct house_thread threads[HOUSE_THREADS_MAX];
	_Atomic uint64_t clock_ns, tick;
	_Atomic int pause, stop;
	_Atomic uint32_t paused; /**< threads that have seen pause */
	_Atomic int wrong_result,
		wrong_kind; /**< of a call that returned what its header does not list */
	char problem[500];
};

/** Called on each thread when it begins; what it does is the test's. */
void house_thread_begins(struct house_thread *thread);

/** Make the house and its threads, paused. */
void house_open(struct house *house, const struct house_plan *plan, uint64_t seed);
void house_close(struct house *house);

/** Let the threads run; house_rest waits until all are between calls. The caller takes events meanwhile. */
void house_run(struct house *house);
void house_rest(struct house *house, uint32_t threads);

/** Take what events there are, enter them, fill boxes. Returns how many. */
uint64_t house_take(struct house *house);

/** Whether no thread is near the end of its log, where it would have to wait for a quiet point. */
bool house_logs_have_room(const struct house *house);

/** Agents that a contact of this house may ring at once. */
uint32_t house_ring_max(const struct house *house);

/** A later time for each caller. */
uint64_t house_now(struct house *house, struct random *random);

/** Verify all that must hold while nobody is in a call. Returns false with problem set. */
bool house_check(struct house *house);

/** Nothing wrong so far, by ledger and returns; holds at any time. */
bool house_check_ledger(struct house *house);

/** Verify what must hold with some threads stopped inside of calls, all others between calls, once time has
 * gone round everybody: nobody known is missed, and events tell the truth. */
bool house_check_stopped(struct house *house);

#endif
