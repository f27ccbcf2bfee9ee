r"""Batch Transform's own work on JSON Lines: cut inputs into requests, join answers to inputs, filter.

Records are never turned into Python values: each value keeps the bytes it came with, so numbers of any length
and any text come out as they went in. A line ends at "\\n" and nowhere else.

Source: "Associate Prediction Results with Input Records" (SageMaker developer guide).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
from msgspec import UNSET, Raw, UnsetType

OUTPUT, INPUT = "SageMakerOutput", "SageMakerInput"
_ONE = re.compile(r"\$(?:\.([A-Za-z_]\w*)|\['([^']+)'\])")
_SEVERAL = re.compile(r"\$\[('[^']+'(?:\s*,\s*'[^']+')*)\]")
_encoder = msgspec.json.Encoder()
_raw = msgspec.json.Decoder(Raw)
_object = msgspec.json.Decoder(dict[str, Raw])


class RecordError(ValueError):
    """Records that can't be read or joined; the text says which."""


def requests(path: Path, split: str, strategy: str, max_bytes: int) -> Iterator[bytes]:
    """Cut a file into request bodies of at most `max_bytes` each.

    `split` and `strategy` are the request's SplitType ("Line" or "None") and BatchStrategy.
    Raises RecordError for a record that does not fit.
    """
    with path.open("rb") as file:
        if split == "None":
            body = file.read()
            _check_size(body, path, max_bytes)
            yield body
        elif strategy == "SingleRecord":
            for line in file:
                if line.strip():
                    _check_size(line, path, max_bytes)
                    yield line.removesuffix(b"\n")
        else:
            yield from _whole_lines(file, path, max_bytes)


def _whole_lines(file: BinaryIO, path: Path, max_bytes: int) -> Iterator[bytes]:
    rest = b""
    while True:
        chunk = rest + file.read(max_bytes - len(rest))
        if len(chunk) < max_bytes:
            if chunk.strip():
                yield chunk
            return
        end = chunk.rfind(b"\n") + 1
        if not end:
            following = file.read(1)
            _check_size(chunk + (following if following != b"\n" else b""), path, max_bytes)
            yield chunk
            rest = b""
            continue
        rest = chunk[end:]
        if chunk[:end].strip():
            yield chunk[:end]


def _check_size(body: bytes, path: Path, max_bytes: int) -> None:
    if len(body) > max_bytes:
        raise RecordError(f"{path.name}: a record is larger than MaxPayloadInMB")


class Processing:
    """The request's DataProcessing, ready to be applied. Raises ValueError for a filter it can't apply.

    Args:
        settings: the request's DataProcessing, {} for none.
    """

    def __init__(self, settings: dict[str, Any]):
        self._joins = settings.get("JoinSource", "None") == "Input"
        self._input = _Filter(settings.get("InputFilter", "$"))
        self._output = _Filter(settings.get("OutputFilter", "$"))
        self.does_nothing = not self._joins and self._input.names is None and self._output.names is None

    def body(self, records: bytes) -> bytes:
        """What of the input is sent to the model."""
        return records if self._input.names is None else self._input.apply(records)

    def result(self, records: bytes, answer: bytes) -> bytes:
        """The lines to store for the input `records`, given the model's answer to them, one for each record.

        Raises:
            RecordError: when either is not JSON Lines, or when their numbers of records differ.
        """
        if not self._joins:
            return self._output.apply(answer)
        try:
            str(records, "utf-8")
            str(answer, "utf-8")
            return self._join(records, _raw.decode_lines(answer))
        except (UnicodeDecodeError, msgspec.DecodeError) as error:
            raise RecordError(f"not JSON Lines: {error}") from None

    def _join(self, records: bytes, answers: list[Raw]) -> bytes:
        if self._output.names == (OUTPUT,) and self._output.single:
            _check_numbers(len(_raw.decode_lines(records)), len(answers))
            return _encoder.encode_lines(answers)
        try:
            rows = self._output.decoder.decode_lines(records)
        except msgspec.ValidationError:  # Some record is no object.
            return self._join_anything(records, answers)
        _check_numbers(len(rows), len(answers))
        if self._output.names is None:
            for row, answer in zip(rows, answers, strict=True):
                row[OUTPUT] = answer
        elif OUTPUT in self._output.names:
            member = self._output.member(OUTPUT)
            for row, answer in zip(rows, answers, strict=True):
                setattr(row, member, answer)
        return self._output.encode(rows)

    def _join_anything(self, records: bytes, answers: list[Raw]) -> bytes:
        values = _raw.decode_lines(records)
        _check_numbers(len(values), len(answers))
        joined = []
        for value, answer in zip(values, answers, strict=True):
            try:
                row = _object.decode(value)
            except msgspec.ValidationError:
                row = {INPUT: value}
            joined.append({**row, OUTPUT: answer})
        lines = _encoder.encode_lines(joined)
        return lines if self._output.names is None else self._output.apply(lines)


class _Filter:
    """A JSONPath of the kinds `$`, `$.name`, `$['name']`, `$['one','two']`."""

    def __init__(self, path: str):
        one, several = _ONE.fullmatch(path), _SEVERAL.fullmatch(path)
        self.single = one is not None
        self.names: tuple[str, ...] | None = None
        self.decoder: msgspec.json.Decoder[Any] = _object
        if path == "$":
            return
        if one:
            self.names = (one[1] or one[2],)
        elif several:
            self.names = tuple(re.findall(r"'([^']+)'", several[1]))
        else:
            raise ValueError(f"the local run does not know the filter {path}")
        members = [(f"m{place}", Raw | UnsetType, UNSET) for place in range(len(self.names))]
        renamed = {f"m{place}": name for place, name in enumerate(self.names)}
        self.decoder = msgspec.json.Decoder(msgspec.defstruct("Row", members, rename=renamed, gc=False))

    def member(self, name: str) -> str:
        return f"m{(self.names or ()).index(name)}"

    def apply(self, lines: bytes) -> bytes:
        """The lines with what the filter keeps of each. Raises RecordError."""
        if self.names is None:
            return lines
        try:
            return self.encode(self.decoder.decode_lines(lines))
        except msgspec.DecodeError as error:
            raise RecordError(f"not JSON Lines of objects: {error}") from None

    def encode(self, rows: list[Any]) -> bytes:
        if not self.single:
            return _encoder.encode_lines(rows)
        values = [row.m0 for row in rows]
        if UNSET in values:
            name = self.names[0] if self.names else "value"
            raise RecordError(f"record {values.index(UNSET) + 1} has no {name}")
        return _encoder.encode_lines(values)


def _check_numbers(records: int, answers: int) -> None:
    if records != answers:
        raise RecordError(f"the model answered {records} records with {answers}")
