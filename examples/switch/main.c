/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * strowger-switch: a SIP contact-centre switch. Callers hear a menu and music, agents register and
 * are rung, the packet plane relays and records. It runs in the foreground until SIGTERM or SIGINT.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <strowger/error.h>
#include <strowger/log.h>
#include <strowger/version.h>

#include "call.h"
#include "clock.h"
#include "dialog.h"
#include "plane.h"
#include "record.h"
#include "registrar.h"
#include "routing.h"
#include "sip.h"
#include "status.h"

#define EXIT_CONFIG 2

/* Longest wait for a SIP message before the engine and the packet plane are looked at again. */
#define STEP_MS 2

#define TICK_NS    (10 * CLOCK_MILLISECOND_NS)
#define SECOND_NS  CLOCK_SECOND_NS
#define ADVANCE_NS (10 * CLOCK_MILLISECOND_NS)

/* How long a stop waits: for the answers to our BYEs, then for the disk. */
#define HANG_UP_NS (UINT64_C(3) * CLOCK_SECOND_NS)
#define CLOSE_NS   (UINT64_C(20) * CLOCK_SECOND_NS)

struct options {
	const char *config;
	const char *summary;
	bool check;
	bool verbose;
};

static volatile sig_atomic_t stop_signals;

static void
count_signal(int signal_number)
{
	stop_signals = stop_signals + 1;
}

static void
log_line(void *context, enum stw_log_level level, const char *line)
{
	static const char *const names[] = {"error", "warn", "info", "debug"};
	char now[CLOCK_TEXT_BYTES];

	fprintf(stderr, "%s %s %s\n", clock_text(now), names[level], line);
}

static void
print_help(FILE *to)
{
	fprintf(to,
		"Usage: strowger-switch --config FILE [OPTION]...\n"
		"A SIP contact-centre switch: menu, queues, agents, recording.\n"
		"\n"
		"  -c, --config FILE   configuration (YAML); examples/switch/switch.yaml explains "
		"it\n"
		"      --check         check the configuration and exit\n"
		"  -s, --summary FILE  write numbers of the whole run there at the end (JSON)\n"
		"  -v, --verbose       log each SIP event and digit\n"
		"  -h, --help          this text\n"
		"  -V, --version       versions of the program and of the library in use\n"
		"\n"
		"Prints one line that begins with READY when it takes calls. SIGTERM or SIGINT "
		"hangs\n"
		"up, closes the recordings, writes the summary and exits with 0; a second one does "
		"not\n"
		"wait for phones and disks. An error in the configuration exits with %d, any "
		"other\n"
		"failure with 1.\n",
		EXIT_CONFIG);
}

/* 0: go on; else the exit status plus 1. */
static int
read_options(int argc, char *argv[], struct options *options)
{
	static const struct option known[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, 'k'},
		{"summary", required_argument, NULL, 's'},
		{"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "c:s:vhV", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			options->config = optarg;
			break;
		case 'k':
			options->check = true;
			break;
		case 's':
			options->summary = optarg;
			break;
		case 'v':
			options->verbose = true;
			break;
		case 'h':
			print_help(stdout);
			return EXIT_SUCCESS + 1;
		case 'V':
			printf("strowger-switch %d.%d.%d, library %s\n", STW_VERSION_MAJOR,
			       STW_VERSION_MINOR, STW_VERSION_PATCH, stw_version());
			return EXIT_SUCCESS + 1;
		default:
			return EXIT_CONFIG + 1;
		}
	}
	if (!options->config || optind != argc) {
		print_help(stderr);
		return EXIT_CONFIG + 1;
	}
	return 0;
}

static int
make_directory(const struct config *config)
{
	const struct document_text *path = &config->recording_directory;

	if (path->text && mkdir(path->text, 0700) != 0 && errno != EEXIST) {
		stw_log(STW_LOG_ERROR, "SWITCH-DIRECTORY at=%s:%u directory=%s error=\"%s\"",
			config->document.path, path->line, path->text, strerror(errno));
		return -errno;
	}
	return 0;
}

static int
open_records(struct exchange *exchange)
{
	const struct config *config = exchange->config;
	int error = cdr_open(&exchange->cdr, config->cdr.text);

	if (error != 0)
		stw_log(STW_LOG_ERROR, "SWITCH-FILE at=%s:%u file=%s error=\"%s\"",
			config->document.path, config->cdr.line, config->cdr.text,
			strerror(-error));
	return error;
}

/* One turn: what has come by SIP, what the engine's and the plane's time brings. */
static void
turn(struct exchange *exchange, uint64_t *tick_ns, uint64_t *advance_ns, uint64_t *second_ns)
{
	uint64_t now_ns;

	sip_step(exchange, STEP_MS);
	now_ns = clock_now_ns();
	routing_advance(exchange, now_ns);
	plane_take(exchange);
	if (now_ns >= *tick_ns) {
		*tick_ns = now_ns + TICK_NS;
		call_tick(exchange, now_ns);
	}
	if (now_ns >= *advance_ns) {
		*advance_ns = now_ns + ADVANCE_NS;
		stw_media_advance(exchange->media, now_ns);
	}
	if (now_ns >= *second_ns) {
		*second_ns = now_ns + SECOND_NS;
		registrar_tick(exchange, now_ns);
		dialog_tick(exchange, now_ns);
		status_write(exchange);
		if (now_ns >= exchange->start_ns + exchange->config->journal_keep_s * SECOND_NS)
			routing_orphans_end(exchange);
	}
	routing_take(exchange);
}

/* Whether the stop has nothing left to wait for. */
static bool
is_quiet(struct exchange *exchange, uint64_t stop_ns)
{
	struct stw_media_stats stats;
	uint64_t now_ns = clock_now_ns();

	if (!TAILQ_EMPTY(&exchange->calls_used))
		return false;
	if (!TAILQ_EMPTY(&exchange->dialogs_used) && now_ns < stop_ns + HANG_UP_NS)
		return false;
	stw_media_stats(exchange->media, &stats);
	if (stats.forks > 0 && now_ns < stop_ns + CLOSE_NS)
		return false;
	if (stats.forks > 0)
		stw_log(STW_LOG_ERROR, "SWITCH-RECORDINGS-OPEN count=%u", stats.forks);
	return true;
}

static void
run(struct exchange *exchange)
{
	uint64_t tick_ns = 0, advance_ns = 0, second_ns = 0, stop_ns;

	while (stop_signals == 0)
		turn(exchange, &tick_ns, &advance_ns, &second_ns);
	stw_log(STW_LOG_INFO, "SWITCH-STOP");
	exchange->stopping = true;
	stop_ns = clock_now_ns();
	call_end_all(exchange);
	routing_orphans_end(exchange);
	while (stop_signals < 2 && !is_quiet(exchange, stop_ns))
		turn(exchange, &tick_ns, &advance_ns, &second_ns);
	status_write(exchange);
}

/* What is still there after a second signal, so that files are closed in any case. */
static void
release_calls(struct exchange *exchange)
{
	call_tick(exchange, UINT64_MAX);
	routing_take(exchange);
}

static int
serve(struct exchange *exchange, const struct options *options)
{
	struct recorder *recorder = NULL;
	struct status_end end;
	int error;

	error = record_start(&recorder, exchange->media);
	if (error == 0)
		error = sip_open(exchange, options->verbose);
	if (error == 0) {
		printf("READY sip=%s:%u xdp=%s driver=%s relay=%s\n",
		       exchange->config->address_text.text, exchange->config->sip_port,
		       plane_xdp_text(exchange->xdp_mode), exchange->driver,
		       exchange->kernel_relay ? "kernel" : "worker");
		fflush(stdout);
		run(exchange);
		release_calls(exchange);
		sip_close(exchange);
	}
	record_stop(recorder);
	status_end_read(exchange, &end);
	plane_close(exchange);
	if (error == 0 && options->summary)
		error = status_summary(exchange, &end, options->summary);
	if (error == 0 && stop_signals > 1)
		error = -EINTR;
	return error;
}

static int
start(struct exchange *exchange, const struct options *options)
{
	int error = digest_create(&exchange->digest);

	if (error == 0)
		error = make_directory(exchange->config);
	if (error != 0)
		return error;
	error = open_records(exchange);
	if (error != 0)
		return error;
	error = call_tables_create(exchange);
	if (error != 0)
		goto no_tables;
	error = routing_open(exchange);
	if (error != 0)
		goto no_routing;
	error = plane_open(exchange);
	if (error == 0)
		error = serve(exchange, options);
	routing_close(exchange);
no_routing:
	call_tables_destroy(exchange);
no_tables:
	cdr_close(exchange->cdr);
	return error;
}

int
main(int argc, char *argv[])
{
	struct sigaction action = {.sa_handler = count_signal};
	struct options options = {0};
	struct exchange exchange = {0};
	struct config config;
	int status;

	sip_prepare();
	status = read_options(argc, argv, &options);
	if (status != 0)
		return status - 1;
	stw_log_set(log_line, NULL, options.verbose ? STW_LOG_DEBUG : STW_LOG_INFO);
	if (config_load(&config, options.config) != 0) {
		fputs(config.document.errors ? config.document.errors : "no memory\n", stderr);
		status = EXIT_CONFIG;
	} else if (options.check) {
		printf("%s: is fine\n", options.config);
	} else {
		sigaction(SIGTERM, &action, NULL);
		sigaction(SIGINT, &action, NULL);
		signal(SIGPIPE, SIG_IGN);
		exchange.config = &config;
		exchange.start_ns = clock_now_ns();
		status = start(&exchange, &options) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	config_free(&config);
	return status;
}
