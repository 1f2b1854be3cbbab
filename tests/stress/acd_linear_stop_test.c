/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * P2, for what headers allow only of a call that is under way: a call is stopped after some instructions, and again after
 * more, and so on to its last; other calls are done meanwhile, and some order must explain them all.
 */
#include <criterion/criterion.h>

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "property/beside.h"
#include "stress/linear.h"
#include "support/stepper.h"

/* Instructions between two stops: under AddressSanitizer a call has several times as many. */
#ifdef __SANITIZE_ADDRESS__
#define COARSE 140
#else
#define COARSE 23
#endif

#define WRAP_UP_NS 1000

enum { RUNS, STANDS, GOES_ON, RETURNED };

/* A house of two queues and one agent, and a history of one stopped call and others. */
struct house {
	struct beside beside;
	struct linear_history history;
	struct linear_call *stopped;
	uint64_t stamp;
	uint64_t near, far; /* queues: the near one holds one contact */
	uint64_t agent;
	uint32_t after; /* instructions */
};

static _Atomic uint32_t stage;

static void
stage_set(uint32_t value)
{
	atomic_store_explicit(&stage, value, memory_order_release);
	syscall(SYS_futex, &stage, FUTEX_WAKE_PRIVATE, 2, NULL, NULL, 0);
}

static void
stage_leave(uint32_t value)
{
	while (atomic_load_explicit(&stage, memory_order_acquire) == value)
		syscall(SYS_futex, &stage, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static uint32_t
stand_here(void)
{
	stage_set(STANDS);
	stage_leave(STANDS);
	return 0;
}

/* Do a step to the engine and the oracle, one after the other; returns what it has made. */
static uint64_t
do_step(struct house *house, struct step step)
{
	struct beside *beside = &house->beside;
	struct history *h = &beside->history;
	uint64_t lost, next_ns;
	uint32_t count;

	step.now_ns = h->now_ns;
	step_engine(beside->acd, &beside->skills, &step);
	cr_assert_eq(step.result, 0);
	beside->events.count = 0;
	oracle_events = &beside->events;
	oracle_choices = &beside->choices;
	cr_assert_eq(step_oracle(&h->oracle, &step, &next_ns), 0);
	cr_assert(beside_take(beside, &count, &lost));
	cr_assert(compare_events(&h->compare, beside->got, count, beside->events.list,
				 beside->events.count, 0),
		  "%s", h->compare.problem);
	return step.id;
}

static struct step
enqueue_to(uint64_t queue, uint64_t credit_ns)
{
	struct step step = {.kind = STEP_ENQUEUE, .request = STW_CONTACT_REQUEST_INIT};

	step.request.queue.id = queue;
	step.request.credit_ns = credit_ns;
	return step;
}

/* A contact of the near queue rings; the step is to answer it. */
static struct step
ring(struct house *house, enum step_kind kind)
{
	struct step answer = {.kind = kind, .reason = 7};

	answer.contact = do_step(house, enqueue_to(house->near, 0));
	cr_assert_eq(house->beside.events.list[0].type, STW_EVENT_OFFER);
	answer.offer = house->beside.events.list[0].offer.number;
	answer.number = house->beside.got[0].offer.number;
	return answer;
}

static void
house_open(struct house *house)
{
	static const struct house_size size = {.name = "two queues",
					       .agents_max = 1,
					       .queues_max = 2,
					       .contacts_max = 6,
					       .events_max = 256};
	struct step define = {.kind = STEP_QUEUE_DEFINE, .name = "far"};

	memset(house, 0, sizeof(*house));
	cr_assert(beside_open(&house->beside, &size, 91));
	define.queue_rule = (struct oracle_queue_rule){
		.steps_count = 1, .target_ns = house->beside.history.target_ns[0]};
	house->far = do_step(house, define);
	strcpy(define.name, "near");
	define.queue_rule.length_max = 1;
	define.queue_rule.wrap_up_ns = WRAP_UP_NS;
	house->near = do_step(house, define);
	strcpy(define.name, "agent");
	define.kind = STEP_AGENT_DEFINE;
	house->agent = do_step(house, define);
	do_step(house, (struct step){.kind = STEP_LOGIN, .agent = house->agent});
	do_step(house, (struct step){.kind = STEP_READY, .agent = house->agent});
}

static void *
stopped_main(void *argument)
{
	struct house *house = argument;
	struct stw_agent_status status;

	/* Its first call makes the thread known to liburcu, with signals blocked. */
	stw_agent_status(house->beside.acd, (struct stw_agent){house->agent}, &status);
	stepper_start(house->after);
	step_engine(house->beside.acd, &house->beside.skills, &house->stopped->step);
	stepper_stop();
	stage_set(RETURNED);
	return NULL;
}

/* A call of the history that is done in one go. */
static void
do_call(struct house *house, struct step step)
{
	struct linear_call *call = &house->history.calls[house->history.calls_count++];

	call->step = step;
	call->step.now_ns = house->beside.history.now_ns;
	call->called = house->stamp++;
	step_engine(house->beside.acd, &house->beside.skills, &call->step);
	call->returned = house->stamp++;
}

static void
explain(struct house *house)
{
	struct beside *beside = &house->beside;
	static char text[12000];
	uint64_t lost;

	cr_assert(beside_take(beside, &house->history.events_count, &lost));
	cr_assert_leq(house->history.events_count, LINEAR_EVENTS_MAX);
	memcpy(house->history.events, beside->got,
	       house->history.events_count * sizeof(house->history.events[0]));
	if (linear_explain(&house->history, &beside->history.oracle, &beside->history.compare,
			   beside->acd))
		return;
	linear_text(&house->history, &beside->history.oracle, text, sizeof(text));
	cr_assert_fail("no order explains the calls beside one stopped after %u instructions\n%s",
		       house->after, text);
}

/* The first call is stopped, the others are done, it goes on. False: it was over before. */
static bool
run_stopped(struct house *house, struct step first, const struct step *others, uint32_t count)
{
	pthread_t thread;
	bool stands;

	house->history.calls_count = 1;
	house->stopped = &house->history.calls[0];
	*house->stopped = (struct linear_call){.step = first, .called = 1, .returned = 2};
	house->stopped->step.now_ns = house->beside.history.now_ns;
	house->stamp = 3;
	atomic_store(&stage, RUNS);
	cr_assert_eq(pthread_create(&thread, NULL, stopped_main, house), 0);
	stage_leave(RUNS);
	stands = atomic_load_explicit(&stage, memory_order_acquire) == STANDS;
	for (uint32_t i = 0; i < count; i++)
		do_call(house, others[i]);
	if (stands) {
		house->stopped->returned = house->stamp++;
		stage_set(GOES_ON);
	}
	pthread_join(thread, NULL);
	explain(house);
	return stands;
}

typedef bool (*round_fn)(struct house *house);

/* Each round in a new house, its call stopped later than the last. */
static void
stop_everywhere(round_fn round)
{
	struct house *house = malloc(sizeof(*house));
	uint32_t rounds = 0;
	bool stands = true;

	cr_assert_not_null(house);
	for (uint32_t n = 1; stands && stepper_install(stand_here); rounds++) {
		house_open(house);
		house->after = n;
		stands = round(house);
		cr_assert_eq(stw_acd_check(house->beside.acd), 0);
		beside_close(&house->beside);
		n += (uint32_t)soak_or(COARSE, 1);
	}
	cr_expect(rounds > 20 || !stepper_install(stand_here), "the call was over at once");
	free(house);
}

/* The wrap-up's time is over: it is extended, others are told that its new end has not come, and it is extended again. The
 * header lets an advance that was under way end it at its old end all the same. */
static bool
extend_beside_advance(struct house *house)
{
	struct step answer = ring(house, STEP_ACCEPT);
	struct step extend = {.kind = STEP_EXTEND, .agent = house->agent, .by_ns = 1000};
	struct step advance = {.kind = STEP_ADVANCE, .budget = 1};
	struct step others[] = {extend, advance, extend};

	do_step(house, answer);
	answer.kind = STEP_END;
	do_step(house, answer);
	house->beside.history.now_ns += WRAP_UP_NS;
	return run_stopped(house, advance, others, 3);
}

Test(acd_linear_stop, advance_under_way_may_end_a_wrap_up_that_others_see_extended)
{
	stop_everywhere(extend_beside_advance);
}

/* The contact to come is the best. It finds room in the near queue; then another is put back there, and the agent gets
 * the worst one, of the far queue, as the best is not there yet. */
static bool
decline_beside_enqueue(struct house *house)
{
	struct step decline = ring(house, STEP_DECLINE);

	do_step(house, enqueue_to(house->far, 1));
	return run_stopped(house, enqueue_to(house->near, 2), &decline, 1);
}

Test(acd_linear_stop, contact_that_has_found_room_comes_though_others_are_put_back_first)
{
	stop_everywhere(decline_beside_enqueue);
}
