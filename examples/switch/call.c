/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How a call begins, passes from state to state, and ends. What agents' phones say to offers is in
 * call_offer.c.
 */
#include "call.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

#include <strowger/error.h>
#include <strowger/log.h>

#include "call_record.h"
#include "clock.h"
#include "menu.h"
#include "plane.h"
#include "routing.h"

/* Low bits of a cookie that are the index of the call in its table. */
#define INDEX_BITS 20

/*
 * How long a call that is over keeps its legs: what was sent before the hang-up may still be in a ring,
 * for some 600 ms on a machine where others take the CPU of the worker.
 */
#define LINGER_NS CLOCK_SECOND_NS

/* A dialog may wait for the answer to its BYE long after its call was released. */
#define DIALOGS_PER_CALL 4

int
call_tables_create(struct exchange *exchange)
{
	uint32_t calls = exchange->config->calls_max, dialogs = DIALOGS_PER_CALL * calls + 64;

	static_assert(CONFIG_CALLS_MAX <= 1 << INDEX_BITS, "a cookie holds any call's index");
	TAILQ_INIT(&exchange->calls_free);
	TAILQ_INIT(&exchange->calls_used);
	TAILQ_INIT(&exchange->dialogs_free);
	TAILQ_INIT(&exchange->dialogs_used);
	exchange->calls = calloc(calls, sizeof(*exchange->calls));
	exchange->dialogs = calloc(dialogs, sizeof(*exchange->dialogs));
	if (!exchange->calls || !exchange->dialogs) {
		call_tables_destroy(exchange);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < calls; i++)
		TAILQ_INSERT_TAIL(&exchange->calls_free, &exchange->calls[i], link);
	for (uint32_t i = 0; i < dialogs; i++)
		TAILQ_INSERT_TAIL(&exchange->dialogs_free, &exchange->dialogs[i], link);
	return 0;
}

void
call_tables_destroy(struct exchange *exchange)
{
	free(exchange->calls);
	free(exchange->dialogs);
	exchange->calls = NULL;
	exchange->dialogs = NULL;
}

struct call *
call_find(struct exchange *exchange, uint64_t cookie)
{
	uint64_t index = cookie & ((1u << INDEX_BITS) - 1);

	if (cookie == 0 || index >= exchange->config->calls_max ||
	    exchange->calls[index].cookie != cookie)
		return NULL;
	return &exchange->calls[index];
}

uint64_t
call_number(uint64_t cookie)
{
	return cookie >> INDEX_BITS;
}

static void
copy(char to[EXCHANGE_TEXT_BYTES], const char *from)
{
	snprintf(to, EXCHANGE_TEXT_BYTES, "%s", from ? from : "");
}

static struct call *
take_slot(struct exchange *exchange, const sip_t *sip)
{
	struct call *call = TAILQ_FIRST(&exchange->calls_free);

	if (!call)
		return NULL;
	TAILQ_REMOVE(&exchange->calls_free, call, link);
	memset(call, 0, sizeof(*call));
	TAILQ_INSERT_TAIL(&exchange->calls_used, call, link);
	call->exchange = exchange;
	call->state = CALL_STATES;
	call->number = ++exchange->calls_number;
	call->cookie = call->number << INDEX_BITS | (uint64_t)(call - exchange->calls);
	copy(call->caller, sip->sip_from->a_url->url_user);
	copy(call->called, sip->sip_request->rq_url->url_user);
	copy(call->call_id, sip->sip_call_id->i_id);
	clock_text(call->start_text);
	call->start_ns = clock_now_ns();
	return call;
}

static void
give_slot(struct call *call)
{
	struct exchange *exchange = call->exchange;

	if (call->state != CALL_STATES)
		exchange->counts.now[call->state]--;
	free(call->offers);
	free(call->recordings);
	call->offers = NULL;
	call->recordings = NULL;
	call->cookie = 0;
	TAILQ_REMOVE(&exchange->calls_used, call, link);
	TAILQ_INSERT_TAIL(&exchange->calls_free, call, link);
}

void
call_set_state(struct call *call, enum call_state state)
{
	uint64_t *now = call->exchange->counts.now;

	if (call->state != CALL_STATES)
		now[call->state]--;
	call->state = state;
	now[state]++;
	plane_call_follow(call);
}

int
call_enqueue(struct call *call, uint32_t queue)
{
	struct exchange *exchange = call->exchange;
	struct stw_contact_request request = STW_CONTACT_REQUEST_INIT;
	uint64_t now_ns = clock_now_ns();
	int error;

	request.queue = exchange->queues[queue].handle;
	request.cookie = call->cookie;
	request.value = config_customer_value(exchange->config, call->caller);
	error = stw_contact_enqueue(exchange->acd, &request, now_ns, &call->contact);
	if (error != 0) {
		stw_log(STW_LOG_WARN, "CALL-REFUSED call=%" PRIu64 " queue=%s error=\"%s\"",
			call->number, exchange->queues[queue].config->name.text,
			stw_error_text(error));
		return error;
	}
	call->queue = &exchange->queues[queue];
	call->queued_ns = now_ns;
	call_record_enter(call);
	call_set_state(call, CALL_QUEUED);
	return 0;
}

/* A call that was never answered: nothing but the counters will remember it. */
static void
refuse(struct exchange *exchange, nua_handle_t *handle, int status, const char *why)
{
	exchange->counts.results[CDR_REFUSED]++;
	exchange->counts.done++;
	stw_log(STW_LOG_WARN, "CALL-REFUSED status=%d why=\"%s\"", status, why);
	nua_respond(handle, status, sip_status_phrase(status),
		    TAG_IF(status == 503, SIPTAG_RETRY_AFTER_STR("5")), TAG_END());
	nua_handle_destroy(handle);
}

/* The status to refuse the INVITE with, 0 when its description is fine or not there yet. */
static int
read_offer(const sip_t *sip, struct sdp_party *party, bool *offer_due)
{
	int error;

	*offer_due = !sip->sip_payload || sip->sip_payload->pl_len == 0;
	if (*offer_due) {
		/* Our offer will have both; what the caller takes of it comes with the ACK. */
		memset(party, 0, sizeof(*party));
		party->sends = party->receives = true;
		return 0;
	}
	if (!sip->sip_content_type || !sip->sip_content_type->c_type ||
	    strcasecmp(sip->sip_content_type->c_type, "application/sdp") != 0)
		return 415;
	error = sdp_read(sip->sip_payload->pl_data, sip->sip_payload->pl_len, SDP_CODEC_ANY, party);
	return error == 0 ? 0 : error == -EINVAL ? 400 : 488;
}

/* Everything that the call needs before it can be answered. 0 or a negative errno. */
static int
set_up(struct call *call, nua_handle_t *handle, const struct sdp_party *party, bool offer_due)
{
	uint64_t now_ns = call->start_ns;
	struct dialog *dialog = dialog_open(call, STW_SIDE_CALLER, NULL);
	int error;

	if (!dialog)
		return -ENOSPC;
	dialog->party = *party;
	dialog->offer_due = offer_due;
	error = plane_call_open(call);
	if (error == 0)
		error = plane_leg_open(call, dialog, now_ns);
	if (error == 0) {
		call->caller_dialog = dialog;
		call->caller_leg = dialog->leg;
		/* The queue of a call to a queue may be full, which is better said at once. */
		if (call->target != CONFIG_NONE && !offer_due)
			error = call_enqueue(call, call->target);
	}
	if (error != 0) {
		call->caller_dialog = NULL;
		plane_call_close(call, now_ns);
		dialog_close(dialog);
		return error;
	}
	call_record_begin(call);
	dialog->handle = handle;
	nua_handle_bind(handle, dialog);
	return 0;
}

/* The caller's phone is described: the menu speaks, or the queue's music plays. */
static void
begin(struct call *call)
{
	if (call->target == CONFIG_NONE)
		menu_enter(call, clock_now_ns());
	else if (!call->queue && call_enqueue(call, call->target) != 0)
		call_over(call, CDR_REFUSED, CDR_SWITCH);
}

void
call_invited(struct exchange *exchange, nua_handle_t *handle, const sip_t *sip)
{
	const char *user = sip->sip_request->rq_url->url_user;
	uint32_t target = user ? config_queue_find(exchange->config, user) : CONFIG_NONE;
	struct sdp_party party;
	struct call *call;
	bool offer_due;
	int status;

	if (target == CONFIG_NONE && (!user || strcmp(user, "menu") != 0)) {
		nua_respond(handle, SIP_404_NOT_FOUND, TAG_END());
		nua_handle_destroy(handle);
		return;
	}
	exchange->counts.offered++;
	if (!sip->sip_contact) {
		refuse(exchange, handle, 400, "no Contact to hang up at");
		return;
	}
	if (exchange->stopping) {
		refuse(exchange, handle, 503, "the switch is stopping");
		return;
	}
	status = read_offer(sip, &party, &offer_due);
	if (status != 0) {
		refuse(exchange, handle, status, "no audio that the switch can relay");
		return;
	}
	call = take_slot(exchange, sip);
	if (!call) {
		refuse(exchange, handle, 503, "the table of calls is full");
		return;
	}
	call->target = target;
	if (set_up(call, handle, &party, offer_due) != 0) {
		refuse(exchange, handle, 503, "no room in the queue or the packet plane");
		give_slot(call);
		return;
	}
	stw_log(STW_LOG_INFO, "CALL call=%" PRIu64 " caller=%s called=%s port=%u id=%s",
		call->number, call->caller, call->called, call->caller_dialog->local.port,
		call->call_id);
	dialog_answer(call->caller_dialog);
	if (!offer_due) {
		begin(call);
	} else {
		call->menu_deadline_ns =
			UINT64_MAX; /* the ACK comes, or sofia says that it won't */
		call->prompt_over = true;
		call_set_state(call, CALL_MENU);
	}
}

/* Take over what the phone says of itself. 0, or the error of sdp_read or the packet plane. */
static int
take_description(struct dialog *dialog, const sip_t *sip, uint32_t codecs)
{
	struct sdp_party before = dialog->party, party;
	int error;

	if (!sip->sip_payload)
		return -EINVAL;
	error = sdp_read(sip->sip_payload->pl_data, sip->sip_payload->pl_len, codecs, &party);
	if (error != 0)
		return error;
	if (party.remote.ip.family == 0) /* hold in the old way: keep where it was */
		party.remote = before.remote;
	dialog->party = party;
	error = plane_leg_update(dialog, clock_now_ns());
	if (error != 0)
		dialog->party = before;
	else
		plane_call_follow(dialog->call);
	return error;
}

void
call_reinvited(struct dialog *dialog, const sip_t *sip)
{
	int error = 0;

	if (!dialog->call || dialog->call->state == CALL_OVER) {
		nua_respond(dialog->handle, SIP_481_NO_TRANSACTION, TAG_END());
		return;
	}
	dialog->offer_due = !sip->sip_payload || sip->sip_payload->pl_len == 0;
	if (!dialog->offer_due)
		error = take_description(dialog, sip, 1u << dialog->party.codec);
	if (error != 0)
		nua_respond(dialog->handle, SIP_488_NOT_ACCEPTABLE, TAG_END());
	else
		dialog_answer(dialog);
}

void
call_acknowledged(struct dialog *dialog, const sip_t *sip)
{
	struct call *call = dialog->call;
	bool first;

	if (!dialog->offer_due || !call || call->state == CALL_OVER)
		return;
	dialog->offer_due = false;
	first = call->menu_deadline_ns == UINT64_MAX && call->state == CALL_MENU;
	if (take_description(dialog, sip, first ? SDP_CODEC_ANY : 1u << dialog->party.codec) != 0)
		call_over(call, CDR_FAILED, CDR_SWITCH);
	else if (first)
		begin(call);
}

void
call_hung_up(struct dialog *dialog, bool failed)
{
	struct call *call = dialog->call;
	bool caller = dialog->side == STW_SIDE_CALLER;

	if (!call)
		return;
	if (dialog->state == DIALOG_RINGING) {
		call_agent_declined(dialog, 480);
		return;
	}
	dialog->call = NULL;
	dialog->state = DIALOG_ENDING;
	dialog->deadline_ns = clock_now_ns() + 40 * CLOCK_SECOND_NS;
	if (caller)
		call->caller_dialog = NULL;
	else
		call->agent_dialog = NULL;
	call_over(call, failed ? CDR_FAILED : CDR_ABANDONED,
		  failed   ? CDR_SWITCH
		  : caller ? CDR_CALLER
			   : CDR_AGENT);
}

void
call_over(struct call *call, enum cdr_result result, enum cdr_side by)
{
	struct exchange *exchange = call->exchange;
	uint64_t now_ns = clock_now_ns();

	if (call->state == CALL_OVER)
		return;
	call->result = call->answered_ns ? CDR_ANSWERED : result;
	call->hangup_by = by;
	call->over_ns = now_ns;
	call->kernel_legs = plane_kernel_legs(call);
	call_record_over(call);
	if (call->answered_ns)
		stw_contact_end(exchange->acd, call->contact, now_ns);
	else if (call->contact.id)
		stw_contact_cancel(exchange->acd, call->contact, now_ns);
	if (call->agent_dialog) {
		if (!call->answered_ns) {
			plane_leg_close(call->agent_dialog, now_ns);
			call->agent_leg.id = 0;
		}
		dialog_end(call->agent_dialog, now_ns);
	}
	if (call->caller_dialog)
		dialog_end(call->caller_dialog, now_ns);
	call->agent_dialog = NULL;
	call->caller_dialog = NULL;
	call_set_state(call, CALL_OVER);
}

static uint64_t
milliseconds(uint64_t from_ns, uint64_t to_ns)
{
	return from_ns && to_ns > from_ns ? (to_ns - from_ns) / CLOCK_MILLISECOND_NS : 0;
}

static void
write_record(const struct call *call)
{
	uint64_t wait_end_ns = call->answered_ns ? call->answered_ns : call->over_ns;
	struct cdr record = {
		.call_id = call->call_id,
		.caller = call->caller,
		.called = call->called,
		.start = call->start_text,
		.digits = call->digits,
		.queue = call->queue ? call->queue->config->name.text : NULL,
		.agent = call->agent ? call->agent->config->name.text : NULL,
		.offers = call->offers,
		.offers_count = call->offers_count,
		.wait_ms = milliseconds(call->queued_ns, wait_end_ns),
		.talk_ms = milliseconds(call->answered_ns, call->over_ns),
		.duration_ms = milliseconds(call->start_ns, call->over_ns),
		.result = call->result,
		.hangup_by = call->hangup_by,
		.recordings = call->recordings,
		.recordings_count = call->recordings_count,
		.kernel_legs = call->kernel_legs,
		.caller_rtp.stats = call->caller_stats,
		.agent_rtp.stats = call->agent_stats,
	};
	int error = cdr_write(call->exchange->cdr, &record);

	if (error != 0)
		stw_log(STW_LOG_ERROR, "CALL-RECORD-LOST call=%" PRIu64 " error=\"%s\"",
			call->number, strerror(-error));
}

static void
release(struct call *call, uint64_t now_ns)
{
	struct exchange *exchange = call->exchange;

	plane_call_close(call, now_ns);
	write_record(call);
	stw_log(STW_LOG_INFO, "CALL-OVER call=%" PRIu64 " agent=%s duration_ms=%" PRIu64,
		call->number, call->agent ? call->agent->config->name.text : "-",
		milliseconds(call->start_ns, call->over_ns));
	exchange->counts.results[call->result]++;
	exchange->counts.done++;
	give_slot(call);
}

void
call_tick(struct exchange *exchange, uint64_t now_ns)
{
	struct call *call, *next;

	for (call = TAILQ_FIRST(&exchange->calls_used); call; call = next) {
		next = TAILQ_NEXT(call, link);
		if (call->state == CALL_MENU)
			menu_tick(call, now_ns);
		else if (call->state == CALL_OVER && now_ns >= call->over_ns + LINGER_NS)
			release(call, now_ns);
	}
}

void
call_end_all(struct exchange *exchange)
{
	struct call *call;

	TAILQ_FOREACH(call, &exchange->calls_used, link)
	call_over(call, CDR_FAILED, CDR_SWITCH);
}
