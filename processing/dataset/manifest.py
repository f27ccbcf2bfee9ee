"""The manifest of a dataset, in the shape Redshift's `UNLOAD ... MANIFEST VERBOSE` writes.

Only the standard library: whoever makes datasets writes manifests with the same code.
Source: Amazon Redshift Database Developer Guide, UNLOAD, "MANIFEST [ VERBOSE ]".
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from processing.dataset import kinds
from processing.digests import check, sha256
from processing.words import counted

NAME = "manifest"
#: What other systems leave beside data files: Spark, Hadoop, EMR, Glue, Windows, Office (`~$`).
#: Source: Hadoop's FileOutputCommitter (`_SUCCESS`), ChecksumFileSystem (`.*.crc`), EMR's S3 file system
#: (`_$folder$`).
LEFT_OVER = re.compile(
    r"(^|/)(([._]|~\$)[^/]*(/.*)?|[^/]*\.crc|[^/]*_\$folder\$|manifest|[^/]*\.manifest|Thumbs\.db|desktop\.ini)$",
    re.IGNORECASE,
)
#: Of each part of a path on Linux: NAME_MAX of limits.h (POSIX).
NAME_BYTES = 255
#: Of a key in S3 (Amazon S3 User Guide, "Naming Amazon S3 objects").
KEY_BYTES = 1024
SHOWN = 150
TYPES = {"text": "character varying", "number": "double precision"}


@dataclass(frozen=True)
class DataFile:
    """One data file. `name` is its path below the dataset's address; `rows`: None if in no manifest."""

    name: str
    path: Path
    rows: int | None


def read(folder: Path, dataset_uri: str) -> list[DataFile]:
    """The data files of the dataset in `folder`, which came from `dataset_uri`, in the manifest's order.

    Every file of the dataset is listed, is there and has the length listed, and the SHA-256 where one is (as
    UNLOAD knows none, only in our own manifests); no other file is there but `left_over` ones. Rows are
    counted by who reads the files. Raises BadManifest or Tampered.
    """
    entries = _entries(folder)
    prefix = dataset_uri.rstrip("/") + "/"
    files = [_data_file(folder, prefix, entry) for entry in entries]
    for name, times in Counter(file.name for file in files).items():
        if times > 1:
            raise kinds.LISTED_TWICE.refusal(f"The manifest lists {name} {times} times.")
    passed_over = left_over(folder, files)
    if unlisted := [name for name in _unlisted(folder, files) if name not in passed_over]:
        shown = ", ".join(name[:60] for name in unlisted[:5])
        raise kinds.NOT_LISTED.refusal(f"{shown}: not in the manifest.")
    return files


def columns(folder: Path) -> list[str]:
    """The names of the columns that a manifest of our own (`write`) lists; it must have been read."""
    content = json.loads((folder / NAME).read_bytes())
    return [element["name"] for element in content["schema"]["elements"]]


def unlisted(folder: Path) -> list[DataFile]:
    """The data files of a folder that has no manifest yet: all but the `left_over` ones."""
    beside = {*left_over(folder, []), NAME}
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return [DataFile(name, folder / name, None) for name in names if name not in beside]


def address(folder: Path) -> str:
    """Where the manifest says that the folder's files will be in S3. Raises BadManifest."""
    urls = [str(entry.get("url")) for entry in _entries(folder)]
    for url in urls:
        for name in sorted(_unlisted(folder, []), key=len, reverse=True):
            if url.endswith(f"/{name}"):
                return url.removesuffix(name)
    return urls[0].rpartition("/")[0] + "/"


def left_over(folder: Path, files: list[DataFile]) -> list[str]:
    """Names of the files beside a dataset that are no part of it: of LEFT_OVER, or empty and not listed."""
    return [
        name
        for name in _unlisted(folder, files)
        if LEFT_OVER.search(name) or not (folder / name).stat().st_size
    ]


def _unlisted(folder: Path, files: list[DataFile]) -> list[str]:
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {NAME}
    return sorted(there - {file.name for file in files})


def _entries(folder: Path) -> list[dict[str, Any]]:
    try:
        content = json.loads((folder / NAME).read_bytes())
    except FileNotFoundError:
        raise kinds.NO_MANIFEST.refusal("The dataset has no manifest.") from None
    except (ValueError, RecursionError) as error:
        raise kinds.BROKEN_MANIFEST.refusal(
            f"The manifest is not JSON ({error}).", kinds.WRITE_AGAIN
        ) from None
    entries = content.get("entries") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise kinds.BROKEN_MANIFEST.refusal("The manifest has no list `entries` of objects.")
    if not entries:
        raise kinds.EMPTY_MANIFEST.refusal("The manifest lists no file.")
    return entries


def _data_file(folder: Path, prefix: str, entry: dict[str, Any]) -> DataFile:
    """The entry's file, checked; a URL must lie below the dataset's own address."""
    url, meta = entry.get("url"), entry.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    length, rows = meta.get("content_length"), meta.get("record_count")
    if not isinstance(url, str) or not isinstance(length, int) or not isinstance(rows, int):
        raise kinds.BROKEN_MANIFEST.refusal(
            f"The manifest's entry for {_shown(str(url))} lacks its length or row count."
        )
    name = url.removeprefix(prefix)
    if name == url or _is_crooked(url):
        raise kinds.LISTED_ELSEWHERE.refusal(
            f"The manifest lists {_shown(url)}, which is no file below {_shown(prefix)}."
        )
    if not _is_a_name(name):
        raise kinds.UNUSABLE_NAME.refusal(f"The manifest lists {name[:60]!r}, which no file can be called.")
    path = folder / name
    if not path.is_file():
        raise kinds.NOT_DELIVERED.refusal(f"{name} is in the manifest but was not delivered.")
    if (actual := path.stat().st_size) != length:
        raise kinds.OTHER_LENGTH.refusal(
            f"{name} is {counted(actual, 'byte')} long, the manifest says {length:,}."
        )
    if "sha256" in meta:
        check(path, meta["sha256"], name, kinds.OTHER_CONTENT.fix, kinds.OTHER_CONTENT.name)
    return DataFile(name, path, rows)


def _shown(url: str) -> str:
    return url if len(url) <= SHOWN else f"{url[: SHOWN - 1]}…"


def _is_crooked(url: str) -> bool:
    """Whether an address has a part that is empty, `.` or `..`; its prefix may be the manifest's own."""
    whole = f"{url}/"
    return whole.count("//") != 1 or any(part in whole for part in ("///", "/./", "/../"))


def _is_a_name(name: str) -> bool:
    """Whether S3 and a file system can have the file: by its length, and without NUL or half a character."""
    try:
        short = all(len(part.encode()) <= NAME_BYTES for part in name.split("/"))
        return short and len(name.encode()) <= KEY_BYTES and "\0" not in name
    except UnicodeEncodeError:
        return False


def write(folder: Path, dataset_uri: str, rows: Mapping[str, int], columns: Mapping[str, str]) -> Path:
    """Write the manifest of a dataset's data files and return its path.

    Args:
        folder: holds the data files, and is given the manifest.
        dataset_uri: where the folder's files will be in S3.
        rows: name of each data file, and how many rows it holds.
        columns: name of each column, and its type: `text` or `number`.
    """
    prefix = dataset_uri.rstrip("/") + "/"
    sizes = {name: (folder / name).stat().st_size for name in rows}
    content = {
        "entries": [
            {
                "url": prefix + name,
                "meta": {
                    "content_length": sizes[name],
                    "record_count": count,
                    "sha256": sha256(folder / name),
                },
            }
            for name, count in rows.items()
        ],
        "schema": {
            "elements": [{"name": name, "type": {"base": TYPES[kind]}} for name, kind in columns.items()]
        },
        "meta": {"content_length": sum(sizes.values()), "record_count": sum(rows.values())},
        "author": {"name": "Amazon Redshift", "version": "1.0.0"},
    }
    path = folder / NAME
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    return path
