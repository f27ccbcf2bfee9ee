"""What becomes of a code when the codebook changes: renamed, merged, split (docs/codebooks.md).

Only the standard library, like codebook.py. For columns of codes: recode.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any


@dataclass(frozen=True)
class Succession:
    """One change: from `date` on the codes `new` stand where the codes `old` stood.

    `kind` is `renamed` (one code becomes one), `merged` (`old` become one) or `split` (one becomes several).
    """

    kind: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    date: date

    def sentence(self, code: str) -> str:
        """What happened to `code`, for a person: `code 1 was renamed C on 2026-11-01`."""
        verb = {"renamed": "renamed", "merged": "merged into", "split": "split into"}[self.kind]
        return f"code {code} was {verb} {', '.join(self.new)} on {self.date}"


@dataclass(frozen=True)
class Outcome:
    """What a code means in a period: the code in force to use, or None where there is not exactly one.

    `reason` is empty when the code is in force itself, else it says what happened to it.
    """

    code: str | None
    reason: str


@dataclass(frozen=True)
class CodeMap:
    """From every code a group ever had to the codes in force in one period (`YYYY-MM`)."""

    successions: tuple[Succession, ...]
    in_force: tuple[str, ...]
    period: str

    def outcome(self, code: str) -> Outcome:
        """What `code` means in the period.

        Successions are followed until a code is in force. The result is certain when every path ends at the
        same code: after a rename, a merger, any chain of them, a split whose parts were merged again.
        """
        if code in self._in_force:
            return Outcome(code, "")
        ends, sentences = self._follow(code)
        story = "; ".join(sentences)
        if len(ends) == 1 and ends <= self._in_force:
            return Outcome(next(iter(ends)), story)
        if ends & self._in_force:
            return Outcome(None, f"{story}: a person must choose")
        end = f"no code in force in {self.period} replaces it"
        return Outcome(None, f"{story}: {end}" if story else f"code {code}: {end}")

    def candidates(self, code: str) -> set[str]:
        """The codes in force that may stand for `code` in the period: one or, after a split, several."""
        return self._follow(code)[0] & self._in_force

    def _follow(self, code: str) -> tuple[set[str], list[str]]:
        """Where the successions lead from `code`, and what happened on the way."""
        ends, sentences, waiting, seen = set(), [], [code], set()
        while waiting:
            here = waiting.pop(0)
            if here in seen:
                continue
            seen.add(here)
            succession = self._following.get(here)
            if here in self._in_force or succession is None:
                ends.add(here)
            else:
                sentences.append(succession.sentence(here))
                waiting.extend(succession.new)
        return ends, sentences

    def out_of_reach(self, model_codes: Iterable[str]) -> list[str]:
        """The codes in force that a model never gives, `model_codes` being all that it can predict.

        What it predicts is mapped first: a model that knows the old name reaches the new one.
        """
        reached = {self.outcome(code).code for code in model_codes}
        return [code for code in self.in_force if code not in reached]

    @cached_property
    def _in_force(self) -> frozenset[str]:
        return frozenset(self.in_force)

    @cached_property
    def _following(self) -> dict[str, Succession]:
        return {code: succession for succession in self.successions for code in succession.old}


def parse(entries: Iterable[dict[str, Any]]) -> tuple[Succession, ...]:
    """A codebook's `successions` from its JSON. Raises KeyError or ValueError for another form."""
    return tuple(
        Succession(entry["kind"], tuple(entry["from"]), tuple(entry["to"]), date.fromisoformat(entry["date"]))
        for entry in entries
    )
