"""What the doctor finds: one line for each thing it looks at."""

from dataclasses import dataclass

OK, WARN, FAIL = "ok", "warn", "fail"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        status: `ok`; `warn`, it works and somebody should know; `fail`, something will not work.
        what: the thing, in a word or two.
        sentence: how it is.
        fix: what to do; empty where nothing is to be done.
    """

    status: str
    what: str
    sentence: str
    fix: str = ""

    def __str__(self) -> str:
        fix = f". Fix: {self.fix}" if self.fix else ""
        return f"{self.status:<5} {self.what}: {self.sentence}{fix}"
