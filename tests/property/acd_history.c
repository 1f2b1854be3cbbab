/* SPDX-License-Identifier: BSD-3-Clause */
#include "property/acd_history.h"

#include <stdio.h>
#include <string.h>

#define MS UINT64_C(1000000)

static void
make_targets(struct history *history)
{
	for (int table = 1; table < HISTORY_TABLES; table++) {
		for (int v = 0; v < STW_CLASS_COUNT; v++) {
			for (int u = 0; u < STW_CLASS_COUNT; u++) {
				int64_t *target = &history->target_ns[table][v][u];
				int64_t ms = random_below(&history->random, 100);

				if (table == 1) /* a few steps: many ties when time stands still */
					*target = -(int64_t)MS * (v / 4);
				else if (table == 2) /* strict priority, to the limits */
					*target =
						v > 12 ? -(INT64_C(1) << 61) + u : INT64_C(1) << 61;
				else
					*target = (ms - 50) * (int64_t)MS;
			}
		}
	}
}

void
history_begin(struct history *history, const struct house_size *size, uint64_t seed)
{
	memset(history, 0, sizeof(*history));
	history->size = size;
	history->seed = seed;
	history->random.state = seed;
	history->now_ns = 1 + random_next(&history->random) % (UINT64_C(1) << 60);
	history->oracle.agents_max = size->agents_max;
	history->oracle.queues_max = size->queues_max;
	history->oracle.contacts_max = size->contacts_max;
	history->oracle.settles = true;
	make_targets(history);
}

/* An agent, most often one of whom the call makes sense. */
static uint64_t
random_agent(struct history *history, enum step_kind kind)
{
	int a = (int)random_below(&history->random, ORACLE_AGENTS_MAX), any = ORACLE_NONE;

	if (random_happens(&history->random, 10))
		return history->old_agents[random_below(&history->random, 4)];
	for (int tries = 0; tries < ORACLE_AGENTS_MAX; tries++, a = (a + 1) % ORACLE_AGENTS_MAX) {
		enum stw_agent_state state = history->oracle.agents[a].state;
		bool may_rest = state == STW_AGENT_READY && history->oracle.agents[a].wraps_count;
		bool fits = kind == STEP_EXTEND ? state == STW_AGENT_WRAP_UP || may_rest
			    : kind == STEP_LOGIN || kind == STEP_AGENT_REMOVE
				    ? state == STW_AGENT_LOGGED_OUT
			    : kind == STEP_READY ? state == STW_AGENT_NOT_READY ||
							   state == STW_AGENT_WRAP_UP || may_rest
						 : state != STW_AGENT_LOGGED_OUT;

		if (!history->oracle.agents[a].defined)
			continue;
		if (any == ORACLE_NONE || fits)
			any = a;
		if (fits || random_happens(&history->random, 50))
			break;
	}
	return any == ORACLE_NONE ? 0 : history->oracle.agents[any].id;
}

static uint64_t
random_queue(struct history *history)
{
	int q = (int)random_below(&history->random, ORACLE_QUEUES_MAX);

	if (random_happens(&history->random, 10))
		return history->old_queues[random_below(&history->random, 4)];
	for (int tries = 0; tries < ORACLE_QUEUES_MAX; tries++, q = (q + 1) % ORACLE_QUEUES_MAX) {
		if (history->oracle.queues[q].defined)
			return history->oracle.queues[q].id;
	}
	return 0;
}

/* How long to wait for an agent in person. */
static uint64_t
random_wait(struct random *random)
{
	if (random_happens(random, 200))
		return random_happens(random, 500) ? UINT64_MAX : 0;
	return 1 + random_below(random, 30 * MS);
}

static void
random_levels(struct history *history, uint8_t *level, uint32_t per_mille, uint32_t highest)
{
	memset(level, 0, ORACLE_SKILLS_MAX);
	for (uint32_t i = 0; i < history->size->skills; i++) {
		if (random_happens(&history->random, per_mille))
			level[i] = (uint8_t)(1 + random_below(&history->random, highest));
	}
}

static void
random_agent_rule(struct history *history, struct oracle_agent_rule *rule)
{
	struct random *random = &history->random;

	memset(rule, 0, sizeof(*rule));
	rule->cookie = random_next(random);
	rule->misses_max = random_below(random, 4);
	rule->penalty_ns = random_happens(random, 500) ? random_below(random, 20 * MS) : 0;
	random_levels(history, rule->level, 800, 10);
	for (uint32_t i = 0; i < history->size->channels; i++) {
		rule->slots[i] =
			(uint8_t)(random_happens(random, 700) ? random_below(random, 4) : 0);
		rule->interrupts[i] = (uint8_t)random_below(random, 256);
	}
	rule->position = random_below(random, 3);
	rule->pool = random_below(random, ORACLE_POOLS_MAX + 1);
	for (int i = 0; i < ORACLE_ATTRIBUTES_MAX; i++)
		rule->value[i] =
			random_happens(random, 800) ? (char)('a' + random_below(random, 2)) : 0;
}

static void
random_term(struct history *history, struct oracle_term *term)
{
	struct random *random = &history->random;

	term->kind = (enum stw_term_kind)random_below(random, STW_TERM_ATTRIBUTE_IS_NOT + 1);
	if (term->kind == STW_TERM_SKILL) {
		term->what = (uint8_t)random_below(random, history->size->skills);
		term->level = (uint8_t)(1 + random_below(random, 10));
	} else {
		term->what = (uint8_t)random_below(random, ORACLE_ATTRIBUTES_MAX);
		term->value = (char)('a' + random_below(random, 2));
	}
}

/* An expression, operands and what joins them mixed as they may be. */
static void
random_expression(struct history *history, struct oracle_step_rule *rule)
{
	struct random *random = &history->random;
	uint32_t depth = 0, left = 1 + random_below(random, ORACLE_TERMS_MAX);

	for (; depth != 1 || left > 0; left -= left > 0) {
		struct oracle_term *term = &rule->term[rule->terms_count];
		bool joins = depth > 1 && (left <= depth || random_happens(random, 500));

		memset(term, 0, sizeof(*term));
		if (joins)
			term->kind = random_happens(random, 500) ? STW_TERM_AND : STW_TERM_OR;
		else if (depth && random_happens(random, 300))
			term->kind = STW_TERM_NOT;
		else if (left > depth)
			random_term(history, term);
		else
			continue;
		depth += joins ? -1u : term->kind == STW_TERM_NOT ? 0 : 1;
		if (++rule->terms_count == ORACLE_TERMS_MAX)
			break;
	}
	if (depth != 1)
		rule->terms_count = 0;
}

static void
random_routing(struct history *history, struct oracle_step_rule *rule)
{
	static const enum stw_select selects[] = {
		STW_SELECT_LONGEST_IDLE, STW_SELECT_MOST_PROFICIENT, STW_SELECT_FEWEST_CONTACTS,
		STW_SELECT_ROUND_ROBIN, STW_SELECT_TOP_DOWN};
	struct random *random = &history->random;

	rule->select = selects[random_below(random, sizeof(selects) / sizeof(selects[0]))];
	if (random_happens(random, 400))
		random_expression(history, rule);
	if (random_happens(random, 200))
		rule->pool = 1 + random_below(random, ORACLE_POOLS_MAX);
	if (random_happens(random, 300)) {
		rule->reserve_agents = 1 + random_below(random, 3);
		rule->reserve_value = (uint8_t)(1 + random_below(random, STW_CLASS_COUNT - 1));
	}
}

static void
random_step_rule(struct history *history, uint32_t k, struct oracle_step_rule *rule)
{
	struct random *random = &history->random;

	random_levels(history, rule->level, 500, 8);
	if (history->size->routes)
		random_routing(history, rule);
	else if (random_happens(random, 300))
		rule->ring_count = 1 + random_below(random, STW_STEP_RING_MAX);
	if (!k)
		return;
	rule->after_ns = random_happens(random, 200)   ? STW_STEP_NEVER
			 : random_happens(random, 200) ? 0
						       : random_below(random, 40 * MS);
	rule->when = (enum stw_step_when)random_below(random, STW_STEP_WHEN_ALL_NOT_READY + 1);
}

static void
random_queue_rule(struct history *history, struct oracle_queue_rule *rule)
{
	struct random *random = &history->random;

	memset(rule, 0, sizeof(*rule));
	rule->cookie = random_next(random);
	rule->offer_timeout_ns =
		random_happens(random, 800) ? 1 + random_below(random, 30 * MS) : 0;
	rule->wrap_up_ns = random_happens(random, 600) ? 1 + random_below(random, 20 * MS) : 0;
	rule->service_level_ns = random_below(random, 40 * MS);
	rule->length_max = random_happens(random, 300) ? 1 + random_below(random, 6) : 0;
	rule->wait_max_ns = random_happens(random, history->size->wander_per_mille)
				    ? 1 + random_below(random, 60 * MS)
				    : 0;
	rule->overflow = random_happens(random, 700) ? random_queue(history) : 0;
	rule->target_ns = history->target_ns[random_happens(random, 400)
						     ? 0
						     : random_below(random, HISTORY_TABLES)];
	rule->steps_count = 1;
	if (history->size->steps > 1)
		rule->steps_count += random_below(random, history->size->steps);
	for (uint32_t k = 0; k < rule->steps_count; k++)
		random_step_rule(history, k, &rule->step[k]);
	if (history->size->channels)
		rule->channel = (uint8_t)random_below(random, history->size->channels);
}

/* A contact and its offer; now and then one that is over, or a number that never was. */
static enum stw_contact_state
random_contact(struct history *history, struct step *step)
{
	int c = (int)random_below(&history->random, ORACLE_CONTACTS_MAX);
	const struct old_offer *old = &history->old[random_below(&history->random, HISTORY_OLD)];

	step->contact = old->contact;
	step->number = old->number;
	step->offer = old->offer;
	if (random_happens(&history->random, 30))
		return STW_CONTACT_WAITING;
	for (int i = 0; i < ORACLE_CONTACTS_MAX; i++, c = (c + 1) % ORACLE_CONTACTS_MAX) {
		const struct oracle_contact *contact = &history->oracle.contacts[c];

		/* Of those who wait there are many: most often, somebody else is wanted. */
		if (!contact->known || (contact->state == STW_CONTACT_WAITING &&
					random_happens(&history->random, 800)))
			continue;
		step->contact = contact->id;
		if (contact->places_count)
			step->offer = contact->places[random_below(&history->random,
								   contact->places_count)]
					      .offer;
		else
			step->offer = 0;
		step->number =
			step->offer ? history->compare.number[step->offer % COMPARE_OFFERS] : 0;
		if (!step->number || random_happens(&history->random, 10)) {
			step->number += 1000000; /* never was, or its event was lost */
			step->offer = UINT64_MAX;
		}
		return contact->state;
	}
	return STW_CONTACT_WAITING;
}

static void
next_of_contacts(struct history *history, struct step *step)
{
	static const enum step_kind kinds[3][8] = {
		[STW_CONTACT_WAITING] = {STEP_CANCEL, STEP_REPRIORITISE, STEP_REPRIORITISE,
					 STEP_MOVE, STEP_MOVE, STEP_ACCEPT, STEP_DECLINE,
					 STEP_TRANSFER},
		[STW_CONTACT_OFFERED] = {STEP_ACCEPT, STEP_ACCEPT, STEP_ACCEPT, STEP_ACCEPT,
					 STEP_DECLINE, STEP_DECLINE, STEP_CANCEL,
					 STEP_REPRIORITISE},
		[STW_CONTACT_CONNECTED] = {STEP_END, STEP_END, STEP_TRANSFER, STEP_TRANSFER,
					   STEP_CANCEL, STEP_ACCEPT, STEP_END, STEP_MOVE},
	};
	struct random *random = &history->random;
	enum stw_contact_state state = random_contact(history, step);

	step->kind = kinds[state][random_below(random, 8)];
	step->reason = random_below(random, 5000);
	step->value = (uint8_t)random_below(random, STW_CLASS_COUNT);
	step->urgency = (uint8_t)random_below(random, STW_CLASS_COUNT);
	if ((step->kind == STEP_MOVE || step->kind == STEP_TRANSFER) &&
	    !history->size->wander_per_mille)
		step->kind = state == STW_CONTACT_CONNECTED ? STEP_END : STEP_CANCEL;
	step->queue = random_happens(random, 200) ? 0 : random_queue(history);
	step->agent = random_happens(random, 500) ? random_agent(history, STEP_LOGOUT) : 0;
	step->agent_wait_ns = random_wait(random);
	if (step->kind == STEP_REPRIORITISE && random_happens(random, 20))
		step->urgency = STW_CLASS_COUNT;
}

static void
next_enqueue(struct history *history, struct step *step)
{
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct random *random = &history->random;

	step->kind = STEP_ENQUEUE;
	request.queue.id = random_queue(history);
	request.cookie = random_next(random);
	request.value = (uint8_t)random_below(random, STW_CLASS_COUNT);
	request.urgency = (uint8_t)random_below(random, STW_CLASS_COUNT);
	request.red_channel = random_happens(random, 50) ? 1 : 0;
	request.credit_ns = random_happens(random, 200) ? random_below(random, 50 * MS) : 0;
	if (random_happens(random, history->size->wander_per_mille))
		request.preferred.id = random_agent(history, STEP_LOGOUT);
	request.preferred_wait_ns = random_wait(random);
	if (random_happens(random, 5))
		request.value = STW_CLASS_COUNT;
	step->request = request;
}

static void
next_of_agents(struct history *history, struct step *step)
{
	static const enum step_kind kinds[] = {STEP_LOGIN,     STEP_LOGIN,  STEP_READY, STEP_READY,
					       STEP_READY,     STEP_READY,  STEP_READY, STEP_READY,
					       STEP_NOT_READY, STEP_LOGOUT, STEP_EXTEND};

	step->kind = kinds[random_below(&history->random, sizeof(kinds) / sizeof(kinds[0]))];
	step->agent = random_agent(history, step->kind);
	step->reason = random_below(&history->random, 1000);
	step->by_ns = random_below(&history->random, 10 * MS);
	if (random_happens(&history->random, 10))
		step->reason = 1000;
}

static uint8_t
channel_of(const struct history *history, uint64_t queue)
{
	int q = oracle_queue_find(&history->oracle, queue);

	return q == ORACLE_NONE ? 0 : history->oracle.queues[q].rule.channel;
}

static void
next_of_house(struct history *history, struct step *step)
{
	static const enum step_kind kinds[] = {
		STEP_AGENT_DEFINE, STEP_AGENT_DEFINE, STEP_AGENT_UPDATE, STEP_AGENT_UPDATE,
		STEP_AGENT_REMOVE, STEP_QUEUE_DEFINE, STEP_QUEUE_UPDATE, STEP_QUEUE_REMOVE};

	step->kind = kinds[random_below(&history->random, sizeof(kinds) / sizeof(kinds[0]))];
	/* First of all there have to be some. */
	if (history->steps < history->size->queues_max)
		step->kind = STEP_QUEUE_DEFINE;
	else if (history->steps < history->size->queues_max + history->size->agents_max)
		step->kind = STEP_AGENT_DEFINE;
	step->agent = random_agent(history, step->kind);
	step->queue = random_queue(history);
	random_agent_rule(history, &step->agent_rule);
	random_queue_rule(history, &step->queue_rule);
	if (step->kind == STEP_QUEUE_UPDATE && random_happens(&history->random, 950))
		step->queue_rule.channel = channel_of(history, step->queue);
	if (step->kind == STEP_AGENT_DEFINE || step->kind == STEP_QUEUE_DEFINE)
		snprintf(step->name, sizeof(step->name), "name-%u", history->names++);
}

void
history_next(struct history *history, struct step *step)
{
	static const uint32_t leaps[] = {2, 1000, 2 * MS, 2 * MS, 10 * MS, 60 * MS};
	struct random *random = &history->random;
	uint32_t dice = random_below(random, 1000), busy = history->size->busy_per_mille;

	memset(step, 0, sizeof(*step));
	if (history->steps < history->size->agents_max + history->size->queues_max) {
		next_of_house(history, step);
	} else if (dice < busy) {
		next_enqueue(history, step);
	} else if (dice < busy + history->size->house_per_mille) {
		next_of_house(history, step);
	} else if (dice < 600) {
		next_of_contacts(history, step);
	} else if (dice < 850) {
		next_of_agents(history, step);
	} else {
		step->kind = STEP_ADVANCE;
		step->budget = random_happens(random, 300) ? random_below(random, 3) : 1000;
	}
	/* Time often stands still, so that ranks and idle times tie. */
	if (random_happens(random, 500))
		history->now_ns += random_below(random, leaps[random_below(random, 6)]);
	step->now_ns = history->now_ns;
}

void
history_remember(struct history *history, const struct step *step)
{
	struct old_offer *old = &history->old[history->olds % HISTORY_OLD];

	if (step->result)
		return;
	switch (step->kind) {
	case STEP_CANCEL:
	case STEP_ACCEPT:
	case STEP_DECLINE:
	case STEP_END:
		*old = (struct old_offer){step->contact, step->number, step->offer};
		history->olds++;
		break;
	case STEP_AGENT_REMOVE:
		history->old_agents[history->names % 4] = step->agent;
		break;
	case STEP_QUEUE_REMOVE:
		history->old_queues[history->names % 4] = step->queue;
		break;
	default:
		break;
	}
}
