"""Synthetic items, for trying Labelmill without anybody's data. No figure on them is an accuracy.

An item is made like a shop title: a noun of its code (common and rare ones, by Zipf's law), the name of a
product series, a brand, adjectives. Noise is added the way shops have it: typing errors, capitals, a vague
word instead of the noun (25 % of the items), missing brands and attributes, a wrong label (1 %). Series
names belong to one code each and have a long tail, so that a model trained on more rows knows more of them.
The same group and number always give the same item: a later month is the earlier one continued.
"""

import functools
import json
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

SYLLABLES = [
    "ka",
    "ro",
    "mi",
    "ten",
    "vo",
    "lux",
    "ser",
    "an",
    "do",
    "ri",
    "pel",
    "go",
    "tra",
    "ne",
    "su",
    "bel",
    "fa",
    "zin",
    "or",
    "qui",
    "mar",
    "ex",
    "ju",
    "ta",
]
LANGUAGES = {"DE": "de", "AT": "de", "IT": "it", "FR": "fr"}
SERIES_PER_CODE = 150
RENAMED, SPLIT = 3, -1  # places of the codes that `changed_codebook` changes
VAGUE_SHARE, TYPO_SHARE, WRONG_LABEL_SHARE, MISSING_SHARE = 0.25, 0.15, 0.01, 0.2


@functools.cache
def vocabulary() -> dict[str, Any]:
    words: dict[str, Any] = json.loads(
        Path(__file__).with_name("vocabulary.json").read_text(encoding="utf-8")
    )
    return words


def codebook(group: str, version: str) -> dict[str, Any]:
    """The sample codebook of `group` (`DE-weee`), in the form docs/contracts.md gives."""
    country, scheme = group.split("-")
    words, language = vocabulary()[scheme], LANGUAGES.get(country, "en")
    return {
        "group": group,
        "version": version,
        "language": language,
        "source": f"synthetic sample; {words['law'].get(country, words['law']['default'])}",
        "attributes": words["attributes"],
        "codes": [
            {
                "code": code,
                "description": entry["description"][language],
                "valid_from": "2020-01-01",
                "valid_to": None,
                "critical": False,
            }
            for code, entry in words["codes"].items()
        ],
    }


def changed_codebook(group: str, version: str, day: str) -> dict[str, Any]:
    """The sample codebook after a change of codes on `day` (such as `2026-10-01`).

    The fourth code is renamed, the last one is split into two which no item is labelled with so far.
    """
    book = codebook(group, version)
    last_day = (date.fromisoformat(day) - timedelta(days=1)).isoformat()
    renamed, split = book["codes"][RENAMED], book["codes"][SPLIT]
    successors = {
        "renamed": (renamed, [f"{renamed['code']}-N"]),
        "split": (split, [f"{split['code']}-1", f"{split['code']}-2"]),
    }
    book["successions"] = []
    for kind, (old, new) in successors.items():
        book["codes"] += [old | {"code": code, "valid_from": day} for code in new]
        old["valid_to"] = last_day
        book["successions"].append({"kind": kind, "from": [old["code"]], "to": new, "date": day})
    return book


def items(group: str, start: int, count: int, labelled: bool, changed: bool = False) -> list[dict[str, Any]]:
    """`count` items of `group` from number `start` on; with `label` if `labelled`.

    If `changed`, labels are codes of `changed_codebook`: its split code's items go to one part or the other
    by their series.
    """
    make = _Maker(group, changed)
    rows = [make.item(number) for number in range(start, start + count)]
    if not labelled:
        for row in rows:
            del row["label"]
    return rows


class _Maker:
    """The words of one group, and how an item is made of them."""

    def __init__(self, group: str, changed: bool):
        self.group, self.changed = group, changed
        country, scheme = group.split("-")
        self.words = vocabulary()[scheme]
        self.language = LANGUAGES.get(country, "en")
        self.extra = vocabulary()["languages"][self.language]
        self.codes = list(self.words["codes"])
        rng = random.Random(f"{group} series")
        self.series = {
            code: ["".join(rng.choices(SYLLABLES, k=3)).title() for _ in range(SERIES_PER_CODE)]
            for code in self.codes
        }

    def item(self, number: int) -> dict[str, Any]:
        rng = random.Random(f"{self.group} {number}")
        code = rng.choices(self.codes, weights=[1 / (rank + 1.5) for rank in range(len(self.codes))])[0]
        entry = self.words["codes"][code]
        vague = rng.random() < VAGUE_SHARE
        noun = rng.choice(self.extra["vague"]) if vague else _zipf(rng, entry["nouns"][self.language])
        brand = rng.choice(vocabulary()["brands"])
        series = _zipf(rng, self.series[code])
        title = [
            noun,
            series,
            f"{rng.choice('ABCDEFGHKLMPRSTVX')}{rng.randrange(10, 9999)}",
            *rng.sample(self.extra["adjectives"], k=rng.randrange(3)),
        ]
        if rng.random() < 0.3:
            title.insert(0, brand)
        text = " ".join(title)
        if rng.random() < TYPO_SHARE:
            text = _typo(rng, text)
        if rng.random() < 0.08:
            text = text.upper()
        if rng.random() < WRONG_LABEL_SHARE:
            code = rng.choice(self.codes)
        row = {
            "item_id": f"{self.group}-{number:07d}",
            "title": text,
            "brand": None if rng.random() < MISSING_SHARE else brand,
            "product_type": noun if rng.random() < 0.25 else None,
        }
        for attribute in self.words["attributes"]:
            typical = entry[attribute["name"]]
            if attribute["type"] == "number":
                typical = round(typical * rng.lognormvariate(0, 0.5), 3)
            row[attribute["name"]] = None if rng.random() < MISSING_SHARE else typical
        return row | {"label": self._new(code, series) if self.changed else code}

    def _new(self, code: str, series: str) -> str:
        """What `code` is after the change of `changed_codebook`."""
        if code == self.codes[SPLIT]:
            return f"{code}-{1 + sum(map(ord, series)) % 2}"
        return f"{code}-N" if code == self.codes[RENAMED] else code


def _zipf(rng: random.Random, words: list[str]) -> str:
    """One of `words`, the first the most often."""
    return rng.choices(words, weights=[1 / (rank + 1) for rank in range(len(words))])[0]


def _typo(rng: random.Random, text: str) -> str:
    at = rng.randrange(1, len(text))
    swapped = text[: at - 1] + text[at] + text[at - 1] + text[at + 1 :]
    return rng.choice([swapped, text[: at - 1] + text[at:]])
