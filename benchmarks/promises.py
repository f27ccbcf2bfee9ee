"""How often labels keep what a policy promises: simulated groups whose truth is known, and real splits.

    .venv/bin/python benchmarks/promises.py [--data openrepair.csv.gz] [--quick] [--json PATH]

Simulated: groups of 150 to 2,000 rows and 0.85 to 0.99 accuracy, eight codes of very different size and
difficulty; the confidence is true, and sharp or blunt. A promise is broken when new items of the group would
fall short of it. "Best of all" is the rule before code_precision: the lowest of all thresholds whose bound
holds, of labels without a person.

Real, with --data: out-of-fold answers for countries of Open Repair, for small draws, and for a group of which
one code has 95 %. Twenty times half of the texts set the thresholds and the others measure them. These are a
sample, too: a promise that is kept exactly at its limit falls short in half of them. So "refuted" counts the
splits in which that is no chance (bound of 5 %). About half an hour of one core.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from _accuracy import some
from _items import OPTIONS, as_given, as_table, read
from _report import arguments, show
from scipy.stats import binomtest

from processing.labels.without_person import RISK
from processing.policy import AUTOMATIC, MONTH
from training import confidence, fitting, train
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
SPLITS = 20
COUNTRIES = ("DEU", "GBR", "NLD")
DRAWS = (300, 1000, 3000)
ENOUGH = 20


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--data", type=Path, help="Open Repair, as CSV")
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the repetitions: to see that it runs"
    )
    options = parser.parse_args()
    rows = [row for size in SIZES for row in simulated(size, 10 if options.quick else 100)]
    show("Simulated: per cent of the groups", rows, options.json)
    if options.data:
        found = [row for name, given in real_sets(options.data) for row in measured(name, given)]
        json_path = options.json and options.json.with_suffix(".real.json")
        show(f"Real: {SPLITS} splits by text", found, json_path)
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


def real_sets(path: Path):
    """Countries of Open Repair and small draws from all, as training sets."""
    items = read(path)
    for name in COUNTRIES:
        its = items[items["country"] == name]
        yield name, as_given(as_table(its.sample(min(len(its), 4000), random_state=0)))
    for size in DRAWS:
        yield f"{size:,} rows", as_given(as_table(items.sample(size, random_state=size)))
    sizes = items["product_category"].value_counts().index
    common = items[items["product_category"] == sizes[0]].sample(4750, random_state=0)
    rare = items[items["product_category"].isin(sizes[6:14])].sample(250, random_state=0)
    yield "one code of 95 %", as_given(as_table(pd.concat([common, rare])))


def measured(name: str, given) -> list[dict]:
    """For each rule: in how many splits the promise held, for the group and for the codes, and coverage."""
    margins, known_share = fitting.out_of_fold(given, OPTIONS)
    found: dict[str, list] = {rule: [] for rule in RULES}
    for seed in range(SPLITS):
        other = np.random.default_rng(seed).permutation(given.text.max() + 1)[given.text] % 2 == 0
        learned, rows = train.calibrated(some(given, ~other), margins[~other], known_share[~other])
        codes, best = confidence.best_codes(margins[other])
        n_words = np.asarray(given.features.words[other].sum(axis=1)).ravel()
        inputs = confidence.signals(margins[other], codes, best, known_share[other], n_words)
        sure = learned.of(inputs, codes.shape[1])[:, 0]
        new = Rows(sure, codes[:, 0], given.labels[other], given.text[other])
        for rule in RULES:
            alone = without_person(new, chosen(rows, rule, len(given.codes)))
            found[rule].append(kept(new, alone, rule))
    made = []
    for rule, each in found.items():
        released, held, refuted, share, right, taken, codes, broken_codes = np.array(each, float).T
        low, high = binomtest(int(held.sum()), SPLITS).proportion_ci(method="exact")
        made.append(
            {
                "set": name,
                "rows": len(given.labels),
                "rule": rule,
                "lets through": int(released.sum()),
                "kept in": int(held.sum()),
                "95 % interval": f"{SPLITS * low:.0f} to {SPLITS * high:.0f}",
                "refuted in": int(refuted.sum()),
                "coverage": 100 * share.mean(),
                "right": 100 * np.nanmean(right) if released.any() else float("nan"),
                "others' items": 100 * taken.mean(),
                "codes seen": int(codes.sum()),
                "of these refuted": int(broken_codes.sum()),
            }
        )
    return made


def kept(new: Rows, alone: np.ndarray, rule: str) -> tuple[float, ...]:
    """Let through, kept, refuted; shares; codes with ENOUGH rows, and those refuted.

    The shares are of what is let through, of what of it is right, and of other codes' items that so get the
    commonest code.
    """
    if not alone.any():
        return 0, 1, 0, 0, np.nan, 0, 0, 0
    right = new.right[alone] if rule != MONTH else new.right | ~alone
    text = new.text[alone] if rule != MONTH else new.text
    common = np.bincount(new.label).argmax()
    taken = (alone & ~new.right & (new.code == common)).sum() / (new.label != common).sum()
    codes = [code for code, n in enumerate(np.bincount(new.code[alone])) if n >= ENOUGH]
    broken = [code for code in codes if at_most(new, alone & (new.code == code)) < FLOOR]
    refuted = 1 - at_least(~right, text, RISK) < PRECISION
    return (
        1,
        right.mean() >= PRECISION,
        refuted,
        alone.mean(),
        new.right[alone].mean(),
        taken,
        len(codes),
        len(broken),
    )


def at_most(new: Rows, which: np.ndarray) -> float:
    """An upper bound of the share of right rows among these."""
    return 1 - at_least(~new.right[which], new.text[which], RISK)


if __name__ == "__main__":
    raise SystemExit(main())
