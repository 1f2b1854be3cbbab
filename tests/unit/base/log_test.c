/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <string.h>

#include "base/base.h"

struct seen {
	int lines;
	char last[600];
};

static void
keep_line(void *context, enum stw_log_level level, const char *line)
{
	struct seen *seen = context;

	seen->lines++;
	strncpy(seen->last, line, sizeof(seen->last) - 1);
}

Test(log, line_reaches_the_receiver_formatted)
{
	struct seen seen = {0};

	stw_log_set(keep_line, &seen, STW_LOG_INFO);
	stw_log(STW_LOG_INFO, "OFFER-TIMEOUT agent=%d", 7);
	cr_assert_eq(seen.lines, 1);
	cr_assert_str_eq(seen.last, "OFFER-TIMEOUT agent=7");
}

Test(log, less_important_line_is_not_made)
{
	struct seen seen = {0};

	stw_log_set(keep_line, &seen, STW_LOG_WARN);
	stw_log(STW_LOG_INFO, "START");
	cr_assert_eq(seen.lines, 0);
}

Test(log, nothing_is_logged_without_a_receiver)
{
	stw_log_set(NULL, NULL, STW_LOG_DEBUG);
	stw_log(STW_LOG_ERROR, "LOST");
}

Test(log, long_line_is_cut_at_500_bytes)
{
	struct seen seen = {0};
	char text[1000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	stw_log_set(keep_line, &seen, STW_LOG_INFO);
	stw_log(STW_LOG_INFO, "%s", text);
	cr_assert_eq(strlen(seen.last), 500);
}
