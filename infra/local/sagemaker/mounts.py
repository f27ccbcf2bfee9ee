"""A true `/opt/ml` for one process, without Docker and, where the kernel allows it, without root."""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

# From linux/sched.h, sys/mount.h and linux/prctl.h.
MOUNT_NAMESPACE = 0x00020000
USER_NAMESPACE = 0x10000000
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 0x40000
_READ_ONLY, _REMOUNT = 0x1, 0x20
# What a mount has of these only root may take away.
_LOCKED = os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC | os.ST_NOATIME | os.ST_NODIRATIME
_DETACH = 2
_PARENT_DEATH_SIGNAL, _CHILD_SUBREAPER = 1, 36

# Root needs only a mount namespace; everybody else needs a user namespace to be allowed one.
WAYS = (MOUNT_NAMESPACE, USER_NAMESPACE | MOUNT_NAMESPACE)


def own_opt_ml(folder: Path, shared: Mapping[str, str], ways: tuple[int, ...] = WAYS) -> None:
    """Give this process, and all it starts, an `/opt/ml` that is `folder`; the rest of /opt stays as it is.

    `shared` says which folder is seen, but cannot be changed, at which place in `/opt/ml`.
    Must be called while the process has a single thread. Nothing changes for other processes.

    Raises:
        OSError: where this can't be had: another system than Linux, a kernel that forbids it, no `/opt`.
    """
    if sys.platform != "linux":
        raise OSError("mount namespaces are a Linux feature")
    user, group = os.getuid(), os.getgid()
    used = _unshare(ways)
    if used & USER_NAMESPACE:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    _mount(None, "/", None, _RECURSIVE | _PRIVATE)
    with contextlib.ExitStack() as closing:
        source = _handle(folder, closing)
        handles = {place: _handle(path, closing) for place, path in shared.items()}
        if not os.path.isdir("/opt/ml"):
            _replace_opt(closing)
        _bind(source, "/opt/ml")
        for place, handle in handles.items():
            _bind_read_only(handle, place)


def _replace_opt(closing: contextlib.ExitStack) -> None:
    """Cover /opt by an empty folder that can hold `ml`, and bring back into it what was in /opt."""
    links: dict[str, str] = {}
    folders: dict[str, str] = {}
    files: dict[str, str] = {}
    for entry in os.scandir("/opt"):
        if entry.is_symlink():
            links[entry.path] = os.readlink(entry.path)
        else:
            (folders if entry.is_dir() else files)[entry.path] = _handle(entry.path, closing)
    _mount("tmpfs", "/opt", "tmpfs", 0, "mode=755")
    try:
        for path, target in links.items():
            os.symlink(target, path)
        for path, handle in folders.items():
            os.mkdir(path)
            _bind(handle, path)
        for path, handle in files.items():
            Path(path).touch()
            _bind(handle, path)
        os.mkdir("/opt/ml")
    except OSError:
        _libc().umount2(b"/opt", _DETACH)
        raise


def end_with_parent() -> None:
    """Ask the kernel to kill this process when its parent ends (Linux; elsewhere nothing happens)."""
    if sys.platform == "linux":
        _libc().prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of descendants whose parents end, so that none escapes being waited for (Linux)."""
    if sys.platform == "linux":
        _libc().prctl(_CHILD_SUBREAPER, 1, 0, 0, 0)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _unshare(ways: tuple[int, ...]) -> int:
    for flags in ways:
        if _libc().unshare(flags) == 0:
            return flags
    raise _last_error("unshare")


def _handle(path: str | Path, closing: contextlib.ExitStack) -> str:
    """A name for what is at `path` now, which stays good after something else is mounted there."""
    descriptor = os.open(path, os.O_PATH)
    closing.callback(os.close, descriptor)
    return f"/proc/self/fd/{descriptor}"


def _bind(source: str, target: str) -> None:
    _mount(source, target, None, _BIND | _RECURSIVE)


def _bind_read_only(source: str, target: str) -> None:
    _bind(source, target)
    kept = os.statvfs(target).f_flag & _LOCKED
    try:
        _mount(None, target, None, _BIND | _REMOUNT | _READ_ONLY | kept)
    except OSError:
        _libc().umount2(target.encode(), _DETACH)
        raise


def _mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    texts = [text.encode() if text else None for text in (source, target, kind, options)]
    if _libc().mount(*texts[:3], ctypes.c_ulong(flags), texts[3]) != 0:
        raise _last_error(f"mount on {target}")


def _last_error(what: str) -> OSError:
    code = ctypes.get_errno()
    return OSError(code, f"{what}: {os.strerror(code)}")
