"""A text file's bytes: unpacked, bounded, and known to be UTF-8. What its rows are is in the readers."""

import codecs
import gzip
import zlib
from pathlib import Path

import pyarrow as pa

from processing.dataset import diagnose, jsonlines, kinds
from processing.errors import JobError

CHUNK_BYTES = 1 << 20
MOST_BYTES = 1 << 30  # of one text file, unpacked: it and its table are in memory together


def content(path: Path, name: str) -> bytes:
    """The file's content, unpacked, without byte order mark, known to be UTF-8."""
    try:
        # The uncompressed size that a .gz states can be wrong: unpack no more than may be.
        with gzip.open(path) if name.lower().endswith(".gz") else path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise kinds.NOT_UNPACKED.refusal(f"{name} cannot be unpacked ({error}).") from None
    if len(data) > MOST_BYTES:
        raise kinds.TOO_MUCH_TEXT.refusal(f"{name} has more than {MOST_BYTES >> 20} MiB of text.")
    decoder = codecs.getincrementaldecoder("utf-8")()
    view = memoryview(data)
    try:
        for start in range(0, len(data) + 1, CHUNK_BYTES):
            decoder.decode(view[start : start + CHUNK_BYTES], final=start + CHUNK_BYTES > len(data))
    except UnicodeDecodeError:
        where = diagnose.bad_byte(data, csv_rows=".csv" in name.lower())
        raise kinds.NOT_UTF8.refusal(f"{name}, {where} is not UTF-8.") from None
    return data.removeprefix(codecs.BOM_UTF8)


def unread(name: str, error: pa.ArrowInvalid, kind: kinds.Kind) -> JobError:
    """What is wrong with a file in which every row is as it should be."""
    if "straddl" in str(error):
        return kinds.LONG_ROW.refusal(f"{name} has a row of more than {jsonlines.BLOCK_BYTES >> 20} MiB.")
    return kind.refusal(f"{name}: {error}")
