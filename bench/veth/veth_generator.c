/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both parties of many calls, on kernel sockets: one socket sends for all callers, one for all
 * agents, and each receives what the relay sends on from the others. Which call a packet belongs to
 * is written in it, so lost, doubled and overtaken packets are counted stream by stream.
 *
 *   generator ADDRESS CALLER_PORT AGENT_PORT CPU
 *
 * Speaks one line at a time with the driver:
 *   calls RELAY_ADDRESS FILE       a line of FILE per call: the relay's port for the caller and the agent
 *   latch                          a packet to each port, at a gentle rate, so that sources are learnt
 *   run PACKETS_PER_SECOND MS      answered by: run SENT RECEIVED DOUBLED OVERTAKEN LATE_PPM P50 P99 P999
 *                                  LOST_STREAMS, times in microseconds. LATE_PPM says how far the sending
 *                                  took longer than asked: then the generator, not the relay, is the limit.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../latency.h"
#include "../rounds.h"

#define CALLS_MAX     60000
#define BATCH         32
#define PAYLOAD_BYTES 160
#define RTP_BYTES     12
#define PACKET_BYTES  (RTP_BYTES + PAYLOAD_BYTES)

/* Milliseconds without a packet after which nothing more is expected. */
#define QUIET_MS 200

/* What stands in the payload, in this machine's order. */
struct mark {
	uint64_t sent_ns;
	uint32_t trial;
	uint32_t stream;
	uint32_t number; /* of the stream in the trial, from 0 */
};

struct stream {
	struct sockaddr_in to;
	uint32_t sent;     /* in this trial */
	uint32_t expected; /* next number, in this trial */
	uint32_t received;
	uint16_t sequence;
	uint32_t timestamp;
};

struct generator {
	int sockets[2];
	struct stream *streams; /* two a call: the caller's, the agent's */
	uint32_t streams_count;
	uint32_t trial;
	uint32_t next;
	uint64_t doubled;
	uint64_t overtaken;
	uint64_t received;
	struct latency latency;
};

static struct {
	uint8_t bytes[BATCH][PACKET_BYTES];
	struct iovec vectors[BATCH];
	struct mmsghdr messages[BATCH];
} out[2], in;

static void
cpu_pin(const char *cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(atoi(cpu), &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) < 0)
		rounds_die("CPU %s: %s", cpu, strerror(errno));
}

static int
socket_open(const char *address, const char *port)
{
	struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), bytes = 64 << 20;

	if (inet_pton(AF_INET, address, &local.sin_addr) != 1)
		rounds_die("'%s' is no address", address);
	if (fd < 0 || bind(fd, (struct sockaddr *)&local, sizeof(local)) < 0)
		rounds_die("%s:%s: %s", address, port, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	return fd;
}

static void
messages_init(void)
{
	for (unsigned i = 0; i < BATCH; i++) {
		for (unsigned side = 0; side < 2; side++) {
			out[side].vectors[i] = (struct iovec){out[side].bytes[i], PACKET_BYTES};
			out[side].messages[i].msg_hdr = (struct msghdr){
				.msg_namelen = sizeof(struct sockaddr_in),
				.msg_iov = &out[side].vectors[i],
				.msg_iovlen = 1,
			};
		}
		in.vectors[i] = (struct iovec){in.bytes[i], PACKET_BYTES};
		in.messages[i].msg_hdr =
			(struct msghdr){.msg_iov = &in.vectors[i], .msg_iovlen = 1};
	}
}

/* Fill a packet of the next stream; streams of callers and agents take turns. */
static unsigned
packet_fill(struct generator *generator, unsigned filled[2], uint64_t now_ns)
{
	uint32_t index = generator->next;
	struct stream *stream = &generator->streams[index];
	unsigned side = index & 1, at = filled[side]++;
	uint8_t *bytes = out[side].bytes[at];
	struct mark mark = {now_ns, generator->trial, index, stream->sent++};
	uint16_t sequence = htons(stream->sequence++);
	uint32_t timestamp = htonl(stream->timestamp), ssrc = htonl(0x10000 + index);

	stream->timestamp += PAYLOAD_BYTES;
	bytes[0] = 0x80;
	bytes[1] = 0;
	memcpy(bytes + 2, &sequence, 2);
	memcpy(bytes + 4, &timestamp, 4);
	memcpy(bytes + 8, &ssrc, 4);
	memcpy(bytes + RTP_BYTES, &mark, sizeof(mark));
	out[side].messages[at].msg_hdr.msg_name = &stream->to;
	if (++generator->next == generator->streams_count)
		generator->next = 0;
	return side;
}

static void
send_all(int fd, struct mmsghdr *messages, unsigned count)
{
	unsigned sent = 0;

	while (sent < count) {
		int done = sendmmsg(fd, messages + sent, count - sent, 0);

		if (done > 0)
			sent += (unsigned)done;
		else if (errno != EAGAIN && errno != ENOBUFS && errno != EINTR &&
			 errno != ECONNREFUSED)
			rounds_die("sendmmsg: %s", strerror(errno));
	}
}

static void
batch_send(struct generator *generator, unsigned count)
{
	unsigned filled[2] = {0, 0};
	uint64_t now_ns = rounds_now_ns();

	for (unsigned i = 0; i < count; i++)
		packet_fill(generator, filled, now_ns);
	for (unsigned side = 0; side < 2; side++)
		send_all(generator->sockets[side], out[side].messages, filled[side]);
}

static void
packet_note(struct generator *generator, const uint8_t *bytes, unsigned length, uint64_t now_ns)
{
	struct stream *stream;
	struct mark mark;

	if (length < RTP_BYTES + sizeof(mark))
		return;
	memcpy(&mark, bytes + RTP_BYTES, sizeof(mark));
	if (mark.trial != generator->trial || mark.stream >= generator->streams_count)
		return;
	stream = &generator->streams[mark.stream];
	generator->received++;
	stream->received++;
	latency_add(&generator->latency, now_ns - mark.sent_ns);
	if (mark.number + 1 == stream->expected)
		generator->doubled++;
	else if (mark.number < stream->expected)
		generator->overtaken++;
	else
		stream->expected = mark.number + 1;
}

/* Take what has come to a socket; number of packets. */
static unsigned
receive_some(struct generator *generator, unsigned side)
{
	int count = recvmmsg(generator->sockets[side], in.messages, BATCH, MSG_DONTWAIT, NULL);
	uint64_t now_ns = rounds_now_ns();

	for (int i = 0; i < count; i++)
		packet_note(generator, in.bytes[i], in.messages[i].msg_len, now_ns);
	return count > 0 ? (unsigned)count : 0;
}

static void
receive_rest(struct generator *generator)
{
	uint64_t quiet_ns = rounds_now_ns();

	while (rounds_now_ns() - quiet_ns < QUIET_MS * UINT64_C(1000000)) {
		if (receive_some(generator, 0) + receive_some(generator, 1))
			quiet_ns = rounds_now_ns();
	}
}

/* Send at a rate; parts per million that it took longer than asked. */
static uint64_t
send_at_rate(struct generator *generator, double per_second, uint64_t total)
{
	uint64_t start_ns = rounds_now_ns(), planned_ns, took_ns;
	unsigned batch = per_second < 20000 ? 1 : BATCH;

	for (uint64_t sent = 0; sent < total;) {
		unsigned count = total - sent < batch ? (unsigned)(total - sent) : batch;
		uint64_t due_ns = start_ns + (uint64_t)((double)sent * 1e9 / per_second);

		while (rounds_now_ns() < due_ns) {
			receive_some(generator, 0);
			receive_some(generator, 1);
		}
		batch_send(generator, count);
		sent += count;
		receive_some(generator, sent / batch & 1);
	}
	took_ns = rounds_now_ns() - start_ns;
	planned_ns = (uint64_t)((double)total * 1e9 / per_second);
	return took_ns > planned_ns ? (took_ns - planned_ns) * 1000000 / planned_ns : 0;
}

static void
trial_begin(struct generator *generator)
{
	generator->trial++;
	generator->received = generator->doubled = generator->overtaken = 0;
	memset(&generator->latency, 0, sizeof(generator->latency));
	for (uint32_t i = 0; i < generator->streams_count; i++) {
		struct stream *stream = &generator->streams[i];

		stream->sent = stream->expected = stream->received = 0;
	}
}

static void
answer_run(struct generator *generator, double per_second, double ms)
{
	uint64_t total = (uint64_t)(per_second * ms / 1000), late_ppm;
	uint32_t short_streams = 0;

	trial_begin(generator);
	late_ppm = send_at_rate(generator, per_second, total);
	receive_rest(generator);
	for (uint32_t i = 0; i < generator->streams_count; i++)
		short_streams += generator->streams[i].received < generator->streams[i].sent;
	printf("run %llu %llu %llu %llu %llu %.1f %.1f %.1f %u\n", (unsigned long long)total,
	       (unsigned long long)generator->received, (unsigned long long)generator->doubled,
	       (unsigned long long)generator->overtaken, (unsigned long long)late_ppm,
	       latency_share_us(&generator->latency, 0.5),
	       latency_share_us(&generator->latency, 0.99),
	       latency_share_us(&generator->latency, 0.999), short_streams);
}

static void
answer_calls(struct generator *generator, const char *address, const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned caller, agent;

	if (!file)
		rounds_die("%s: %s", path, strerror(errno));
	generator->streams_count = 0;
	generator->next = 0;
	while (fscanf(file, "%u %u", &caller, &agent) == 2) {
		struct stream *pair = &generator->streams[generator->streams_count];

		if (generator->streams_count == 2 * CALLS_MAX)
			rounds_die("more than %u calls", CALLS_MAX);
		for (unsigned side = 0; side < 2; side++) {
			pair[side] = (struct stream){
				.to = {.sin_family = AF_INET,
				       .sin_port = htons((uint16_t)(side ? agent : caller))}};
			inet_pton(AF_INET, address, &pair[side].to.sin_addr);
		}
		generator->streams_count += 2;
	}
	fclose(file);
	printf("calls %u\n", generator->streams_count / 2);
}

/* Twice, as what comes before both sources are known may be dropped. */
static void
answer_latch(struct generator *generator)
{
	for (unsigned i = 0; i < 2; i++) {
		trial_begin(generator);
		send_at_rate(generator, 10000, generator->streams_count);
		receive_rest(generator);
	}
	printf("latch %llu\n", (unsigned long long)generator->received);
}

static void
answer(struct generator *generator, char *line)
{
	char address[64], path[512];
	double per_second, ms;

	if (sscanf(line, "calls %63s %511s", address, path) == 2)
		answer_calls(generator, address, path);
	else if (!strncmp(line, "latch", 5))
		answer_latch(generator);
	else if (sscanf(line, "run %lf %lf", &per_second, &ms) == 2 && per_second >= 1)
		answer_run(generator, per_second, ms);
	else
		rounds_die("what is '%s'?", line);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct generator generator = {0};
	char line[1024];

	if (argc != 5)
		rounds_die("usage: %s ADDRESS CALLER_PORT AGENT_PORT CPU", argv[0]);
	cpu_pin(argv[4]);
	generator.streams = calloc(2 * CALLS_MAX, sizeof(*generator.streams));
	if (!generator.streams)
		rounds_die("no memory");
	generator.sockets[0] = socket_open(argv[1], argv[2]);
	generator.sockets[1] = socket_open(argv[1], argv[3]);
	messages_init();
	printf("ready\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) && strncmp(line, "quit", 4) != 0)
		answer(&generator, line);
	free(generator.streams);
	return 0;
}
