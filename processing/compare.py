"""Compare: score challenger and winner on the same test rows and decide which one labels from now on."""

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processing import container
from processing.arrays import Booleans
from processing.codes import codebook
from processing.codes.codebook import Codebook
from processing.dataset import (
    doubtful_rows,
    first_seen,
    hard_texts,
    rows_set_aside,
    split,
    training_report,
)
from processing.dataset.findings import in_words
from processing.digests import sha256
from processing.errors import NotComparable
from processing.labels import advice, published, reliability, review_queue, without_person
from processing.policy import Policy
from processing.verdict.changes import changes, label_more
from processing.verdict.rule import (
    MIN_DISCORDANT,
    RARER_LEVEL,
    REVIEW_LEVEL,
    TOLERATED_LOSS,
    TOLERATED_REVIEW,
    Verdict,
    decide,
)
from processing.verdict.scores import scores
from processing.words import counted

RUN_AGAIN = "start the comparison again once both models have labelled the same test set."
TOLD_AFTER = 3  # months undecided in a row; one or two may be chance
#: The thresholds that no policy sets, as the evidence has them.
RULE = {
    "tolerated_loss": TOLERATED_LOSS,
    "rarer_level": RARER_LEVEL,
    "min_discordant": MIN_DISCORDANT,
    "tolerated_review": TOLERATED_REVIEW,
    "review_level": REVIEW_LEVEL,
}


def main(arguments: list[str] | None = None) -> dict[str, object]:
    """Read the inputs, write the evidence, return the job's message (docs/contracts.md)."""
    options = _options(arguments)
    policy = _policy(options.policy)
    book = codebook.load(container.input_folder("codebook"), options.codebook_digest)
    challenger = read_published(
        container.input_folder("challenger"), options.challenger_digest, options.challenger
    )
    winner = None
    if options.winner:
        winner = read_published(container.input_folder("winner"), options.winner_digest, options.winner)
    check_test_rows(challenger)
    if winner is not None:
        winner = check_same_rows(challenger, winner)
    trained = {
        role: read_trained(role)
        for role, table in (("challenger", challenger), ("winner", winner))
        if table is not None
    }
    tested = {
        role: reliability.count(unseen(table, trained[role].period))
        for role, table in (("challenger", challenger), ("winner", winner))
        if table is not None
    }
    tried = hard_texts.tried(book, challenger, winner)
    challenger = test_rows(challenger)
    winner = None if winner is None else test_rows(winner)
    code_map = book.code_map(options.period)
    lacks = {role: code_map.out_of_reach(each.codes) for role, each in trained.items()}
    verdict = compare(challenger, winner, policy, book, options.period, lacks)
    set_aside = trained["challenger"].set_aside
    too_many = rows_set_aside.too_many(set_aside, policy.set_aside)
    may_win = verdict.verdict in ("FIRST", "PROMOTE")
    sentences = (
        verdict.reason,
        hard_texts.newly_wrong(tried),
        undecided_for(options.undecided, options.period) if verdict.verdict == "UNDECIDED" else "",
        rows_set_aside.cause(set_aside, (*(verdict.lost_codes or ()), *(verdict.unreached_codes or ()))),
        rows_set_aside.in_words(set_aside, policy.set_aside if may_win and too_many else None),
    )
    verdict = replace(verdict, reason=" ".join(filter(None, sentences)))

    models = {"challenger": (options.challenger, challenger), "winner": (options.winner, winner)}
    evidence = {
        **{name: getattr(options, name) for name in ("run", "group", "period")},
        "codebook_version": book.version,
        "policy": asdict(policy),
        "rule": RULE,
        **asdict(verdict),
        **{
            role: {"model": model, **scores_of(table, policy, trained[role].codes), "tested": tested[role]}
            if table is not None
            else None
            for role, (model, table) in models.items()
        },
        "changes": changes(challenger, winner),
        "label_more": label_more(challenger, trained["challenger"].codes, book.in_force(options.period)),
        "hard_texts": tried,
        "conflicts": trained["challenger"].conflicts,
        "set_aside": set_aside,
        "doubtful": trained["challenger"].doubtful,
        "findings": trained["challenger"].findings,
        "approval": policy.approval or too_many or verdict.asks,
    }
    text = json.dumps(evidence, ensure_ascii=False, indent=1)
    file = container.output_folder("evidence") / "comparison.json"
    file.write_text(text, encoding="utf-8")
    return {
        "verdict": verdict.verdict,
        "reason": verdict.reason,
        "rows": verdict.rows,
        "score": verdict.score,
        # The ledger needs a number; the verdict FIRST says that there was no winner.
        "winner_score": verdict.winner_score or 0.0,
        "evidence_digest": sha256(file),
        "approval": may_win and evidence["approval"],
        "summary": summary(evidence),
    }


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="processing.compare", description=__doc__.splitlines()[0])
    models = ("challenger", "challenger-digest", "winner", "winner-digest")
    for name in ("group", "period", "run", "codebook-digest", *models, "policy"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--undecided", required=True, help="months before this one, as 2026-08,2026-09")
    return parser.parse_args(arguments)


def _policy(text: str) -> Policy:
    try:
        return Policy.parse(text)
    except (ValueError, TypeError) as error:
        raise NotComparable(
            f"The group's policy cannot be used ({error}).", "publish a valid policy."
        ) from None


def read_published(folder: Path, digest: str, model: str) -> pa.Table:
    """The rows of a published test set that `model` labelled, sorted by id; rejected rows are left out.

    `digest` is the SHA-256 (hex) of their manifest, as the ledger has it.

    Raises:
        NotComparable: there are no labels, or another model's, or not those of a test set.
        Tampered: they are not the ones that were published.
    """
    labels = published.read(folder, digest)
    if labels is None:
        raise NotComparable(f"The ledger has no labels of {model}.", RUN_AGAIN)
    table = labels.table
    if (given := pc.unique(table["model"]).to_pylist()) != [model]:
        raise NotComparable(f"The labels of {model} say they belong to {given}.", RUN_AGAIN)
    if "truth" not in table.column_names:
        raise NotComparable(f"The labels of {model} are not of a test set.", RUN_AGAIN)
    if "since" not in table.column_names:  # published before test sets had it
        table = table.append_column("since", pa.nulls(table.num_rows, pa.string()))
    since = pc.fill_null(table["since"], first_seen.FROM_START)
    table = table.set_column(table.column_names.index("since"), "since", since)
    return table.filter(pc.not_equal(table["status"], "rejected")).sort_by("item_id")


def check_test_rows(table: pa.Table) -> None:
    """Raise NotComparable where a row is neither a test row by its hash nor new: it may have been learned."""
    wrong = ~split.is_test(table["text_key"]) & np.asarray(pc.equal(table["since"], first_seen.FROM_START))
    wrong &= ~hard_texts.are_listed(table)
    if wrong.any():
        ids = table["item_id"].filter(pa.array(wrong))
        raise NotComparable(
            f"{len(ids)} of {len(wrong)} rows are not test rows, for example item_id {ids[0].as_py()!r}.",
            "compare on the test set that Prepare made.",
        )


def test_rows(table: pa.Table) -> pa.Table:
    """The rows that no model is ever trained on: both models are scored on them, and nothing else.

    A sample of the labelled rows, and so without the list of hard texts.
    """
    return table.filter(pa.array(split.is_test(table["text_key"]) & ~hard_texts.are_listed(table)))


def unseen(table: pa.Table, period: str) -> pa.Table:
    """The rows that a model trained in `period` has not seen: test rows, and those whose texts came later."""
    later = np.asarray(pc.greater(table["since"], period))
    sample = ~hard_texts.are_listed(table)
    return table.filter(pa.array((split.is_test(table["text_key"]) | later) & sample))


def check_same_rows(challenger: pa.Table, winner: pa.Table) -> pa.Table:
    """Return `winner`, whose rows are those of `challenger`: ids, texts and truth. Raises NotComparable."""
    if challenger.num_rows != winner.num_rows:
        raise NotComparable(
            f"The challenger has labelled {challenger.num_rows} test rows, the winner {winner.num_rows}.",
            RUN_AGAIN,
        )
    for column in ("item_id", "text_key", "truth"):
        differ = pc.not_equal(challenger[column], winner[column])
        if pc.any(differ).as_py():
            example = challenger["item_id"].filter(differ)[0].as_py()
            raise NotComparable(
                f"Challenger and winner have test rows that differ in {column}, for example {example!r}.",
                RUN_AGAIN,
            )
    return winner


def read_trained(role: str) -> training_report.Trained:
    """What Prepare reported of a model's training rows.

    `role` is challenger or winner. Raises NotComparable where the report cannot be read.
    """
    try:
        folder = container.input_folder(f"{role}-trained")
        return training_report.of_comparison(training_report.read_report(folder), doubtful_rows.read(folder))
    except (OSError, ValueError, KeyError) as error:
        raise NotComparable(
            f"The report on the rows that the {role} was trained on cannot be read "
            f"({type(error).__name__}: {error}).",
            "restore that report.json of the run that trained it; the work bucket keeps old versions.",
        ) from None


def compare(
    challenger: pa.Table,
    winner: pa.Table | None,
    policy: Policy,
    book: Codebook,
    period: str,
    lacks: dict[str, list[str]],
) -> Verdict:
    """The verdict on two tables of the same test rows; `winner` is None where the group has none.

    `lacks` has, for each role, the codes in force that its model cannot predict.
    """
    return decide(
        np.asarray(challenger["truth"]),
        np.asarray(challenger["code"]),
        None if winner is None else np.asarray(winner["code"]),
        np.asarray(challenger["text_key"]),
        policy,
        alone=None if winner is None else (alone(challenger, policy), alone(winner, policy)),
        codes_in_force=book.in_force(period),
        challenger_lacks=lacks["challenger"],
        winner_lacks=lacks.get("winner", ()),
        critical=[code.code for code in book.codes if code.critical],
    )


def alone(table: pa.Table, policy: Policy) -> Booleans:
    """Which rows of a published test set users would get without a person, shape (n_rows,).

    The labels of a test set follow the model's own threshold; of a month's, the policy's precision as well.
    """
    marked = np.asarray(table["status"]) != "labelled"
    asked = replace(policy, review_capacity=None)
    chosen = review_queue.choose(
        table["confidence"].to_numpy(), marked, np.zeros(table.num_rows, bool), asked
    )
    return ~chosen.unsure


def undecided_for(earlier: str, period: str) -> str:
    """How long the winner has stayed for want of evidence, where that is too long to go on in silence.

    `earlier` are the periods of the undecided comparisons just before, separated by commas.
    """
    months = sorted({*filter(None, earlier.split(",")), period})
    if len(months) < TOLD_AFTER:
        return ""
    return f"Undecided {len(months)} months running, since {months[0]}."


def summary(evidence: dict[str, Any]) -> str:
    """Both models in a few lines of text, for people who read it in a message: the evidence has the rest."""
    lines = [f"{'':10}  macro-F1  accuracy  model"]
    for role in ("challenger", "winner"):
        if scored := evidence[role]:
            numbers = f"{scored['macro_f1']:8.4f}  {scored['accuracy']:8.4f}"
            lines.append(f"{role:10}  {numbers}  {scored['model']}")
    if evidence["difference"] is not None:
        numbers = f"{evidence['difference']:+8.4f}  {evidence['accuracy_difference']:+8.4f}"
        interval = ""
        if evidence["low"] is not None:
            level = f"{100 * (1 - evidence['policy']['level']):g} %"
            interval = f"  {level} interval of macro-F1 {evidence['low']:+.4f} to {evidence['high']:+.4f}"
        lines.append(f"difference  {numbers}{interval}")
    if conflicts := evidence["conflicts"]["rows"]:
        lines.append(
            f"{counted(conflicts, 'item')} with another code in the dataset than a person had decided: the "
            "person's counts until it is withdrawn. The report names the first."
        )
    lines += filter(None, [doubtful_rows.in_words(evidence["doubtful"], evidence["group"])])
    if evidence["findings"]:
        lines.append(f"Found in the training data (docs/input.md): {in_words(evidence['findings'])}.")
    if evidence["questions"] and not evidence["asks"]:  # else the reason says so
        lines.append(f"Labelled without a person: {evidence['questions'][-1]['found']}")
    challenger, policy = evidence["challenger"], evidence["policy"]
    if not evidence["winner"]:  # else a question says it of both models
        wanted = policy["precision"] or Policy.precision
        lines += filter(None, [advice.let_through(challenger, wanted, policy["promise"])])
    if not challenger["coverage"]:
        lines.append(f"{challenger['model']}: {advice.all_to_review(evidence['policy']['precision'])}")
    lines += filter(None, [hard_texts.in_short(evidence["hard_texts"])])
    lines.append(
        f"{counted(evidence['rows'], 'test row')}, {counted(evidence['distinct_texts'], 'distinct text')}"
    )
    # Last, as a long message is cut and the page has all of it.
    lines += filter(
        None,
        (
            advice.confused(
                challenger["confused"],
                1,
                evidence["group"] if doubtful_rows.are_many(evidence["doubtful"]) else "",
            ),
            advice.mostly_another(challenger["mostly_another"], 1),
            advice.at_precisions(challenger["at_precisions"]),
        ),
    )
    return "\n".join(lines)


def scores_of(table: pa.Table, policy: Policy, learned: Mapping[str, int]) -> dict[str, object]:
    """The scores of the model that labelled a published test set, and what it leaves to people.

    They are of verdict/scores.py and labels/without_person.py. `learned` is how many rows of each code the
    model has learned from.
    """
    rows = table.select(["text_key", "title", "truth", "code"]).to_pandas()
    truth, code = rows["truth"].to_numpy(str), rows["code"].to_numpy(str)
    confidence, automatic = table["confidence"].to_numpy(), alone(table, policy)
    return {
        **scores(truth, code, confidence, automatic, rows["text_key"].to_numpy(str)),
        **without_person.left_to_people(rows, confidence, automatic, learned),
    }


if __name__ == "__main__":
    container.run(main)
