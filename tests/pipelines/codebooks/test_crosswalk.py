"""Publishing a codebook whose codes are the same as codes of other groups: they must be there, and shared."""

import json
from datetime import UTC, datetime

import pytest

from pipelines.cli import main
from pipelines.codebooks.publish import publish, published
from pipelines.codebooks.read import CodebookError

NOW = datetime(2026, 11, 2, 8, 30, tzinfo=UTC)
SHARES = {"share_by": "weee"}


def country(book: dict, group: str, **same_as: list[str]) -> dict:
    """The codebook as another group's, some of its codes the same as others'."""
    codes = [
        entry | ({"same_as": same_as[entry["code"]]} if entry["code"] in same_as else {})
        for entry in book["codes"]
    ]
    return {**book, "group": group, "codes": codes, "policy": SHARES}


def test_a_new_country_names_the_codes_of_one_that_shares(stack, book, capsys):
    publish(book, **stack.places, policy=SHARES, now=NOW)
    austria = country(book, "AT-weee", C=["DE-weee:1", "DE-weee:C"], L=["DE-weee:L"])
    publish(austria, **stack.places, now=NOW)
    found = published("AT-weee", s3=stack.s3, dynamodb=stack.dynamodb, table=stack.table)
    assert found == austria
    assert main(["codebook", "show", "AT-weee"]) == 0
    out = capsys.readouterr().out
    assert "same as" in out and "DE-weee:1, DE-weee:C" in out
    assert main(["codebook", "show", "DE-weee"]) == 0
    assert "same as" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("theirs", "names", "expected"),
    [
        (
            None,
            ["DE-weee:C"],
            "same_as: the group DE-weee is not known. Fix: publish its codebook first, or correct the name.",
        ),
        (
            {},
            ["DE-weee:C"],
            'same_as: DE-weee does not share its rows with AT-weee (its share_by is "none"). '
            'Fix: publish its codebook with "policy": {"share_by": "weee"} first, or name no code of it.',
        ),
        (
            SHARES,
            ["DE-weee:7"],
            'codes, "C", same_as: "DE-weee:7" is not in the codebook of DE-weee. '
            "Fix: name one of 1, 2, 3, 4, 5, C, L, 5a, 5b, or remove it.",
        ),
        (
            SHARES,
            ["DE-weee:5"],
            'codes, "C", same_as: "DE-weee:5" ends on 2026-10-31, after it comes DE-weee:5a and DE-weee:5b. '
            "Fix: name DE-weee:5a and DE-weee:5b beside it, where all the items are this code.",
        ),
    ],
)
def test_a_code_that_cannot_be_learned_from_is_refused_with_the_fix(stack, book, theirs, names, expected):
    if theirs is not None:
        publish(book, **stack.places, policy=theirs, now=NOW)
    before = stack.objects(), stack.ledger()
    with pytest.raises(CodebookError) as refused:
        publish(country(book, "AT-weee", C=names), **stack.places, now=NOW)
    assert str(refused.value) == f"codebook AT-weee 2026-11: {expected}"
    assert (stack.objects(), stack.ledger()) == before


def test_a_code_that_ends_with_the_one_it_names_is_no_reason_to_refuse(stack, book, tmp_path, capsys):
    """Both countries rename it on the same day: its follower names both."""
    publish(book, **stack.places, policy=SHARES, now=NOW)
    both = country(book, "AT-weee", **{"1": ["DE-weee:1"], "C": ["DE-weee:1", "DE-weee:C"]})
    assert publish(both, **stack.places, now=NOW).changed
    stack.s3.put_object(Bucket=stack.work_bucket, Key="shared/weee/AT-weee/rows.parquet", Body=b"rows")
    again = publish({**book, "version": "2026-12"}, **stack.places, policy=SHARES, now=NOW)
    assert again.cut_off == []


def test_who_shares_by_the_scheme_and_names_no_code_of_a_group_loses_nothing_when_it_stops(stack, book):
    publish(book, **stack.places, policy=SHARES, now=NOW)
    publish(country(book, "AT-weee", C=["DE-weee:C"]), **stack.places, now=NOW)
    publish(country(book, "CH-weee", C=["AT-weee:C"]), **stack.places, now=NOW)
    for group in ("AT-weee", "CH-weee", "DE-weee"):
        stack.s3.put_object(Bucket=stack.work_bucket, Key=f"shared/weee/{group}/rows.parquet", Body=b"rows")
    assert publish(book, **stack.places, policy={}, now=NOW).learned_from_it == ["AT-weee"]


def test_two_groups_may_be_the_same_as_each_other(stack, book):
    publish(book, **stack.places, policy=SHARES, now=NOW)
    publish(country(book, "AT-weee", C=["DE-weee:C"]), **stack.places, now=NOW)
    publish({**country(book, "DE-weee", C=["AT-weee:C"]), "version": "2"}, **stack.places, now=NOW)
    assert len(stack.ledger()) == 2


def test_whoever_ends_a_code_is_told_which_groups_learn_from_it(stack, book, tmp_path, capsys):
    """Also before it ends: there is time to publish theirs until then."""
    for entry in book["codes"]:
        entry["valid_to"] = None
    book["successions"] = []
    publish(book, **stack.places, policy=SHARES, now=NOW)
    publish(country(book, "AT-weee", **{"4": ["DE-weee:4"], "5": ["DE-weee:5"]}), **stack.places, now=NOW)
    stack.s3.put_object(Bucket=stack.work_bucket, Key="shared/weee/AT-weee/rows.parquet", Body=b"rows")
    entry = next(entry for entry in book["codes"] if entry["code"] == "4")
    entry["valid_to"] = "2026-12-31"
    file = tmp_path / "DE-weee.json"
    file.write_text(json.dumps({**book, "version": "2026-12", "policy": SHARES}))
    assert main(["codebook", "publish", str(file)]) == 0
    assert capsys.readouterr().err.splitlines()[1:] == [
        "Warning: DE-weee ends codes that other groups learn from:",
        'AT-weee: codes, "4", same_as: "DE-weee:4" ends on 2026-12-31, after it comes nothing. '
        "Fix: remove it.",
    ]
