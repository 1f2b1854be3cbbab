/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the keys of the configuration mean together: names that must be known or must differ, ranges,
 * files that must be there. Each error names the line of the value that is wrong.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"

#define NAME_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

static void
check_address(struct config *config)
{
	struct document *document = &config->document;

	if (stw_ip_parse(config->address_text.text, &config->address) != 0 ||
	    config->address.family != 4)
		document_error(document, config->address_text.line,
			       "'address' is an IPv4 address of this machine, like 192.0.2.1");
	if (config->gateway_text.text &&
	    (stw_ip_parse(config->gateway_text.text, &config->gateway) != 0 ||
	     config->gateway.family != 4))
		document_error(document, config->gateway_text.line,
			       "'gateway' is an IPv4 address, like 192.0.2.254");
}

static void
check_ports(struct config *config)
{
	struct document *document = &config->document;

	if (config->rtp_first % 2 != 0 || config->rtp_last % 2 != 1)
		document_error(document, config->rtp_line,
			       "RTP ports come in pairs: 'first' is even, 'last' is odd");
	else if (config->rtp_last < config->rtp_first + 3)
		document_error(document, config->rtp_line,
			       "a call needs two pairs of RTP ports: 'last' is %u or more",
			       config->rtp_first + 3);
	else if (config->sip_port >= config->rtp_first && config->sip_port <= config->rtp_last)
		document_error(document, config->rtp_line,
			       "the SIP port %u is one of the RTP ports", config->sip_port);
}

static void
check_worker(struct config *config)
{
	cpu_set_t cpus;

	if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0 &&
	    !CPU_ISSET(config->worker_core, &cpus))
		document_error(&config->document, config->worker_line,
			       "there is no CPU %u for the worker", config->worker_core);
}

static void
check_relay(struct config *config)
{
	if (config->relay == CONFIG_RELAY_KERNEL && config->driver == CONFIG_DRIVER_AF_PACKET)
		document_error(&config->document, config->relay_line,
			       "the kernel relays by XDP, which the driver af-packet is without");
}

/* Names are users of SIP URIs and parts of file names, so they are plain. */
static void
check_name(struct config *config, const struct document_text *name, const char *what)
{
	size_t bytes = strlen(name->text);

	if (bytes > STW_NAME_BYTES_MAX || strspn(name->text, NAME_BYTES) != bytes)
		document_error(&config->document, name->line,
			       "the %s's name '%s' is not made of at most %d letters, digits, "
			       "'-', '_' and '.'",
			       what, name->text, STW_NAME_BYTES_MAX);
}

static void
check_readable(struct config *config, const struct document_text *path)
{
	if (path->text && access(path->text, R_OK) != 0)
		document_error(&config->document, path->line, "%s: %s", path->text,
			       strerror(errno));
}

static uint32_t
find_skill(const struct config *config, const char *name)
{
	for (uint32_t i = 0; i < config->skills_count; i++)
		if (!strcmp(config->skills[i].text, name))
			return i;
	return CONFIG_NONE;
}

/* Without a list, the skills are those that agents have. */
static void
add_skill(struct config *config, const struct document_text *name)
{
	struct document_text *skills;

	if (config->skills_count == CONFIG_SKILLS_MAX)
		return;
	skills = realloc(config->skills, (config->skills_count + 1) * sizeof(*skills));
	if (!skills)
		return;
	config->skills = skills;
	skills[config->skills_count++] = *name;
}

static void
check_levels(struct config *config, struct config_level *levels, uint32_t count, bool defines)
{
	struct document *document = &config->document;

	for (uint32_t i = 0; i < count; i++) {
		const struct document_text *name = &levels[i].name;

		for (uint32_t k = 0; k < i; k++)
			if (!strcmp(levels[k].name.text, name->text))
				document_error(document, name->line, "the skill '%s' is here twice",
					       name->text);
		if (defines && find_skill(config, name->text) == CONFIG_NONE)
			add_skill(config, name);
		levels[i].skill = find_skill(config, name->text);
		if (levels[i].skill == CONFIG_NONE)
			document_error(document, name->line,
				       config->skills_listed
					       ? "the skill '%s' is not in the list 'skills'"
					       : "no agent has the skill '%s'",
				       name->text);
	}
}

static void
check_agents(struct config *config)
{
	struct document *document = &config->document;

	if (config->agents_count == 0 || config->agents_count > CONFIG_AGENTS_MAX)
		document_error(document, 0, "there are 1 to %d agents", CONFIG_AGENTS_MAX);
	for (uint32_t i = 0; i < config->agents_count; i++) {
		struct config_agent *agent = &config->agents[i];

		check_name(config, &agent->name, "agent");
		if (config_agent_find(config, agent->name.text) != i)
			document_error(document, agent->name.line, "the agent '%s' is here twice",
				       agent->name.text);
		check_levels(config, agent->levels, agent->levels_count, !config->skills_listed);
	}
}

/* Calls are recorded unless something else is said; whoever says that they are has to say where. */
static void
check_record(struct config *config, const struct config_queue *queue)
{
	if (queue->record_line && queue->record != CONFIG_RECORD_NONE &&
	    !config->recording_directory.text)
		document_error(&config->document, queue->record_line,
			       "the queue '%s' has calls recorded, but there is no part "
			       "'recording' that says where",
			       queue->name.text);
}

static void
check_queues(struct config *config)
{
	struct document *document = &config->document;

	if (config->queues_count == 0 || config->queues_count > CONFIG_QUEUES_MAX)
		document_error(document, 0, "there are 1 to %d queues", CONFIG_QUEUES_MAX);
	for (uint32_t i = 0; i < config->queues_count; i++) {
		struct config_queue *queue = &config->queues[i];

		check_name(config, &queue->name, "queue");
		if (!strcmp(queue->name.text, "menu"))
			document_error(document, queue->name.line,
				       "'menu' is what callers call to hear the menu");
		if (config_queue_find(config, queue->name.text) != i)
			document_error(document, queue->name.line, "the queue '%s' is here twice",
				       queue->name.text);
		check_levels(config, queue->levels, queue->levels_count, false);
		check_readable(config, &queue->music);
		check_record(config, queue);
	}
}

static uint32_t
known_queue(struct config *config, const struct document_text *name)
{
	uint32_t queue = config_queue_find(config, name->text);

	if (queue == CONFIG_NONE)
		document_error(&config->document, name->line, "there is no queue '%s'", name->text);
	return queue;
}

static void
check_menu(struct config *config)
{
	struct document *document = &config->document;
	struct config_menu *menu = &config->menu;

	check_readable(config, &menu->prompt);
	menu->default_queue = known_queue(config, &menu->default_name);
	for (uint32_t i = 0; i < menu->choices_count; i++) {
		struct config_choice *choice = &menu->choices[i];
		const char *digit = choice->digit.text;

		if (strspn(digit, "0123456789*#ABCD") != 1 || digit[1] != '\0')
			document_error(document, choice->digit.line,
				       "'%s' is not a key of a phone: 0 to 9, *, #, A to D", digit);
		for (uint32_t k = 0; k < i; k++)
			if (menu->choices[k].digit.text[0] == digit[0] && digit[1] == '\0')
				document_error(document, choice->digit.line,
					       "the digit '%c' is here twice", digit[0]);
		choice->queue = known_queue(config, &choice->queue_name);
	}
}

static int
compare_customers(const void *a, const void *b)
{
	const struct config_customer *left = a, *right = b;

	return strcmp(left->number.text, right->number.text);
}

static void
check_customers(struct config *config)
{
	struct document *document = &config->document;

	if (config->customers_count > CONFIG_CUSTOMERS_MAX)
		document_error(document, 0, "there are at most %d customers", CONFIG_CUSTOMERS_MAX);
	if (config->customers_count == 0)
		return;
	qsort(config->customers, config->customers_count, sizeof(*config->customers),
	      compare_customers);
	for (uint32_t i = 1; i < config->customers_count; i++) {
		const struct document_text *one = &config->customers[i - 1].number;
		const struct document_text *other = &config->customers[i].number;

		if (!strcmp(one->text, other->text))
			document_error(document, one->line > other->line ? one->line : other->line,
				       "the number '%s' is here twice", one->text);
	}
}

static void
check_skills(struct config *config)
{
	for (uint32_t i = 0; i < config->skills_count; i++) {
		check_name(config, &config->skills[i], "skill");
		if (find_skill(config, config->skills[i].text) != i)
			document_error(&config->document, config->skills[i].line,
				       "the skill '%s' is here twice", config->skills[i].text);
	}
	if (config->skills_count > CONFIG_SKILLS_MAX)
		document_error(&config->document, 0, "there are at most %d skills",
			       CONFIG_SKILLS_MAX);
}

void
config_check(struct config *config)
{
	check_address(config);
	check_ports(config);
	check_worker(config);
	check_relay(config);
	check_agents(config);
	check_skills(config);
	check_queues(config);
	check_menu(config);
	check_customers(config);
}

uint32_t
config_queue_find(const struct config *config, const char *name)
{
	for (uint32_t i = 0; i < config->queues_count; i++)
		if (!strcmp(config->queues[i].name.text, name))
			return i;
	return CONFIG_NONE;
}

uint32_t
config_agent_find(const struct config *config, const char *name)
{
	for (uint32_t i = 0; i < config->agents_count; i++)
		if (!strcmp(config->agents[i].name.text, name))
			return i;
	return CONFIG_NONE;
}

bool
config_records(const struct config *config, uint32_t queue)
{
	const struct config_menu *menu = &config->menu;

	if (!config->recording_directory.text)
		return false;
	if (queue != CONFIG_NONE)
		return config->queues[queue].record == CONFIG_RECORD_ALL;
	for (uint32_t i = 0; i < menu->choices_count; i++)
		if (config->queues[menu->choices[i].queue].record == CONFIG_RECORD_ALL)
			return true;
	return config->queues[menu->default_queue].record == CONFIG_RECORD_ALL;
}

uint8_t
config_customer_value(const struct config *config, const char *number)
{
	struct config_customer key = {.number = {.text = number}};
	const struct config_customer *found = NULL;

	if (config->customers_count > 0)
		found = bsearch(&key, config->customers, config->customers_count, sizeof(key),
				compare_customers);
	return found ? (uint8_t)found->value : 0;
}

int64_t
config_target_ns(const struct config_queue *queue, uint32_t value)
{
	return (int64_t)queue->target_s * 1000000000 * (STW_CLASS_COUNT - value) / STW_CLASS_COUNT;
}
