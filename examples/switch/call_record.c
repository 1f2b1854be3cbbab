/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each span that is recorded has files of its own: a fork that is paused would keep the call from being
 * relayed inside the kernel, one that is removed does not. The WAV file's fork is there first and goes
 * last, so that it has all that the pcapng file has.
 */
#include "call_record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include <strowger/error.h>
#include <strowger/fork.h>
#include <strowger/log.h>

#include "clock.h"
#include "plane.h"

static uint64_t
since_start_ms(const struct call *call, uint64_t now_ns)
{
	return (now_ns - call->start_ns) / CLOCK_MILLISECOND_NS;
}

/* DIRECTORY/DATE-NUMBER.pcapng, of a call's further recordings DIRECTORY/DATE-NUMBER-2.pcapng. */
static void
name_file(const struct call *call, const char *ending, char *path, size_t bytes)
{
	char date[32], further[16] = "";
	struct tm parts;
	time_t now = time(NULL);

	gmtime_r(&now, &parts);
	strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &parts);
	if (call->recordings_count > 0)
		snprintf(further, sizeof(further), "-%u", call->recordings_count + 1);
	snprintf(path, bytes, "%s/%s-%06" PRIu64 "%s.%s",
		 call->exchange->config->recording_directory.text, date, call->number, further,
		 ending);
}

static void
add_fork(struct call *call, enum stw_fork_kind kind, const char *ending, char *path, size_t bytes,
	 uint64_t now_ns, struct stw_fork *fork)
{
	struct stw_fork_config config = STW_FORK_CONFIG_INIT;
	int error;

	name_file(call, ending, path, bytes);
	config.kind = kind;
	config.path = path;
	error = stw_fork_add(call->exchange->media, call->session, &config, now_ns, fork);
	if (error != 0) {
		stw_log(STW_LOG_ERROR, "CALL-NOT-RECORDED call=%" PRIu64 " file=%s error=\"%s\"",
			call->number, path, stw_error_text(error));
		path[0] = '\0';
	}
}

/* 0; -ENOSPC: no room for a further recording; -EIO: none of its files can be made. */
static int
start(struct call *call)
{
	const struct config *config = call->exchange->config;
	uint64_t now_ns = clock_now_ns();
	struct cdr_recording *recordings, *one;

	if (call->recordings_count == CALL_RECORDINGS_MAX)
		return -ENOSPC;
	recordings = realloc(call->recordings, (call->recordings_count + 1) * sizeof(*recordings));
	if (!recordings)
		return -ENOSPC;
	call->recordings = recordings;
	one = &recordings[call->recordings_count];
	memset(one, 0, sizeof(*one));
	one->from_ms = since_start_ms(call, now_ns);
	one->kernel_legs = plane_kernel_legs(call);
	call->wav.id = 0;
	call->pcapng.id = 0;
	if (config->wav)
		add_fork(call, STW_FORK_WAV, "wav", one->wav, sizeof(one->wav), now_ns, &call->wav);
	if (config->pcapng)
		add_fork(call, STW_FORK_PCAPNG, "pcapng", one->pcapng, sizeof(one->pcapng), now_ns,
			 &call->pcapng);
	if (!one->wav[0] && !one->pcapng[0])
		return -EIO;
	call->recordings_count++;
	call->recording = true;
	return 0;
}

static void
remove_fork(struct call *call, struct stw_fork *fork)
{
	if (fork->id)
		stw_fork_remove(call->exchange->media, *fork);
	fork->id = 0;
}

static struct cdr_recording *
stop(struct call *call)
{
	struct cdr_recording *one = &call->recordings[call->recordings_count - 1];

	remove_fork(call, &call->pcapng);
	remove_fork(call, &call->wav);
	one->to_ms = since_start_ms(call, clock_now_ns());
	call->recording = false;
	return one;
}

static void
delete_file(const struct call *call, const char *path)
{
	if (path[0] && unlink(path) != 0)
		stw_log(STW_LOG_ERROR,
			"CALL-RECORDING-NOT-DELETED call=%" PRIu64 " file=%s error=\"%s\"",
			call->number, path, strerror(errno));
}

void
call_record_begin(struct call *call)
{
	if (config_records(call->exchange->config, call->target))
		start(call);
}

void
call_record_enter(struct call *call)
{
	struct cdr_recording *one;

	if (!call->recording || call->queue->config->record == CONFIG_RECORD_ALL)
		return;
	one = stop(call);
	delete_file(call, one->pcapng);
	delete_file(call, one->wav);
	call->recordings_count--;
}

void
call_record_over(struct call *call)
{
	if (!call->recording)
		return;
	call->recordings[call->recordings_count - 1].to_ms = since_start_ms(call, call->over_ns);
	call->recording = false;
}

/* Value of the header that phones with a record key send; NULL: there is none. */
static const char *
asked_for(const sip_t *sip)
{
	for (const sip_unknown_t *header = sip->sip_unknown; header; header = header->un_next)
		if (header->un_name && strcasecmp(header->un_name, "Record") == 0)
			return header->un_value;
	return NULL;
}

int
call_record_asked(struct dialog *dialog, const sip_t *sip)
{
	const char *value = asked_for(sip);
	struct call *call = dialog->call;
	bool on;

	if (!call || call->state == CALL_OVER)
		return 481;
	if (!value)
		return sip->sip_payload ? 415 : 200;
	on = strcasecmp(value, "on") == 0;
	if (!on && strcasecmp(value, "off") != 0)
		return 400;
	if (dialog->side != STW_SIDE_AGENT || call->state != CALL_TALKING ||
	    call->queue->config->record != CONFIG_RECORD_ON_DEMAND)
		return 403;
	if (on == call->recording)
		return 200;
	stw_log(STW_LOG_INFO, "CALL-RECORD call=%" PRIu64 " agent=%s on=%d", call->number,
		dialog->agent->config->name.text, on);
	if (on)
		return start(call) == 0 ? 200 : 500;
	stop(call);
	return 200;
}
