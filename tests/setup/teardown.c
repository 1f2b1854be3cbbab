/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Criterion shows what fails in a suite's .fini, but has counted the test as passed by then. Here such a
 * test fails.
 */
#include <criterion/criterion.h>
#include <criterion/hooks.h>

static bool
failed_at_the_end(const struct criterion_test_stats *test)
{
	return test->test_status == CR_STATUS_PASSED && !test->crashed && test->failed_asserts > 0;
}

ReportHook(POST_ALL)(struct criterion_global_stats *stats)
{
	for (struct criterion_suite_stats *suite = stats->suites; suite; suite = suite->next) {
		for (struct criterion_test_stats *test = suite->tests; test; test = test->next) {
			if (!failed_at_the_end(test))
				continue;
			test->test_status = CR_STATUS_FAILED;
			suite->tests_passed--;
			suite->tests_failed++;
			stats->tests_passed--;
			stats->tests_failed++;
		}
	}
}
