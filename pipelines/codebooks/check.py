"""Checks of a codebook: its form, by JSON Schema, and its sense, which a schema cannot express.

Every problem names the file, the place in it and the fix, so that a person who is not a programmer can act.
"""

from __future__ import annotations

import graphlib
import itertools
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from processing.codes.codebook import scheme_of
from processing.codes.reserved import RESERVED
from processing.policy import NO_LIST, Policy
from processing.words import counted

if TYPE_CHECKING:
    import jsonschema

ONE_DAY = timedelta(days=1)
NO_TEXT = re.compile("[\0\ud800-\udfff]")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: where it is, what it is, how to put it right."""

    file: str
    place: str
    message: str
    fix: str

    def __str__(self) -> str:
        sentence = f"{self.file}: {self.place}: {self.message}. Fix: {self.fix}."
        return "".join(
            sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in sentence
        )


def problems(codebook: Any, file: str) -> list[Problem]:
    """Everything that is wrong with `codebook` (parsed JSON); `file` is the name shown."""
    found = (
        list(_texts(codebook, codebook))
        or _form(codebook)
        or [
            *_codes(codebook),
            *_attributes(codebook),
            *_successions(codebook),
            *_same_as(codebook),
            *_format(codebook),
            *_hard_texts(codebook),
            *_policy(codebook),
        ]
    )
    return [Problem(file, *what) for what in found]


def _texts(codebook: Any, here: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str, str, str]]:
    """Texts that no file or table can hold: with half a character (a lone surrogate) or NUL."""
    if isinstance(here, dict | list):
        for step, value in here.items() if isinstance(here, dict) else enumerate(here):
            yield from _texts(codebook, value, (*path, step))
            if isinstance(step, str) and NO_TEXT.search(step):
                yield _place(codebook, path), f"the name {json.dumps(step)} is no text", "write it again"
    elif isinstance(here, str) and (wrong := NO_TEXT.search(here)):
        what = "the character NUL" if wrong[0] == "\0" else f"half a character ({json.dumps(wrong[0])})"
        yield (
            _place(codebook, path),
            f"{json.dumps(here[:64])} holds {what}",
            "write the text again without it",
        )


def _form(codebook: Any) -> list[tuple[str, str, str]]:
    import jsonschema

    schema = json.loads(Path(__file__).with_name("codebook.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker(["date"]))
    errors = sorted(
        validator.iter_errors(codebook), key=lambda error: [str(step) for step in error.absolute_path]
    )
    return [(_place(codebook, error.absolute_path), _message(error), _fix(error)) for error in errors]


def _message(error: jsonschema.ValidationError) -> str:
    """The validator's message, without patterns, and short where a whole list would be printed."""
    if error.validator == "pattern":
        return f"{_quoted(error.instance)} does not have the required form"
    if len(error.message) > 100:
        return f"{error.validator} {json.dumps(error.validator_value)} is not met"
    message: str = error.message
    return message


def _fix(error: jsonschema.ValidationError) -> str:
    if error.validator == "required":
        return "add it, docs/codebooks.md explains every field"
    if error.validator == "additionalProperties":
        return "check its spelling or remove it; the known ones are " + ", ".join(error.schema["properties"])
    fix: str = error.schema["x-fix"]
    return fix


def _place(codebook: Any, path: Iterable[str | int]) -> str:
    """The path in words: `codes, entry 3 ("4a"), valid_to`; entries count from 1."""
    words, here = [], codebook
    for step in path:
        here = here[step]
        if isinstance(step, int):
            name = here.get("code") or here.get("name") if isinstance(here, dict) else None
            words.append(f"entry {step + 1} ({_quoted(name)})" if name else f"entry {step + 1}")
        else:
            words.append(step)
    return ", ".join(words) or "the file as a whole"


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _codes(codebook: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    counts = Counter(entry["code"] for entry in codebook["codes"])
    for code, count in counts.items():
        if count > 1:
            yield (
                f'codes, "{code}"',
                f"the code is listed {count} times",
                "keep one entry with the whole time it is in force",
            )
    yield from _look_alikes(list(counts))
    for entry in codebook["codes"]:
        if entry["valid_to"] and entry["valid_to"] < entry["valid_from"]:
            yield (
                f'codes, "{entry["code"]}", valid_to',
                f"{entry['valid_to']} is before valid_from {entry['valid_from']}",
                "correct the two dates",
            )
    reach = date.min
    for entry in sorted(codebook["codes"], key=lambda entry: entry["valid_from"]):
        start, end = date.fromisoformat(entry["valid_from"]), _end(entry)
        if reach != date.min and reach != date.max and start > reach + ONE_DAY:
            yield (
                f'codes, "{entry["code"]}", valid_from',
                f"no code at all is in force from {reach + ONE_DAY} to {start - ONE_DAY}",
                "correct the dates so that one time follows the other",
            )
        reach = max(reach, end)


def _look_alikes(codes: list[str]) -> Iterator[tuple[str, str, str]]:
    """Codes that a person cannot tell apart: of several Unicode forms, or with characters of no width."""
    composed: dict[str, str] = {}
    for code in codes:
        if invisible := [sign for sign in code if unicodedata.category(sign) == "Cf"]:
            yield (
                f'codes, "{code}"',
                f"the code holds a character that nobody sees (U+{ord(invisible[0]):04X})",
                "type the code again",
            )
        first = composed.setdefault(unicodedata.normalize("NFC", code), code)
        if first != code:
            yield (
                f'codes, "{code}"',
                f"the code differs from another one only in its Unicode form ({first!a} and {code!a})",
                "keep one of them, best the composed one (NFC)",
            )


def _format(codebook: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    encoding = codebook.get("format", {}).get("encoding")
    if encoding is not None and not _is_encoding(encoding):
        yield (
            "format, encoding",
            f"{_quoted(encoding)} is no encoding of text that Python knows",
            'write a name like "utf-8", "windows-1252" or "iso-8859-2"',
        )


def _is_encoding(name: str) -> bool:
    try:
        "A".encode(name).decode(name)
    except (LookupError, ValueError):
        return False
    return True


def _attributes(codebook: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    counts = Counter(attribute["name"] for attribute in codebook["attributes"])
    for name, count in counts.items():
        if count > 1:
            yield f'attributes, "{name}"', f"the attribute is listed {count} times", "keep one of them"
        if name in RESERVED:
            yield (
                f'attributes, "{name}"',
                "the name is taken: our own files have a column of this name",
                f'remove it, or choose another name, like "item_{name}"',
            )


def _successions(codebook: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    entries = {entry["code"]: entry for entry in codebook["codes"]}
    successors: dict[str, set[str]] = {}
    replaced: Counter[str] = Counter()
    for number, succession in enumerate(codebook.get("successions", []), 1):
        place, old, new = f"successions, entry {number}", succession["from"], succession["to"]
        for code in (code for code in old + new if code not in entries):
            yield (
                place,
                f'code "{code}" is not among the codes',
                "add it to codes (retired ones stay listed), or correct it",
            )
        if both := set(old) & set(new):
            yield (
                place,
                f'code "{min(both)}" would replace itself',
                "a code that stays needs no succession, remove it; a new code beside it is only listed",
            )
            continue
        if wrong := _arity(succession):
            yield place, *wrong
        replaced.update(old)
        for code in old:
            successors.setdefault(code, set()).update(new)
        yield from ((place, *what) for what in _dates(succession, entries))
    for code in (code for code, count in replaced.items() if count > 1):
        yield (
            f'successions, "{code}"',
            f"the code is replaced {replaced[code]} times",
            "keep one succession for each retired code; what follows later starts from the new code",
        )
    try:
        graphlib.TopologicalSorter(successors).prepare()
    except graphlib.CycleError as error:
        yield (
            "successions",
            "codes replace each other in a circle: " + " - ".join(reversed(error.args[1])),
            "remove the succession that points back to an older code",
        )


def _hard_texts(codebook: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """The code of each is listed, and no text is there twice: the second would have no name of its own."""
    codes = {entry["code"] for entry in codebook["codes"]}
    texts = codebook.get("hard_texts", [])
    seen: dict[str, int] = {}
    for number, (text, key) in enumerate(zip(texts, _text_keys(codebook["group"], texts), strict=True), 1):
        place = f"hard_texts, entry {number}"
        if text["code"] not in codes:
            yield place, f'code "{text["code"]}" is not among the codes', "correct it, or add it to codes"
        if not any(sign.isalpha() for sign in text["title"]):
            yield place, f"the title {_quoted(text['title'])} has no letter", "write the item's title"
        if (first := seen.setdefault(key, number)) != number:
            yield place, f"the text is that of entry {first}", "keep one of them"


def _text_keys(group: str, texts: Sequence[dict[str, str]]) -> list[str]:
    """What makes hard texts one: the normal form of title, brand and product type."""
    import pyarrow as pa

    from processing.dataset.text import TEXT_COLUMNS, text_keys

    columns = {name: pa.array([text.get(name) for text in texts], pa.string()) for name in TEXT_COLUMNS}
    found: list[str] = text_keys(group, pa.table(columns)).to_pylist()
    return found


def _same_as(codebook: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What one file says of other groups' codes; whether they are there is seen when it is published."""
    group, scheme = codebook["group"], scheme_of(codebook["group"])
    for entry in codebook["codes"]:
        if scheme in entry.get("references", {}) and "same_as" in entry:
            yield (
                f'codes, "{entry["code"]}"',
                f'share_by "{scheme}" would mean both same_as and the list of that name under references',
                "keep one of the two",
            )
        for name in entry.get("same_as", ()):
            other = name.partition(":")[0]
            if other == group or scheme_of(other) != scheme:
                which = "this very group" if other == group else f"another scheme than {scheme}"
                yield (
                    f'codes, "{entry["code"]}", same_as',
                    f'"{name}" is a code of {which}',
                    f'name codes of other groups of the scheme, like "XX-{scheme}:1"',
                )
    named: dict[str, list[dict[str, Any]]] = {}
    for entry in codebook["codes"]:
        for name in entry.get("same_as", ()):
            named.setdefault(name, []).append(entry)
    for name, entries in named.items():
        if together := [
            (one["code"], other["code"])
            for one, other in itertools.combinations(entries, 2)
            if max(one["valid_from"], other["valid_from"]) <= str(min(_end(one), _end(other)))
        ]:
            yield (
                f'codes, "{together[0][1]}", same_as',
                f'"{name}" stands at "{together[0][0]}" too, so nobody can tell which of them a row of it is',
                "name it at one code, or, where its items are of both, at none",
            )


def _policy(codebook: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    try:
        policy = Policy.parse(json.dumps(codebook.get("policy", {})))
    except ValueError as error:
        yield "policy", str(error).removeprefix("policy: "), "correct it, or leave it out for the default"
        return
    lists = {name for entry in codebook["codes"] for name in entry.get("references", {})}
    scheme = scheme_of(codebook["group"])
    if policy.share_by not in {NO_LIST, scheme, *lists}:
        known = f"there are {', '.join(sorted(lists))}" if lists else "no code has references"
        yield (
            "policy",
            f'share_by is "{policy.share_by}", but no code has references of that name ({known})',
            f'name a list under references, or the scheme ("{scheme}") to share by same_as, '
            "or leave share_by out to share nothing",
        )
    if policy.share_by != scheme and any("same_as" in entry for entry in codebook["codes"]):
        yield (
            "policy",
            f'codes have same_as, but share_by is "{policy.share_by}", so no row of another group is learned',
            f'write "policy": {{"share_by": "{scheme}"}}, or remove same_as',
        )


def _arity(succession: dict[str, Any]) -> tuple[str, str] | None:
    kind, old, new = succession["kind"], len(succession["from"]), len(succession["to"])
    counts = f"from has {counted(old, 'code')} and to has {counted(new, 'code')}"
    if kind == "renamed" and (old, new) != (1, 1):
        return f"renamed, but {counts}", "one code becomes one; use merged or split for the rest"
    if kind == "merged" and new != 1:
        return f"merged, but {counts}", "all codes of a merger become one"
    if kind == "split" and (old != 1 or new < 2):
        return (
            f"split, but {counts}",
            "one code becomes two or more; write one succession for each code that is split",
        )
    return None


def _dates(succession: dict[str, Any], entries: dict[str, dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """One code ends on the day before the other begins: no gap and no overlap."""
    day = date.fromisoformat(succession["date"])
    for entry in (entries[code] for code in succession["from"] if code in entries):
        if _end(entry) != day - ONE_DAY:
            yield (
                f'code "{entry["code"]}" is replaced on {day} but ends {entry["valid_to"] or "never"}',
                f'set its valid_to to "{day - ONE_DAY}", or correct the date',
            )
    for entry in (entries[code] for code in succession["to"] if code in entries):
        start = date.fromisoformat(entry["valid_from"])
        if not start <= day <= _end(entry):
            yield (
                f'code "{entry["code"]}" takes over on {day} but is not in force on that day',
                f'set its valid_from to "{day}", or correct the date',
            )
        elif succession["kind"] == "renamed" and start < day:
            yield (
                f'code "{entry["code"]}" was there before {day}, so this is not a new name',
                "write merged: the old code is absorbed by one that stays",
            )


def _end(entry: dict[str, Any]) -> date:
    return date.fromisoformat(entry["valid_to"]) if entry["valid_to"] else date.max
