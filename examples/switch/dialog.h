/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One SIP dialog of a call: the caller's, or the one with an agent's phone. A dialog outlives its
 * call when a CANCEL or BYE of ours is not answered yet; then it has no call any more.
 */
#ifndef SWITCH_DIALOG_H
#define SWITCH_DIALOG_H

#include "exchange.h"
#include "sdp.h"

enum dialog_state {
	DIALOG_INVITED, /* the caller's INVITE waits for our answer */
	DIALOG_RINGING, /* our INVITE to an agent is not answered */
	DIALOG_UP,
	DIALOG_ENDING, /* we have said CANCEL or BYE */
};

struct dialog {
	TAILQ_ENTRY(dialog) link;
	struct exchange *exchange;
	nua_handle_t *handle;
	struct call *call; /* NULL: the call goes on, or is over, without it */
	enum stw_side side;
	enum dialog_state state;
	uint64_t deadline_ns; /* ENDING: given up then */
	bool offer_due;       /* the caller's INVITE had no offer: the ACK has the answer to ours */
	struct sdp_party party; /* what the phone says */
	uint64_t sdp_version;
	struct stw_leg leg; /* id 0: none */
	struct stw_endpoint local;
	struct agent *agent; /* of an agent's dialog */
	struct stw_offer offer;
};

/* A dialog for a call; NULL when the table is full. */
struct dialog *dialog_open(struct call *call, enum stw_side side, nua_handle_t *handle);

/* Answer the caller's INVITE or a re-INVITE with 200 and our description. */
void dialog_answer(struct dialog *dialog);

/* Answer a caller's INVITE with an error. */
void dialog_refuse(struct dialog *dialog, int status);

/* Ring an agent's phone. 0; -EIO: it cannot be sent. */
int dialog_invite(struct dialog *dialog, struct call *call);

/* Say CANCEL or BYE, and let go of the call. */
void dialog_end(struct dialog *dialog, uint64_t now_ns);

/* It is over: free the handle and the dialog. */
void dialog_close(struct dialog *dialog);

/* Give up dialogs whose end nobody has answered. */
void dialog_tick(struct exchange *exchange, uint64_t now_ns);

/* Codecs and payload types that the other phone of the call takes, for an offer to this one. */
void dialog_describe(const struct dialog *dialog, struct sdp_self *self);

#endif
