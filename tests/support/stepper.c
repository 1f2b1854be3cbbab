/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/stepper.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <ucontext.h>

#if defined(__SANITIZE_THREAD__)
#define STEPPER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define STEPPER_TSAN 1
#endif
#endif

#if defined(__x86_64__) && !defined(STEPPER_TSAN)

#define TRAP_FLAG UINT64_C(0x100)

static stepper_fn stepper_hook;
static _Thread_local volatile uint32_t left;

static void
trapped(int number, siginfo_t *info, void *context)
{
	ucontext_t *user = context;
	int saved = errno;

	(void)number;
	(void)info;
	if (left && --left == 0)
		left = stepper_hook();
	if (!left)
		user->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
	errno = saved;
}

bool
stepper_install(stepper_fn hook)
{
	struct sigaction action = {.sa_sigaction = trapped, .sa_flags = SA_SIGINFO | SA_RESTART};

	stepper_hook = hook;
	sigemptyset(&action.sa_mask);
	return !sigaction(SIGTRAP, &action, NULL);
}

void
stepper_start(uint32_t instructions)
{
	left = instructions;
	if (instructions)
		__builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() | TRAP_FLAG);
}

uint32_t
stepper_stop(void)
{
	uint32_t rest;

	__builtin_ia32_writeeflags_u64(__builtin_ia32_readeflags_u64() & ~TRAP_FLAG);
	rest = left;
	left = 0;
	return rest;
}

#else

bool
stepper_install(stepper_fn hook)
{
	(void)hook;
	return false;
}

void
stepper_start(uint32_t instructions)
{
	(void)instructions;
}

uint32_t
stepper_stop(void)
{
	return 0;
}

#endif
