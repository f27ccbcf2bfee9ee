"""Arguments that several commands take, checked before anything is asked of AWS."""

import argparse
import re
from datetime import UTC, datetime, timedelta

from pipelines import names

#: Where a month begins first: UTC+14.
FIRST_ZONE = timedelta(hours=14)


def group(text: str) -> str:
    """A model group's name. Raises argparse.ArgumentTypeError."""
    if not re.fullmatch(names.GROUP_PATTERN, text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a model group. Fix: write it like DE-weee: country in capitals, dash, scheme"
        )
    return text


def period(text: str) -> str:
    """A month that has begun. Raises argparse.ArgumentTypeError."""
    if not re.fullmatch(names.PERIOD_PATTERN, text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a month. Fix: write it like 2026-10")
    if text > f"{datetime.now(UTC) + FIRST_ZONE:%Y-%m}":
        raise argparse.ArgumentTypeError(f"{text} has not begun. Fix: name this month or an earlier one")
    return text


def add_group_and_period(parser: argparse.ArgumentParser) -> None:
    """Give the parser GROUP and PERIOD: the month of a group that a command is on."""
    parser.add_argument("group", type=group, metavar="GROUP", help="a model group, such as DE-weee")
    parser.add_argument("period", type=period, metavar="PERIOD", help="such as 2026-10")
