/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How far expected waits are off: the engine's against what phone systems tell. Contacts come, give up and
 * are served on a virtual clock, by exponential laws, around the real engine; each is told its expected
 * wait as it comes, and whoever is offered to an agent shows how right that was. The figure is the mean
 * absolute percentage error over those who came after the first hour and waited for five seconds or more (a
 * percentage of next to nothing says nothing); who gives up shows nothing and is left out for all.
 *
 * Rivals: the wait of the last who was served (the estimator LES of Ibrahim and Whitt, 2009), and the running
 * average over four that well-known open phone systems announce.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <strowger/acd.h>

#include "rounds.h"

#define BENCH        "acd-ewt"
#define SECOND       1e9
#define CONTACTS_MAX 20000
#define HEAP_MAX     (2 * CONTACTS_MAX)
#define WAIT_NS_MIN  (5 * SECOND)
#define WARM_NS      (3600 * SECOND)
#define HANDLING_NS  (180 * SECOND)

enum estimator { OURS, LAST_WAIT, RUNNING_AVERAGE, ESTIMATORS };

/* A house: load is offered traffic over agents; patience is its mean over the handling time's, 0: no end. */
struct regime {
	const char *metric;
	uint32_t agents, queues;
	double load, patience, hours;
};

static const struct regime regimes[] = {
	{"mape-100-agents-overload", 100, 1, 1.2, 2.0, 12},
	{"mape-10-agents-patient", 10, 1, 0.95, 0, 60},
	{"mape-40-agents-4-queues", 40, 4, 1.1, 1.0, 24},
};

enum due { DUE_GONE, DUE_END };

struct item {
	double at_ns;
	enum due due;
	uint64_t contact;
};

struct house {
	const struct regime *regime;
	struct stw_acd *acd;
	struct stw_queue queues[8];
	double last_ns[8], average_ns[8];
	uint64_t random;
	struct item heap[HEAP_MAX];
	uint32_t heap_count;
	struct {
		double came_ns, told_ns[ESTIMATORS];
		bool counts;
	} contacts[CONTACTS_MAX];
	double error_sum[ESTIMATORS];
	uint64_t errors, unknown;
};

static double
exponential(struct house *house, double mean_ns)
{
	return -mean_ns * log(((double)(rounds_random(&house->random) >> 11) + 1) * 0x1p-53);
}

static void
heap_put(struct house *house, struct item item)
{
	uint32_t i = house->heap_count++;

	if (i == HEAP_MAX)
		rounds_die("too much is under way");
	for (; i && house->heap[(i - 1) / 2].at_ns > item.at_ns; i = (i - 1) / 2)
		house->heap[i] = house->heap[(i - 1) / 2];
	house->heap[i] = item;
}

static struct item
heap_take(struct house *house)
{
	struct item least = house->heap[0], item = house->heap[--house->heap_count];
	uint32_t i = 0;

	for (uint32_t child = 1; child < house->heap_count; child = 2 * i + 1) {
		child += child + 1 < house->heap_count &&
			 house->heap[child + 1].at_ns < house->heap[child].at_ns;
		if (house->heap[child].at_ns >= item.at_ns)
			break;
		house->heap[i] = house->heap[child];
		i = child;
	}
	house->heap[i] = item;
	return least;
}

static void
house_open(struct house *house, const struct regime *regime, uint64_t seed)
{
	struct stw_acd_config config = STW_ACD_CONFIG_INIT;
	struct stw_agent_config agent_config = STW_AGENT_CONFIG_INIT;
	struct stw_queue_config queue_config = STW_QUEUE_CONFIG_INIT;
	char name[16] = "";

	memset(house, 0, sizeof(*house));
	house->regime = regime;
	house->random = seed;
	config.contacts_max = CONTACTS_MAX;
	if (stw_acd_create(&house->acd, &config))
		rounds_die("no engine");
	queue_config.offer_timeout_ns = 0;
	queue_config.name = agent_config.name = name;
	for (uint32_t q = 0; q < regime->queues; q++) {
		name[0] = (char)('a' + q);
		if (stw_queue_define(house->acd, &queue_config, &house->queues[q]))
			rounds_die("no queue");
	}
	for (uint32_t a = 0; a < regime->agents; a++) {
		struct stw_agent agent;

		name[0] = (char)('a' + a / 26);
		name[1] = (char)('a' + a % 26);
		if (stw_agent_define(house->acd, &agent_config, &agent) ||
		    stw_agent_login(house->acd, agent, 1) || stw_agent_ready(house->acd, agent, 1))
			rounds_die("no agent");
	}
}

/* Agents answer at once; each answer shows how right what was told is. */
static void
house_answer(struct house *house, double now_ns)
{
	struct stw_event event;

	while (stw_events_take(house->acd, &event, 1) == 1) {
		uint32_t c = (uint32_t)event.contact.id;
		uint32_t q = (uint32_t)event.queue.id;
		double wait_ns;

		if (event.type != STW_EVENT_OFFER)
			continue;
		if (stw_offer_accept(house->acd, event.offer, (uint64_t)now_ns))
			rounds_die("an offer was not accepted");
		wait_ns = now_ns - house->contacts[c].came_ns;
		house->last_ns[q] = wait_ns;
		house->average_ns[q] += (wait_ns - house->average_ns[q]) / 4;
		heap_put(house, (struct item){now_ns + exponential(house, HANDLING_NS), DUE_END,
					      event.contact.id});
		if (!house->contacts[c].counts || wait_ns < WAIT_NS_MIN)
			continue;
		house->errors++;
		for (int i = 0; i < ESTIMATORS; i++)
			house->error_sum[i] +=
				fabs(house->contacts[c].told_ns[i] - wait_ns) / wait_ns;
	}
}

static void
house_arrival(struct house *house, double now_ns)
{
	uint32_t q = rounds_random_below(&house->random, house->regime->queues);
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	struct stw_contact contact;
	uint64_t ewt_ns = 0;
	int error = stw_queue_ewt(house->acd, house->queues[q], 0, 0, (uint64_t)now_ns, &ewt_ns);
	uint32_t c;

	request.queue = house->queues[q];
	if (stw_contact_enqueue(house->acd, &request, (uint64_t)now_ns, &contact))
		rounds_die("a contact was refused");
	c = (uint32_t)contact.id;
	house->contacts[c].came_ns = now_ns;
	house->contacts[c].counts = !error && now_ns > WARM_NS;
	house->unknown += error && now_ns > WARM_NS;
	house->contacts[c].told_ns[OURS] = (double)ewt_ns;
	house->contacts[c].told_ns[LAST_WAIT] = house->last_ns[q];
	house->contacts[c].told_ns[RUNNING_AVERAGE] = house->average_ns[q];
	if (house->regime->patience > 0)
		heap_put(house, (struct item){now_ns + exponential(house, house->regime->patience *
										  HANDLING_NS),
					      DUE_GONE, contact.id});
}

static void
house_day(struct house *house, double hours)
{
	double gap_ns = HANDLING_NS / house->regime->load / house->regime->agents;
	double next_ns = 1 + exponential(house, gap_ns);

	while (next_ns < hours * 3600 * SECOND) {
		double now_ns = next_ns;

		if (house->heap_count && house->heap[0].at_ns < next_ns) {
			struct item item = heap_take(house);
			struct stw_contact contact = {item.contact};

			now_ns = item.at_ns;
			/* Who was answered meanwhile does not give up. */
			if (item.due == DUE_GONE)
				stw_contact_cancel(house->acd, contact, (uint64_t)now_ns);
			else if (stw_contact_end(house->acd, contact, (uint64_t)now_ns))
				rounds_die("a contact did not end");
		} else {
			house_arrival(house, now_ns);
			next_ns = now_ns + exponential(house, gap_ns);
		}
		house_answer(house, now_ns);
	}
}

static void
run_regime(const struct regime *regime, const struct rounds_options *options)
{
	static const char *const rivals[ESTIMATORS] = {"", "last-wait", "running-average"};
	struct house *house = malloc(sizeof(*house));

	if (!house)
		rounds_die("no memory");
	for (unsigned round = 0; round < options->rounds; round++) {
		house_open(house, regime, options->seed + round);
		house_day(house, options->quick ? 1 + regime->hours / 10 : regime->hours);
		if (!house->errors)
			rounds_die("%s: nobody waited", regime->metric);
		for (int i = LAST_WAIT; i < ESTIMATORS; i++) {
			struct rounds_metric metric = {BENCH, rivals[i], regime->metric, "%",
						       "lower"};

			rounds_print(&metric, round, 100 * house->error_sum[OURS] / house->errors,
				     100 * house->error_sum[i] / house->errors);
		}
		if (house->unknown)
			rounds_note(BENCH, "%s: %lu contacts could be told nothing", regime->metric,
				    (unsigned long)house->unknown);
		stw_acd_destroy(house->acd);
	}
	free(house);
}

int
main(int argc, char **argv)
{
	struct rounds_options options;

	rounds_parse(&options, argc, argv);
	for (unsigned i = 0; i < sizeof(regimes) / sizeof(regimes[0]); i++)
		run_regime(&regimes[i], &options);
	return 0;
}
