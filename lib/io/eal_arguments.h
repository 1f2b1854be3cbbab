/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EAL's command line, made from our configuration and what the machine has: a pure function.
 */
#ifndef STW_IO_EAL_ARGUMENTS_H
#define STW_IO_EAL_ARGUMENTS_H

#include <sched.h>
#include <stdbool.h>

#include <strowger/media.h>

/** Bounds of EAL's command line. */
#define EAL_ARGUMENTS_MAX  48
#define EAL_TEXT_BYTES_MAX 16384
#define EAL_FURTHER_MAX    32
#define EAL_MEMORY_MIB_MIN 32

/** What the machine has. */
struct eal_facts {
	bool huge_pages;       /**< enough free huge pages for the memory asked for */
	cpu_set_t caller_cpus; /**< CPUs of the calling thread */
};

/** EAL's command line; EAL may keep pointers into it. */
struct eal_arguments {
	int count;                         /**< used entries of argv */
	char *argv[EAL_ARGUMENTS_MAX + 1]; /**< into text; NULL at the end */
	size_t text_bytes;                 /**< used bytes of text */
	char text[EAL_TEXT_BYTES_MAX];
};

/**
 * Make EAL's command line.
 *
 * @param arguments  filled on success
 * @param config     borrowed until return; as given to stw_eal_start
 * @param facts      borrowed until return
 * @return 0
 * @return -EINVAL  a field is outside its range, or all of it is too long
 *
 * Threads:  any.
 * Progress: wait-free (bound: EAL_TEXT_BYTES_MAX).
 * Order:    none.
 */
int eal_arguments_make(struct eal_arguments *arguments, const struct stw_eal_config *config,
		       const struct eal_facts *facts);

#endif
