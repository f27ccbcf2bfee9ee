"""One version of a month's labels and what it rests on: earlier versions, model, verdict, codebook, dataset.

What the ledger has of later times is left out: the same version is described the same, whenever it is.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines import names
from pipelines.audit.sources import LEDGER, NOWHERE, AuditError, Sources, parsed
from pipelines.ledger import keys
from pipelines.ledger.reading import MAKES_WINNER, GroupLedger

MANIFEST = "manifest.json"
#: Who has it may decide a comparison; it is nobody's evidence.
SECRETS = ("token",)


@dataclass(frozen=True)
class Version:
    """Labels of one run: `recorded` is the ledger's item, `manifest` what it vouches for."""

    recorded: dict[str, Any]
    manifest: dict[str, Any]

    @property
    def address(self) -> str:
        """The folder, with a slash at its end."""
        folder: str = self.recorded["labels"]
        return folder

    def file(self, sources: Sources, name: str) -> bytes | None:
        """A file that the manifest lists, None where it lists none or the file is gone."""
        digest = {file["name"]: file["sha256"] for file in self.manifest["files"]}.get(name)
        if digest is None:
            return None
        by = f"{self.address}{MANIFEST}"
        return sources.get(f"{name} of {self.manifest['run']}", self.address + name, digest, by)


@dataclass(frozen=True)
class Month:
    """A version of the labels and, after it, those it amends; the last one is that of the run that labelled.

    Attributes:
        ledger: of the group.
        work_bucket: its name.
        versions: at least one.
    """

    ledger: GroupLedger
    work_bucket: str
    versions: tuple[Version, ...]

    @property
    def manifest(self) -> dict[str, Any]:
        """That of the version in question."""
        return self.versions[0].manifest

    @property
    def labelling(self) -> Version:
        """The version that no person had amended."""
        return self.versions[-1]

    @property
    def model(self) -> dict[str, Any]:
        """The ledger's item of the model that labelled the month. Raises AuditError."""
        name = self.manifest["model"]
        if name not in self.ledger.models:
            raise AuditError(f"The ledger has no model {name}. Fix: name its stack with --stack")
        return self.ledger.models[name] | {"name": name}

    @property
    def decisions(self) -> list[dict[str, Any]]:
        """The decisions on the model until it labelled the month, the oldest first."""
        until = datetime.fromisoformat(self.labelling.manifest["labelled_at"])
        return [
            each
            for each in self.ledger.decisions
            if each["model"] == self.manifest["model"] and datetime.fromisoformat(each["time"]) <= until
        ]

    @property
    def verdict(self) -> dict[str, Any] | None:
        """The decision that had made the model the winner."""
        made = [each for each in self.decisions if each["verdict"] in MAKES_WINNER]
        return made[-1] if made else None

    def folder(self, run: str) -> str:
        """What the jobs of one run left in the work bucket."""
        key = names.RUN_FOLDER.format(group=self.ledger.group, run=run)
        return names.address(self.work_bucket, key)

    def evidence(self, sources: Sources) -> dict[str, Any] | None:
        """What Compare found, of the last comparison that the model's decisions up to then stand on."""
        for decision in reversed(self.decisions):
            if decision.get("evidence"):
                digest, by = decision["evidence_digest"], f"{LEDGER}, {decision['entry']}"
                return _json(sources, "evidence of the comparison", decision["evidence"], digest, by)
        return None

    def codebook(self, sources: Sources, version: str) -> dict[str, Any] | None:
        """The codebook of one of the versions."""
        key = names.CODEBOOK.format(group=self.ledger.group, version=version)
        for each in self.versions:
            if each.manifest["codebook_version"] == version and "codebook_digest" in each.manifest:
                digest, by = each.manifest["codebook_digest"], f"{each.address}{MANIFEST}"
                break
        else:  # labels of before manifests had it
            digest, by = "", NOWHERE
        return _json(sources, f"codebook {version}", names.address(self.work_bucket, key), digest, by)

    def dataset_manifest(self, sources: Sources) -> bytes | None:
        """The manifest of the dataset, in the version that was delivered."""
        _, version = names.split_delivered(self.labelling.recorded["delivered"])
        address = f"{self.manifest['dataset']}manifest"
        by = f"{LEDGER}, {self.labelling.recorded['entry']}: the object's version"
        return sources.get("manifest of the dataset, as delivered", address, by=by, version=version)

    def prepared(self, sources: Sources) -> dict[str, Any] | None:
        """What Prepare reported of the dataset."""
        address = f"{self.folder(self.labelling.manifest['run'])}report/report.json"
        return _json(sources, "Prepare's report on the dataset", address)

    def ledger_items(self) -> list[dict[str, Any]]:
        """The ledger's items that these labels rest on, by entry."""
        model = self.model
        runs = {each["run"] for each in self.decisions}
        items = [
            *(each.recorded for each in self.versions),
            {name: value for name, value in model.items() if name != "name"},
            *self.decisions,
            *(item for run, item in self.ledger.approvals.items() if run in runs),
            *(item for (_, name), item in self.ledger.predictions.items() if self._tested(item, name)),
            *(item for item in self.ledger.claims.values() if item.get("run") == model["run"]),
        ]
        # `time`, `run` and `period` may be there twice, from the entry's text and as attributes.
        plain = [{name: value for name, value in item.items() if name not in SECRETS} for item in items]
        return sorted(plain, key=lambda item: item["entry"])

    def _tested(self, item: dict[str, Any], model: str) -> bool:
        until = datetime.fromisoformat(self.labelling.manifest["labelled_at"])
        return model == self.manifest["model"] and datetime.fromisoformat(item["made_at"]) <= until


def month(
    sources: Sources, ledger: GroupLedger, work_bucket: str, period: str, run: str | None = None
) -> Month:
    """The labels of one run, by default those that are the month's now, with the versions before them.

    Raises:
        AuditError: there are none, or they are not those that the ledger records.
    """
    if run is None:
        run = ledger.months.get(period, {}).get("run")
    versions: list[Version] = []
    while run:
        versions.append(_version(sources, ledger, period, run))
        before = versions[-1].manifest.get("amended_runs", [])
        run = before[-1] if before else None
    if not versions:
        raise AuditError(
            f"No labels of {ledger.group} {period} are published. "
            "Fix: check group and period; labels exist once a month's run has ended"
        )
    return Month(ledger, work_bucket, tuple(versions))


def earlier(sources: Sources, found: Month) -> Version | None:
    """The labels of the month before that these were compared with; None in a first month."""
    content = found.labelling.file(sources, "summary.json")
    before = content and json.loads(content)["earlier"]
    return _version(sources, found.ledger, before["period"], before["run"]) if before else None


def compared_in(decision: dict[str, Any]) -> str | None:
    """The comparison whose evidence a decision cites: that of a person has a run of another name."""
    return names.run_of_evidence(decision["evidence"]) if decision.get("evidence") else None


def artefact_digest(model: dict[str, Any]) -> str:
    """SHA-256 (hex) of a model's artefact; the ledger has it in Base64, as S3 made it."""
    return base64.b64decode(model["artefact_digest"]).hex()


def _version(sources: Sources, ledger: GroupLedger, period: str, run: str) -> Version:
    entry = keys.LABELS.format(period=period, run=run)
    recorded = next((item for item in ledger.labels if item["entry"] == entry), None)
    if recorded is None:
        raise AuditError(
            f"The ledger has no labels of {ledger.group} {period} by run {run}. "
            f"Fix: name a run that published labels of the month, like {_example(ledger, period)}"
        )
    address = f"{recorded['labels']}{MANIFEST}"
    content = sources.get(f"manifest of {run}", address, recorded["digest"], f"{LEDGER}, {entry}")
    if content is None:
        raise AuditError(f"{sources.missing[-1]} Fix: restore that object's last version")
    return Version(recorded, json.loads(content))


def _json(sources: Sources, what: str, address: str, *recorded: str) -> dict[str, Any] | None:
    """The object's JSON, as Sources.get reads it; None where it is not there any more."""
    content = sources.get(what, address, *recorded)
    return None if content is None else parsed(content, address)


def _example(ledger: GroupLedger, period: str) -> str:
    known = [item["run"] for item in ledger.labels if item["period"] == period]
    return known[-1] if known else f"{ledger.group}-inference-{period}-0f3a9c21d4e5"
