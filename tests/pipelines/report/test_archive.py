"""The command and the archive, against a stack in this process."""

import argparse
import hashlib
import json
import re

import boto3
import pytest

from pipelines.commands import report
from pipelines.report import comparison_page, labels_page, labels_page_name, page_name
from tests import stack_with_ledger
from tests.complaints import complaints
from tests.pipelines.report import evidences, months


class Stack:
    """A stack in which comparisons have run."""

    def __init__(self):
        names = stack_with_ledger.create()
        self.bucket, self._table = names["WorkBucket"], names["LedgerTable"]
        self._s3, self._dynamodb = boto3.client("s3"), boto3.client("dynamodb")

    def write(self, key: str, content: dict) -> str:
        """Write an object and return its SHA-256."""
        body = json.dumps(content).encode()
        self._s3.put_object(Bucket=self.bucket, Key=key, Body=body)
        return hashlib.sha256(body).hexdigest()

    def record(self, group: str, entry: str, **attributes: str) -> None:
        item = {"group": group, "entry": entry, **attributes}
        types = {"objective": "N"}
        self._dynamodb.put_item(
            TableName=self._table, Item={name: {types.get(name, "S"): value} for name, value in item.items()}
        )

    def compared(
        self, evidence: dict, lineage: dict, decided_at: str | None = "2026-10-03T04:05:06.789Z"
    ) -> None:
        """Leave behind what the workflows leave behind of one comparison."""
        group, run = evidence["group"], evidence["run"]
        digest = self.write(f"runs/{group}/{run}/evidence/comparison.json", evidence)
        self.write(f"codebooks/{group}/{evidence['codebook_version']}.json", lineage["codebook"])
        self.record(group, "GROUP", codebook_version=evidence["codebook_version"])
        test_set = lineage["challenger"]["model"]["test_set"]
        for side in filter(None, (lineage["challenger"], lineage["winner"])):
            model = dict(side["model"])
            name = model.pop("name")
            self.record(group, f"MODEL#{name}", **model)
            self.record(group, f"PREDICTIONS#{test_set}#{name}", **side["predictions"])
            self.write(f"runs/{group}/{model['run']}/report/report.json", side["data"])
        if decided_at:
            self.record(
                group,
                f"DECISION#{decided_at}#{run}",
                verdict=evidence["verdict"],
                reason=evidence["reason"],
                decided_by="comparison",
                model=evidence["challenger"]["model"],
                evidence_digest=digest,
            )
            self.record(group, "WINNER", model=evidence["challenger"]["model"])

    def labelled(self, made: list) -> None:
        """Leave behind what the workflows leave behind of the labels in `made` (months.publish)."""
        self._s3.create_bucket(
            Bucket=months.BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        self.relabelled(made)

    def relabelled(self, made: list) -> None:
        """Leave behind what is in the folders of `made` now."""
        for day, (address, folder) in enumerate(made):
            key = address.removeprefix(f"s3://{months.BUCKET}/")
            for path in folder.iterdir():
                self._s3.put_object(Bucket=months.BUCKET, Key=key + path.name, Body=path.read_bytes())
            _, group, period, run, _ = key.split("/")
            labels, at = {"labels": address, "run": run, "model": "m"}, f"2026-10-0{day}T04:05:06.789Z"
            labels["digest"] = hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
            self.record(group, f"MONTH#{period}", **labels)
            self.record(group, f"LABELS#{period}#{run}", recorded_at=at, **labels)
            self.record(group, "GROUP", codebook_version="2026-10")
            self.write(f"codebooks/{group}/2026-10.json", months.CODEBOOK | {"group": group})

    def overwrite(self, address: str, body: bytes) -> None:
        bucket, _, key = address.removeprefix("s3://").partition("/")
        self._s3.put_object(Bucket=bucket, Key=key, Body=body)


@pytest.fixture
def stack(emulated_aws):
    return Stack()


@pytest.fixture
def labelmill(capsys):
    """Run `labelmill report ...`; gives the exit code, and what was printed as result and as error."""

    def run(*words) -> tuple[int, str, str]:
        parser = argparse.ArgumentParser()
        report.add_parser(parser.add_subparsers())
        args = parser.parse_args(["report", *map(str, words)])
        code = args.run(args)
        printed = capsys.readouterr()
        return code, printed.out.strip(), complaints(printed.err).strip()

    return run


def test_the_page_of_a_comparison_is_written_from_ledger_and_evidence(stack, labelmill, promoted, tmp_path):
    evidence, lineage = promoted
    stack.compared(evidence, lineage)
    code, printed, _ = labelmill("comparison", evidence["run"], "--out", tmp_path / "new")
    path = tmp_path / "new" / page_name(evidence["run"])
    assert (code, printed) == (0, str(path))
    page = path.read_text(encoding="utf-8")
    assert f"s3://{stack.bucket}/runs/DE-weee/{evidence['run']}/evidence/comparison.json" in page
    expected = comparison_page(evidence, lineage)
    assert page.split('<section>\n<h2 id="lineage">')[0] == expected.split('<section>\n<h2 id="lineage">')[0]
    for side in ("challenger", "winner"):
        assert lineage[side]["predictions"]["predictions"] in page
        assert lineage[side]["data"]["dataset"] in page
    assert "2026-10-03 04:05 UTC" in page


def test_a_comparison_can_be_read_before_it_is_decided(stack, labelmill, promoted, tmp_path):
    stack.compared(*promoted, decided_at=None)
    code, _, _ = labelmill("comparison", promoted[0]["run"], "--out", tmp_path)
    assert code == 0
    assert "not recorded yet" in (tmp_path / page_name(promoted[0]["run"])).read_text(encoding="utf-8")


def test_a_periods_page_comes_with_the_pages_it_links_to(stack, labelmill, promoted, first, tmp_path):
    stack.compared(*promoted)
    stack.compared(*first)
    stack.record("NL-weee", "GROUP", codebook_version="2026-10")
    stack.write("codebooks/NL-weee/2026-10.json", evidences.CODEBOOK)
    stack.record("PL-weee", "GROUP", codebook_version="2026-10", retired_at="2026-06-01T08:00:00.000Z")
    stack.write("codebooks/PL-weee/2026-10.json", evidences.CODEBOOK)
    stack.record(
        "DE-weee",
        "DECISION#2026-09-01T00:00:00Z#DE-weee-comparison-2026-09-0f3a9c21d4e5",
        verdict="FIRST",
        model=promoted[0]["winner"]["model"],
    )
    code, printed, _ = labelmill("period", "2026-10", "--out", tmp_path)
    assert (code, printed) == (0, str(tmp_path / "2026-10.html"))
    names = {page_name(evidence["run"]) for evidence, _ in (promoted, first)}
    assert {path.name for path in tmp_path.iterdir()} == names | {"2026-10.html", "index.html"}
    page = (tmp_path / "2026-10.html").read_text(encoding="utf-8")
    assert all(f'href="{name}"' in page for name in names)
    assert "Without a comparison in 2026-10: NL-weee." in page
    assert "Not done: 0 of 3 groups, due 2026-11-10 08:00 UTC, " in page
    assert 'href="index.html"' in page
    for name in names:
        below = (tmp_path / name).read_text(encoding="utf-8")
        assert 'href="index.html"' in below and 'href="2026-10.html"' in below
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert all(f'href="{name}"' in index for name in names | {"2026-10.html"})


def test_the_index_is_written_alone_and_leads_to_the_pages_that_are_there(
    stack, labelmill, publish, tmp_path
):
    stack.labelled(publish())
    code, printed, _ = labelmill("index", "--out", tmp_path)
    assert (code, printed) == (0, str(tmp_path / "index.html"))
    assert "href=" not in (tmp_path / "index.html").read_text(encoding="utf-8").split("<main>")[1]
    name = labels_page_name("FR-packaging", "2026-10")
    labelmill("labels", "FR-packaging", "2026-10", "--out", tmp_path)
    assert 'href="index.html"' in (tmp_path / name).read_text(encoding="utf-8")
    labelmill("index", "--out", tmp_path)
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert f'href="{name}"' in index and labels_page_name("FR-packaging", "2026-09") not in index


def test_a_periods_page_says_that_a_winner_is_pinned_by_whom_until_when_and_why(
    stack, labelmill, promoted, tmp_path
):
    evidence, lineage = promoted
    stack.compared(evidence, lineage)
    pin = {"pinned_until": "released", "pinned_by": "A. Muster", "pinned_reason": "wrong codes for lamps"}
    stack.record(evidence["group"], "WINNER", model="m", **pin)
    labelmill("period", "2026-10", "--out", tmp_path)
    page = (tmp_path / "2026-10.html").read_text(encoding="utf-8")
    assert "Winner now: m, pinned by A. Muster until released: wrong codes for lamps." in page
    stack.record(evidence["group"], "WINNER", model="m", **pin | {"pinned_until": "2020-12-31"})
    labelmill("period", "2026-10", "--out", tmp_path)
    assert "Winner now: m." in (tmp_path / "2026-10.html").read_text(encoding="utf-8")


def test_a_comparison_that_waits_for_a_person_is_in_its_period_with_the_commands(
    stack, labelmill, promoted, first, tmp_path
):
    for evidence, lineage, asked_at in ((*promoted, "2099-10-03"), (*first, "2020-10-03")):
        stack.compared(evidence, lineage, decided_at=None)
        winner = (evidence["winner"] or {}).get("model", "")
        if winner:
            stack.record(evidence["group"], "WINNER", model=winner)
        asked = {"asked_at": f"{asked_at}T04:05:06.789Z", "replaces": winner}
        asked["model"] = evidence["challenger"]["model"]
        asked["evidence_digest"] = hashlib.sha256(json.dumps(evidence).encode()).hexdigest()
        stack.record(evidence["group"], f"APPROVAL#{evidence['run']}", **asked)
    assert labelmill("period", "2026-10", "--out", tmp_path)[0] == 0
    page = (tmp_path / page_name(promoted[0]["run"])).read_text(encoding="utf-8")
    assert f"labelmill approve {promoted[0]['run']}" in page and "until 2099-10-10 04:05 UTC" in page
    assert "labelmill models rollback" not in page
    # The other one's time is over: it is decided any moment now.
    assert "FR-packaging" in (tmp_path / "2026-10.html").read_text(encoding="utf-8").split("Without a")[1]


def test_the_page_of_labels_is_written_from_the_newest_version(stack, labelmill, publish, tmp_path):
    made = publish()
    stack.labelled(made)
    code, printed, _ = labelmill("labels", "FR-packaging", "2026-10", "--out", tmp_path)
    path = tmp_path / labels_page_name("FR-packaging", "2026-10")
    assert (code, printed) == (0, str(path))
    assert path.read_text(encoding="utf-8") == labels_page(months.read(made))


def test_labels_that_came_too_late_are_on_the_months_page_and_are_not_the_month(
    stack, labelmill, publish, tmp_path
):
    stack.labelled(publish())
    late = "FR-packaging-inference-2026-10-000000000000"
    for time, run, more in (("06", late, {"superseded_by": "newer"}), ("00", f"{late[:-1]}1", {})):
        address = f"s3://labelled/labels/FR-packaging/2026-10/{run}/"
        at = {"recorded_at": f"2026-10-09T04:05:{time}.789Z", "labels": address, "run": run}
        stack.record("FR-packaging", f"LABELS#2026-10#{run}", **at, **more)
    assert labelmill("labels", "FR-packaging", "2026-10", "--out", tmp_path)[0] == 0
    page = (tmp_path / labels_page_name("FR-packaging", "2026-10")).read_text(encoding="utf-8")
    assert page.count("Superseded version</th>") == 1
    # The last one that was recorded comes first, whatever the runs are called.
    assert (
        page.index(f"{late}/")
        < page.index(f"{late[:-1]}1/")
        < page.index("Earlier version</th>", page.index(f"{late[:-1]}1/"))
    )


def test_the_page_of_a_period_comes_with_those_of_its_labels(stack, labelmill, publish, tmp_path):
    stack.labelled(publish(first=True) + publish(group="DE-weee", first=True))
    assert labelmill("period", "2026-09", "--out", tmp_path)[0] == 0
    pages = {labels_page_name(group, "2026-09") for group in ("FR-packaging", "DE-weee")}
    assert {path.name for path in tmp_path.iterdir()} == pages | {"2026-09.html", "index.html"}
    assert all(f'href="{page}"' in (tmp_path / "2026-09.html").read_text(encoding="utf-8") for page in pages)


def test_changes_from_when_an_apostrophe_stood_before_more_than_formulas_are_read_alike(
    stack, labelmill, publish, tmp_path
):
    made = publish(item_id="{number:04d}")[:2]
    stack.labelled(made)
    labels = ("labels", "FR-packaging", "2026-10", "--out", tmp_path)
    assert labelmill(*labels)[0] == 0
    now = (tmp_path / labels_page_name("FR-packaging", "2026-10")).read_text(encoding="utf-8")
    months.as_it_was(made[1][1])
    stack.relabelled(made)
    assert labelmill(*labels)[0] == 0
    was = (tmp_path / labels_page_name("FR-packaging", "2026-10")).read_text(encoding="utf-8")
    digest = re.compile("[0-9a-f]{64}|[0-9,]+ bytes")
    assert digest.sub("", was) == digest.sub("", now)


@pytest.mark.parametrize("name", ["summary.json", "changes.csv", "manifest.json"])
def test_files_of_labels_that_were_changed_afterwards_are_not_reported(
    stack, labelmill, publish, tmp_path, name
):
    made = publish()[:2]
    stack.labelled(made)
    address = f"{made[-1][0]}{name}"
    stack.overwrite(address, (made[-1][1] / name).read_bytes() + b" ")
    code, _, error = labelmill("labels", "FR-packaging", "2026-10", "--out", tmp_path)
    assert code == 1
    assert f"{address} is not what was recorded: its SHA-256 is" in error


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("labels", "DE-weee", "2026-10"), "No labels of DE-weee 2026-10 are published. Fix: check group"),
        (("comparison", "DE-weee-comparison-2026-10-000000000000"), "comparison.json does not exist. Fix:"),
        (("comparison", "NL-weee-comparison-2026-10-000000000000"), "Model group NL-weee is not known. Fix:"),
        (("comparison", "DE-weee-training-2026-10-000000000000"), "is not a comparison's run. Fix:"),
        (("comparison", "../../secret"), "is not a comparison's run. Fix:"),
        (("period", "2026-09"), "Nothing of 2026-09 is decided, waits or is labelled. Fix: name another"),
        (("period", "2026-10", "--stack", "other"), "there is no stack 'other'"),
    ],
)
def test_what_cannot_be_reported_is_said_with_the_fix(stack, labelmill, tmp_path, words, sentence):
    stack.record("DE-weee", "GROUP", codebook_version="2026-10")
    code, printed, error = labelmill(*words, "--out", tmp_path)
    assert (code, printed) == (1, "")
    assert sentence in error
    assert list(tmp_path.iterdir()) == []


def test_evidence_that_was_changed_after_the_decision_is_not_reported(stack, labelmill, promoted, tmp_path):
    evidence, lineage = promoted
    stack.compared(evidence, lineage)
    key = f"runs/DE-weee/{evidence['run']}/evidence/comparison.json"
    stack.write(key, evidence | {"score": 1.0})
    code, _, error = labelmill("comparison", evidence["run"], "--out", tmp_path)
    assert code == 1
    assert f"{key} is not what was recorded: its SHA-256 is" in error


def test_evidence_that_was_changed_while_a_person_is_asked_is_not_reported(
    stack, labelmill, promoted, tmp_path
):
    evidence, lineage = promoted
    stack.compared(evidence, lineage, decided_at=None)
    digest = hashlib.sha256(json.dumps(evidence).encode()).hexdigest()
    asked = {"asked_at": "2026-10-03T04:05:06.789Z", "replaces": "", "evidence_digest": digest}
    stack.record("DE-weee", f"APPROVAL#{evidence['run']}", **asked)
    key = f"runs/DE-weee/{evidence['run']}/evidence/comparison.json"
    stack.write(key, evidence | {"score": 1.0})
    code, _, error = labelmill("comparison", evidence["run"], "--out", tmp_path)
    assert code == 1
    assert f"{key} is not what was recorded" in error


def test_a_model_the_ledger_does_not_know_is_named(stack, labelmill, promoted, tmp_path):
    evidence, lineage = promoted
    stack.compared(evidence, lineage | {"winner": None})
    code, _, error = labelmill("comparison", evidence["run"], "--out", tmp_path)
    assert code == 1
    assert f"The ledger has no model {evidence['winner']['model']}." in error
    assert evidences.WINNER.format(group="DE-weee") in error
