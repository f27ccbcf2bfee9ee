"""What can be wrong with a job's input, as a tree.

JobError
├── BadManifest        the manifest, or the files it lists, are not what they should be
├── BadData            a file, a column or a whole dataset cannot be used
├── BadCodebook        the codebook is missing, broken or not this group's
├── Tampered           a file is not the one whose digest was recorded
├── NotReconciled      rows in are not rows out: nothing is published
└── NotComparable      the two models were not scored on the same test rows

All are known failures: the job ends with the sentence as its message, never with a traceback.
"""

#: What the sentence of every Tampered says. The state machines raise an alarm on a failure that says it.
NOT_AS_RECORDED = "is not what was recorded"

#: As much as people read, in UTF-8; less than SageMaker keeps of a message.
SENTENCE_BYTES = 600


class JobError(Exception):
    """A known failure: what is wrong, where, and what puts it right.

    Args:
        problem: one sentence that names the file and, where there is one, the row. Where both together are
            longer than SENTENCE_BYTES, its end gives way.
        fix: one sentence that says what to do.
        kind: its name in processing.dataset.kinds; empty for what is not wrong with delivered data.
    """

    def __init__(self, problem: str, fix: str, kind: str = ""):
        # Half a character (a lone surrogate) is shown as \\ud800: no stream or message takes it.
        octets = problem.encode(errors="backslashreplace")
        problem, fix = octets.decode(), fix.encode(errors="backslashreplace").decode()
        room = max(SENTENCE_BYTES - len(f" Fix: {fix}".encode()), 3)
        if len(octets) > room:
            problem = octets[: room - 3].decode(errors="ignore") + "…"
        super().__init__(f"{problem} Fix: {fix}")
        self.problem = problem
        self.fix = fix
        self.kind = kind


class BadManifest(JobError):
    """The dataset's files do not match its manifest."""


class BadData(JobError):
    """A data file, or the dataset as a whole, cannot be used."""


class BadCodebook(JobError):
    """The codebook cannot be used."""


class Tampered(JobError):
    """A file is not the one that was recorded: it was replaced, by mistake or on purpose."""


class NotReconciled(JobError):
    """The predictions do not belong to exactly the rows that went in."""


class NotComparable(JobError):
    """The predictions of challenger and winner are not of the same test rows."""
