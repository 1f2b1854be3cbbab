/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What suites of tests on a packet plane between rings do before and after each test.
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

#endif
