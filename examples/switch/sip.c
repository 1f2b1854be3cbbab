/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Traps of sofia that are met here: with "Supported: 100rel" it holds the 200 back until a PRACK, so
 * nothing is announced as supported; requests above 1,300 bytes would go over TCP, which phones
 * may not listen on; the phrase of an event is never given back, it may be gone by then; all runs in
 * the main thread (no threading of the root).
 */
#include "sip.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/su_uniqueid.h>
#include <sofia-sip/su_wait.h>

#include <strowger/log.h>
#include <strowger/version.h>

#include "call.h"
#include "call_record.h"
#include "clock.h"
#include "registrar.h"
#include "routing.h"

#define ALLOWED    "INVITE, ACK, BYE, CANCEL, INFO, OPTIONS, REGISTER"
#define SHUTDOWN_S 3

/* Everything that is said to a phone after its 200. */
static void
take_answer(struct dialog *dialog, int status, const sip_t *sip)
{
	if (status < 200)
		return;
	if (status < 300)
		call_agent_answered(dialog, sip);
	else if (dialog->state == DIALOG_RINGING)
		call_agent_declined(dialog, status);
}

/* The media follows before the answer goes out, so the phone knows what is recorded. */
static void
take_info(struct dialog *dialog, const sip_t *sip)
{
	struct exchange *exchange = dialog->exchange;
	int status = call_record_asked(dialog, sip);

	nua_respond(dialog->handle, status, sip_status_phrase(status),
		    NUTAG_WITH_THIS(exchange->nua), TAG_END());
}

static void
take_of_dialog(nua_event_t event, int status, struct dialog *dialog, const sip_t *sip,
	       tagi_t tags[])
{
	int state = -1;

	switch (event) {
	case nua_i_invite:
		call_reinvited(dialog, sip);
		break;
	case nua_i_ack:
		if (sip)
			call_acknowledged(dialog, sip);
		break;
	case nua_i_info:
		if (status < 200)
			take_info(dialog, sip);
		break;
	case nua_i_bye:
	case nua_i_cancel:
		call_hung_up(dialog, false);
		break;
	case nua_r_invite:
		if (sip || status >= 300)
			take_answer(dialog, status, sip);
		break;
	case nua_i_error:
	case nua_i_media_error:
		call_hung_up(dialog, true);
		break;
	case nua_i_terminated:
		call_hung_up(dialog, true);
		dialog_close(dialog);
		break;
	case nua_i_state:
		tl_gets(tags, NUTAG_CALLSTATE_REF(state), TAG_END());
		stw_log(STW_LOG_DEBUG, "SIP-STATE state=%s",
			nua_callstate_name((enum nua_callstate)state));
		break;
	default:
		break;
	}
}

static void
take_outside(struct exchange *exchange, nua_event_t event, int status, nua_handle_t *handle,
	     const sip_t *sip)
{
	switch (event) {
	case nua_i_invite:
		call_invited(exchange, handle, sip);
		break;
	case nua_i_register:
		registrar_take(exchange, handle, sip);
		break;
	case nua_r_shutdown:
		exchange->sip_down = status >= 200;
		break;
	case nua_i_options:
		nua_handle_destroy(handle); /* sofia has answered it */
		break;
	default:
		if (handle && event < nua_r_set_params && status < 200 && status >= 100) {
			nua_respond(handle, SIP_501_NOT_IMPLEMENTED, NUTAG_WITH_THIS(exchange->nua),
				    TAG_END());
			nua_handle_destroy(handle);
		}
		break;
	}
}

static void
take(nua_event_t event, int status, char const *phrase, nua_t *nua, nua_magic_t *magic,
     nua_handle_t *handle, nua_hmagic_t *handle_magic, sip_t const *sip, tagi_t tags[])
{
	struct exchange *exchange = (struct exchange *)magic;

	stw_log(STW_LOG_DEBUG, "SIP-EVENT event=%s status=%d dialog=%d", nua_event_name(event),
		status, handle_magic != NULL);
	if (handle_magic)
		take_of_dialog(event, status, (struct dialog *)handle_magic, sip, tags);
	else
		take_outside(exchange, event, status, handle, sip);
	if (exchange->acd)
		routing_take(exchange);
}

/* One line of sofia's log, as far as it comes in whole lines. */
static void
log_line(void *stream, char const *format, va_list arguments)
{
	char line[400];
	size_t bytes;

	vsnprintf(line, sizeof(line), format, arguments);
	bytes = strlen(line);
	while (bytes > 0 && line[bytes - 1] == '\n')
		line[--bytes] = '\0';
	if (bytes > 0)
		stw_log(STW_LOG_DEBUG, "SOFIA %s", line);
}

void
sip_prepare(void)
{
	(void)su_random64();
}

int
sip_open(struct exchange *exchange, bool verbose)
{
	const struct config *config = exchange->config;
	char url[128], agent[64];

	snprintf(agent, sizeof(agent), "strowger-switch/%s", stw_version());
	su_init();
	su_log_redirect(NULL, log_line, NULL);
	su_log_set_level(NULL, verbose ? 3 : 1);
	exchange->root = su_root_create(NULL);
	if (!exchange->root) {
		su_deinit();
		return -ENOMEM;
	}
	su_root_threading(exchange->root, 0);
	snprintf(url, sizeof(url), "sip:%s:%u", config->address_text.text, config->sip_port);
	exchange->nua =
		nua_create(exchange->root, take, (nua_magic_t *)exchange, NUTAG_URL(url),
			   NUTAG_MEDIA_ENABLE(0), NUTAG_AUTOANSWER(0), NUTAG_AUTOALERT(0),
			   NUTAG_AUTO302(0), NUTAG_AUTO305(0), NUTAG_SESSION_TIMER(0),
			   NUTAG_OUTBOUND("no-options-keepalive"), SIPTAG_ALLOW_STR(ALLOWED),
			   NUTAG_APPL_METHOD("REGISTER, INFO"), SIPTAG_SUPPORTED(NULL),
			   SIPTAG_USER_AGENT_STR(agent), NTATAG_UDP_MTU(65000), TAG_END());
	if (!exchange->nua) {
		stw_log(STW_LOG_ERROR, "SWITCH-SIP at=%s:%u error=\"cannot listen on %s\"",
			config->document.path, config->address_text.line, url);
		su_root_destroy(exchange->root);
		exchange->root = NULL;
		su_deinit();
		return -EADDRNOTAVAIL;
	}
	return 0;
}

void
sip_step(struct exchange *exchange, uint32_t wait_ms)
{
	su_root_step(exchange->root, wait_ms);
}

void
sip_close(struct exchange *exchange)
{
	uint64_t give_up_ns = clock_now_ns() + SHUTDOWN_S * CLOCK_SECOND_NS;

	if (!exchange->root)
		return;
	while (!TAILQ_EMPTY(&exchange->dialogs_used))
		dialog_close(TAILQ_FIRST(&exchange->dialogs_used));
	nua_shutdown(exchange->nua);
	while (!exchange->sip_down && clock_now_ns() < give_up_ns)
		su_root_step(exchange->root, 10);
	nua_destroy(exchange->nua);
	su_root_destroy(exchange->root);
	su_deinit();
	exchange->nua = NULL;
	exchange->root = NULL;
}
