/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The menu: a prompt, a digit, a queue.
 */
#ifndef SWITCH_MENU_H
#define SWITCH_MENU_H

#include "call.h"

void menu_enter(struct call *call, uint64_t now_ns);
void menu_digit(struct call *call, char digit, uint64_t now_ns);
void menu_prompt_ended(struct call *call, uint64_t now_ns);
void menu_tick(struct call *call, uint64_t now_ns);

#endif
