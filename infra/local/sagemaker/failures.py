"""How a job fails or is stopped."""

from pathlib import Path
from typing import Any

# DescribeTrainingJob.FailureReason and DescribeProcessingJob.ExitMessage hold 1,024 characters.
LIMIT = 1024


class JobFailed(Exception):
    """The job failed; the text is its FailureReason, `members` are further members of its description."""

    def __init__(self, reason: str, **members: object) -> None:
        super().__init__(reason[:LIMIT])
        self.members: dict[str, Any] = members


class Stopped(Exception):
    """The job was stopped or ran out of time; `members` are members of its description all the same."""

    def __init__(self, **members: object) -> None:
        super().__init__("stopped")
        self.members: dict[str, Any] = members


def first_kilobyte(path: Path) -> str:
    """The beginning of a file the job wrote, "" if it wrote none."""
    try:
        with path.open("rb") as file:
            return file.read(LIMIT).decode(errors="replace").strip()
    except (FileNotFoundError, IsADirectoryError):
        return ""


def algorithm_error(code: int, text: str = "") -> str:
    """SageMaker's words for a program that ended with a non-zero exit code."""
    tail = f", exit code: {code}"
    return f"AlgorithmError: {text or 'See job logs for more information'}"[: LIMIT - len(tail)] + tail
