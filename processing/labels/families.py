"""Families: items whose titles differ only in variant parts such as size, colour, pack and model number.

Which parts these are is learned from the month's own labels, in whatever language they are: a word that often
stands where another word stands in an otherwise equal title, and leaves the code as it is, is a variant part.
How the items of a family are decided on together is in pipelines/review/families.py.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from processing.arrays import Booleans, Hashes, Integers
from processing.dataset.text import hex16, normalise, normalise_repeated
from processing.hashes import hashes

#: So many slots a word must have filled before it can be known for a variant part.
SLOTS = 5
#: Of these it may have changed the code in at most this share.
CHANGES = 0.02
#: So many words are looked at, and so many numbers; of a month that has more, those of a sample of all slots.
MOST = 1 << 21
#: So many bits of a hash, at most, tell apart most of those that are one of a kind: 32 MB are counted in.
BITS = 22
SLICE_ROWS = 50_000  # what is made of so many items is not much for a processor's caches
#: A number with at most three letters behind it is a size (`180cm`); any other word with a digit is a model.
_SIZE, _MODEL, _NUMBER = r"^[0-9.]+([a-z]{0,3})$", "(number) model", "(number)"
_PLACE, _SLOT = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xD1B54A32D192ED03)
_ONE = np.uint64(1)


def keys(items: pa.Table, codes: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The families of all items at once: `words`, `Variants` and `of` in one."""
    found, variants = words(items), Variants()
    variants.learn(found, codes)
    return of(found, variants.kinds())


def words(items: pa.Table) -> pa.Table:
    """What is read of each item, in numbers: a row an item.

    `text` and `about`: hashes of all of it, and of brand and product type. `words`: a hash of each word of
    its title, at least one. `kinds`: the same of what each is taken for: itself, or its unit, or a model;
    odd where it is a number.

    Args:
        items: `title`, `brand`, `product_type`, strings; missing values count as empty.
    """
    titles = normalise(items["title"])
    about = _mix(_repeated(items["brand"]) + _mix(_repeated(items["product_type"])))
    split = pc.split_pattern(titles, " ").cast(pa.large_list(pa.large_string()))
    each = split.flatten().dictionary_encode()
    sized = pc.replace_substring_regex(each.dictionary, _SIZE, rf"{_NUMBER}\1")
    kinds = pc.if_else(pc.match_substring_regex(sized, "[0-9]"), _MODEL, sized)
    kind = (hashes(kinds) & ~_ONE) | np.asarray(pc.starts_with(kinds, _NUMBER), bool)
    found = pa.table({"text": _mix(hashes(titles) + about), "about": about})
    for name, hashed in (("words", hashes(each.dictionary)), ("kinds", kind)):
        encoded = pa.DictionaryArray.from_arrays(each.indices, pa.array(hashed))
        found = found.append_column(name, pa.LargeListArray.from_arrays(split.offsets, encoded))
    return found


def of(found: pa.Table, variants: pa.Array) -> pa.Array:
    """One key an item, 16 hex digits: equal for items that differ in variant parts of their titles alone.

    A title that has nothing else keeps all its words. Brand and product type are never variant parts.

    Args:
        found: of `words`.
        variants: of Variants.kinds.

    Returns:
        A `string` array, `(found.num_rows,)`.
    """
    titles = _Titles.of(found)
    kept = np.asarray(pc.is_in(pa.array(titles.kind), value_set=variants), bool) == titles.is_number
    keeps = kept[titles.at]
    sizes = _sums(titles.sizes, keeps.astype(np.int64))
    keeps |= np.repeat(sizes == 0, titles.sizes)
    sizes = np.where(sizes == 0, titles.sizes, sizes)
    hashed = _mix(titles.word[titles.at[keeps]] + _places(sizes))
    return hex16(_mix(_sums(sizes, hashed) + found["about"].to_numpy()))


class Variants:
    """Learns which kinds of words are variant parts: the same from the same items in whatever order.

    A word must be known for it. Sizes and models are taken for it until they are known for the opposite, as
    in a list where `type 1` and `type 2` have two codes.
    """

    def __init__(self) -> None:
        self._words, self._numbers = _Slots(), _Slots()

    def learn(self, found: pa.Table, codes: pa.Array | pa.ChunkedArray) -> None:
        """Look at some items.

        Args:
            found: of `words`.
            codes: of the items as published, the model's or a person's; null where there is none.
        """
        for start in range(0, len(found), SLICE_ROWS):
            self._learn(found.slice(start, SLICE_ROWS), codes.slice(start, SLICE_ROWS))

    def _learn(self, found: pa.Table, codes: pa.Array | pa.ChunkedArray) -> None:
        text, about, code = found["text"].to_numpy(), found["about"].to_numpy(), _code_hashes(codes)
        titles = _Titles.of(found)
        place, kind = _places(titles.sizes), titles.kind[titles.at]
        hashed = _mix(kind + place)
        whole = _sums(titles.sizes, hashed) + about
        # A text counts once with each of its codes. Repeats would be dropped later anyway: here it is cheap.
        chosen = ~_is_again(_mix(text + code))
        chosen &= np.asarray(pc.is_valid(codes), bool)
        number, is_number = np.repeat(np.arange(len(text)), titles.sizes), titles.is_number[titles.at]
        at = np.flatnonzero(np.repeat(chosen & (titles.sizes > 1), titles.sizes) & ~is_number)
        slot = whole[number[at]] - hashed[at] + _mix(_SLOT + place[at])
        self._words.add(slot, kind[at], code[number[at]], kind[at])
        at = np.flatnonzero(chosen[number] & is_number)
        self._numbers.add(whole[number[at]], text[number[at]], code[number[at]], kind[at])

    def kinds(self) -> pa.Array:
        """Words that are variant parts, and kinds of numbers that are none; hashes as `words` has them."""
        words, slots, changes = self._words.counted()
        known = words[(slots >= SLOTS) & (changes <= CHANGES * slots)]
        numbers, slots, changes = self._numbers.counted()
        return pa.array(np.sort(np.concatenate([known, numbers[changes > CHANGES * slots]])))


class _Slots:
    """What stands in which slots: of all slots, or of every 2nd, 4th, 8th ... by its hash.

    Gibbons, "Distinct sampling for highly-accurate answers to distinct values queries", VLDB 2001.
    """

    def __init__(self) -> None:
        self._rows = [np.zeros((4, 0), np.uint64)]
        self._one_of = _ONE

    def add(self, *columns: Hashes) -> None:
        """Add rows: of each the slot, what fills it, the code of the item, the kind of the word."""
        self._rows.append(self._sampled(np.stack(columns)))
        if self._size() <= MOST:
            return
        # Where there are too many, each counts but once.
        self._keep(~_is_again(np.concatenate([_hashed(rows) for rows in self._rows])))
        while self._size() > MOST:
            self._one_of <<= _ONE
            self._rows = [self._sampled(rows) for rows in self._rows]

    def counted(self) -> tuple[Hashes, Integers, Integers]:
        """Kinds; of each in how many slots others stand as well, and in how many the code was another's."""
        # Most slots have one row: they are left out before anything is counted.
        for repeat in (_may_repeat, _repeat):
            self._keep(repeat(np.concatenate([rows[0] for rows in self._rows])))
        rows = np.concatenate(self._rows, axis=1)
        used, changed = _changes(*rows[:3])
        slot, kind = rows[0, used], rows[3, used]
        # In one slot a kind counts once, however many of its numbers or other texts fill it.
        pair = _mix(kind) + slot
        at, first = pd.factorize(pair)[0], ~_is_again(pair)
        by_kind, kinds = pd.factorize(kind[first])
        changes = np.bincount(by_kind, np.bincount(at, changed) > 0)
        return kinds, np.bincount(by_kind), changes

    def _size(self) -> int:
        return sum(rows.shape[1] for rows in self._rows)

    def _sampled(self, rows: Hashes) -> Hashes:
        return rows if self._one_of == _ONE else rows[:, rows[0] & (self._one_of - _ONE) == 0]

    def _keep(self, which: Booleans) -> None:
        """Keep some of all rows, `(n_rows,)`: block by block, as all of them together are large."""
        ends = np.cumsum([rows.shape[1] for rows in self._rows])[:-1]
        kept = zip(self._rows, np.split(which, ends), strict=True)
        self._rows = [rows[:, some] for rows, some in kept]


def _hashed(rows: Hashes) -> Hashes:
    """A hash of each row, `(n_rows,)`."""
    hashed: Hashes = rows[0]
    for column in rows[1:]:
        hashed = _mix(hashed) + column
    return hashed


def _is_again(hashed: Hashes) -> Booleans:
    """Which hashes are there before."""
    again = _may_repeat(hashed)
    again[again] = pd.Series(hashed[again]).duplicated().to_numpy()
    return again


def _repeat(hashed: Hashes) -> Booleans:
    """Which hashes are there several times."""
    found: Booleans = pd.Series(hashed).duplicated(keep=False).to_numpy()
    return found


def _may_repeat(hashed: Hashes) -> Booleans:
    """Which hashes may be there several times, by some of their bits: faster than to look for each."""
    n_bits = min(len(hashed).bit_length() + 1, BITS)
    bits = (hashed >> np.uint64(64 - n_bits)).astype(np.int64)
    found: Booleans = np.bincount(bits)[bits] > 1
    return found


def _changes(slot: Hashes, filler: Hashes, code: Hashes) -> tuple[Integers, Booleans]:
    """The rows whose slot several fillers stand in, and whether the code there is not most others'.

    Where no code is that of more than half of the fillers, each of them is taken to change it.
    """
    filled = _mix(slot) + filler
    at = pd.factorize(slot)[0]
    fillers = np.bincount(at[~_is_again(filled)])[at]
    used = np.flatnonzero(fillers > 1)
    at, fillers = pd.factorize((_mix(slot) + code)[used])[0], fillers[used]
    with_code = np.bincount(at[~_is_again((_mix(filled) + code)[used])])[at]
    return used, 2 * with_code <= fillers


@dataclass(frozen=True)
class _Titles:
    """The words of all titles, one after another.

    Attributes:
        sizes: how many words each title has, at least one, `(n_items,)`.
        at: the number of each word, `(n_words,)`: what follows is `(n_different_words,)`.
        word: a hash of it.
        kind: the same of what it is taken for.
        is_number: whether it is a number.
    """

    sizes: Integers
    at: Integers
    word: Hashes
    kind: Hashes
    is_number: Booleans

    @classmethod
    def of(cls, found: pa.Table) -> "_Titles":
        """Those of `words`."""
        lists, kinds = (found[name].combine_chunks() for name in ("words", "kinds"))
        each, kind = lists.flatten(), kinds.flatten().dictionary.to_numpy()
        word, at = each.dictionary.to_numpy(), each.indices.to_numpy()
        return cls(lists.value_lengths().to_numpy(), at, word, kind, (kind & _ONE).astype(bool))


def _code_hashes(codes: pa.Array | pa.ChunkedArray) -> Hashes:
    """A number for each code, `(n_items,)`; 0 where there is none."""
    codes = codes.combine_chunks() if isinstance(codes, pa.ChunkedArray) else codes
    encoded = codes.dictionary_encode()
    numbers = pa.array(hashes(encoded.dictionary), pa.uint64()).take(encoded.indices)
    found: Hashes = numbers.fill_null(0).to_numpy()
    return found


def _places(sizes: Integers) -> Hashes:
    """A number for the place of each word in its title, `(n_words,)`, of how many words titles have."""
    starts = np.cumsum(sizes) - sizes
    places: Hashes = (np.arange(sizes.sum()) - np.repeat(starts, sizes)).astype(np.uint64) * _PLACE
    return places


def _sums(sizes: Integers, values: NDArray[Any]) -> NDArray[Any]:
    """The sum of the values of each title's words, `(n_items,)`."""
    sums: NDArray[Any] = np.add.reduceat(values, np.cumsum(sizes) - sizes) if len(sizes) else values[:0]
    return sums


def _repeated(texts: pa.ChunkedArray) -> Hashes:
    """Hashes of a column of texts that repeat, normalised, `(n_items,)`."""
    encoded = normalise_repeated(texts)
    found: Hashes = hashes(encoded.dictionary)[encoded.indices.to_numpy()]
    return found


def _mix(hashes: Hashes) -> Hashes:
    """Each bit out depends on every bit in, so that sums of hashes do not cancel out."""
    mixed: Hashes = pd.util.hash_array(hashes, categorize=False)
    return mixed
