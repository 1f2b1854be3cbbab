/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Texts of the errors, and the way out when an invariant is broken.
 */
#include "base.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <strowger/version.h>

static const struct {
	int error;
	const char *text;
} error_texts[] = {
	{0, "success"},
	{-EINVAL, "an argument is outside its range"},
	{-ESTALE, "the handle names something that has ended"},
	{-ENOSPC, "a configured limit is reached"},
	{-ENOENT, "no such name"},
	{-EEXIST, "the name is taken"},
	{-EBUSY, "it is in use"},
	{-EALREADY, "it is already done"},
	{-ENOTSUP, "not supported by this build or machine"},
	{-ENOMEM, "out of memory"},
	{-EPERM, "the process lacks a right"},
	{-ENODEV, "no such device, or the device refused"},
	{-EBADMSG, "the data is cut, corrupt or contradicts itself"},
	{-ESHUTDOWN, "it takes no new ones: closed or drained"},
	{-EIO, "input or output failed"},
};

static stw_panic_fn panic_handler;
static void *panic_context;

const char *
stw_version(void)
{
	return STW_VERSION_TEXT;
}

const char *
stw_error_text(int error)
{
	for (size_t i = 0; i < STW_ARRAY_COUNT(error_texts); i++) {
		if (error_texts[i].error == error)
			return error_texts[i].text;
	}
	return "unknown error";
}

void
stw_panic_set(stw_panic_fn handler, void *context)
{
	panic_handler = handler;
	panic_context = context;
}

void
stw_panic(const char *file, int line, const char *fact)
{
	if (panic_handler)
		panic_handler(panic_context, file, line, fact);
	else
		fprintf(stderr, "PANIC file=%s line=%d fact=\"%s\"\n", file, line, fact);
	abort();
}
