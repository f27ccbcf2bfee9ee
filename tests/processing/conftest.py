"""Fixtures: folders of jobs."""

import pytest

from processing import amend, publish
from tests.processing.job_folders import (
    AMENDS,
    CODEBOOK,
    DATASET,
    GROUP,
    PERIOD,
    Job,
    answer,
    as_jsonl,
    copy_output,
    month,
)


@pytest.fixture
def new_job(tmp_path, monkeypatch):
    """Make the folder of one more job; the last one made is the one whose main runs next."""
    made = []

    def make() -> Job:
        made.append(Job(tmp_path / f"job-{len(made)}"))
        monkeypatch.setenv("SAGEMAKER_BASE_DIR", str(made[-1].base))
        made[-1].codebook()
        return made[-1]

    return make


@pytest.fixture
def job(new_job):
    """The folder of one job, with the group's codebook in it."""
    return new_job()


@pytest.fixture
def deliver(job):
    """Deliver rows as one JSON Lines file."""

    def write(rows: list[dict]) -> Job:
        job.dataset({"part-000.jsonl": (as_jsonl(rows), len(rows))})
        return job

    return write


@pytest.fixture
def publish_month(new_job):
    """Label the rows of a month."""

    def run(rows, replaced=None, book=CODEBOOK, *, reviewed=(), earlier=None, period=PERIOD, **more):
        """`reviewed` are sheets of decisions, by the month they are of; `more` are other arguments."""
        before = new_job()
        before.dataset({"part-000.jsonl": (as_jsonl(rows), len(rows))})
        before.prepare("inference")
        job = new_job()
        job.codebook(book)
        job.trained()
        for name in ("items", "truth"):
            for path in before.output(name).iterdir():
                (job.input(name) / path.name).write_bytes(path.read_bytes())
        answers = [answer(item, number) for number, item in enumerate(before.items())]
        (job.input("predictions") / "items-00000.jsonl.out").write_bytes(as_jsonl(answers))
        if replaced:
            copy_output(replaced, job.input("replaced"))
        if earlier:
            copy_output(earlier, job.input("earlier"))
        (job.input("reviewed") / "about.txt").write_text("a note")
        for number, (of, decisions) in enumerate(reviewed):
            folder = job.input("reviewed") / f"{GROUP}-review-{of}-{number:012x}"
            folder.mkdir()
            (folder / "decisions.jsonl").write_bytes(as_jsonl(decisions))
        about = {"group": GROUP, "period": period, "purpose": "inference", "run": "r1", "model": "m"}
        about |= {"dataset_uri": DATASET, "destination": AMENDS, "policy": '{"precision": 0}'}
        job.message = job.run(
            publish.main,
            **about | more,
            earlier_digest=job.labels_digest("earlier"),
            replaced_digest=job.labels_digest("replaced"),
            compared_digest="",
            rows=str(len(rows)),
        )
        return job

    return run


@pytest.fixture
def labels(publish_month):
    """Labels of `month`."""
    return publish_month(month())


@pytest.fixture
def amended(new_job):
    """Amend the labels of a job by decisions."""

    def run(labels, decisions, name="r2", policy="{}"):
        job = new_job()
        copy_output(labels, job.input("labels"))
        (job.input("decisions") / "decisions.jsonl").write_bytes(as_jsonl(decisions))
        job.message = job.run(
            amend.main,
            group=GROUP,
            period=PERIOD,
            run=name,
            amends=AMENDS,
            labels_digest=job.labels_digest("labels"),
            policy=policy,
            destination=f"s3://x/{name}/",
        )
        return job

    return run
