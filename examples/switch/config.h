/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The switch's configuration as read from its YAML file; switch.yaml beside it explains every key.
 * Texts are borrowed from the document, which lives as long as the configuration.
 */
#ifndef SWITCH_CONFIG_H
#define SWITCH_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include <strowger/address.h>
#include <strowger/queue.h>

#include "document.h"

/* Index of a queue or skill that is not given. */
#define CONFIG_NONE UINT32_MAX

/* Most queues, agents, skills, customers and calls of one configuration. */
#define CONFIG_QUEUES_MAX    1000
#define CONFIG_AGENTS_MAX    10000
#define CONFIG_SKILLS_MAX    1024
#define CONFIG_CUSTOMERS_MAX 100000
#define CONFIG_CALLS_MAX     100000

enum config_driver {
	CONFIG_DRIVER_AUTO, /* the best that works */
	CONFIG_DRIVER_XDP_NATIVE,
	CONFIG_DRIVER_XDP_GENERIC,
	CONFIG_DRIVER_AF_PACKET,
};

/* Where plain calls' RTP is relayed. */
enum config_relay {
	CONFIG_RELAY_WORKER,
	CONFIG_RELAY_KERNEL, /* inside the kernel, or the switch does not start */
	CONFIG_RELAY_AUTO,   /* inside the kernel if that can be had */
};

/* Which calls of a queue are recorded. */
enum config_record {
	CONFIG_RECORD_ALL,
	CONFIG_RECORD_NONE,
	CONFIG_RECORD_ON_DEMAND, /* from when the agent's phone asks for it, until it asks to stop */
};

struct config_level {
	struct document_text name;
	uint32_t level;
	uint32_t skill; /* index into skills */
};

struct config_queue {
	struct document_text name;
	struct document_text music;
	struct config_level *levels;
	uint32_t levels_count;
	uint32_t offer_timeout_s;
	uint32_t wrap_up_s;
	uint32_t service_level_s;
	uint32_t target_s;
	uint32_t length_max;
	uint32_t record;      /* enum config_record */
	uint32_t record_line; /* 0: not said */
	bool show_caller;
};

struct config_agent {
	struct document_text name;
	struct document_text password;
	struct config_level *levels;
	uint32_t levels_count;
	uint32_t misses_max;
	uint32_t penalty_s;
};

struct config_customer {
	struct document_text number;
	uint32_t value;
};

struct config_choice {
	struct document_text digit;
	struct document_text queue_name;
	uint32_t queue; /* index into queues */
};

struct config_menu {
	struct document_text prompt;
	struct config_choice *choices;
	uint32_t choices_count;
	struct document_text default_name;
	uint32_t default_queue; /* index into queues */
	uint32_t timeout_s;
	uint32_t tries;
};

struct config {
	struct document document;
	struct document_text address_text;
	struct stw_ip address;
	uint32_t sip_port;
	struct document_text interface;
	struct document_text gateway_text;
	struct stw_ip gateway; /* family 0: as the kernel's default route says */
	uint32_t driver;       /* enum config_driver */
	uint32_t relay;        /* enum config_relay */
	uint32_t relay_line;
	uint32_t rtp_first;
	uint32_t rtp_last;
	uint32_t rtp_line;
	uint32_t worker_core;
	uint32_t worker_line;
	uint32_t huge_pages; /* 0: auto, 1: no */
	uint32_t memory_mib;
	uint32_t silence_s; /* a caller who sends nothing for so long is gone; 0: never */
	bool nat;           /* take a party's media from another address than it says */
	struct document_text recording_directory;
	bool pcapng;
	bool wav;
	struct document_text journal_directory; /* text NULL: no journal */
	uint32_t journal_sync_ms;
	uint32_t journal_keep_s; /* places of callers who were lost, after a restart */
	struct document_text cdr;
	struct document_text status;
	uint32_t calls_max;
	struct config_menu menu;
	struct document_text *skills;
	uint32_t skills_count;
	bool skills_listed; /* the file lists them, so that no other name is right */
	struct config_queue *queues;
	uint32_t queues_count;
	struct config_agent *agents;
	uint32_t agents_count;
	struct config_customer *customers; /* sorted by number */
	uint32_t customers_count;
};

/* Read and check. 0, or -EINVAL: config->document.errors says why. config_free in either case. */
int config_load(struct config *config, const char *path);
void config_free(struct config *config);

/* Find by name; CONFIG_NONE when there is none. */
uint32_t config_queue_find(const struct config *config, const char *name);
uint32_t config_agent_find(const struct config *config, const char *name);

/* Value of the customer who calls from that number; 0 when it is not known. */
uint8_t config_customer_value(const struct config *config, const char *number);

/* Whether a call is recorded from the switch's answer on; queue CONFIG_NONE: a call to the menu, one of whose
 * queues may record all. */
bool config_records(const struct config *config, uint32_t queue);

/* What one class of value does to a queue's target wait: the most valued waits 1/16 of it. */
int64_t config_target_ns(const struct config_queue *queue, uint32_t value);

/* Fill in and check what one key alone does not tell; called by config_load. */
void config_check(struct config *config);

#endif
