/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * P2: thousands of short histories of two and three threads on a tiny house, each explained by some order of
 * its calls. Between them a few single-threaded steps, compared with the oracle, set the scene.
 *
 * Half of the histories run freely. In the others one thread runs at a time, and hands the turn on after
 * a number of instructions, wherever it is then: every such history comes again from its seed.
 */
#include <criterion/criterion.h>

#include <inttypes.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "property/beside.h"
#include "stress/linear.h"
#include "support/stepper.h"

#define THREADS_MAX 3
#define CALLS_EACH  3
#define SCENE_STEPS 6
#define SPINS       4000

struct arena;

struct player {
	struct arena *arena;
	pthread_t thread;
	uint32_t calls, index;
	uint32_t delay; /* turns of a loop before the first call */
	uint32_t stops; /* how often it hands the turn on in mid-call, at most */
	uint32_t after; /* instructions until it does so next */
	struct linear_call call[CALLS_EACH];
};

/* One or two players and the test's own thread, which is player 0. */
struct arena {
	struct beside beside;
	struct linear_history history;
	struct player players[THREADS_MAX];
	uint32_t threads;
	bool steps; /* instructions can be counted here */
	_Atomic uint32_t round, ready, done;
	_Atomic uint32_t turn; /* whose turn it is; players beyond `threads`: everybody's */
	_Atomic uint32_t
		at_play;     /* bits: players that have calls to do; changed by whose turn it is */
	struct random turns; /* used by whose turn it is */
	_Atomic uint64_t stamp;
	_Atomic int stop;
};

static void
wait_a_little(uint32_t *spins)
{
	if (++*spins > SPINS)
		sched_yield();
}

static _Thread_local struct player *self;

static void
await_turn(struct player *player)
{
	_Atomic uint32_t *turn = &player->arena->turn;
	uint32_t whose;

	while ((whose = atomic_load_explicit(turn, memory_order_acquire)) != player->index &&
	       whose < THREADS_MAX)
		syscall(SYS_futex, turn, FUTEX_WAIT_PRIVATE, whose, NULL, NULL, 0);
}

/* To some other player who still has calls to do; if there is none, it is kept. */
static void
hand_on_turn(struct player *player)
{
	struct arena *arena = player->arena;
	uint32_t others = atomic_load_explicit(&arena->at_play, memory_order_relaxed) &
			  ~(UINT32_C(1) << player->index);
	uint32_t next = random_below(&arena->turns, arena->threads);

	if (!others)
		return;
	while (!(others >> next & 1))
		next = (next + 1) % arena->threads;
	atomic_store_explicit(&arena->turn, next, memory_order_release);
	syscall(SYS_futex, &arena->turn, FUTEX_WAKE_PRIVATE, THREADS_MAX, NULL, NULL, 0);
}

static uint32_t
random_instructions(struct random *random)
{
	return 1 + random_below(random, 1u << (3 + random_below(random, 9)));
}

/* The stepper's hook: in a signal handler, in the midst of a call. */
static uint32_t
stop_here(void)
{
	hand_on_turn(self);
	await_turn(self);
	if (!self->stops || !--self->stops)
		return 0;
	return random_instructions(&self->arena->turns);
}

static void
do_call(struct player *player, struct linear_call *call)
{
	struct arena *arena = player->arena;

	/* Stamps order calls on every processor: nothing of a call comes before or after its two. */
	call->called = atomic_fetch_add_explicit(&arena->stamp, 1, memory_order_seq_cst);
	atomic_signal_fence(memory_order_seq_cst);
	if (player->after)
		stepper_start(player->after);
	step_engine(arena->beside.acd, &arena->beside.skills, &call->step);
	if (player->after)
		player->after = stepper_stop();
	atomic_signal_fence(memory_order_seq_cst);
	call->returned = atomic_fetch_add_explicit(&arena->stamp, 1, memory_order_seq_cst);
}

static void
play(struct player *player)
{
	struct arena *arena = player->arena;
	bool in_turns = player->stops > 0;

	self = player;
	for (uint32_t i = 0; i < player->delay; i++)
		__asm__ volatile("" ::: "memory");
	if (in_turns)
		await_turn(player);
	for (uint32_t i = 0; i < player->calls; i++)
		do_call(player, &player->call[i]);
	if (in_turns) {
		atomic_fetch_and_explicit(&arena->at_play, ~(UINT32_C(1) << player->index),
					  memory_order_relaxed);
		hand_on_turn(player);
	}
}

static void *
player_main(void *argument)
{
	struct player *player = argument;
	struct arena *arena = player->arena;
	uint32_t round = 0, spins = 0;
	struct stw_agent_status status;

	/* Its first call makes the thread known to liburcu, with signals blocked. */
	stw_agent_status(arena->beside.acd, (struct stw_agent){0}, &status);
	for (;;) {
		while (atomic_load_explicit(&arena->round, memory_order_acquire) == round) {
			if (atomic_load_explicit(&arena->stop, memory_order_relaxed))
				return NULL;
			wait_a_little(&spins);
		}
		round++;
		spins = 0;
		atomic_fetch_add_explicit(&arena->ready, 1, memory_order_acq_rel);
		while (atomic_load_explicit(&arena->ready, memory_order_acquire) <
		       round * arena->threads)
			wait_a_little(&spins);
		spins = 0;
		play(player);
		atomic_fetch_add_explicit(&arena->done, 1, memory_order_acq_rel);
	}
}

/* Everyone plays at one time; returns when all have returned. */
static void
play_together(struct arena *arena, uint32_t round)
{
	uint32_t spins = 0;

	atomic_store_explicit(&arena->round, round, memory_order_release);
	atomic_fetch_add_explicit(&arena->ready, 1, memory_order_acq_rel);
	while (atomic_load_explicit(&arena->ready, memory_order_acquire) < round * arena->threads)
		wait_a_little(&spins);
	spins = 0;
	play(&arena->players[0]);
	atomic_fetch_add_explicit(&arena->done, 1, memory_order_acq_rel);
	while (atomic_load_explicit(&arena->done, memory_order_acquire) < round * arena->threads)
		wait_a_little(&spins);
}

/* All calls of a history have one time, so it does not matter whose time a helper writes; ranks differ by
 * their credit. Descriptions stay, and one timer at most fires in a call. */
static void
make_calls(struct arena *arena, bool in_turns)
{
	struct history *h = &arena->beside.history;
	uint64_t now_ns = h->now_ns;

	arena->turns.state = random_next(&h->random);
	atomic_store_explicit(&arena->at_play, (UINT32_C(1) << arena->threads) - 1,
			      memory_order_relaxed);
	atomic_store_explicit(&arena->turn,
			      in_turns ? random_below(&h->random, arena->threads) : THREADS_MAX,
			      memory_order_relaxed);

	for (uint32_t t = 0; t < arena->threads; t++) {
		struct player *player = &arena->players[t];

		player->calls = 1 + random_below(&h->random, CALLS_EACH);
		player->delay = in_turns ? 0 : random_below(&h->random, 200);
		player->stops = in_turns ? 1 + random_below(&h->random, 3) : 0;
		player->after = in_turns ? random_instructions(&h->random) : 0;
		for (uint32_t i = 0; i < player->calls; i++) {
			struct step *step = &player->call[i].step;

			do {
				history_next(h, step);
			} while (step->kind >= STEP_AGENT_DEFINE);
			step->now_ns = now_ns;
			step->budget = 1;
			/* Of two at once the last one counts, which no status shows. */
			step->value = (uint8_t)(h->steps % STW_CLASS_COUNT);
			step->urgency = (uint8_t)(h->steps / 16 % STW_CLASS_COUNT);
			if (step->reason < 1000 || step->kind == STEP_DECLINE)
				step->reason = 7; /* of two at once, either's may be told */
			step->request.red_channel = 0;
			step->request.credit_ns = 1 + random_below(&h->random, 50000000);
		}
	}
	h->now_ns = now_ns + 1;
}

/*
 * What an agent has asked for meanwhile does not show in his status, and two orders of calls may differ in
 * that alone. Ready says whether there was something to undo: a call more, after all others.
 */
static void
ask_agents(struct arena *arena)
{
	struct linear_history *history = &arena->history;
	const struct oracle *o = &arena->beside.history.oracle;

	for (int a = 0; a < ORACLE_AGENTS_MAX && history->calls_count < LINEAR_CALLS_MAX; a++) {
		struct stw_agent agent = {o->agents[a].id};
		struct stw_agent_status status;
		struct linear_call *call = &history->calls[history->calls_count];

		if (!o->agents[a].defined || stw_agent_status(arena->beside.acd, agent, &status) ||
		    !status.contact_id)
			continue;
		history->calls_count++;
		*call = (struct linear_call){.step = {.kind = STEP_READY,
						      .agent = agent.id,
						      .now_ns = o->agents[a].since_ns},
					     .called = atomic_fetch_add(&arena->stamp, 1),
					     .returned = atomic_fetch_add(&arena->stamp, 1)};
		step_engine(arena->beside.acd, &arena->beside.skills, &call->step);
	}
}

static void
collect(struct arena *arena)
{
	struct linear_history *history = &arena->history;
	uint64_t lost;
	uint32_t count;

	history->calls_count = 0;
	for (uint32_t t = 0; t < arena->threads; t++) {
		for (uint32_t i = 0; i < arena->players[t].calls; i++)
			history->calls[history->calls_count++] = arena->players[t].call[i];
	}
	ask_agents(arena);
	cr_assert(beside_take(&arena->beside, &count, &lost));
	cr_assert_leq(count, LINEAR_EVENTS_MAX);
	memcpy(history->events, arena->beside.got, count * sizeof(history->events[0]));
	history->events_count = count;
}

static void
fail(struct arena *arena, const char *why)
{
	static char text[12000];

	linear_text(&arena->history, &arena->beside.history.oracle, text, sizeof(text));
	cr_assert_fail("%s, seed %" PRIu64 "\n%s%s", why, arena->beside.history.seed,
		       beside_story(&arena->beside), text);
}

/* One short history, explained. */
static void
one_history(struct arena *arena, uint32_t round)
{
	struct beside *beside = &arena->beside;
	static struct oracle any;

	for (int i = 0; i < SCENE_STEPS; i++)
		cr_assert(beside_step(beside), "%s", beside_story(beside));
	make_calls(arena, arena->steps && round % 2);
	atomic_store(&arena->stamp, 1);
	play_together(arena, round);
	collect(arena);
	cr_assert_eq(stw_acd_check(beside->acd), 0);
	arena->history.any_idle = false;
	if (linear_explain(&arena->history, &beside->history.oracle, &beside->history.compare,
			   beside->acd))
		return;
	arena->history.any_idle = true;
	any = beside->history.oracle;
	if (linear_explain(&arena->history, &any, &beside->history.compare, beside->acd))
		fail(arena, "the longest idle agent was passed over");
	fail(arena, "no order of the calls explains this history");
}

static void
run(const struct house_size *size, uint32_t threads, uint64_t seed)
{
	struct arena *arena = calloc(1, sizeof(*arena));
	uint32_t histories = (uint32_t)soak_or(1500, 50000), overlapped = 0;

	cr_assert_not_null(arena);
	arena->threads = threads;
	arena->steps = stepper_install(stop_here);
	cr_assert(beside_open(&arena->beside, size, seed));
	for (uint32_t t = 0; t < threads; t++) {
		arena->players[t].arena = arena;
		arena->players[t].index = t;
		if (t)
			cr_assert_eq(pthread_create(&arena->players[t].thread, NULL, player_main,
						    &arena->players[t]),
				     0);
	}
	while (arena->beside.history.steps < 100)
		cr_assert(beside_step(&arena->beside), "%s", beside_story(&arena->beside));
	for (uint32_t round = 1; round <= histories; round++) {
		one_history(arena, round);
		for (uint32_t i = 0; i + 1 < arena->history.calls_count; i++)
			overlapped += arena->history.calls[i].returned !=
				      arena->history.calls[i].called + 1;
	}
	atomic_store(&arena->stop, 1);
	for (uint32_t t = 1; t < threads; t++)
		pthread_join(arena->players[t].thread, NULL);
	beside_close(&arena->beside);
	cr_log_info("%u threads: %u histories, %u calls overlapped", threads, histories,
		    overlapped);
	cr_expect(!arena->steps || overlapped > histories / 4,
		  "of %u histories only %u calls overlapped: too few to show anything", histories,
		  overlapped);
	free(arena);
}

static const struct house_size tiny = {.name = "tiny",
				       .agents_max = 2,
				       .queues_max = 2,
				       .contacts_max = 3,
				       .events_max = 256,
				       .skills = 1,
				       .busy_per_mille = 250,
				       .house_per_mille = 5};
static const struct house_size three = {.name = "three agents",
					.agents_max = 3,
					.queues_max = 1,
					.contacts_max = 4,
					.events_max = 256,
					.skills = 1,
					.busy_per_mille = 250,
					.house_per_mille = 5};

Test(acd_linear, histories_of_two_threads_can_be_put_in_order)
{
	run(&tiny, 2, 81);
}

Test(acd_linear, histories_of_three_threads_can_be_put_in_order)
{
	run(&tiny, 3, 82);
}

Test(acd_linear, histories_with_three_agents_can_be_put_in_order)
{
	run(&three, 2, 83);
}
