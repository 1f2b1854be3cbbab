/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Journal and snapshot: what lets an engine begin where a killed one ended.
 *
 * The host takes the engine's events and appends them to a journal; a thread of its own writes that
 * to disk. A snapshot is an engine's state as plain data: taken from an engine, or an older snapshot
 * with the events of the journal applied, which gives the state at the last event that was written.
 * Restoring puts it into a fresh engine in which the same queues and agents are defined; handles of
 * contacts stay right.
 *
 *   begin   stw_acd_create (with config.journal 1), define skills, queues, agents
 *           stw_snapshot_create, stw_snapshot_load; if it found one: stw_acd_restore
 *           stw_journal_open, stw_snapshot_take, stw_snapshot_save: what follows builds on that
 *   run     stw_events_take -> stw_journal_append; the writing thread: stw_journal_write
 *   at times, any thread: stw_snapshot_load, stw_snapshot_save: a newer snapshot out of the files,
 *           without the engine; needless files are removed
 *   after a definition or removal, and after events were lost: stw_snapshot_take, stw_snapshot_save
 *
 * What is remembered of customers (customers_max) is not in it: an engine that is restored knows
 * them anew. Its contacts keep their customers, longest waits, callbacks and whom they wait for in
 * person; their leases begin with the restore.
 *
 * Files are journal-NUMBER and snapshot-NUMBER in one directory. Every record has a number and a
 * checksum. A file is refused with the reason if it is cut or corrupt; only the end of the newest
 * journal file may be a write that the host's death cut short, and is cut off.
 */
#ifndef STROWGER_JOURNAL_H
#define STROWGER_JOURNAL_H

#include <stddef.h>
#include <stdint.h>

#include <strowger/event.h>
#include <strowger/export.h>

#ifdef __cplusplus
extern "C" {
#endif

struct stw_acd;
struct stw_journal;
struct stw_snapshot;

/** When a journal's records are to be on the disk, and not only in the kernel's memory. */
enum stw_journal_sync {
	STW_JOURNAL_SYNC_NEVER, /**< the kernel decides; a killed process loses nothing by that */
	STW_JOURNAL_SYNC_INTERVAL, /**< every sync_ns; a power cut loses no more than that */
	STW_JOURNAL_SYNC_ALWAYS,   /**< at the end of each stw_journal_write */
};

/** Description of a journal. Begin with STW_JOURNAL_CONFIG_INIT. */
struct stw_journal_config {
	size_t struct_size;         /**< bytes of this struct as compiled; never 0 */
	const char *directory;      /**< made if need be (mode 0700); copied */
	uint32_t events_max;        /**< events appended and not yet written; 64 to 16,777,216 */
	enum stw_journal_sync sync; /**< see there */
	uint64_t sync_ns;           /**< of SYNC_INTERVAL: how often, nanoseconds; 0: as ALWAYS */
	uint64_t file_bytes_max; /**< a file of so many bytes is followed by a new one; 0: never */
};

/** 65,536 events, synced every 100 ms, files of 64 MiB. */
#define STW_JOURNAL_CONFIG_INIT                                                                    \
	{                                                                                          \
		sizeof(struct stw_journal_config), 0, 65536, STW_JOURNAL_SYNC_INTERVAL,            \
			UINT64_C(100000000), UINT64_C(67108864)                                    \
	}

/** What a journal has done since it was opened. */
struct stw_journal_stats {
	uint64_t records; /**< written to files, records of lost events included */
	uint64_t bytes;   /**< of the open file, with what is still to be written */
	uint64_t files;   /**< begun */
	uint64_t syncs;   /**< times that the disk was told to keep a file */
	uint64_t lost;    /**< events appended while events_max were waiting: not in the journal */
	uint64_t number;  /**< of the next record, over all files of the directory */
};

/** How reading went. */
struct stw_journal_report {
	const char *reason;  /**< static text: what was refused, and why; NULL: nothing */
	char file[40];       /**< name of the file read last; "": none */
	uint64_t offset;     /**< byte in it at which reading stopped */
	uint64_t records;    /**< events read */
	uint64_t applied;    /**< of them, those that the snapshot did not know yet */
	uint64_t lost;       /**< events that the journal says are not in it */
	uint64_t torn_bytes; /**< at the end of the newest journal file, no whole record */
};

/**
 * Open a journal for writing: what a write cut short has left at its end is cut off, and a new
 * file begun with the first record.
 *
 * @param out     given: set on success only; free with stw_journal_close
 * @param config  borrowed; copied
 * @param report  filled; NULL: not wanted
 * @return 0
 * @return -EINVAL   a field is outside its range
 * @return -EBADMSG  the newest journal file is corrupt before its end: nothing was changed
 * @return -ENOTSUP  it was written by a newer release
 * @return -EEXIST   another process has begun the same file
 * @return -ENOMEM   no memory
 * @return -errno    of the file system
 *
 * Threads:  one; one journal for a directory.
 * Progress: blocking (waits for the disk).
 * Order:    the caller hands the journal to other threads.
 */
STW_API int stw_journal_open(struct stw_journal **out, const struct stw_journal_config *config,
			     struct stw_journal_report *report);

/**
 * Put events behind those appended before. Nothing waits for the disk: events that find no room are
 * counted, the journal will say so at their place, and only a new snapshot taken from the engine
 * makes up for them.
 *
 * @param journal  borrowed, not NULL
 * @param events   borrowed; copied
 * @param count    how many
 * @return 0
 * @return -ENOSPC  some found no room
 *
 * Threads:  any, at the same time as every function but stw_journal_close; events of one contact or
 *           agent in their order, so in general by the thread that takes them.
 * Progress: lock-free; a retry means another thread appended or wrote an event.
 * Order:    events appended one after the other are written in that order.
 */
STW_API int stw_journal_append(struct stw_journal *journal, const struct stw_event *events,
			       uint32_t count);

/**
 * Write what was appended to the file, begin a new file when it is time, and sync as configured.
 *
 * @param journal  borrowed, not NULL
 * @param now_ns   host's clock, nanoseconds
 * @return number of records written
 * @return -EBUSY  another thread is writing
 * @return -errno  of the file system: what was not written stays and is written by a later call
 *
 * Threads:  one at a time; at the same time as every function but stw_journal_close.
 * Progress: blocking (waits for the disk).
 * Order:    events appended before the call are in the file when it returns, unless it failed.
 */
STW_API int stw_journal_write(struct stw_journal *journal, uint64_t now_ns);

/**
 * Read what a journal has done.
 *
 * @param journal  borrowed, not NULL
 * @param stats    filled
 *
 * Threads:  any, at the same time as every function but stw_journal_close.
 * Progress: wait-free (bound 1).
 * Order:    lost counts every append that returned before; the others are those of the last
 *           stw_journal_write that has returned.
 */
STW_API void stw_journal_stats(struct stw_journal *journal, struct stw_journal_stats *stats);

/**
 * Write what is left, sync, close and free.
 *
 * @param journal  taken; NULL is fine
 * @return 0, or a negative errno of the file system: not everything is on the disk
 *
 * Threads:  one, after all others have stopped using the journal.
 * Progress: blocking (waits for the disk).
 * Order:    the caller has joined or otherwise synchronised with the other users.
 */
STW_API int stw_journal_close(struct stw_journal *journal);

/**
 * Receives one event of a journal.
 *
 * @param context  as given to stw_journal_read
 * @param number   of its record
 * @param event    borrowed until return
 * @return 0, or a negative errno that ends the reading
 */
typedef int (*stw_journal_fn)(void *context, uint64_t number, const struct stw_event *event);

/**
 * Read a journal's events, oldest first. It may be being written at the same time.
 *
 * @param directory  borrowed
 * @param after      events of records up to this number are passed over; 0: none
 * @param receiver   borrowed; called for each event
 * @param context    borrowed; handed to the receiver
 * @param report     filled; NULL: not wanted
 * @return 0: all were read, up to an end that was perhaps torn
 * @return -EBADMSG  a file is cut or corrupt, or records are missing
 * @return -ENOTSUP  a file was written by a newer release
 * @return -ENOMEM   no memory
 * @return -errno    of the file system, or what the receiver returned
 *
 * Threads:  any.
 * Progress: blocking (waits for the disk).
 * Order:    none.
 */
STW_API int stw_journal_read(const char *directory, uint64_t after, stw_journal_fn receiver,
			     void *context, struct stw_journal_report *report);

/**
 * Make an empty snapshot for engines with these limits.
 *
 * @param out  given: set on success only; free with stw_snapshot_destroy
 * @param acd  borrowed until return; its limits are taken over
 * @return 0
 * @return -ENOMEM  no memory
 *
 * Threads:  any.
 * Progress: blocking (waits for memory).
 * Order:    a snapshot is used by one thread at a time.
 */
STW_API int stw_snapshot_create(struct stw_snapshot **out, struct stw_acd *acd);

/**
 * Free a snapshot.
 *
 * @param snapshot  taken; NULL is fine
 *
 * Threads:  one.
 * Progress: blocking (waits for the allocator).
 * Order:    none.
 */
STW_API void stw_snapshot_destroy(struct stw_snapshot *snapshot);

/**
 * Fill a snapshot from an engine, which may be in use meanwhile. Each contact and agent is then of
 * some instant of the call. The journal's events from before the call are in it; applying those from
 * then on changes only what they tell and the snapshot lacks. Counters always agree with the
 * contacts; of calls that were under way meanwhile, something may be counted twice or not at all.
 *
 * @param snapshot  borrowed; made for this engine or one of the same limits
 * @param acd       borrowed, not NULL
 * @param journal   borrowed; tells which record is the first that the snapshot needs; NULL: all
 * @param now_ns    host's clock, nanoseconds
 * @return 0
 * @return -EINVAL  the limits are others
 *
 * Threads:  one for the snapshot; at the same time as every function but stw_acd_destroy.
 * Progress: blocking (waits for a thread that configures; never holds up a hot call).
 * Order:    sees every call that returned before; with no call under way it is exact by itself.
 */
STW_API int stw_snapshot_take(struct stw_snapshot *snapshot, struct stw_acd *acd,
			      struct stw_journal *journal, uint64_t now_ns);

/**
 * Apply one event, unless the snapshot knows it.
 *
 * @param snapshot  borrowed, not NULL; unchanged on failure
 * @param event     borrowed
 * @return 1 when it was applied, 0 when the snapshot knows it or it tells of nothing that is kept
 * @return -ENOENT   the snapshot has no such queue or agent
 * @return -EBADMSG  a field is outside its range
 *
 * Threads:  one for the snapshot.
 * Progress: wait-free (bound 1).
 * Order:    events of one contact or agent are applied in their order.
 */
STW_API int stw_snapshot_apply(struct stw_snapshot *snapshot, const struct stw_event *event);

/**
 * Fill a snapshot from the newest one in a directory and the journal's events after it.
 *
 * @param snapshot   borrowed; on failure empty
 * @param directory  borrowed
 * @param report     filled; NULL: not wanted
 * @return 0
 * @return -ENOENT   there is no snapshot, or an event names a queue or agent that it has not
 * @return -EBADMSG  a file is cut or corrupt, or records are missing
 * @return -ENOTSUP  a file was written by a newer release
 * @return -ENOSPC   it has more contacts, agents or queues than the limits allow
 * @return -ENOMEM   no memory
 * @return -errno    of the file system
 *
 * Threads:  one for the snapshot; while others write the journal.
 * Progress: blocking (waits for the disk).
 * Order:    has every event that stw_journal_write had written before the call.
 */
STW_API int stw_snapshot_load(struct stw_snapshot *snapshot, const char *directory,
			      struct stw_journal_report *report);

/**
 * Write a snapshot to a directory, on the disk and whole or not at all, and remove the older ones
 * and the journal files that it makes needless.
 *
 * @param snapshot   borrowed, not NULL
 * @param directory  borrowed; made if need be (mode 0700)
 * @return 0
 * @return -ENOMEM  no memory
 * @return -errno   of the file system; older files are still there
 *
 * Threads:  one for a directory.
 * Progress: blocking (waits for the disk).
 * Order:    none.
 */
STW_API int stw_snapshot_save(struct stw_snapshot *snapshot, const char *directory);

/**
 * Tell the time of the newest thing in a snapshot.
 *
 * @param snapshot  borrowed, not NULL
 * @return host's clock of then, nanoseconds; 0: empty
 *
 * Threads:  one for the snapshot.
 * Progress: wait-free (bound 1).
 * Order:    none.
 */
STW_API uint64_t stw_snapshot_time(const struct stw_snapshot *snapshot);

/**
 * Put a snapshot's state into a fresh engine: contacts with their ranks, enqueue times and offers,
 * agents' states, counters. Queues and agents are found by tenant and name. Then the engine
 * matches as ever, and its events tell the host what there is, as if it had just come about: one for each contact
 * (STW_EVENT_QUEUED only with config.journal, OFFER, CONNECTED) and for each agent who is not logged
 * out; events_max should leave room for them. Offers ring for their whole time anew.
 *
 * A contact that was rung at several agents at once waits again; its offers are over and count as withdrawn.
 *
 * Numbers since the definition go on (stw_queue_stats, STW_INTERVAL_LIVE), those of an agent for the
 * team and tenant that he is in now. Those of intervals begin anew: what was counted before is in no interval;
 * of a spell under way, the part in an interval that is kept counts there. What was counted by queues and
 * agents that are not defined any more is in stw_acd_stats only.
 *
 * @param acd       borrowed, not NULL; nothing but definitions in it; on failure unchanged
 * @param snapshot  borrowed, not NULL
 * @param shift_ns  added to all times of the snapshot: what the host's clock has lost or gained
 *                  since, if the machine was restarted; 0 when the clock went on
 * @param now_ns    host's clock, nanoseconds, 1 to 2^62
 * @param reason    set on failure to a static text that says what was refused; NULL: not wanted
 * @return 0
 * @return -EINVAL   now_ns is outside its range, or the limits are others
 * @return -EBUSY    the engine has contacts, agents logged in, or counters above 0
 * @return -ENOENT   a queue with contacts, or an agent with a contact or logged in, is not defined
 * @return -ENOSPC   a tenant has more contacts than it may have
 * @return -EBADMSG  the snapshot contradicts itself
 * @return -ENOMEM   no memory
 *
 * Threads:  one, while no other call is under way.
 * Progress: blocking (waits for memory).
 * Order:    the caller hands the engine to other threads.
 */
STW_API int stw_acd_restore(struct stw_acd *acd, const struct stw_snapshot *snapshot,
			    int64_t shift_ns, uint64_t now_ns, const char **reason);

#ifdef __cplusplus
}
#endif

#endif
