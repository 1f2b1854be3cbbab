/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A digit counts at any time. The time-out begins when the prompt has been said; after too many
 * wrong digits, and after the time-out, the default queue takes the call.
 */
#include "menu.h"

#include "clock.h"
#include "plane.h"

/* Longest prompt whose end is waited for. */
#define PROMPT_MAX_NS (UINT64_C(300) * CLOCK_SECOND_NS)

static uint64_t
timeout_ns(const struct call *call)
{
	return call->exchange->config->menu.timeout_s * CLOCK_SECOND_NS;
}

static void
prompt(struct call *call, uint64_t now_ns)
{
	call->prompt_over = call->exchange->prompt.id == 0;
	call->menu_deadline_ns = now_ns + timeout_ns(call);
	if (!call->prompt_over)
		call->menu_deadline_ns += PROMPT_MAX_NS;
	plane_call_replay(call);
}

/* A full queue ends the call: there is nothing that the caller could wait for. */
static void
leave(struct call *call, uint32_t queue)
{
	if (call_enqueue(call, queue) != 0)
		call_over(call, CDR_REFUSED, CDR_SWITCH);
}

void
menu_enter(struct call *call, uint64_t now_ns)
{
	call_set_state(call, CALL_MENU);
	prompt(call, now_ns);
}

void
menu_digit(struct call *call, char digit, uint64_t now_ns)
{
	const struct config_menu *menu = &call->exchange->config->menu;

	for (uint32_t i = 0; i < menu->choices_count; i++) {
		if (menu->choices[i].digit.text[0] == digit) {
			leave(call, menu->choices[i].queue);
			return;
		}
	}
	if (++call->menu_tries >= menu->tries)
		leave(call, menu->default_queue);
	else
		prompt(call, now_ns);
}

void
menu_prompt_ended(struct call *call, uint64_t now_ns)
{
	call->prompt_over = true;
	call->menu_deadline_ns = now_ns + timeout_ns(call);
	plane_call_follow(call);
}

void
menu_tick(struct call *call, uint64_t now_ns)
{
	if (now_ns >= call->menu_deadline_ns)
		leave(call, call->exchange->config->menu.default_queue);
}
