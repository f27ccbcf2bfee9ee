"""What two models have labelled of test sets, read from ledger and bucket for two_models.py."""

import json
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines import names
from pipelines.ledger import reading
from pipelines.ledger.reading import GroupLedger
from pipelines.report import two_models
from pipelines.report.archive import Archive, ReportError
from processing import compare
from processing.codes import codebook
from processing.policy import Policy


def read(archive: Archive, a: str, b: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Figures and lineage of any two models of a group, as `models_page` takes them.

    They are compared on the newest test set that both have labelled, else on what the newest of each have in
    common.

    Raises:
        ReportError: one has labelled no test set, or what is needed is not there.
        NothingInCommon: there is no test row that both have labelled.
        LedgerError: for a model that the ledger does not know.
        NotComparable, Tampered: the labels are not those of a test set, or not those recorded.
    """
    group = names.group_of_model(a)
    if group is None:
        raise ReportError(f"{a!r} is not a model. Fix: name one like DE-weee-2026-10-1a2b3c4d")
    if a == b:
        raise ReportError(f"{a} is compared with itself. Fix: name two models")
    known = archive.ledger(group)
    for model in (a, b):
        reading.check_model(known, model)
    chosen = _test_sets(a, b, known)
    sides = {
        role: archive.model(model, test_set, known)
        for role, (model, test_set) in zip(("winner", "challenger"), chosen.items(), strict=True)
    }
    first, second = (
        two_models.Labelled(
            model=side["model"]["name"],
            test_set=chosen[side["model"]["name"]],
            table=_labels(archive, side["predictions"], side["model"]["name"]),
            report=side["data"],
        )
        for side in sides.values()
    )
    period = max(map(_period_of, chosen.values()))
    book = archive.codebook(group, known.registered["codebook_version"])
    policy = Policy.parse(known.registered["policy"])
    found = two_models.evidence(first, second, group, period, policy, codebook.parse(book))
    return found, {"codebook": book, **sides}


def _labels(archive: Archive, item: dict[str, Any], model: str) -> pa.Table:
    """The test rows that a model has labelled, read and checked as Compare does."""
    address = item["predictions"]
    with tempfile.TemporaryDirectory() as folder:
        manifest = archive.object(f"{address}manifest.json")
        (Path(folder) / "manifest.json").write_bytes(manifest)
        for file in json.loads(manifest)["files"]:
            (Path(folder) / Path(file["name"]).name).write_bytes(archive.object(address + file["name"]))
        return compare.read_published(Path(folder), item["digest"], model)


def _test_sets(a: str, b: str, known: GroupLedger) -> dict[str, str]:
    """By model the test set to compare it on: the newest that both have labelled, else the newest of each.

    Raises ReportError where one has labelled none.
    """
    labelled: dict[str, set[str]] = {a: set(), b: set()}
    made: dict[str, str] = {}
    for (test_set, model), item in known.predictions.items():
        if model in labelled:
            labelled[model].add(test_set)
            made[test_set] = max(item["made_at"], made.get(test_set, ""))
    for model, sets in labelled.items():
        if not sets:
            raise ReportError(f"{model} has labelled no test set yet. Fix: wait until its test has ended")
    both = labelled[a] & labelled[b]
    return {
        model: max(both or sets, key=lambda test_set: (_period_of(test_set), made[test_set]))
        for model, sets in labelled.items()
    }


def _period_of(run: str) -> str:
    named = names.parse_run(run)
    return named.period if named else ""
