"""A month's labels and what they rest on as one ZIP: whoever unpacks it needs `sha256sum` and nothing else.

The same labels give the same bytes: files in one order, with one date, not compressed (what a compressor
makes depends on its version; most of the files are compressed already).
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from pipelines import names
from pipelines.audit.month import MANIFEST, Month, artefact_digest, compared_in
from pipelines.audit.sources import CHUNK_BYTES, NOWHERE, Sources, parsed
from pipelines.report import comparison_page, page_name
from pipelines.report.archive import Archive, ReportError

#: The earliest that the format has.
DATE = (1980, 1, 1, 0, 0, 0)
LABELS = "labels"
README = """\
Labels of {group} {period}, run {run}, and what they rest on.

Is everything as it was packed?   sha256sum -c SHA256SUMS   (macOS: shasum -a 256 -c SHA256SUMS)

Is it what was published? The manifest of the labels lists the SHA-256 of each of its files. That of the
manifest is in the ledger, which no job that makes files can write:

{manifests}
Whoever may read the ledger compares: its item of group {group}, entry as named, attribute `digest`.

labels/RUN/      what was published: labels.csv for people, labels.parquet for machines (the same rows),
                 manifest, summary, what changed since the month before, decisions. Where there are several
                 runs, each amends the one before it; this is about {run}.
evidence/        what the comparison found that made {model} the model in use, and its page
codebooks/       the codes with their texts
decisions/       what people had decided until then, in all months
dataset/         the manifest of the dataset that was labelled, and Prepare's report on it, which has the
                 SHA-256 of each of its files
ledger.json      what the ledger says of these labels, of the model, and of the decisions on it
lineage.json     of each file here the address that it was read from, its SHA-256, and where that is recorded

Left out: the data that was delivered, and the model, as both are large and no digest here needs them.
{left_out}
Not there any more:
{missing}
"""


def write(sources: Sources, month: Month, archive: Archive, out: Path) -> list[str]:
    """Write the bundle to `out`; what is missing in it, in sentences.

    Files are streamed: none is whole in memory unless it is small. Where it fails, nothing is left at `out`.

    Raises:
        AuditError: something is not what was recorded.
        OSError: `out` cannot be written.
    """
    unfinished = out.parent / f".{out.name}.unfinished"
    try:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_STORED) as packed:
            _Bundle(sources, month, archive, packed).write()
        os.replace(unfinished, out)
    finally:
        unfinished.unlink(missing_ok=True)
    return list(dict.fromkeys(sources.missing))


class _Bundle:
    """A bundle on its way: what is in it, by name, with its SHA-256."""

    def __init__(self, sources: Sources, month: Month, archive: Archive, packed: zipfile.ZipFile):
        self._sources, self._month, self._archive, self._packed = sources, month, archive, packed
        self._digests: dict[str, str] = {}
        #: Name in the bundle to the address that it was read from.
        self._from: dict[str, str] = {}

    def write(self) -> None:
        for name, what, address, recorded, by, version in self._objects():
            with self._sources.open(what, address, recorded, by, version) as file:
                if file:
                    self._from[name] = address
                    self._add(name, file)
        self._evidence_page()
        self._json("ledger.json", self._month.ledger_items())
        self._json("lineage.json", self._lineage())
        self._text("README.txt", self._readme())
        listed = "".join(f"{digest}  {name}\n" for name, digest in sorted(self._digests.items()))
        self._text("SHA256SUMS", listed)

    def _objects(self) -> Iterator[tuple[str, str, str, str, str, str]]:
        """Of each object its name in the bundle, then what Sources.open takes."""
        month = self._month
        for each in month.versions:
            run, address = each.manifest["run"], each.address
            manifest = self._sources.read[f"{address}{MANIFEST}"]
            folder = f"{LABELS}/{run}/"
            yield folder + MANIFEST, manifest.what, manifest.address, manifest.sha256, manifest.by, ""
            for file in each.manifest["files"]:
                name, what = file["name"], f"{file['name']} of {run}"
                yield folder + name, what, address + name, file["sha256"], manifest.address, ""
        yield from self._noted("evidence", month.evidence)
        for version in dict.fromkeys(each.manifest["codebook_version"] for each in month.versions):
            yield from self._noted("codebooks", partial(month.codebook, version=version))
        yield from self._noted("dataset", month.dataset_manifest)
        yield from self._noted("dataset", month.prepared)
        yield from self._sheets()

    def _noted(
        self, folder: str, read: Callable[[Sources], object]
    ) -> Iterator[tuple[str, str, str, str, str, str]]:
        """The objects that `read` reads: the month knows where they are, and what vouches for them."""
        before = set(self._sources.read)
        read(self._sources)
        for source in [each for at, each in self._sources.read.items() if at not in before]:
            name = source.address.rpartition("/")[2]
            yield f"{folder}/{name}", source.what, source.address, source.sha256, source.by, source.version

    def _sheets(self) -> Iterator[tuple[str, str, str, str, str, str]]:
        """The sheets with decisions from before the labels were made."""
        month = self._month
        until = datetime.fromisoformat(month.manifest["labelled_at"])
        folder = names.address(month.work_bucket, names.REVIEWED.format(group=month.ledger.group))
        for address in self._sources.below(folder):
            if not address.endswith(".jsonl"):
                continue
            with self._sources.open("decisions of a sheet", address) as file:
                made = [datetime.fromisoformat(parsed(line, address)["decided_at"]) for line in file or ()]
            if made and min(made) <= until:
                name = f"decisions/{address.removeprefix(folder)}"
                yield name, "decisions of a sheet", address, "", NOWHERE, ""
            else:
                self._sources.forget(address)

    def _evidence_page(self) -> None:
        run = next(filter(None, map(compared_in, reversed(self._month.decisions))), None)
        if not run:
            self._sources.missing.append("The comparison's page: no comparison decided on the model before.")
            return
        try:
            self._text(f"evidence/{page_name(run)}", comparison_page(*self._archive.comparison(run)))
        except ReportError as error:
            self._sources.missing.append(f"The comparison's page: {error}")

    def _lineage(self) -> dict[str, Any]:
        month, model = self._month, self._month.model
        files = {
            name: asdict(self._sources.read[address]) | {"file": name} for name, address in self._from.items()
        }
        return {
            "group": month.ledger.group,
            **{name: month.manifest[name] for name in ("period", "run", "labelled_at", "rows")},
            "dataset": month.manifest["dataset"],
            "delivered": month.labelling.recorded["delivered"],
            "model": {
                **{name: model[name] for name in ("name", "run", "artefact", "code_digest", "data_digest")},
                **{name: model[name] for name in ("image", "codebook_version", "trained_at")},
                "artefact_digest": artefact_digest(model),
            },
            "codebook_version": month.manifest["codebook_version"],
            "made_winner_by": month.verdict and month.verdict["entry"],
            "files": [files[name] for name in sorted(files)],
            "missing": list(dict.fromkeys(self._sources.missing)),
        }

    def _readme(self) -> str:
        month, model = self._month, self._month.model
        manifests = [
            f"  {each.recorded['digest']}  {LABELS}/{each.manifest['run']}/{MANIFEST}\n"
            f"      entry {each.recorded['entry']}\n"
            for each in month.versions
        ]
        missing = list(dict.fromkeys(self._sources.missing))
        return README.format(
            group=month.ledger.group,
            **{name: month.manifest[name] for name in ("period", "run", "model")},
            manifests="".join(manifests),
            left_out=f"  {month.manifest['dataset']}\n  {artefact_digest(model)}  {model['artefact']}",
            missing="\n".join(f"  {sentence}" for sentence in missing) or "  nothing is missing",
        )

    def _json(self, name: str, value: object) -> None:
        self._text(name, json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n")

    def _text(self, name: str, text: str) -> None:
        self._add(name, BytesIO(text.encode()))

    def _add(self, name: str, file: IO[bytes]) -> None:
        info = zipfile.ZipInfo(name, DATE)
        info.create_system, info.external_attr = 3, 0o644 << 16  # as Unix has it, whatever machine this is
        info.file_size = file.seek(0, os.SEEK_END)
        file.seek(0)
        digest = hashlib.sha256()
        with self._packed.open(info, "w") as target:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                target.write(chunk)
        self._digests[name] = digest.hexdigest()
