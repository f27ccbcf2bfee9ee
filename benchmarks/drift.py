"""How often a year without drift rings, and how soon one with drift does: simulated, with the real checks.

    .venv/bin/python benchmarks/drift.py [--years 2000] [--json PATH]

A year is ten model groups of 30 to 3,000 items a month, twelve months after the first. Without drift their
shares and mixes move from month to month, beyond sampling: shares by a normal amount on the scale of
arcsin(sqrt), `month to month` times what processing/month/drift.py allows for; mixes as a Dirichlet
distribution does. Models change twice a year, and each is tested on 10 to 300 new texts a month. With drift,
a group's review share goes from 10 to 55 % over seven months. The seed is fixed. Takes five minutes of one
core.
"""

import json

import numpy as np
from _report import arguments, show

from processing.labels.reliability import Record
from processing.month import drift, moves
from processing.month.attention import RISES, with_attention

GROUPS, MONTHS = 10, 12
SEED = 20_261_130
SLOW = (0.10, 0.175, 0.25, 0.325, 0.40, 0.475, 0.55)
CONFIDENCE = (0.01, 0.02, 0.03, 0.06, 0.10, 0.18, 0.25, 0.35)


class Group:
    """A model group's months, one after the other, through the checks that Publish makes."""

    def __init__(self, rng: np.random.Generator, items: int, restless: float, review: float | None = None):
        self.rng, self.items, self.restless = rng, items, restless
        self.shares = {
            "review": rng.uniform(0.02, 0.5) if review is None else review,
            "unseen_words": rng.uniform(0.02, 0.2),
            "rejected": rng.uniform(0, 0.005),
        }
        self.codes = rng.dirichlet(np.full(rng.integers(4, 30), 0.7))
        self.confidence = np.array([0.97, 0.985, 0.9925, 0.997])
        self.labelled = int(rng.integers(10, 300))
        self.tested = np.zeros((2, 0))
        self.history: list[dict] = []
        self.model = 1

    def month(self, changes: dict[str, float] = {}) -> dict:  # noqa: B006 (read only)
        """The summary of the next month, with other shares in it than before where `changes` says so."""
        self.shares |= changes
        number = len(self.history)
        if number in (5, 9) and not changes:
            self._new_model()
        shares = {name: self._share(name, share) for name, share in self.shares.items()}
        codes = self.rng.multinomial(self.items, self._mix(self.codes))
        own = {
            "period": f"{2026 + number // 12}-{number % 12 + 1:02}",
            "model": f"m{self.model}",
            "rows": self.items,
            "items": self.items,
            **shares,
            "codes": {str(code): int(count) for code, count in enumerate(codes)},
            "confidence": self.rng.multinomial(self.items, self._mix(np.array(CONFIDENCE))).tolist(),
            "standing": {},
        }
        known = self.history[-12:]
        summary = with_attention(self._summary(own, known))
        self.history = summary["history"]
        return summary

    def _summary(self, own: dict, known: list[dict]) -> dict:
        plan = {"automatic": 1, "needed": 0, "without_code": 0, "let_through": 0, "wanted_precision": 0.98}
        return {
            "codes_out_of_reach": [],
            "review": plan | {"reliability": self._reliability()},
            "decisions": None,
            "counts": {"rows": self.items, "rejected": round(self.items * own["rejected"])},
            "earlier": None,
            "changes": None,
            "drift": moves.since(known, own) if known else None,
            "history": [*known, own],
        }

    def _reliability(self) -> dict:
        """The model has been tested on the last months' new texts; it is as good as it says."""
        rows, wrong = self.tested
        record = Record(("",) * len(rows), rows, wrong, rows * (1 - self.confidence.mean()))
        sure = self.rng.choice(self.confidence, self.items)
        estimate = record.estimate(sure)
        own = self.labelled, self.rng.binomial(self.labelled, 1 - self.confidence.mean())
        self.tested = np.append(self.tested, np.array([own]).T, axis=1)
        return {
            "since": "",
            "tested": int(rows.sum()),
            "wrong": int(wrong.sum()),
            "expected_wrong": record.expected.sum(),
            "worse_than_said": record.is_worse_than_said(),
            "right": estimate.right,
            "at_least": estimate.at_least,
            "sent_to_review": 0,
        }

    def _new_model(self) -> None:
        """As good as the one before and as good as it says; it has seen all but the test rows."""
        self.model += 1
        rows = self.rng.binomial(self.tested[0].astype(int), 0.2)
        self.tested = np.stack([rows, self.rng.binomial(rows, 1 - self.confidence.mean())])

    def _share(self, name: str, share: float) -> float:
        kind = RISES[name]
        angle = np.arcsin(np.sqrt(share)) + self.rng.normal(0, kind.monthly * self.restless)
        parts = self.items * kind.each
        return float(self.rng.binomial(parts, np.sin(np.clip(angle, 0, np.pi / 2)) ** 2) / parts)

    def _mix(self, mix: np.ndarray) -> np.ndarray:
        return self.rng.dirichlet(np.maximum(mix, 1e-4) * drift.MIX / self.restless**2)


def main() -> int:
    parser = arguments(__doc__)
    parser.add_argument("--years", type=int, default=2000, help="how many years of a group without drift")
    options = parser.parse_args()
    rng = np.random.default_rng(SEED)
    quiet = [_quiet_years(rng, restless, options.years) for restless in (0.5, 1.0, 1.5)]
    show("Years of ten groups without drift", quiet, None)
    slow = [_slow(rng, items, options.years) for items in (30, 100, 300, 1_000, 3_000)]
    show("A review share that goes from 10 to 55 % in seven months", slow, None)
    if options.json:
        options.json.write_text(json.dumps({"quiet": quiet, "slow": slow}, indent=1), "utf-8")
    return 0


def _quiet_years(rng: np.random.Generator, restless: float, years: int) -> dict:
    notices, by_check = [], {}
    for _ in range(years // 10):
        count = 0
        for items in np.geomspace(30, 3_000, GROUPS).astype(int):
            group = Group(rng, int(items), restless)
            for _ in range(1 + MONTHS):
                for check in group.month()["checks"]:
                    if check["message"]:
                        count += 1
                        by_check[check["what"]] = by_check.get(check["what"], 0) + 1
        notices.append(count)
    return {
        "month to month": restless,
        "years": len(notices),
        "notices a year": round(float(np.mean(notices)), 2),
        "years with more than one, %": round(100 * float(np.mean(np.array(notices) > 1)), 1),
        "most often": max(by_check, key=by_check.get) if by_check else "",
    }


def _slow(rng: np.random.Generator, items: int, years: int) -> dict:
    first, notices = [], []
    for _ in range(years // 4):
        group = Group(rng, items, 1.0, review=SLOW[0])
        told = [
            any("not sure enough" in sentence for sentence in group.month({"review": share})["attention"])
            for share in SLOW
        ]
        first.append(told.index(True) + 1 if any(told) else len(SLOW) + 1)
        notices.append(sum(told))
    return {
        "items a month": items,
        "told in month, median": float(np.median(first)),
        "told by month 4, %": round(100 * float(np.mean(np.array(first) <= 4))),
        "told by month 7, %": round(100 * float(np.mean(np.array(first) <= 7))),
        "notices": round(float(np.mean(notices)), 2),
    }


if __name__ == "__main__":
    raise SystemExit(main())
