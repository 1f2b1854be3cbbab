# SPDX-License-Identifier: BSD-3-Clause
"""What the library must not call, and where it may."""
import re

from tree import Finding

NAME = "banned"
WHAT = "calls that a library, a hot path or a careful author does not make"

HOT = ("lib/acd/", "lib/media/", "lib/sync/", "lib/rtp/")
EVERYWHERE = ("lib/",)
# In lib/io the worker is hot; the rest opens and closes devices.
HOT_FILES = HOT + ("lib/base/", "lib/io/worker", "lib/io/host")

# (why, where, files that may, names as a pattern)
CALLS = [
    ("the library does not print; it logs through stw_log", EVERYWHERE, ("lib/base/error.c",),
     r"printf|fprintf|vprintf|vfprintf|dprintf|puts|fputs|putchar|putc|fputc|perror|psignal"),
    ("only the panic handler ends the process", EVERYWHERE, ("lib/base/error.c",),
     r"abort|exit|_exit|_Exit|quick_exit|rte_exit|rte_panic"),
    ("signals belong to the host", EVERYWHERE, (),
     r"signal|sigaction|raise|kill|sigprocmask|pthread_sigmask|alarm|setitimer"),
    ("it does not know how long the target is", EVERYWHERE, (),
     r"strcpy|strcat|sprintf|vsprintf|gets|stpcpy|strncpy|strncat|alloca"),
    ("it keeps state of its own or hides errors", EVERYWHERE, (), r"strtok|atoi|atol|atof"),
    ("time is an argument; only lib/io reads clocks",
     ("lib/base/", "lib/sync/", "lib/acd/", "lib/rtp/", "lib/media/"),
     # rte_pcapng wants cycles for a clock of its own; the file's times are the packets'.
     ("lib/media/fork/record_pcapng.c",),
     r"gettimeofday|clock_gettime|clock|time|rte_rdtsc\w*|rte_get_\w*cycles|rte_get_timer_hz|rte_get_tsc_hz"
     r"|sleep|usleep|nanosleep|rte_delay_\w+"),
    # The seed of SSRCs is the kernel's; everything else draws from it.
    ("randomness is an argument", EVERYWHERE, ("lib/io/media.c",),
     r"rand|srand|random|srandom|drand48|lrand48|rand_r|rte_rand\w*|getrandom|arc4random\w*"),
    # The one lock of those who configure; hot calls never take it.
    ("a hot module takes no lock", HOT, ("lib/sync/control_lock.c",),
     r"(?:pthread_(?:mutex|rwlock|spin|cond|barrier)_\w+|mtx_\w+|cnd_\w+|sem_\w+"
     r"|rte_(?:spinlock|rwlock|ticketlock|mcslock)_\w+)"),
    ("no thread is made behind the host", EVERYWHERE, (), r"pthread_create|thrd_create|fork|vfork|system|popen"),
    ("asserts go through STW_ASSERT, to the host's handler", EVERYWHERE, (), r"assert|RTE_ASSERT|RTE_VERIFY"),
]

MEMORY = re.compile(r"(?<![\w.>])(malloc|calloc|realloc|reallocarray|aligned_alloc|posix_memalign|strdup|"
                    r"strndup|asprintf|free|mmap|munmap|rte_(?:m|z|c|re)alloc\w*|rte_free|"
                    r"rte_mempool_create\w*|rte_pktmbuf_pool_create\w*)\s*\(")
# Memory is taken and given back at creation, definition and removal only; the function's name says it.
MEMORY_WORDS = {"create", "destroy", "define", "update", "remove", "open", "close", "init", "free", "alloc",
                "build", "load", "unload", "start", "stop", "setup", "teardown", "publish", "retire",
                "reclaim", "add", "copy", "drop", "undo", "release", "grow", "begin", "end", "map", "unmap",
                "attach", "detach", "pack", "make"}


def check(tree):
    patterns = [(why, where, files, re.compile(rf"(?<![\w.>])({names})\s*\("))
                for why, where, files, names in CALLS]
    for source in tree.c_sources("lib/"):
        if source.path.endswith(".bpf.c"):
            continue
        for why, where, files, pattern in patterns:
            if not source.path.startswith(where) or source.path in files:
                continue
            for match in pattern.finditer(source.code):
                if not is_declaration(source.code, match):
                    yield at(source, match, f"{match[1]}(): {why}")
        for match in MEMORY.finditer(source.code) if source.path.startswith(HOT_FILES) else ():
            function = source.function_at(match.start())
            if not function or not MEMORY_WORDS & set(function.name.split("_")):
                yield at(source, match, f"{match[1]}(): memory is taken and given back only by "
                         "functions whose name says so (create, destroy, define, ...)")


def is_declaration(code, match):
    """Whether the name is being declared (a function of ours called so), not called."""
    before = code[:match.start()].rstrip(" ")
    return before.endswith("\n") or bool(re.search(r"(?<!return)[\w*]$", before)
                                         and not re.search(r"\b(?:return|else|do|case)$", before))


def at(source, match, text):
    return Finding(source.path, source.line_of(match.start()), text)
