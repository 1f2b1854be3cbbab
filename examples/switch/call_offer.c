/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Offers: the engine has chosen an agent, whose phone rings, and who answers, declines or does
 * nothing. An agent who did not answer is left behind; the engine offers the call to the next one.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <sofia-sip/sip_status.h>

#include <strowger/error.h>
#include <strowger/log.h>

#include "call.h"
#include "clock.h"
#include "plane.h"

/* Reasons of a decline that no phone gave. */
#define DECLINED_AWAY    480
#define DECLINED_CODEC   488
#define DECLINED_NO_ROOM 503

/* Add to the record's list, which grows in steps. */
static void
record_offer(struct call *call, const struct agent *agent)
{
	struct cdr_offer *offers = call->offers;

	if (call->offers_count == CALL_OFFERS_MAX)
		return;
	if ((call->offers_count & (call->offers_count - 1)) == 0) {
		offers = realloc(offers, (call->offers_count ? 2 * call->offers_count : 1) *
						 sizeof(*offers));
		if (!offers)
			return;
		call->offers = offers;
	}
	offers[call->offers_count].agent = agent->config->name.text;
	offers[call->offers_count++].result = CDR_OFFER_RINGING;
}

static void
record_result(struct call *call, enum cdr_offer_result result)
{
	if (call->offers_count && call->offers[call->offers_count - 1].result == CDR_OFFER_RINGING)
		call->offers[call->offers_count - 1].result = result;
}

/* The call goes on without this agent. */
static void
let_go(struct call *call, struct dialog *dialog, uint64_t now_ns)
{
	plane_leg_close(dialog, now_ns);
	dialog->call = NULL;
	call->agent_leg.id = 0;
	call->agent_dialog = NULL;
	if (call->state == CALL_RINGING)
		call_set_state(call, CALL_QUEUED);
}

static void
decline(struct call *call, struct stw_offer offer, uint32_t reason)
{
	record_result(call, CDR_OFFER_DECLINED);
	stw_offer_decline(call->exchange->acd, offer, reason, clock_now_ns());
}

/* Ring the phone. 0, or the reason why that cannot be. */
static uint32_t
ring(struct call *call, struct agent *agent, struct stw_offer offer, uint64_t now_ns)
{
	struct dialog *dialog;

	if (!agent->registered)
		return DECLINED_AWAY;
	dialog = dialog_open(call, STW_SIDE_AGENT, NULL);
	if (!dialog)
		return DECLINED_NO_ROOM;
	dialog->agent = agent;
	dialog->offer = offer;
	dialog->party.codec = call->caller_dialog->party.codec;
	dialog->party.audio_pt = call->caller_dialog->party.audio_pt;
	dialog->party.event_pt = call->caller_dialog->party.event_pt;
	if (plane_leg_open(call, dialog, now_ns) != 0) {
		dialog_close(dialog);
		return DECLINED_NO_ROOM;
	}
	if (dialog_invite(dialog, call) != 0) {
		plane_leg_close(dialog, now_ns);
		dialog_close(dialog);
		return DECLINED_AWAY;
	}
	call->agent_dialog = dialog;
	call->agent_leg = dialog->leg;
	return 0;
}

void
call_offer(struct call *call, struct agent *agent, struct stw_offer offer)
{
	uint32_t reason;

	if (call->state != CALL_QUEUED || !call->caller_dialog)
		return; /* hung up meanwhile; the engine has withdrawn the offer */
	record_offer(call, agent);
	reason = ring(call, agent, offer, clock_now_ns());
	if (reason != 0) {
		stw_log(STW_LOG_WARN, "OFFER-UNSENT call=%" PRIu64 " agent=%s reason=%u",
			call->number, agent->config->name.text, reason);
		decline(call, offer, reason);
		return;
	}
	stw_log(STW_LOG_INFO, "OFFER call=%" PRIu64 " agent=%s", call->number,
		agent->config->name.text);
	call_set_state(call, CALL_RINGING);
}

void
call_offer_over(struct call *call, struct stw_offer offer, enum cdr_offer_result result)
{
	struct dialog *dialog = call->agent_dialog;
	uint64_t now_ns = clock_now_ns();

	record_result(call, result);
	if (!dialog || call->answered_ns || dialog->offer.number != offer.number)
		return;
	stw_log(STW_LOG_INFO, "OFFER-OVER call=%" PRIu64 " agent=%s", call->number,
		dialog->agent->config->name.text);
	let_go(call, dialog, now_ns);
	dialog_end(dialog, now_ns);
}

void
call_agent_declined(struct dialog *dialog, int status)
{
	struct call *call = dialog->call;
	uint64_t now_ns = clock_now_ns();

	dialog->state = DIALOG_ENDING;
	dialog->deadline_ns = now_ns + CLOCK_SECOND_NS;
	if (!call)
		return;
	stw_log(STW_LOG_INFO, "OFFER-DECLINED call=%" PRIu64 " agent=%s status=%d", call->number,
		dialog->agent->config->name.text, status);
	let_go(call, dialog, now_ns);
	decline(call, dialog->offer, (uint32_t)status);
}

/* Connect the two. 0, or what the phone's description or the packet plane lacks. */
static int
bridge(struct call *call, struct dialog *dialog, const sip_t *sip)
{
	struct sdp_party party;
	int error = -1;

	if (sip->sip_payload)
		error = sdp_read(sip->sip_payload->pl_data, sip->sip_payload->pl_len,
				 1u << call->caller_dialog->party.codec, &party);
	if (error != 0)
		return error;
	dialog->party = party;
	return plane_leg_update(dialog, clock_now_ns());
}

void
call_agent_answered(struct dialog *dialog, const sip_t *sip)
{
	struct call *call = dialog->call;
	uint64_t now_ns = clock_now_ns();
	int error;

	dialog->state = DIALOG_UP;
	if (!call || call->state != CALL_RINGING) {
		dialog_end(dialog, now_ns); /* the 200 has crossed our CANCEL */
		return;
	}
	if (bridge(call, dialog, sip) != 0) {
		let_go(call, dialog, now_ns);
		decline(call, dialog->offer, DECLINED_CODEC);
		dialog_end(dialog, now_ns);
		return;
	}
	error = stw_offer_accept(call->exchange->acd, dialog->offer, now_ns);
	if (error != 0) {
		/* Timed out a moment ago; its event is still to be taken. */
		let_go(call, dialog, now_ns);
		dialog_end(dialog, now_ns);
		return;
	}
	record_result(call, CDR_OFFER_ACCEPTED);
	call->answered_ns = now_ns;
	call->agent = dialog->agent;
	stw_log(STW_LOG_INFO, "CALL-ANSWERED call=%" PRIu64 " agent=%s wait_ms=%" PRIu64,
		call->number, call->agent->config->name.text,
		(now_ns - call->queued_ns) / CLOCK_MILLISECOND_NS);
	call_set_state(call, CALL_TALKING);
}
