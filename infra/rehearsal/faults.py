"""Faults that a stack must survive: a run cut off, a job stopped, a job whose role may not use its keys.

Each is done to a run of a dataset that was delivered before. The delivery's other fault, functions
that are away, goes around the whole rehearsal (command.py).
"""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from infra import results
from infra.rehearsal.claims import Claim
from infra.rehearsal.experiment import NotCompleted, experiment
from infra.rehearsal.proofs import NOT_TRIED, PROVEN, REFUSED, Seen
from infra.rehearsal.runs import GROUP, MESSAGE_SECONDS, Runs, name_of, wait_for
from pipelines.failures.failure import Stack, dismissal

#: How long a role's new policy may take to be known everywhere. IAM names no limit (user guide, "Changes that
#: I make are not always immediately visible"); most keys are used minutes later, once a job has its machine.
CHANGE_SECONDS = 60


class NotSurvived(Exception):
    """A run under a fault, or the one after it, ended otherwise than it must."""


def cut_off(runs: Runs, seen: Seen, delivery: str) -> None:
    """Start a run and stop it at once: EventBridge's event of that must come into the failure queue."""
    # A run without data would fail before it can be stopped.
    arn = runs.start("training", delivery, "cut off")
    run = name_of(arn)
    runs.stop(arn)
    status = runs.describe(arn)["status"]
    if status not in ("ABORTED", "RUNNING"):
        seen.told[Claim.EVENTS] = NOT_TRIED, f"{run} was {status} before it could be stopped"
    elif runs.message(arn):
        _dismiss(runs, run)
        seen.told[Claim.EVENTS] = PROVEN, f"{run} was stopped, and the failure queue was told"
    else:
        seen.told[Claim.EVENTS] = (
            REFUSED,
            f"{run} was stopped, and the failure queue was told nothing in {MESSAGE_SECONDS} s. Fix: see "
            "the metrics FailedInvocations and InvocationsFailedToBeSentToDlq of the rule that ends in "
            "-cut-off",
        )


def stop_job(runs: Runs, seen: Seen, delivery: str, timeout_seconds: float) -> None:
    """Stop the first job of a run that labels a delivery, then label it again."""
    try:
        arn = runs.start("inference", delivery, "job stopped")
        [job] = wait_for("job to stop", lambda: _jobs(runs, arn), timeout_seconds, **runs.clock)
        runs.stack.client("sagemaker").stop_processing_job(ProcessingJobName=job)
        words = _must_fail(runs, arn, timeout_seconds)
        _must_succeed(runs, runs.start("inference", delivery, "after a job stopped"), timeout_seconds)
        seen.told[Claim.STOPPED_JOB] = PROVEN, f"{job} was stopped, and {name_of(arn)} failed: {words}"
    except (ClientError, NotSurvived, TimeoutError) as error:
        seen.told[Claim.STOPPED_JOB] = REFUSED, str(error)


def take_keys(runs: Runs, seen: Seen, delivery: str, template: str, timeout_seconds: float) -> None:
    """Label a delivery while the first job's role may not use its keys, and again once it may.

    Args:
        runs: of the stack.
        seen: where the verdict goes.
        delivery: name of a delivery of new items.
        template: an experiment of AWS FIS that takes the keys, and by itself gives them back.
        timeout_seconds: for each run, and for the experiment's end.
    """
    try:
        with experiment(runs.stack.client("fis"), template, timeout_seconds, **runs.clock):
            runs.pause(CHANGE_SECONDS)
            arn = runs.start("inference", delivery, "without keys")
            words = _must_fail(runs, arn, timeout_seconds)
        runs.pause(CHANGE_SECONDS)
        _must_succeed(runs, runs.start("inference", delivery, "with keys again"), timeout_seconds)
        seen.told[Claim.WITHOUT_KEYS] = PROVEN, f"{name_of(arn)} failed: {words}"
    except (ClientError, NotCompleted, NotSurvived, TimeoutError) as error:
        seen.told[Claim.WITHOUT_KEYS] = REFUSED, str(error)


def _jobs(runs: Runs, arn: str) -> list[str]:
    """The processing jobs that a run has made so far. Raises NotSurvived: it ended without any."""
    tasks: list[Any] = [task.parameters for task in runs.history(arn).tasks if task.accepted]
    made = [request["ProcessingJobName"] for request in tasks if "ProcessingJobName" in request]
    if not made and (status := runs.describe(arn)["status"]) != "RUNNING":
        raise NotSurvived(f"{name_of(arn)} was {status} before it made a job")
    return made


def _must_fail(runs: Runs, arn: str, timeout_seconds: float) -> str:
    """The sentence with which a run failed, once all have heard of it. Raises NotSurvived, TimeoutError."""
    run, end = name_of(arn), runs.end(arn, timeout_seconds)
    if end["status"] != "FAILED":
        raise NotSurvived(f"{run} is {end['status']}, and should have failed")
    if not any(task.state == "NotifyOperators" and task.done for task in runs.history(arn).tasks):
        raise NotSurvived(f"{run} failed, and the operators were not told")
    if not runs.message(arn):
        raise NotSurvived(f"{run} failed, and the failure queue was told nothing in {MESSAGE_SECONDS} s")
    if any(manifest["run"] == run for manifest in results.published(runs.stack, GROUP)):
        raise NotSurvived(f"{run} failed, and labels were published all the same")
    _dismiss(runs, run)
    sentence: str = end["cause"]
    return sentence


def _dismiss(runs: Runs, run: str) -> None:
    """Nobody need start again what was broken on purpose."""
    dismiss = dismissal(Stack(runs.stack.names, runs.stack.client), GROUP, run)
    dismiss("labelmill rehearse", "broken on purpose, to see who is told")


def _must_succeed(runs: Runs, arn: str, timeout_seconds: float) -> None:
    """Wait for a run that meets no fault any more. Raises NotSurvived, TimeoutError."""
    end = runs.end(arn, timeout_seconds)
    if end["status"] != "SUCCEEDED":
        raise NotSurvived(f"{name_of(arn)} is {end['status']} after the fault: {end.get('cause')}")
