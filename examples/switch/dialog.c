/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is said in a dialog. Matching of requests, retransmissions and ACKs are sofia's.
 */
#include "dialog.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>

#include "call.h"
#include "clock.h"

/* A CANCEL or BYE that nobody answers is over after 64 * T1 = 32 s (RFC 3261 17.1.2.2). */
#define ENDING_NS (UINT64_C(40) * CLOCK_SECOND_NS)

/* What stands in an agent's display when callers are not shown. */
#define ANONYMOUS "sip:anonymous@anonymous.invalid"

struct dialog *
dialog_open(struct call *call, enum stw_side side, nua_handle_t *handle)
{
	struct exchange *exchange = call->exchange;
	struct dialog *dialog = TAILQ_FIRST(&exchange->dialogs_free);

	if (!dialog)
		return NULL;
	TAILQ_REMOVE(&exchange->dialogs_free, dialog, link);
	memset(dialog, 0, sizeof(*dialog));
	TAILQ_INSERT_TAIL(&exchange->dialogs_used, dialog, link);
	dialog->exchange = exchange;
	dialog->handle = handle;
	dialog->call = call;
	dialog->side = side;
	dialog->party.sends = true;
	dialog->party.receives = true;
	if (handle)
		nua_handle_bind(handle, dialog);
	return dialog;
}

void
dialog_close(struct dialog *dialog)
{
	struct exchange *exchange = dialog->exchange;

	if (dialog->handle) {
		nua_handle_bind(dialog->handle, NULL);
		nua_handle_destroy(dialog->handle);
	}
	TAILQ_REMOVE(&exchange->dialogs_used, dialog, link);
	TAILQ_INSERT_TAIL(&exchange->dialogs_free, dialog, link);
}

void
dialog_describe(const struct dialog *dialog, struct sdp_self *self)
{
	memset(self, 0, sizeof(*self));
	self->local = dialog->local;
	self->id = dialog->call->number;
	self->version = dialog->sdp_version;
	self->codecs = 1u << dialog->party.codec;
	self->audio_pt = dialog->party.audio_pt;
	self->event_pt = dialog->party.event_pt;
	self->sends = dialog->party.receives;
	self->receives = dialog->party.sends;
}

void
dialog_answer(struct dialog *dialog)
{
	char text[SDP_BYTES_MAX];
	struct sdp_self self;

	dialog->sdp_version++;
	dialog_describe(dialog, &self);
	if (dialog->offer_due) {
		/* A call that is connected stays with its codec; the relay does not transcode. */
		if (dialog->state == DIALOG_INVITED)
			self.codecs = SDP_CODEC_ANY;
		self.event_pt = self.event_pt ? self.event_pt : 101;
		self.sends = self.receives = true;
		sdp_offer(&self, text);
	} else {
		sdp_answer(&self, &dialog->party, text);
	}
	dialog->state = DIALOG_UP;
	nua_respond(dialog->handle, SIP_200_OK, SIPTAG_CONTENT_TYPE_STR("application/sdp"),
		    SIPTAG_PAYLOAD_STR(text), TAG_END());
}

void
dialog_refuse(struct dialog *dialog, int status)
{
	nua_respond(dialog->handle, status, sip_status_phrase(status),
		    TAG_IF(status == 503, SIPTAG_RETRY_AFTER_STR("5")), TAG_END());
	dialog_close(dialog);
}

/* Who calls, as the agent may see it. The number comes from the network, so only a plain one. */
static void
write_from(const struct call *call, char *from, size_t bytes)
{
	const char *plain = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-_.";
	const char *number = call->caller;

	if (call->queue->config->show_caller && number[0] &&
	    strspn(number, plain) == strlen(number))
		snprintf(from, bytes, "\"%s\" <sip:%s@%s>", number, number,
			 call->exchange->config->address_text.text);
	else
		snprintf(from, bytes, "\"Anonymous\" <" ANONYMOUS ">");
}

int
dialog_invite(struct dialog *dialog, struct call *call)
{
	const struct agent *agent = dialog->agent;
	char from[2 * EXCHANGE_TEXT_BYTES + 64], to[EXCHANGE_TEXT_BYTES];
	char text[SDP_BYTES_MAX];
	struct sdp_self self;

	write_from(call, from, sizeof(from));
	snprintf(to, sizeof(to), "<sip:%s@%s>", agent->config->name.text,
		 call->exchange->config->address_text.text);
	dialog->handle = nua_handle(call->exchange->nua, dialog, NUTAG_URL(agent->contact),
				    SIPTAG_FROM_STR(from), SIPTAG_TO_STR(to), TAG_END());
	if (!dialog->handle)
		return -EIO;
	dialog->sdp_version = 1;
	dialog_describe(dialog, &self);
	sdp_offer(&self, text);
	dialog->state = DIALOG_RINGING;
	nua_invite(dialog->handle, SIPTAG_SUBJECT_STR(call->queue->config->name.text),
		   SIPTAG_CONTENT_TYPE_STR("application/sdp"), SIPTAG_PAYLOAD_STR(text), TAG_END());
	return 0;
}

void
dialog_end(struct dialog *dialog, uint64_t now_ns)
{
	dialog->call = NULL;
	dialog->deadline_ns = now_ns + ENDING_NS;
	switch (dialog->state) {
	case DIALOG_INVITED:
		nua_respond(dialog->handle, SIP_480_TEMPORARILY_UNAVAILABLE, TAG_END());
		break;
	case DIALOG_RINGING:
		nua_cancel(dialog->handle, TAG_END());
		break;
	case DIALOG_UP:
		nua_bye(dialog->handle, TAG_END());
		break;
	case DIALOG_ENDING:
		return;
	}
	dialog->state = DIALOG_ENDING;
}

void
dialog_tick(struct exchange *exchange, uint64_t now_ns)
{
	struct dialog *dialog, *next;

	for (dialog = TAILQ_FIRST(&exchange->dialogs_used); dialog; dialog = next) {
		next = TAILQ_NEXT(dialog, link);
		if (dialog->state == DIALOG_ENDING && now_ns >= dialog->deadline_ns)
			dialog_close(dialog);
	}
}
