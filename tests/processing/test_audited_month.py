"""Amend, where the sheet is of a blind sample or a second person: what it says of labels and of people."""

import json

import pyarrow.parquet as pq
import pytest

from processing import amend
from processing.labels import agreement, audit
from tests.processing.job_folders import (
    AMENDS,
    GROUP,
    PERIOD,
    WHEN,
    as_jsonl,
    copy_output,
    decision,
    month,
    read_json,
)

LABELLED = ("000003", "000004", "000005")  # without a person, each with code 1


def sampled(answers: dict[str, tuple], of: str = "r1", rows=LABELLED, earlier=()) -> dict:
    who = {"decided_by": "A. Muster", "decided_at": "2026-11-09T10:00:00.000+00:00"}
    said = [
        {"item_id": item, "answer": answer, "label": label, **who}
        for item, (answer, label) in answers.items()
    ]
    return {
        **{"sample": "DE-weee-sample-2026-10-0f3a9c21d4e5", "of": of, "run": "r1", "seed": "5eed"},
        **{"drawn_at": "2026-11-08T10:00:00+00:00", "width": 0.02},
        "rows": [{"item_id": item, "code": "1", "part": "whole"} for item in rows],
        "sizes": {"1": len(rows)},
        "answers": said,
        "earlier": list(earlier),
    }


@pytest.fixture
def audited(new_job):
    """Amend the labels of a job by the sheet of a sample, or of a second person."""

    def run(labels, decisions, sample, name="r2", file=audit.SAMPLE):
        job = new_job()
        copy_output(labels, job.input("labels"))
        (job.input("decisions") / "decisions.jsonl").write_bytes(as_jsonl(decisions))
        (job.input("decisions") / file).write_text(json.dumps(sample), encoding="utf-8")
        job.message = job.run(
            amend.main,
            **{"group": GROUP, "period": PERIOD, "run": name, "amends": AMENDS, "policy": "{}"},
            labels_digest=job.labels_digest("labels"),
            destination=f"s3://x/{name}/",
        )
        return job

    return run


def found(job) -> dict | None:
    return read_json(job, "files", "summary.json")["audit"]


def wrong_and_right(labels, audited):
    """One of the three labels is wrong and corrected."""
    decisions = [decision(3, "1"), decision(4, "2"), decision(5, "1")]
    said = {"000003": ("code", "1"), "000004": ("code", "2"), "000005": ("code", "1")}
    return audited(labels, decisions, sampled(said))


def test_a_wrong_label_is_corrected_and_the_summary_says_how_many_were_right_before(labels, audited):
    job = wrong_and_right(labels, audited)
    assert [row["code"] for row in job.published()[3:6]] == ["1", "2", "1"]
    seen = found(job)
    assert (seen["items"], seen["drawn"], seen["answered"], seen["wrong"]) == (3, 3, 3, 1)
    assert (seen["right"], seen["promised"], seen["answered_by"]) == (0.6667, 0.98, ["A. Muster"])
    assert seen["seed"] == "5eed"


def test_a_promise_that_the_sample_refutes_is_an_alarm_to_mlops(labels, audited):
    job = wrong_and_right(labels, audited)
    sentence = (
        "By a blind sample of 3 of the 3 labels without a person (3 answered), 66.7% (66.7% to 66.7%) of "
        "them are right; 98.0% are promised."
    )
    assert found(job)["refuted"]
    assert sentence in read_json(job, "files", "summary.json")["attention"]
    assert (job.message["alarms"], job.message["attention"]) == (1, sentence)
    [check] = [
        check
        for check in read_json(job, "files", "summary.json")["checks"]
        if "blind sample" in check["what"]
    ]
    assert check["since"] == PERIOD


def test_one_that_holds_is_told_and_is_none(labels, audited):
    decisions = [decision(number, "1") for number in (3, 4, 5)]
    job = audited(labels, decisions, sampled(dict.fromkeys(LABELLED, ("code", "1"))))
    assert job.message["alarms"] == 0
    assert job.message["attention"].startswith("Nothing. By a blind sample of 3 of the 3 labels")
    assert job.message["audited"] == "100.0% (100.0% to 100.0%), 3 of 3 seen"


def test_each_row_of_the_sample_stands_beside_the_labels_with_its_published_code_and_its_answer(
    labels, audited
):
    job = wrong_and_right(labels, audited)
    rows = pq.read_table(job.output("files") / audit.ANSWERS).to_pylist()
    assert [(row["item_id"], row["code"], row["label"]) for row in rows][1] == ("000004", "1", "2")
    listed = {file["name"]: file.get("rows") for file in read_json(job, "manifest", "manifest.json")["files"]}
    assert listed[audit.ANSWERS] == 3


def test_later_sheets_of_another_kind_leave_the_audit_as_it_was_and_alarm_nobody(labels, audited, amended):
    first = wrong_and_right(labels, audited)
    then = amended(first, [decision(0, "2")], "r3")
    assert found(then) == found(first)
    assert (then.message["alarms"], then.message["audited"]) == (0, "66.7% (66.7% to 66.7%), 3 of 3 seen")
    assert (then.output("files") / audit.ANSWERS).exists()


def test_a_sheet_that_comes_back_in_two_parts_is_one_audit(labels, audited):
    first = audited(labels, [decision(3, "1")], sampled({"000003": ("code", "1")}))
    assert (found(first)["at_least"], found(first)["at_most"]) == (0.3333, 1)
    rest = {item: ("code", "1") for item in LABELLED[1:]}
    second = audited(first, [decision(4, "1"), decision(5, "1")], sampled(rest), "r3")
    assert (found(second)["answered"], found(second)["at_least"]) == (3, 1)


def test_answers_that_change_no_label_are_counted(labels, audited):
    decided = audited(labels, [], sampled(dict.fromkeys(LABELLED, ("skip", None))))
    assert (found(decided)["answered"], found(decided)["at_least"], found(decided)["at_most"]) == (0, 0, 1)
    assert found(decided)["right"] is None
    assert "an unknown share (0.0% to 100.0%) of them are right" in decided.message["attention"]


def test_of_labels_that_were_made_anew_a_sample_of_the_old_ones_says_nothing(labels, audited):
    job = audited(labels, [decision(4, "2")], sampled({"000004": ("code", "2")}, of="r0"))
    assert found(job) is None
    assert job.published()[4]["code"] == "2"
    assert not (job.output("files") / audit.ANSWERS).exists()


def test_a_month_that_is_labelled_again_begins_without_an_audit(labels, audited, publish_month):
    again = publish_month(month(), replaced=wrong_and_right(labels, audited))
    assert "audit" not in read_json(again, "files", "summary.json")


def test_the_message_of_a_long_audit_fits(labels, audited):
    earlier = [
        {
            "period": f"2025-{number:02d}",
            "counts": {
                "whole": {"items": 0, "drawn": 0, "right": 0, "wrong": 0},
                "random": {"items": 900, "drawn": 9, "right": 9, "wrong": 0},
            },
        }
        for number in range(11, 0, -1)
    ]
    rows = [f"{number:06d}" for number in range(6)]
    sample = sampled({}, rows=rows, earlier=earlier)
    sample["rows"] = [row | {"part": "random"} for row in sample["rows"][:2]]
    job = audited(labels, [decision(4, "2")], sample)
    assert len(found(job)["pooled"]["periods"]) == 11
    assert len(json.dumps(job.message).encode()) <= 1000


# --- coding twice


def coded_twice(said: dict[str, str], of: str = "r1") -> dict:
    answers = [
        {"item_id": item, "answer": "code", "label": label, "decided_by": "B. Muster", "decided_at": WHEN}
        for item, label in said.items()
    ]
    return {"of": of, "waiting": 3, "rows": ["000000", "000001", "000002"], "answers": answers}


def agreement_of(job) -> dict | None:
    return read_json(job, "files", "summary.json")["agreement"]


def test_a_second_persons_codes_change_no_label_and_are_compared_with_the_firsts(labels, audited, amended):
    first = amended(labels, [decision(0, "2"), decision(1, "1")])
    job = audited(first, [], coded_twice({"000000": "2", "000001": "3a"}), "r3", file=agreement.SECOND)
    assert job.published() == first.published()
    found = agreement_of(job)
    assert (found["compared"], found["different"], found["alike"]) == (2, 1, 0.5)
    assert found["items"] == [{"item_id": "000001", "first": "1", "second": "3a"}]


def test_it_does_not_matter_who_comes_first(labels, audited, amended):
    second = audited(labels, [], coded_twice({"000000": "2"}), file=agreement.SECOND)
    assert agreement_of(second)["compared"] == 0
    assert agreement_of(amended(second, [decision(0, "2")], "r3"))["alike"] == 1
    assert agreement_of(amended(labels, [decision(0, "2")], "r3")) is None


def test_a_second_sheet_of_labels_that_were_made_anew_is_not_counted(labels, audited):
    job = audited(labels, [], coded_twice({"000000": "2"}, of="r0"), file=agreement.SECOND)
    assert agreement_of(job) is None
