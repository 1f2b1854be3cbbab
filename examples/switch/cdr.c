/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The record is built with jansson and written with one write to a file opened for appending.
 */
#include "cdr.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct cdr_file {
	int descriptor; /* -1: records go nowhere */
};

static const char *const result_names[] = {
	[CDR_ANSWERED] = "answered",
	[CDR_ABANDONED] = "abandoned",
	[CDR_REFUSED] = "refused",
	[CDR_FAILED] = "failed",
};

static const char *const side_names[] = {
	[CDR_CALLER] = "caller",
	[CDR_AGENT] = "agent",
	[CDR_SWITCH] = "switch",
};

static const char *const offer_names[] = {
	[CDR_OFFER_RINGING] = "ringing",     [CDR_OFFER_ACCEPTED] = "accepted",
	[CDR_OFFER_DECLINED] = "declined",   [CDR_OFFER_TIMED_OUT] = "timed_out",
	[CDR_OFFER_WITHDRAWN] = "withdrawn",
};

int
cdr_open(struct cdr_file **out, const char *path)
{
	struct cdr_file *file = malloc(sizeof(*file));
	int error;

	if (!file)
		return -ENOMEM;
	file->descriptor = -1;
	if (path) {
		file->descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
		if (file->descriptor < 0) {
			error = -errno;
			free(file);
			return error;
		}
	}
	*out = file;
	return 0;
}

void
cdr_close(struct cdr_file *file)
{
	if (!file)
		return;
	if (file->descriptor >= 0)
		close(file->descriptor);
	free(file);
}

json_t *
cdr_text(const char *text)
{
	json_t *string;
	char *plain;

	if (!text)
		return json_null();
	string = json_string(text);
	if (string)
		return string;
	plain = strdup(text);
	if (!plain)
		return NULL;
	for (char *at = plain; *at; at++)
		if ((unsigned char)*at >= 0x80)
			*at = '?';
	string = json_string(plain);
	free(plain);
	return string;
}

static json_t *
offers_json(const struct cdr *record)
{
	json_t *offers = json_array();

	for (uint32_t i = 0; i < record->offers_count; i++)
		json_array_append_new(offers,
				      json_pack("{s:s, s:s}", "agent", record->offers[i].agent,
						"result", offer_names[record->offers[i].result]));
	return offers;
}

/* null for "". */
static json_t *
path_json(const char *path)
{
	return cdr_text(path[0] ? path : NULL);
}

static json_t *
recordings_json(const struct cdr *record)
{
	json_t *recordings = json_array();

	for (uint32_t i = 0; i < record->recordings_count; i++) {
		const struct cdr_recording *one = &record->recordings[i];

		json_array_append_new(recordings,
				      json_pack("{s:o, s:o, s:I, s:I, s:i}", "pcapng",
						path_json(one->pcapng), "wav", path_json(one->wav),
						"from_ms", (json_int_t)one->from_ms, "to_ms",
						(json_int_t)one->to_ms, "kernel_legs",
						(int)one->kernel_legs));
	}
	return recordings;
}

static json_t *
rtp_json(const struct stw_leg_stats *stats)
{
	char remote[STW_ADDRESS_TEXT_BYTES];

	if (stats->local.port == 0)
		return json_null();
	return json_pack("{s:i, s:s, s:i, s:I, s:I, s:I, s:i}", "local_port", stats->local.port,
			 "remote_address", stw_ip_text(&stats->remote.ip, remote), "remote_port",
			 stats->remote.port, "packets_received",
			 (json_int_t)stats->packets_received, "packets_sent",
			 (json_int_t)stats->packets_sent, "packets_lost",
			 (json_int_t)stats->packets_lost, "jitter_us", (int)stats->jitter_us);
}

json_t *
cdr_json(const struct cdr *record)
{
	return json_pack(
		"{s:o, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:s, s:s, s:o, "
		"s:i, s:o, s:o}",
		"call_id", cdr_text(record->call_id), "caller", cdr_text(record->caller), "called",
		cdr_text(record->called), "start", record->start, "digits", record->digits, "queue",
		cdr_text(record->queue), "agent", cdr_text(record->agent), "offers",
		offers_json(record), "wait_ms", (json_int_t)record->wait_ms, "talk_ms",
		(json_int_t)record->talk_ms, "duration_ms", (json_int_t)record->duration_ms,
		"result", result_names[record->result], "hangup_by", side_names[record->hangup_by],
		"recordings", recordings_json(record), "kernel_legs", (int)record->kernel_legs,
		"caller_rtp", rtp_json(&record->caller_rtp.stats), "agent_rtp",
		rtp_json(&record->agent_rtp.stats));
}

int
cdr_write(struct cdr_file *file, const struct cdr *record)
{
	json_t *json = cdr_json(record);
	char *line;
	ssize_t written = 0;
	size_t bytes;

	line = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	if (!line)
		return -ENOMEM;
	bytes = strlen(line);
	line[bytes++] = '\n'; /* in the place of the closing NUL */
	if (file->descriptor >= 0)
		written = write(file->descriptor, line, bytes);
	free(line);
	if (written < 0)
		return -errno;
	return file->descriptor < 0 || (size_t)written == bytes ? 0 : -EIO;
}
