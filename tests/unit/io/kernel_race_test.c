/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Relay inside the kernel on two CPUs at once, and while control takes a leg back and gives it in again.
 * Threads begin each of many rounds together, so that they meet inside the program also where other work shares
 * the CPUs.
 */
#include <criterion/criterion.h>

#include <pthread.h>
#include <stdatomic.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "kernel_case.h"
#include "xdp_steer.skel.h"

#define QUEUE  (2 * KERNEL_QUEUES_A_PORT)
#define ROUNDS 100

/* Times that the kernel runs a frame at each call. */
#define REPEATS 1000

/* Times that a leg has to leave while control takes it back. */
#define LEFT_MIN 500

static struct kernel_case relayed;
static struct bpf_frame frame;
static pthread_barrier_t round_begins;
static _Atomic unsigned failures;

static void
open_case(void)
{
	case_open(&relayed);
	case_fill(&relayed, (struct case_way){0});
	cr_assert_eq(pthread_barrier_init(&round_begins, NULL, 2), 0);
}

static void
close_case(void)
{
	pthread_barrier_destroy(&round_begins);
	case_close(&relayed);
}

TestSuite(kernel_race, .init = open_case, .fini = close_case);

/* Run the frame many times; asserts are for the test's own thread. */
static void *
run_many(void *data)
{
	int fd = bpf_program__fd(relayed.run.program->progs.xsk_def_prog);

	for (unsigned i = 0; i < ROUNDS; i++) {
		LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data,
			    .data_size_in = frame.bytes, .repeat = REPEATS);

		pthread_barrier_wait(&round_begins);
		if (bpf_prog_test_run_opts(fd, &options))
			atomic_fetch_add_explicit(&failures, 1, memory_order_relaxed);
	}
	return NULL;
}

Test(kernel_race, each_packet_given_to_a_socket_has_a_number_of_its_own)
{
	uint64_t runs = UINT64_C(2) * ROUNDS * REPEATS;
	pthread_t threads[2];

	frame = case_frame_bytes(&relayed.in);
	case_row(&relayed)->state = KERNEL_WORKER;
	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, run_many, NULL), 0);
	for (unsigned i = 0; i < 2; i++)
		cr_assert_eq(pthread_join(threads[i], NULL), 0);
	cr_assert_eq(failures, 0);
	cr_assert_eq(relayed.run.memory->queues[QUEUE].steered, runs);
	cr_assert_eq(bpf_run_steer_count(&relayed.run, STEER_COUNT_STEERED), runs);
	cr_assert_leq(case_row(&relayed)->ticket & KERNEL_TICKET_COUNT, runs);
}

/* Whether control's change of the state is the one that made it. */
static bool
state_changes(uint32_t before, uint32_t after)
{
	return atomic_compare_exchange_strong_explicit(&case_row(&relayed)->state, &before, after,
						       memory_order_acq_rel, memory_order_relaxed);
}

static _Atomic bool is_over;

/* Control. @return by data: times given in less times taken back */
static void *
give_and_take(void *data)
{
	uint64_t *given = data;

	while (!atomic_load_explicit(&is_over, memory_order_relaxed)) {
		*given += state_changes(KERNEL_WORKER, KERNEL_KERNEL);
		*given -= state_changes(KERNEL_KERNEL, KERNEL_WORKER);
	}
	return NULL;
}

Test(kernel_race, leg_leaves_as_often_as_it_is_counted)
{
	int fd = bpf_program__fd(relayed.run.program->progs.xsk_def_prog);
	struct case_frame odd = relayed.in;
	uint64_t given = 1, runs = 0;
	pthread_t control;

	/* None has to wait. */
	relayed.run.memory->queues[QUEUE].handled = KERNEL_TICKET_COUNT;
	odd.type = 101;
	frame = case_frame_bytes(&odd);
	cr_assert_eq(pthread_create(&control, NULL, give_and_take, &given), 0);
	while (bpf_run_count(&relayed.run, KERNEL_COUNT_LEFT) < LEFT_MIN) {
		LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame.data,
			    .data_size_in = frame.bytes, .repeat = REPEATS);

		cr_assert_eq(bpf_prog_test_run_opts(fd, &options), 0);
		runs += REPEATS;
	}
	atomic_store_explicit(&is_over, true, memory_order_relaxed);
	cr_assert_eq(pthread_join(control, NULL), 0);
	cr_assert_eq(bpf_run_count(&relayed.run, KERNEL_COUNT_LEFT) +
			     (case_row(&relayed)->state == KERNEL_KERNEL),
		     given);
	cr_assert_eq(bpf_run_steer_count(&relayed.run, STEER_COUNT_STEERED), runs);
}
