"""The parser of the command line: help in whole words, and one sentence on what cannot be understood."""

import argparse
import re
import textwrap
from itertools import groupby
from typing import Any, NoReturn

#: A word of a command line; what is in quotes stays together.
_WORD = re.compile(r""" (?: "[^"]*" | '[^']*' | [^\s"'] | ["'] )+ """, re.VERBOSE)


class _Whole(argparse.HelpFormatter):
    """Keeps words such as `DE-weee-training-2026-10-0f3a9c21d4e5` whole, so that they can be copied."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        return textwrap.wrap(" ".join(text.split()), width, break_long_words=False, break_on_hyphens=False)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in self._split_lines(text, width - len(indent)))


class _WholeWithExamples(argparse.RawDescriptionHelpFormatter, _Whole):
    """The same for paragraphs; indented lines stay lines, a long one goes on in the next as shells allow."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        filled: list[str] = []
        for is_prose, lines in groupby(text.splitlines(), lambda line: bool(re.match(r"\S.*[^:]$", line))):
            if is_prose:
                filled += self._split_lines(" ".join(lines), width)
            else:
                filled += [part for line in lines for part in _command(line, width)]
        return "\n".join(filled)


def _command(line: str, width: int) -> list[str]:
    """The line, or several of at most `width` columns that a shell reads as one."""
    parts = [line[: len(line) - len(line.lstrip())]]
    for number, word in enumerate(_WORD.findall(line)):
        if number and len(parts[-1]) + len(word) + len(" \\") >= width:
            parts[-1] += " \\"
            parts.append(" " * 6 + word)
        else:
            parts[-1] += (" " if number else "") + word
    return parts if len(line) > width else [line]


class Parser(argparse.ArgumentParser):
    """An ArgumentParser with such help; the parsers of its subcommands are of this class as well."""

    def __init__(self, *, formatter_class: Any = argparse.HelpFormatter, **further: Any) -> None:
        raw = issubclass(formatter_class, argparse.RawDescriptionHelpFormatter)
        super().__init__(formatter_class=_WholeWithExamples if raw else _Whole, **further)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does, but what is left over is refused here: by the command it was given to."""
        found, left = super().parse_known_args(args, namespace)
        if left:
            self.error(f"unrecognized arguments: {' '.join(left)}")
        return found, left

    def error(self, message: str) -> NoReturn:
        """End with exit code 2, what is wrong and, unless the message has one, a next step."""
        fix = "" if "Fix: " in message else f". Fix: see {self.prog} --help"
        self.exit(2, f"{self.prog}: {message}{fix}\n")
