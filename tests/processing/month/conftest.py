"""Months of a group, published one after the other by the real job."""

import json

import pytest

from processing import publish
from processing.digests import sha256
from tests.processing.job_folders import CODEBOOK, DATASET, GROUP, as_jsonl, items
from tests.processing.month.published_months import files


@pytest.fixture
def month(new_job):
    """Publish a month: items and the code the model gives each; next to the labels of an earlier month.

    The model sends the first `unsure` items to review; `evidence` is that of the group's last comparison.
    """

    def run(codes, *, period="2026-10", rows=None, earlier=None, model="m2", book=CODEBOOK, **more):
        rows = rows or items(len(codes), labelled=False)
        before = new_job()
        (before.input("codebook") / f"{CODEBOOK['version']}.json").unlink()
        before.codebook(book)
        before.dataset({"part-000.jsonl": (as_jsonl(rows), len(rows))})
        before.prepare("inference")
        job = new_job()
        (job.input("codebook") / f"{CODEBOOK['version']}.json").unlink()
        job.codebook(book)
        known = more.pop("trained_on", ("1", "2", "3a"))
        job.trained(more.pop("trained_in", period), known, more.pop("unclear", ()))
        for name in ("items", "truth"):
            for path in before.output(name).iterdir():
                (job.input(name) / path.name).write_bytes(path.read_bytes())
        for path in files(earlier) if earlier else ():
            (job.input("earlier") / path.name).write_bytes(path.read_bytes())
        confidence, unsure = more.pop("confidence", 0.995), more.pop("unsure", 0)
        if evidence := more.pop("evidence", None):
            (job.input("compared") / "comparison.json").write_text(json.dumps(evidence), encoding="utf-8")
            more["compared_digest"] = sha256(job.input("compared") / "comparison.json")
        sure = confidence if isinstance(confidence, list) else [confidence] * len(rows)
        known = {"known_share": more.pop("known_share")} if "known_share" in more else {}
        answers = [
            {
                "item_id": item["item_id"],
                "SageMakerOutput": {
                    **{"code": code, "confidence": sure[number], "second_code": "2"},
                    **{"second_confidence": 0.0001, "review": number < unsure, **known},
                },
            }
            for number, (item, code) in enumerate(zip(before.items(), codes, strict=True))
        ]
        (job.input("predictions") / "items-00000.jsonl.out").write_bytes(as_jsonl(answers))
        arguments = {
            "group": GROUP,
            "period": period,
            "purpose": "inference",
            "run": f"run-{period}",
            "dataset_uri": DATASET,
            "model": model,
            "earlier_digest": job.labels_digest("earlier"),
            "replaced_digest": job.labels_digest("replaced"),
            "destination": "s3://labelled/x/",
            "rows": str(len(rows)),
            "policy": "{}",
            "compared_digest": "",
        }
        job.message = job.run(publish.main, **arguments | more)
        return job

    return run
