/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A scene for tests that stop a call: a small house, a call about its first contact or agent that is stopped after
 * some instructions, and a script that another thread does meanwhile.
 */
#ifndef TEST_SCENE_H
#define TEST_SCENE_H

#include <criterion/criterion.h>

#include "support/random.h"
#include "support/step.h"
#include "support/stepper.h"

#define INSTRUCTIONS_MAX 20000 /* no call here is as long */

/* Stops lie so many times as far apart: under AddressSanitizer a call has many more instructions, and each is slow. */
#ifdef __SANITIZE_ADDRESS__
#define SCENE_COARSE 6
#else
#define SCENE_COARSE 1
#endif

#define AGENTS   3
#define CONTACTS 6

struct scene {
	struct stw_acd *acd;
	struct stw_agent agents[AGENTS];
	struct stw_queue queue;
	struct stw_contact first;
	struct stw_offer offer; /* the last one that rang */
	struct stw_offer other; /* the one before; of the same contact when several are rung */
	uint8_t slots;          /* of each agent; 0: one, and no wrap-up */
	uint32_t rings;         /* agents rung at once; 0: one */
	uint64_t now_ns;
	uint64_t told[STW_EVENT_TRANSFERRED + 1]; /* events of each type */
	uint32_t stop_after;
	struct step step;
};

/** For stepper_install: stand until the script is over. */
uint32_t scene_stand_here(void);

/** Take all events, count them, remember the last offers. */
void scene_events_take(struct scene *scene);

/** A contact for the queue. */
struct stw_contact scene_enqueue(struct scene *scene);

/** One agent is ready or none, or all where several are rung. */
void scene_open(struct scene *scene, enum step_kind kind, uint32_t stop_after, uint8_t slots,
		uint32_t rings);

/** Contacts come while one rings. */
void scene_short_script(struct scene *scene);

/** Agents come and go, contacts come, ring, are answered and go. */
void scene_long_script(struct scene *scene);

/** Answer all that rings until nobody is left. Returns who was never served. */
uint64_t scene_serve_all(struct scene *scene);

/** Each thing counted was told once. */
void scene_check_told(struct scene *scene);

/** Run the call to where it is to be stopped, then the script, then the rest. False: it was over before. */
bool scene_run_stopped(struct scene *scene, void (*script)(struct scene *));

/** All of it. Returns false when the call was over before so many instructions. */
bool scene_stop_once(enum step_kind kind, uint32_t stop_after, uint8_t slots, uint32_t rings,
		     void (*script)(struct scene *));

#endif
