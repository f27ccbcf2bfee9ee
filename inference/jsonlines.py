"""JSON Lines in, JSON Lines out, a whole batch at a time."""

import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from inference.predict import Prediction
from processing.arrays import Floats
from processing.codes.codebook import Attribute
from processing.dataset.text import TEXT_COLUMNS

FIX = "Fix: send one JSON object per line with the item's fields, in UTF-8."
RANKS = ("code", "second_code", "third_code")
RANKS_CONFIDENCE = ("confidence", "second_confidence", "third_confidence")
TYPES = {"number": pa.float64(), "category": pa.string()}


def schema(attributes: tuple[Attribute, ...]) -> pa.Schema:
    """The fields of an item that a model reads; others are ignored."""
    texts = [(name, pa.string()) for name in TEXT_COLUMNS]
    return pa.schema(texts + [(attribute.name, TYPES[attribute.type]) for attribute in attributes])


def read(body: bytes, fields: pa.Schema) -> pa.Table:
    """One row a line; a field that is absent is missing.

    Raises:
        ValueError: names the line that cannot be read.
    """
    if not body.strip():
        return fields.empty_table()
    try:
        table = pyarrow.json.read_json(
            io.BytesIO(body),
            read_options=pyarrow.json.ReadOptions(use_threads=False, block_size=len(body) + 1),
            parse_options=pyarrow.json.ParseOptions(
                explicit_schema=fields, unexpected_field_behavior="ignore"
            ),
        ).select(fields.names)
        table.validate(full=True)  # is it UTF-8?
    except pa.ArrowInvalid:
        raise ValueError(_first_bad_line(body, fields)) from None
    return table


def write(prediction: Prediction, codes: tuple[str, ...]) -> bytes:
    """One JSON object a line, in the order of the items."""
    names = pa.array([json.dumps(code, ensure_ascii=False) for code in codes], pa.string())
    pieces = []
    for rank, (code, sure) in enumerate(zip(RANKS, RANKS_CONFIDENCE, strict=True)):
        if rank < prediction.codes.shape[1]:
            pieces += [f'"{code}": ', names.take(pa.array(prediction.codes[:, rank]))]
            pieces += [f', "{sure}": ', _decimals(prediction.confidence[:, rank]), ", "]
    pieces.append(_short_lists(prediction, names))
    review = pa.array(["false", "true"], pa.string()).take(pa.array(prediction.review.astype(np.int8)))
    known_share = _decimals(prediction.known_share)
    lines = pc.binary_join_element_wise(
        "{", *pieces, '"known_share": ', known_share, ', "review": ', review, "}\n", ""
    )
    _, offsets, data = lines.buffers()
    written: bytes = data[: np.frombuffer(offsets, np.int32)[len(lines)]].to_pybytes()
    return written


def _short_lists(prediction: Prediction, names: pa.Array) -> pa.Array:
    """The fields of each item's short list, nothing where it has none, as most items of a good model."""
    with_list = np.flatnonzero(prediction.short_list_size)
    found = prediction.short_list[with_list]
    pieces = ['"short_list": [', names.take(pa.array(found[:, 0]))]
    for rank in range(1, found.shape[1]):
        there = pa.array(found[:, rank] >= 0)
        code = names.take(pa.array(np.maximum(found[:, rank], 0)))
        pieces.append(pc.if_else(there, pc.binary_join_element_wise(", ", code, ""), ""))
    size = pa.array(prediction.short_list_size[with_list]).cast(pa.string())
    lists = pc.binary_join_element_wise(*pieces, '], "short_list_size": ', size, ", ", "")
    at = np.full(len(prediction.short_list_size), -1)
    at[with_list] = np.arange(len(with_list))
    return pc.fill_null(lists.take(pa.array(at, mask=at < 0)), "")


def _decimals(shares: Floats) -> pa.Array:
    """Numbers in [0, 1] with four decimals."""
    return _DECIMALS.take(pa.array(np.rint(shares * 10_000).astype(np.int32)))


_DECIMALS = pa.array([f"{i / 10_000:.4f}" for i in range(10_001)], pa.string())


def _first_bad_line(body: bytes, fields: pa.Schema) -> str:
    for number, line in enumerate(body.splitlines(), start=1):
        try:
            record = json.loads(line)
        except ValueError as error:
            return f"Line {number} of the request is not JSON ({error}). {FIX}"
        if not isinstance(record, dict):
            return f"Line {number} of the request is not a JSON object. {FIX}"
        for field in fields:
            value = record.get(field.name)
            expected = (str,) if field.type == pa.string() else (int, float)
            if value is not None and (not isinstance(value, expected) or isinstance(value, bool)):
                wanted = "a text" if field.type == pa.string() else "a number"
                given = json.dumps(value)[:40]
                return f"Line {number} of the request: {field.name} must be {wanted} or null, not {given}."
    return f"The request is not JSON Lines, or a field occurs twice in a line. {FIX}"
