/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading is done by sofia's parser, which has met the descriptions of the world; writing is ours.
 */
#include "sdp.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <sofia-sip/sdp.h>
#include <sofia-sip/su_alloc.h>

static const char *const codec_names[] = {[STW_CODEC_PCMU] = "PCMU", [STW_CODEC_PCMA] = "PCMA"};
static const uint8_t codec_pts[] = {[STW_CODEC_PCMU] = 0, [STW_CODEC_PCMA] = 8};

#define CODECS (sizeof(codec_names) / sizeof(codec_names[0]))

static void
copy(char *to, size_t bytes, const char *from)
{
	snprintf(to, bytes, "%s", from ? from : "x");
}

static void
read_line(const sdp_media_t *media, struct sdp_line *line)
{
	copy(line->media, sizeof(line->media), media->m_type_name);
	copy(line->protocol, sizeof(line->protocol), media->m_proto_name);
	if (media->m_rtpmaps)
		snprintf(line->format, sizeof(line->format), "%u", media->m_rtpmaps->rm_pt);
	else
		copy(line->format, sizeof(line->format),
		     media->m_format ? media->m_format->l_text : "0");
}

/* Choose the codec that the line lists first; take the telephone events at our clock rate. */
static bool
read_codecs(const sdp_media_t *media, uint32_t codecs, struct sdp_party *party)
{
	const sdp_rtpmap_t *map;
	bool found = false;

	for (map = media->m_rtpmaps; map; map = map->rm_next) {
		if (map->rm_rate != 8000)
			continue;
		if (!strcasecmp(map->rm_encoding, "telephone-event") && !party->event_pt)
			party->event_pt = (uint8_t)map->rm_pt;
		for (uint32_t codec = 0; codec < CODECS && !found; codec++) {
			if (!(codecs & 1u << codec) ||
			    strcasecmp(map->rm_encoding, codec_names[codec]) != 0)
				continue;
			found = true;
			party->codec = (enum stw_codec)codec;
			party->audio_pt = (uint8_t)map->rm_pt;
		}
	}
	return found;
}

static bool
read_audio(const sdp_session_t *session, const sdp_media_t *media, uint32_t codecs,
	   struct sdp_party *party)
{
	const sdp_connection_t *where =
		media->m_connections ? media->m_connections : session->sdp_connection;

	if (media->m_type != sdp_media_audio || media->m_proto != sdp_proto_rtp ||
	    media->m_rejected || media->m_port == 0 || media->m_port > 65535)
		return false;
	if (!where || where->c_addrtype != sdp_addr_ip4 || where->c_mcast ||
	    !read_codecs(media, codecs, party))
		return false;
	party->sends = (media->m_mode & sdp_sendonly) != 0;
	party->receives = (media->m_mode & sdp_recvonly) != 0;
	/* An old way to say hold, RFC 3264 8.4. */
	if (!strcmp(where->c_address, "0.0.0.0")) {
		party->receives = false;
		return true;
	}
	if (stw_ip_parse(where->c_address, &party->remote.ip) != 0)
		return false;
	party->remote.port = (uint16_t)media->m_port;
	return true;
}

static int
read_session(const sdp_session_t *session, uint32_t codecs, struct sdp_party *party)
{
	const sdp_media_t *media;
	bool found = false;

	for (media = session->sdp_media; media; media = media->m_next) {
		if (party->lines_count == SDP_LINES_MAX)
			return -ENOSPC;
		if (!found && read_audio(session, media, codecs, party)) {
			found = true;
			party->audio_line = party->lines_count;
		} else if (!found) {
			party->event_pt = 0;
		}
		read_line(media, &party->lines[party->lines_count++]);
	}
	return found ? 0 : -ENOTSUP;
}

int
sdp_read(const char *text, size_t bytes, uint32_t codecs, struct sdp_party *party)
{
	struct sdp_party read;
	sdp_session_t *session;
	sdp_parser_t *parser;
	su_home_t home[1] = {SU_HOME_INIT(home)};
	int error = -EINVAL;

	memset(&read, 0, sizeof(read));
	su_home_init(home);
	parser = sdp_parse(home, text, (issize_t)bytes, 0);
	session = sdp_session(parser);
	if (session)
		error = read_session(session, codecs, &read);
	sdp_parser_free(parser);
	su_home_deinit(home);
	if (error == 0)
		*party = read;
	return error;
}

static void __attribute__((format(printf, 2, 3)))
add(char text[SDP_BYTES_MAX], const char *format, ...)
{
	size_t used = strlen(text);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text + used, SDP_BYTES_MAX - used, format, arguments);
	va_end(arguments);
}

static void
add_head(const struct sdp_self *self, char text[SDP_BYTES_MAX])
{
	char ip[STW_ADDRESS_TEXT_BYTES];

	stw_ip_text(&self->local.ip, ip);
	text[0] = '\0';
	add(text, "v=0\r\no=strowger %llu %llu IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n",
	    (unsigned long long)self->id, (unsigned long long)self->version, ip, ip);
}

static void
add_audio(const struct sdp_self *self, char text[SDP_BYTES_MAX])
{
	static const char *const modes[] = {"inactive", "sendonly", "recvonly", "sendrecv"};
	bool one = (self->codecs & (self->codecs - 1)) == 0;
	uint32_t codec;

	add(text, "m=audio %u RTP/AVP", self->local.port);
	for (codec = 0; codec < CODECS; codec++)
		if (self->codecs & 1u << codec)
			add(text, " %u", one ? self->audio_pt : codec_pts[codec]);
	if (self->event_pt)
		add(text, " %u", self->event_pt);
	add(text, "\r\n");
	for (codec = 0; codec < CODECS; codec++)
		if (self->codecs & 1u << codec)
			add(text, "a=rtpmap:%u %s/8000\r\n",
			    one ? self->audio_pt : codec_pts[codec], codec_names[codec]);
	if (self->event_pt)
		add(text, "a=rtpmap:%u telephone-event/8000\r\na=fmtp:%u 0-15\r\n", self->event_pt,
		    self->event_pt);
	add(text, "a=ptime:20\r\na=%s\r\n", modes[self->sends + 2 * self->receives]);
}

const char *
sdp_offer(const struct sdp_self *self, char text[SDP_BYTES_MAX])
{
	add_head(self, text);
	add_audio(self, text);
	return text;
}

const char *
sdp_answer(const struct sdp_self *self, const struct sdp_party *party, char text[SDP_BYTES_MAX])
{
	add_head(self, text);
	for (uint32_t i = 0; i < party->lines_count; i++) {
		const struct sdp_line *line = &party->lines[i];

		if (i == party->audio_line)
			add_audio(self, text);
		else
			add(text, "m=%s 0 %s %s\r\n", line->media, line->protocol, line->format);
	}
	return text;
}
