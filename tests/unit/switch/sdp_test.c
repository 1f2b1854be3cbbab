/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "sdp.h"

#define HEAD "v=0\r\no=x 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n"
#define TIME "t=0 0\r\n"

static struct sdp_party party;
static char text[SDP_BYTES_MAX];

static int
take(const char *description)
{
	return sdp_read(description, strlen(description), SDP_CODEC_ANY, &party);
}

static struct sdp_self
ourselves(void)
{
	struct sdp_self self = {
		.local = {{4, {192, 0, 2, 1}}, 20000},
		.id = 7,
		.version = 2,
		.codecs = 1u << STW_CODEC_PCMA,
		.audio_pt = 8,
		.event_pt = 96,
		.sends = true,
		.receives = true,
	};

	return self;
}

Test(sdp, first_known_codec_of_an_offer_is_chosen)
{
	cr_assert_eq(take(HEAD "m=audio 4000 RTP/AVP 18 8 0\r\n"), 0);
	cr_assert_eq(party.codec, STW_CODEC_PCMA);
	cr_assert_eq(party.audio_pt, 8);
	cr_assert_eq(party.event_pt, 0);
	cr_assert_eq(party.remote.port, 4000);
	cr_assert_eq(party.remote.ip.bytes[3], 7);
	cr_assert(party.sends && party.receives);
}

Test(sdp, payload_types_are_the_partys)
{
	cr_assert_eq(take(HEAD "m=audio 4000 RTP/AVP 97 96\r\na=rtpmap:97 pcmu/8000\r\n"
			       "a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\n"),
		     0);
	cr_assert_eq(party.codec, STW_CODEC_PCMU);
	cr_assert_eq(party.audio_pt, 97);
	cr_assert_eq(party.event_pt, 96);
}

Test(sdp, telephone_events_of_another_clock_are_not_ours)
{
	cr_assert_eq(take(HEAD
			  "m=audio 4000 RTP/AVP 8 96 101\r\na=rtpmap:96 telephone-event/48000\r\n"
			  "a=rtpmap:101 telephone-event/8000\r\n"),
		     0);
	cr_assert_eq(party.event_pt, 101);
}

Test(sdp, medias_own_address_and_direction_count)
{
	cr_assert_eq(take(HEAD "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 192.0.2.8\r\na=sendonly\r\n"),
		     0);
	cr_assert_eq(party.remote.ip.bytes[3], 8);
	cr_assert(party.sends);
	cr_assert_not(party.receives);
}

Test(sdp, address_0_means_hold)
{
	cr_assert_eq(take("v=0\r\no=x 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 0.0.0.0\r\n" TIME
			  "m=audio 4000 RTP/AVP 0\r\n"),
		     0);
	cr_assert_eq(party.remote.ip.family, 0);
	cr_assert_not(party.receives);
}

Test(sdp, offers_without_g711_over_plain_rtp_are_refused)
{
	cr_assert_eq(take(HEAD "m=audio 4000 RTP/AVP 18 3\r\n"), -ENOTSUP);
	cr_assert_eq(take(HEAD "m=audio 4000 RTP/SAVP 0\r\n"), -ENOTSUP);
	cr_assert_eq(take(HEAD "m=audio 0 RTP/AVP 0\r\n"), -ENOTSUP);
	cr_assert_eq(take(HEAD "m=video 4000 RTP/AVP 31\r\n"), -ENOTSUP);
	cr_assert_eq(take(HEAD "m=audio 4000 RTP/AVP 0\r\nc=IN IP6 2001:db8::1\r\n"), -ENOTSUP);
	cr_assert_eq(take(HEAD), -ENOTSUP);
}

Test(sdp, rubbish_is_no_description)
{
	cr_assert_eq(take("rubbish"), -EINVAL);
	cr_assert_eq(take(""), -EINVAL);
}

Test(sdp, failure_leaves_the_party_as_it_was)
{
	cr_assert_eq(take(HEAD "m=audio 4000 RTP/AVP 8\r\n"), 0);
	cr_assert_eq(take(HEAD "m=audio 5000 RTP/AVP 18\r\n"), -ENOTSUP);
	cr_assert_eq(party.remote.port, 4000);
}

Test(sdp, too_many_lines_are_refused)
{
	char many[1024] = HEAD;

	for (int i = 0; i < SDP_LINES_MAX; i++)
		strcat(many, "m=audio 4000 RTP/AVP 0\r\n");
	cr_assert_eq(take(many), 0);
	strcat(many, "m=audio 4000 RTP/AVP 0\r\n");
	cr_assert_eq(take(many), -ENOSPC);
}

Test(sdp, only_codecs_asked_for_are_taken_from_an_answer)
{
	const char *answer = HEAD "m=audio 4000 RTP/AVP 0 8\r\n";

	cr_assert_eq(sdp_read(answer, strlen(answer), 1u << STW_CODEC_PCMA, &party), 0);
	cr_assert_eq(party.codec, STW_CODEC_PCMA);
	answer = HEAD "m=audio 4000 RTP/AVP 0\r\n";
	cr_assert_eq(sdp_read(answer, strlen(answer), 1u << STW_CODEC_PCMA, &party), -ENOTSUP);
}

Test(sdp, offer_says_what_we_are)
{
	struct sdp_self self = ourselves();

	cr_assert_str_eq(sdp_offer(&self, text),
			 "v=0\r\no=strowger 7 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n"
			 "t=0 0\r\nm=audio 20000 RTP/AVP 8 96\r\na=rtpmap:8 PCMA/8000\r\n"
			 "a=rtpmap:96 telephone-event/8000\r\na=fmtp:96 0-15\r\na=ptime:20\r\n"
			 "a=sendrecv\r\n");
}

Test(sdp, offer_of_any_codec_has_both)
{
	struct sdp_self self = ourselves();

	self.codecs = SDP_CODEC_ANY;
	self.event_pt = 0;
	self.sends = false;
	sdp_offer(&self, text);
	cr_assert_not_null(strstr(text, "m=audio 20000 RTP/AVP 0 8\r\n"));
	cr_assert_not_null(strstr(text, "a=recvonly\r\n"));
	cr_assert_null(strstr(text, "telephone-event"));
}

Test(sdp, answer_has_the_offers_lines_and_declines_the_others)
{
	struct sdp_self self = ourselves();

	cr_assert_eq(take(HEAD "m=video 5000 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 8 96\r\n"
			       "a=rtpmap:96 telephone-event/8000\r\nm=image 6000 udptl t38\r\n"),
		     0);
	sdp_answer(&self, &party, text);
	cr_assert_not_null(
		strstr(text, "t=0 0\r\nm=video 0 RTP/AVP 31\r\nm=audio 20000 RTP/AVP 8 96\r\n"),
		"it says: %s", text);
	cr_assert_not_null(strstr(text, "a=sendrecv\r\nm=image 0 udptl t38\r\n"), "it says: %s",
			   text);
}

Test(sdp, what_is_written_can_be_read)
{
	struct sdp_self self = ourselves();

	cr_assert_eq(take(sdp_offer(&self, text)), 0);
	cr_assert_eq(party.remote.port, 20000);
	cr_assert_eq(party.audio_pt, 8);
	cr_assert_eq(party.event_pt, 96);
}
