"""Families: items whose titles differ only in variant parts such as size, colour, pack and model number.

Which parts these are is learned from the month's own labels, in whatever language they are: a word that often
stands where another word stands in an otherwise equal title, and leaves the code as it is, is a variant part.
How the items of a family are decided on together is in pipelines/review/families.py.
"""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from processing.arrays import Booleans, Hashes, Integers
from processing.dataset.text import hex16, normalise

#: So many slots a word must have filled before it can be known for a variant part.
SLOTS = 5
#: Of these it may have changed the code in at most this share.
CHANGES = 0.02
#: So many words are looked at, and so many numbers; of a month that has more, those of a sample of all slots.
MOST = 1 << 21
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
    about = _mix(_hashes(normalise(items["brand"])) + _mix(_hashes(normalise(items["product_type"]))))
    split = pc.split_pattern(titles, " ").cast(pa.large_list(pa.large_string()))
    each = split.flatten().dictionary_encode()
    sized = pc.replace_substring_regex(each.dictionary, _SIZE, rf"{_NUMBER}\1")
    kinds = pc.if_else(pc.match_substring_regex(sized, "[0-9]"), _MODEL, sized)
    is_number = np.asarray(pc.starts_with(kinds, _NUMBER), bool)
    kind, at = (_hashes(kinds) & ~_ONE) | is_number, each.indices.to_numpy()
    ends = np.concatenate([np.zeros(1, np.int64), np.cumsum(pc.list_value_length(split).to_numpy())])
    return pa.table(
        {
            "text": _mix(_hashes(titles) + about),
            "about": about,
            "words": pa.LargeListArray.from_arrays(ends, _hashes(each.dictionary)[at]),
            "kinds": pa.LargeListArray.from_arrays(ends, kind[at]),
        }
    )


def of(found: pa.Table, variants: pa.Array) -> pa.Array:
    """One key an item, 16 hex digits: equal for items that differ in variant parts of their titles alone.

    A title that has nothing else keeps all its words. Brand and product type are never variant parts.

    Args:
        found: of `words`.
        variants: of Variants.kinds.

    Returns:
        A `string` array, `(found.num_rows,)`.
    """
    about = found["about"].to_numpy()
    title, word, kind = _flat(found)
    is_number = (kind & _ONE).astype(bool)
    kept = np.asarray(pc.is_in(pa.array(kind), value_set=variants), bool) == is_number
    kept |= np.bincount(title[kept], minlength=len(about))[title] == 0
    title = title[kept]
    return pa.array(hex16(_mix(_sums(title, _mix(word[kept] + _places(title)), about))), pa.string())


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
        text, about, code = found["text"].to_numpy(), found["about"].to_numpy(), _code_hashes(codes)
        title, _, kind = _flat(found)
        place = _places(title)
        hashed, slot = _mix(kind + place), _mix(_SLOT + place)
        whole = _sums(title, hashed, about)
        # A text counts once with each of its codes. Repeats would be dropped later anyway: here it is cheap.
        chosen = np.zeros(len(text), bool)
        chosen[np.unique(_mix(text + code), return_index=True)[1]] = True
        chosen &= np.asarray(pc.is_valid(codes), bool)
        is_number = (kind & _ONE).astype(bool)
        at = chosen[title] & ~is_number & (np.bincount(title)[title] > 1)
        of = title[at]
        self._words.add(whole[of] - hashed[at] + slot[at], kind[at], code[of], kind[at])
        at = chosen[title] & is_number
        of = title[at]
        self._numbers.add(whole[of], text[of], code[of], kind[at])

    def kinds(self) -> pa.Array:
        """Words that are variant parts, and kinds of numbers that are none; hashes as `words` has them."""
        found, numbers = self._words.counted(), self._numbers.counted()
        known = (found["size"] >= SLOTS) & (found["sum"] <= CHANGES * found["size"])
        fixed = numbers["sum"] > CHANGES * numbers["size"]
        return pa.array(np.concatenate([found.index[known], numbers.index[fixed]]).astype(np.uint64))


class _Slots:
    """What stands in which slots, each but once: of all slots, or of every 2nd, 4th, 8th ... by its hash.

    Gibbons, "Distinct sampling for highly-accurate answers to distinct values queries", VLDB 2001.
    """

    def __init__(self) -> None:
        self._rows = np.zeros((4, 0), np.uint64)
        self._new: list[Hashes] = []
        self._one_of = _ONE

    def add(self, *columns: Hashes) -> None:
        """Add rows: of each the slot, what fills it, the code of the item, the kind of the word."""
        here = columns[0] & (self._one_of - _ONE) == 0
        self._new.append(np.stack([column[here] for column in columns]))
        if sum(rows.shape[1] for rows in self._new) > MOST // 2:
            self._once()

    def counted(self) -> pd.DataFrame:
        """By kind in how many slots others stand as well (`size`), and how often the code was another's."""
        self._once()
        slot, filler, code, kind = self._rows
        used, changed = _changes(slot, filler, code)
        # In one slot a kind counts once, however many of its numbers or other texts fill it.
        seen = pd.DataFrame({"slot": slot[used], "kind": kind[used], "changed": changed})
        found = seen.groupby(["kind", "slot"], sort=False)["changed"].max().groupby("kind")
        return found.agg(["size", "sum"])

    def _once(self) -> None:
        rows = np.concatenate([self._rows, *self._new], axis=1)
        self._new = []
        hashed = rows[0]
        for column in rows[1:]:
            hashed = _mix(hashed) + column
        self._rows = rows[:, ~pd.Series(hashed).duplicated().to_numpy()]
        while self._rows.shape[1] > MOST:
            self._one_of <<= _ONE
            self._rows = self._rows[:, self._rows[0] & (self._one_of - _ONE) == 0]


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


def _flat(found: pa.Table) -> tuple[Integers, Hashes, Hashes]:
    """The words of all titles, one after another: number of the title, word, kind; each `(n_words,)`."""
    lists = found["words"].combine_chunks()
    title = np.repeat(np.arange(len(lists)), lists.value_lengths().to_numpy())
    return title, lists.flatten().to_numpy(), found["kinds"].combine_chunks().flatten().to_numpy()


def _code_hashes(codes: pa.Array | pa.ChunkedArray) -> Hashes:
    """A number for each code, `(n_items,)`; 0 where there is none."""
    codes = codes.combine_chunks() if isinstance(codes, pa.ChunkedArray) else codes
    encoded = codes.dictionary_encode()
    numbers = pa.array(_hashes(encoded.dictionary), pa.uint64()).take(encoded.indices)
    found: Hashes = numbers.fill_null(0).to_numpy()
    return found


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
