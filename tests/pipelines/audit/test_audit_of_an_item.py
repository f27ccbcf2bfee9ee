"""`labelmill audit GROUP PERIOD ITEM`: all that a label rests on, the same whenever one asks."""

import hashlib
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from scipy.stats import beta

from pipelines.commands import audit
from tests.pipelines.audit.audited_month import (
    AMENDED,
    BEFORE,
    BUCKET,
    COMPARISON,
    CORRECTED,
    LABELLED,
    NONE,
    PERIOD,
    REJECTED,
    REVIEWED,
    RUN,
    TITLES,
)
from tests.pipelines.evidence.kept_rows import FOLDER, GROUP, MODEL
from tests.pipelines.report.audited import page


@pytest.fixture
def audited(run):
    """The JSON of an item that nothing is missing of."""

    def audited(item: str, *words: str) -> dict:
        code, out, err = run(GROUP, PERIOD, item, *words, "--json")
        assert (code, err) == (0, "")
        return json.loads(out)

    return audited


def test_a_label_of_the_model_is_told_with_its_words_its_neighbours_and_its_verdict(audited, evidence):
    found = audited(LABELLED)
    assert (found["run"], found["label"]["status"], found["label"]["code"]) == (AMENDED, "labelled", "1")
    assert found["item"]["title"] == TITLES[LABELLED]
    explained = found["explanation"]
    assert (explained["code"], explained["as_labelled"]) == ("1", True)
    assert explained["confidence"] == found["label"]["confidence"]
    assert explained["reasons"][0]["text"] in ("wasserkocher", "weight_kg=1.5")
    assert {each["code"] for each in found["neighbours"]} and found["neighbours"][0]["similarity"] > 0.5
    assert "Wasserkocher" in found["neighbours"][0]["title"]
    assert found["model"]["made_winner_by"] == evidence["run"]
    assert [each["verdict"] for each in found["model"]["decisions"]] == ["FIRST"]
    assert found["codes"][0]["description"] == "Wärmeüberträger"
    assert found["change"]["was"]["code"] == "1" and found["change"]["cause"] is None
    assert [each["run"] for each in found["versions"]] == [AMENDED, RUN]


def test_of_labels_this_sure_it_is_said_how_many_were_right_on_test_rows(audited, evidence):
    found = audited(LABELLED)
    meant, bins = found["confidence"], evidence["challenger"]["calibration"]
    [of_bin] = [each for each in bins if each["low"] < found["label"]["confidence"] <= each["high"]]
    assert (meant["rows"], meant["right"]) == (of_bin["rows"], round(of_bin["accuracy"] * of_bin["rows"]))
    # By Clopper and Pearson the bounds are quantiles of beta distributions; 1 where all are right.
    right, wrong = meant["right"], meant["rows"] - meant["right"]
    low, high = beta.ppf(0.025, right, wrong + 1), beta.ppf(0.975, right + 1, wrong) if wrong else 1.0
    assert meant["interval"] == pytest.approx([low, high], abs=0.0001)
    assert meant["comparison"] == evidence["run"]


def test_an_item_that_waits_has_a_suggestion_and_the_cause_of_its_other_code(audited):
    found = audited(REVIEWED)
    assert (found["label"]["status"], found["decisions"]) == ("review", [])
    assert (found["change"]["period"], found["change"]["run"]) == ("2026-09", BEFORE)
    assert (found["change"]["cause"], found["change"]["was"]["code"]) == ("model", "1")


def test_a_corrected_item_has_all_that_people_said_and_what_the_model_had_said(audited):
    found = audited(CORRECTED)
    said = [(each["decided_by"], each["label"], each["holds"]) for each in found["decisions"]]
    assert said == [("E. Muster", "4", False), ("B. Muster", "3", False), ("A. Muster", "2", True)]
    assert found["label"]["confidence"] is None and found["explanation"]["code"] == "3"
    assert found["explanation"]["as_labelled"] is None
    assert found["confidence"]["confidence"] == found["explanation"]["confidence"]
    assert found["decisions"][2]["why"] == "seen"


def test_a_decision_whose_sheet_is_gone_is_told_by_the_label_that_holds_it(stack, audited):
    for address in stack.sheets():
        stack.delete(address)
    said = [(each["decided_by"], each["holds"], each["sheet"]) for each in audited(CORRECTED)["decisions"]]
    assert said == [("E. Muster", False, None), ("A. Muster", True, None)]


def test_before_people_decided_nothing_of_their_decisions_is_told(audited, run):
    code, out, err = run(GROUP, PERIOD, CORRECTED, "--run", RUN, "--json")
    found = json.loads(out)
    assert (code, found["label"]["status"], found["decisions"]) == (0, "review", [])
    assert err.startswith(f"Note: the labels that are the month's now are those of {AMENDED}")


def test_an_item_that_no_code_fits_says_who_found_so(audited):
    found = audited(NONE)
    assert (found["label"]["status"], found["label"]["code"]) == ("none", None)
    assert [each["answer"] for each in found["decisions"]] == ["none"]


def test_a_rejected_row_is_told_with_reason_file_and_row(audited):
    found = audited(REJECTED)
    assert found["label"]["status"] == "rejected" and found["item"] is found["explanation"] is None
    assert (found["rejected"]["file"], found["rejected"]["row"]) == ("part-000.csv", 5)


def test_every_digest_is_that_of_what_lies_there(stack, audited):
    found = audited(CORRECTED)
    newest = [source for source in found["sources"] if not source["version"]]
    for source in newest:
        assert hashlib.sha256(stack.body(source["address"])).hexdigest() == source["sha256"]
    [manifest] = [source for source in found["sources"] if source["version"]]
    assert manifest["sha256"] == hashlib.sha256(b'{"entries": []}').hexdigest()
    nowhere = {source["what"] for source in found["sources"] if "recorded nowhere" in source["by"]}
    assert nowhere == {"decisions of a sheet", "Prepare's report on the dataset"}


def test_the_page_shows_it_all_and_is_the_same_whenever_it_is_made(stack, run):
    for item in (LABELLED, REVIEWED, CORRECTED, NONE, REJECTED):
        code, out, _ = run(GROUP, PERIOD, item, "--run", AMENDED, "--out", "page.html")
        page = Path("page.html").read_text()
        assert (code, out) == (0, "page.html\n")
        assert "<script>alert" not in page
        assert f"labelmill audit {GROUP} {PERIOD}" in page
        # A month later there are other labels, models and decisions.
        stack.record("MONTH#2026-10", run="another")
        stack.record("GROUP", codebook_version="2027-01", policy="{}", codebook_digest="00")
        stack.record(f"DECISION#2027-01-02T08:00:00.000Z#{GROUP}-x", model=MODEL, verdict="REJECT")
        stack.decide(item, "1", "D. Muster", datetime(2027, 1, 2, tzinfo=UTC))
        run(GROUP, PERIOD, item, "--run", AMENDED, "--out", "again.html")
        assert Path("again.html").read_bytes() == Path("page.html").read_bytes()


def test_a_rollback_names_the_comparison_that_it_rests_on(stack, audited, run):
    stack.roll_back()
    decision = audited(LABELLED)["model"]["decisions"][-1]
    assert (decision["verdict"], decision["comparison"]) == ("ROLLBACK", COMPARISON)
    assert run(GROUP, PERIOD, LABELLED, "--out", "page.html")[0] == 0
    page = Path("page.html").read_text()
    assert page.count(f"labelmill report comparison {COMPARISON}") == 2
    assert "report comparison DE-weee-rollback" not in page


def test_without_a_name_for_the_page_it_is_named_for_the_item(run):
    assert run(GROUP, PERIOD, LABELLED)[1] == f"audit-{GROUP}-{PERIOD}-{LABELLED}.html\n"


def test_no_two_items_share_a_page(run):
    """Ids that no file system takes as they are, too: the second page must not take the first one's place."""
    alike = ["a/1", "a 1", "a_1", "ä1", "ö1", "x" * 500, "x" * 501, "../a", "", "'", '"', "A\u0301", "\u00c1"]
    pages = {audit.page_name(GROUP, PERIOD, each) for each in alike}
    assert len(pages) == len(alike)
    assert all(re.fullmatch(r"[a-z0-9A-Z._-]{1,150}\.html", each) for each in pages)
    _, out, _ = run(GROUP, PERIOD, CORRECTED)
    assert re.fullmatch(rf"audit-{GROUP}-{PERIOD}-_1_1-[0-9a-f]{{8}}\.html\n", out)


def test_an_unknown_item_is_told_in_one_sentence_with_ids_near_it(run):
    code, out, err = run(GROUP, PERIOD, "sure-2")
    assert (code, out) == (1, "")
    assert err.startswith(f"'sure-2' is not among the 5 ids in the labels of {AMENDED}. Near it are 'sure-1'")


def test_an_id_in_another_encoding_than_utf_8_is_refused(run, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(GROUP, PERIOD, "B\udcfcgel")
    assert stopped.value.code == 2 and "is not in UTF-8. Fix: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((GROUP, "2026-11", LABELLED), "No labels of DE-weee 2026-11 are published. Fix: check group"),
        ((GROUP, PERIOD, LABELLED, "--run", "r"), f"by run r. Fix: name a run that published .* {AMENDED}"),
        (("FR-weee", PERIOD, LABELLED), "Model group FR-weee is not known"),
    ],
)
def test_labels_that_are_not_there_are_named(run, words, said):
    code, out, err = run(*words)
    assert (code, out) == (1, "") and re.search(said, err)


@pytest.mark.parametrize(
    ("key", "bucket", "said"),
    [
        (f"models/{GROUP}/{MODEL}/model.tar.gz", None, "Why the model gave its code"),
        (f"{FOLDER}train/train.parquet", None, "The most alike training rows"),
        (f"runs/{GROUP}/{RUN}/items/items-00000.jsonl", None, "The item as it went to the model"),
        (f"codebooks/{GROUP}/2026-10.json", None, "codebook 2026-10"),
        (f"labels/{GROUP}/{PERIOD}/{RUN}/changes.csv", BUCKET, f"changes.csv of {RUN}"),
    ],
)
def test_what_is_no_longer_kept_is_named_and_the_rest_is_shown(stack, run, key, bucket, said):
    stack.delete(f"s3://{bucket or stack.work}/{key}")
    code, out, err = run(GROUP, PERIOD, LABELLED, "--json")
    found = json.loads(out)
    assert code == 1 and said in err
    assert found["missing"] == [line for line in err.splitlines() if line]
    assert found["label"]["code"] == "1"
    assert run(GROUP, PERIOD, LABELLED)[0] == 1


@pytest.mark.parametrize(
    ("key", "bucket"),
    [
        (f"labels/{GROUP}/{PERIOD}/{AMENDED}/manifest.json", BUCKET),
        (f"labels/{GROUP}/{PERIOD}/{AMENDED}/labels.parquet", BUCKET),
        (f"codebooks/{GROUP}/2026-10.json", None),
        (f"runs/{GROUP}/{GROUP}-comparison-2026-10-0f3a9c21d4e5/evidence/comparison.json", None),
    ],
)
def test_what_was_replaced_is_refused(stack, run, key, bucket):
    stack.put(key, b"{}", bucket or stack.work)
    code, out, err = run(GROUP, PERIOD, LABELLED)
    assert (code, out) == (1, "")
    assert f"{key} is not what was recorded: its SHA-256 is" in err


def test_an_object_without_a_recorded_digest_that_became_something_else_is_named(stack, run):
    """Prepare's report, the items, a sheet of decisions: nothing says what they were, but they were JSON."""
    addresses = [f"s3://{stack.work}/runs/{GROUP}/{RUN}/report/report.json", stack.sheets()[0]]
    for address in addresses:
        was = stack.body(address)
        stack.put(address.partition(f"{stack.work}/")[2], b"{half a")
        code, out, err = run(GROUP, PERIOD, LABELLED, "--json")
        assert (code, out) == (1, "") and f"{address} is not what was recorded: it is no JSON" in err
        stack.put(address.partition(f"{stack.work}/")[2], was)


def test_an_item_whose_text_is_not_the_labelled_one_is_refused(stack, run):
    items = json.dumps(stack.items[0] | {"title": "Toaster"}).encode()
    stack.put(f"runs/{GROUP}/{RUN}/items/items-00000.jsonl", items)
    code, _, err = run(GROUP, PERIOD, LABELLED)
    assert code == 1 and "the text of 'sure-1' is not the one that was labelled" in err


def test_the_page_says_at_once_that_a_person_looked_at_another_item_of_the_family():
    assert "A person has decided that it is 2, looking at 4711 of its family." in page("a", decided_on="4711")
    assert "A person has decided that it is 2.<" in page("a")
