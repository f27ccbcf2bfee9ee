"""The items of a year and their true codes: texts from a file or the generator, and drift put into them.

Who drives the year and measures it is in year.py. The drift is synthetic, whatever the texts are: what
happens to whom and when is in PLANS, so that it is known what should have been noticed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pandas as pd

from infra.samples import generate

YEAR = 2027
#: What the groups' policy promises. With the default of 0.98 nothing of the small groups would be labelled
#: without a person even at the start, so there would be nothing to lose.
PROMISE = 0.95
#: Kinds of drift, as `--drift` names them.
KINDS = ("words", "codes", "sizes", "corrections", "rollback")


class Size(NamedTuple):
    """Labelled rows at the start and new ones a month; items to label a month, a third of them new."""

    start: int
    monthly: int
    items: int


SIZES = {
    "large": Size(2400, 160, 600),
    "mid": Size(900, 80, 400),
    "small": Size(700, 35, 250),
    "tiny": Size(400, 20, 150),
}


class Plan(NamedTuple):
    """A group and what happens to it.

    Attributes:
        real: the country of its texts and the ranks of the categories it sells, in the order of their number.
        made: its name among the generator's groups.
        events: by kind of drift, the month it sets in, and how.
    """

    real: tuple[str, str, int, int]
    made: str
    size: str
    events: dict[str, tuple[int, str]]


#: Share of new items with drifted words: `slowly` so much more each month, `at once` from the first on.
SLOWLY, AT_ONCE, MOST = 0.08, 0.4, 0.5
#: Of these, the share that takes over words known from another code; the others' words are new.
TAKEN_OVER = 0.4
GROWTH, SHRINKING = 1.08, 0.8
WRONG_LABELS, CORRECTED_AFTER = 0.02, 2

PLANS = (
    Plan(("DNK", "DK-repair", 0, 12), "DE-weee", "large", {"words": (4, "slowly")}),
    Plan(("DNK", "DK-home", 12, 20), "FR-packaging", "mid", {"codes": (5, "renamed, later split")}),
    Plan(("CAN", "CA-repair", 0, 7), "IE-weee", "small", {"words": (6, "at once")}),
    Plan(
        ("NLD", "NL-repair", 0, 12),
        "IT-weee",
        "large",
        {"codes": (6, "merged"), "corrections": (1, ""), "rollback": (9, "")},
    ),
    Plan(("NLD", "NL-home", 10, 17), "GB-packaging", "small", {"words": (4, "slowly")}),
    Plan(("DEU", "DE-repair", 0, 9), "AT-weee", "mid", {"sizes": (2, "growing"), "words": (7, "at once")}),
    Plan(
        ("DEU", "DE-home", 9, 15), "IE-packaging", "small", {"codes": (8, "renamed"), "words": (3, "slowly")}
    ),
    Plan(("GBR", "GB-repair", 0, 9), "GB-weee", "mid", {"corrections": (1, "")}),
    Plan(("GBR", "GB-home", 9, 15), "NL-weee", "small", {"sizes": (3, "shrinking")}),
    Plan(("CAN", "CA-home", 7, 15), "NL-batteries", "tiny", {"sizes": (10, "ending")}),
)


@dataclass
class Item:
    """An item; `category` is its code before any change of codes, `part` which part of a split code."""

    item_id: str
    title: str
    brand: str
    product_type: str
    category: str
    part: int
    arrived: int
    wrong: str | None = None

    def row(self) -> dict[str, str]:
        return {name: getattr(self, name) for name in ("item_id", "title", "brand", "product_type")}


@dataclass
class Group:
    """A group over the year. Months are numbered from 1; `sold` are the items of the latest."""

    name: str
    size: Size
    events: dict[str, tuple[int, str]]
    codes: list[str]
    _texts: Iterator[dict[str, str]]
    _labelled: list[Item] = field(default_factory=list)
    sold: list[Item] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._random = Random(f"{self.name} year")
        self._by_code: dict[str, list[str]] = {}
        self._made = 0
        self._labelled = [self._item("L", 1, drifts=False) for _ in range(self.size.start)]

    def from_month(self, kind: str) -> int:
        """When a kind of drift sets in; 99 for never."""
        return self.events.get(kind, (99, ""))[0]

    def ended(self, month: int) -> bool:
        return self._how("sizes") == "ending" and month >= self.from_month("sizes")

    def events_of(self, month: int) -> list[str]:
        """What sets in in a month, in words."""
        events = [f"{kind} {how}".strip() for kind, (first, how) in self.events.items() if first == month]
        return [*events, "codes split"] if month == self._split() else events

    def labelled(self, month: int) -> list[dict[str, str]]:
        """The labelled rows known by the end of a month, which must follow the last one asked for."""
        self._labelled += [self._item("L", month) for _ in range(self._count(self.size.monthly, month))]
        return [item.row() | {"label": self._known_label(item, month)} for item in self._labelled]

    def sell(self, month: int) -> list[Item]:
        """The items to label in a month, which must follow the last one asked for; `sold` has them then."""
        wanted = self._count(self.size.items, month)
        new = max(wanted // 3, wanted - len(self.sold))
        kept = self.sold[len(self.sold) - (wanted - new) :] if wanted > new else []
        self.sold = kept + [self._item("N", month) for _ in range(new)]
        return self.sold

    def truth(self, month: int) -> dict[str, str]:
        """The true codes of the month's items, by item."""
        return {item.item_id: self.code(item, month) for item in self.sold}

    def code(self, item: Item, month: int) -> str:
        """The item's true code in a month."""
        how, first = self._how("codes"), self.from_month("codes")
        at = self.codes.index(item.category)
        if at == 1 and "renamed" in how and month >= first:
            return f"{item.category} N"
        if at == 2 and month >= self._split():
            return f"{item.category} {item.part}"
        if at in (3, 4) and how == "merged" and month >= first:
            return self._merged()
        return item.category

    def codebook(self, month: int) -> dict[str, Any]:
        """The codebook that is in force in a month."""
        how, first = self._how("codes"), self.from_month("codes")
        book: dict[str, Any] = {
            "group": self.name,
            "version": "1",
            "language": "en",
            "source": "synthetic changes of codes",
            "attributes": [],
            "policy": {"precision": PROMISE},
            "codes": [_code(code) for code in self.codes],
            "successions": [],
        }
        changes = []
        if month >= first and "renamed" in how:
            changes.append(("renamed", first, [self.codes[1]], [f"{self.codes[1]} N"]))
        if month >= self._split():
            parts = [f"{self.codes[2]} {part}" for part in (0, 1)]
            changes.append(("split", self._split(), [self.codes[2]], parts))
        if month >= first and how == "merged":
            changes.append(("merged", first, self.codes[3:5], [self._merged()]))
        for kind, since, old, new in changes:
            day = date.fromisoformat(f"{period(since)}-01")
            for entry in book["codes"]:
                if entry["code"] in old:
                    entry["valid_to"] = (day - timedelta(days=1)).isoformat()
            book["codes"] += [_code(code, day.isoformat()) for code in new]
            book["successions"].append({"kind": kind, "from": old, "to": new, "date": day.isoformat()})
            book["version"] = str(len(book["successions"]) + 1)
        return book

    def _how(self, kind: str) -> str:
        return self.events.get(kind, (99, ""))[1]

    def _split(self) -> int:
        return self.from_month("codes") + 2 if "split" in self._how("codes") else 99

    def _merged(self) -> str:
        return f"{self.codes[3]} and {self.codes[4]}"

    def _count(self, usual: int, month: int) -> int:
        since = month - self.from_month("sizes") + 1
        if since <= 0 or self._how("sizes") == "ending":
            return usual
        return round(usual * (GROWTH if self._how("sizes") == "growing" else SHRINKING) ** since)

    def _known_label(self, item: Item, month: int) -> str:
        """The label as the client has it: the code when the item arrived, later put right."""
        if item.wrong and month < item.arrived + CORRECTED_AFTER:
            return item.wrong
        split = self._split()
        if item.arrived < split and month < split + CORRECTED_AFTER:
            return self.code(item, item.arrived)
        return self.code(item, month if item.arrived < split else item.arrived)

    def _item(self, kind: str, month: int, drifts: bool = True) -> Item:
        text = next(self._texts)
        category, title, brand = text["label"], text["title"], text["brand"]
        part = sum(map(ord, title.split()[0].lower())) % 2
        if drifts and self._random.random() < self._drifted(month):
            others = [code for code in self._by_code if code != category]
            if others and self._random.random() < TAKEN_OVER:
                other = others[sum(map(ord, category)) % len(others)]
                title = f"{self._random.choice(self._by_code[other])} {_new_word(category, self.name)}"
            else:
                title = " ".join(
                    _new_word(word, self.name) if len(word) > 3 else word for word in title.split()
                )
                brand = _new_word(brand, self.name) if brand else brand
        else:
            self._by_code.setdefault(category, []).append(title)
        self._made += 1
        wrong = None
        if "corrections" in self.events and kind == "L" and self._random.random() < WRONG_LABELS:
            wrong = self._random.choice([code for code in self.codes if code != category])
        name = f"{self.name}-{kind}{self._made:06}"
        return Item(name, title, brand, text["product_type"], category, part, month, wrong)

    def _drifted(self, month: int) -> float:
        since = month - self.from_month("words") + 1
        if since <= 0:
            return 0.0
        return AT_ONCE if self._how("words") == "at once" else min(MOST, SLOWLY * since)


def period(month: int) -> str:
    return f"{YEAR + (month - 1) // 12}-{(month - 1) % 12 + 1:02}"


def groups(count: int, kinds: set[str], data: Path | None) -> list[Group]:
    """The first `count` groups with those kinds of drift; their texts from the file, else made.

    Raises ValueError where the file has too few rows of a country.
    """
    made = []
    for plan in PLANS[:count]:
        events = {kind: event for kind, event in plan.events.items() if kind in kinds}
        if data:
            country, name, first, last = plan.real
            rows, codes = _real(data, country, first, last)
            texts = _until_spent(rows, name)
        else:
            name = plan.made
            codes = [code["code"] for code in generate.codebook(name, "1")["codes"]]
            texts = generated(name)
        made.append(Group(name, SIZES[plan.size], events, codes, texts))
    return made


def _real(data: Path, country: str, first: int, last: int) -> tuple[list[dict[str, str]], list[str]]:
    """Shuffled texts of a country's categories of these ranks, and the categories."""
    table = _read(data)
    table = table[table["country"] == country]
    codes = table["product_category"].value_counts().index[first:last].tolist()
    table = table[table["product_category"].isin(codes)]
    rows = pd.DataFrame(
        {
            "title": table["item_text"]
            .str.cat(table["problem"], sep=" ")
            .str.split()
            .str.join(" ")
            .str[:500],
            "brand": table["brand"],
            "product_type": "",
            "label": table["product_category"],
        }
    )
    return rows[rows["title"] != ""].sample(frac=1, random_state=1).to_dict("records"), codes


@cache
def _read(data: Path) -> pd.DataFrame:
    """The rows whose text does not hold the label."""
    table = pd.read_csv(data, dtype=str, keep_default_na=False)
    return table[table["item_is_label"] != "1"]


def _until_spent(rows: list[dict[str, str]], name: str) -> Iterator[dict[str, str]]:
    yield from rows
    raise ValueError(
        f"{name} needs more than {len(rows)} texts. Fix: give a larger export, or fewer --months."
    )


def generated(name: str) -> Iterator[dict[str, str]]:
    """The generator's texts of a group, without end."""
    start = 0
    while True:
        for row in generate.items(name, start, 1000, labelled=True):
            yield {column: row[column] or "" for column in ("title", "brand", "product_type", "label")}
        start += 1000


def _new_word(word: str, salt: str) -> str:
    """A word that nobody has seen, always the same for the same one."""
    return "".join(Random(f"{salt} {word.lower()}").choices(generate.SYLLABLES, k=4))


def _code(code: str, since: str = "2020-01-01") -> dict[str, Any]:
    return {"code": code, "description": code, "valid_from": since, "valid_to": None, "critical": False}
