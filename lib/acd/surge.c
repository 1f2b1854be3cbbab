/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Surge rules: what a queue does with newcomers while a metric of its own is beyond a bound. A rule goes on when
 * its metric reaches the one bound and off when it is back at the other, so a metric that dithers about
 * either does not make it flap.
 *
 * The rules are judged by every contact that comes, and in turn by stw_acd_advance, so that a rule also goes
 * off in a queue to which nobody comes any more. Which are on is a word of the queue; each change of it
 * switches one rule, is one version and one event.
 *
 * word   version 48 | switched last 8 | on 8, a bit per rule
 *
 * I1  Nobody changes the word before the event of its present value is in the event queue, or counted as
 *     lost: who finds that it may not be pushes it himself (announce.c has the same rule). So the events
 *     of one queue come in order, on and off in turn for each rule.
 *
 * judge and tell may overlap in any way. A retry means that another thread switched a rule: lock-free.
 *
 *  label  where         order    pairs with  without it
 *  G1     told: raise   release  G2          the word is changed before its event is in
 *  G2     told: read    acquire  G1          same, seen from who changes the word
 */
#include "engine.h"

#include <errno.h>

#define ON_MASK       UINT64_C(0xff)
#define LAST_SHIFT    8
#define VERSION_SHIFT 16

/* Service level: contacts seen 8 (to SEEN_MAX) | share in time, in 2^-48, below. */
#define SEEN_MAX   64
#define SEEN_SHIFT 56
#define SHARE_ONE  (INT64_C(1) << 48)
#define SHARE_MASK ((UINT64_C(1) << SEEN_SHIFT) - 1)
#define PERMILLE   1000

static bool
rule_valid(struct stw_acd *acd, const struct stw_surge_rule *rule)
{
	bool falls = rule->metric == STW_SURGE_SERVICE_LEVEL;
	bool share = falls || rule->metric == STW_SURGE_OCCUPANCY;

	return (unsigned)rule->metric <= STW_SURGE_OCCUPANCY &&
	       (unsigned)rule->action <= STW_SURGE_OVERFLOW && rule->value_max < STW_CLASS_COUNT &&
	       rule->urgency_max < STW_CLASS_COUNT &&
	       (falls ? rule->on_bound < rule->off_bound : rule->on_bound > rule->off_bound) &&
	       (!share || (rule->on_bound <= PERMILLE && rule->off_bound <= PERMILLE));
}

/* The queue of a handle; ACD_NOBODY: there is none any more. */
static uint32_t
queue_of(struct stw_acd *acd, struct stw_queue handle)
{
	uint32_t q = (uint32_t)handle.id;
	const struct acd_queue_description *queue;

	if (!handle.id || q >= acd->config.queues_max)
		return ACD_NOBODY;
	queue = acd_queue_description(acd, q);
	return queue && queue->generation == handle.id >> 32 ? q : ACD_NOBODY;
}

/* Check the rules of a queue's configuration. Under the configuration lock. */
int
acd_surge_rules_check(struct stw_acd *acd, uint32_t tenant, const struct stw_queue_config *config)
{
	if (config->surge_rules_count > STW_SURGE_RULES_MAX ||
	    (config->surge_rules_count && !config->surge_rules))
		return -EINVAL;
	for (uint32_t i = 0; i < config->surge_rules_count; i++) {
		const struct stw_surge_rule *rule = &config->surge_rules[i];

		if (!rule_valid(acd, rule))
			return -EINVAL;
		if (rule->action == STW_SURGE_OVERFLOW &&
		    (queue_of(acd, rule->overflow) == ACD_NOBODY ||
		     acd->queues[(uint32_t)rule->overflow.id].tenant != tenant))
			return -ESTALE;
	}
	return 0;
}

/* A contact was answered, in time or not, or has given up after that time. */
void
acd_surge_served(struct stw_acd *acd, uint32_t q, bool in_time)
{
	const struct acd_queue_description *queue = acd_queue_description(acd, q);
	_Atomic uint64_t *level = &acd->queues[q].level;
	uint64_t old = atomic_load_explicit(level, memory_order_relaxed);
	uint64_t new;

	if (!queue || !queue->surge_rules_count)
		return;
	do {
		uint64_t seen = old >> SEEN_SHIFT;
		int64_t share = (int64_t)(old & SHARE_MASK);

		seen += seen < SEEN_MAX;
		share += ((in_time ? SHARE_ONE : 0) - share) / (int64_t)seen;
		new = seen << SEEN_SHIFT | (uint64_t)share;
	} while (!atomic_compare_exchange_weak_explicit(level, &old, new, memory_order_relaxed,
							memory_order_relaxed));
}

/* While nobody waits all is well: else a rule that keeps everybody away would keep itself on. */
static uint64_t
service_level(const struct acd_queue *queue, int64_t waiting)
{
	uint64_t level = atomic_load_explicit(&queue->level, memory_order_relaxed);

	if (waiting <= 0 || !(level >> SEEN_SHIFT))
		return PERMILLE;
	return (level & SHARE_MASK) * PERMILLE >> 48;
}

/* Of the agents at work, how many are busy; with none at work, all. */
static uint64_t
occupancy(struct stw_acd *acd)
{
	uint32_t row = acd->config.queues_max + 1;
	int64_t ready = (int64_t)counters_read(&acd->counters, row, ACD_COUNT_READY);
	int64_t at_work = (int64_t)(counters_read(&acd->counters, row, ACD_COUNT_LOGGED_IN) -
				    counters_read(&acd->counters, row, ACD_COUNT_NOT_READY));

	if (at_work <= 0 || ready <= 0)
		return PERMILLE;
	return ready < at_work ? (uint64_t)((at_work - ready) * PERMILLE / at_work) : 0;
}

static uint64_t
metric_of(struct stw_acd *acd, uint32_t q, enum stw_surge_metric metric, uint64_t now_ns)
{
	const struct acd_queue *queue = &acd->queues[q];
	int64_t waiting = atomic_load_explicit(&queue->waiting, memory_order_relaxed);
	uint64_t wait_ns;

	switch (metric) {
	case STW_SURGE_LENGTH:
		return waiting > 0 ? (uint64_t)waiting : 0;
	case STW_SURGE_EWT:
		if (waiting <= 0 || acd_pace_wait(acd, q, (uint32_t)waiting, now_ns, &wait_ns))
			return 0;
		return wait_ns;
	case STW_SURGE_SERVICE_LEVEL:
		return service_level(queue, waiting);
	default:
		return occupancy(acd);
	}
}

/* Whether a rule that is on, or off, is to be switched. */
static bool
rule_switches(struct stw_acd *acd, uint32_t q, const struct acd_queue_description *queue,
	      uint32_t i, bool is_on, uint64_t now_ns)
{
	const struct stw_surge_rule *rule = &queue->surge_rules[i];
	uint64_t metric;

	if (i >= queue->surge_rules_count)
		return is_on;
	metric = metric_of(acd, q, rule->metric, now_ns);
	if (rule->metric == STW_SURGE_SERVICE_LEVEL)
		return is_on ? metric >= rule->off_bound : metric <= rule->on_bound;
	return is_on ? metric <= rule->off_bound : metric >= rule->on_bound;
}

static void
surge_told(struct acd_queue *queue, uint64_t version)
{
	uint64_t told = atomic_load_explicit(&queue->surge_told, memory_order_relaxed);

	while (told < version) {
		/* G1, pairs with G2 */
		if (atomic_compare_exchange_weak_explicit(&queue->surge_told, &told, version,
							  memory_order_release,
							  memory_order_relaxed))
			return;
	}
}

/* I1 */
static void
surge_tell(struct stw_acd *acd, uint32_t q, const struct acd_queue_description *description,
	   uint64_t word, uint64_t now_ns)
{
	struct acd_queue *queue = &acd->queues[q];
	uint32_t rule = word >> LAST_SHIFT & 0xff;
	struct stw_event event = {
		.type = STW_EVENT_SURGE,
		.reason = rule,
		.surge_on = word >> rule & 1,
		.time_ns = now_ns,
		.queue.id = acd_handle(q, description->generation),
		.queue_cookie = description->cookie,
	};

	/* G2, pairs with G1 */
	if (atomic_load_explicit(&queue->surge_told, memory_order_acquire) >= word >>
		    VERSION_SHIFT ||
	    acd_word_read(&queue->surge) != word)
		return;
	if (!event_queue_push(&acd->events,
			      2 * acd->config.contacts_max + acd->config.agents_max + q,
			      word >> VERSION_SHIFT, &event))
		event_queue_lose(&acd->events, 1);
	surge_told(queue, word >> VERSION_SHIFT);
}

/* Judge all rules of a queue; returns which are on. */
static uint64_t
surge_judge(struct stw_acd *acd, uint32_t q, const struct acd_queue_description *description,
	    uint64_t now_ns)
{
	_Atomic uint64_t *surge = &acd->queues[q].surge;
	uint64_t word = acd_word_read(surge);

	for (uint32_t i = 0; i < STW_SURGE_RULES_MAX; i++) {
		while (rule_switches(acd, q, description, i, word >> i & 1, now_ns)) {
			uint64_t next = ((word >> VERSION_SHIFT) + 1) << VERSION_SHIFT |
					(uint64_t)i << LAST_SHIFT |
					((word & ON_MASK) ^ UINT64_C(1) << i);

			surge_tell(acd, q, description, word, now_ns);
			if (acd_word_change(surge, word, next)) {
				surge_tell(acd, q, description, next, now_ns);
				word = next;
				break;
			}
			word = acd_word_read(surge);
		}
	}
	return word & ON_MASK;
}

/* The rule that applies to a newcomer: the first that is on for its class; NULL: none. */
const struct stw_surge_rule *
acd_surge_rule(struct stw_acd *acd, uint32_t q, const struct acd_queue_description *queue,
	       const struct stw_contact_request *request, uint64_t now_ns)
{
	uint64_t on;

	if (!queue->surge_rules_count && !(acd_word_read(&acd->queues[q].surge) & ON_MASK))
		return NULL;
	for (on = surge_judge(acd, q, queue, now_ns); on; on &= on - 1) {
		uint32_t i = (uint32_t)__builtin_ctzll(on);
		const struct stw_surge_rule *rule = &queue->surge_rules[i];

		if (i < queue->surge_rules_count && !request->red_channel &&
		    request->value <= rule->value_max && request->urgency <= rule->urgency_max &&
		    (rule->action != STW_SURGE_OVERFLOW ||
		     queue_of(acd, rule->overflow) != ACD_NOBODY))
			return rule;
	}
	return NULL;
}

/* Do with a newcomer what a surge rule of its queue says. */
int
acd_surge_apply(struct stw_acd *acd, uint32_t q, const struct stw_surge_rule *rule,
		const struct stw_contact_request *request, uint64_t now_ns,
		struct stw_contact *handle)
{
	struct acd_origin origin = {.enqueue_ns = now_ns};
	int result = -EAGAIN;
	enum acd_counter counter = ACD_COUNT_REFUSED;

	if (rule->action == STW_SURGE_CALLBACK) {
		result = acd_contact_put(acd, request->queue, request, &origin, now_ns, handle);
		if (result)
			return result;
		acd_count(acd, q, ACD_COUNT_CALLBACKS_OFFERED, 1);
		return STW_ENQUEUE_CALLBACK;
	}
	if (rule->action == STW_SURGE_DEFLECT) {
		counter = ACD_COUNT_DEFLECTED;
		result = STW_ENQUEUE_DEFLECTED;
	} else if (rule->action == STW_SURGE_OVERFLOW) {
		counter = ACD_COUNT_OVERFLOWED;
		result = acd_contact_put(acd, rule->overflow, request, &origin, now_ns, handle);
		/* Just removed: then it stays here. */
		if (result == -ESTALE)
			return acd_contact_put(acd, request->queue, request, &origin, now_ns,
					       handle);
		result = result ? result : STW_ENQUEUE_OVERFLOWED;
	}
	acd_count(acd, q, ACD_COUNT_OFFERED, 1);
	acd_count(acd, q, counter, 1);
	return result;
}

/* Judge the rules of a queue to which perhaps nobody comes. */
void
acd_surge_review(struct stw_acd *acd, uint32_t q, uint64_t now_ns)
{
	const struct acd_queue_description *queue = acd_queue_description(acd, q);
	uint64_t word = acd_word_read(&acd->queues[q].surge);

	if (!queue || (!queue->surge_rules_count && !(word & ON_MASK)))
		return;
	surge_judge(acd, q, queue, now_ns);
	/* A thread that switched a rule may have been stopped before it told. */
	surge_tell(acd, q, queue, acd_word_read(&acd->queues[q].surge), now_ns);
}
