/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * acd-surge: 10,000 agents and 300 or 1,000 contacts a second; for a minute 3 or 5 times as many come,
 * and in the middle of it 500 or 5,000 agents log in (acd_surge.h). Both engines play the same surge in
 * turns and must decide the same. Measured are the calls that decide, enqueue and end, the call
 * that logs the agents in, and the share of a core that the engine takes during the peak.
 *
 * Our engine then plays it with a surge rule that sends ordinary contacts to self-service, once with
 * bounds apart and once with next to none between them: how soon the queues have recovered, beside
 * no rule, and how often the rule goes on and off.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <strowger/acd.h>

#include "acd_regime.h"
#include "acd_surge.h"

#define BENCH "acd-surge"

/* A rule goes on when so many seconds of the steady load wait in a queue, off at a quarter of it. */
#define RULE_ON_S     20
#define ORDINARY_MAX  7 /* value of those whom it sends away */
#define QUICK_PART    10
#define QUICK_PEAK_S  10
#define NO_HYSTERESIS "no-hysteresis"
#define NO_RULE       "no-rule"
#define ORDINARY      "ordinary-contacts"

static const struct surge_scenario scenarios[] = {
	{.agents = 10000, .more = 500, .rate = 300, .factor = 3, .peak_s = 60},
	{.agents = 10000, .more = 5000, .rate = 300, .factor = 5, .peak_s = 60},
	{.agents = 10000, .more = 500, .rate = 1000, .factor = 3, .peak_s = 60},
	{.agents = 10000, .more = 5000, .rate = 1000, .factor = 5, .peak_s = 60},
};

enum side { OURS, RIVAL, OURS_RULE, OURS_NO_HYSTERESIS, SIDES };

/* All sides of a round. */
struct round {
	char name[32];
	unsigned number;
	struct surge_result results[SIDES];
	uint64_t switches[SIDES];
};

/* Nothing refused that no rule refused, and every contact is somewhere. */
static void
check_stats(const struct workload_engine *engine, const struct surge_result *result)
{
	struct stw_acd_stats stats;
	const struct stw_queue_stats *queues = &stats.queues;

	workload_ours_stats(engine, &stats);
	if (queues->refused)
		rounds_die("%" PRIu64 " contacts were refused, and no rule says so",
			   queues->refused);
	if (queues->offered != result->arrivals || queues->answered != result->matched ||
	    queues->abandoned != result->abandoned || queues->deflected != result->deflected ||
	    queues->offered != queues->answered + queues->abandoned + queues->deflected +
				       queues->waiting + queues->ringing)
		rounds_die("the counters do not add up: %" PRIu64 " offered, %" PRIu64
			   " answered, %" PRIu64 " abandoned, %" PRIu64 " deflected, %" PRIu64
			   " waiting",
			   queues->offered, queues->answered, queues->abandoned, queues->deflected,
			   queues->waiting);
}

static void
play(enum side side, const struct surge_scenario *scenario, struct round *round)
{
	struct stw_surge_rule rule = {.metric = STW_SURGE_LENGTH,
				      .action = STW_SURGE_DEFLECT,
				      .value_max = ORDINARY_MAX,
				      .urgency_max = STW_CLASS_COUNT - 1};
	struct workload_engine engine;
	struct workload_size size;

	surge_size(scenario, &size);
	rule.on_bound = (uint64_t)scenario->rate * RULE_ON_S / SURGE_QUEUES;
	rule.off_bound = side == OURS_RULE ? rule.on_bound / 4 : rule.on_bound - 1;
	if (side == RIVAL)
		workload_rival_create(&engine, &size);
	else
		workload_ours_create(&engine, &size);
	if (side == OURS_RULE || side == OURS_NO_HYSTERESIS)
		workload_ours_rule(&engine, &rule);
	surge_run(&engine, scenario, &round->results[side]);
	if (side != RIVAL) {
		check_stats(&engine, &round->results[side]);
		round->switches[side] = workload_ours_switches(&engine);
	}
	engine.destroy(engine.state);
}

/* A figure of 0 has no ratio: it is said in a note instead. */
static void
print(const struct round *round, const char *rival, const char *what, const char *unit, double ours,
      double theirs)
{
	char name[64];
	struct rounds_metric metric = {BENCH, rival, name, unit, "lower"};

	snprintf(name, sizeof(name), "%s-%s", round->name, what);
	if (ours > 0 && theirs > 0)
		rounds_print(&metric, round->number, ours, theirs);
	else
		rounds_note(BENCH, "%s: %g beside %g %s of %s", name, ours, theirs, unit, rival);
}

static void
print_latency(const struct round *round)
{
	static const struct {
		const char *name;
		double share;
	} shares[] = {{"p50", 0.5}, {"p99", 0.99}, {"p99.9", 0.999}};
	const struct surge_result *ours = &round->results[OURS], *theirs = &round->results[RIVAL];

	for (unsigned i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		print(round, REGIME_RIVAL, shares[i].name, "us",
		      latency_share_us(&ours->decisions, shares[i].share),
		      latency_share_us(&theirs->decisions, shares[i].share));
	print(round, REGIME_RIVAL, "max", "us", (double)ours->decisions.max_ns / 1e3,
	      (double)theirs->decisions.max_ns / 1e3);
	print(round, REGIME_RIVAL, "login", "us", ours->login_us, theirs->login_us);
	print(round, REGIME_RIVAL, "peak-core-share", "%", 100 * ours->peak_share,
	      100 * theirs->peak_share);
}

/* Whether the house has recovered is looked at once a second. */
static double
recovery_s(const struct surge_result *result)
{
	if (result->recovery_s < 0)
		rounds_die("the queues did not become short again in %d s", SURGE_SECONDS_MAX);
	return result->recovery_s < 1 ? 1 : result->recovery_s;
}

static void
print_waits(const struct round *round)
{
	const struct latency *waits = round->results[OURS].waits;

	print(round, ORDINARY, "red-wait-p99", "s", latency_share_us(&waits[SURGE_RED], 0.99) / 1e6,
	      latency_share_us(&waits[SURGE_ORDINARY], 0.99) / 1e6);
	print(round, ORDINARY, "red-wait-max", "s", (double)waits[SURGE_RED].max_ns / 1e9,
	      (double)waits[SURGE_ORDINARY].max_ns / 1e9);
	print(round, ORDINARY, "vip-wait-p99", "s", latency_share_us(&waits[SURGE_VIP], 0.99) / 1e6,
	      latency_share_us(&waits[SURGE_ORDINARY], 0.99) / 1e6);
	print(round, ORDINARY, "vip-wait-max", "s", (double)waits[SURGE_VIP].max_ns / 1e9,
	      (double)waits[SURGE_ORDINARY].max_ns / 1e9);
	print(round, NO_RULE, "recovery", "s", recovery_s(&round->results[OURS_RULE]),
	      recovery_s(&round->results[OURS]));
	print(round, NO_HYSTERESIS, "rule-switches", "switches", (double)round->switches[OURS_RULE],
	      (double)round->switches[OURS_NO_HYSTERESIS]);
}

/* The seconds of the first round, for the plots. */
static void
print_series(const struct round *round)
{
	const struct surge_result *ours = &round->results[OURS], *theirs = &round->results[RIVAL];
	const struct surge_result *rule = &round->results[OURS_RULE];

	for (uint32_t i = 0; i < ours->seconds_count; i++) {
		const struct surge_second *second = &ours->seconds[i];

		printf("{\"bench\": \"%s\", \"series\": \"%s\", \"second\": %" PRIu32
		       ", \"arrivals\": %" PRIu32 ", \"waiting\": %" PRIu32
		       ", \"slowest_us\": %.6g, \"rival_slowest_us\": %.6g",
		       BENCH, round->name, i, second->arrivals, second->waiting, second->slowest_us,
		       i < theirs->seconds_count ? theirs->seconds[i].slowest_us : 0);
		if (i < rule->seconds_count)
			printf(", \"rule_waiting\": %" PRIu32, rule->seconds[i].waiting);
		printf("}\n");
	}
	rounds_note(BENCH,
		    "%s: %" PRIu64 " came, %" PRIu64 " answered, %" PRIu64 " gave up, 0 refused; "
		    "with the rule %" PRIu64 " answered, %" PRIu64 " deflected",
		    round->name, ours->arrivals, ours->matched, ours->abandoned, rule->matched,
		    rule->deflected);
}

static void
run_scenario(const struct surge_scenario *scenario, const struct rounds_options *options)
{
	struct surge_scenario this = *scenario;
	uint32_t part = options->quick ? QUICK_PART : 1;
	struct round *round = calloc(1, sizeof(*round));

	if (!round)
		rounds_die("no memory");
	snprintf(round->name, sizeof(round->name), "%" PRIu32 "-x%" PRIu32 "-login-%" PRIu32,
		 scenario->rate, scenario->factor, scenario->more);
	this.agents /= part;
	this.more /= part;
	this.rate /= part;
	this.peak_s = options->quick ? QUICK_PEAK_S : scenario->peak_s;
	for (round->number = 0; round->number < options->rounds; round->number++) {
		const struct surge_result *results = round->results;

		this.seed = options->seed + round->number;
		for (unsigned turn = 0; turn < SIDES; turn++)
			play((turn + round->number) % SIDES, &this, round);
		if (results[OURS].digest != results[RIVAL].digest ||
		    results[OURS].matched != results[RIVAL].matched)
			rounds_die("%s: the engines decided differently: %" PRIu64 " and %" PRIu64
				   " decisions",
				   round->name, results[OURS].matched, results[RIVAL].matched);
		print_latency(round);
		print_waits(round);
		if (round->number == 0)
			print_series(round);
	}
	free(round);
}

int
main(int argc, char **argv)
{
	struct rounds_options options;

	rounds_parse(&options, argc, argv);
	for (unsigned i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		run_scenario(&scenarios[i], &options);
	return 0;
}
