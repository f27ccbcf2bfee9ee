"""Columns of codes brought to a period's codes: labels before training, predictions before publishing."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from processing.codes.successions import CodeMap, Outcome


@dataclass(frozen=True)
class Recoded:
    """The result, row by row, and how many rows each reason concerns.

    Attributes:
        codes: string array, (n,); null where no code is certain: such a row is set aside or goes to review.
        reasons: string array, (n,); empty where the code was in force as it stood.
        mapped: rows by reason where an old code was replaced, most rows first.
    """

    codes: pa.Array
    reasons: pa.Array
    mapped: dict[str, int]


def recode(codes: pa.Array | pa.ChunkedArray, code_map: CodeMap) -> Recoded:
    """Bring a column of codes, (n,) strings, to the codes in force in the period of `code_map`.

    For training: rows with a null code are set aside. For predictions: they go to review with the reason.
    A confidence stays what it was: after a merger it is a lower bound, the other old code's share is missing.
    """
    if isinstance(codes, pa.ChunkedArray):
        codes = codes.combine_chunks()
    encoded = pc.dictionary_encode(codes.cast(pa.string()), null_encoding="encode")
    outcomes = [_outcome(code, code_map) for code in encoded.dictionary.to_pylist()]
    new = pa.array([outcome.code for outcome in outcomes], pa.string()).take(encoded.indices)
    reasons = pa.array([outcome.reason for outcome in outcomes], pa.string()).take(encoded.indices)
    changed = pc.not_equal(reasons, "")
    return Recoded(
        codes=new,
        reasons=reasons,
        mapped=_counts(reasons.filter(pc.and_(changed, pc.is_valid(new)))),
    )


def recode_second(second: pa.Array | pa.ChunkedArray, first: pa.Array, code_map: CodeMap) -> pa.Array:
    """Second-best codes, (n,), brought to the period; null where they mean nothing or the same as `first`.

    `first`: the best codes, already brought to the period (`recode(...).codes`).
    """
    codes = recode(second, code_map).codes
    same = pc.fill_null(pc.equal(codes, first), False)
    return pc.if_else(same, pa.scalar(None, pa.string()), codes)


def _outcome(code: str | None, code_map: CodeMap) -> Outcome:
    return Outcome(None, "there is no code") if code is None else code_map.outcome(code)


def _counts(reasons: pa.Array) -> dict[str, int]:
    counted = [(entry["values"], entry["counts"]) for entry in pc.value_counts(reasons).to_pylist()]
    return dict(sorted(counted, key=lambda entry: (-entry[1], entry[0])))
