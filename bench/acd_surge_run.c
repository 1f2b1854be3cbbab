/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plays a surge: see acd_surge.h. The agents at work are busy for 70 % of their time by the steady load,
 * so a peak of twice as much already overloads them.
 */
#include "acd_surge.h"

#include <stdlib.h>

#include <agenda.h>
#include <variate.h>

#include "rounds.h"

#define SECOND_NS   UINT64_C(1000000000)
#define TICK_NS     (SECOND_NS / 10) /* how often the host lets time pass */
#define OCCUPANCY   0.7
#define PATIENCE_S  120.0
#define STEADY_S    20 /* looked at before the peak */
#define WAITING_MAX 262144

/* Of each hundred contacts one is red and four are very important. */
#define PERCENT_RED 1
#define PERCENT_VIP 4

/* Ordinary contacts have the lower half of the values. */
#define ORDINARY_VALUES 8
#define VIP_VALUE       (RIVAL_CLASSES - 1)

enum kind { ARRIVE, GIVE_UP, END, LOG_IN, TICK, SECOND };
enum place { UNUSED, IN_QUEUE, TALKING };
enum use { USE_ARRIVAL, USE_PATIENCE, USE_HANDLING, USE_CLASS, USES };

struct caller {
	uint64_t number; /* tells it from others of its cookie */
	uint64_t came_ns;
	uint8_t place; /* enum place */
	uint8_t class; /* enum surge_class */
};

struct surge {
	struct workload_engine *engine;
	const struct surge_scenario *scenario;
	struct surge_result *result;
	struct agenda agenda;
	struct variate_stream streams[USES];
	struct variate patience, handling;
	struct caller *callers; /* by cookie */
	uint32_t *unused;       /* cookies */
	uint32_t unused_count;
	struct workload_match *matches;
	uint32_t matches_max;
	struct latency this_second;
	uint32_t this_second_arrivals;
	uint32_t waiting, steady_max;
	uint64_t now_ns, peak_begin_ns, peak_end_ns, end_ns;
	uint64_t peak_busy_ns; /* real time within the engine's calls */
	bool is_over;
};

static void
later(struct surge *surge, uint64_t delay_ns, enum kind kind, uint32_t subject, uint64_t mark)
{
	struct agenda_item item = {
		.at_ns = surge->now_ns + delay_ns, .kind = kind, .subject = subject, .mark = mark};

	if (agenda_add(&surge->agenda, &item))
		rounds_die("no memory");
}

static bool
is_peak(const struct surge *surge)
{
	return surge->now_ns >= surge->peak_begin_ns && surge->now_ns < surge->peak_end_ns;
}

/* Real time that a call of the engine took. */
static uint64_t
spend(struct surge *surge, uint64_t start_ns)
{
	uint64_t ns = rounds_now_ns() - start_ns;

	if (is_peak(surge))
		surge->peak_busy_ns += ns;
	return ns;
}

static void
note_decision(struct surge *surge, uint64_t start_ns)
{
	uint64_t ns = spend(surge, start_ns);

	latency_add(&surge->result->decisions, ns);
	latency_add(&surge->this_second, ns);
}

static void
connect(struct surge *surge, const struct workload_match *match)
{
	struct caller *caller = &surge->callers[match->cookie];
	struct surge_result *result = surge->result;

	if (caller->place != IN_QUEUE)
		rounds_die("%s: contact %u was decided twice", surge->engine->name, match->cookie);
	caller->place = TALKING;
	surge->waiting--;
	latency_add(&result->waits[caller->class], surge->now_ns - caller->came_ns);
	result->matched++;
	result->digest ^= ((uint64_t)match->cookie << 32) | match->agent;
	result->digest = rounds_random(&result->digest);
	later(surge, variate_ns(&surge->handling, &surge->streams[USE_HANDLING]), END,
	      match->cookie, caller->number);
}

static void
take(struct surge *surge)
{
	uint64_t start_ns = rounds_now_ns();
	uint32_t count = surge->engine->take(surge->engine->state, surge->matches,
					     surge->matches_max, surge->now_ns);

	spend(surge, start_ns);
	for (uint32_t i = 0; i < count; i++)
		connect(surge, &surge->matches[i]);
}

static void
leave(struct surge *surge, uint32_t cookie)
{
	surge->callers[cookie].place = UNUSED;
	surge->unused[surge->unused_count++] = cookie;
}

/* What kind of contact comes; its value is set. */
static enum surge_class
draw_class(struct surge *surge, uint8_t *value)
{
	uint64_t draw = variate_next(&surge->streams[USE_CLASS]);
	uint32_t percent = (uint32_t)((draw >> 32) % 100);

	*value = (uint8_t)(draw % ORDINARY_VALUES);
	if (percent < PERCENT_RED)
		return SURGE_RED;
	if (percent >= PERCENT_RED + PERCENT_VIP)
		return SURGE_ORDINARY;
	*value = VIP_VALUE;
	return SURGE_VIP;
}

static void
arrive(struct surge *surge)
{
	uint32_t queue = (uint32_t)(variate_next(&surge->streams[USE_CLASS]) % SURGE_QUEUES);
	uint64_t patience_ns = variate_ns(&surge->patience, &surge->streams[USE_PATIENCE]);
	uint64_t start_ns;
	uint32_t cookie;
	uint8_t value;
	enum surge_class class = draw_class(surge, &value);
	bool is_in;

	if (!surge->unused_count)
		rounds_die("more contacts than the house was made for");
	cookie = surge->unused[--surge->unused_count];
	surge->callers[cookie] = (struct caller){.number = ++surge->result->arrivals,
						 .came_ns = surge->now_ns,
						 .place = IN_QUEUE,
						 .class = class};
	surge->this_second_arrivals++;
	start_ns = rounds_now_ns();
	is_in = surge->engine->admit(surge->engine->state, queue, cookie, value, class == SURGE_RED,
				     surge->now_ns);
	note_decision(surge, start_ns);
	if (is_in) {
		surge->waiting++;
		later(surge, patience_ns, GIVE_UP, cookie, surge->result->arrivals);
	} else {
		surge->result->deflected++;
		leave(surge, cookie);
	}
	take(surge);
}

static void
arrive_next(struct surge *surge)
{
	double rate = surge->scenario->rate * (is_peak(surge) ? surge->scenario->factor : 1.0);
	double wait_s = variate_exponential(&surge->streams[USE_ARRIVAL]) / rate;

	later(surge, (uint64_t)(wait_s * (double)SECOND_NS) + 1, ARRIVE, 0, 0);
}

static void
give_up(struct surge *surge, uint32_t cookie)
{
	uint64_t start_ns = rounds_now_ns();

	surge->engine->cancel(surge->engine->state, cookie, surge->now_ns);
	spend(surge, start_ns);
	surge->waiting--;
	surge->result->abandoned++;
	leave(surge, cookie);
	take(surge);
}

static void
finish(struct surge *surge, uint32_t cookie)
{
	uint64_t start_ns = rounds_now_ns();

	surge->engine->end(surge->engine->state, cookie, surge->now_ns);
	note_decision(surge, start_ns);
	leave(surge, cookie);
	take(surge);
}

static void
log_in(struct surge *surge)
{
	const struct surge_scenario *scenario = surge->scenario;
	uint64_t start_ns = rounds_now_ns();

	surge->engine->agents_ready(surge->engine->state, scenario->agents, scenario->more,
				    surge->now_ns);
	surge->result->login_us = (double)spend(surge, start_ns) / 1000;
	take(surge);
}

/* A second is over: note it, and whether the house has recovered. */
static void
count_second(struct surge *surge)
{
	struct surge_result *result = surge->result;

	result->seconds[result->seconds_count++] =
		(struct surge_second){surge->this_second_arrivals, surge->waiting,
				      latency_share_us(&surge->this_second, 0.999)};
	surge->this_second = (struct latency){0};
	surge->this_second_arrivals = 0;
	if (surge->now_ns <= surge->peak_begin_ns &&
	    surge->now_ns + STEADY_S * SECOND_NS > surge->peak_begin_ns &&
	    surge->waiting > surge->steady_max)
		surge->steady_max = surge->waiting;
	if (surge->now_ns >= surge->peak_end_ns && result->recovery_s < 0 &&
	    surge->waiting <= surge->steady_max) {
		result->recovery_s = (int)((surge->now_ns - surge->peak_end_ns) / SECOND_NS);
		surge->end_ns = surge->now_ns + STEADY_S * SECOND_NS;
	}
	surge->is_over =
		surge->now_ns >= surge->end_ns || result->seconds_count == SURGE_SECONDS_MAX;
}

static void
handle(struct surge *surge, const struct agenda_item *item)
{
	const struct caller *caller = &surge->callers[item->subject];
	uint64_t start_ns;

	switch ((enum kind)item->kind) {
	case ARRIVE:
		arrive(surge);
		arrive_next(surge);
		break;
	case GIVE_UP:
		if (caller->place == IN_QUEUE && caller->number == item->mark)
			give_up(surge, item->subject);
		break;
	case END:
		finish(surge, item->subject);
		break;
	case LOG_IN:
		log_in(surge);
		break;
	case TICK:
		start_ns = rounds_now_ns();
		surge->engine->advance(surge->engine->state, surge->now_ns);
		spend(surge, start_ns);
		take(surge);
		later(surge, TICK_NS, TICK, 0, 0);
		break;
	case SECOND:
		count_second(surge);
		later(surge, SECOND_NS, SECOND, 0, 0);
		break;
	}
}

/* Targets: the higher the value the sooner; the highest class is the rival's red channel. */
static void
define_house(struct surge *surge)
{
	static int64_t target_ns[RIVAL_CLASSES][RIVAL_CLASSES];
	struct workload_engine *engine = surge->engine;
	uint32_t agents = surge->scenario->agents + surge->scenario->more;

	for (uint32_t value = 0; value < RIVAL_CLASSES; value++) {
		for (uint32_t urgency = 0; urgency < RIVAL_CLASSES; urgency++)
			target_ns[value][urgency] = (int64_t)((VIP_VALUE - value) * 8 * SECOND_NS);
	}
	target_ns[RIVAL_CLASSES - 1][RIVAL_CLASSES - 1] = -(INT64_C(1) << 60);
	for (uint32_t queue = 0; queue < SURGE_QUEUES; queue++) {
		struct rival_term term = {(uint8_t)(queue % WORKLOAD_SKILLS), 1};

		engine->queue_define(engine->state, queue, &term, 1, target_ns);
	}
	/* Every skill is as common as the others, so no queue is left behind. */
	for (uint32_t agent = 0; agent < agents; agent++) {
		uint8_t levels[RIVAL_SKILLS_MAX] = {0};

		for (uint32_t i = 0; i < WORKLOAD_AGENT_SKILLS; i++)
			levels[(agent + i * (1 + agent / WORKLOAD_SKILLS % 6)) % WORKLOAD_SKILLS] =
				1;
		engine->agent_define(engine->state, agent, levels);
	}
}

void
surge_size(const struct surge_scenario *scenario, struct workload_size *size)
{
	*size = (struct workload_size){scenario->agents + scenario->more, SURGE_QUEUES, WAITING_MAX,
				       0};
}

static void
prepare(struct surge *surge)
{
	const struct surge_scenario *scenario = surge->scenario;
	struct workload_size size;
	uint32_t contacts;

	surge_size(scenario, &size);
	contacts = workload_contacts_max(&size);
	surge->matches_max = size.agents;
	surge->callers = calloc(contacts, sizeof(*surge->callers));
	surge->unused = calloc(contacts, sizeof(*surge->unused));
	surge->matches = calloc(size.agents, sizeof(*surge->matches));
	if (!surge->callers || !surge->unused || !surge->matches ||
	    agenda_create(&surge->agenda, contacts))
		rounds_die("no memory");
	for (uint32_t i = 0; i < contacts; i++)
		surge->unused[surge->unused_count++] = contacts - 1 - i;
	for (uint32_t use = 0; use < USES; use++)
		variate_seed(&surge->streams[use], scenario->seed, use, 0);
	surge->patience = (struct variate){VARIATE_EXPONENTIAL, PATIENCE_S, 0, 0};
	surge->handling = (struct variate){VARIATE_EXPONENTIAL,
					   OCCUPANCY * scenario->agents / scenario->rate, 0, 0};
	surge->now_ns = SECOND_NS;
	/* The house is steady after some handling times. */
	surge->peak_begin_ns = ((uint64_t)(4 * surge->handling.mean_s) + STEADY_S + 1) * SECOND_NS;
	surge->peak_end_ns = surge->peak_begin_ns + scenario->peak_s * SECOND_NS;
	surge->end_ns = UINT64_MAX;
}

void
surge_run(struct workload_engine *engine, const struct surge_scenario *scenario,
	  struct surge_result *result)
{
	struct surge surge = {.engine = engine, .scenario = scenario, .result = result};

	*result = (struct surge_result){.recovery_s = -1};
	prepare(&surge);
	define_house(&surge);
	for (uint32_t agent = 0; agent < scenario->agents; agent++)
		engine->agent_ready(engine->state, agent, ++surge.now_ns);
	arrive_next(&surge);
	later(&surge, SECOND_NS, SECOND, 0, 0);
	later(&surge, TICK_NS, TICK, 0, 0);
	later(&surge, (surge.peak_begin_ns + surge.peak_end_ns) / 2 - surge.now_ns, LOG_IN, 0, 0);
	while (!surge.is_over) {
		struct agenda_item item = agenda_take(&surge.agenda);

		surge.now_ns = item.at_ns;
		handle(&surge, &item);
	}
	result->peak_share = (double)surge.peak_busy_ns / (double)(scenario->peak_s * SECOND_NS);
	agenda_free(&surge.agenda);
	free(surge.callers);
	free(surge.unused);
	free(surge.matches);
}
