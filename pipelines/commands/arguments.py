"""Arguments that several commands take, checked before anything is asked of AWS."""

import argparse
import re

from pipelines import names


def group(text: str) -> str:
    """A model group's name. Raises argparse.ArgumentTypeError."""
    if not re.fullmatch(names.GROUP_PATTERN, text):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a model group. Fix: write it like DE-weee: country in capitals, dash, scheme"
        )
    return text


def period(text: str) -> str:
    """A month. Raises argparse.ArgumentTypeError."""
    if not re.fullmatch(names.PERIOD_PATTERN, text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a month. Fix: write it like 2026-10")
    return text
