/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One phone for each agent: the last one that registered is rung.
 */
#include "registrar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/url.h>

#include <strowger/log.h>

#include "clock.h"
#include "phones.h"
#include "routing.h"

#define EXPIRES_DEFAULT_S 3600
#define EXPIRES_MAX_S     3600
#define EXPIRES_MIN_S     10

static void
reply(struct exchange *exchange, nua_handle_t *handle, int status)
{
	nua_respond(handle, status, sip_status_phrase(status), NUTAG_WITH_THIS(exchange->nua),
		    TAG_IF(status == 503, SIPTAG_RETRY_AFTER_STR("5")),
		    TAG_IF(status == 423, SIPTAG_MIN_EXPIRES_STR("10")), TAG_END());
}

static void
challenge(struct exchange *exchange, nua_handle_t *handle, bool stale)
{
	char nonce[DIGEST_NONCE_BYTES], header[256];

	snprintf(header, sizeof(header),
		 "Digest realm=\"" DIGEST_REALM "\", nonce=\"%s\", algorithm=MD5, qop=\"auth\"%s",
		 digest_nonce(&exchange->digest, clock_now_ns(), nonce),
		 stale ? ", stale=true" : "");
	nua_respond(handle, SIP_401_UNAUTHORIZED, NUTAG_WITH_THIS(exchange->nua),
		    SIPTAG_WWW_AUTHENTICATE_STR(header), TAG_END());
}

/* Whether the request is this agent's; it is answered if it is not, or not yet. */
static bool
authenticate(struct exchange *exchange, nua_handle_t *handle, const sip_t *sip, struct agent *agent)
{
	const sip_authorization_t *header = sip->sip_authorization;
	auth_response_t response = {.ar_size = sizeof(response)};
	enum digest_result result = DIGEST_REFUSED;
	su_home_t home[1] = {SU_HOME_INIT(home)};

	while (header && strcasecmp(header->au_scheme, "Digest") != 0)
		header = header->au_next;
	if (!header) {
		challenge(exchange, handle, false);
		return false;
	}
	su_home_init(home);
	if (agent && auth_digest_response_get(home, &response, header->au_params) >= 0 &&
	    response.ar_username &&
	    auth_strcmp(response.ar_username, agent->config->name.text) == 0)
		result = digest_check(&exchange->digest, &agent->digest, &response,
				      sip->sip_request->rq_method_name,
				      agent->config->password.text, clock_now_ns());
	su_home_deinit(home);
	if (result == DIGEST_STALE) {
		challenge(exchange, handle, true);
	} else if (result == DIGEST_REFUSED) {
		stw_log(STW_LOG_WARN, "REGISTER-REFUSED user=%s",
			sip->sip_to->a_url->url_user ? sip->sip_to->a_url->url_user : "-");
		reply(exchange, handle, 403);
	}
	return result == DIGEST_ACCEPTED;
}

/* Seconds that a contact asks for. */
static uint32_t
asked_expires(const sip_t *sip, const sip_contact_t *contact)
{
	unsigned long seconds = EXPIRES_DEFAULT_S;

	if (contact && contact->m_expires)
		seconds = strtoul(contact->m_expires, NULL, 10);
	else if (sip->sip_expires)
		seconds = sip->sip_expires->ex_delta;
	return seconds > EXPIRES_MAX_S ? EXPIRES_MAX_S : (uint32_t)seconds;
}

static void
unregister(struct exchange *exchange, struct agent *agent, const char *why)
{
	if (!agent->registered)
		return;
	agent->registered = false;
	exchange->phones_changed = true;
	stw_log(STW_LOG_INFO, "AGENT-GONE agent=%s why=%s", agent->config->name.text, why);
	routing_logout(exchange, agent);
}

/* Whether the phone would be ourselves: a call to it would come back for ever. */
static bool
is_ourselves(const struct exchange *exchange, const url_t *url)
{
	const char *port = url->url_port && url->url_port[0] ? url->url_port : "5060";

	return !strcmp(url->url_host, exchange->config->address_text.text) &&
	       strtoul(port, NULL, 10) == exchange->config->sip_port;
}

/* The new binding. Returns the status of the answer. */
static int
bind_contact(struct exchange *exchange, struct agent *agent, const sip_t *sip)
{
	const sip_contact_t *contact = sip->sip_contact;
	const url_t *url = contact->m_url;
	uint32_t expires_s = asked_expires(sip, contact);
	char text[EXCHANGE_TEXT_BYTES];
	bool known;

	if (url->url_type != url_sip || !url->url_host || is_ourselves(exchange, url) ||
	    url_e(text, sizeof(text), url) >= (issize_t)sizeof(text))
		return 400;
	known = agent->registered && !strcmp(text, agent->contact);
	if (agent->registered && sip->sip_cseq->cs_seq <= agent->cseq &&
	    !strcmp(sip->sip_call_id->i_id, agent->call_id))
		return 500; /* older than what we know, RFC 3261 10.3 step 7 */
	if (expires_s == 0) {
		if (known)
			unregister(exchange, agent, "unregistered");
		return 200;
	}
	if (expires_s < EXPIRES_MIN_S)
		return 423;
	snprintf(agent->contact, sizeof(agent->contact), "%s", text);
	snprintf(agent->call_id, sizeof(agent->call_id), "%s", sip->sip_call_id->i_id);
	agent->cseq = sip->sip_cseq->cs_seq;
	exchange->phones_changed = true;
	agent->expires_ns = clock_now_ns() + expires_s * CLOCK_SECOND_NS;
	if (!agent->registered) {
		agent->registered = true;
		stw_log(STW_LOG_INFO, "AGENT-HERE agent=%s contact=%s", agent->config->name.text,
			agent->contact);
		routing_login(exchange, agent);
	}
	return 200;
}

static void
confirm(struct exchange *exchange, nua_handle_t *handle, const struct agent *agent)
{
	uint64_t now_ns = clock_now_ns();
	char contact[EXCHANGE_TEXT_BYTES + 40] = "";
	uint64_t left_s;

	if (agent->registered) {
		left_s = agent->expires_ns > now_ns
				 ? (agent->expires_ns - now_ns + CLOCK_SECOND_NS / 2) /
					   CLOCK_SECOND_NS
				 : 0;
		snprintf(contact, sizeof(contact), "<%s>;expires=%llu", agent->contact,
			 (unsigned long long)left_s);
	}
	nua_respond(handle, SIP_200_OK, NUTAG_WITH_THIS(exchange->nua),
		    TAG_IF(contact[0], SIPTAG_CONTACT_STR(contact)), TAG_END());
}

static int
update(struct exchange *exchange, struct agent *agent, const sip_t *sip)
{
	const sip_contact_t *contact = sip->sip_contact;

	if (!contact)
		return 200; /* only asks where the phone is */
	if (contact->m_url->url_type == url_any) {
		if (asked_expires(sip, NULL) != 0 || !sip->sip_expires || contact->m_next)
			return 400;
		unregister(exchange, agent, "unregistered");
		return 200;
	}
	return bind_contact(exchange, agent, sip);
}

void
registrar_take(struct exchange *exchange, nua_handle_t *handle, const sip_t *sip)
{
	const char *user = sip->sip_to->a_url->url_user;
	uint32_t index = user ? config_agent_find(exchange->config, user) : CONFIG_NONE;
	struct agent *agent = index == CONFIG_NONE ? NULL : &exchange->agents[index];
	int status;

	if (exchange->stopping) {
		reply(exchange, handle, 503);
	} else if (authenticate(exchange, handle, sip, agent)) {
		status = update(exchange, agent, sip);
		if (status == 200)
			confirm(exchange, handle, agent);
		else
			reply(exchange, handle, status);
	}
	nua_handle_destroy(handle);
}

void
registrar_tick(struct exchange *exchange, uint64_t now_ns)
{
	for (uint32_t i = 0; i < exchange->config->agents_count; i++) {
		struct agent *agent = &exchange->agents[i];

		if (agent->registered && now_ns >= agent->expires_ns)
			unregister(exchange, agent, "expired");
	}
	phones_save(exchange);
}
