/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tables of what may stand in the configuration file. What the keys mean together is checked in
 * config_check.c.
 */
#include "config.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "document_fields.h"

#define DAY_S 86400

static const char *const driver_words[] = {"auto", "xdp-native", "xdp-generic", "af-packet", NULL};
static const char *const relay_words[] = {"worker", "kernel", "auto", NULL};
static const char *const huge_pages_words[] = {"auto", "no", NULL};
static const char *const record_words[] = {"all", "none", "on_demand", NULL};

static void
read_level(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		TEXT("name", struct config_level, name, true),
		NUMBER("level", struct config_level, level, false, 1, STW_SKILL_LEVEL_MAX),
		{NULL},
	};
	struct config_level *level = target;

	level->level = 1;
	document_mapping(document, node, fields, level);
}

static void
read_queue_levels(struct document *document, yaml_node_t *node, void *target)
{
	struct config_queue *queue = target;

	document_sequence(document, node, sizeof(*queue->levels), read_level,
			  (void **)&queue->levels, &queue->levels_count);
	if (queue->levels_count > STW_STEP_TERMS_MAX)
		document_error(document, document_line(node), "a queue asks for at most %d skills",
			       STW_STEP_TERMS_MAX);
}

static void
read_queue(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		TEXT("name", struct config_queue, name, true),
		PATH("music", struct config_queue, music, false),
		PART("skills", false, read_queue_levels),
		NUMBER("offer_timeout_s", struct config_queue, offer_timeout_s, false, 1, 3600),
		NUMBER("wrap_up_s", struct config_queue, wrap_up_s, false, 0, DAY_S),
		NUMBER("service_level_s", struct config_queue, service_level_s, false, 1, DAY_S),
		NUMBER("target_s", struct config_queue, target_s, false, 0, DAY_S),
		NUMBER("length_max", struct config_queue, length_max, false, 1, 1000000),
		{"record", DOCUMENT_WORD, offsetof(struct config_queue, record), false, 0, 0,
		 record_words, NULL, offsetof(struct config_queue, record_line)},
		BOOL("show_caller", struct config_queue, show_caller),
		{NULL},
	};
	struct config_queue *queue = target;

	queue->offer_timeout_s = 15;
	queue->service_level_s = 20;
	document_mapping(document, node, fields, queue);
}

static void
read_agent_levels(struct document *document, yaml_node_t *node, void *target)
{
	struct config_agent *agent = target;

	document_sequence(document, node, sizeof(*agent->levels), read_level,
			  (void **)&agent->levels, &agent->levels_count);
}

static void
read_agent(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		TEXT("name", struct config_agent, name, true),
		TEXT("password", struct config_agent, password, true),
		PART("skills", false, read_agent_levels),
		NUMBER("misses_max", struct config_agent, misses_max, false, 0, 1000),
		NUMBER("penalty_s", struct config_agent, penalty_s, false, 0, DAY_S),
		{NULL},
	};
	struct config_agent *agent = target;

	agent->penalty_s = 2;
	document_mapping(document, node, fields, agent);
}

static void
read_customer(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		TEXT("number", struct config_customer, number, true),
		NUMBER("value", struct config_customer, value, true, 0, STW_CLASS_COUNT - 1),
		{NULL},
	};

	document_mapping(document, node, fields, target);
}

static void
read_choice(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		TEXT("digit", struct config_choice, digit, true),
		TEXT("queue", struct config_choice, queue_name, true),
		{NULL},
	};

	document_mapping(document, node, fields, target);
}

static void
read_choices(struct document *document, yaml_node_t *node, void *target)
{
	struct config_menu *menu = target;

	document_sequence(document, node, sizeof(*menu->choices), read_choice,
			  (void **)&menu->choices, &menu->choices_count);
}

static void
read_menu(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		PATH("prompt", struct config_menu, prompt, false),
		NUMBER("timeout_s", struct config_menu, timeout_s, false, 1, 600),
		NUMBER("tries", struct config_menu, tries, false, 1, 100),
		PART("choices", true, read_choices),
		TEXT("default_queue", struct config_menu, default_name, true),
		{NULL},
	};

	document_mapping(document, node, fields, target);
}

static void
read_listen(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		TEXT("address", struct config, address_text, true),
		NUMBER("sip_port", struct config, sip_port, false, 1, 65535),
		{NULL},
	};

	document_mapping(document, node, fields, target);
}

static void
read_rtp_ports(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		NUMBER("first", struct config, rtp_first, true, 1024, 65534),
		NUMBER("last", struct config, rtp_last, true, 1025, 65535),
		{NULL},
	};
	struct config *config = target;

	config->rtp_line = document_line(node);
	document_mapping(document, node, fields, config);
}

static void
read_media(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		TEXT("interface", struct config, interface, true),
		TEXT("gateway", struct config, gateway_text, false),
		WORD("driver", struct config, driver, driver_words),
		{"relay", DOCUMENT_WORD, offsetof(struct config, relay), false, 0, 0, relay_words,
		 NULL, offsetof(struct config, relay_line)},
		PART("rtp_ports", true, read_rtp_ports),
		{"worker_core", DOCUMENT_NUMBER, offsetof(struct config, worker_core), true, 0,
		 CPU_SETSIZE - 1, NULL, NULL, offsetof(struct config, worker_line)},
		WORD("huge_pages", struct config, huge_pages, huge_pages_words),
		NUMBER("memory_mib", struct config, memory_mib, false, 64, 1048576),
		NUMBER("silence_s", struct config, silence_s, false, 0, DAY_S),
		BOOL("nat", struct config, nat),
		{NULL},
	};

	document_mapping(document, node, fields, target);
}

static void
read_recording(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		PATH("directory", struct config, recording_directory, true),
		BOOL("pcapng", struct config, pcapng),
		BOOL("wav", struct config, wav),
		{NULL},
	};
	struct config *config = target;

	config->pcapng = true;
	config->wav = true;
	document_mapping(document, node, fields, config);
}

static void
read_journal(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		PATH("directory", struct config, journal_directory, true),
		NUMBER("sync_ms", struct config, journal_sync_ms, false, 0, 60000),
		NUMBER("keep_s", struct config, journal_keep_s, false, 0, DAY_S),
		{NULL},
	};

	document_mapping(document, node, fields, target);
}

static void
read_files(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		PATH("cdr", struct config, cdr, false),
		PATH("status", struct config, status, false),
		{NULL},
	};

	document_mapping(document, node, fields, target);
}

static void
read_limits(struct document *document, yaml_node_t *node, void *target)
{
	static const struct document_field fields[] = {
		NUMBER("calls", struct config, calls_max, true, 1, CONFIG_CALLS_MAX),
		{NULL},
	};

	document_mapping(document, node, fields, target);
}

static void
read_skill(struct document *document, yaml_node_t *node, void *target)
{
	struct document_text *skill = target;

	skill->line = document_line(node);
	if (node->type == YAML_SCALAR_NODE && node->data.scalar.length > 0)
		skill->text = (const char *)node->data.scalar.value;
	else
		document_error(document, skill->line, "a skill is a name");
}

static void
read_skills(struct document *document, yaml_node_t *node, void *target)
{
	struct config *config = target;

	config->skills_listed = true;
	document_sequence(document, node, sizeof(*config->skills), read_skill,
			  (void **)&config->skills, &config->skills_count);
}

static void
read_queues(struct document *document, yaml_node_t *node, void *target)
{
	struct config *config = target;

	document_sequence(document, node, sizeof(*config->queues), read_queue,
			  (void **)&config->queues, &config->queues_count);
}

static void
read_agents(struct document *document, yaml_node_t *node, void *target)
{
	struct config *config = target;

	document_sequence(document, node, sizeof(*config->agents), read_agent,
			  (void **)&config->agents, &config->agents_count);
}

static void
read_customers(struct document *document, yaml_node_t *node, void *target)
{
	struct config *config = target;

	document_sequence(document, node, sizeof(*config->customers), read_customer,
			  (void **)&config->customers, &config->customers_count);
}

static const struct document_field config_fields[] = {
	PART("listen", true, read_listen),
	PART("media", true, read_media),
	PART("recording", false, read_recording),
	PART("journal", false, read_journal),
	PART("files", false, read_files),
	PART("limits", false, read_limits),
	NODE("menu", struct config, menu, true, read_menu),
	PART("skills", false, read_skills),
	PART("queues", true, read_queues),
	PART("agents", true, read_agents),
	PART("customers", false, read_customers),
	{NULL},
};

int
config_load(struct config *config, const char *path)
{
	yaml_node_t *root;

	memset(config, 0, sizeof(*config));
	config->sip_port = 5060;
	config->memory_mib = 256;
	config->calls_max = 1000;
	config->journal_sync_ms = 100;
	config->journal_keep_s = 300;
	config->menu.timeout_s = 10;
	config->menu.tries = 3;
	if (document_load(&config->document, path) != 0)
		return -EINVAL;
	root = document_root(&config->document);
	if (root)
		document_mapping(&config->document, root, config_fields, config);
	else
		document_error(&config->document, 0, "is empty");
	/* A key that is missing or misread leaves a hole that the checks would fall into. */
	if (config->document.errors_count == 0)
		config_check(config);
	return config->document.errors_count == 0 ? 0 : -EINVAL;
}

void
config_free(struct config *config)
{
	for (uint32_t i = 0; i < config->queues_count; i++)
		free(config->queues[i].levels);
	for (uint32_t i = 0; i < config->agents_count; i++)
		free(config->agents[i].levels);
	free(config->menu.choices);
	free(config->skills);
	free(config->queues);
	free(config->agents);
	free(config->customers);
	document_free(&config->document);
	memset(config, 0, sizeof(*config));
}
