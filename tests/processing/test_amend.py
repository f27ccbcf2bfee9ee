"""Amend: decisions of people become a new version of the labels, and training rows of the next month."""

import csv
import io

import pyarrow.parquet as pq
import pytest

from processing import amend
from processing.digests import sha256
from tests.processing.job_folders import (
    AMENDS,
    CODEBOOK,
    GROUP,
    LATER,
    NOBODY,
    PERIOD,
    WHEN,
    JobFailed,
    as_jsonl,
    decision,
    items,
    month,
    read_json,
)

EXPECTED = (
    "Of the labels without a person 86.0 % are expected right; of all published labels, people's decisions "
    "counted as right, 93.0 %."
)
FOUND = "row set aside: empty-title 1"


def test_a_decision_is_in_the_new_version_with_who_decided_and_what_the_model_had_said(labels, amended):
    job = amended(labels, [decision(0, "2", why="a heat pump")])
    row = job.published()[0]
    assert (row["code"], row["description"], row["status"]) == ("2", "Bildschirme", "labelled")
    assert row["reason"] == "decided by A. Muster"
    assert (row["suggested"], row["confidence"], row["run"]) == ("1", None, "r2")
    assert (row["answer"], row["decided_by"], row["why"]) == ("code", "A. Muster", "a heat pump")
    assert row["decided_at"].isoformat(timespec="milliseconds") == WHEN


def test_every_other_row_is_what_it_was(labels, amended):
    before, after = labels.published(), amended(labels, [decision(0, "2"), decision(2, "1")]).published()
    assert [row["item_id"] for row in after] == [row["item_id"] for row in before]
    assert [n for n, (a, b) in enumerate(zip(after, before, strict=True)) if a != b] == [0, 2]


def test_the_manifest_names_what_it_amends_and_counts_anew(labels, amended):
    job = amended(labels, [decision(0, "2"), decision(1, "1")])
    counts = {"rows": 7, "labelled": 5, "review": 1, "none": 0, "rejected": 1}
    digest = sha256(job.output("manifest") / "manifest.json")
    told = {
        "decided": 2,
        "alarms": 0,
        "attention": "Nothing.",
        "found": FOUND,
        "expected": EXPECTED,
        "audited": "",
        "manifest_digest": digest,
    }
    assert job.message == counts | told
    manifest = read_json(job, "manifest", "manifest.json")
    assert {name: manifest[name] for name in counts} == counts
    assert (manifest["run"], manifest["amends"], manifest["amended_runs"]) == ("r2", AMENDS, ["r1"])
    assert (manifest["decided"], manifest["decided_by"]) == (2, ["A. Muster"])
    assert manifest["reasons"] == {"The model is not sure enough.": 1, "empty-title": 1}
    rows_of = {file["name"]: file.get("rows") for file in manifest["files"]}
    assert rows_of == {"decisions.csv": 2, "labels.csv": 7, "labels.parquet": 7, "summary.json": None}


def test_labels_can_be_amended_again_and_remember_every_version(labels, amended):
    second = amended(amended(labels, [decision(0, "2")]), [decision(1, "3a")], name="r3")
    assert read_json(second, "manifest", "manifest.json")["amended_runs"] == ["r1", "r2"]
    assert [row["run"] for row in second.published()][:3] == ["r2", "r3", "r1"]


def test_the_summary_counts_the_decided_codes(labels, amended):
    summary = read_json(amended(labels, [decision(0, "2"), decision(1, "2")]), "files", "summary.json")
    assert [(row["code"], row["items"]) for row in summary["codes"]] == [("1", 4), ("2", 2)]
    assert (summary["run"], summary["amends"], summary["review"]["items"]) == ("r2", AMENDS, 1)


def test_the_decisions_stand_next_to_the_labels(labels, amended):
    job = amended(labels, [decision(0, "2")])
    text = (job.output("files") / "decisions.csv").read_bytes().decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["item_id"], row["label"], row["suggested"]) == ("000000", "2", "1")
    assert (row["decided_by"], row["decided_at"]) == ("A. Muster", "2026-11-02T10:00:00.000Z")
    assert (row["answer"], row["kept"]) == ("code", "yes")


# --- the life of a decision


def label(job, number: int = 0) -> tuple:
    return tuple(job.published()[number][name] for name in ("status", "code", "answer", "decided_by"))


def test_a_confident_label_can_be_corrected_and_the_correction_corrected(labels, amended):
    assert label(labels, 4) == ("labelled", "1", None, None)
    once = amended(labels, [decision(4, "2")])
    assert label(once, 4) == ("labelled", "2", "code", "A. Muster")
    again = amended(once, [decision(4, "3a", decided_by="B. Muster", decided_at=LATER)], "r3")
    assert label(again, 4) == ("labelled", "3a", "code", "B. Muster")
    assert again.published()[4]["suggested"] == "1"  # still the model's


def test_no_code_fits_is_an_answer_with_a_status_of_its_own(labels, amended):
    job = amended(labels, [decision(0, answer="none")])
    assert label(job) == ("none", None, "none", "A. Muster")
    row = job.published()[0]
    assert (row["reason"], row["suggested"]) == ("no code fits, decided by A. Muster", "1")
    assert (row["description"], row["confidence"]) == (None, None)
    assert job.message == {
        **{"rows": 7, "labelled": 3, "review": 2, "none": 1, "rejected": 1, "decided": 0, "alarms": 0},
        "attention": "Nothing.",
        "found": FOUND,
        "expected": EXPECTED,
        "audited": "",
        "manifest_digest": sha256(job.output("manifest") / "manifest.json"),
    }
    summary = read_json(job, "files", "summary.json")
    assert [(row["code"], row["items"]) for row in summary["codes"]] == [("1", 5)]
    assert summary["counts"]["none"] == 1


def test_a_skipped_item_stays_in_review_as_it_was_and_who_skipped_it_is_kept(labels, amended):
    job = amended(labels, [decision(0, answer="skip", why="photo needed")])
    assert label(job) == ("review", "1", "skip", "A. Muster")
    changed = {name for name, value in job.published()[0].items() if value != labels.published()[0][name]}
    assert changed == {"answer", "decided_by", "decided_at", "why", "run"} | (changed & {"labelled_at"})
    assert read_json(job, "files", "summary.json")["decisions"] == NOBODY


@pytest.mark.parametrize("first", [decision(0, "2"), decision(0, answer="none")])
def test_a_withdrawn_decision_goes_back_to_review_with_what_the_model_had_said(labels, amended, first):
    decided = amended(labels, [first])
    job = amended(decided, [decision(0, answer="withdrawn", decided_at=LATER)], "r3")
    assert label(job) == ("review", "1", "withdrawn", "A. Muster")
    row = job.published()[0]
    assert (row["description"], row["suggested"]) == ("Wärmeüberträger", None)
    assert row["reason"] == "A person's decision was withdrawn."
    assert job.message["review"] == 3


def test_what_was_withdrawn_can_be_decided_anew(labels, amended):
    withdrawn = amended(amended(labels, [decision(4, "2")]), [decision(4, answer="withdrawn")], "r3")
    job = amended(withdrawn, [decision(4, "3a")], "r4")
    assert label(job, 4) == ("labelled", "3a", "code", "A. Muster")
    assert job.published()[4]["suggested"] == "1"


@pytest.mark.parametrize(
    "lost",
    [
        decision(0, "2", text_key="0" * 16),
        decision(0, "9"),
        decision(6, "2"),
        decision(0, "2", item_id="gone"),
        decision(1, "2", decided_at="2026-11-02T09:59:59.999+00:00"),
    ],
    ids=["another text", "not in force", "rejected", "gone", "decided later"],
)
def test_a_decision_that_does_not_hold_for_these_labels_is_counted_and_told_and_the_others_are_taken(
    labels, amended, lost
):
    before = amended(labels, [decision(1, "3a")])
    job = amended(before, [lost, decision(2, "2")], "r3")
    assert label(job, 0)[:2] == ("review", "1")
    assert (label(job, 1)[:2], label(job, 2)[:2]) == (("labelled", "3a"), ("labelled", "2"))
    summary = read_json(job, "files", "summary.json")
    assert summary["decisions"] == NOBODY | {"kept": 2, "not_kept": 1}
    assert "1 decision on this month could not be kept" in job.message["attention"]
    text = (job.output("files") / "decisions.csv").read_bytes().decode("utf-8-sig")
    assert [row["kept"] for row in csv.DictReader(io.StringIO(text))] == ["no", "yes"]
    assert read_json(job, "manifest", "manifest.json")["decided"] == 1


def test_a_skip_of_an_item_that_somebody_decided_in_the_meantime_changes_nothing(labels, amended):
    decided = amended(labels, [decision(0, "2")])
    job = amended(decided, [decision(0, answer="skip", decided_at=LATER)], "r3")
    assert label(job) == ("labelled", "2", "code", "A. Muster")
    assert read_json(job, "files", "summary.json")["decisions"] == NOBODY | {"kept": 1}


def test_decisions_that_were_not_kept_stay_counted_when_the_next_sheet_comes(labels, amended):
    once = amended(labels, [decision(0, "9")])
    assert read_json(amended(once, [decision(1, "2")]), "files", "summary.json")["decisions"] == NOBODY | {
        "kept": 1,
        "not_kept": 1,
    }


def test_two_decisions_on_one_item_publish_nothing(labels, amended):
    with pytest.raises(JobFailed, match="An item has two decisions; nothing is published"):
        amended(labels, [decision(0, "2"), decision(0, "1")])


def test_an_answer_that_is_none_is_told_with_its_file(labels, amended):
    with pytest.raises(JobFailed, match=r"decisions\.jsonl cannot be read \(an answer is none of code, none"):
        amended(labels, [decision(0, "2", answer="maybe")])


def test_labels_that_are_not_there_are_told_with_their_address(new_job):
    job = new_job()
    job.codebook()
    job.input("labels")
    (job.input("decisions") / "decisions.jsonl").write_bytes(as_jsonl([decision(0, "2")]))
    with pytest.raises(JobFailed, match=f"There is no output at {AMENDS}. Fix: export the sheet again"):
        about = {"group": GROUP, "period": PERIOD, "run": "r2", "amends": AMENDS, "labels_digest": ""}
        job.run(amend.main, **about, policy="{}", destination="s3://x/r2/")


# --- the month is delivered again


def test_a_month_that_is_labelled_again_keeps_what_people_decided(labels, amended, publish_month):
    again = publish_month(month(), replaced=amended(labels, [decision(0, "2"), decision(1, "3a")]))
    row = again.published()[0]
    assert (row["code"], row["description"], row["status"]) == ("2", "Bildschirme", "labelled")
    assert (row["reason"], row["suggested"]) == ("decided by A. Muster", "1")
    assert (row["decided_by"], row["confidence"], row["run"]) == ("A. Muster", None, "r1")
    assert row["decided_at"].isoformat(timespec="milliseconds") == WHEN
    assert [row["status"] for row in again.published()] == [
        *["labelled"] * 2,
        "review",
        *["labelled"] * 3,
        "rejected",
    ]
    untouched = zip(again.published()[2:], labels.published()[2:], strict=True)
    assert all(new == old | {"labelled_at": new["labelled_at"]} for new, old in untouched)
    assert again.message["review"] == 1
    summary = read_json(again, "files", "summary.json")
    assert (summary["decisions"], summary["review"]["items"]) == (NOBODY | {"kept": 2}, 1)


def test_a_month_that_comes_again_before_anybody_decided_is_published_as_before(labels, publish_month):
    again = publish_month(month(), replaced=labels)
    assert [row["code"] for row in again.published()] == [row["code"] for row in labels.published()]
    assert read_json(again, "files", "summary.json")["decisions"] == NOBODY


def test_every_answer_is_kept_when_the_month_comes_again(labels, amended, publish_month):
    answers = [decision(0, answer="none"), decision(1, answer="skip"), decision(4, "2")]
    taken_back = decision(4, answer="withdrawn", decided_at=LATER)
    decided = amended(amended(labels, answers), [taken_back], "r3")
    again = publish_month(month(), replaced=decided)
    assert [label(again, number) for number in (0, 1, 4)] == [
        ("none", None, "none", "A. Muster"),
        ("review", "1", "skip", "A. Muster"),
        ("review", "1", "withdrawn", "A. Muster"),
    ]
    assert again.published()[1]["confidence"] == 0.89
    assert read_json(again, "files", "summary.json")["decisions"] == NOBODY | {"kept": 2}
    assert again.message["none"] == 1


def test_the_manifest_of_a_month_that_came_again_lists_the_decisions_and_which_are_kept(
    labels, amended, publish_month
):
    corrected = month()
    corrected[0]["title"] = "Kühlschrank, korrigiert"
    again = publish_month(corrected, replaced=amended(labels, [decision(0, "2"), decision(1, "2")]))
    files = {
        file["name"]: file.get("rows") for file in read_json(again, "manifest", "manifest.json")["files"]
    }
    assert files["decisions.csv"] == 2
    text = (again.output("files") / "decisions.csv").read_bytes().decode("utf-8-sig")
    assert [row["kept"] for row in csv.DictReader(io.StringIO(text))] == ["no", "yes"]


def test_decisions_are_kept_however_often_the_month_comes(labels, amended, publish_month):
    once = publish_month(month(), replaced=amended(labels, [decision(0, "2")]))
    assert publish_month(month(), replaced=once).published()[0]["decided_by"] == "A. Muster"


def test_a_decision_on_another_text_is_not_kept_and_people_are_told(labels, amended, publish_month):
    corrected = month()
    corrected[0]["title"] = "Kühlschrank, korrigiert"
    del corrected[2]  # whoever decided on it is not missed
    decided = amended(labels, [decision(number, "2") for number in range(3)])
    again = publish_month(corrected, replaced=decided)
    assert [(row["status"], row["decided_by"]) for row in again.published()[:2]] == [
        ("review", None),
        ("labelled", "A. Muster"),
    ]
    assert read_json(again, "files", "summary.json")["decisions"] == NOBODY | {"kept": 1, "not_kept": 1}
    assert "1 decision on this month could not be kept" in again.message["attention"]


def test_a_decision_on_a_code_that_is_no_more_in_force_is_not_kept(labels, amended, publish_month):
    codes = [code | {"valid_to": "2026-09-30"} if code["code"] == "2" else code for code in CODEBOOK["codes"]]
    decided = amended(labels, [decision(0, "2")])
    again = publish_month(month(), replaced=decided, book=CODEBOOK | {"codes": codes})
    row = again.published()[0]
    assert (row["status"], row["code"], row["answer"]) == ("review", "1", None)
    assert row["reason"] == "decided by A. Muster, but code 2: no code in force in 2026-10 replaces it"
    assert read_json(again, "files", "summary.json")["decisions"] == NOBODY | {"ended": 1, "not_kept": 1}


def test_a_decision_comes_back_with_an_item_that_one_delivery_of_the_month_did_not_have(
    labels, amended, publish_month
):
    without = publish_month(month()[1:], replaced=amended(labels, [decision(0, "2"), decision(1, "3a")]))
    assert [row["code"] for row in without.published() if row["decided_by"]] == ["3a"]
    twice = publish_month(month()[1:], replaced=without)
    back = publish_month(month(), replaced=twice)
    assert label(back, 0) == ("labelled", "2", "code", "A. Muster")
    assert read_json(back, "files", "summary.json")["decisions"] == NOBODY | {"kept": 2}
    assert not (back.output("files") / "overtaken.parquet").exists()


def test_a_decision_comes_back_with_the_text_that_it_is_on_and_each_text_has_its_own(
    labels, amended, publish_month
):
    other = month()
    other[0]["title"] = "Kühlschrank, korrigiert"
    decided = amended(labels, [decision(0, "2")])
    corrected = publish_month(other, replaced=decided)
    key = corrected.published()[0]["text_key"]
    corrected = amended(corrected, [decision(0, "3a", decided_at=LATER, text_key=key)], "r3")
    for _ in range(2):
        decided = publish_month(month(), replaced=corrected)
        assert label(decided, 0) == ("labelled", "2", "code", "A. Muster")
        corrected = publish_month(other, replaced=decided)
        assert label(corrected, 0) == ("labelled", "3a", "code", "A. Muster")


def test_a_decision_comes_back_when_its_code_is_in_force_again(labels, amended, publish_month):
    codes = [code | {"valid_to": "2026-09-30"} if code["code"] == "2" else code for code in CODEBOOK["codes"]]
    decided = amended(labels, [decision(0, "2")])
    without = publish_month(month(), replaced=decided, book=CODEBOOK | {"codes": codes})
    assert label(publish_month(month(), replaced=without), 0) == ("labelled", "2", "code", "A. Muster")


def test_a_sheet_on_an_item_that_is_gone_counts_when_the_item_is_back(labels, amended, publish_month):
    without = publish_month(month()[1:], replaced=labels)
    filled = amended(without, [decision(0, "2"), decision(1, "2")])
    assert filled.message["labelled"] == without.message["labelled"] + 1
    filled = amended(filled, [decision(2, "2")], "r3")
    assert label(publish_month(month(), replaced=filled), 0) == ("labelled", "2", "code", "A. Muster")


def test_of_two_decisions_that_wait_for_the_item_the_later_counts(labels, amended, publish_month):
    without = publish_month(month()[1:], replaced=amended(labels, [decision(0, "2")]))
    filled = amended(without, [decision(0, "3a", decided_at=LATER)], "r3")
    assert label(publish_month(month(), replaced=filled), 0)[1] == "3a"
    filled = amended(filled, [decision(0, "1")], "r4")
    assert label(publish_month(month(), replaced=filled), 0)[1] == "3a"


# --- training rows of the next month


def train_on(job, rows, decisions, codebook=CODEBOOK):
    job.codebook(codebook)
    job.dataset({"part-000.jsonl": (as_jsonl(rows), len(rows))})
    for number, some in enumerate(decisions):
        folder = job.input("reviewed") / f"run-{number}"
        folder.mkdir(exist_ok=True)
        (folder / "decisions.jsonl").write_bytes(as_jsonl(some))
    (job.input("reviewed") / "about.txt").write_text("a note")
    job.prepare()
    parts = [
        *(job.output(name) / f"{name}.parquet" for name in ("train", "validation")),
        job.output("test") / "part-00000.parquet",
    ]
    return {row["item_id"]: row for path in parts for row in pq.read_table(path).to_pylist()}


def test_decisions_are_training_rows_with_all_their_fields(job):
    found = train_on(job, items(400), [[decision(500, "2")], [decision(501, "1")]])
    assert len(found) == 402 and job.report()["reviewed"]["rows"] == 2
    row = found["000500"]
    assert (row["label"], row["title"], row["weight_kg"]) == ("2", "LED-Lampe Modell 500", None)


def test_a_person_is_believed_more_than_the_dataset_and_the_latest_decision_more_than_earlier_ones(job):
    first = decision(0, "2")
    second = decision(0, "3a", decided_at="2026-12-01T00:00:00.000+00:00")
    found = train_on(job, items(400), [[second], [first]])
    assert len(found) == 400
    assert found["000000"]["label"] == "3a"


def test_a_skip_and_a_withdrawn_decision_leave_the_dataset_as_it_is(job):
    answers = [
        [decision(0, "2"), decision(1, answer="skip"), decision(500, "2")],
        [decision(number, answer="withdrawn", decided_at=LATER) for number in (0, 500)],
    ]
    found = train_on(job, items(400), answers)
    assert (len(found), found["000000"]["label"], found["000001"]["label"]) == (400, "1", "2")
    assert job.report()["reviewed"]["rows"] == 0


def test_a_skip_takes_back_no_earlier_decision(job):
    found = train_on(job, items(400), [[decision(0, "2")], [decision(0, answer="skip", decided_at=LATER)]])
    assert found["000000"]["label"] == "2"


def test_an_item_that_no_code_fits_is_no_training_row(job):
    found = train_on(job, items(400), [[decision(0, answer="none"), decision(500, answer="none")]])
    assert len(found) == 399 and "000000" not in found
    assert job.report()["reviewed"]["none"] == 1


def test_a_decision_does_not_hold_for_an_id_that_names_another_text_now(job):
    rows = items(400)
    for number in (0, 1):
        rows[number]["title"] = f"Kühlschrank, ganz anders {number}"
    found = train_on(job, rows, [[decision(0, "2"), decision(1, answer="none")]])
    assert (len(found), found["000000"]["label"], found["000000"]["title"]) == (400, "1", rows[0]["title"])
    figures = job.report()["reviewed"]
    assert (figures["rows"], figures["none"], figures["other_text"]) == (0, 0, 2)


def test_of_decisions_on_two_texts_of_one_id_the_one_on_the_datasets_text_counts(job):
    other = decision(0, "3a", title="Kühlschrank, ganz anders", decided_at=LATER)
    found = train_on(job, items(400), [[decision(0, "2")], [other]])
    assert (found["000000"]["label"], found["000000"]["title"]) == ("2", "Kühlschrank Modell 0")
    only_decided = [decision(500, "2"), decision(500, "3a", title="anders", decided_at=LATER)]
    assert train_on(job, items(400), [only_decided])["000500"]["title"] == "anders"


def test_a_dataset_that_came_later_and_says_something_else_is_a_conflict_and_the_person_counts(job):
    before = "2026-10-31T02:00:00.123+00:00"  # the dataset is from the day after
    answers = [
        decision(0, "2", decided_at=before),
        decision(1, "2", decided_at=before),  # as in the dataset
        decision(2, "3", decided_at=before),  # the dataset's 3a has had this name
        decision(3, "2"),  # decided when the dataset was there
        decision(4, answer="none", decided_at=before),
        decision(500, "2", decided_at=before),
    ]
    found = train_on(job, items(400), [answers])
    assert (found["000000"]["label"], "000004" in found) == ("2", False)
    about = {"decided_by": "A. Muster", "decided_at": "2026-10-31T02:00:00+00:00", "run": "run-0"}
    assert job.report()["reviewed"]["conflicts"] == {
        "rows": 2,
        "first": [
            {"item_id": "000000", "label": "1", "decided": "2"} | about,
            {"item_id": "000004", "label": "2", "decided": None} | about,
        ],
    }


def test_the_report_names_the_first_ten_conflicts(job):
    before = "2026-10-31T02:00:00.123+00:00"
    answers = [decision(number, answer="none", decided_at=before) for number in range(12)]
    train_on(job, items(400), [answers])
    conflicts = job.report()["reviewed"]["conflicts"]
    assert (conflicts["rows"], len(conflicts["first"])) == (12, 10)


def test_a_row_without_a_label_is_no_conflict(job):
    rows = items(400)
    rows[0]["label"] = " "
    train_on(job, rows, [[decision(0, "2", decided_at="2026-10-31T02:00:00.123+00:00")]])
    assert job.report()["reviewed"]["conflicts"]["rows"] == 0


def test_decisions_of_before_an_attribute_was_declared_or_a_code_renamed_still_count(job):
    newer = {"name": "size", "type": "category"}
    book = CODEBOOK | {"attributes": [*CODEBOOK["attributes"], newer]}
    rows = [row | {"size": "L"} for row in items(400)]
    found = train_on(job, rows, [[decision(500, "3")]], book)
    assert (found["000500"]["size"], found["000500"]["label"]) == (None, "3a")


def test_what_a_model_is_made_of_includes_the_decisions(new_job):
    digests = set()
    for decisions in ([], [[decision(500, "2")]], [[decision(500, "1")]]):
        job = new_job()
        train_on(job, items(400), decisions)
        digests.add(job.report()["data_digest"])
    assert len(digests) == 3
