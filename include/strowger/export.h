/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Marks of the public symbols. Everything without STW_API is hidden in the shared libraries.
 */
#ifndef STROWGER_EXPORT_H
#define STROWGER_EXPORT_H

#if defined(__GNUC__)
#define STW_API __attribute__((visibility("default")))
#else
#define STW_API
#endif

/** A call in its first release: it may still change without a new soname. */
#define STW_EXPERIMENTAL

#endif
