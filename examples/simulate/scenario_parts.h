/* SPDX-License-Identifier: BSD-3-Clause */
/* Shared by the files that read scenarios, and by nobody else. */
#ifndef SIMULATE_SCENARIO_PARTS_H
#define SIMULATE_SCENARIO_PARTS_H

#include "scenario.h"

/* Longest time that may be given in seconds: a week. */
#define SCENARIO_SECONDS_MAX 604800

/* As they stand in the file; names are looked up when all of it is read. */
struct scenario_level {
	struct document_text name;
	uint32_t level;
};

struct scenario_target {
	uint32_t value;
	uint32_t urgency;
	double target_s;
};

/* A term of 'requires', in postfix order; name: of a skill or an attribute. */
struct scenario_term {
	enum stw_term_kind kind;
	struct document_text name;
	struct document_text value;
	uint32_t level;
};

struct scenario_reserve {
	uint32_t agents;
	uint32_t value;
};

struct scenario_step {
	struct stw_step_config config;
	struct document_text pool;
	struct document_text calendar;
	struct scenario_reserve reserve;
	struct scenario_level *levels;
	uint32_t levels_count;
	struct scenario_term requires[STW_REQUIREMENT_TERMS_MAX];
	uint32_t requires_count;
};

/* Bounds as they stand in the file: contacts, seconds, or per cent. */
struct scenario_rule {
	uint32_t metric;
	uint32_t action;
	double from;
	double until;
	uint32_t value_max;
	uint32_t urgency_max;
	struct document_text queue;
};

struct scenario_holiday {
	struct document_text date;
	uint64_t from_ns;
	uint64_t to_ns;
};

struct scenario_opening {
	uint32_t days; /* a bit per weekday, 0: Sunday */
	uint64_t from_ns;
	uint64_t to_ns;
};

struct scenario_calendar {
	struct document_text name;
	struct document_text zone;
	struct scenario_opening *openings;
	uint32_t openings_count;
	struct scenario_holiday *holidays;
	uint32_t holidays_count;
};

struct scenario_attribute {
	struct document_text name;
	struct document_text value;
};

struct scenario_queue {
	struct stw_queue_config config;
	struct document_text name;
	struct scenario_step *steps;
	uint32_t steps_count;
	struct scenario_target *targets;
	uint32_t targets_count;
	struct document_text calendar;
	struct scenario_rule *rules;
	uint32_t rules_count;
};

struct scenario_group {
	struct plan_group group;
	struct document_text name;
	struct document_text pool;
	struct scenario_level *levels;
	uint32_t levels_count;
	struct scenario_attribute attributes[STW_AGENT_ATTRIBUTES_MAX];
	uint32_t attributes_count;
	double misses_percent;
};

struct scenario_flow {
	struct plan_flow flow;
	struct document_text name;
	struct document_text queue;
	struct document_text csv;
	uint32_t line;
	uint32_t value;
	uint32_t urgency;
	bool red_channel;
	double step_minutes;
	double returns_percent;
	double accepts_percent;
	double reached_percent;
};

struct scenario {
	struct document document;
	uint32_t seed;
	uint64_t from_ns;
	uint64_t to_ns;
	double interval_minutes;
	struct document_text date;
	struct document_text zone;
	uint32_t contacts_max;
	struct document_text *skills;
	uint32_t skills_count;
	struct document_text *pools;
	uint32_t pools_count;
	struct document_text *attributes;
	uint32_t attributes_count;
	struct scenario_calendar *calendars;
	uint32_t calendars_count;
	struct scenario_queue *queues;
	uint32_t queues_count;
	struct scenario_group *groups;
	uint32_t groups_count;
	struct scenario_flow *flows;
	uint32_t flows_count;
	struct plan plan;
	void **arrays; /* made for the plan */
	uint32_t arrays_count;
};

/*
 * scenario_house.c: agents; scenario_queue.c and scenario_step.c: queues; scenario_calendar.c: hours;
 * scenario_flow.c: who calls. Readers, then makers of the plan.
 */
void scenario_read_queue(struct document *document, yaml_node_t *node, void *target);
void scenario_read_steps(struct document *document, yaml_node_t *node, void *target);
void scenario_read_requires(struct document *document, yaml_node_t *node, void *target);
void scenario_read_calendar(struct document *document, yaml_node_t *node, void *target);
void scenario_read_group(struct document *document, yaml_node_t *node, void *target);
void scenario_read_flow(struct document *document, yaml_node_t *node, void *target);
void scenario_read_level(struct document *document, yaml_node_t *node, void *target);
void scenario_read_variate(struct document *document, yaml_node_t *node, void *target);
void scenario_make_queue(struct scenario *scenario, uint32_t index);
const struct stw_step_config *scenario_make_steps(struct scenario *scenario,
						  struct scenario_queue *queue);
void scenario_make_requires(struct scenario *scenario, const struct scenario_step *step,
			    struct stw_step_config *made);
void scenario_make_calendar(struct scenario *scenario, uint32_t index);
void scenario_make_group(struct scenario *scenario, uint32_t index);
void scenario_make_flow(struct scenario *scenario, uint32_t index);
const struct stw_skill_level *scenario_make_levels(struct scenario *scenario,
						   const struct scenario_level *levels,
						   uint32_t count);
void scenario_free_queue(struct scenario_queue *queue);
void scenario_free_calendar(struct scenario_calendar *calendar);
void scenario_free_group(struct scenario_group *group);
void scenario_free_flow(struct scenario_flow *flow);

/* scenario_calendar.c: what Unix time the day's midnight has, for the plan. */
void scenario_make_date(struct scenario *scenario);

/* scenario_queue.c: names of the channels; closed by NULL. */
extern const char *const scenario_channels[];

/* scenario_csv.c: the list of callers in a flow's file. */
void scenario_make_arrivals(struct scenario *scenario, struct scenario_flow *flow);

/* scenario.c: zeroed memory that lives as long as the scenario; NULL with an error kept. */
void *scenario_array(struct scenario *scenario, size_t count, size_t size);

/* Place of something by its name, from 1 on; 0 with an error kept, or where none is named. */
uint32_t scenario_find_skill(struct scenario *scenario, const struct document_text *name);
uint32_t scenario_find_pool(struct scenario *scenario, const struct document_text *name);
uint32_t scenario_find_attribute(struct scenario *scenario, const struct document_text *name);
uint32_t scenario_find_calendar(struct scenario *scenario, const struct document_text *name);
uint32_t scenario_find_queue(struct scenario *scenario, const struct document_text *name);

/* Place of a queue by its bare name, from 1 on; 0: there is none. */
uint32_t scenario_queue_place(const struct scenario *scenario, const char *name);

#endif
