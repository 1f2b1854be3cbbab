/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whether two snapshots say the same.
 */
#ifndef TEST_SNAPSHOTS_H
#define TEST_SNAPSHOTS_H

#include "acd/snapshot.h"

/**
 * What differs first, as static text; NULL: nothing. Which events are in them may differ, and what
 * only matters in states that they are not in. The first may know of more refused contacts.
 */
const char *snapshots_differ(const struct stw_snapshot *one, const struct stw_snapshot *other);

/** Likewise, of contacts and of agents' states only: what calls under way do not blur. */
const char *snapshots_differ_in_states(const struct stw_snapshot *one,
				       const struct stw_snapshot *other);

#endif
