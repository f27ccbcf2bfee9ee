"""Columns of codes brought to a period's codes: labels before training, predictions before publishing."""

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from processing.codes.successions import CodeMap, Outcome

SEPARATOR = "\0"  # no code has it
#: What stands between the codes of a short list, as people read it.
BETWEEN = " | "


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


def recode_lists(
    lists: pa.Array | pa.ChunkedArray, size: pa.Array | pa.ChunkedArray, wanted: pa.Array, code_map: CodeMap
) -> pa.Array:
    """Short lists of codes, (n,) lists, brought to the period, as one text each: `A | B | and 3 more`.

    Codes that stand for no one code in force are left out. `size`, (n,) integers, is how many codes a whole
    list would have; `wanted`, (n,) booleans, the rows to have a text. The others, and lists of one code, are
    null.
    """
    joined = pc.binary_join(lists.cast(pa.list_(pa.string())), SEPARATOR)
    sizes = size.cast(pa.string())
    texts = pc.if_else(wanted, pc.binary_join_element_wise(joined, sizes, SEPARATOR), None)
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    encoded = texts.dictionary_encode()
    shown = [_short_list(text, code_map) for text in encoded.dictionary.to_pylist()]
    return pa.array(shown, pa.string()).take(encoded.indices)


def _short_list(text: str, code_map: CodeMap) -> str | None:
    *old, size = text.split(SEPARATOR)
    new = [code for code in dict.fromkeys(code_map.outcome(code).code for code in old) if code is not None]
    more = [f"and {int(size) - len(old)} more"] if int(size) > len(old) else []
    return BETWEEN.join(new + more) if len(new + more) > 1 else None


def _outcome(code: str | None, code_map: CodeMap) -> Outcome:
    return Outcome(None, "there is no code") if code is None else code_map.outcome(code)


def _counts(reasons: pa.Array) -> dict[str, int]:
    counted = [(entry["values"], entry["counts"]) for entry in pc.value_counts(reasons).to_pylist()]
    return dict(sorted(counted, key=lambda entry: (-entry[1], entry[0])))
