"""The one normal form of an item's text: what splits are decided by and what features are made of.

Two texts that differ only in case, Unicode form, punctuation or white space are the same text to the
classifier, so they must be the same text to the split as well; otherwise test rows leak into training.
"""

import hashlib
import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processing.arrays import Hashes
from processing.hashes import hashes

TEXT_COLUMNS = ("title", "brand", "product_type")

SEPARATOR = "\x1f"  # ASCII's unit separator: white space to us, and part of no Unicode composition
_SEPARATOR = pa.scalar(SEPARATOR, pa.large_string())
# Chinese and Japanese put no spaces between words: every sign is a word, two in a row are a pair.
_WORD_BY_ITSELF = r"[\p{Han}\p{Hiragana}\p{Katakana}\x{30fc}]"
# Letters that are their own NFKC: Latin, Greek and Cyrillic ones that Europe writes. A text of these and of
# ASCII has nothing to compose, no sign that is a word by itself, and no punctuation but ASCII's.
_EUROPEAN = "À-ÖØ-öø-ıĴ-ľŁ-ňŊ-žΑ-ΡΣ-ώЀ-џ"
_NOT_ONLY_EUROPEAN = rf"[^\x00-\x7f{_EUROPEAN}]"
SLICE_ROWS = 50_000  # normalising takes several times the texts' own memory: so many rows at most at a time
SPACE = ord(" ")
POINT, COMMA = ord("."), ord(",")


def _ascii_classes() -> bytes:
    """What each byte becomes: ASCII letters small ones, digits and UTF-8 stay, other ASCII is a space."""
    return bytes(
        sign if sign >= 128 or chr(sign).isalnum() else SPACE
        for sign in (ord(chr(sign).lower()) if sign < 128 else sign for sign in range(256))
    )


_CLASSES = _ascii_classes()
_IS_DIGIT = np.zeros(256, bool)
_IS_DIGIT[ord("0") : ord("9") + 1] = True


def fold(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Unicode NFKC, lower case, punctuation as spaces; a missing text becomes an empty one.

    Chinese and Japanese signs become words of their own. A point or comma between two digits stays, as a
    point: `1,5` and `1.5` are one number. White space is not collapsed: the features do not see it, and
    `normalise` does it for those who compare texts.

    Returns:
        A `large_string` array of the same length. Raises nothing: any string is a valid text.
    """
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    texts = pc.fill_null(pc.cast(texts, pa.large_string()), "")
    beyond_ascii = pc.not_equal(pc.binary_length(texts), pc.utf8_length(texts))
    if pc.any(beyond_ascii).as_py():
        some = texts.filter(beyond_ascii)
        other = pc.match_substring_regex(some, _NOT_ONLY_EUROPEAN)
        if pc.any(other).as_py():
            some = pc.replace_with_mask(some, other, _compose(some.filter(other)))
        some = pc.utf8_lower(some)
        # Lower case leaves apart what case folding unites: sharp s and `ss`, final sigma and sigma.
        some = pc.replace_substring(pc.replace_substring(some, "ß", "ss"), "\u03c2", "\u03c3")
        texts = pc.replace_with_mask(texts, beyond_ascii, some)
    return _fold_ascii(texts)


def _compose(texts: pa.Array) -> pa.Array:
    """NFKC, punctuation beyond ASCII as spaces, spaces around signs that are words by themselves."""
    texts = pc.replace_substring_regex(_nfkc(texts), r"[^\p{L}\p{M}\p{N}\x00-\x7f]+", " ")
    return pc.replace_substring_regex(texts, _WORD_BY_ITSELF, r" \0 ")


def _nfkc(texts: pa.Array) -> pa.Array:
    """Unicode NFKC of every text, in one call: pyarrow's own `utf8_normalize` (22.0) never composes."""
    texts = pc.replace_substring(texts, SEPARATOR, " ")
    joined = pc.binary_join(pa.ListArray.from_arrays([0, len(texts)], texts), _SEPARATOR)[0].as_py()
    if unicodedata.is_normalized("NFKC", joined):
        return texts
    normalised = pa.array([unicodedata.normalize("NFKC", joined)], pa.large_string())
    return pc.split_pattern(normalised, SEPARATOR).flatten()


def _fold_ascii(texts: pa.Array) -> pa.Array:
    """ASCII in lower case, its punctuation as spaces; byte by byte, so the offsets of the texts stay."""
    _, offsets, data = texts.buffers()
    if data is None or data.size == 0:
        return texts
    raw = np.frombuffer(data, np.uint8)
    folded = np.frombuffer(bytearray(raw.tobytes().translate(_CLASSES)), np.uint8)
    decimal = np.flatnonzero((raw == POINT) | (raw == COMMA))
    decimal = decimal[(decimal > 0) & (decimal < len(raw) - 1)]
    decimal = decimal[_IS_DIGIT[raw[decimal - 1]] & _IS_DIGIT[raw[decimal + 1]]]
    # A point that begins or ends a text is none between digits, whatever its neighbours in the batch are.
    starts = np.frombuffer(offsets, np.int64)
    before, after = (np.searchsorted(starts, decimal + step, side="right") for step in (-1, 1))
    folded[decimal[before == after]] = POINT
    return pa.Array.from_buffers(
        pa.large_string(), len(texts), [None, offsets, pa.py_buffer(folded)], offset=texts.offset
    )


def normalise(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """`fold`, with white space collapsed to single spaces and trimmed: equal results are equal texts."""
    trimmed = pc.ascii_trim_whitespace(fold(texts))
    _, offsets, data = trimmed.buffers()
    if data is None or data.size == 0:
        return trimmed
    raw = np.frombuffer(data, np.uint8)
    # No text begins or ends with a space any more, so two in a row are of one text.
    is_space = raw == SPACE
    doubled = np.flatnonzero(is_space[1:] & is_space[:-1])
    if not len(doubled):
        return trimmed
    ends = np.frombuffer(offsets, np.int64)
    ends = ends - np.searchsorted(doubled, ends)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(np.delete(raw, doubled))]
    return pa.Array.from_buffers(pa.large_string(), len(trimmed), buffers, offset=trimmed.offset)


def normalise_repeated(texts: pa.Array | pa.ChunkedArray) -> pa.DictionaryArray:
    """`normalise` of a column whose texts repeat, such as brands: each different one only once.

    Returns:
        A dictionary array of the same length, without nulls; its dictionary may have a text several times.
    """
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    encoded = texts.dictionary_encode(null_encoding="encode")
    return pa.DictionaryArray.from_arrays(encoded.indices, normalise(encoded.dictionary))


def text_keys(group: str, table: pa.Table) -> pa.Array:
    """One key a row, 16 hex digits: equal for rows of a group whose normalised texts are equal.

    Args:
        group: the model group; it salts the hash, so that groups do not share their splits by accident.
        table: columns `title`, `brand`, `product_type` (strings; missing values count as empty).

    Returns:
        A `string` array, `(table.num_rows,)`. The hash is pandas' SipHash, keyed by the group.
    """
    salt = hashlib.blake2b(group.encode(), digest_size=8).hexdigest()
    slices = (table.slice(start, SLICE_ROWS) for start in range(0, table.num_rows, SLICE_ROWS))
    return pa.chunked_array([_text_keys(salt, some) for some in slices], pa.string()).combine_chunks()


def _text_keys(salt: str, table: pa.Table) -> pa.Array:
    title, *others = TEXT_COLUMNS
    encoded = (normalise_repeated(table[name]) for name in others)
    fields = [normalise(table[title]), *(field.dictionary.take(field.indices) for field in encoded)]
    return hex16(hashes(pc.binary_join_element_wise(*fields, _SEPARATOR), salt))


def hex16(values: Hashes) -> pa.Array:
    """Unsigned 64-bit integers, `(n,)`, as texts of 16 lower-case hex digits each."""
    digits = np.frombuffer(b"0123456789abcdef", np.uint8)
    octets = values.astype(">u8").view(np.uint8)
    pairs = np.stack([digits[octets >> 4], digits[octets & 15]], axis=1)
    ends = np.arange(0, 16 * len(values) + 1, 16, dtype=np.int32)
    return pa.Array.from_buffers(pa.string(), len(values), [None, pa.py_buffer(ends), pa.py_buffer(pairs)])
