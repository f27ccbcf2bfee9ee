"""The hyperparameters of one trial, as SageMaker passes them: command-line arguments; and good starts."""

import argparse
from argparse import Namespace

# Chosen on eight sets with true labels and with a fifth of them shuffled (docs/classifier.md): rows that are
# hard or wrongly labelled want the smaller C, others the larger; sentences want less of their first word.
STARTS = (
    {"c": 0.12, "min_df": 1, "word_weight": 1.2, "first_word_weight": 0.5},
    {"c": 0.5, "min_df": 1, "word_weight": 1.0, "first_word_weight": 0.7},
    {"c": 0.5, "min_df": 1, "word_weight": 1.0, "first_word_weight": 0.35},
)


def parser(description: str) -> argparse.ArgumentParser:
    """What a trial and the final training have in common."""
    arguments = argparse.ArgumentParser(description=description, allow_abbrev=False)
    arguments.add_argument("--family", choices=("linear", "boosted"), default="linear", help="the candidate")
    arguments.add_argument(
        "-C", dest="c", type=float, default=0.5, help="inverse regularisation, 0.06 to 2, log scale"
    )
    arguments.add_argument("--min_df", type=int, default=1, help="rows a feature must occur in, 1 or 2")
    arguments.add_argument(
        "--word_weight", type=float, default=1.0, help="weight of words against n-grams, 0.5 to 2"
    )
    arguments.add_argument(
        "--first_word_weight",
        type=float,
        default=0.7,
        help="weight of the first word and its n-grams against all, 0.1 to 1.3",
    )
    return arguments


def starts(options: Namespace) -> list[Namespace]:
    """Settings that any search has to beat: `options` with the values of each of STARTS, linear."""
    return [Namespace(**vars(options) | start | {"family": "linear"}) for start in STARTS]
