/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two questions by generic netlink: the number of the family "netdev", and a device's features.
 */
#include "xdp_features.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_WAIT_US 200000
#define ANSWER_BYTES   4096

/* Of linux/netdev.h, which Debian 12 does not have yet. */
#define NETDEV_FAMILY       "netdev"
#define NETDEV_DEV_GET      1
#define NETDEV_IFINDEX      1
#define NETDEV_XDP_FEATURES 3
#define NETDEV_XDP_NDO_XMIT (UINT64_C(1) << 2)

/* A question with one attribute. */
struct question {
	struct nlmsghdr header;
	struct genlmsghdr generic;
	struct nlattr attribute;
	uint8_t value[GENL_NAMSIZ];
};

union answer {
	struct nlmsghdr header;
	uint8_t bytes[ANSWER_BYTES];
};

static void
question_make(struct question *question, uint16_t family, uint8_t command, uint16_t attribute,
	      const void *value, size_t bytes)
{
	memset(question, 0, sizeof(*question));
	memcpy(question->value, value, bytes);
	question->attribute.nla_type = attribute;
	question->attribute.nla_len = (uint16_t)(NLA_HDRLEN + bytes);
	question->generic.cmd = command;
	question->generic.version = 1;
	question->header.nlmsg_type = family;
	question->header.nlmsg_flags = NLM_F_REQUEST;
	question->header.nlmsg_len =
		(uint32_t)(NLMSG_LENGTH(GENL_HDRLEN) + NLA_ALIGN(NLA_HDRLEN + bytes));
}

/* Find an attribute of an answer and copy it; false when it is not there, or of another size. */
static int
attribute_find(const union answer *answer, uint16_t type, void *value, size_t bytes)
{
	size_t at = NLMSG_LENGTH(GENL_HDRLEN), end = answer->header.nlmsg_len;
	struct nlattr attribute;

	while (at + NLA_HDRLEN <= end) {
		memcpy(&attribute, answer->bytes + at, sizeof(attribute));
		if (attribute.nla_len < NLA_HDRLEN || at + attribute.nla_len > end)
			return 0;
		if ((attribute.nla_type & NLA_TYPE_MASK) == type) {
			if (attribute.nla_len != NLA_HDRLEN + bytes)
				return 0;
			memcpy(value, answer->bytes + at + NLA_HDRLEN, bytes);
			return 1;
		}
		at += NLA_ALIGN(attribute.nla_len);
	}
	return 0;
}

/* Ask, and find an attribute in the answer. */
static int
ask(int fd, const struct question *question, uint16_t type, void *value, size_t bytes)
{
	union answer answer;
	ssize_t got;

	if (send(fd, question, question->header.nlmsg_len, 0) < 0)
		return 0;
	got = recv(fd, &answer, sizeof(answer), 0);
	return got >= (ssize_t)NLMSG_LENGTH(GENL_HDRLEN) &&
	       answer.header.nlmsg_len <= (size_t)got &&
	       answer.header.nlmsg_type == question->header.nlmsg_type &&
	       attribute_find(&answer, type, value, bytes);
}

int
xdp_sends_redirected(int ifindex)
{
	const struct timeval wait = {.tv_usec = ANSWER_WAIT_US};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	uint32_t index = (uint32_t)ifindex;
	struct question question;
	uint64_t features = 0;
	uint16_t family = 0;
	int answered;

	if (fd < 0)
		return -ENOTSUP;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	question_make(&question, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME,
		      NETDEV_FAMILY, sizeof(NETDEV_FAMILY));
	answered = ask(fd, &question, CTRL_ATTR_FAMILY_ID, &family, sizeof(family));
	if (answered) {
		question_make(&question, family, NETDEV_DEV_GET, NETDEV_IFINDEX, &index,
			      sizeof(index));
		answered = ask(fd, &question, NETDEV_XDP_FEATURES, &features, sizeof(features));
	}
	close(fd);
	if (!answered)
		return -ENOTSUP;
	return (features & NETDEV_XDP_NDO_XMIT) != 0;
}
