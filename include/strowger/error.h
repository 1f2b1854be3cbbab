/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Errors are negative errno values, returned. This header lists those the library uses and what
 * each means here, and names the handler of broken invariants.
 *
 *  -EINVAL    an argument is outside its documented range
 *  -ESTALE    the handle names something that has ended or was removed
 *  -ENOSPC    a limit of the configuration, a port range or a ring is full; nothing changed
 *  -ENOENT    no such name
 *  -EEXIST    the name is taken
 *  -EBUSY     the thing is in use and this call may not take it away
 *  -EALREADY  the thing is already in the state asked for, or already done
 *  -ENOTSUP   understood, but this build or machine cannot do it
 *  -ENOMEM    memory could not be had (only create and define calls take memory)
 *  -EPERM     the process lacks a right
 *  -ENODEV    no such device, or the device refused
 *  -EBADMSG   data that was read is cut, corrupt or contradicts itself
 *  -ESHUTDOWN it takes no new ones: closed, or being drained
 *  -EIO       a file or device failed while in use
 */
#ifndef STROWGER_ERROR_H
#define STROWGER_ERROR_H

#include <strowger/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Say what an error of this library means.
 *
 * @param error  0 or a negative errno value, as returned by any call of the library
 * @return static text, never NULL; "unknown error" for a value the library does not use
 *
 * Threads:  any, at any time.
 * Progress: wait-free (bound: the number of known errors).
 * Order:    none needed; the texts are constant.
 */
STW_API const char *stw_error_text(int error);

/**
 * Called once when an invariant of the library is broken; it must not return. If it does, the
 * library calls abort().
 *
 * @param context  as given to stw_panic_set
 * @param file     source file, static text
 * @param line     source line
 * @param fact     the assertion that does not hold, static text
 */
typedef void (*stw_panic_fn)(void *context, const char *file, int line, const char *fact);

/**
 * Set the host's panic handler. Without one the fact goes to stderr and the process aborts.
 *
 * @param handler  borrowed for the life of the process; NULL restores the default
 * @param context  borrowed, handed to the handler
 *
 * Threads:  one, before other calls of the library.
 * Progress: wait-free (bound 1).
 * Order:    the caller starts other threads after it.
 */
STW_API void stw_panic_set(stw_panic_fn handler, void *context);

#ifdef __cplusplus
}
#endif

#endif
