"""Fixtures: folders of jobs."""

import pytest

from tests.processing.job_folders import Job, as_jsonl


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
