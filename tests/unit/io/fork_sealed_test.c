/* SPDX-License-Identifier: BSD-3-Clause */
/* Encrypted forks hold what plain ones hold; the tool reads them. Pauses in files. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "media/plane.h"
#include "wire_suite.h"

static struct wire wire;
static struct call call;
static char directory[] = "/tmp/stw-sealed-XXXXXX";
static const uint8_t key[STW_FORK_KEY_BYTES] = "another key of thirty-two bytes";

/* Path of a file of the test. */
static const char *
path_of(const char *name)
{
	static char paths[4][128];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
	return path;
}

static void
open_wire(void)
{
	FILE *file;

	wire_begin(&wire);
	wire_call_latched(&wire, &call);
	cr_assert_not_null(mkdtemp(directory));
	file = fopen(path_of("key"), "wb");
	for (unsigned i = 0; i < sizeof(key); i++)
		fprintf(file, "%02x", key[i]);
	fputc('\n', file);
	fclose(file);
}

static void
close_wire(void)
{
	char command[160];

	while (stw_media_record(wire.media, 1000) > 0)
		continue;
	wire_poll(&wire);
	plane_check(wire.media);
	wire_close(&wire);
	stw_eal_stop();
	snprintf(command, sizeof(command), "rm -r %s", directory);
	cr_assert_eq(system(command), 0);
}

TestSuite(fork_sealed, .init = open_wire, .fini = close_wire);

static struct stw_fork
file_fork(enum stw_fork_kind kind, const char *name, const uint8_t *with)
{
	struct stw_fork_config config = STW_FORK_CONFIG_INIT;
	struct stw_fork fork;

	config.kind = kind;
	config.path = path_of(name);
	config.key = with;
	cr_assert_eq(stw_fork_add(wire.media, call.session, &config, wire.now_ns, &fork), 0);
	return fork;
}

/* Both speak for so many packets. */
static void
talk(uint16_t first, uint16_t packets)
{
	struct frame frame;

	for (uint16_t i = first; i < first + packets; i++) {
		wire.now_ns += 20 * WIRE_MS;
		wire_rtp(&frame, &wire_caller, &call.caller_local, 0, i, 160u * i);
		wire_give(&wire, 0, &frame);
		wire_rtp(&frame, &wire_agent, &call.agent_local, 0, i, 160u * i);
		wire_give(&wire, 1, &frame);
		wire_poll(&wire);
		stw_media_record(wire.media, 100);
		wire_drop_sent(&wire);
	}
}

static void
forks_end(void)
{
	cr_assert_eq(stw_session_remove(wire.media, call.session, wire.now_ns), 0);
	while (stw_media_record(wire.media, 1000) > 0)
		continue;
	cr_assert_eq(wire_stats(&wire).forks, 0);
}

static size_t
file_read(const char *name, uint8_t *bytes, size_t size)
{
	FILE *file = fopen(path_of(name), "rb");
	size_t count;

	cr_assert_not_null(file, "%s", name);
	count = fread(bytes, 1, size, file);
	fclose(file);
	return count;
}

/* Run the tool; its status. */
static int
decrypt(const char *name, const char *rest)
{
	char command[600];
	int status;

	snprintf(command, sizeof(command), "%s %s %s %s 2>>%s", DECRYPT_PROGRAM, path_of("key"),
		 path_of(name), rest, path_of("told"));
	status = system(command);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Bytes before the packets of a pcapng file: DPDK leaves what was on the stack between its options. */
static size_t
beginning_of(const uint8_t *file, size_t bytes)
{
	uint32_t block[2] = {0};
	size_t place = 0;

	memcpy(block, file, sizeof(block));
	if (block[0] != 0x0a0d0d0a)
		return 0;
	while (place + sizeof(block) <= bytes && block[0] != 6) {
		place += block[1];
		memcpy(block, file + place, sizeof(block));
	}
	return place;
}

static void
same(const char *one, const char *other)
{
	static uint8_t bytes[2][2000000];
	size_t count = file_read(one, bytes[0], sizeof(bytes[0]));

	cr_assert_gt(count, 1000);
	cr_assert_eq(file_read(other, bytes[1], sizeof(bytes[1])), count, "%s %s", one, other);
	for (size_t at = beginning_of(bytes[0], count); at < count; at++)
		cr_assert_eq(bytes[0][at], bytes[1][at],
			     "%s and %s differ at byte %zu of %zu: %u %u", one, other, at, count,
			     bytes[0][at], bytes[1][at]);
}

static void
sealed_is_plain(enum stw_fork_kind kind)
{
	file_fork(kind, "plain", NULL);
	file_fork(kind, "sealed", key);
	talk(10, 300);
	/* Longer than the window of a WAV file: zeros in the file. */
	wire.now_ns += 10000 * WIRE_MS;
	talk(10 + 300 + 500, 100);
	forks_end();
	cr_assert_eq(decrypt("sealed", path_of("opened")), 0);
	same("plain", "opened");
	cr_assert_eq(decrypt("sealed", "> /dev/null"), 0);
}

Test(fork_sealed, wav_is_byte_by_byte_that_of_a_plain_fork)
{
	char rest[200];

	sealed_is_plain(STW_FORK_WAV);
	snprintf(rest, sizeof(rest), "- > %s", path_of("piped"));
	cr_assert_eq(decrypt("sealed", rest), 0);
	same("plain", "piped");
}

Test(fork_sealed, pcapng_is_byte_by_byte_that_of_a_plain_fork)
{
	sealed_is_plain(STW_FORK_PCAPNG);
}

Test(fork_sealed, tool_tells_cut_changed_and_foreign_files)
{
	static uint8_t bytes[2000000];
	size_t count;
	FILE *file;

	file_fork(STW_FORK_PCAPNG, "sealed", key);
	talk(10, 300);
	forks_end();
	count = file_read("sealed", bytes, sizeof(bytes));
	file = fopen(path_of("cut"), "wb");
	fwrite(bytes, 1, count - 10, file);
	fclose(file);
	cr_assert_eq(decrypt("cut", path_of("cut.pcapng")), 2);
	cr_assert_gt(file_read("cut.pcapng", bytes, sizeof(bytes)), 16384);
	count = file_read("sealed", bytes, sizeof(bytes));
	bytes[count / 2] ^= 1;
	file = fopen(path_of("changed"), "wb");
	fwrite(bytes, 1, count, file);
	fclose(file);
	cr_assert_eq(decrypt("changed", path_of("changed.pcapng")), 3);
	cr_assert_eq(decrypt("key", path_of("foreign")), 1);
	cr_assert_neq(access(path_of("foreign"), F_OK), 0);
	cr_assert_eq(decrypt("nowhere", path_of("foreign")), 1);
	cr_assert_eq(decrypt("sealed", path_of("cut.pcapng")), 1, "what is there is not touched");
	file = fopen(path_of("key"), "wb");
	fwrite(bytes, 1, 32, file);
	fclose(file);
	cr_assert_eq(decrypt("sealed", path_of("foreign")), 1, "another key");
	cr_assert_neq(access(path_of("foreign"), F_OK), 0);
}

Test(fork_sealed, pause_is_silence_of_its_length_in_wav)
{
	static uint8_t bytes[2000000];
	struct stw_fork fork = file_fork(STW_FORK_WAV, "paused", NULL);
	struct stw_fork_stats stats;
	size_t count, loud = 0;

	talk(10, 50);
	cr_assert_eq(stw_fork_pause(wire.media, fork, 1), 0);
	talk(60, 100);
	cr_assert_eq(stw_fork_pause(wire.media, fork, 0), 0);
	talk(160, 50);
	stw_fork_stats(wire.media, fork, &stats);
	cr_assert_eq(stats.packets, 200);
	cr_assert_eq(stats.packets_paused, 200);
	cr_assert_eq(stats.packets_dropped, 0);
	forks_end();
	count = file_read("paused", bytes, sizeof(bytes));
	cr_assert_geq(count, 44 + 200 * 160 * 4);
	cr_assert_leq(count, 44 + 201 * 160 * 4);
	/* Packet n of the first ones begins 20 ms after the fork was added. */
	for (size_t at = 44 + 51 * 160 * 4; at < 44 + 151 * 160 * 4; at++)
		cr_assert_eq(bytes[at], 0, "byte %zu", at);
	for (size_t at = 44 + 160 * 4; at < 44 + 51 * 160 * 4; at++)
		loud += bytes[at] != 0;
	cr_assert_gt(loud, 50 * 160 * 2);
	for (size_t at = 44 + 151 * 160 * 4; at < count; at++)
		loud += bytes[at] != 0;
	cr_assert_gt(loud, 100 * 160 * 2);
}
