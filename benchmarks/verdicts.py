"""How often the verdict is right: simulated years of comparisons between models whose difference is known.

    .venv/bin/python benchmarks/verdicts.py [--quick] [--json PATH] [--svg PATH]

A year is 60 model groups compared once a month, 720 comparisons. The groups differ in test rows (500 to
4,000), codes (6 to 40), evenness of the codes (Zipf exponent 0.3 to 1.2), accuracy and discordant rows (3 to
10 %). The same groups again with 30 to 500 rows, and models that label more or less without a person.
Everything is synthetic. Every verdict is made by processing/verdict/rule.py under the default policy;
the seed is fixed. Takes about 15 minutes of one core.

* on 2,000 rows, of which 6 % are discordant, with 40 codes.
--svg PATH draws the power over gain, rows and discordance, as in docs/verdicts.md.
"""

import json
import operator
import sys
import time
from collections import Counter
from itertools import product
from pathlib import Path

import numpy as np
from _alone import alone
from _pairs import Pair, alike, traded
from _power import picture
from _report import arguments, show
from scipy.stats import binomtest

from processing.policy import Policy
from processing.verdict.rule import decide

GROUPS, MONTHS = 60, 12
POINT = 0.01
COMPARE = {"<": operator.lt, "<=": operator.le, ">=": operator.ge}
AT_RARER_CODES_COST = "macro-F1 -1, accuracy +1"
SMALL = (30, 50, 100, 200, 300, 500)
SEED = 20_261_123  # not the one on which the rule's thresholds were chosen


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument(
        "--quick", action="store_true", help="a twentieth of the repetitions: to see that it runs"
    )
    parser.add_argument("--svg", type=Path, metavar="PATH", help="draw the power as a picture")
    options = parser.parse_args()
    less = 20 if options.quick else 1

    rates = [row for number in range(len(_kinds())) for row in _years(number, less)]
    rates += _on_2000_rows(500 // less)
    show("Verdicts, in % of the comparisons (95 %: of PROMOTE, exact)", [_short(row) for row in rates], None)
    small = [_small(number, less) for number in range(len(_small_kinds()))]
    rates += [row for row, _ in small]
    show(f"The same with {SMALL[0]} to {SMALL[-1]} test texts", [_short(row) for row, _ in small], None)
    by_size = [{"truth": row["truth"]} | cells for row, cells in small]
    show("Of these promoted, in %, by test texts", by_size, None)
    asked = [_asked(number, less) for number in range(len(KEPT))]
    show("Promotions that ask a person, in %, by test texts", asked, None)
    cells = _power(40 // less)
    show("Promoted, in % of the comparisons, by test rows (40 codes, Zipf 1)", _by_rows(cells), None)
    speed = _speed()
    show("One comparison (40 codes)", speed, None)
    if options.json:
        options.json.write_text(
            json.dumps(
                {"rates": rates, "small": by_size, "asked": asked, "power": cells, "speed": speed}, indent=1
            ),
            "utf-8",
        )
    if options.svg:
        options.svg.write_text(picture(cells), "utf-8")
    return 0 if options.quick or all(row["holds"] for row in rates) else 1


def _groups() -> list[tuple[int, dict]]:
    """60 model groups: test rows, and what their models and codes are like."""
    rng = np.random.default_rng(SEED)
    return [
        (
            int(rng.choice([500, 1_000, 2_000, 4_000])),
            {
                "n_codes": int(rng.choice([6, 12, 20, 40])),
                "zipf": rng.uniform(0.3, 1.2),
                "accuracy": rng.uniform(0.75, 0.9),
                "discordance": rng.choice([0.03, 0.06, 0.10]),
            },
        )
        for _ in range(GROUPS)
    ]


def _kinds() -> list[tuple]:
    """What is true, years, the pair of models, most rows of a text, target."""
    return [
        ("1 point worse", 2, lambda group: alike(**group, gain=-POINT), 1, "< 0.5"),
        (
            AT_RARER_CODES_COST,
            2,
            lambda group: traded(**group, gain=POINT, macro_gain=-POINT),
            1,
            "< 0.5",
        ),
        (
            "accuracy -1, macro-F1 +1",
            2,
            lambda group: traded(**group, gain=-POINT, macro_gain=POINT),
            1,
            "< 0.5",
        ),
        ("equal", 2, lambda group: alike(**group, gain=0), 1, "<= 2"),
        ("equal, texts on 1-5 rows", 2, lambda group: alike(**group, gain=0), 5, "<= 2"),
        ("2 points better", 1, lambda group: alike(**group, gain=2 * POINT), 1, ""),
    ]


def _years(number: int, less: int) -> list[dict]:
    """All groups over some years, for one kind of difference."""
    kind, years, build, most_copies, target = _kinds()[number]
    rng = np.random.default_rng([SEED, number])
    pairs = [(rows, pair) for rows, group in _groups() if (pair := build(group))]
    verdicts = [
        (rows, _verdict(rng, pair, rows, most_copies))
        for _ in range(max(1, years * MONTHS // less))
        for rows, pair in pairs
    ]
    made = [_row(kind, [verdict for _, verdict in verdicts], target)]
    if kind == AT_RARER_CODES_COST:
        # How well that is seen depends on the rows these have.
        for size in (500, 1_000):
            of_size = [verdict for rows, verdict in verdicts if rows == size]
            made.append(_row(f"- of these with {size:,} rows", of_size, ""))
    return made


def _small_kinds() -> list[tuple]:
    """What is true, times that each group is compared, the pair of models, target."""
    return [
        ("1 point worse", 12, lambda group: alike(**group, gain=-POINT), "< 0.5"),
        ("equal", 12, lambda group: alike(**group, gain=0), "<= 2"),
        (AT_RARER_CODES_COST, 24, lambda group: traded(**group, gain=POINT, macro_gain=-POINT), "< 0.5"),
        (
            "accuracy -1, macro-F1 +1",
            12,
            lambda group: traded(**group, gain=-POINT, macro_gain=POINT),
            "< 0.5",
        ),
        ("2 points better", 6, lambda group: alike(**group, gain=2 * POINT), ""),
        ("5 points better", 6, lambda group: alike(**group, gain=5 * POINT), ""),
        ("10 points better", 6, lambda group: alike(**group, gain=10 * POINT), ""),
    ]


def _small(number: int, less: int) -> tuple[dict, dict]:
    """All groups with each of the SMALL numbers of texts: the rates over all, and the promoted by number."""
    kind, times, build, target = _small_kinds()[number]
    pairs = [pair for _, group in _groups() if (pair := build(group))]
    verdicts = {}
    for texts in SMALL:
        rng = np.random.default_rng([SEED, 300, number, texts])
        verdicts[texts] = [_verdict(rng, pair, texts) for _ in range(max(1, times // less)) for pair in pairs]
    cells = {
        f"{texts}": round(100 * made.count("PROMOTE") / len(made), 2) for texts, made in verdicts.items()
    }
    return _row(kind, [verdict for made in verdicts.values() for verdict in made], target), cells


#: What the winner and the challenger label without a person: share of the rows, share of right ones of it.
KEPT = {
    "as much": ((0.6, 0.985), (0.6, 0.985)),
    "5 points less": ((0.6, 0.985), (0.55, 0.985)),
    "10 points less": ((0.6, 0.985), (0.5, 0.985)),
    "20 points less": ((0.6, 0.985), (0.4, 0.985)),
    "nothing": ((0.45, 0.985), (0, 0.985)),
    "as much, 93 % of it right": ((0.6, 0.985), (0.6, 0.93)),
    "nothing, the winner's 93 % right": ((0.6, 0.93), (0, 0.985)),
}


def _asked(number: int, less: int) -> dict:
    """Share of the promotions that need a person, for one of KEPT, by test texts."""
    kind, ((before, right_before), (after, right_after)) = list(KEPT.items())[number]
    pair = alike(n_codes=12, zipf=1, accuracy=0.8, discordance=0.16, gain=0.12)
    made: dict = {"challenger labels": kind}
    for texts in (100, 300, 1_000, 3_000):
        rng = np.random.default_rng([SEED, 400, number, texts])
        promoted = []
        for _ in range(200 // less):
            truth, challenger, winner = pair.draw(rng, texts)
            right = (challenger == truth, winner == truth)
            masks = alone(rng, right, (after, before), (right_after, right_before))
            # The intervals are not asked about here.
            policy = Policy(min_rows=texts + 1)
            verdict = decide(truth, challenger, winner, np.arange(texts), policy, alone=masks)
            if verdict.verdict == "PROMOTE":
                promoted.append(verdict.asks)
        made[f"{texts:,}"] = round(100 * sum(promoted) / max(1, len(promoted)), 1)
    return made


def _on_2000_rows(repeats) -> list[dict]:
    """Two points better on 2,000 rows with 6 % of the rows discordant, for ever less even codes."""
    made = []
    for zipf, target in {0: ">= 85", 0.5: ">= 85", 1: ">= 85", 1.5: ""}.items():
        rng = np.random.default_rng([SEED, 100, int(10 * zipf)])
        pair = alike(n_codes=40, zipf=zipf, accuracy=0.85, discordance=0.06, gain=2 * POINT)
        verdicts = [_verdict(rng, pair, 2_000) for _ in range(repeats)]
        made.append(_row(f"2 points better*, Zipf {zipf}", verdicts, target))
    return made


def _power(repeats) -> list[dict]:
    """Share promoted for each discordance, gain and number of rows."""
    made = []
    rng = np.random.default_rng([SEED, 200])
    for percent, points in product((3, 6, 12), (0.5, 1, 2, 3)):
        pair = alike(n_codes=40, zipf=1, accuracy=0.85, discordance=percent / 100, gain=points / 100)
        for rows in (500, 1_000, 2_000, 4_000, 8_000):
            verdicts = [_verdict(rng, pair, rows) for _ in range(max(2, repeats * 2_000 // max(rows, 2_000)))]
            promoted = 100 * verdicts.count("PROMOTE") / len(verdicts)
            made.append(
                {"discordant %": percent, "gain, points": points, "rows": rows, "promoted %": promoted}
            )
    return made


def _by_rows(cells) -> list[dict]:
    """One row for each discordance and gain, one column for each number of rows."""
    made = {}
    for cell in cells:
        discordant, gain, rows, promoted = cell.values()
        row = made.setdefault((discordant, gain), {"discordant %": discordant, "gain, points": gain})
        row[f"{rows:,} rows"] = round(promoted)
    return list(made.values())


def _speed() -> list[dict]:
    rng = np.random.default_rng(SEED)
    pair = alike(n_codes=40, zipf=1, accuracy=0.85, discordance=0.06, gain=0.02)
    made = []
    for rows in (2_000, 20_000, 200_000):
        labels, text = pair.draw(rng, rows), np.arange(rows)
        start = time.process_time()
        decide(*labels, text, Policy())
        made.append({"rows": rows, "processor seconds": time.process_time() - start})
    return made


def _verdict(rng, pair: Pair, texts: int, most_copies: int = 1) -> str:
    """The verdict on `texts` distinct texts, each on one to `most_copies` rows."""
    text = np.repeat(np.arange(texts), rng.integers(1, most_copies + 1, texts))
    labels = (each[text] for each in pair.draw(rng, texts))
    return decide(*labels, text, Policy()).verdict


def _row(kind: str, verdicts: list[str], target: str) -> dict:
    """Shares of the verdicts in percent; `target` is of the share promoted, such as '< 0.5'."""
    count = Counter(verdicts)
    interval = binomtest(count["PROMOTE"], len(verdicts)).proportion_ci()
    promoted = 100 * count["PROMOTE"] / len(verdicts)
    sign, _, limit = target.partition(" ")
    return {
        "truth": kind,
        "n": len(verdicts),
        "PROMOTE": round(promoted, 2),
        "low": round(100 * interval.low, 2),
        "high": round(100 * interval.high, 2),
        **{name: round(100 * count[name] / len(verdicts), 1) for name in ("KEEP", "UNDECIDED", "REJECT")},
        "target": target,
        "holds": not target or COMPARE[sign](promoted, float(limit)),
    }


def _short(row: dict) -> dict:
    """A row of rates for eighty columns."""
    shown = {name: row[name] for name in ("truth", "n", "PROMOTE")} | {"95 %": f"{row['low']}-{row['high']}"}
    others = {"KEEP": row["KEEP"], "UNDEC.": row["UNDECIDED"], "REJECT": row["REJECT"]}
    return shown | others | {"target": row["target"] and row["target"] + ("" if row["holds"] else " MISSED")}


if __name__ == "__main__":
    sys.exit(main())
