/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The file "phones" in the journal's directory: a JSON object, by agent, replaced as a whole. Times are
 * the calendar's, as the other clock begins anew with the machine.
 */
#include "phones.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include <strowger/log.h>

#include "clock.h"
#include "routing.h"

#define PATH_BYTES 4096

static void
path_of(const struct exchange *exchange, char path[PATH_BYTES], const char *end)
{
	snprintf(path, PATH_BYTES, "%s/phones%s", exchange->config->journal_directory.text, end);
}

static json_t *
phones_json(const struct exchange *exchange)
{
	uint64_t now_ns = clock_now_ns();
	json_int_t now = time(NULL);
	json_t *phones = json_object();

	for (uint32_t i = 0; i < exchange->config->agents_count; i++) {
		const struct agent *agent = &exchange->agents[i];

		if (!agent->registered || agent->expires_ns <= now_ns)
			continue;
		json_object_set_new(phones, agent->config->name.text,
				    json_pack("{s:s, s:s, s:I, s:I}", "contact", agent->contact,
					      "call_id", agent->call_id, "cseq",
					      (json_int_t)agent->cseq, "expires",
					      now + (json_int_t)((agent->expires_ns - now_ns) /
								 CLOCK_SECOND_NS)));
	}
	return phones;
}

void
phones_save(struct exchange *exchange)
{
	char path[PATH_BYTES], next[PATH_BYTES];
	json_t *phones;

	if (!exchange->phones_changed || !exchange->journal)
		return;
	exchange->phones_changed = false;
	path_of(exchange, path, "");
	path_of(exchange, next, ".next");
	phones = phones_json(exchange);
	if (!phones || json_dump_file(phones, next, JSON_INDENT(1)) != 0 || rename(next, path) != 0)
		stw_log(STW_LOG_ERROR, "SWITCH-FILE file=%s error=\"%s\"", path, strerror(errno));
	json_decref(phones);
}

/* An agent's phone as the file says; nothing if it has expired or does not fit. */
static void
phone_read(struct agent *agent, json_t *phone)
{
	const char *contact, *call_id;
	json_int_t cseq, expires, now = time(NULL);

	if (json_unpack(phone, "{s:s, s:s, s:I, s:I}", "contact", &contact, "call_id", &call_id,
			"cseq", &cseq, "expires", &expires) != 0 ||
	    expires <= now || expires > now + 86400 || strlen(contact) >= EXCHANGE_TEXT_BYTES ||
	    strlen(call_id) >= EXCHANGE_TEXT_BYTES)
		return;
	snprintf(agent->contact, sizeof(agent->contact), "%s", contact);
	snprintf(agent->call_id, sizeof(agent->call_id), "%s", call_id);
	agent->cseq = (uint32_t)cseq;
	agent->expires_ns = clock_now_ns() + (uint64_t)(expires - now) * CLOCK_SECOND_NS;
	agent->registered = true;
}

void
phones_load(struct exchange *exchange)
{
	char path[PATH_BYTES];
	json_t *phones;

	path_of(exchange, path, "");
	phones = json_load_file(path, 0, NULL);
	for (uint32_t i = 0; i < exchange->config->agents_count; i++) {
		struct agent *agent = &exchange->agents[i];
		struct stw_agent_status status = {.state = STW_AGENT_LOGGED_OUT};

		phone_read(agent, json_object_get(phones, agent->config->name.text));
		stw_agent_status(exchange->acd, agent->handle, &status);
		if (!agent->registered && status.state != STW_AGENT_LOGGED_OUT)
			routing_logout(exchange, agent);
		if (agent->registered && status.state == STW_AGENT_LOGGED_OUT)
			routing_login(exchange, agent);
	}
	json_decref(phones);
}
