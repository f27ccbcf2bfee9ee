"""`labelmill explain`: why a text gets its code, from a group's winner or another of its models."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.commands.arguments import group
from pipelines.commands.ledger_access import open_ledger
from pipelines.commands.shared import Subparsers, add_stack, guarded

if TYPE_CHECKING:
    from inference.explain import Explanation
    from training.model import Model

SHOWN = 20
EPILOG = """\
Each line says how far a word, a pair of words or an attribute moved the item from the second code towards the
first; below zero it speaks for the second.

Examples:
  labelmill explain DE-weee "Wasserkocher Edelstahl 1,7 l"
  labelmill explain DE-weee "Wasserkocher" --brand Nordwind --attribute weight_kg=1.4 --json
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `explain` to the command line."""
    parser = subparsers.add_parser(
        "explain",
        description="Label one item and say why (docs/classifier.md).",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("group", type=group, metavar="GROUP", help="a model group, such as DE-weee")
    parser.add_argument("title", type=_text, metavar="TEXT", help="the item's title")
    parser.add_argument("--brand", metavar="TEXT")
    parser.add_argument("--product-type", metavar="TEXT")
    parser.add_argument(
        "--attribute",
        action="append",
        type=_pair,
        default=[],
        metavar="NAME=VALUE",
        help="an attribute of the group's codebook; may be given several times",
    )
    parser.add_argument("--model", metavar="MODEL", help="a model of the group (default: its winner)")
    parser.add_argument("--json", action="store_true", help="print it as JSON, with every reason")
    add_stack(parser)
    parser.set_defaults(run=guarded(_run))


def _text(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty. Fix: write the item's title, in quotes")
    return text


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text} says no value. Fix: write it like weight_kg=1.4")
    return name, value


def _run(args: argparse.Namespace) -> int:
    import boto3

    from pipelines.ledger import artefact, reading

    found = reading.read(*open_ledger(args.stack), args.group)
    name, item = reading.model_or_winner(found, args.model)
    # What labels takes seconds to load: whoever is refused does not wait for it.
    from inference.explain import explain
    from inference.predict import Labeller
    from training import model as models

    fields = dict(args.attribute) | {"title": args.title}
    fields |= {"brand": args.brand, "product_type": args.product_type}
    with tempfile.TemporaryDirectory() as folder:
        artefact.fetch(
            boto3.client("s3"), item["artefact"], item["artefact_digest"], models.FILES, Path(folder)
        )
        try:
            model = models.load(Path(folder))
            explained = explain(Labeller(model), fields)
        except ValueError as error:
            print(error, file=sys.stderr)
            return 1
    if args.json:
        about = {"model": name, "codebook_version": model.codebook_version}
        answer = about | {"threshold": model.threshold_of(explained.code)} | asdict(explained)
        print(json.dumps(answer, indent=2, ensure_ascii=False))
    else:
        print(_in_words(name, model, explained))
    return 0


def _in_words(name: str, model: Model, explained: Explanation) -> str:
    first, second = explained.code, explained.second_code
    verdict = "needs review" if explained.review else "no review needed"
    threshold = model.threshold_of(first)
    width = max(len(first), len(second))
    lines = [
        f"{name}, codebook {model.codebook_version}",
        f"  {first:<{width}}  {explained.confidence:.4f}  {verdict}, the threshold is {threshold:.4f}",
        f"  {second:<{width}}  {explained.second_confidence:.4f}",
        f"For {first} (+) or for {second} (-):",
    ]
    for reason in explained.reasons[:SHOWN]:
        unknown = "" if reason.known else "  (not in the training rows)"
        lines.append(f"  {reason.weight:+.3f}  {reason.kind:<9}  {reason.text}{unknown}")
    if len(explained.reasons) > SHOWN:
        rest = sum(reason.weight for reason in explained.reasons[SHOWN:])
        lines.append(f"  {rest:+.3f}  {len(explained.reasons) - SHOWN} weaker ones (--json shows them)")
    lines.append(f"  {explained.bias:+.3f}  without any text: the codes' constants")
    if model.booster is not None:
        lines.append("This model also has trees, which have no such terms; only the linear part is shown.")
    return "\n".join(lines)
