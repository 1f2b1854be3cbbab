/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A call's life: answered -> menu -> queued -> ringing -> talking -> over. Every way through it is
 * one of the functions below, whoever causes it: a SIP message, the engine, a digit, the time.
 */
#ifndef SWITCH_CALL_H
#define SWITCH_CALL_H

#include <sofia-sip/sip.h>

#include "dialog.h"
#include "exchange.h"

/* Digits and offers that a record keeps; the ones after them are dropped. */
#define CALL_DIGITS_MAX 64
#define CALL_OFFERS_MAX 1000

/* Spans of a call that are recorded; no further one can be asked for. */
#define CALL_RECORDINGS_MAX 16

struct call {
	TAILQ_ENTRY(call) link;
	struct exchange *exchange;
	enum call_state state;
	uint64_t number; /* of the call since the start, 1 for the first */
	uint64_t cookie; /* what names it in the engine and the packet plane; 0: not in use */
	uint32_t target; /* queue that was called; CONFIG_NONE: the menu */

	char caller[EXCHANGE_TEXT_BYTES];
	char called[EXCHANGE_TEXT_BYTES];
	char call_id[EXCHANGE_TEXT_BYTES];
	char start_text[40];
	uint64_t start_ns;

	struct dialog *caller_dialog; /* NULL: hung up */
	struct dialog *agent_dialog;  /* rings or talks; NULL: none */
	struct agent *agent;          /* who answered; NULL: nobody */

	/* menu */
	uint64_t menu_deadline_ns; /* then the default queue it is */
	uint32_t menu_tries;
	bool prompt_over;

	/* queue */
	struct queue *queue;        /* NULL: none yet */
	struct stw_contact contact; /* id 0: none */
	uint64_t queued_ns;
	uint64_t answered_ns; /* 0: not answered */
	struct cdr_offer *offers;
	uint32_t offers_count;

	/* media */
	struct stw_session session;
	struct stw_leg caller_leg;  /* id 0: none */
	struct stw_leg agent_leg;   /* of the agent who rings or talks; id 0: none */
	struct stw_playout playing; /* what the caller listens to; id 0: nothing */
	uint64_t playing_ns;        /* since when */
	bool to_agent;              /* the caller's media goes to the agent */
	bool to_caller;
	struct stw_leg_stats caller_stats;
	struct stw_leg_stats agent_stats;
	uint32_t kernel_legs; /* that were relayed inside the kernel when the call ended */

	/* recording */
	struct cdr_recording *recordings;
	uint32_t recordings_count;
	bool recording;         /* the last of them goes on */
	struct stw_fork pcapng; /* of that one; id 0: none */
	struct stw_fork wav;

	/* end */
	char digits[CALL_DIGITS_MAX + 1];
	enum cdr_result result;
	enum cdr_side hangup_by;
	uint64_t over_ns;
};

/* Tables of calls and dialogs. 0 or -ENOMEM. */
int call_tables_create(struct exchange *exchange);
void call_tables_destroy(struct exchange *exchange);

/* The call that a contact or session belongs to, by its cookie; NULL when it is released. */
struct call *call_find(struct exchange *exchange, uint64_t cookie);
uint64_t call_number(uint64_t cookie);

/* An INVITE outside of any dialog. */
void call_invited(struct exchange *exchange, nua_handle_t *handle, const sip_t *sip);

/* A re-INVITE, and the ACK of a 200 that had our offer. */
void call_reinvited(struct dialog *dialog, const sip_t *sip);
void call_acknowledged(struct dialog *dialog, const sip_t *sip);

/* The phone of a dialog hung up, cancelled, or is lost (failed). */
void call_hung_up(struct dialog *dialog, bool failed);

/* Final answers of an agent's phone. */
void call_agent_answered(struct dialog *dialog, const sip_t *sip);
void call_agent_declined(struct dialog *dialog, int status);

/* To a queue. 0; -ENOSPC: the queue or the engine is full, and the call is as before. */
int call_enqueue(struct call *call, uint32_t queue);

/* The engine's decisions. */
void call_offer(struct call *call, struct agent *agent, struct stw_offer offer);
void call_offer_over(struct call *call, struct stw_offer offer, enum cdr_offer_result result);

/* Over, from the switch's side or either phone's. */
void call_over(struct call *call, enum cdr_result result, enum cdr_side by);

/* Change the state, keep the counters, let the media follow. */
void call_set_state(struct call *call, enum call_state state);

/* Time-outs; releases calls that are over. */
void call_tick(struct exchange *exchange, uint64_t now_ns);

/* Hang up on everybody. */
void call_end_all(struct exchange *exchange);

#endif
