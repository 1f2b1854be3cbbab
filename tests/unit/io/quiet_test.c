/* SPDX-License-Identifier: BSD-3-Clause */
/* Silence detection: a party that sends, but does not speak. */
#include <criterion/criterion.h>

#include <errno.h>

#include "media/plane.h"
#include "parties.h"
#include "wire_suite.h"

enum { CALLER };

static struct wire wire;
static struct parties parties;

static void
open_wire(void)
{
	wire_begin(&wire);
	parties_open(&parties, &wire, 2);
}

static void
close_wire(void)
{
	cr_assert(wire_counters_add_up(&wire));
	plane_check(wire.media);
	wire_close(&wire);
	stw_eal_stop();
}

TestSuite(quiet, .init = open_wire, .fini = close_wire);

Test(quiet, silence_in_audio_is_told_and_so_is_voice)
{
	struct stw_leg_config config =
		wire_leg_config(&parties.talkers[CALLER].party, STW_SIDE_CALLER);
	struct stw_media_event event;
	struct talker *caller = &parties.talkers[CALLER];

	config.silent_audio_ns = 2000 * WIRE_MS;
	config.silent_audio_level = 127;
	cr_assert_eq(stw_leg_update(wire.media, caller->leg, &config, wire.now_ns), -EINVAL);
	config.silent_audio_level = 0;
	cr_assert_eq(stw_leg_update(wire.media, caller->leg, &config, wire.now_ns), 0);
	parties_talk(&parties, 200);
	cr_assert_eq(wire_event_take(&wire, &event), 0);
	/* Packets go on, but nothing is to be heard. */
	caller->mute = true;
	parties_talk(&parties, 95);
	cr_assert_eq(wire_event_take(&wire, &event), 0);
	parties_talk(&parties, 300);
	cr_assert_eq(wire_event_take(&wire, &event), 1);
	cr_assert_eq(event.type, STW_MEDIA_EVENT_QUIET);
	cr_assert_eq(event.leg.id, caller->leg.id);
	cr_assert_eq(wire_event_take(&wire, &event), 0);
	/* A click is no voice. */
	caller->mute = false;
	parties_talk(&parties, 2);
	caller->mute = true;
	parties_talk(&parties, 10);
	cr_assert_eq(wire_event_take(&wire, &event), 0);
	caller->mute = false;
	parties_talk(&parties, 4);
	cr_assert_eq(wire_event_take(&wire, &event), 1);
	cr_assert_eq(event.type, STW_MEDIA_EVENT_VOICE);
	/* No packets at all are silence, too. */
	caller->silent = true;
	parties_talk(&parties, 130);
	cr_assert_eq(wire_event_take(&wire, &event), 1);
	cr_assert_eq(event.type, STW_MEDIA_EVENT_QUIET);
	caller->silent = false;
	config.silent_audio_ns = 0;
	cr_assert_eq(stw_leg_update(wire.media, caller->leg, &config, wire.now_ns), 0);
	parties_talk(&parties, 30);
	cr_assert_eq(wire_event_take(&wire, &event), 0);
}
