"""Families: items whose titles differ only in variant parts such as size, colour, pack and model number.

Which parts these are is learned from the month's own labels, in whatever language they are: a word that often
stands where another word stands in an otherwise equal title, and leaves the code as it is, is a variant part.
How the items of a family are decided on together is in pipelines/review/families.py.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from processing.arrays import Booleans, Integers
from processing.dataset.text import normalise

Hashes = NDArray[np.uint64]
#: So many slots a word must have filled before it can be known for a variant part.
SLOTS = 5
#: Of these it may have changed the code in at most this share.
CHANGES = 0.02
#: A number with at most three letters behind it is a size (`180cm`); any other word with a digit is a model.
_SIZE, _MODEL, _NUMBER = r"^[0-9.]+([a-z]{0,3})$", "(number) model", "(number)"
_PLACE, _SLOT = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03)


@dataclass(frozen=True)
class _Words:
    """The words of all titles, one after another; no title is without one.

    Attributes:
        title: which title each word is in, `(n_words,)`, ascending.
        word: a hash of each word itself, `(n_words,)`.
        kind: what each word is taken for, `(n_words,)`: itself; or its unit, or a model.
        kinds: a hash of each kind, `(n_kinds,)`.
        is_number: which kinds are sizes or models, `(n_kinds,)`.
    """

    title: Integers
    word: Hashes
    kind: Integers
    kinds: Hashes
    is_number: Booleans


def keys(items: pa.Table, codes: pa.Array | pa.ChunkedArray) -> pa.Array:
    """One key an item, 16 hex digits: equal for items that differ in variant parts of their titles alone.

    A title that has nothing else keeps all its words. Brand and product type are never variant parts.

    Args:
        items: `title`, `brand`, `product_type`, strings; missing values count as empty.
        codes: of the items as published, the model's or a person's; null where there is none.

    Returns:
        A `string` array, `(items.num_rows,)`, the same for the same items in whatever order.
    """
    if not items.num_rows:
        return pa.array([], pa.string())
    titles = normalise(items["title"])
    words = _words(titles)
    about = _mix(_hashes(normalise(items["brand"])) + _mix(_hashes(normalise(items["product_type"]))))
    codes = codes.combine_chunks() if isinstance(codes, pa.ChunkedArray) else codes
    code = codes.dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
    kept = ~_variant(words, _mix(_hashes(titles) + about), about, code)[words.kind]
    kept |= np.bincount(words.title[kept], minlength=len(titles))[words.title] == 0
    title = words.title[kept]
    found = _mix(_sums(title, _mix(words.word[kept] + _places(title)), about))
    return pa.array([f"{key:016x}" for key in found.tolist()], pa.string())


def _words(titles: pa.Array) -> _Words:
    split = pc.split_pattern(titles, " ")
    lengths = pc.list_value_length(split).to_numpy(zero_copy_only=False)
    words = split.flatten().dictionary_encode()
    sized = pc.replace_substring_regex(words.dictionary, _SIZE, rf"{_NUMBER}\1")
    kinds = pc.if_else(pc.match_substring_regex(sized, "[0-9]"), _MODEL, sized).dictionary_encode()
    return _Words(
        title=np.repeat(np.arange(len(titles)), lengths),
        word=_hashes(words.dictionary)[words.indices.to_numpy()],
        kind=kinds.indices.to_numpy()[words.indices.to_numpy()],
        kinds=_hashes(kinds.dictionary),
        is_number=np.asarray(pc.starts_with(kinds.dictionary, _NUMBER), bool),
    )


def _variant(words: _Words, text: Hashes, about: Hashes, code: Integers) -> Booleans:
    """Which kinds of words are variant parts, `(n_kinds,)`.

    A word must be known for it. Sizes and models are taken for it until they are known for the opposite, as
    in a list where `type 1` and `type 2` have two codes.

    Args:
        words: of all titles.
        text: a hash of each item's whole text, `(n_items,)`.
        about: a hash of its brand and product type, `(n_items,)`.
        code: the number of its code, -1 where it has none, `(n_items,)`.
    """
    title = words.title
    place = _places(title)
    hashed, slot = _mix(words.kinds[words.kind] + place), _mix(_SLOT + place)
    whole = _sums(title, hashed, about)
    # A text counts once with each of its codes: repeats are no evidence.
    chosen = np.zeros(len(text), bool)
    chosen[np.unique(_mix(text + code.astype(np.uint64)), return_index=True)[1]] = True
    chosen &= code >= 0
    number = words.is_number[words.kind]
    is_word = chosen[title] & ~number & (np.bincount(title)[title] > 1)
    is_size = chosen[title] & number
    slots, changes = np.zeros((2, len(words.kinds)), np.int64)
    for which, context, filler in (
        (is_word, whole[title] - hashed + slot, words.kinds[words.kind]),
        (is_size, whole[title], text[title]),
    ):
        context, filler, of, kind = context[which], filler[which], code[title[which]], words.kind[which]
        used, changed = _changes(context, filler, of)
        # In one slot a kind counts once, however many of its numbers or other texts fill it.
        seen = pd.DataFrame({"slot": context[used], "kind": kind[used], "changed": changed})
        found = seen.groupby(["kind", "slot"], sort=False)["changed"].max().groupby("kind")
        counted = found.agg(["size", "sum"])
        slots[counted.index], changes[counted.index] = counted["size"], counted["sum"]
    few = changes <= CHANGES * slots
    return np.where(words.is_number, few, few & (slots >= SLOTS))


def _changes(context: Hashes, filler: Hashes, code: Integers) -> tuple[Integers, Booleans]:
    """The rows whose slot several fillers stand in, and whether the code there is not most others'.

    Where no code is that of more than half of the fillers, each of them is taken to change it.
    """
    frame = pd.DataFrame({"slot": context, "filler": filler, "code": code})
    # Most slots have one row: they are left out before anything is counted.
    frame = frame[frame["slot"].duplicated(keep=False)]
    n_fillers = frame.drop_duplicates(["slot", "filler"]).groupby("slot").size()
    frame = frame.assign(fillers=n_fillers.reindex(frame["slot"]).to_numpy())
    frame = frame[frame["fillers"] > 1]
    by_code = frame.drop_duplicates(["slot", "filler", "code"]).groupby(["slot", "code"]).size()
    with_code = by_code.reindex(pd.MultiIndex.from_frame(frame[["slot", "code"]])).to_numpy()
    return frame.index.to_numpy(), 2 * with_code <= frame["fillers"].to_numpy()


def _places(title: Integers) -> Hashes:
    """A number for the place of each word in its title, `(n_words,)`."""
    return (np.arange(len(title)) - np.searchsorted(title, title)).astype(np.uint64) * _PLACE


def _sums(title: Integers, hashed: Hashes, about: Hashes) -> Hashes:
    """The sum of the words' hashes of each title, and of `about`, `(n_items,)`."""
    total = np.concatenate([np.zeros(1, np.uint64), np.cumsum(hashed, dtype=np.uint64)])
    ends = np.searchsorted(title, np.arange(len(about) + 1))
    found: Hashes = total[ends[1:]] - total[ends[:-1]] + about
    return found


def _hashes(texts: pa.Array) -> Hashes:
    hashes: Hashes = pd.util.hash_array(texts.to_numpy(zero_copy_only=False), categorize=False)
    return hashes


def _mix(hashes: Hashes) -> Hashes:
    """Each bit out depends on every bit in, so that sums of hashes do not cancel out."""
    mixed: Hashes = pd.util.hash_array(hashes, categorize=False)
    return mixed
