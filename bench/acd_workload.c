/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The house of the ACD benches.
 *
 * Each queue asks for one or two of 50 skills at a level, each agent has 8 of them, so that an
 * agent serves some of the queues and a queue is served by some of the agents. A step is
 *
 *  backlog  an agent's contact ends; the agent gets the best waiting contact of all the queues
 *           served; a new contact arrives. Every eighth step a waiting contact gives up and
 *           another one arrives. The number that waits stays the same.
 *  idle     a contact arrives while half of the agents are idle; who has been idle for longest
 *           gets it; another agent's contact ends.
 *
 * Time is virtual and moves by a random 0.5 to 1.5 microseconds a call; no two calls share a time.
 */
#include "acd_workload.h"

#include <stdlib.h>
#include <string.h>

#include "rounds.h"

#define MATCHES_MAX 64

enum place { NOWHERE, IN_WAITING, IN_CONNECTED };

/* A set of contacts from which a random one can be taken. */
struct bag {
	uint32_t *cookies;
	uint32_t count;
};

struct workload {
	struct workload_engine *engine;
	struct workload_size size;
	uint32_t contacts_max;
	struct bag waiting;
	struct bag connected;
	struct bag unused;
	uint32_t *place_index; /* of each contact in its bag */
	uint8_t *place;        /* enum place of each contact */
	uint64_t random;
	uint64_t now_ns;
	uint64_t steps;
	uint64_t decisions;
	uint64_t digest;
};

static void
bag_add(struct workload *workload, struct bag *bag, uint32_t cookie, enum place place)
{
	workload->place_index[cookie] = bag->count;
	workload->place[cookie] = place;
	bag->cookies[bag->count++] = cookie;
}

static void
bag_remove(struct workload *workload, struct bag *bag, uint32_t cookie)
{
	uint32_t index = workload->place_index[cookie];
	uint32_t last = bag->cookies[--bag->count];

	bag->cookies[index] = last;
	workload->place_index[last] = index;
}

static uint64_t
tick(struct workload *workload)
{
	workload->now_ns += 500 + rounds_random_below(&workload->random, 1000);
	return workload->now_ns;
}

/* Note what the engine decided. */
static void
take_matches(struct workload *workload)
{
	struct workload_match matches[MATCHES_MAX];
	uint32_t count = workload->engine->take(workload->engine->state, matches, MATCHES_MAX,
						workload->now_ns);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t cookie = matches[i].cookie;

		if (workload->place[cookie] != IN_WAITING)
			rounds_die("%s: contact %u was decided twice", workload->engine->name,
				   cookie);
		bag_remove(workload, &workload->waiting, cookie);
		bag_add(workload, &workload->connected, cookie, IN_CONNECTED);
		workload->decisions++;
		workload->digest ^= ((uint64_t)cookie << 32) | matches[i].agent;
		workload->digest = rounds_random(&workload->digest);
	}
}

static void
arrive(struct workload *workload)
{
	struct workload_engine *engine = workload->engine;
	uint32_t cookie = workload->unused.cookies[workload->unused.count - 1];
	uint32_t queue = rounds_random_below(&workload->random, workload->size.queues);
	uint64_t class = rounds_random(&workload->random);

	bag_remove(workload, &workload->unused, cookie);
	bag_add(workload, &workload->waiting, cookie, IN_WAITING);
	engine->enqueue(engine->state, queue, cookie, class % RIVAL_CLASSES,
			(class >> 8) % RIVAL_CLASSES, tick(workload));
	take_matches(workload);
}

static void
finish_one(struct workload *workload)
{
	struct workload_engine *engine = workload->engine;
	uint32_t cookie =
		workload->connected
			.cookies[rounds_random_below(&workload->random, workload->connected.count)];

	bag_remove(workload, &workload->connected, cookie);
	bag_add(workload, &workload->unused, cookie, NOWHERE);
	engine->end(engine->state, cookie, tick(workload));
	take_matches(workload);
}

static void
give_up_one(struct workload *workload)
{
	struct workload_engine *engine = workload->engine;
	uint32_t cookie =
		workload->waiting
			.cookies[rounds_random_below(&workload->random, workload->waiting.count)];

	bag_remove(workload, &workload->waiting, cookie);
	bag_add(workload, &workload->unused, cookie, NOWHERE);
	engine->cancel(engine->state, cookie, tick(workload));
	take_matches(workload);
}

static void
step(struct workload *workload)
{
	workload->steps++;
	if (workload->size.waiting == 0) {
		arrive(workload);
		finish_one(workload);
		return;
	}
	finish_one(workload);
	if (workload->steps % 8 == 0 && workload->waiting.count > 0)
		give_up_one(workload);
	while (workload->waiting.count < workload->size.waiting)
		arrive(workload);
}

static void
define_house(struct workload_engine *engine, const struct workload_size *size, uint64_t *random)
{
	int64_t target_ns[RIVAL_CLASSES][RIVAL_CLASSES];

	for (uint32_t value = 0; value < RIVAL_CLASSES; value++) {
		for (uint32_t urgency = 0; urgency < RIVAL_CLASSES; urgency++)
			target_ns[value][urgency] =
				(int64_t)(2 * RIVAL_CLASSES - value - urgency) * 1000000;
	}
	for (uint32_t queue = 0; queue < size->queues; queue++) {
		struct rival_term terms[2] = {
			{(uint8_t)(queue % WORKLOAD_SKILLS), (uint8_t)(1 + queue % 7)},
			{(uint8_t)((queue * 7 + 3) % WORKLOAD_SKILLS), 1},
		};

		uint32_t terms_count = queue % 4 == 3 ? 2 : 1;

		/* The only queue is for everybody, else most agents would never have work. */
		engine->queue_define(engine->state, queue, terms,
				     size->queues == 1 ? 0 : terms_count, target_ns);
	}
	for (uint32_t agent = 0; agent < size->agents; agent++) {
		uint8_t levels[RIVAL_SKILLS_MAX] = {0};

		for (uint32_t i = WORKLOAD_AGENT_SKILLS; i-- > 0;) {
			uint32_t skill = rounds_random_below(random, WORKLOAD_SKILLS);
			uint8_t level = 1 + rounds_random_below(random, WORKLOAD_LEVELS);

			/* The first skill is good enough for each queue that asks for it, so that
			 * nobody is left who serves no queue. */
			levels[skill] = i == 0 ? WORKLOAD_LEVELS : level;
		}
		engine->agent_define(engine->state, agent, levels);
	}
}

uint32_t
workload_contacts_max(const struct workload_size *size)
{
	return size->contacts ? size->contacts : size->waiting + 2 * size->agents + 1024;
}

static struct bag
bag_create(uint32_t count)
{
	struct bag bag = {calloc(count, sizeof(uint32_t)), 0};

	if (!bag.cookies)
		rounds_die("no memory");
	return bag;
}

void
workload_define(struct workload_engine *engine, const struct workload_size *size, uint64_t seed)
{
	define_house(engine, size, &seed);
}

void
workload_house(struct workload_engine *engine, const struct workload_size *size, uint64_t seed)
{
	define_house(engine, size, &seed);
	for (uint32_t agent = 0; agent < size->agents; agent++)
		engine->agent_ready(engine->state, agent, rounds_now_ns());
}

struct workload *
workload_create(struct workload_engine *engine, const struct workload_size *size, uint64_t seed)
{
	struct workload *workload = calloc(1, sizeof(*workload));
	uint32_t contacts = workload_contacts_max(size);

	if (!workload)
		rounds_die("no memory");
	*workload = (struct workload){.engine = engine, .size = *size, .random = seed};
	workload->contacts_max = contacts;
	workload->now_ns = UINT64_C(1000000000);
	workload->waiting = bag_create(contacts);
	workload->connected = bag_create(contacts);
	workload->unused = bag_create(contacts);
	workload->place_index = calloc(contacts, sizeof(uint32_t));
	workload->place = calloc(contacts, 1);
	if (!workload->place_index || !workload->place)
		rounds_die("no memory");
	for (uint32_t i = 0; i < contacts; i++)
		bag_add(workload, &workload->unused, contacts - 1 - i, NOWHERE);
	define_house(engine, size, &workload->random);
	/* All agents ready; then contacts until half of them talk, or all and the queues are full. */
	for (uint32_t agent = 0; agent < size->agents; agent++)
		engine->agent_ready(engine->state, agent, tick(workload));
	if (size->waiting == 0) {
		while (workload->connected.count < size->agents / 2)
			arrive(workload);
	} else {
		while (workload->waiting.count < size->waiting)
			arrive(workload);
	}
	return workload;
}

void
workload_run(struct workload *workload, uint64_t decisions)
{
	uint64_t until = workload->decisions + decisions;

	while (workload->decisions < until)
		step(workload);
}

uint64_t
workload_decisions(const struct workload *workload)
{
	return workload->decisions;
}

uint64_t
workload_digest(const struct workload *workload)
{
	return workload->digest;
}

void
workload_destroy(struct workload *workload)
{
	workload->engine->destroy(workload->engine->state);
	free(workload->waiting.cookies);
	free(workload->connected.cookies);
	free(workload->unused.cookies);
	free(workload->place_index);
	free(workload->place);
	free(workload);
}
