"""What the forked process does to become one job's container: log, folders, environment, program."""

import atexit
import importlib
import os
import runpy
import shutil
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

import numpy

from infra.local.sagemaker import mounts, serving

OPT_ML = "/opt/ml"
_PYTHON = {"python", "python3"}


def become(start: dict[str, Any], listener: socket.socket | None) -> NoReturn:
    """Turn this process, just forked, into the job `start` describes (launcher.py); end with its exit code.

    With a `listener` the process serves a model on that socket instead of running a program.
    """
    os.setsid()
    mounts.end_with_parent()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    _redirect_output(start["log"])
    enter(start)
    numpy.random.seed()  # A forked state of random numbers would be the same in every job.
    if listener:
        _end(lambda: serving.serve(listener))
    elif start["call"]:
        _end(lambda: _call(start["call"]))
    elif _is_module(start["arguments"]):
        _end(lambda: _run_module(*start["arguments"][2:]))
    else:
        _end(lambda: os.execvp(start["arguments"][0], start["arguments"]))


def enter(start: dict[str, Any]) -> None:
    """Take on folders and environment. Without a true /opt/ml, mentions of it become the job's folder.

    What is shared with other jobs is seen in it, or copied into that folder.
    """
    environment, arguments, place = start["environment"], start["arguments"], start["cwd"]
    try:
        if not start["own_opt_ml"]:
            raise OSError("not asked for")
        mounts.own_opt_ml(Path(start["ml"]), start["shared"])
        print("/opt/ml is this job's own folder (mount namespace)", flush=True)
    except OSError as error:
        folder = start["ml"]
        print(f"no /opt/ml of the job's own here ({error}); SAGEMAKER_BASE_DIR={folder}", flush=True)
        environment = {name: value.replace(OPT_ML, folder) for name, value in environment.items()}
        environment["SAGEMAKER_BASE_DIR"] = folder
        start["arguments"] = [argument.replace(OPT_ML, folder) for argument in arguments]
        place = place.replace(OPT_ML, folder)
        for target, source in start["shared"].items():
            shutil.copytree(source, target.replace(OPT_ML, folder), dirs_exist_ok=True)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(place)
    _forget_this_project()
    added = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = [os.getcwd(), *added, *sys.path]
    # Byte code is shared between jobs with the same code, and only between those.
    sys.pycache_prefix, sys.dont_write_bytecode = start["byte_code"], start["byte_code"] is None


def _forget_this_project() -> None:
    """Make the checkout that runs the local stack unknown: job code comes from the delivered bundle."""
    prefixes = (sys.prefix, sys.base_prefix)
    sys.path[:] = [path for path in sys.path if any(Path(path).is_relative_to(prefix) for prefix in prefixes)]
    sys.meta_path[:] = [
        finder for finder in sys.meta_path if not _module_of(finder).startswith("__editable__")
    ]
    for name in [name for name in sys.modules if name.partition(".")[0] == "infra"]:
        del sys.modules[name]
    importlib.invalidate_caches()


def _module_of(finder: object) -> str:
    return getattr(finder, "__module__", None) or type(finder).__module__


def _redirect_output(log: str) -> None:
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (descriptor, 1), (descriptor, 2)):
        os.dup2(source, target)
    os.close(descriptor)
    os.close(nothing)
    sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
    # The image sets PYTHONUNBUFFERED; a line is the smallest thing that log and metrics need.
    sys.stdout, sys.stderr = (
        os.fdopen(number, "w", encoding="utf-8", errors="backslashreplace", buffering=1, closefd=False)
        for number in (1, 2)
    )


def _is_module(arguments: list[str]) -> bool:
    return len(arguments) > 2 and os.path.basename(arguments[0]) in _PYTHON and arguments[1] == "-m"


def _run_module(name: str, *arguments: str) -> None:
    sys.argv = [name, *arguments]
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _call(entry: str) -> None:
    """Call `module:function` as the image's start-up does (sagemaker-containers 2.8.6, `_trainer.py`).

    What it raises is written to `output/failure` with its traceback; an exit it asks for is success there.
    """
    module, _, function = entry.partition(":")
    try:
        getattr(importlib.import_module(module), function)()
    except SystemExit:
        return
    except Exception as error:
        reason = f"framework error: \n{traceback.format_exc()}\n{error}"
        folder = Path(os.environ.get("SAGEMAKER_BASE_DIR", OPT_ML)) / "output"
        (folder / "failure").write_text(reason, encoding="utf-8")
        raise


def _end(program: Callable[[], None]) -> NoReturn:
    """Run `program` and leave as the interpreter would: join threads, call exit functions, write output."""
    code = 0
    try:
        try:
            program()
        finally:
            threading._shutdown()  # type: ignore[attr-defined]  # what the interpreter itself calls at its end
    except SystemExit as leaving:
        if isinstance(leaving.code, int):
            code = leaving.code
        elif leaving.code is not None:
            print(leaving.code, file=sys.stderr)
            code = 1
    except BaseException as error:
        traceback.print_exception(error.with_traceback(_below_ours(error.__traceback__)))
        code = 1
    finally:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code & 0xFF)


def _below_ours(trace: TracebackType | None) -> TracebackType | None:
    """The part of a traceback that belongs to the job."""
    whole = trace
    while trace and trace.tb_frame.f_code.co_filename in (__file__, runpy.__file__, "<frozen runpy>"):
        trace = trace.tb_next
    return trace or whole
