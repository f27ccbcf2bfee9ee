"""The folders and the exit of a SageMaker Processing job.

Source: "How Amazon SageMaker Processing Configures Input and Output For Your Processing Container", and
`ExitMessage`, `FailureReason` of DescribeProcessingJob (1,024 characters each).
"""

import argparse
import errno
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from processing.errors import JobError

MESSAGE_BYTES = 1000  # SageMaker keeps 1,024
LEAST_BYTES = 100  # of a text that gives way, so that more than one may have to


def base_folder() -> Path:
    """`/opt/ml`, or `SAGEMAKER_BASE_DIR` where that is set."""
    return Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml"))


def input_folder(name: str) -> Path:
    """The folder of one input; it need not exist when the input is empty."""
    return base_folder() / "processing" / "input" / name


def output_folder(name: str) -> Path:
    """The folder of one output, created."""
    folder = base_folder() / "processing" / "output" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def scratch_folder() -> TemporaryDirectory[str]:
    """For `with`: a folder on the job's volume for what is too large for memory, gone after the block."""
    folder = base_folder() / "processing"
    folder.mkdir(parents=True, exist_ok=True)
    return TemporaryDirectory(dir=folder)


def run(job: Callable[[list[str] | None], Mapping[str, object]], arguments: list[str] | None = None) -> None:
    """Run a job's `main` and end as SageMaker expects.

    `job` takes the command line's arguments (None: those of the process) and returns its message. Success
    writes that as one line of JSON. A JobError is written as message and as failure, and the process exits
    with 1. Any other error is a defect in this project: it leaves a hint as failure and then ends the process
    with its traceback.
    """
    try:
        message = job(arguments)
    except JobError as error:
        explained = f" See docs/input.md#{error.kind}." if error.kind else ""
        sentence = shorten(" ".join(str(error).split()) + explained, MESSAGE_BYTES)
        _write("message", sentence)
        _write("failure", sentence)
        line = {
            "level": "ERROR",
            "errorType": type(error).__name__,
            "message": str(error),
            **_about(arguments),
        }
        print(json.dumps(line, ensure_ascii=False), flush=True)
        raise SystemExit(1) from None
    except Exception as error:
        _write("failure", shorten(_unexpected(error), MESSAGE_BYTES))
        raise
    _write("message", _one_line(message))


def _unexpected(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return (
            f"The job's volume is full ({error}). Fix: raise volume_size_in_gb in "
            "pipelines/machines/states.py, deploy, then start the run again."
        )
    return f"Unexpected {type(error).__name__}: {error}. The job's log has the rest."


def _about(arguments: list[str] | None) -> dict[str, str]:
    """Run and model group of the command line, for the log; a training job is given neither."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for name in ("--run", "--group"):
        parser.add_argument(name, default="")
    return vars(parser.parse_known_args(arguments)[0])


def shorten(text: str, limit: int) -> str:
    """`text`, cut so that its UTF-8 form and the mark of the cut take at most `limit` bytes."""
    octets = text.encode()
    if len(octets) <= limit:
        return text
    return octets[: limit - 3].decode(errors="ignore") + "…"


def _one_line(message: Mapping[str, object]) -> str:
    """The message as JSON; where it is too long, its longest text gives way, then the next, none wholly."""
    fields = dict(message)
    line = json.dumps(fields, ensure_ascii=False)
    texts = {name: value for name, value in fields.items() if isinstance(value, str)}
    for name in sorted(texts, key=lambda name: -len(texts[name])):
        limit = len(texts[name].encode())
        # Once is not enough where signs take more bytes in JSON, such as the ends of lines.
        while (excess := len(line.encode()) - MESSAGE_BYTES) > 0 and limit > LEAST_BYTES:
            limit = max(limit - max(excess // 2, 1), LEAST_BYTES)
            fields[name] = shorten(texts[name], limit)
            line = json.dumps(fields, ensure_ascii=False)
    return line


def _write(name: str, text: str) -> None:
    folder = base_folder() / "output"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
