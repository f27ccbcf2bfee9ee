"""What the services hold in memory, kept in a file, so that a stack goes on where it was left.

Objects, runs, jobs' files and messages sent to people are files already; kept here is what the services know
of them, and what is nowhere else: the ledger's items, queues, jobs. `state.json` in the stack's folder is
written some seconds after something has changed, and at the end: a stack that is killed loses what its last
seconds wrote. It is JSON, never pickle: to load it runs nothing. What the templates make is made anew.
"""

import base64
import json
import logging
import os
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

log = logging.getLogger(__name__)
STATE_FILE = "state.json"
_FORMAT = 1
#: Between two looks whether something has changed; longer where writing takes more than a twentieth of it.
_SECONDS = 5
_SHARE = 20


class Part(Protocol):
    """A service, or what there is of it, as JSON; datetimes and bytes may be in it."""

    def saved(self) -> Any: ...

    def restore(self, saved: Any) -> None: ...


class Keeper:
    """Writes the parts' state to a folder, and gives it back to them.

    Args:
        folder: the stack's.
        parts: by name; saved and restored in this order, so what refers to something comes before it: then
            nothing that is saved refers to what is not.
    """

    def __init__(self, folder: Path, parts: Mapping[str, Part]):
        self._path = folder / STATE_FILE
        self._parts = parts
        self._changed, self._ended = threading.Event(), threading.Event()
        self._saving = threading.Lock()
        self._started = False

    def restore(self) -> bool:
        """Give the parts what the folder has of them; False if it has nothing.

        Raises:
            ValueError: the file is none that this version writes; its text says what to do.
        """
        try:
            state = json.loads(self._path.read_text(encoding="utf-8"), object_hook=_decoded)
        except FileNotFoundError:
            return False
        if not isinstance(state, dict) or state.get("format") != _FORMAT:
            raise ValueError(f"{self._path} is of another version. Fix: remove it, or use another --dir")
        for name, part in reversed(list(self._parts.items())):
            part.restore(state[name])
        return True

    def start(self) -> None:
        """Save what changes from now on."""
        self._started = True
        self._changed.set()
        threading.Thread(target=self._run, name="keeper", daemon=True).start()

    def touch(self) -> None:
        """Say that something has changed."""
        self._changed.set()

    def stop(self) -> None:
        """Save for the last time."""
        self._ended.set()
        if self._started:
            self._save()

    def _run(self) -> None:
        pause = 0.0
        while not self._ended.wait(_SECONDS + pause):
            if self._changed.is_set():
                began = time.monotonic()
                try:
                    self._save()
                except Exception:  # such as a full disk: the next time may be better
                    log.exception("the state could not be saved")
                    self._changed.set()
                pause = _SHARE * (time.monotonic() - began)

    def _save(self) -> None:
        with self._saving:
            self._changed.clear()
            state = {"format": _FORMAT, **{name: part.saved() for name, part in self._parts.items()}}
            unfinished = self._path.with_suffix(".part")
            with open(
                os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
            ) as file:
                # dumps, not dump, which takes ten times as long: it makes each piece in Python
                file.write(json.dumps(state, default=_encoded, ensure_ascii=False))
            unfinished.replace(self._path)


def _encoded(value: object) -> dict[str, str]:
    if isinstance(value, datetime):
        return {"$datetime": value.isoformat()}
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    raise TypeError(f"{type(value).__name__} is not kept")


def _decoded(value: dict[str, Any]) -> Any:
    if len(value) == 1:
        if "$datetime" in value:
            return datetime.fromisoformat(value["$datetime"])
        if "$bytes" in value:
            return base64.b64decode(value["$bytes"])
    return value
