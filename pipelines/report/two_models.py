"""What any two models of a group differ in, on test rows that both have labelled. Nothing is decided.

The figures are those that Compare makes (processing/compare.py), without its verdict. tested_models.py reads
what is needed; all here is pure.
"""

from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import Refused
from processing import compare
from processing.codes.codebook import Codebook
from processing.codes.recode import recode
from processing.dataset import training_report
from processing.policy import Policy
from processing.verdict.changes import changes, label_more
from processing.verdict.figures import probability, signed
from processing.words import counted


class NothingInCommon(Refused):
    """No test row has been labelled by both models; the message says what each has."""


@dataclass(frozen=True)
class Labelled:
    """A model and a test set that it has labelled.

    Attributes:
        model: its name.
        test_set: the run that made the test set.
        table: the published rows, as `compare.read_published` gives them.
        report: Prepare's, of the run that trained the model.
    """

    model: str
    test_set: str
    table: pa.Table
    report: dict[str, Any]


def common_rows(a: Labelled, b: Labelled, book: Codebook, period: str) -> tuple[pa.Table, pa.Table]:
    """The test rows of both, of one id, text and true code, in one order, with the codes of `period`.

    No model is ever trained on one of them (processing/dataset/split.py). Of one test set they are all. Of
    two those are left out whose true code is not certain in the period, or another in each.

    Raises:
        NothingInCommon: there is none.
        NotComparable: the labels are not all of test rows, or differ though they are of one test set.
    """
    if a.test_set == b.test_set:
        compare.check_test_rows(a.table)
        compare.check_same_rows(a.table, b.table)
        found = (compare.test_rows(a.table), compare.test_rows(b.table))
    else:
        tables = [_of_period(compare.test_rows(each.table), book, period) for each in (a, b)]
        keys = [_keys(table) for table in tables]
        found = (_only(tables[0], keys[0], keys[1]), _only(tables[1], keys[1], keys[0]))
    if not found[0].num_rows:
        has = " and ".join(
            f"{each.model} has labelled {counted(compare.test_rows(each.table).num_rows, 'test row')} of "
            f"{each.test_set}"
            for each in (a, b)
        )
        raise NothingInCommon(
            f"The models have no test row in common: {has}. Fix: name two models whose test sets share items."
        )
    return found


def evidence(
    a: Labelled, b: Labelled, group: str, period: str, policy: Policy, book: Codebook
) -> dict[str, Any]:
    """The figures of Compare's evidence (docs/contracts.md) with `a` as `winner` and `b` as `challenger`.

    Without run, verdict, reason and questions. `test_sets` names those of both, `left_out` the test rows of
    either that are not in both. Raises as `common_rows`.
    """
    of_a, of_b = common_rows(a, b, book, period)
    code_map = book.code_map(period)
    learned = {role: training_report.codes(each.report) for role, each in (("winner", a), ("challenger", b))}
    lacks = {role: code_map.out_of_reach(set(codes)) for role, codes in learned.items()}
    found = asdict(compare.compare(of_b, of_a, policy, book, period, lacks))
    left_out = {each.model: compare.test_rows(each.table).num_rows - of_a.num_rows for each in (a, b)}
    return {
        **{"group": group, "period": period, "codebook_version": book.version},
        **{"policy": asdict(policy), "rule": compare.RULE},
        **{
            name: value
            for name, value in found.items()
            if name not in ("verdict", "reason", "questions", "asks")
        },
        "winner": {"model": a.model, **compare.scores_of(of_a, policy, learned["winner"])},
        "challenger": {"model": b.model, **compare.scores_of(of_b, policy, learned["challenger"])},
        "changes": changes(of_b, of_a),
        "label_more": label_more(of_b, learned["challenger"], book.in_force(period)),
        "test_sets": {a.model: a.test_set, b.model: b.test_set},
        "left_out": left_out,
    }


def in_words(found: dict[str, Any]) -> list[str]:
    """What the evidence of two models says, in sentences: on which rows, which is better, how surely."""
    a, b = (found[role]["model"] for role in ("winner", "challenger"))
    sets = list(dict.fromkeys(found["test_sets"].values()))
    rows = counted(found["rows"], "test row")
    on = f"the {rows} of {sets[0]}" if len(sets) == 1 else f"the {rows} that {' and '.join(sets)} share"
    level = f"{100 - 100 * found['policy']['level']:g} % interval"
    interval = f"{level} {signed(found['low'])} to {signed(found['high'])}"
    left_out = ", ".join(f"{count:,} of {model}" for model, count in found["left_out"].items() if count)
    return [
        f"A is {a}, B is {b}, both on {on}.",
        f"Only B is right on {counted(found['better_texts'], 'text')}, only A on "
        f"{found['worse_texts']:,} ({probability(found['p_value'])}).",
        f"Macro-F1 of B is {signed(found['difference'])} points against A"
        f" ({interval if found['low'] is not None else 'too few texts for an interval'}), accuracy "
        f"{signed(found['accuracy_difference'])}.",
        *([f"Not compared, as they are not in both: {left_out}."] if left_out else []),
    ]


def _of_period(table: pa.Table, book: Codebook, period: str) -> pa.Table:
    """The rows with their codes as the period has them; without those whose true code is then not certain.

    A label that is not certain then stays as it was given, which is wrong.
    """
    code_map = book.code_map(period)
    truth, code = (recode(table[name], code_map).codes for name in ("truth", "code"))
    table = table.set_column(table.column_names.index("truth"), "truth", truth)
    given = pc.coalesce(code, table["code"].combine_chunks())
    table = table.set_column(table.column_names.index("code"), "code", given)
    return table.filter(pc.is_valid(truth))


def _keys(table: pa.Table) -> pa.Array:
    """What makes two rows one: id, text and true code, (n_rows,)."""
    parts = [table[name].combine_chunks() for name in ("item_id", "text_key", "truth")]
    return pc.binary_join_element_wise(*parts, "\0")


def _only(table: pa.Table, keys: pa.Array, others: pa.Array) -> pa.Table:
    return table.filter(pc.is_in(keys, value_set=others)).sort_by("item_id")
