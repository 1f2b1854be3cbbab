/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A polling dispatcher on SQLite in memory: see rival_sql.h.
 */
#include "rival_sql.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "rounds.h"

#define NAME_BYTES 32

enum statement { WAITING, AGENTS_OF_QUEUE, TAKE_AGENT, TAKE_MEMBER, STATEMENTS };

struct rival_sql {
	sqlite3 *database;
	sqlite3_stmt *statements[STATEMENTS];
	uint32_t members;
	bool is_tuned;
};

static const char schema[] =
	"CREATE TABLE agents (name TEXT, status TEXT, state TEXT, contact TEXT, "
	"last_call_end INTEGER, wrap_up INTEGER, no_answer INTEGER, answered INTEGER);"
	"CREATE TABLE tiers (queue TEXT, agent TEXT, level INTEGER, position INTEGER);"
	"CREATE TABLE members (id TEXT, number INTEGER, queue TEXT, state TEXT, "
	"joined INTEGER, base_score INTEGER, agent TEXT);";

static const char indices[] = "CREATE INDEX agents_by_name ON agents (name);"
			      "CREATE INDEX tiers_by_queue ON tiers (queue, agent);"
			      "CREATE INDEX members_by_id ON members (id);"
			      "CREATE INDEX members_by_state ON members (state);"
			      "ANALYZE";

static const char *const texts[STATEMENTS] = {
	[WAITING] = "SELECT id, queue FROM members WHERE state = 'waiting' "
		    "ORDER BY base_score + (?1 - joined) DESC, number",
	[AGENTS_OF_QUEUE] = "SELECT a.name, a.state, a.contact, a.no_answer "
			    "FROM tiers AS t JOIN agents AS a ON a.name = t.agent "
			    "WHERE t.queue = ?1 AND a.status IN ('available', 'on demand') "
			    "AND a.last_call_end + a.wrap_up <= ?2 "
			    "ORDER BY t.level, a.last_call_end, t.position",
	[TAKE_AGENT] = "UPDATE agents SET state = 'receiving' WHERE name = ?1 AND state = 'idle'",
	[TAKE_MEMBER] = "UPDATE members SET state = 'trying', agent = ?2 "
			"WHERE id = ?1 AND state = 'waiting'",
};

static void
must(struct rival_sql *rival, int status)
{
	if (status != SQLITE_OK && status != SQLITE_DONE && status != SQLITE_ROW)
		rounds_die("sqlite: %s", sqlite3_errmsg(rival->database));
}

static void
execute(struct rival_sql *rival, const char *text)
{
	must(rival, sqlite3_exec(rival->database, text, NULL, NULL, NULL));
}

static void
prepare(struct rival_sql *rival, enum statement which)
{
	sqlite3_finalize(rival->statements[which]);
	must(rival, sqlite3_prepare_v2(rival->database, texts[which], -1, &rival->statements[which],
				       NULL));
}

/* Start a statement anew with up to two names. */
static sqlite3_stmt *
begin(struct rival_sql *rival, enum statement which, const char *first, const char *second)
{
	sqlite3_stmt *statement;

	if (rival->is_tuned)
		must(rival, sqlite3_reset(rival->statements[which]));
	else
		prepare(rival, which);
	statement = rival->statements[which];
	if (first)
		must(rival, sqlite3_bind_text(statement, 1, first, -1, SQLITE_TRANSIENT));
	if (second)
		must(rival, sqlite3_bind_text(statement, 2, second, -1, SQLITE_TRANSIENT));
	return statement;
}

static void
fill(struct rival_sql *rival, uint32_t agents)
{
	char text[256];

	execute(rival, "BEGIN");
	for (uint32_t i = 0; i < agents; i++) {
		snprintf(text, sizeof(text),
			 "INSERT INTO agents VALUES ('agent-%u@house', 'available', 'idle', "
			 "'sip:agent-%u@house', %u, 0, 0, 0)",
			 i, i, i);
		execute(rival, text);
		snprintf(text, sizeof(text),
			 "INSERT INTO tiers VALUES ('support@house', 'agent-%u@house', 1, 1)", i);
		execute(rival, text);
	}
	for (uint32_t i = 0; i < rival->members; i++) {
		snprintf(text, sizeof(text),
			 "INSERT INTO members VALUES ('member-%u', %u, 'support@house', 'waiting', "
			 "%u, 0, '')",
			 i, i, i);
		execute(rival, text);
	}
	execute(rival, "COMMIT");
	if (rival->is_tuned)
		execute(rival, indices);
}

struct rival_sql *
rival_sql_create(uint32_t agents, uint32_t members, bool is_tuned)
{
	struct rival_sql *rival = calloc(1, sizeof(*rival));

	if (!rival)
		rounds_die("no memory");
	rival->members = members;
	rival->is_tuned = is_tuned;
	must(rival, sqlite3_open(":memory:", &rival->database));
	execute(rival, schema);
	fill(rival, agents);
	for (int i = 0; i < STATEMENTS; i++)
		prepare(rival, i);
	return rival;
}

void
rival_sql_destroy(struct rival_sql *rival)
{
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_finalize(rival->statements[i]);
	sqlite3_close(rival->database);
	free(rival);
}

void
rival_sql_reset(struct rival_sql *rival)
{
	execute(rival, "BEGIN; UPDATE agents SET state = 'idle'; "
		       "UPDATE members SET state = 'waiting', agent = ''; COMMIT");
}

/* Find the member an agent; 0 when nobody is free. */
static uint32_t
dispatch(struct rival_sql *rival, const char *member, const char *queue)
{
	sqlite3_stmt *agents = begin(rival, AGENTS_OF_QUEUE, queue, NULL);
	char agent[NAME_BYTES];

	must(rival, sqlite3_bind_int64(agents, 2, INT32_MAX));
	while (sqlite3_step(agents) == SQLITE_ROW) {
		if (strcmp((const char *)sqlite3_column_text(agents, 1), "idle") != 0)
			continue;
		snprintf(agent, sizeof(agent), "%s", sqlite3_column_text(agents, 0));
		must(rival, sqlite3_reset(agents));
		must(rival, sqlite3_step(begin(rival, TAKE_AGENT, agent, NULL)));
		if (sqlite3_changes(rival->database) != 1)
			rounds_die("sqlite: agent %s was taken meanwhile", agent);
		must(rival, sqlite3_step(begin(rival, TAKE_MEMBER, member, agent)));
		return (uint32_t)sqlite3_changes(rival->database);
	}
	return 0;
}

uint32_t
rival_sql_pass(struct rival_sql *rival)
{
	char(*members)[2][NAME_BYTES] = calloc(rival->members, sizeof(*members));
	sqlite3_stmt *waiting = begin(rival, WAITING, NULL, NULL);
	uint32_t count = 0, matched = 0;

	if (!members)
		rounds_die("no memory");
	execute(rival, "BEGIN");
	must(rival, sqlite3_bind_int64(waiting, 1, INT32_MAX));
	for (; sqlite3_step(waiting) == SQLITE_ROW; count++) {
		for (int i = 0; i < 2; i++)
			snprintf(members[count][i], NAME_BYTES, "%s",
				 sqlite3_column_text(waiting, i));
	}
	must(rival, sqlite3_reset(waiting));
	for (uint32_t i = 0; i < count; i++)
		matched += dispatch(rival, members[i][0], members[i][1]);
	for (int i = 0; i < STATEMENTS; i++)
		sqlite3_reset(rival->statements[i]);
	execute(rival, "COMMIT");
	free(members);
	return matched;
}

void
rival_sql_agents(struct rival_sql *rival, uint32_t *agent_by_member)
{
	sqlite3_stmt *statement;

	must(rival, sqlite3_prepare_v2(rival->database, "SELECT number, agent FROM members", -1,
				       &statement, NULL));
	while (sqlite3_step(statement) == SQLITE_ROW) {
		uint32_t *agent = &agent_by_member[sqlite3_column_int(statement, 0)];

		if (sscanf((const char *)sqlite3_column_text(statement, 1), "agent-%u@", agent) !=
		    1)
			*agent = UINT32_MAX;
	}
	sqlite3_finalize(statement);
}
