"""What the tests of months read of a published one."""

import json


def files(job):
    return [*job.output("files").iterdir(), *job.output("manifest").iterdir()]


def summary(job) -> dict:
    return json.loads((job.output("files") / "summary.json").read_text(encoding="utf-8"))
