/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include <strowger/version.h>

static sigjmp_buf panic_exit;
static const char *panic_fact;

static void
leave_panic(void *context, const char *file, int line, const char *fact)
{
	panic_fact = fact;
	siglongjmp(panic_exit, 1);
}

Test(error, known_errors_have_texts_of_their_own)
{
	cr_assert_str_eq(stw_error_text(0), "success");
	cr_assert_str_neq(stw_error_text(-ESTALE), stw_error_text(-ENOSPC));
	cr_assert_str_neq(stw_error_text(-ESTALE), "unknown error");
}

Test(error, unknown_error_is_said_to_be_unknown)
{
	cr_assert_str_eq(stw_error_text(-12345), "unknown error");
	cr_assert_str_eq(stw_error_text(EINVAL), "unknown error");
}

Test(error, broken_fact_reaches_the_hosts_panic_handler)
{
	stw_panic_set(leave_panic, NULL);
	if (!sigsetjmp(panic_exit, 1))
		STW_ASSERT(1 + 1 == 3);
	cr_assert_str_eq(panic_fact, "1 + 1 == 3");
}

Test(error, version_text_agrees_with_the_headers)
{
	char text[32];

	snprintf(text, sizeof(text), "%d.%d.%d", STW_VERSION_MAJOR, STW_VERSION_MINOR,
		 STW_VERSION_PATCH);
	cr_assert_str_eq(stw_version(), text);
}
