/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What suites of tests on a packet plane between rings share: how a test begins and ends, what legs and
 * forks have counted, and packets of the two parties of a call.
 */
#ifndef TEST_WIRE_SUITE_H
#define TEST_WIRE_SUITE_H

#include "wire.h"

/* Start the EAL and open a plane as wire_config describes it. */
void wire_begin(struct wire *wire);
/* Throw away what both ports sent. */
void wire_drop_sent(struct wire *wire);
/* Each packet has its verdict, the tables agree, all buffers are back; close, and stop the EAL. */
void wire_end(struct wire *wire);

/* What a leg and a fork, which are there, have counted. */
struct stw_leg_stats wire_leg_stats(struct wire *wire, struct stw_leg leg);
struct stw_fork_stats wire_fork_stats(struct wire *wire, struct stw_fork fork);

/* 20 ms later a party of the call sends its packet with this number; `sent` is what it sent. */
void wire_caller_says(struct wire *wire, const struct call *call, uint16_t sequence,
		      struct frame *sent);
void wire_agent_says(struct wire *wire, const struct call *call, uint16_t sequence,
		     struct frame *sent);

#endif
