"""The code bundle: everything that is deployed except the template, under one content address.

    jobs/          the packages processing, training and inference, as the jobs import them
    lambda.zip     the handlers and what they import
    definitions/   the state machines; definitions/vpc/ the same for a stack in a VPC

The digest covers names and contents, so the same sources give the same address on every machine, and a
prefix that is in the bucket never changes its meaning.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from infra.deploy.vpc import in_vpc

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

ROOT = Path(__file__).resolve().parents[2]
JOB_PACKAGES = ("processing", "training", "inference")
LAMBDA_SOURCES = (
    "pipelines/__init__.py",
    "pipelines/executions.py",
    "pipelines/messages.py",
    "pipelines/names.py",
    "pipelines/runs.py",
    "pipelines/handlers/*.py",
    "pipelines/ledger/__init__.py",
    "pipelines/ledger/keys.py",
    "pipelines/warehouse/*.py",
    "pipelines/warehouse/queries/*.sql",
)
ZIP_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Bundle:
    """A built bundle.

    `folder` holds the files as they are uploaded; `digest` is 16 hex of SHA-256 over names and contents.
    """

    folder: Path
    digest: str

    @property
    def prefix(self) -> str:
        """Where the bundle lives in the code bucket, without a trailing slash: `code/<digest>`."""
        return f"code/{self.digest}"

    def upload(self, s3: S3Client, bucket: str) -> str:
        """Put what is not there yet into `bucket` with the boto3 client `s3`; return the prefix."""
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{self.prefix}/")
        present = {item["Key"] for page in pages for item in page.get("Contents", ())}
        for path in files_in(self.folder):
            key = f"{self.prefix}/{path.relative_to(self.folder).as_posix()}"
            if key not in present:
                s3.put_object(Bucket=bucket, Key=key, Body=path.read_bytes())
        return self.prefix


def build(out_dir: Path, root: Path = ROOT) -> Bundle:
    """Write the bundle of the sources under `root` into `out_dir`, replacing what was there.

    Raises:
        FileNotFoundError: when there is no state machine definition, as a bundle without one cannot run.
    """
    definitions = sorted((root / "pipelines/definitions").glob("*.asl.json"))
    if not definitions:
        raise FileNotFoundError(f"{root}/pipelines/definitions holds no *.asl.json: run `make definitions`")
    shutil.rmtree(out_dir, ignore_errors=True)
    for package in JOB_PACKAGES:
        for source in (root / package).rglob("*.py"):
            copy(source, out_dir / "jobs" / source.relative_to(root))
    for definition in definitions:
        copy(definition, out_dir / "definitions" / definition.name)
        inside = in_vpc(json.loads(definition.read_text(encoding="utf-8")))
        target = out_dir / "definitions/vpc" / definition.name
        target.parent.mkdir(exist_ok=True)
        target.write_text(json.dumps(inside, indent=2, sort_keys=True) + "\n", encoding="utf-8", newline="\n")
    handlers = sorted({source for pattern in LAMBDA_SOURCES for source in root.glob(pattern)})
    write_zip(out_dir / "lambda.zip", {source.relative_to(root).as_posix(): source for source in handlers})
    return Bundle(out_dir, digest_of(out_dir))


def copy(source: Path, target: Path) -> None:
    """Copy one file, making its folders."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def write_zip(target: Path, sources: dict[str, Path]) -> None:
    """Write a zip whose bytes depend on names and contents alone: stored, as zlib versions differ."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, source in sorted(sources.items()):
            entry = zipfile.ZipInfo(name, ZIP_EPOCH)
            entry.create_system = 3  # Unix, also when built on Windows
            entry.external_attr = 0o644 << 16  # readable for Lambda's user
            archive.writestr(entry, source.read_bytes())


def files_in(folder: Path) -> list[Path]:
    """All files under `folder`, in one order everywhere."""
    return sorted((path for path in folder.rglob("*") if path.is_file()), key=lambda path: path.as_posix())


def digest_of(folder: Path) -> str:
    """16 hex of SHA-256 over the names and contents of the files in `folder`."""
    total = hashlib.sha256()
    for path in files_in(folder):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{content}  {path.relative_to(folder).as_posix()}\n".encode())
    return total.hexdigest()[:16]
