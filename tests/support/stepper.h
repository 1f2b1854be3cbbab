/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Stopping a thread after exactly so many of its instructions: the processor traps after each one (x86,
 * trap flag), a counter runs down, a hook is called within the signal handler. So a test can stop a
 * thread anywhere in a call, and do the same again from the same seed.
 */
#ifndef TEST_STEPPER_H
#define TEST_STEPPER_H

#include <stdbool.h>
#include <stdint.h>

/** Called in a signal handler. Returns after how many more instructions to call it again; 0: never. */
typedef uint32_t (*stepper_fn)(void);

/**
 * Set the hook of all threads. Returns false when this processor or build cannot do it: under
 * ThreadSanitizer a thread might be stopped while it holds a lock of the sanitizer's own.
 */
bool stepper_install(stepper_fn hook);

/** Count this thread's instructions from here on. */
void stepper_start(uint32_t instructions);

/** Stop counting. Returns how many were left; 0: the hook was called. */
uint32_t stepper_stop(void);

#endif
