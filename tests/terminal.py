"""A program on a terminal of a given width, as a person sees it: a pseudo-terminal (pty)."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass

_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
INTERRUPT = b"\x03"


@dataclass
class Seen:
    """What a program has written to a terminal, and how it ended.

    `text` is without what steers the terminal: a table that is drawn anew is there as often.
    """

    raw: str
    exit_code: int

    @property
    def text(self) -> str:
        return _CONTROL.sub("", self.raw.replace("\r\n", "\n")).replace("\r", "\n")

    @property
    def cursor_is_shown(self) -> bool:
        return self.raw.rfind("\x1b[?25h") >= self.raw.rfind("\x1b[?25l")


def _take_terminal() -> None:
    """In the program's process, before it begins: as a shell on that terminal would start it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    # What a script starts in the background does not hear Ctrl-C, nor do the processes that it starts.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run(program: str, columns: int, interrupt_at: str = "", **environment: str) -> Seen:
    """Run Python source on a terminal; with `interrupt_at`, Ctrl-C is pressed when that has been written."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    kept = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=kept | {"TERM": "xterm"} | environment,
        # A session of its own whose terminal this is: or Ctrl-C would reach nobody.
        start_new_session=True,
        preexec_fn=_take_terminal,
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:  # how Linux tells that nobody has the terminal open any more
            break
        if not part:
            break
        written += part
        if interrupt_at and interrupt_at.encode() in written:
            os.write(ours, INTERRUPT)
            interrupt_at = ""
    os.close(ours)
    return Seen(written.decode(), process.wait())
