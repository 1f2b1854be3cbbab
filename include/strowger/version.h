/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Version of the headers a program was compiled with, and of the library it runs with.
 */
#ifndef STROWGER_VERSION_H
#define STROWGER_VERSION_H

#include <strowger/export.h>

#ifdef __cplusplus
extern "C" {
#endif

#define STW_VERSION_MAJOR 0
#define STW_VERSION_MINOR 1
#define STW_VERSION_PATCH 0

/**
 * Version of the library in use, which may differ from the headers' version.
 *
 * @return static text "MAJOR.MINOR.PATCH", never NULL
 *
 * Threads:  any, at any time.
 * Progress: wait-free (bound 1).
 * Order:    none needed; the text is constant.
 */
STW_API const char *stw_version(void);

#ifdef __cplusplus
}
#endif

#endif
