/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The part of Criterion's face that the stress suites use, for builds under ThreadSanitizer only.
 * Criterion 2.4 cannot run there: it maps memory at addresses that ThreadSanitizer keeps for itself
 * (its issue 274). Each test runs in a process of its own, here as there; see ../main.c.
 */
#ifndef PLAIN_CRITERION_H
#define PLAIN_CRITERION_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/** A registered test; a suite's own options have no function. */
struct plain_test {
	const char *suite;
	const char *name;
	void (*run)(void);
	const char *description;
	void (*init)(void);
	void (*fini)(void);
	double timeout; /**< seconds; 0: the suite's, or none */
	int signal;     /**< expected; 0: none */
	int exit_code;  /**< expected */
	bool disabled;
	struct plain_test *next;
};

void plain_register(struct plain_test *test);

/** Print where and what; fatal ends the test. */
void plain_failed(const char *file, int line, bool fatal, const char *fact, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

#define Test(suite_word, name_word, ...)                                                           \
	static void suite_word##_##name_word(void);                                                \
	static struct plain_test plain_##suite_word##_##name_word = {                              \
		.suite = #suite_word,                                                              \
		.name = #name_word,                                                                \
		.run = suite_word##_##name_word,                                                   \
		##__VA_ARGS__,                                                                     \
	};                                                                                         \
	__attribute__((constructor)) static void plain_register_##suite_word##_##name_word(void)   \
	{                                                                                          \
		plain_register(&plain_##suite_word##_##name_word);                                 \
	}                                                                                          \
	static void suite_word##_##name_word(void)

#define TestSuite(suite_word, ...)                                                                 \
	static struct plain_test plain_suite_##suite_word = {                                      \
		.suite = #suite_word,                                                              \
		##__VA_ARGS__,                                                                     \
	};                                                                                         \
	__attribute__((constructor)) static void plain_register_suite_##suite_word(void)           \
	{                                                                                          \
		plain_register(&plain_suite_##suite_word);                                         \
	}                                                                                          \
	struct plain_test

#define PLAIN_CHECK(fatal, holds, fact, ...)                                                       \
	do {                                                                                       \
		if (!(holds))                                                                      \
			plain_failed(__FILE__, __LINE__, fatal, fact, " " __VA_ARGS__);            \
	} while (0)

#define cr_assert(fact, ...)         PLAIN_CHECK(true, fact, #fact, __VA_ARGS__)
#define cr_assert_not(fact, ...)     PLAIN_CHECK(true, !(fact), "not " #fact, __VA_ARGS__)
#define cr_assert_eq(a, b, ...)      PLAIN_CHECK(true, (a) == (b), #a " == " #b, __VA_ARGS__)
#define cr_assert_neq(a, b, ...)     PLAIN_CHECK(true, (a) != (b), #a " != " #b, __VA_ARGS__)
#define cr_assert_lt(a, b, ...)      PLAIN_CHECK(true, (a) < (b), #a " < " #b, __VA_ARGS__)
#define cr_assert_leq(a, b, ...)     PLAIN_CHECK(true, (a) <= (b), #a " <= " #b, __VA_ARGS__)
#define cr_assert_gt(a, b, ...)      PLAIN_CHECK(true, (a) > (b), #a " > " #b, __VA_ARGS__)
#define cr_assert_geq(a, b, ...)     PLAIN_CHECK(true, (a) >= (b), #a " >= " #b, __VA_ARGS__)
#define cr_assert_null(a, ...)       PLAIN_CHECK(true, (a) == NULL, #a " is NULL", __VA_ARGS__)
#define cr_assert_not_null(a, ...)   PLAIN_CHECK(true, (a) != NULL, #a " is not NULL", __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...)  PLAIN_CHECK(true, !strcmp(a, b), #a " is " #b, __VA_ARGS__)
#define cr_assert_str_neq(a, b, ...) PLAIN_CHECK(true, strcmp(a, b), #a " is not " #b, __VA_ARGS__)
#define cr_assert_arr_eq(a, b, n, ...)                                                             \
	PLAIN_CHECK(true, !memcmp(a, b, n), #a " is " #b, __VA_ARGS__)
#define cr_assert_fail(...)      PLAIN_CHECK(true, false, "reached", __VA_ARGS__)
#define cr_fatal(...)            PLAIN_CHECK(true, false, "reached", __VA_ARGS__)
#define cr_expect(fact, ...)     PLAIN_CHECK(false, fact, #fact, __VA_ARGS__)
#define cr_expect_eq(a, b, ...)  PLAIN_CHECK(false, (a) == (b), #a " == " #b, __VA_ARGS__)
#define cr_expect_neq(a, b, ...) PLAIN_CHECK(false, (a) != (b), #a " != " #b, __VA_ARGS__)
#define cr_expect_lt(a, b, ...)  PLAIN_CHECK(false, (a) < (b), #a " < " #b, __VA_ARGS__)
#define cr_expect_leq(a, b, ...) PLAIN_CHECK(false, (a) <= (b), #a " <= " #b, __VA_ARGS__)
#define cr_expect_gt(a, b, ...)  PLAIN_CHECK(false, (a) > (b), #a " > " #b, __VA_ARGS__)
#define cr_expect_geq(a, b, ...) PLAIN_CHECK(false, (a) >= (b), #a " >= " #b, __VA_ARGS__)
#define cr_log_info(...)         (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr))
#define cr_log_warn(...)         (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr))
#define cr_log_error(...)        (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr))
#define cr_skip_test(...)        plain_skip()

/** End the test as passed. */
void plain_skip(void) __attribute__((noreturn));

#endif
