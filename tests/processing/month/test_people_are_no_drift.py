"""What people decide is no drift: neither in the month after, nor in the first one that has a history."""

import json

import pytest

from processing.digests import sha256
from tests.processing.job_folders import decision, read_json
from tests.processing.month.published_months import summary

PEOPLE = 100
CODES = ["1"] * PEOPLE + ["1", "2", "3a"] * 100
SURE = [0.6] * PEOPLE + [0.995] * 300


@pytest.fixture
def published(month):
    """A month whose first PEOPLE items the model is not sure of."""

    def run(**more):
        return month(CODES, confidence=SURE, unsure=PEOPLE, **more)

    return run


def said(label: str) -> list[dict]:
    return [decision(number, label) for number in range(PEOPLE)]


def distances(job, name: str) -> list[float]:
    return [one["distance"] for one in summary(job)["drift"][name]]


def as_before_histories(job) -> None:
    """Make of a month's output what was published before summaries had a history."""
    path = job.output("files") / "summary.json"
    found = summary(job)
    del found["history"], found["review"]["needed_as_said"], found["review"]["reliability"]
    path.write_text(json.dumps(found | {"decisions": None}), encoding="utf-8")
    manifest = read_json(job, "manifest", "manifest.json")
    [entry] = [file for file in manifest["files"] if file["name"] == path.name]
    entry |= {"bytes": path.stat().st_size, "sha256": sha256(path)}
    (job.output("manifest") / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def test_the_models_confidence_is_the_same_whoever_has_decided(published):
    october = published(period="2026-10")
    november = published(period="2026-11", earlier=october, reviewed=said("1"))
    assert summary(november)["counts"]["decided"] == PEOPLE
    assert distances(november, "confidence") == [0]


@pytest.mark.parametrize("reviewed_by_then", [True, False])
def test_the_mix_of_codes_is_the_models_whoever_has_decided(published, amended, reviewed_by_then):
    october = published(period="2026-10")
    if reviewed_by_then:
        october = amended(october, said("2"))
    november = published(period="2026-11", earlier=october, reviewed=said("2"))
    assert summary(november)["counts"]["decided"] == PEOPLE
    assert distances(november, "label_mix") == [0]
    assert summary(november)["attention"] == []


def test_labels_from_before_histories_take_a_sheet_and_are_no_drift_for_the_next_month(published, amended):
    october = published(period="2026-10")
    as_before_histories(october)
    october = amended(october, said("2"))
    assert summary(october)["decisions"]["kept"] == PEOPLE
    november = published(period="2026-11", earlier=october, reviewed=said("2"))
    assert summary(november)["drift"]["review"]["last_month"] == PEOPLE / len(CODES)
    assert summary(november)["attention"] == []
