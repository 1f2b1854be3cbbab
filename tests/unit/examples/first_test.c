/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <stdio.h>

Test(first, the_first_program_prints_the_decision)
{
	char line[256] = "";
	FILE *output = popen(FIRST_PROGRAM, "r");

	cr_assert_not_null(output);
	cr_assert_not_null(fgets(line, sizeof(line), output));
	cr_assert_str_eq(line, "alice answers after 0 ns\n");
	cr_assert_null(fgets(line, sizeof(line), output), "it also prints: %s", line);
	cr_assert_eq(pclose(output), 0);
}
