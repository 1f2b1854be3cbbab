/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Channels: by what a contact comes. A queue is of one channel; an agent has slots per channel, and
 * a rule which channels may interrupt him in which.
 */
#ifndef STROWGER_CHANNEL_H
#define STROWGER_CHANNEL_H

#ifdef __cplusplus
extern "C" {
#endif

/** Channels of an engine. */
#define STW_CHANNEL_COUNT 8

/** Most slots of one agent, all channels together. */
#define STW_AGENT_SLOTS_MAX 16

/** The channels by number. The engine treats them all alike. */
enum stw_channel {
	STW_CHANNEL_VOICE,  /**< calls */
	STW_CHANNEL_CHAT,   /**< chats */
	STW_CHANNEL_EMAIL,  /**< e-mails */
	STW_CHANNEL_VIDEO,  /**< video sessions */
	STW_CHANNEL_TICKET, /**< tickets */
	STW_CHANNEL_HOST_5, /**< what the host likes */
	STW_CHANNEL_HOST_6, /**< what the host likes */
	STW_CHANNEL_HOST_7, /**< what the host likes */
};

#ifdef __cplusplus
}
#endif

#endif
