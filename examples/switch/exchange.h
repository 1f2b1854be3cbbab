/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The exchange: everything that one running switch holds, and who uses it. The main thread owns all
 * of it: sofia's root, the engine, calls and dialogs. Beside it run the packet plane's worker (inside
 * the library), the recording thread (record.c) and the journal's (journal.c), which touch nothing here.
 *
 *   sip.c      requests and answers come in   -> call.c, registrar.c
 *   call.c     a call's life                  -> menu.c, routing.c, dialog.c, plane.c
 *   routing.c  the engine's decisions         -> call.c
 *   journal.c  the engine's events to disk, by a thread; back from there at the start
 *   plane.c    digits and ends of prompts     -> call.c, menu.c
 */
#ifndef SWITCH_EXCHANGE_H
#define SWITCH_EXCHANGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include <sofia-sip/nua.h>

#include <strowger/acd.h>
#include <strowger/media.h>

#include "cdr.h"
#include "config.h"
#include "digest.h"

struct call;
struct dialog;
struct journal;

/* Bytes of a contact's URI, a Call-ID or a number that are kept, with the closing NUL. */
#define EXCHANGE_TEXT_BYTES 256

/* An agent and where the phone is. */
struct agent {
	const struct config_agent *config;
	struct stw_agent handle;
	struct digest_user digest;
	bool registered;
	char contact[EXCHANGE_TEXT_BYTES]; /* URI of the phone */
	char call_id[EXCHANGE_TEXT_BYTES]; /* of the registration */
	uint32_t cseq;
	uint64_t expires_ns;
};

struct queue {
	const struct config_queue *config;
	struct stw_queue handle;
	struct stw_playout music; /* id 0: none */
};

enum call_state {
	CALL_MENU,    /* hears the prompt, may press a digit */
	CALL_QUEUED,  /* waits with music */
	CALL_RINGING, /* waits with music, an agent's phone rings */
	CALL_TALKING,
	CALL_OVER, /* hung up; what is on the way still counts, then all is released */
	CALL_STATES,
};

/* Since the start. offered = answered + abandoned + refused + failed + those under way. */
struct exchange_counts {
	uint64_t offered;
	uint64_t done;
	uint64_t results[CDR_RESULTS];
	uint64_t now[CALL_STATES];
};

TAILQ_HEAD(call_list, call);
TAILQ_HEAD(dialog_list, dialog);

struct exchange {
	const struct config *config;
	uint64_t start_ns;

	su_root_t *root;
	nua_t *nua;
	bool sip_down; /* nua_shutdown has finished */
	bool stopping; /* no new calls */
	bool taking;   /* inside routing_take */

	struct stw_acd *acd;
	struct agent *agents; /* as in the configuration */
	struct queue *queues; /* as in the configuration */
	struct digest digest;
	struct journal *journal;     /* NULL: none is configured */
	bool restored;               /* the engine began where a journal ended */
	bool phones_changed;         /* since they were kept last */
	uint64_t restored_contacts;  /* of calls that went with the process before */
	struct stw_contact *orphans; /* of those, who wait; room for calls_max */
	uint32_t orphans_count;

	struct stw_media *media;
	struct stw_playout prompt; /* id 0: none */
	const char *driver;
	enum stw_xdp_mode xdp_mode;
	bool kernel_relay;         /* plain calls are relayed inside the kernel */
	uint32_t packets_at_start; /* buffers that the ports' drivers keep */
	int64_t packets_lost;      /* of calls that are released */

	struct call *calls;
	struct call_list calls_free;
	struct call_list calls_used;
	uint64_t calls_number; /* of the last call */
	struct dialog *dialogs;
	struct dialog_list dialogs_free;
	struct dialog_list dialogs_used;

	struct cdr_file *cdr;
	struct exchange_counts counts;
};

#endif
