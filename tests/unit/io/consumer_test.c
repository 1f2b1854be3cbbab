/* SPDX-License-Identifier: BSD-3-Clause */
/* Consumers in the process: they read what was received, and harm nobody but themselves. */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "media/plane.h"
#include "wire_suite.h"

static struct wire wire;
static struct call call;

static void
open_wire(void)
{
	wire_begin(&wire);
	wire_call_latched(&wire, &call);
}

static void
close_wire(void)
{
	while (stw_media_record(wire.media, 1000) > 0)
		continue;
	wire_poll(&wire);
	wire_drop_sent(&wire);
	wire_end(&wire);
}

TestSuite(consumer, .init = open_wire, .fini = close_wire);

static struct stw_consumer *
consumer_open(uint32_t frames_max)
{
	struct stw_consumer_config config = STW_CONSUMER_CONFIG_INIT;
	struct stw_consumer *consumer = NULL;

	config.frames_max = frames_max;
	cr_assert_eq(stw_consumer_open(wire.media, &config, &consumer), 0);
	return consumer;
}

static struct stw_fork
fork_ring(struct stw_consumer *consumer)
{
	struct stw_fork_config config = STW_FORK_CONFIG_INIT;
	struct stw_fork fork;

	config.kind = STW_FORK_RING;
	config.consumer = consumer;
	cr_assert_eq(stw_fork_add(wire.media, call.session, &config, wire.now_ns, &fork), 0);
	return fork;
}

/* Everything taken is given back, and nothing is left. */
static void
consumer_end(struct stw_consumer *consumer)
{
	const struct stw_frame *frames[64];
	int taken;

	while ((taken = stw_consumer_take(consumer, frames, 64)) > 0) {
		cr_assert_eq(stw_consumer_give(consumer, frames, (uint32_t)taken), 0);
		wire_poll(&wire);
	}
	cr_assert_eq(stw_consumer_close(consumer), 0);
	for (unsigned i = 0; i < 3; i++) {
		wire_poll(&wire);
		stw_media_advance(wire.media, wire.now_ns);
	}
	cr_assert_null(wire.media->consumers.at[0]);
	wire_drop_sent(&wire);
	cr_assert_eq(wire_stats(&wire).packets_in_use, wire.base);
}

Test(consumer, reads_each_packet_as_it_was_received)
{
	struct stw_consumer *consumer = consumer_open(64);
	struct stw_fork fork = fork_ring(consumer);
	const struct stw_frame *frames[64];
	struct frame sent[10], heard;

	for (uint16_t i = 0; i < 10; i++) {
		(i % 2 ? wire_agent_says : wire_caller_says)(&wire, &call, (uint16_t)(100 + i),
							     &sent[i]);
		cr_assert(wire_take(&wire, i % 2 == 0, &heard), "the peer hears it, too");
	}
	cr_assert_eq(stw_consumer_take(consumer, frames, 64), 10);
	for (uint16_t i = 0; i < 10; i++) {
		cr_assert_eq(frames[i]->payload_bytes, 160);
		cr_assert_arr_eq(frames[i]->payload, sent[i].data + 54, 160);
		cr_assert_eq(frames[i]->sequence, 100 + i);
		cr_assert_eq(frames[i]->timestamp, 160 * (100u + i));
		cr_assert_eq(frames[i]->ssrc, wire_u32(&sent[i], 50));
		cr_assert_eq(frames[i]->side, i % 2 ? STW_SIDE_AGENT : STW_SIDE_CALLER);
		cr_assert_eq(frames[i]->payload_type, 0);
		cr_assert_eq(frames[i]->codec, STW_CODEC_PCMU);
		cr_assert_eq(frames[i]->session_cookie, 77);
		cr_assert_eq(frames[i]->fork.id, fork.id);
		cr_assert_eq(frames[i]->arrival_ns, wire.now_ns - (9u - i) * 20 * WIRE_MS);
	}
	cr_assert_eq(stw_consumer_give(consumer, frames, 10), 0);
	cr_assert_eq(wire_fork_stats(&wire, fork).packets, 10);
	cr_assert_eq(stw_fork_remove(wire.media, fork), 0);
	consumer_end(consumer);
}

Test(consumer, frames_come_back_in_any_order_and_each_once)
{
	struct stw_consumer *consumer = consumer_open(64);
	struct stw_fork fork = fork_ring(consumer);
	const struct stw_frame *frames[64], *twice[2], *wrong;
	struct frame sent;

	for (uint16_t i = 0; i < 8; i++)
		wire_caller_says(&wire, &call, (uint16_t)(10 + i), &sent);
	cr_assert_eq(stw_consumer_take(consumer, frames, 0), -EINVAL);
	cr_assert_eq(stw_consumer_take(consumer, frames, 5), 5);
	cr_assert_eq(stw_consumer_give(consumer, &frames[3], 1), 0);
	cr_assert_eq(stw_consumer_give(consumer, &frames[3], 1), -EINVAL, "given back before");
	twice[0] = twice[1] = frames[0];
	cr_assert_eq(stw_consumer_give(consumer, twice, 2), -EINVAL);
	wrong = (const struct stw_frame *)(const void *)((const char *)frames[0] + 8);
	cr_assert_eq(stw_consumer_give(consumer, &wrong, 1), -EINVAL);
	wrong = NULL;
	cr_assert_eq(stw_consumer_give(consumer, &wrong, 1), -EINVAL);
	cr_assert_eq(stw_consumer_give(consumer, &frames[4], 1), 0);
	cr_assert_eq(stw_consumer_give(consumer, frames, 3), 0);
	cr_assert_eq(stw_consumer_take(consumer, frames, 64), 3);
	cr_assert_eq(frames[0]->sequence, 15);
	cr_assert_eq(stw_consumer_close(consumer), -EBUSY, "a fork goes to it");
	cr_assert_eq(stw_fork_remove(wire.media, fork), 0);
	cr_assert_eq(stw_consumer_close(consumer), -EBUSY, "frames are taken");
	cr_assert_eq(stw_consumer_give(consumer, frames, 3), 0);
	consumer_end(consumer);
}

Test(consumer, that_returns_nothing_costs_its_own_ring_only)
{
	struct stw_consumer *dead = consumer_open(64), *alive = consumer_open(64);
	struct stw_fork to_dead = fork_ring(dead), to_alive = fork_ring(alive);
	const struct stw_frame *frames[64];
	struct frame sent, heard;
	int taken;

	for (uint16_t i = 0; i < 200; i++) {
		wire_caller_says(&wire, &call, (uint16_t)(10 + i), &sent);
		cr_assert(wire_take(&wire, 1, &heard), "packet %u", i);
		taken = stw_consumer_take(alive, frames, 64);
		cr_assert_eq(taken, 1);
		cr_assert_arr_eq(frames[0]->payload, sent.data + 54, 160);
		cr_assert_eq(stw_consumer_give(alive, frames, 1), 0);
		/* The dead one takes some at first, and never gives back. */
		if (i == 20)
			cr_assert_eq(stw_consumer_take(dead, frames, 10), 10);
	}
	cr_assert_eq(wire_fork_stats(&wire, to_alive).packets, 200);
	cr_assert_eq(wire_fork_stats(&wire, to_alive).packets_dropped, 0);
	cr_assert_eq(wire_fork_stats(&wire, to_dead).packets, 64);
	cr_assert_eq(wire_fork_stats(&wire, to_dead).packets_dropped, 136);
	cr_assert_eq(wire_stats(&wire).fork_dropped, 136);
	plane_check(wire.media);
	cr_assert_eq(stw_fork_remove(wire.media, to_dead), 0);
	cr_assert_eq(stw_fork_remove(wire.media, to_alive), 0);
	cr_assert_eq(stw_consumer_close(dead), -EBUSY);
	cr_assert_eq(stw_consumer_recover(dead), 10);
	cr_assert_eq(stw_consumer_close(alive), 0);
	consumer_end(dead);
}

Test(consumer, closed_consumers_frames_that_waited_are_freed)
{
	struct stw_consumer *consumer = consumer_open(256);
	struct stw_fork fork = fork_ring(consumer);
	struct frame sent;

	for (uint16_t i = 0; i < 200; i++) {
		wire_caller_says(&wire, &call, (uint16_t)(10 + i), &sent);
		wire_drop_all(&wire, 1);
	}
	cr_assert_eq(wire_stats(&wire).packets_in_use, wire.base);
	cr_assert_eq(rte_mempool_in_use_count(wire.pool), 200);
	cr_assert_eq(stw_fork_remove(wire.media, fork), 0);
	cr_assert_eq(stw_consumer_close(consumer), 0);
	for (unsigned i = 0; i < 6; i++) {
		wire_poll(&wire);
		stw_media_advance(wire.media, wire.now_ns);
	}
	cr_assert_null(wire.media->consumers.at[0]);
	cr_assert_eq(rte_mempool_in_use_count(wire.pool), 0);
}

Test(consumer, limits_and_mistakes_are_told)
{
	struct stw_consumer_config config = STW_CONSUMER_CONFIG_INIT;
	struct stw_fork_config fork_config = STW_FORK_CONFIG_INIT;
	struct stw_consumer *consumer, *other;
	struct stw_fork fork;

	config.frames_max = 65;
	cr_assert_eq(stw_consumer_open(wire.media, &config, &consumer), -EINVAL);
	config.frames_max = 32;
	cr_assert_eq(stw_consumer_open(wire.media, &config, &consumer), -EINVAL);
	/* 1,024 buffers a port: consumers get 256 of them. */
	config.frames_max = 512;
	cr_assert_eq(stw_consumer_open(wire.media, &config, &consumer), -ENOSPC);
	config.frames_max = 256;
	cr_assert_eq(stw_consumer_open(wire.media, &config, &consumer), 0);
	config.frames_max = 64;
	cr_assert_eq(stw_consumer_open(wire.media, &config, &other), -ENOSPC);
	cr_assert_eq(wire_stats(&wire).refused, 2);
	fork_config.kind = STW_FORK_RING;
	cr_assert_eq(stw_fork_add(wire.media, call.session, &fork_config, 0, &fork), -EINVAL);
	cr_assert_eq(stw_consumer_close(NULL), 0);
	consumer_end(consumer);
}

Test(consumer, session_that_ends_lets_its_consumer_go)
{
	struct stw_consumer *consumer = consumer_open(64);
	struct frame sent;

	fork_ring(consumer);
	wire_caller_says(&wire, &call, 7, &sent);
	cr_assert_eq(stw_session_remove(wire.media, call.session, wire.now_ns), 0);
	stw_media_advance(wire.media, wire.now_ns);
	cr_assert_eq(wire_stats(&wire).forks, 0);
	consumer_end(consumer);
}
