"""`labelmill plan` as people run it, what it refuses, and the figures in docs/cost.md."""

import argparse
import json
import re
from pathlib import Path

import pytest

from pipelines.commands import plan
from pipelines.plan import prices as price_file

DOCS = Path(__file__).parents[3] / "docs" / "cost.md"


def labelmill(*words) -> int:
    parser = argparse.ArgumentParser(prog="labelmill")
    plan.add_parser(parser.add_subparsers())
    args = parser.parse_args(["plan", *map(str, words)])
    return args.run(args)


@pytest.fixture
def groups_file(tmp_path):
    def write(text):
        path = tmp_path / "groups.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def planned(capsys, *words) -> dict:
    assert labelmill("--json", *words) == 0
    return json.loads(capsys.readouterr().out)


def test_the_table_shows_cost_time_levers_and_where_prices_come_from(capsys):
    assert labelmill() == 0
    shown = capsys.readouterr().out
    assert "60 model groups, 3,300,000 items a month (synthetic sizes), eu-central-1" in shown
    for word in (
        "inference",
        "retraining",
        "standing",
        "waiting for quotas",
        "Spot for tuning",
        "done after",
    ):
        assert word in shown
    assert re.search(r"^retraining .* h \([A-Z]{2}-[a-z]+\)$", shown, re.MULTILINE), "each row is a line"
    prices = price_file.load("eu-central-1")
    assert f"Prices as of {prices.as_of}" in shown
    assert all(f"{name} ({source['date']})" in shown for name, source in prices.sources.items())


def test_the_plan_says_how_many_rows_a_blind_sample_takes_and_how_long_people_sit_over_them(
    capsys, monkeypatch, groups_file
):
    monkeypatch.setenv("COLUMNS", "500")
    groups = groups_file("group,items,training_rows\nDE-weee,60000,30000\nIT-weee,30,2000\n")
    found = planned(capsys, "--groups", groups)["samples"]
    large, small = (sample["rows"] for sample in found)
    assert 230 < large < 260 and 20 < small < 30
    assert [sample["minutes"] for sample in found] == [round(large / 4, 1), round(small / 4, 1)]
    assert labelmill("--groups", groups) == 0
    shown = capsys.readouterr().out
    hours = (large + small) / 240
    assert (
        f"{large + small} items a month, {hours:.1f} hours at 15 seconds an item; of DE-weee {large}" in shown
    )


def test_the_plan_says_how_long_a_run_waits_for_machines_that_aws_lacks(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    assert labelmill() == 0
    shown = capsys.readouterr().out
    assert "waits 5 to 15 minutes and tries again, 36 times in all and at most 9 hours" in shown
    waits = planned(capsys)["waits_for_machines"]
    assert waits == {"tries": 36, "shortest_seconds": 300, "longest_seconds": 900}


def test_json_has_the_same_and_its_parts_add_up(capsys):
    made = planned(capsys)
    parts = sum(part["dollars"] for part in made["parts"].values())
    assert made["dollars"] == pytest.approx(parts + made["standing_dollars"] + made["waiting_dollars"])
    assert made["synthetic_sizes"] is True
    assert made["sources"]


def test_rows_scale_the_inference_and_leave_the_retraining(capsys):
    small, large = planned(capsys, "--rows", 1_000_000), planned(capsys, "--rows", 30_000_000)
    assert (small["items"], large["items"]) == pytest.approx((1_000_000, 30_000_000), abs=60)
    assert small["parts"]["inference"]["dollars"] < large["parts"]["inference"]["dollars"]
    assert small["parts"]["retraining"]["dollars"] == large["parts"]["retraining"]["dollars"]


def test_groups_come_from_a_file(capsys, groups_file):
    path = groups_file("group,items,training_rows\nDE-weee,60000,30000\nFR-weee,100,2000\n")
    made = planned(capsys, "--groups", path, "--spot", "--region", "us-east-1", "--instance", "ml.m5.large")
    assert (made["groups"], made["items"], made["synthetic_sizes"]) == (2, 60_100, False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("group,items\nDE-weee,5\n", "row 1: the columns are group, items. Fix: make them group, items, "),
        (
            "group,items,training_rows\nDE-weee,5,0\n",
            "row 2: ['5', '0'] are not two whole numbers above 0. Fix",
        ),
        ("group,items,training_rows\nDE-weee,many,5\n", "row 2: ['many', '5'] are not two whole numbers"),
        (
            "group,items,training_rows\ngermany,5,5\n",
            "row 2: 'germany' is not a model group. Fix: write it like DE-weee",
        ),
        ("group,items,training_rows\nDE-weee,5,5\nDE-weee,6,6\n", "DE-weee is listed twice"),
        ("group,items,training_rows\n", "no groups"),
        ("group,items,training_rows,extra\nDE-weee,5,5,5\n", "row 1: the columns are"),
    ],
)
def test_a_bad_groups_file_is_refused_with_file_row_and_fix(capsys, groups_file, text, message):
    path = groups_file(text)
    assert labelmill("--groups", path) == 1
    error = capsys.readouterr().err
    assert str(path) in error
    assert message in error


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--region", "mars-north-1"], "No prices for mars-north-1. Fix: take eu-central-1"),
        (["--instance", "ml.huge"], "ml.huge has no price in eu-central-1. Fix: take one of"),
        (["--quota", "1"], "the quota is 1. Fix"),
        (["--rows", "10"], "10 items are too few for 60 groups. Fix"),
        (["--groups", "nowhere.csv"], "nowhere.csv"),
    ],
)
def test_what_no_plan_can_be_made_of_is_refused_with_the_fix(capsys, words, message):
    assert labelmill(*words) == 1
    assert message in capsys.readouterr().err


def test_every_price_names_a_source_that_has_a_place_and_a_date():
    content = json.loads(price_file.FILE.read_text(encoding="utf-8"))
    for region in content["regions"].values():
        for price in [*region["instance_hours"].values(), *region["units"].values()]:
            assert price["price"] > 0
            assert content["sources"][price["source"]].keys() == {"where", "date"}
            assert isinstance(price["verified"], bool)


def test_the_docs_show_what_the_plan_says(capsys):
    """Within a tenth, so that a further state in a workflow does not make the page a lie."""
    made = planned(capsys)
    rows = dict(
        re.findall(
            r"^\| (inference|retraining) \| [^|]+\| [^|]+\| ([0-9.]+) \|", DOCS.read_text(), re.MULTILINE
        )
    )
    assert rows.keys() == made["parts"].keys()
    for name, shown in rows.items():
        assert float(shown) == pytest.approx(made["parts"][name]["dollars"], rel=0.1)
