# SPDX-License-Identifier: BSD-3-Clause
"""The live table: redrawn in place on a terminal, a plain line every few seconds elsewhere."""

import sys
import time

PLAIN_EVERY_S = 5


class Table:
    def __init__(self, calls, out=sys.stdout):
        self.calls = calls
        self.out = out
        self.tty = out.isatty()
        self.rows = 0
        self.said_at = 0.0
        self.begun = time.monotonic()

    def show(self, status):
        if not status:
            return
        if self.tty:
            self._redraw(self._table(status))
        elif time.monotonic() - self.said_at >= PLAIN_EVERY_S:
            self.said_at = time.monotonic()
            print(self._line(status), file=self.out, flush=True)

    def _seconds(self):
        return f"{time.monotonic() - self.begun:3.0f} s"

    def _line(self, status):
        calls, media = status.get("calls", {}), status.get("media", {})
        busy = [f"{a['name']}:{a['state']}" for a in status.get("agents", [])][:8]
        return (f"{self._seconds()}  {counts(calls)}, done {calls.get('done', 0)} of {self.calls}"
                f"  {' '.join(busy)}  packets {media.get('packets_relayed', 0)} relayed,"
                f" {media.get('packets_lost', 0)} lost")

    def _table(self, status):
        calls, media = status.get("calls", {}), status.get("media", {})
        rows = [f"{self._seconds()}   done {calls.get('done', 0):>4} of {self.calls}"
                f"   {bar(calls.get('done', 0), self.calls)}",
                f"  calls    {counts(calls)}, answered {calls.get('answered', 0)},"
                f" abandoned {calls.get('abandoned', 0)}",
                f"  packets  received {media.get('packets_received', 0)},"
                f" relayed {media.get('packets_relayed', 0)}, sent {media.get('packets_sent', 0)},"
                f" lost {media.get('packets_lost', 0)}"]
        agents = [f"{a['name']:<9}{a['state']:<12}" for a in status.get("agents", [])]
        shown, hidden = agents[:24], len(agents) - 24
        for i in range(0, len(shown), 3):
            rows.append(("  agents   " if i == 0 else "           ") + "".join(shown[i:i + 3]))
        if hidden > 0:
            rows.append(f"           and {hidden} more")
        return rows

    def _redraw(self, rows):
        up = f"\033[{self.rows}A" if self.rows else ""
        text = "".join(f"\033[2K{row}\n" for row in rows)
        self.out.write(up + text + "\033[J")
        self.out.flush()
        self.rows = len(rows)


def counts(calls):
    return ", ".join(f"{name} {calls.get(name, 0)}"
                     for name in ("menu", "waiting", "ringing", "talking"))


def bar(done, total, width=30):
    full = width * done // max(1, total)
    return "[" + "#" * full + "." * (width - full) + "]"
