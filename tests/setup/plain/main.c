/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Runs the tests of one program, each in a process of its own, for builds where Criterion cannot;
 * ends with Criterion's closing line.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

static struct plain_test *tests;
static bool has_failed;

void
plain_register(struct plain_test *test)
{
	struct plain_test **end = &tests;

	while (*end)
		end = &(*end)->next;
	*end = test;
}

void
plain_failed(const char *file, int line, bool fatal, const char *fact, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "%s:%d: failed: %s:", file, line, fact);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	has_failed = true;
	if (fatal)
		_exit(1);
}

void
plain_skip(void)
{
	exit(0);
}

static const struct plain_test *
suite_of(const struct plain_test *test)
{
	for (const struct plain_test *suite = tests; suite; suite = suite->next) {
		if (!suite->run && !strcmp(suite->suite, test->suite))
			return suite;
	}
	return NULL;
}

/* In the test's own process. Leaves by exit(), so that the sanitizer has its say. */
static void
run(const struct plain_test *test, const struct plain_test *suite)
{
	double timeout = test->timeout > 0 ? test->timeout : suite ? suite->timeout : 0;
	void (*init)(void) = test->init ? test->init : suite ? suite->init : NULL;
	void (*fini)(void) = test->fini ? test->fini : suite ? suite->fini : NULL;

	if (timeout > 0)
		alarm((unsigned)timeout + 1);
	if (init)
		init();
	test->run();
	if (fini)
		fini();
	exit(has_failed ? 1 : 0);
}

int
main(void)
{
	unsigned tested = 0, failing = 0, crashing = 0;

	for (const struct plain_test *test = tests; test; test = test->next) {
		const struct plain_test *suite = suite_of(test);
		int status;
		pid_t child;

		if (!test->run || test->disabled || (suite && suite->disabled))
			continue;
		tested++;
		fflush(NULL);
		child = fork();
		if (child == 0)
			run(test, suite);
		if (child < 0 || waitpid(child, &status, 0) != child)
			return 2;
		if (WIFSIGNALED(status) && WTERMSIG(status) == test->signal)
			continue;
		if (WIFEXITED(status) && WEXITSTATUS(status) == test->exit_code && !test->signal)
			continue;
		fprintf(stderr, "[FAIL] %s::%s: %s %d\n", test->suite, test->name,
			WIFEXITED(status) ? "exit status" : "signal",
			WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
		if (WIFEXITED(status))
			failing++;
		else
			crashing++;
	}
	fprintf(stderr, "[====] Synthesis: Tested: %u | Passing: %u | Failing: %u | Crashing: %u\n",
		tested, tested - failing - crashing, failing, crashing);
	return failing + crashing > 0;
}
