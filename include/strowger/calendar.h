/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calendars: business hours in a time zone, with holidays. A queue that has a calendar takes contacts
 * while the calendar is open; who waits when it closes is still served.
 *
 * Hours are told in local time, so clocks being changed is the calendar's business: an opening from 9 to
 * 17 is that on every day, an hour that a day does not have is never open, and an hour that a day has
 * twice is open twice.
 *
 * The engine has no clock. stw_acd_clock_set tells it what Unix time was at the zero of the host's clock.
 */
#ifndef STROWGER_CALENDAR_H
#define STROWGER_CALENDAR_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/export.h>
#include <strowger/tenant.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most openings of a week. */
#define STW_CALENDAR_OPENINGS_MAX 256

/** Most entries of holidays. */
#define STW_CALENDAR_HOLIDAYS_MAX 1024

/** How far ahead the next change of a calendar is looked for. */
#define STW_CALENDAR_DAYS_AHEAD 400

/** Handle of a calendar: a value, copied freely. An id of 0 names the one that is always open. */
struct stw_calendar {
	uint64_t id; /**< slot in the low, generation in the high 32 bits; 0: always open */
};

/** Hours of each week. */
struct stw_opening {
	uint8_t weekday; /**< 0 Sunday to 6 Saturday: the day on which it begins */
	uint32_t from_s; /**< local time, seconds from midnight, 0 to 86,399 */
	uint32_t to_s; /**< likewise, above from_s and up to 172,800: above 86,400 it lasts into the
			      next day, whatever day that is; not itself open */
};

/** A day that has no weekly hours, but its own or none; of entries for one day, each adds its hours. */
struct stw_holiday {
	uint16_t year;   /**< 1970 to 9999; 0: every year */
	uint8_t month;   /**< 1 January to 12 December */
	uint8_t day;     /**< 1 to the month's last; 29 February of every year: of leap years */
	uint32_t from_s; /**< as in struct stw_opening */
	uint32_t to_s;   /**< as in struct stw_opening; 0, with from_s 0: closed */
};

/** Description of a calendar. Begin with STW_CALENDAR_CONFIG_INIT. */
struct stw_calendar_config {
	size_t struct_size;       /**< bytes of this struct as compiled; never 0 */
	const char *name;         /**< UTF-8, 1 to STW_NAME_BYTES_MAX bytes; copied */
	struct stw_tenant tenant; /**< whose; id 0: the default tenant's */
	const char *zone; /**< name in the system's tz database, as "Europe/Berlin"; NULL: UTC */
	const struct stw_opening *openings; /**< copied; NULL when openings_count is 0 */
	uint32_t openings_count; /**< 0 to STW_CALENDAR_OPENINGS_MAX; 0: open on holidays only */
	const struct stw_holiday *holidays; /**< copied; NULL when holidays_count is 0 */
	uint32_t holidays_count;            /**< 0 to STW_CALENDAR_HOLIDAYS_MAX */
};

/** A calendar that is never open, in UTC. */
#define STW_CALENDAR_CONFIG_INIT                                                                   \
	{                                                                                          \
		sizeof(struct stw_calendar_config), 0, {0}, 0, 0, 0, 0, 0                          \
	}

/** What a calendar says at one instant. */
struct stw_calendar_status {
	int open;           /**< 1: open; 0: closed */
	uint64_t change_ns; /**< host's clock: when that changes; UINT64_MAX: not within
				 STW_CALENDAR_DAYS_AHEAD days, or not within the clock's range */
};

/**
 * Tell the engine what time it is: Unix time at the zero of the host's clock. Until it is told, the
 * host's clock is taken for Unix time. Calendars follow at once. To be called again when the
 * system's time of day is set.
 *
 * @param acd              borrowed, not NULL
 * @param unix_ns_at_zero  Unix time minus the host's clock, nanoseconds, above -2^62, below 2^62
 * @return 0
 * @return -EINVAL  outside its range
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures; never holds up a hot call).
 * Order:    calls that start after the return go by it.
 */
STW_API int stw_acd_clock_set(struct stw_acd *acd, int64_t unix_ns_at_zero);

/**
 * Define a calendar. Its zone is read from the folder that TZDIR in the environment names, else from
 * /usr/share/zoneinfo; nobody may change the environment meanwhile.
 *
 * @param acd       borrowed, not NULL
 * @param config    borrowed; all of it is copied
 * @param calendar  set on success only
 * @return 0
 * @return -EINVAL   a field is outside its range, or the zone's name is none
 * @return -ESTALE   the tenant was removed
 * @return -EEXIST   the tenant has a calendar of that name
 * @return -ENOSPC   calendars_max calendars are defined
 * @return -ENOENT   there is no such zone
 * @return -EIO      the zone's file cannot be read
 * @return -EBADMSG  the zone's file is broken
 * @return -ENOTSUP  the zone counts leap seconds
 * @return -ENOMEM   no memory for the copy
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures, reads a file; never holds up a hot
 *           call).
 * Order:    what is defined is seen by every call that starts after the return.
 * Source:   RFC 8536, for the zone's file
 */
STW_API int stw_calendar_define(struct stw_acd *acd, const struct stw_calendar_config *config,
				struct stw_calendar *calendar);

/**
 * Replace a calendar's hours, holidays and zone, and read the zone's file anew. Queues that have it
 * follow at once. The name and the tenant stay.
 *
 * @param acd       borrowed, not NULL
 * @param calendar  which
 * @param config    borrowed; copied; its name may be NULL or must equal the calendar's
 * @return 0
 * @return -EINVAL   a field is outside its range, or another name or tenant
 * @return -ESTALE   the calendar was removed
 * @return -ENOENT   there is no such zone
 * @return -EIO      the zone's file cannot be read
 * @return -EBADMSG  the zone's file is broken
 * @return -ENOTSUP  the zone counts leap seconds
 * @return -ENOMEM   no memory for the copy
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures, reads a file; never holds up a hot
 *           call).
 * Order:    calls that start after the return go by the new hours.
 */
STW_API int stw_calendar_update(struct stw_acd *acd, struct stw_calendar calendar,
				const struct stw_calendar_config *config);

/**
 * Remove a calendar that no queue has.
 *
 * @param acd       borrowed, not NULL
 * @param calendar  which
 * @return 0
 * @return -ESTALE  the calendar was removed before
 * @return -EBUSY   a queue has it
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures; never holds up a hot call).
 * Order:    a definition that names it and starts after the return fails with -ESTALE.
 */
STW_API int stw_calendar_remove(struct stw_acd *acd, struct stw_calendar calendar);

/**
 * Find a calendar by its name.
 *
 * @param acd       borrowed, not NULL
 * @param tenant    whose; id 0: the default tenant's
 * @param name      borrowed until return
 * @param calendar  set on success only
 * @return 0
 * @return -ESTALE  the tenant was removed
 * @return -ENOENT  no calendar of the tenant has that name
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for another thread that configures).
 * Order:    sees every definition that returned before the call.
 */
STW_API int stw_calendar_find(struct stw_acd *acd, struct stw_tenant tenant, const char *name,
			      struct stw_calendar *calendar);

/**
 * Say whether a calendar is open at an instant, past or to come, and when that changes.
 *
 * @param acd       borrowed, not NULL
 * @param calendar  which; id 0 is open for ever
 * @param now_ns    the instant by the host's clock, nanoseconds, up to 2^62
 * @param status    filled on success only
 * @return 0
 * @return -EINVAL  now_ns above 2^62
 * @return -ESTALE  the calendar was removed
 *
 * Threads:  any, at the same time as every function but stw_acd_destroy.
 * Progress: wait-free (bound: STW_CALENDAR_DAYS_AHEAD days with their openings).
 * Order:    sees every stw_calendar_update and stw_acd_clock_set that returned before the call.
 */
STW_API int stw_calendar_status(struct stw_acd *acd, struct stw_calendar calendar, uint64_t now_ns,
				struct stw_calendar_status *status);

#ifdef __cplusplus
}
#endif

#endif
