"""Labels take what people decided on another item of a family, say so, and let it go again."""

import csv
import json

import pyarrow.parquet as pq

from processing.digests import sha256
from processing.labels import output
from tests.processing.job_folders import LATER, PERIOD, decision, month, read_json

BEFORE = "2026-09"


def as_head(number: int, code: str | None, **more) -> dict:
    return decision(number, code, decided_on="000000", **more)


def row(job, number: int) -> dict:
    return next(row for row in job.published() if row["item_id"] == f"{number:06d}")


def test_published_labels_have_the_family_of_each_item(publish_month):
    rows = month()
    rows[1] |= {"title": "Monitor 27 cm"}
    rows[2] |= {"title": "Monitor 24 cm"}
    job = publish_month(rows)
    assert row(job, 1)["family"] == row(job, 2)["family"] != row(job, 0)["family"]
    assert job.published()[-1]["family"] is None  # was rejected


def test_a_label_says_on_which_item_of_its_family_the_decision_was_made(publish_month, amended):
    job = amended(
        publish_month(month()), [decision(0, "2"), as_head(1, "2", why="differs from it only in rot")]
    )
    assert row(job, 0)["decided_on"] is None
    found = row(job, 1)
    assert (found["status"], found["code"], found["answer"]) == ("labelled", "2", "code")
    assert (found["decided_on"], found["decided_by"]) == ("000000", "A. Muster")
    assert found["reason"] == "as 000000 of its family, decided by A. Muster"
    assert found["why"] == "differs from it only in rot"
    people = read_json(job, "files", "summary.json")["decisions"]
    assert (people["kept"], people["by_family"]) == (2, 1)
    assert "000000" in (job.output("files") / "decisions.csv").read_text(encoding="utf-8-sig")


def test_it_holds_in_the_next_month_and_when_the_month_comes_again(publish_month, amended):
    sheet = [decision(0, "2"), as_head(1, "2")]
    later = publish_month(month(), reviewed=[(BEFORE, sheet)])
    again = publish_month(
        month(), replaced=amended(publish_month(month()), sheet), reviewed=[(PERIOD, sheet)]
    )
    for job in (later, again):
        assert (row(job, 1)["code"], row(job, 1)["decided_on"]) == ("2", "000000")


def test_it_is_corrected_and_taken_back_with_its_head(publish_month, amended):
    once = amended(publish_month(month()), [decision(0, "2"), as_head(1, "2")])
    other = amended(once, [decision(0, "3a", decided_at=LATER), as_head(1, "3a", decided_at=LATER)], "r3")
    assert (row(other, 1)["code"], row(other, 1)["decided_on"]) == ("3a", "000000")
    back = [
        each(number, None, answer="withdrawn", decided_at=LATER)
        for number, each in ((0, decision), (1, as_head))
    ]
    gone = amended(once, back, "r3")
    assert (row(gone, 1)["status"], row(gone, 1)["code"], row(gone, 1)["answer"]) == (
        "review",
        "1",
        "withdrawn",
    )


def test_who_decided_on_the_item_itself_is_not_overruled(publish_month, amended):
    own = amended(publish_month(month()), [decision(1, "3a")])
    job = amended(own, [decision(0, "2", decided_at=LATER), as_head(1, "2", decided_at=LATER)], "r3")
    assert (row(job, 1)["code"], row(job, 1)["decided_on"]) == ("3a", None)
    assert [line["kept"] for line in decisions_of(job)] == ["yes", "no"]


def test_a_blind_sample_is_drawn_of_them_too_as_nobody_has_looked_at_them(publish_month, amended):
    job = amended(publish_month(month()), [decision(0, "2"), as_head(1, "2")])
    table = pq.read_table(job.output("files") / "labels.parquet")
    alone = table.filter(output.automatic(table))["item_id"].to_pylist()
    assert "000001" in alone and "000000" not in alone


def test_labels_of_before_there_were_families_are_read(publish_month, amended):
    job = publish_month(month())
    folder = job.output("files")
    table = pq.read_table(folder / "labels.parquet").drop_columns(["family", "decided_on"])
    pq.write_table(table, folder / "labels.parquet")
    manifest = job.output("manifest") / "manifest.json"
    listed = read_json(job, "manifest", "manifest.json")
    for file in listed["files"]:
        file["sha256"] = sha256(folder / file["name"])
    manifest.write_text(json.dumps(listed), encoding="utf-8")
    older = amended(job, [decision(0, "2"), as_head(1, "2")])
    assert row(older, 1)["decided_on"] == "000000"


def decisions_of(job) -> list[dict]:
    text = (job.output("files") / "decisions.csv").read_text(encoding="utf-8-sig")
    return list(csv.DictReader(text.splitlines()))
