/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Time zones: what local time is at an instant, by the system's tz database.
 */
#ifndef STW_BASE_ZONE_H
#define STW_BASE_ZONE_H

#include <stddef.h>
#include <stdint.h>

/** Times that may be asked for, in seconds of Unix time: plus and minus 34,000 years. */
#define ZONE_SECOND_MAX (INT64_C(1) << 40)

/** Offsets from UTC, seconds: -24:59:59 to 25:59:59 (RFC 8536 3.2). */
#define ZONE_OFFSET_MIN (-89999)
#define ZONE_OFFSET_MAX 93599

/** Largest file read. */
#define ZONE_FILE_BYTES_MAX 65536

struct zone;

/**
 * Make a zone from the bytes of a TZif file.
 *
 * @param out    given: set on success only; free with zone_free
 * @param bytes  borrowed
 * @param count  bytes of the file
 * @return 0
 * @return -EBADMSG  the bytes are not a TZif file of version 1 to 4
 * @return -ENOTSUP  its times count leap seconds, which Unix time does not
 * @return -ENOMEM   no memory
 *
 * Threads:  any.
 * Progress: blocking (waits for memory).
 * Order:    the caller hands the zone to other threads.
 * Source:   RFC 8536 3
 */
int zone_create(struct zone **out, const uint8_t *bytes, size_t count);

/**
 * Make a zone by its name in the tz database: from the folder that TZDIR in the environment names,
 * else from /usr/share/zoneinfo.
 *
 * @param out   given: set on success only; free with zone_free
 * @param name  borrowed; as "Europe/Berlin"; NULL: UTC, without a file
 * @return 0
 * @return -EINVAL   not a name: empty, above 255 bytes, absolute, with a part that begins with a dot
 * @return -ENOENT   there is no such zone
 * @return -EIO      its file cannot be read
 * @return -EBADMSG  its file is not a TZif file of version 1 to 4
 * @return -ENOTSUP  its times count leap seconds, which Unix time does not
 * @return -ENOMEM   no memory
 *
 * Threads:  any, while nobody changes the environment.
 * Progress: blocking (reads a file).
 * Order:    the caller hands the zone to other threads.
 */
int zone_open(struct zone **out, const char *name);

/** Free a zone; NULL is fine. Threads: one, the last. */
void zone_free(struct zone *zone);

/**
 * Say how far local time is ahead of UTC.
 *
 * @param zone     borrowed
 * @param unix_s   the instant, seconds; -ZONE_SECOND_MAX to ZONE_SECOND_MAX
 * @param until_s  set to an instant above unix_s before which the offset does not change;
 *                 INT64_MAX: it does not change any more
 * @return seconds, ZONE_OFFSET_MIN to ZONE_OFFSET_MAX
 *
 * Threads:  any.
 * Progress: wait-free (bound: the logarithm of the changes that the file lists).
 * Order:    none needed.
 * Source:   RFC 8536 3.2 and 3.3
 */
int32_t zone_offset(const struct zone *zone, int64_t unix_s, int64_t *until_s);

#endif
