"""A text file's bytes: unpacked, bounded, and as UTF-8 whatever they were. Its rows are for the readers.

An 8-bit encoding is not guessed: nearly any bytes are some text in each of them. UTF-16 and UTF-32 are read
where a byte order mark says so, anything else where the codebook does.
"""

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from processing.dataset import jsonlines, kinds
from processing.dataset.findings import Finding, Place, found_at
from processing.errors import JobError

CHUNK_BYTES = 1 << 20
HEAD_BYTES = 1 << 20
#: Of one text file, unpacked, with the table that is made of it: both are in memory together.
MOST_BYTES = 768 << 20
CELL_BYTES = 4  # of a table, beside the text itself: where each value begins
#: A mark of UTF-32 begins with that of UTF-16, so it comes first.
MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
FIRST_OF_MARK = codecs.BOM_UTF8[:1]  # rare, and found much faster than three bytes
INNER_MARK = re.compile(b"(?<=[\r\n])(?:" + codecs.BOM_UTF8 + b")+")
#: What begins a file that is no text, whatever its name.
OTHER_FILES = (
    (b"PK\x03\x04", "a workbook or a ZIP archive"),
    (b"PAR1", "Parquet"),
    (b"\x1f\x8b", "packed by gzip"),
    (b"\xd0\xcf\x11\xe0", "an old workbook"),
    (b"%PDF", "a PDF"),
)
TO_UTF8 = (
    "save the file as UTF-8, from Windows-1252 with `iconv -f WINDOWS-1252 -t UTF-8 old > new`, "
    "or say its encoding in the codebook's `format`."
)


@dataclass(frozen=True)
class Head:
    """How a file begins: at most HEAD_BYTES of its text as UTF-8, and whether that is `all` of it."""

    text: bytes
    all: bool


def content(
    path: Path,
    name: str,
    stated: str | None,
    judge: Callable[[Head], int],
    place: Callable[[bytes], str],
) -> tuple[bytes, str]:
    """The file's text as UTF-8 without byte order mark, and the encoding that it has.

    Args:
        path: the file; packed where its name ends in .gz.
        name: as it is shown in errors.
        stated: the encoding as the codebook says, or None.
        judge: says how many columns each row has, or raises; only then is more read than the head.
        place: says where the last character of a text is with which the file begins: `row 3`.

    Raises:
        BadData: it cannot be unpacked, is no text or not in its encoding, or takes more than MOST_BYTES.
    """
    packed = name.lower().endswith(".gz")
    if not packed and 2 * path.stat().st_size > MOST_BYTES:
        raise too_much(name)
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            head = file.read(HEAD_BYTES)
            encoding, mark = _encoding(head, name, stated)
            complete = len(head) < HEAD_BYTES
            begin = _utf8(head[mark:], encoding, name, place, mark, complete=complete)
            columns = judge(Head(begin, complete)) if begin else 0
            file.seek(mark)
            # The unpacked size that a .gz states can be wrong: unpack no more than may be.
            data = file.read(MOST_BYTES // 2 + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise kinds.NOT_UNPACKED.refusal(f"{name} cannot be unpacked ({error}).") from None
    text = _utf8(data, encoding, name, place, mark, complete=True)
    if 2 * len(text) + CELL_BYTES * columns * _lines(text) > MOST_BYTES:
        raise too_much(name)
    if not encoding.startswith("utf") and not text.isascii() and _is_utf8(data):
        raise kinds.FORMAT_CONTRADICTED.refusal(f"{name} is UTF-8, the codebook's format says {stated}.")
    return text, encoding


def unread(name: str, error: pa.ArrowInvalid, kind: kinds.Kind) -> JobError:
    """What is wrong with a file in which every row is as it should be."""
    if "straddl" in str(error):
        return kinds.LONG_ROW.refusal(f"{name} has a row of more than {jsonlines.BLOCK_BYTES >> 20} MiB.")
    return kind.refusal(f"{name}: {error}")


def without_inner_marks(data: bytes, name: str, start: int = 0) -> tuple[bytes, tuple[Finding, ...]]:
    """The text without byte order marks that begin a row after `start`, as where files were joined."""
    if data.find(FIRST_OF_MARK) < 0 or data.find(codecs.BOM_UTF8) < 0:
        return data, ()
    rows, marks = INNER_MARK.subn(b"", data[start:])
    return data[:start] + rows, found_at(kinds.INNER_MARK, [Place(name)] * marks)


def _utf8(
    data: bytes, encoding: str, name: str, place: Callable[[bytes], str], mark: int, *, complete: bool
) -> bytes:
    """The data, from the byte `mark` of the file on, as UTF-8; unless complete, its end may be cut off.

    Raises BadData.
    """
    if encoding == "utf-8" and _is_utf8(data):
        return data
    decoder = codecs.getincrementaldecoder(encoding)()
    text, view = io.BytesIO(), memoryview(data)
    for start in range(0, len(data) + 1, CHUNK_BYTES):
        pending = len(decoder.getstate()[0])
        last = complete and start + CHUNK_BYTES > len(data)
        try:
            text.write(decoder.decode(view[start : start + CHUNK_BYTES], final=last).encode())
        except UnicodeDecodeError as error:
            text.write(error.object[: error.start].decode(encoding).encode() + b"x")
            at = start - pending + error.start
            raise kinds.NOT_UTF8.refusal(
                f"{name}, {place(text.getvalue())}: byte {mark + at + 1} (0x{data[at]:02x}) is not "
                f"{'UTF-8' if encoding == 'utf-8' else encoding}.",
                TO_UTF8,
            ) from None
        if 2 * text.tell() > MOST_BYTES:
            raise too_much(name)
    return text.getvalue()


def _is_utf8(data: bytes) -> bool:
    """Whether data are UTF-8: Arrow tells it several times faster than Python decodes."""
    ends = pa.py_buffer(np.array([0, len(data)], np.int64))
    try:
        pa.Array.from_buffers(pa.large_string(), 1, [None, ends, pa.py_buffer(data)]).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _lines(text: bytes) -> int:
    octets = np.frombuffer(text, np.uint8)
    return sum(
        int(np.count_nonzero(octets[start : start + CHUNK_BYTES] == ord("\n")))
        for start in range(0, len(text), CHUNK_BYTES)
    )


def _encoding(head: bytes, name: str, stated: str | None) -> tuple[str, int]:
    """The encoding, and how many bytes its mark takes."""
    for begin, what in OTHER_FILES:
        if head.startswith(begin):
            raise kinds.NO_TEXT.refusal(f"{name} is {what}, no text.")
    said = codecs.lookup(stated).name.replace("utf-8-sig", "utf-8") if stated else None
    for mark, encoding in MARKS:
        if head.startswith(mark):
            if said and not encoding.startswith(said):
                raise kinds.FORMAT_CONTRADICTED.refusal(
                    f"{name} begins with the mark of {encoding}, the codebook's format says {stated}."
                )
            return encoding, len(mark)
    if said is None and head.count(b"\0") * 4 > len(head):
        raise kinds.NOT_UTF8.refusal(
            f"{name} is not UTF-8; it seems to be UTF-16 without byte order mark.",
            "save the file as UTF-8, as with `iconv -f UTF-16LE -t UTF-8 old > new`.",
        )
    return said or "utf-8", 0


def too_much(name: str) -> JobError:
    return kinds.TOO_MUCH_TEXT.refusal(
        f"{name} takes more than {MOST_BYTES >> 20} MiB of memory: its text, unpacked, and its rows."
    )
