"""What changes from one codebook to the next, in lines for people."""

import json
from collections.abc import Iterator
from typing import Any


def changes(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """What a reader must know who knew `before`: one line a change, `+` new, `-` gone, `~` changed."""
    old, new = ({entry["code"]: entry for entry in book["codes"]} for book in (before, after))
    for code in (code for code in new if code not in old):
        entry = new[code]
        yield f'+ code "{code}" from {entry["valid_from"]}: {entry["description"]}'
    for code in (code for code in old if code not in new):
        yield f'- code "{code}": {old[code]["description"]} (labels still name it: keep it, with valid_to)'
    for code in (code for code in new if code in old):
        yield from _field_changes(f'code "{code}", ', old[code], new[code])
    known = before.get("successions", [])
    for succession in (entry for entry in after.get("successions", []) if entry not in known):
        yield f"+ {succession_text(succession)}"
    for succession in (entry for entry in known if entry not in after.get("successions", [])):
        yield f"- {succession_text(succession)}"
    rest = [{k: v for k, v in book.items() if k not in ("codes", "successions")} for book in (before, after)]
    yield from _field_changes("", *rest)


def _field_changes(prefix: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for name in dict.fromkeys([*old, *new]):
        if old.get(name) != new.get(name):
            before, after = (json.dumps(book.get(name), ensure_ascii=False) for book in (old, new))
            yield f"~ {prefix}{name}: {before} -> {after}"


def succession_text(succession: dict[str, Any]) -> str:
    """A succession in words: `split on 2026-11-01: 5 -> 5a, 5b`."""
    old, new = ", ".join(succession["from"]), ", ".join(succession["to"])
    return f"{succession['kind']} on {succession['date']}: {old} -> {new}"
