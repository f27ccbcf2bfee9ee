"""`labelmill groups`: a group that has ended is retired, and may be revived."""

import json

import boto3
import pytest

from tests.complaints import complaints
from tests.pipelines.ledger.ledger_samples import FIRST, GROUP, SECOND, labelmill

ENDED, BACK = "left the country", "back since May"


@pytest.fixture
def groups(ledger, capsys):
    """`labelmill groups` with these words: exit code, output and errors."""

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = labelmill("groups", *words)
        out, err = capsys.readouterr()
        return code, out, complaints(err)

    return run


def listed(groups) -> dict[str, dict]:
    return {row["group"]: row for row in json.loads(groups("list", "--json")[1])}


def test_the_list_names_every_group_with_codebook_winner_and_newest_month(ledger, groups):
    for period in ("2025-10", "2025-09"):
        ledger.put(f"MONTH#{period}", run="r", model=SECOND)
    code, out, _ = groups("list")
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["group", "codebook", "winner", "newest", "month", "retired"],
        [GROUP, "2025-08", SECOND, "2025-10"],
        ["IT-weee", "2025-08", "none", "none"],
    ]


def test_of_a_retired_group_everybody_sees_since_when_by_whom_and_why(ledger, groups):
    code, out, _ = groups("retire", GROUP, "--reason", ENDED, "--by", "Anna")
    assert code == 0 and f"labelmill groups revive {GROUP}" in out
    row = listed(groups)[GROUP]
    identity = boto3.client("sts").get_caller_identity()["Arn"]
    assert (row["retired_by"], row["retired_reason"]) == (f"Anna ({identity})", ENDED)
    [change] = row["history"]
    assert change == {
        "time": row["retired_at"],
        "status": "retired",
        "by": row["retired_by"],
        "reason": ENDED,
    }
    line = next(line for line in groups("list")[1].splitlines() if line.startswith(GROUP))
    assert line.endswith(f"{row['retired_at'][:10]} by Anna ({identity}): {ENDED}")
    assert listed(groups)["IT-weee"]["retired_at"] is None


def test_what_a_retired_group_has_stays_and_can_be_read(ledger, groups, capsys):
    before = ledger.entries()
    groups("retire", GROUP, "--reason", ENDED)
    assert ledger.entries() - before == {f"STATUS#{listed(groups)[GROUP]['retired_at']}"}
    capsys.readouterr()
    assert labelmill("models", "history", GROUP) == 0
    assert FIRST in capsys.readouterr().out


def test_a_revived_group_is_as_it_was_and_its_history_tells_of_both(ledger, groups):
    before = ledger.item("GROUP")
    groups("retire", GROUP, "--reason", ENDED, "--by", "Anna")
    code, out, _ = groups("revive", GROUP, "--reason", BACK, "--by", "Ben")
    assert code == 0 and "no longer retired" in out
    assert ledger.item("GROUP") == before
    history = listed(groups)[GROUP]["history"]
    assert [(each["status"], each["reason"], each["by"].split()[0]) for each in history] == [
        ("retired", ENDED, "Anna"),
        ("active", BACK, "Ben"),
    ]


def test_a_group_that_is_retired_already_or_is_not_keeps_what_was_said_first(ledger, groups):
    code, _, complaint = groups("revive", GROUP, "--reason", BACK)
    assert code == 1 and f"{GROUP} is not retired. Fix: labelmill groups list" in complaint
    groups("retire", GROUP, "--reason", ENDED, "--by", "Anna")
    code, _, complaint = groups("retire", GROUP, "--reason", "again", "--by", "Ben")
    assert code == 1
    assert "is retired since" in complaint and "by Anna (arn:aws" in complaint and ENDED in complaint
    assert len(listed(groups)[GROUP]["history"]) == 1


@pytest.mark.parametrize("verb", ["retire", "revive"])
def test_an_unknown_group_or_no_reason_changes_nothing(ledger, groups, verb):
    before = ledger.entries()
    assert "PL-batteries is not known" in groups(verb, "PL-batteries", "--reason", ENDED)[2]
    groups("retire", "IT-weee", "--reason", ENDED)
    group = GROUP if verb == "retire" else "IT-weee"
    assert "The reason is empty" in groups(verb, group, "--reason", " ")[2]
    assert {entry for entry in ledger.entries() - before if GROUP in entry} == set()
    assert listed(groups)[GROUP]["retired_at"] is None
    assert listed(groups)["IT-weee"]["retired_at"]


@pytest.mark.parametrize("verb", ["retire", "revive"])
def test_of_two_at_the_same_moment_the_second_writes_nothing(ledger, groups, monkeypatch, verb):
    if verb == "revive":
        groups("retire", GROUP, "--reason", ENDED)
    seen = ledger.item("GROUP")
    other = {"retired_at": "2025-11-01T08:00:00.000Z", "retired_by": "Ben", "retired_reason": "first"}
    session = boto3.Session()

    def somebody_is_faster(**_):
        given = {name: seen[name] for name in ("codebook_version", "policy")}
        ledger.put("GROUP", **given, **other)

    session.events.register("before-call.dynamodb.TransactWriteItems", somebody_is_faster)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    before = ledger.entries()
    code, _, complaint = groups(verb, GROUP, "--reason", BACK)
    assert code == 1 and f"Somebody else has just retired or revived {GROUP}" in complaint
    assert ledger.item("GROUP").items() >= other.items()
    assert ledger.entries() == before


def test_a_change_of_the_same_millisecond_is_not_written_over(ledger, groups, monkeypatch):
    session = boto3.Session()

    def same_moment(params, **_):
        items = json.loads(params["body"])["TransactItems"]
        entry = next(item["Put"]["Item"]["entry"]["S"] for item in items if "Put" in item)
        ledger.put(entry, status="active", by="Ben", reason="first")

    session.events.register("before-call.dynamodb.TransactWriteItems", same_moment)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)
    assert groups("retire", GROUP, "--reason", ENDED)[0] == 1
    assert [each["reason"] for each in listed(groups)[GROUP]["history"]] == ["first"]
    assert listed(groups)[GROUP]["retired_at"] is None
