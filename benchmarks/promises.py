"""How often labels keep what a policy promises: simulated groups whose truth is known, and real splits.

    .venv/bin/python benchmarks/promises.py [--data openrepair.csv.gz] [--set NAME=FILE.csv]
        [--simulate] [--quick] [--json PATH]

Simulated: groups of 150 to 2,000 rows and 0.85 to 0.99 accuracy, eight codes of very different size and
difficulty; the confidence is true, and sharp or blunt. A promise is broken when new items of the group would
fall short of it. "Best of all" is the rule before code_precision: the lowest of all thresholds whose bound
holds, of labels without a person.

Real: twenty draws of rows learn, others of the set measure, at most MOST. "Short" counts the draws in which
less of what is accepted is right than promised: where few measure, a promise that is met exactly at its limit
is short in half of them. So "refuted" counts those that are no chance (bound of 5 %), and "right" is the
share in all draws together.
"""

from unittest.mock import patch

import numpy as np
import pandas as pd
import pyarrow as pa
from _items import BOOK, OPTIONS, note
from _people import canonical, given_rows
from _report import arguments, show
from people import add_sets, sets

from inference.predict import Labeller
from processing.policy import AUTOMATIC, MONTH
from training import fitting, train
from training.thresholds import NEVER, Promise, Rows, at_least, by_code, without_person

SIZES = (150, 300, 600, 999, 2000)
ACCURACIES = (0.85, 0.88, 0.91, 0.94, 0.97, 0.99)
SHARPNESS = (
    4,
    12,
    40,
)  # the sum of the beta distribution's parameters: the higher, the less confidences differ
SHARES = np.array([0.5, 0.2, 0.1, 0.08, 0.05, 0.04, 0.02, 0.01])
PRECISION, FLOOR = 0.98, 0.8
BEST = "best of all"
RULES = (BEST, AUTOMATIC, MONTH)
PRECISIONS = (0.98, 0.95, 0.9)
DRAWS = 20
LEARNED = {"GBR": 800, "USA": 1000, "BEL": 1700, "NLD": 2000}  # rows
MOST = 8000  # rows that measure
ENOUGH = 20  # accepted ones of a code


def main() -> int:
    parser = arguments(__doc__)
    add_sets(parser)
    parser.add_argument("--simulate", action="store_true", help="simulated groups, too")
    options = parser.parse_args()
    if options.simulate:
        rows = [row for size in SIZES for row in simulated(size, 10 if options.quick else 100)]
        show("Simulated: per cent of the groups", rows, options.json)
    times, given = 4 if options.quick else DRAWS, sets(options)
    wanted = {**LEARNED, **{each.partition("=")[0]: 2000 for each in options.set}}
    found = [
        row
        for name, size in wanted.items()
        if name in given
        for row in measured(name, given[name], size, times)
    ]
    if found:
        show("Real", found, options.json and options.json.with_suffix(".real.json"))
    return 0


def simulated(size: int, times: int) -> list[dict]:
    """For each rule: how often something is let through, how often that breaks the promise, and coverage."""
    rng = np.random.default_rng(size)
    found: dict[str, list] = {rule: [] for rule in RULES}
    for accuracy in ACCURACIES:
        for blunt in SHARPNESS:
            new = drawn(rng, 20_000, accuracy, blunt)
            for _ in range(times):
                rows = drawn(rng, size, accuracy, blunt)
                for rule in RULES:
                    alone = without_person(new, chosen(rows, rule, len(SHARES)))
                    found[rule].append((accuracy, *truth(new, alone, rule)))
    made = []
    for rule, each in found.items():
        accuracy, released, broken, share, codes, broken_codes = np.array(each, float).T
        cells = [accuracy == value for value in ACCURACIES]
        often = [cell for cell in cells if released[cell].mean() >= 0.02]
        made.append(
            {
                "rows": size,
                "rule": rule,
                "something without a person": 100 * released.mean(),
                "of these broken": 100 * broken.sum() / max(released.sum(), 1),
                "worst accuracy": 100 * max((broken[c].sum() / released[c].sum() for c in often), default=0),
                "of all broken, worst": 100 * max(broken[cell].mean() for cell in cells),
                "coverage": 100 * share.mean(),
                "codes below their floor": 100 * broken_codes.sum() / max(codes.sum(), 1),
            }
        )
    return made


def drawn(rng: np.random.Generator, size: int, accuracy: float, blunt: float) -> Rows:
    """Rows of a group; the confidence is the chance to be right."""
    code = rng.choice(len(SHARES), size, p=SHARES)
    wrong = (1 - accuracy) * np.array([0.6, 0.9, 1.3, 1.6, 1.8, 1.8, 2.0, 2.5])[code]
    sure = rng.beta(blunt * (1 - wrong), blunt * wrong)
    other = rng.choice(len(SHARES), size, p=SHARES)
    # What is wrong is of another code, the more common the more often.
    other = np.where(other == code, (code + 1) % len(SHARES), other)
    return Rows(sure, code, np.where(rng.random(size) < sure, code, other), np.arange(size))


def chosen(rows: Rows, rule: str, n_codes: int) -> np.ndarray:
    """A rule's thresholds by code."""
    if rule == BEST:
        return np.full(n_codes, best_of_all(rows))
    return by_code(rows, Promise(rule, PRECISION, FLOOR, np.zeros(n_codes, bool)))


def best_of_all(rows: Rows) -> float:
    """The lowest threshold of a hundred from which on the bound holds."""
    for threshold in np.quantile(rows.sure, np.arange(100) / 100):
        above = rows.sure >= threshold
        if at_least(rows.right[above], rows.text[above]) >= PRECISION:
            return float(threshold)
    return NEVER


def truth(new: Rows, alone: np.ndarray, rule: str) -> tuple[float, ...]:
    """Whether something is let through, whether that breaks the promise, its share; codes, broken ones."""
    if not alone.any():
        return 0, 0, 0, 0, 0
    chance = new.sure
    right = chance[alone].mean() if rule != MONTH else 1 - (1 - chance)[alone].sum() / len(chance)
    n = np.bincount(new.code[alone])
    floors = np.bincount(new.code[alone], chance[alone])[n > 0] / n[n > 0]
    return 1, right < PRECISION, alone.mean(), len(floors), (floors < FLOOR).sum()


def measured(name: str, rows: pd.DataFrame, size: int, times: int) -> list[dict]:
    """For each precision: how often something is let through, what falls short, and coverage."""
    table, found = canonical(rows), []
    for seed in range(times):
        learned, new, n_codes = drawn_from(table, size, seed)
        for precision in PRECISIONS:
            promised = Promise(AUTOMATIC, precision, FLOOR, np.zeros(n_codes, bool))
            alone = without_person(new, by_code(learned, promised))
            found.append((precision, *kept(new, alone, promised)))
    names = ("lets through", "short", "refuted", "coverage", "accepted", "right", "codes seen", "codes below")
    each = pd.DataFrame(found, columns=["precision", *names]).groupby("precision", sort=False)
    made = each.sum().assign(coverage=100 * each["coverage"].mean()).reset_index()
    made["right"] *= 100 / made["accepted"].clip(1)
    note(made.to_string())
    return [{"set": name, "learned": size, "draws": times, **row} for row in made.to_dict("records")]


def drawn_from(table: pa.Table, size: int, seed: int) -> tuple[Rows, Rows, int]:
    """Rows of about `size` that learn, out of fold; what the model says of others; how many codes it has."""
    text = np.unique(table["text_key"].to_pylist(), return_inverse=True)[1]
    place = np.random.default_rng(seed).permutation(text.max() + 1)[text]
    order = np.argsort(place, kind="stable")
    learn = place < place[order[size]]
    new = np.flatnonzero(~learn)[np.argsort(place[~learn], kind="stable")][:MOST]
    given = given_rows(table.filter(pa.array(learn)), seed)
    margins, known_share = fitting.out_of_fold(given, OPTIONS)
    with patch.object(train, "best_setting", return_value=(OPTIONS, margins, known_share)):
        model, _ = train.train(given, BOOK, OPTIONS)
    answers = Labeller(model).label(table.take(pa.array(new)))
    number = {code: n for n, code in enumerate(model.codes)}
    truth = np.array([number.get(code, -1) for code in table["label"].take(pa.array(new)).to_pylist()])
    rows = Rows(answers.confidence[:, 0], answers.codes[:, 0], truth, text[new])
    return train.calibrated(given, margins, known_share)[1], rows, len(model.codes)


def kept(new: Rows, alone: np.ndarray, promised: Promise) -> tuple[float, ...]:
    """Let through, short, refuted; share; accepted and right rows; codes with ENOUGH rows, those below."""
    right = new.right[alone]
    short = alone.any() and right.mean() < promised.precision
    refuted = short and 1 - at_least(~right, new.text[alone]) < promised.precision
    n = np.bincount(new.code[alone], minlength=1)
    of_code = np.bincount(new.code[alone], right, minlength=1)
    below = (n >= ENOUGH) & (of_code < promised.floor * n)
    return (
        alone.any(),
        short,
        refuted,
        alone.mean(),
        len(right),
        right.sum(),
        (n >= ENOUGH).sum(),
        below.sum(),
    )


if __name__ == "__main__":
    raise SystemExit(main())
