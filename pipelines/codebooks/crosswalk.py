"""The crosswalk between the groups of a scheme: codes that are the same as codes of other groups (`same_as`).

Here a codebook is held against those that the other groups have published. What can be said of one file alone
is in check.py; the rows are translated by training/shared_rows.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.codebooks.check import Problem
from processing.codes.codebook import days_of, name_of, parse, scheme_of
from processing.policy import NO_LIST
from processing.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: By then every code has ended that will, as far as its codebook knows.
LAST_PERIOD = "9999-12"


def lenders(codebook: dict[str, Any]) -> dict[str, int]:
    """The groups whose codes are named, each with how many of this codebook's codes name one; by name."""
    groups = [
        group
        for entry in codebook["codes"]
        for group in {name.partition(":")[0] for name in entry.get("same_as", ())}
    ]
    return {group: groups.count(group) for group in sorted(set(groups))}


def in_words(codebook: dict[str, Any]) -> str:
    """From whom the group learns, for people: `learns from DE-weee (6 codes)`; empty for nobody."""
    named = [f"{group} ({counted(n, 'code')})" for group, n in lenders(codebook).items()]
    return f"learns from {', '.join(named)}" if named else ""


def problems(
    codebook: dict[str, Any], others: Mapping[str, dict[str, Any] | None], period: str, file: str
) -> list[Problem]:
    """What keeps the codes that a codebook names from being learned from.

    Args:
        codebook: checked, with its policy.
        others: the published codebook of each group that is named, with its policy; None where there is none.
        period: the present month, `YYYY-MM`.
        file: the name shown.
    """
    silent = (_not_sharing(group, others[group], codebook["group"]) for group in lenders(codebook))
    known = {group: other for group, other in others.items() if other is not None}
    found = [("same_as", *wrong) for wrong in silent if wrong]
    return [Problem(file, *wrong) for wrong in (*found, *_without_rows(codebook, known, period))]


def cut_off(codebook: dict[str, Any], borrowers: list[dict[str, Any]]) -> list[str]:
    """For people: which codes of other groups learn nothing from this one, now or once its codes have ended.

    `borrowers` are the published codebooks of groups that share by the same scheme.
    """
    lender = {codebook["group"]: codebook}
    return [
        str(Problem(book["group"], *wrong))
        for book in borrowers
        for wrong in _without_rows(book, lender, LAST_PERIOD)
    ]


def _not_sharing(group: str, other: dict[str, Any] | None, borrower: str) -> tuple[str, str] | None:
    """What is wrong with a named group, and the fix: it has no codebook, or does not share by the scheme."""
    scheme = scheme_of(borrower)
    if other is None:
        return f"the group {group} is not known", "publish its codebook first, or correct the name"
    if (by := other["policy"].get("share_by", NO_LIST)) != scheme:
        return (
            f'{group} does not share its rows with {borrower} (its share_by is "{by}")',
            f'publish its codebook with "policy": {{"share_by": "{scheme}"}} first, or name no code of it',
        )
    return None


def _without_rows(
    codebook: dict[str, Any], others: Mapping[str, dict[str, Any]], period: str
) -> Iterator[tuple[str, str, str]]:
    """Named codes of `others` that no row can have in a period: the place, what is wrong, the fix.

    A code of this codebook that ends no later than the one it names loses nothing: both countries changed.
    """
    books = {group: parse(other) for group, other in others.items()}
    for entry in codebook["codes"]:
        place, names = f'codes, "{entry["code"]}", same_as', entry.get("same_as", [])
        for name in names:
            group, _, code = name.partition(":")
            if group not in books:
                continue
            known = {known.code: known for known in books[group].codes}
            if code not in known:
                yield (
                    place,
                    f'"{name}" is not in the codebook of {group}',
                    f"name one of {', '.join(known)}, or remove it",
                )
                continue
            last, code_map = known[code].valid_to, books[group].code_map(period)
            if last and entry["valid_to"] and entry["valid_to"] <= str(last):
                continue
            now = [name_of(group, new) for new in sorted(code_map.candidates(code))]
            if last and last < days_of(period)[0] and not set(now) & set(names):
                followers = " and ".join(now)
                yield (
                    place,
                    f'"{name}" ends on {last}, after it comes {followers or "nothing"}',
                    f"name {followers} beside it, where all the items are this code" if now else "remove it",
                )
