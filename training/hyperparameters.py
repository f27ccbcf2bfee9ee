"""The hyperparameters of one trial, as SageMaker passes them: command-line arguments."""

import argparse


def parser(description: str) -> argparse.ArgumentParser:
    """What a trial and the final training have in common."""
    arguments = argparse.ArgumentParser(description=description, allow_abbrev=False)
    arguments.add_argument("--family", choices=("linear", "boosted"), default="linear", help="the candidate")
    arguments.add_argument(
        "-C", dest="c", type=float, default=0.5, help="inverse regularisation, 0.05 to 4, log scale"
    )
    arguments.add_argument("--min_df", type=int, default=1, help="rows a feature must occur in, 1 or 2")
    arguments.add_argument(
        "--word_weight", type=float, default=1.0, help="weight of words against n-grams, 0.5 to 2"
    )
    return arguments
