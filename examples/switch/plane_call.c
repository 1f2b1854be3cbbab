/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A call's part of the packet plane, and the plane's events for calls. Who hears what follows from
 * the call's state in one place (plane_call_follow), so that a hold, an answer or a hang-up cannot
 * leave something playing.
 */
#include <inttypes.h>
#include <string.h>

#include <strowger/error.h>
#include <strowger/log.h>

#include "clock.h"
#include "menu.h"
#include "plane.h"

#define EVENTS_AT_ONCE 64

int
plane_call_open(struct call *call)
{
	static const enum stw_place places[] = {
		[CONFIG_RELAY_WORKER] = STW_PLACE_WORKER,
		[CONFIG_RELAY_KERNEL] = STW_PLACE_KERNEL,
		[CONFIG_RELAY_AUTO] = STW_PLACE_AUTO,
	};
	struct stw_session_config session = STW_SESSION_CONFIG_INIT;

	session.cookie = call->cookie;
	session.place = places[call->exchange->config->relay];
	return stw_session_add(call->exchange->media, &session, &call->session);
}

static void
fill_leg(const struct dialog *dialog, struct stw_leg_config *leg)
{
	const struct config *config = dialog->exchange->config;

	leg->side = dialog->side;
	leg->remote = dialog->party.remote;
	leg->source_any_ip = config->nat;
	leg->codec = dialog->party.codec;
	leg->audio_pt = dialog->party.audio_pt;
	leg->event_pt = dialog->party.event_pt;
	leg->silent_ns = config->silence_s * CLOCK_SECOND_NS;
}

/* A new remote may have a new next hop. Its SIP has just come from there, so the kernel knows its
 * link address: looked up now, not even the first packet has to be dropped. */
static void
look_up_hop(struct exchange *exchange, uint64_t now_ns)
{
	stw_media_advance(exchange->media, now_ns);
}

int
plane_leg_open(struct call *call, struct dialog *dialog, uint64_t now_ns)
{
	struct stw_leg_config leg = STW_LEG_CONFIG_INIT;
	int error;

	fill_leg(dialog, &leg);
	error = stw_leg_add(call->exchange->media, call->session, &leg, now_ns, &dialog->leg,
			    &dialog->local);
	if (error == 0)
		look_up_hop(call->exchange, now_ns);
	return error;
}

int
plane_leg_update(struct dialog *dialog, uint64_t now_ns)
{
	struct stw_leg_config leg = STW_LEG_CONFIG_INIT;
	int error;

	fill_leg(dialog, &leg);
	error = stw_leg_update(dialog->exchange->media, dialog->leg, &leg, now_ns);
	if (error == 0)
		look_up_hop(dialog->exchange, now_ns);
	return error;
}

void
plane_leg_close(struct dialog *dialog, uint64_t now_ns)
{
	if (dialog->leg.id)
		stw_leg_remove(dialog->exchange->media, dialog->leg, now_ns);
	dialog->leg.id = 0;
}

uint32_t
plane_kernel_legs(const struct call *call)
{
	struct stw_session_place place;

	if (stw_session_place(call->exchange->media, call->session, &place) != 0)
		return 0;
	return place.legs_kernel;
}

int64_t
plane_lost(const struct stw_leg_stats *stats)
{
	return stats->packets_lost > 0 ? stats->packets_lost : 0;
}

void
plane_call_close(struct call *call, uint64_t now_ns)
{
	struct stw_media *media = call->exchange->media;

	if (call->caller_leg.id)
		stw_leg_stats(media, call->caller_leg, &call->caller_stats);
	if (call->agent_leg.id)
		stw_leg_stats(media, call->agent_leg, &call->agent_stats);
	call->exchange->packets_lost += plane_lost(&call->caller_stats);
	call->exchange->packets_lost += plane_lost(&call->agent_stats);
	if (call->session.id)
		stw_session_remove(media, call->session, now_ns);
	call->session.id = 0;
}

/* What the caller should listen to now. */
static struct stw_playout
wanted_playout(const struct call *call)
{
	struct stw_playout nothing = {0};

	if (!call->caller_dialog || !call->caller_dialog->party.receives)
		return nothing;
	if (call->state == CALL_MENU)
		return call->prompt_over ? nothing : call->exchange->prompt;
	if (call->state == CALL_QUEUED || call->state == CALL_RINGING)
		return call->queue->music;
	return nothing;
}

static void
relay(struct call *call, struct stw_leg from, struct stw_leg to, bool wanted, bool *is)
{
	static const struct stw_leg nobody = {0};

	if (*is == wanted)
		return;
	if (stw_leg_connect(call->exchange->media, from, wanted ? to : nobody) == 0)
		*is = wanted;
}

void
plane_call_follow(struct call *call)
{
	struct stw_playout playout = wanted_playout(call);

	if (playout.id != call->playing.id) {
		call->playing_ns = clock_now_ns();
		if (stw_playout_attach(call->exchange->media, call->caller_leg, playout,
				       call->playing_ns) == 0)
			call->playing = playout;
	}
	/* When the call is over, what was said before the hang-up may still be on its way. */
	if (call->state != CALL_TALKING || !call->caller_dialog || !call->agent_dialog)
		return;
	relay(call, call->caller_leg, call->agent_leg, call->agent_dialog->party.receives,
	      &call->to_agent);
	relay(call, call->agent_leg, call->caller_leg, call->caller_dialog->party.receives,
	      &call->to_caller);
}

void
plane_call_replay(struct call *call)
{
	call->playing.id = 0;
	plane_call_follow(call);
}

static void
take_digit(struct call *call, char digit, uint64_t now_ns)
{
	size_t count = strlen(call->digits);

	stw_log(STW_LOG_DEBUG, "CALL-DIGIT call=%" PRIu64 " digit=%c", call->number, digit);
	if (count < CALL_DIGITS_MAX)
		call->digits[count] = digit;
	if (call->state == CALL_MENU)
		menu_digit(call, digit, now_ns);
}

static void
take_silence(struct call *call)
{
	if (call->state == CALL_OVER || !call->caller_dialog || !call->caller_dialog->party.sends)
		return;
	stw_log(STW_LOG_WARN, "CALL-SILENT call=%" PRIu64 " caller=%s", call->number, call->caller);
	call_over(call, call->answered_ns ? CDR_ANSWERED : CDR_FAILED, CDR_SWITCH);
}

static void
take_leg_event(struct call *call, const struct stw_media_event *event, uint64_t now_ns)
{
	bool caller = event->leg.id == call->caller_leg.id;

	if (event->type == STW_MEDIA_EVENT_DIGIT && caller)
		take_digit(call, event->digit, now_ns);
	else if (event->type == STW_MEDIA_EVENT_SILENT && caller)
		take_silence(call);
	else if (event->type == STW_MEDIA_EVENT_PLAYOUT_ENDED && caller &&
		 call->state == CALL_MENU && event->time_ns >= call->playing_ns)
		menu_prompt_ended(call, now_ns);
}

static void
take(struct exchange *exchange, const struct stw_media_event *event, uint64_t now_ns)
{
	struct call *call;

	switch (event->type) {
	case STW_MEDIA_EVENT_DIGIT:
	case STW_MEDIA_EVENT_SILENT:
	case STW_MEDIA_EVENT_PLAYOUT_ENDED:
		call = call_find(exchange, event->session_cookie);
		if (call)
			take_leg_event(call, event, now_ns);
		break;
	case STW_MEDIA_EVENT_FORK_FAILED:
		stw_log(STW_LOG_ERROR, "CALL-RECORDING-FAILED call=%" PRIu64 " error=\"%s\"",
			call_number(event->session_cookie), stw_error_text(event->error));
		break;
	case STW_MEDIA_EVENT_FORK_CLOSED:
		if (event->fork_stats.packets_dropped)
			stw_log(STW_LOG_WARN,
				"CALL-RECORDING-GAPS call=%" PRIu64 " packets=%" PRIu64
				" dropped=%" PRIu64,
				call_number(event->session_cookie), event->fork_stats.packets,
				event->fork_stats.packets_dropped);
		break;
	case STW_MEDIA_EVENT_LOST:
		stw_log(STW_LOG_ERROR, "MEDIA-EVENTS-LOST count=%" PRIu64, event->lost);
		break;
	default:
		break;
	}
}

void
plane_take(struct exchange *exchange)
{
	struct stw_media_event events[EVENTS_AT_ONCE];
	uint64_t now_ns = clock_now_ns();
	int count;

	do {
		count = stw_media_events_take(exchange->media, events, EVENTS_AT_ONCE);
		for (int i = 0; i < count; i++)
			take(exchange, &events[i], now_ns);
	} while (count == EVENTS_AT_ONCE);
}
