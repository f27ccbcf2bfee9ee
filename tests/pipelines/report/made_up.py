"""A made-up history of many groups and months, in a ledger and a bucket that are no more than dictionaries.

The Archive reads it as it reads AWS's, and what it asks for is counted. Nothing here was ever measured.
"""

import hashlib
import io
import json
from typing import Any

import numpy as np

from pipelines import names
from pipelines.ledger import keys
from pipelines.report.archive import Archive

NOTE = "Made up: no model and no item of this history ever was; it shows what the page looks like."
SCHEMES = ("weee", "packaging", "batteries", "textiles", "furniture", "toys")
COUNTRIES = ("AT", "BE", "DE", "DK", "ES", "FR", "GB", "IT", "NL", "PL")
CODES = [f"{number}" for number in range(1, 21)]
VERDICTS = ("KEEP", "PROMOTE", "UNDECIDED", "REJECT")
#: "A single Scan operation can retrieve a maximum of 1 MB of data", Amazon DynamoDB Developer Guide,
#: "Scanning tables in DynamoDB", https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html
PAGE = 1_000_000


class NoSuchKey(Exception):
    pass


class History:
    """So many groups and months, the last of them 2026-10; `requests` counts what was asked of AWS.

    It stands for both clients. One month of the first group was published again after the next; the second
    group has no labels in one month and is retired; the third has a model that waits, the fourth a rollback.
    """

    def __init__(self, groups: int, months: int, seed: int = 7):
        self.exceptions = type("Exceptions", (), {"NoSuchKey": NoSuchKey})
        self.requests = {"Scan": 0, "GetObject": 0}
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.objects: dict[str, bytes] = {}
        self.groups = sorted(f"{country}-{scheme}" for country in COUNTRIES for scheme in SCHEMES)[:groups]
        last = 2026 * 12 + 9
        self.months = [f"{at // 12}-{at % 12 + 1:02}" for at in range(last - months + 1, last + 1)]
        for number, group in enumerate(self.groups):
            self._make(group, number, np.random.default_rng([seed, number]))

    def archive(self) -> Archive:
        return Archive(s3=self, dynamodb=self, table="ledger", work_bucket="work")

    # ------------------------------------------------------------ what the Archive asks of AWS

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:
        self.requests["GetObject"] += 1
        address = names.address(Bucket, Key)
        if address not in self.objects:
            raise NoSuchKey
        return {"Body": io.BytesIO(self.objects[address])}

    def get_paginator(self, operation: str) -> "History":
        assert operation == "scan"
        return self

    def paginate(self, **asked: object):
        size, page = 0, []
        for item in self.items.values():
            page.append(item)
            size += sum(len(name) + len(*value.values()) for name, value in item.items())
            if size > PAGE:
                self.requests["Scan"] += 1
                yield {"Items": page}
                size, page = 0, []
        self.requests["Scan"] += 1
        yield {"Items": page}

    # ------------------------------------------------------------ what is made up

    def _record(self, group: str, entry: str, **attributes: object) -> None:
        item = {"group": group, "entry": entry, **attributes}
        self.items[group, entry] = {
            name: {"N" if isinstance(value, float) else "S": str(value)} for name, value in item.items()
        }

    def _make(self, group: str, number: int, rng: np.random.Generator) -> None:
        about = {"retired_at": "2026-06-01T08:00:00.000Z"} if number == 1 else {}
        self._record(group, keys.GROUP, codebook_version="2024-01", **about)
        book = {"source": "synthetic: made up", "codes": []}
        key = names.CODEBOOK.format(group=group, version="2024-01")
        self.objects[names.address("work", key)] = json.dumps(book).encode()
        mix, score, winner = rng.dirichlet(np.ones(len(CODES))), rng.uniform(0.75, 0.9), ""
        rows, review = int(rng.integers(800, 40_000)), rng.uniform(0.03, 0.15)
        history: list[dict[str, Any]] = []
        for at, period in enumerate(self.months):
            model = names.MODEL_NAME.format(group=group, period=period, hex=f"{number * 100 + at:08x}")
            if number == 2 and period == self.months[-1]:
                self._wait(group, period, model, winner)
            else:
                verdict = "FIRST" if not winner else str(rng.choice(VERDICTS, p=(0.4, 0.3, 0.2, 0.1)))
                new = score + (0.2 * (1 - score) if verdict == "PROMOTE" else rng.normal(0, 0.01))
                self._decide(group, period, verdict, model, winner, float(new), float(score))
                score = new if verdict in ("FIRST", "PROMOTE") else score
                winner = model if verdict in ("FIRST", "PROMOTE") else winner
            if number == 3 and at == 1:
                time = f"{_after(period)}-09T08:00:00.000Z"
                entry = keys.DECISION.format(time=time, run=names.manual_run_name(group, "ROLLBACK", time))
                self._record(group, entry, verdict="ROLLBACK", model=winner, decided_by="A. Muster")
            if number == 1 and at == 1:
                continue
            mix = rng.dirichlet(mix * 2000 + 0.5)
            rows, review = int(rows * rng.uniform(0.9, 1.13)), abs(float(review + rng.normal(0, 0.01)))
            stands = {}
            if rng.random() < 0.08:
                stands = {"share of items to review": {"since": period, "size": review}}
            month = {
                **{
                    "period": period,
                    "model": winner,
                    "rows": rows,
                    "items": rows,
                    "review": round(review, 4),
                },
                **{"automatic": round(1 - review, 4), "rejected": 0.0, "unseen_words": 0.1, "right": 0.98},
                "codes": dict(zip(CODES, rng.multinomial(rows, mix).tolist(), strict=True)),
                "confidence": rng.multinomial(rows, np.ones(8) / 8).tolist(),
                "standing": stands,
            }
            history = [*history[-12:], month]
            self.publish(group, history)
        if number == 0 and len(self.months) > 3:  # a month before the last comes again, and is twice as large
            earlier = [month for month in history if month["period"] <= self.months[-3]]
            again = earlier[-1] | {"rows": 2 * earlier[-1]["rows"]}
            self.publish(group, [*earlier[:-1], again], time="2026-11-20T04:05:06.789Z")

    def publish(self, group: str, history: list[dict[str, Any]], time: str = "") -> None:
        """Record the labels of the last month of `history` as the month's, with their summary."""
        own = history[-1]
        period, time = own["period"], time or f"{_after(own['period'])}-03T04:05:06.789Z"
        run = names.run_name(group, "inference", period, time)
        address = names.address("labelled", names.LABELS.format(group=group, period=period, run=run))
        sentences = [f"The {what} rose." for what in own["standing"]]
        summary = {"period": period, "history": history, "checks": [], "attention": sentences}
        body = json.dumps(summary).encode()
        listed = [{"name": "summary.json", "sha256": hashlib.sha256(body).hexdigest()}]
        manifest = json.dumps({"files": listed}).encode()
        self.objects |= {f"{address}summary.json": body, f"{address}manifest.json": manifest}
        labels = {"labels": address, "digest": hashlib.sha256(manifest).hexdigest(), "run": run}
        self._record(group, keys.MONTH.format(period=period), **labels)
        self._record(group, keys.LABELS.format(period=period, run=run), recorded_at=time, **labels)

    def _decide(self, group, period, verdict, model, winner, new: float, old: float) -> None:
        run = names.run_name(group, "comparison", period, model)
        scores = {"score": new} if verdict == "FIRST" else {"score": new, "replaced_score": old}
        self._record(
            group,
            keys.DECISION.format(time=f"{_after(period)}-03T02:00:00.000Z", run=run),
            **{"verdict": verdict, "reason": "Made up. " * 30, "model": model, "replaces": winner},
            **{"decided_by": "comparison", "policy": "{}" * 100, "evidence_digest": "0" * 64, **scores},
        )
        self._record(group, keys.MODEL.format(model=model), period=period, artefact="a" * 400)
        for labelled in filter(None, (model, winner)):
            entry = keys.PREDICTIONS.format(test_set=run, model=labelled)
            self._record(group, entry, predictions="p" * 120, digest="0" * 64)

    def _wait(self, group: str, period: str, model: str, winner: str) -> None:
        run = names.run_name(group, "comparison", period, model)
        self._record(group, keys.WINNER, model=winner, since="2026-01-03T02:00:00.000Z")
        asked = {"model": model, "replaces": winner, "asked_at": "2999-11-03T02:00:00.000+00:00"}
        self._record(group, keys.APPROVAL.format(run=run), verdict="PROMOTE", **asked)


def _after(period: str) -> str:
    year, month = map(int, period.split("-"))
    return f"{year + month // 12}-{month % 12 + 1:02}"
