"""Texts that were UTF-8, taken for Windows-1252 and encoded once more: `KÃ¼che`, repaired to `Küche`.

Strict, because a good text must never be changed: the whole text must decode, to letters and signs that shops
write, and hold a pair of signs that no good text has. `BLÅ®`, which would decode to `BLŮ`, stays.
"""

import re
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processing.dataset import kinds
from processing.dataset.findings import SHOWN, Finding, Place, merged, shortened

_ENCODES = {byte: bytes([byte]).decode("cp1252", errors="ignore") or chr(byte) for byte in range(128, 256)}
#: Of a sign, the byte that it stands for: by Windows-1252, or as itself by Latin-1.
BYTE_OF = {chr(byte): byte for byte in range(256)} | {sign: byte for byte, sign in _ENCODES.items()}
_LATER = "".join({_ENCODES[byte] for byte in range(0x80, 0xC0)} | {chr(byte) for byte in range(0x80, 0xC0)})
_FIRST_OF_TWO = "[\u00c2-\u00df]"
_FIRST_OF_MORE = "[\u00e0-\u00f4]"
#: What may follow a letter in a good text: quotes, dashes, marks, spaces, letters of other languages.
_PLAUSIBLE = "\u00a0\u00ad¡¢£¥§©ª«®°±²³´·¹º»¿€‚ƒ„…†‡•–—™‘’“”‹›ŠšŒœŽžˆ˜"
_TELLING = "".join(sign for sign in sorted(_LATER) if sign not in _PLAUSIBLE)
_LATER, _TELLING, _PLAUSIBLE = (re.escape(signs) for signs in (_LATER, _TELLING, _PLAUSIBLE))
#: One that tells: by its second sign; a capital within or alone before a sign, as in `zÃ³`, `20Â°C`; or a
#: sign between capital and small letter, as in `DÃ©cor`.
TELLS = re.compile(
    f"{_FIRST_OF_TWO}[{_TELLING}]"
    f"|(?<=[a-zß-öø-ÿ]){_FIRST_OF_TWO}[{_LATER}]"
    f"|(?<![^\\W\\d_])[ÃÂ][{_LATER}]"
    f"|[ÃÂ][©ª«®°±²³´·¹º»¢£¥§¡](?=[a-z])"
    f"|{_FIRST_OF_MORE}(?:[{_TELLING}][{_LATER}]|[{_LATER}][{_TELLING}]|€[{_LATER}])"
)
#: What a repaired text may have beyond ASCII: Latin, Greek, Cyrillic, punctuation, signs, East Asian, emoji.
GOOD = re.compile(
    "[\x00-\x7f\u00a0-\u017f\u0192\u0218-\u021b\u02c6\u02da\u02dc\u0300-\u036f\u0370-\u0481\u048a-\u052f"
    "\u1e00-\u1eff\u2010-\u2027\u202f-\u205e\u20a0-\u20bf\u2100-\u22ff\u2500-\u27bf"
    "\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3\ufeff\uff01-\uff9f\U0001f300-\U0001faff]*"
)
MOST_TIMES = 3
_PAIR = f"[\u00c2-\u00f4][{_LATER}]"
_PAIR_IN_UTF8 = re.compile(b"\xc3[\x82-\xb4][\xc2\xc5\xc6\xcb\xe2]")


def repair(name: str, table: pa.Table, columns: Mapping[str, str]) -> tuple[pa.Table, tuple[Finding, ...]]:
    """A file's rows with doubly encoded texts repaired; ids and labels stay as they are.

    Args:
        name: of the file, for what is found.
        table: `columns` as strings, and `_row`.
        columns: name to `text` or `number`.
    """
    findings = []
    for column, kind in columns.items():
        values = table[column].combine_chunks()
        if kind != "text" or column in ("item_id", "label") or not _may_be_some(values):
            continue
        at = np.flatnonzero(pc.fill_null(pc.match_substring_regex(values, _PAIR), False))
        given = values.take(at).to_pylist()
        made = list(map(repaired, given))
        changed = [
            (int(row), *texts) for row, *texts in zip(at, given, made, strict=True) if texts[0] != texts[1]
        ]
        if not changed:
            continue
        mask = np.zeros(len(values), bool)
        mask[[row for row, _, _ in changed]] = True
        meant = pa.array([text for _, _, text in changed], pa.string())
        index = table.column_names.index(column)
        table = table.set_column(index, column, pc.replace_with_mask(values, pa.array(mask), meant))
        first = [
            Place(name, table["_row"][row].as_py(), shortened(f"{column}: {text}"))
            for row, text, _ in changed[:SHOWN]
        ]
        findings.append(Finding(kinds.DOUBLY_ENCODED, len(changed), tuple(first)))
    return table, merged(findings)


def repaired(text: str) -> str:
    """The text that was meant; the same one unless it is doubly encoded for certain."""
    meant = text
    for _ in range(MOST_TIMES):
        if not TELLS.search(meant):
            break
        try:
            meant = bytes(map(BYTE_OF.__getitem__, meant)).decode("utf-8")
        except (KeyError, UnicodeDecodeError):
            break
    return meant if GOOD.fullmatch(meant) else text


def _may_be_some(values: pa.Array) -> bool:
    """Whether a pair may be there: told from the bytes, much faster than by looking at texts."""
    data = values.buffers()[2]
    return data is not None and _PAIR_IN_UTF8.search(data) is not None
