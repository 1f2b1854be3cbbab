/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Both parties of many calls, on kernel sockets: one socket sends for all callers, one for all
 * agents, and each receives what the relay sends on from the others. Which call a packet belongs to
 * is written in it, so lost, doubled and overtaken packets are counted stream by stream.
 *
 *   generator ADDRESS CALLER_PORT AGENT_PORT CPU
 *
 * Speaks one line at a time with the driver:
 *   calls FILE                     a line of FILE per call: the relay's address and port for the caller, and
 *                                  those for the agent
 *   straight N NAMESPACE ADDRESS   N calls without a relay: what would go to it goes to two sockets of this
 *                                  program in that network namespace, at that address
 *   latch [PACKETS_PER_SECOND]     a packet to each port, at a gentle rate, so that sources are learnt
 *   run PACKETS_PER_SECOND MS      answered by: run SENT RECEIVED DOUBLED OVERTAKEN LATE_PPM P50 P99 P999
 *                                  LOST_STREAMS, times in microseconds. LATE_PPM says how far the sending
 *                                  took longer than asked: then the generator, not the relay, is the limit.
 *   pace PACKETS_PER_SECOND MS     as run, but sleeps whenever nothing is to be sent, so that the core's time
 *                                  tells of work; delays are those of its sleep
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "../latency.h"
#include "../rounds.h"

#define CALLS_MAX     60000
#define BATCH         32
#define PAYLOAD_BYTES 160
#define STRAIGHT_PORT 7000 /* and the next */
#define RTP_BYTES     12
#define PACKET_BYTES  (RTP_BYTES + PAYLOAD_BYTES)

/* Milliseconds without a packet after which nothing more is expected. */
#define QUIET_MS 200

/* Packets a second of a latch. */
#define LATCH_RATE 10000

/* Above, packets are sent in batches. */
#define SINGLE_RATE 20000

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
	int sockets[2];         /* that send */
	int receivers[2];       /* the same, unless there is no relay */
	bool sleeps;            /* while nothing is to be sent */
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
socket_open(const char *address, uint16_t port)
{
	struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), bytes = 64 << 20;

	if (inet_pton(AF_INET, address, &local.sin_addr) != 1)
		rounds_die("'%s' is no address", address);
	if (fd < 0 || bind(fd, (struct sockaddr *)&local, sizeof(local)) < 0)
		rounds_die("%s:%u: %s", address, port, strerror(errno));
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
	int count = recvmmsg(generator->receivers[side], in.messages, BATCH, MSG_DONTWAIT, NULL);
	uint64_t now_ns = rounds_now_ns();

	for (int i = 0; i < count; i++)
		packet_note(generator, in.bytes[i], in.messages[i].msg_len, now_ns);
	return count > 0 ? (unsigned)count : 0;
}

static void
sleep_until(uint64_t due_ns)
{
	struct timespec due = {.tv_sec = (time_t)(due_ns / 1000000000),
			       .tv_nsec = (long)(due_ns % 1000000000)};

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

static void
receive_rest(struct generator *generator)
{
	uint64_t quiet_ns = rounds_now_ns();

	while (rounds_now_ns() - quiet_ns < QUIET_MS * UINT64_C(1000000)) {
		if (receive_some(generator, 0) + receive_some(generator, 1))
			quiet_ns = rounds_now_ns();
		else if (generator->sleeps)
			rounds_sleep_ms(1);
	}
}

/* Until it is time to send: take what comes, or take all that has come and sleep. */
static void
receive_until(struct generator *generator, uint64_t due_ns)
{
	while (rounds_now_ns() < due_ns) {
		if (receive_some(generator, 0) + receive_some(generator, 1) == 0 &&
		    generator->sleeps)
			sleep_until(due_ns);
	}
}

/* Send at a rate; parts per million that it took longer than asked. */
static uint64_t
send_at_rate(struct generator *generator, double per_second, uint64_t total)
{
	uint64_t start_ns = rounds_now_ns(), planned_ns, took_ns;
	unsigned batch = per_second < SINGLE_RATE ? 1 : BATCH;

	for (uint64_t sent = 0; sent < total;) {
		unsigned count = total - sent < batch ? (unsigned)(total - sent) : batch;
		uint64_t due_ns = start_ns + (uint64_t)((double)sent * 1e9 / per_second);

		receive_until(generator, due_ns);
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
answer_run(struct generator *generator, const char *word, double per_second, double ms)
{
	uint64_t total = (uint64_t)(per_second * ms / 1000), late_ppm;
	uint32_t short_streams = 0;

	trial_begin(generator);
	generator->sleeps = strcmp(word, "pace") == 0;
	late_ppm = send_at_rate(generator, per_second, total);
	receive_rest(generator);
	generator->sleeps = false;
	for (uint32_t i = 0; i < generator->streams_count; i++)
		short_streams += generator->streams[i].received < generator->streams[i].sent;
	printf("%s %llu %llu %llu %llu %llu %.1f %.1f %.1f %u\n", word, (unsigned long long)total,
	       (unsigned long long)generator->received, (unsigned long long)generator->doubled,
	       (unsigned long long)generator->overtaken, (unsigned long long)late_ppm,
	       latency_share_us(&generator->latency, 0.5),
	       latency_share_us(&generator->latency, 0.99),
	       latency_share_us(&generator->latency, 0.999), short_streams);
}

static struct stream
stream_to(const char *address, unsigned port)
{
	struct stream stream = {.to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}};

	if (inet_pton(AF_INET, address, &stream.to.sin_addr) != 1)
		rounds_die("'%s' is no address", address);
	return stream;
}

/* From now on packets come back to the parties' sockets. */
static void
calls_begin(struct generator *generator)
{
	generator->streams_count = 0;
	generator->next = 0;
	for (unsigned side = 0; side < 2; side++) {
		if (generator->receivers[side] != generator->sockets[side])
			close(generator->receivers[side]);
		generator->receivers[side] = generator->sockets[side];
	}
}

static void
call_add(struct generator *generator, struct stream caller, struct stream agent)
{
	if (generator->streams_count == 2 * CALLS_MAX)
		rounds_die("more than %u calls", CALLS_MAX);
	generator->streams[generator->streams_count++] = caller;
	generator->streams[generator->streams_count++] = agent;
}

static void
answer_calls(struct generator *generator, const char *path)
{
	FILE *file = fopen(path, "r");
	char addresses[2][64];
	unsigned ports[2];

	if (!file)
		rounds_die("%s: %s", path, strerror(errno));
	calls_begin(generator);
	while (fscanf(file, "%63s %u %63s %u", addresses[0], &ports[0], addresses[1], &ports[1]) ==
	       4)
		call_add(generator, stream_to(addresses[0], ports[0]),
			 stream_to(addresses[1], ports[1]));
	fclose(file);
	printf("calls %u\n", generator->streams_count / 2);
}

/* Enter a network namespace; the descriptor of the one before. */
static int
namespace_enter(const char *path)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int there = open(path, O_RDONLY | O_CLOEXEC);

	if (home < 0 || there < 0 || setns(there, CLONE_NEWNET) < 0)
		rounds_die("%s: %s", path, strerror(errno));
	close(there);
	return home;
}

static void
answer_straight(struct generator *generator, unsigned count, const char *namespace,
		const char *address)
{
	char path[128];
	int home;

	snprintf(path, sizeof(path), "/run/netns/%s", namespace);
	calls_begin(generator);
	home = namespace_enter(path);
	for (unsigned side = 0; side < 2; side++)
		generator->receivers[side] = socket_open(address, (uint16_t)(STRAIGHT_PORT + side));
	if (setns(home, CLONE_NEWNET) < 0)
		rounds_die("the namespace left: %s", strerror(errno));
	close(home);
	while (generator->streams_count < 2 * count)
		call_add(generator, stream_to(address, STRAIGHT_PORT),
			 stream_to(address, STRAIGHT_PORT + 1));
	printf("straight %u\n", count);
}

/* Twice, as what comes before both sources are known may be dropped. */
static void
answer_latch(struct generator *generator, double per_second)
{
	for (unsigned i = 0; i < 2; i++) {
		trial_begin(generator);
		send_at_rate(generator, per_second, generator->streams_count);
		receive_rest(generator);
	}
	printf("latch %llu\n", (unsigned long long)generator->received);
}

static void
answer(struct generator *generator, char *line)
{
	char address[64], namespace[64], path[512], word[8];
	double per_second = LATCH_RATE, ms;
	unsigned count;

	if (sscanf(line, "calls %511s", path) == 1)
		answer_calls(generator, path);
	else if (sscanf(line, "straight %u %63s %63s", &count, namespace, address) == 3)
		answer_straight(generator, count, namespace, address);
	else if (!strncmp(line, "latch", 5) && sscanf(line, "latch %lf", &per_second) <= 1)
		answer_latch(generator, per_second);
	else if (sscanf(line, "%7s %lf %lf", word, &per_second, &ms) == 3 && per_second >= 1 &&
		 (!strcmp(word, "run") || !strcmp(word, "pace")))
		answer_run(generator, word, per_second, ms);
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
	for (unsigned side = 0; side < 2; side++)
		generator.sockets[side] = generator.receivers[side] =
			socket_open(argv[1], (uint16_t)atoi(argv[2 + side]));
	prctl(PR_SET_TIMERSLACK, 1);
	messages_init();
	printf("ready\n");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) && strncmp(line, "quit", 4) != 0)
		answer(&generator, line);
	free(generator.streams);
	return 0;
}
