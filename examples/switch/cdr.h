/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Call detail records: one JSON object a line, appended with one write each, so that a reader never
 * sees half of one.
 */
#ifndef SWITCH_CDR_H
#define SWITCH_CDR_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include <strowger/session.h>

enum cdr_result {
	CDR_ANSWERED,  /* an agent and the caller were connected */
	CDR_ABANDONED, /* the caller hung up before */
	CDR_REFUSED,   /* a table or the queue was full, or the switch was stopping */
	CDR_FAILED,    /* the caller's phone or the switch broke it */
	CDR_RESULTS,
};

enum cdr_side {
	CDR_CALLER,
	CDR_AGENT,
	CDR_SWITCH,
};

enum cdr_offer_result {
	CDR_OFFER_RINGING,
	CDR_OFFER_ACCEPTED,
	CDR_OFFER_DECLINED,
	CDR_OFFER_TIMED_OUT,
	CDR_OFFER_WITHDRAWN,
};

struct cdr_offer {
	const char *agent;
	enum cdr_offer_result result;
};

/* A span of the call that was recorded: paths ("": no such file), and when, since the call's start. */
struct cdr_recording {
	char pcapng[512];
	char wav[512];
	uint64_t from_ms;
	uint64_t to_ms;
	uint32_t kernel_legs; /* that were relayed inside the kernel when it began */
};

/* Numbers of one side's media; local.port 0: there was none. */
struct cdr_rtp {
	struct stw_leg_stats stats;
};

struct cdr {
	const char *call_id;
	const char *caller;
	const char *called;
	const char *start; /* RFC 3339 */
	const char *digits;
	const char *queue; /* NULL: none was reached */
	const char *agent; /* NULL: nobody answered */
	const struct cdr_offer *offers;
	uint32_t offers_count;
	uint64_t wait_ms;
	uint64_t talk_ms;
	uint64_t duration_ms;
	enum cdr_result result;
	enum cdr_side hangup_by;
	const struct cdr_recording *recordings;
	uint32_t recordings_count;
	uint32_t kernel_legs; /* that were relayed inside the kernel at the end */
	struct cdr_rtp caller_rtp;
	struct cdr_rtp agent_rtp;
};

struct cdr_file;

/* 0, or a negative errno of the file system. path NULL: records go nowhere. */
int cdr_open(struct cdr_file **out, const char *path);
void cdr_close(struct cdr_file *file);

/* 0, -ENOMEM, or a negative errno of the write. */
int cdr_write(struct cdr_file *file, const struct cdr *record);

/* The record as a JSON object (given); NULL: no memory. */
json_t *cdr_json(const struct cdr *record);

/* A JSON string of a text from the network, which may be no UTF-8; null for NULL. */
json_t *cdr_text(const char *text);

#endif
