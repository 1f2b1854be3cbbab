/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * More time for a wrap-up, with one slot and with several.
 */
#include "house.h"

TestSuite(acd_wrap_up, .init = house_open, .fini = house_close);

static struct stw_queue
queue_with_wrap_up(uint64_t wrap_up_ns)
{
	struct stw_queue_config config = STW_QUEUE_CONFIG_INIT;

	config.wrap_up_ns = wrap_up_ns;
	return queue_with(config, "queue", NULL);
}

static void
extend(struct stw_agent agent, uint64_t by_ns, int result)
{
	cr_assert_eq(stw_agent_wrap_up_extend(house, agent, by_ns, now), result);
	stw_acd_check(house);
}

Test(acd_wrap_up, extended_ends_later)
{
	struct stw_queue queue = queue_with_wrap_up(10 * SECOND);
	struct stw_agent ann = ready_agent("ann", NULL);
	uint64_t next_ns;

	enqueue(queue);
	end(accept_next().contact);
	cr_assert_eq(state_of(ann), STW_AGENT_WRAP_UP);
	extend(ann, 5 * SECOND, 0);
	cr_assert_eq(stw_acd_advance(house, now, 10, &next_ns), 0);
	cr_assert_eq(next_ns, now + 15 * SECOND);
	cr_assert_eq(advance(15 * SECOND - 1), 0);
	extend(ann, SECOND, 0);
	cr_assert_eq(advance(1), 0);
	cr_assert_eq(advance(SECOND), 1);
	cr_assert_eq(state_of(ann), STW_AGENT_READY);
	cr_assert_eq(advance(100 * SECOND), 0);
}

Test(acd_wrap_up, ready_ends_it_however_far_it_was_extended)
{
	struct stw_queue queue = queue_with_wrap_up(10 * SECOND);
	struct stw_agent ann = ready_agent("ann", NULL);

	enqueue(queue);
	end(accept_next().contact);
	extend(ann, 1000 * SECOND, 0);
	cr_assert_eq(stw_agent_ready(house, ann, now), 0);
	enqueue(queue);
	end(accept_next().contact);
	cr_assert_eq(advance(10 * SECOND), 1, "the next one is as long as ever");
}

Test(acd_wrap_up, each_slot_in_wrap_up_is_extended)
{
	struct stw_queue queue = queue_with_wrap_up(10 * SECOND);
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_contact first, second;
	struct stw_agent_status status;
	struct stw_agent ann;

	config.slots[STW_CHANNEL_VOICE] = 3;
	ann = agent_with(config, "ann", NULL);
	make_ready(ann);
	first = enqueue(queue);
	accept_next();
	second = enqueue(queue);
	accept_next();
	enqueue(queue);
	accept_next();
	end(first);
	now += SECOND;
	end(second);
	extend(ann, 2 * SECOND, 0);
	cr_assert_eq(advance(11 * SECOND - 1), 0);
	cr_assert_eq(advance(1), 1);
	cr_assert_eq(advance(SECOND), 1);
	cr_assert_eq(stw_agent_status(house, ann, &status), 0);
	cr_assert_eq(status.wrapping, 0);
	cr_assert_eq(status.connected, 1);
	extend(ann, SECOND, -EINVAL);
}

Test(acd_wrap_up, only_an_agent_in_wrap_up_gets_more_time)
{
	struct stw_queue queue = queue_with_wrap_up(10 * SECOND);
	struct stw_agent ann = agent_of("ann", NULL);

	extend(ann, SECOND, -EINVAL);
	extend((struct stw_agent){0}, SECOND, -ESTALE);
	make_ready(ann);
	extend(ann, SECOND, -EINVAL);
	enqueue(queue);
	extend(ann, SECOND, -EINVAL);
	end(accept_next().contact);
	extend(ann, 0, -EINVAL);
	extend(ann, (UINT64_C(1) << 61) + 1, -EINVAL);
	/* As far as the clock goes, and not beyond. */
	extend(ann, UINT64_C(1) << 61, 0);
	extend(ann, UINT64_C(1) << 61, 0);
	cr_assert_eq(advance((UINT64_C(1) << 61) - 1), 0);
	cr_assert_eq(advance(1), 1);
}

Test(acd_wrap_up, pause_after_a_miss_is_no_wrap_up)
{
	struct stw_queue queue = queue_with_wrap_up(0);
	struct stw_agent_config config = STW_AGENT_CONFIG_INIT;
	struct stw_agent ann;

	config.penalty_ns = SECOND;
	ann = agent_with(config, "ann", NULL);
	make_ready(ann);
	enqueue(queue);
	cr_assert_eq(stw_offer_decline(house, await(STW_EVENT_OFFER).offer, 0, now), 0);
	extend(ann, SECOND, -EINVAL);
	cr_assert_eq(advance(SECOND), 1);
}
