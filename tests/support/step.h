/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One call of the engine's interface as a value: made up by a test, done to the engine and to the
 * oracle, printed when they differ.
 */
#ifndef TEST_STEP_H
#define TEST_STEP_H

#include "oracle.h"

enum step_kind {
	STEP_ENQUEUE,
	STEP_CANCEL,
	STEP_ACCEPT,
	STEP_DECLINE,
	STEP_END,
	STEP_REPRIORITISE,
	STEP_MOVE,
	STEP_TRANSFER,
	STEP_READY,
	STEP_NOT_READY,
	STEP_LOGIN,
	STEP_LOGOUT,
	STEP_EXTEND,
	STEP_ADVANCE,
	STEP_AGENT_DEFINE,
	STEP_AGENT_UPDATE,
	STEP_AGENT_REMOVE,
	STEP_QUEUE_DEFINE,
	STEP_QUEUE_UPDATE,
	STEP_QUEUE_REMOVE,
	STEP_KINDS
};

struct step {
	enum step_kind kind;
	uint64_t now_ns;
	uint64_t agent, queue, contact; /**< ids, as far as the kind has them */
	uint64_t number;                /**< of the offer, as the engine says it */
	uint64_t offer;                 /**< of the same offer, as the oracle counts it */
	uint32_t reason, budget;
	uint64_t by_ns;
	uint8_t value, urgency;
	uint64_t agent_wait_ns;
	char name[24];
	struct oracle_agent_rule agent_rule;
	struct oracle_queue_rule queue_rule;
	struct stw_contact_request request;
	int result;       /**< set by step_engine */
	uint64_t id;      /**< handle given by step_engine */
	uint64_t next_ns; /**< set by step_engine when advancing */
};

/** The skills, attributes and pools of a house, the same indices as in the rules. */
struct step_skills {
	struct stw_skill skill[ORACLE_SKILLS_MAX];
	struct stw_attribute attribute[ORACLE_ATTRIBUTES_MAX];
	struct stw_pool pool[ORACLE_POOLS_MAX];
};

/** Define them. Returns 0 or what failed. */
int step_skills_define(struct stw_acd *acd, struct step_skills *skills);

/** Do it to the engine; result, id and next_ns are set. */
void step_engine(struct stw_acd *acd, const struct step_skills *skills, struct step *step);

/** Do it to the oracle. Returns its result; next_ns set when advancing. */
int step_oracle(struct oracle *oracle, const struct step *step, uint64_t *next_ns);

/** Say it in a line, with the engine's result. */
void step_text(const struct step *step, char *text, size_t bytes);

#endif
