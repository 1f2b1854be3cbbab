/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The work that the ACD benches give to both engines: a house, its arrivals, ends and
 * abandons, all from one seed, so that both must make the same decisions.
 */
#ifndef BENCH_ACD_WORKLOAD_H
#define BENCH_ACD_WORKLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "rival_acd.h"

#define WORKLOAD_SKILLS       50
#define WORKLOAD_AGENT_SKILLS 8
#define WORKLOAD_LEVELS       10

/** Sizes of a house. */
struct workload_size {
	uint32_t agents;
	uint32_t queues;
	uint32_t waiting;  /**< contacts kept waiting; 0: agents idle instead */
	uint32_t contacts; /**< most at one time; 0: enough for those waiting and connected */
};

/** A decision: this contact is offered to that agent. */
struct workload_match {
	uint32_t cookie;
	uint32_t agent;
};

/** An engine as the workload sees it. Calls that cannot fail in this workload return nothing. */
struct workload_engine {
	const char *name;
	void *state;
	void (*queue_define)(void *state, uint32_t queue, const struct rival_term *terms,
			     uint32_t terms_count,
			     const int64_t target_ns[RIVAL_CLASSES][RIVAL_CLASSES]);
	void (*agent_define)(void *state, uint32_t agent, const uint8_t levels[RIVAL_SKILLS_MAX]);
	void (*agent_ready)(void *state, uint32_t agent, uint64_t now_ns);
	/** Log in and make ready count agents from the first on; events are left to take. */
	void (*agents_ready)(void *state, uint32_t first, uint32_t count, uint64_t now_ns);
	void (*enqueue)(void *state, uint32_t queue, uint32_t cookie, uint8_t value,
			uint8_t urgency, uint64_t now_ns);
	/** Like enqueue; red: the red channel, of the rival the highest class. False: a surge rule sent
	 * the contact to self-service. */
	bool (*admit)(void *state, uint32_t queue, uint32_t cookie, uint8_t value, bool is_red,
		      uint64_t now_ns);
	void (*cancel)(void *state, uint32_t cookie, uint64_t now_ns);
	/** Take what was decided; each contact offered is accepted by this call. */
	uint32_t (*take)(void *state, struct workload_match *matches, uint32_t count,
			 uint64_t now_ns);
	void (*end)(void *state, uint32_t cookie, uint64_t now_ns);
	/** Let time pass; timers and surge rules. */
	void (*advance)(void *state, uint64_t now_ns);
	void (*destroy)(void *state);
};

/** Contacts that a house of that size can hold at one time. */
uint32_t workload_contacts_max(const struct workload_size *size);

/** The two engines, empty. */
void workload_ours_create(struct workload_engine *engine, const struct workload_size *size);
void workload_rival_create(struct workload_engine *engine, const struct workload_size *size);

struct stw_surge_rule;
struct stw_acd_stats;

/** Of ours: queues defined from now on have this rule; borrowed until destroy. */
void workload_ours_rule(const struct workload_engine *engine, const struct stw_surge_rule *rule);

/** Of ours: how often rules have gone on or off, by the events taken, and its counters. */
uint64_t workload_ours_switches(const struct workload_engine *engine);
void workload_ours_stats(const struct workload_engine *engine, struct stw_acd_stats *stats);

/** The same engines once more, as many threads see them; they share the state. */
struct threads_engine;
void workload_ours_threads(const struct workload_engine *engine, struct threads_engine *threads);
void workload_rival_threads(const struct workload_engine *engine, struct threads_engine *threads);

/** Give the engine a house of queues and agents, nobody at work yet. */
void workload_define(struct workload_engine *engine, const struct workload_size *size,
		     uint64_t seed);

/** The same with all agents ready; nobody waits. */
void workload_house(struct workload_engine *engine, const struct workload_size *size,
		    uint64_t seed);

struct workload;

/** Give the engine a house and bring it to its steady state. */
struct workload *workload_create(struct workload_engine *engine, const struct workload_size *size,
				 uint64_t seed);

/** Go on until that many further decisions are made. */
void workload_run(struct workload *workload, uint64_t decisions);

/** Number of decisions so far, and a digest of who got whom, in order. */
uint64_t workload_decisions(const struct workload *workload);
uint64_t workload_digest(const struct workload *workload);

void workload_destroy(struct workload *workload);

#endif
