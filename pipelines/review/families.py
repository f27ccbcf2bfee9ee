"""Which items of a month are decided on together: those of a family where the model agrees that they belong.

What a family is, is found when labels are published (processing/labels/families.py). Here it is cut to what
waits for a person, and to what the model labels alike. One row of the sheet stands for all of it; of a large
one more members are asked for, and where they get another code nothing is decided for the others.
"""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from processing.dataset.text import normalise

#: In one family the model's confidence differs by at most so much.
SPAN = 0.2
#: A family of at least so many items has one more row on the sheet, to check it; and yet one more.
CHECKED = (3, 10)
#: What decides on an item; the rest of a family can be decided as it.
DECIDES = ("code", "none")
EXAMPLES = 4


@dataclass(frozen=True)
class Family:
    """Items that are decided on together.

    Attributes:
        mark: of its items' ids, f and 12 hex digits: what is imported is what was exported.
        head: the id of the item whose row stands for all of them.
        checks: the ids of those that are asked for besides.
        others: the ids of those that are decided as the head.
    """

    mark: str
    head: str
    checks: tuple[str, ...]
    others: tuple[str, ...]

    @property
    def rows(self) -> tuple[str, ...]:
        """The ids of the items that are on the sheet."""
        return (self.head, *self.checks)

    @property
    def items(self) -> tuple[str, ...]:
        """The ids of all of them."""
        return (*self.rows, *self.others)


def waiting(labels: pa.Table, in_force: Collection[str]) -> list[Family]:
    """The families of two items and more among the labels that wait for a person.

    An item is in none where somebody has said something of it, or the model has named no code in force. Nor
    is it where people have decided on two items of the whole family differently: that one is broken up.

    Args:
        labels: published ones, of a whole month, with the columns of label_table.COLUMNS.
        in_force: the codes that are.
    """
    known = labels.filter(pc.is_valid(labels["family"]))
    answered = known.filter(pc.is_valid(known["answer"]))
    # What was decided as another item counts once, there; and here where that one is not in the month.
    elsewhere = pc.invert(pc.is_in(answered["decided_on"], answered["item_id"].combine_chunks()))
    said = answered.filter(pc.and_(pc.is_in(answered["answer"], pa.array(DECIDES)), elsewhere))
    said = said.select(["family", "answer", "code"]).group_by(["family", "answer", "code"]).aggregate([])
    said = said.group_by("family").aggregate([("answer", "count")])
    broken = said.filter(pc.greater(said["answer_count"], 1))["family"]
    together: dict[tuple[str, str], list[tuple[float, str]]] = defaultdict(list)
    open_ = pc.and_(pc.equal(known["status"], "review"), pc.is_null(known["answer"]))
    open_ = pc.and_(open_, pc.is_in(known["code"], pa.array(list(in_force), pa.string())))
    open_ = pc.and_(open_, pc.is_valid(known["confidence"]))
    open_ = pc.and_(open_, pc.invert(pc.is_in(known["family"], broken.combine_chunks())))
    chosen = known.filter(open_).select(["family", "code", "confidence", "item_id"])
    for family, code, confidence, item in zip(
        *(column.to_pylist() for column in chosen.columns), strict=True
    ):
        together[family, code].append((confidence, item))
    return [
        _family(alike) for members in together.values() for alike in _bands(sorted(members)) if len(alike) > 1
    ]


def decided_as(labels: pa.Table) -> dict[str, list[str]]:
    """The ids of the items that are decided on as another of their family, by the id of that one.

    What was withdrawn is as if nobody had decided: each has its own row, and goes its own way.
    """
    rows = labels.filter(
        pc.and_(pc.is_valid(labels["decided_on"]), pc.is_in(labels["answer"], pa.array(DECIDES)))
    )
    found: dict[str, list[str]] = defaultdict(list)
    for head, item in zip(rows["decided_on"].to_pylist(), rows["item_id"].to_pylist(), strict=True):
        found[head].append(item)
    return found


def difference(title: str, head: str) -> str:
    """In what a title differs from that of the head of its family: `rot, 2m (blau, 3m)`."""
    own, its = _words(title), _words(head)
    here, there = ", ".join(_without(own, its)), ", ".join(_without(its, own))
    return f"{here or 'nothing'} ({there})" if there else here or "nothing"


def examples(titles: Sequence[str], head: str) -> str:
    """In what the first titles of a family differ from its head's, each once."""
    its = _words(head)
    found = dict.fromkeys(" ".join(_without(_words(title), its)) for title in titles)
    return " | ".join([each for each in found if each][:EXAMPLES])


def _words(title: str) -> list[str]:
    words: list[str] = normalise(pa.array([title]))[0].as_py().split()
    return words


def _without(words: Sequence[str], others: Sequence[str]) -> list[str]:
    return [word for word in dict.fromkeys(words) if word not in others]


def _bands(members: Sequence[tuple[float, str]]) -> Iterator[list[str]]:
    """The ids of members in ascending order of confidence, anew where it is SPAN above the first one's."""
    band: list[str] = []
    first = 0.0
    for confidence, item in members:
        if band and confidence > first + SPAN:
            yield band
            band = []
        if not band:
            first = confidence
        band.append(item)
    yield band


def _family(items: Sequence[str]) -> Family:
    """The head is the one in the middle; checks are the least certain one, then one drawn by its digest."""
    digest = hashlib.sha256("\n".join(sorted(items)).encode()).hexdigest()[:12]
    head = items[len(items) // 2]
    rest = [item for item in items if item != head]
    drawn = sorted(rest[1:], key=lambda item: hashlib.sha256(f"{digest} {item}".encode()).digest())
    asked = sum(len(items) >= size for size in CHECKED)
    checks = (rest[0], *drawn)[:asked]
    # A letter first: a spreadsheet would make a number of `012345678901` or `1234567890e1`.
    return Family(f"f{digest}", head, checks, tuple(item for item in rest if item not in checks))


def decisions(
    families: Mapping[str, Family],
    marks: Mapping[str, str],
    answers: Mapping[str, tuple[str | None, str | None]],
) -> tuple[dict[str, list[str]], list[str]]:
    """The ids of the items that are decided as their head, by its id; and a sentence for each that is not.

    Args:
        families: by mark, as `waiting` finds them in the labels that the sheet is of.
        marks: of the sheet's rows, by the id of the item.
        answers: what people said, by the id of the item.
    """
    decided: dict[str, list[str]] = {}
    problems: list[str] = []
    for mark in dict.fromkeys(mark for item, mark in marks.items() if mark and item in answers):
        family = families.get(mark)
        if family is None:
            problems.append(
                f"family {mark}: not as it was exported; its rows count for their own items alone"
            )
            continue
        said = [answers.get(item) for item in family.rows]
        count = len(family.others)
        if None in said:
            problems.append(
                f"family of {family.head!r}: {count} wait until all its {len(said)} rows are filled in"
            )
        elif len({answer for answer in said if answer and answer[0] in DECIDES}) > 1:
            problems.append(
                f"family of {family.head!r}: broken up, as its rows got different codes; {count} wait"
            )
        elif len(set(said)) > 1:
            problems.append(
                f"family of {family.head!r}: not all its {len(said)} rows got a code or NONE; {count} wait"
            )
        elif said[0] and said[0][0] in DECIDES:
            decided[family.head] = list(family.others)
    return decided, problems
