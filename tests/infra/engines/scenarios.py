"""What runs meet, on their way through every definition; how moto takes it, and what is left after it."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace

from moto.stepfunctions.parser.asl.eval.callback.callback import CallbackEndpoint

from tests.pipelines.machines.conftest import Cloud, account, client
from tests.pipelines.machines.definition_examples import (
    GROUP,
    GROUP_ITEM,
    INPUTS,
    MESSAGES,
    MODEL,
    MODEL_ITEM,
    MONTH_ITEM,
    OLD_MODEL_ITEM,
    PERIOD,
    TRAINED_ITEM,
    WINNER,
)

FASTER_WINNER = WINNER | {"model": {"S": f"{GROUP}-2026-10-77777777"}}
ROWS_DIGEST = MESSAGES["processing.prepare"]["rows_digest"]
FAILED = {"ExitMessage": "labels.csv row 7: the title is empty."}
STOPPED = {"ProcessingJobStatus": "Stopped"}
NO_MACHINE = {"FailureReason": "CapacityError: Unable to provision requested ML compute capacity."}
NO_MODEL = {"FailureReason": "No training job succeeded after 5 attempts."}
YES = {"approved": True, "by": "Anna", "reason": "seen the report"}


@dataclass(frozen=True)
class Scenario:
    """What the input `given` (a key of INPUTS) meets, and the states it `ends` with.

    Attributes:
        ledger: Items beside the group's and its models'.
        meanwhile: Items that are written while the first job runs.
        planned: What comes of an operation's jobs, as FakeSageMaker.plan takes it.
        asks: Whether the comparison asks a person.
        approval: What that person answers; None where nobody does.
    """

    given: str
    ends: str
    ledger: tuple[dict, ...] = ()
    meanwhile: tuple[dict, ...] = ()
    planned: dict[str, list] = field(default_factory=dict)
    asks: bool = False
    approval: dict | None = None

    @property
    def machine(self) -> str:
        return "inference" if self.given in ("test", "review") else self.given


SCENARIOS = {
    "first": Scenario("training", "Tune Train KeepArtefact CreateModel RecordModel RecordTrained Announce"),
    "warm": Scenario(
        "training",
        "TuneWarm Train KeepArtefact CreateModel RecordModel RecordTrained Announce",
        ledger=(TRAINED_ITEM,),
    ),
    "failed": Scenario(
        "training",
        "ReasonOfJob TellExitMessage QueueFailure NotifyOperators Failed",
        planned={"CreateProcessingJob": [FAILED]},
    ),
    "stopped": Scenario(
        "training",
        "ReasonOfJob TellStatus QueueFailure NotifyOperators Failed",
        planned={"CreateProcessingJob": [STOPPED]},
    ),
    "quota": Scenario(
        "training",
        "Tune Train KeepArtefact CreateModel RecordModel RecordTrained Announce",
        planned={"CreateProcessingJob": ["ResourceLimitExceeded"] * 3},
    ),
    "capacity": Scenario(
        "training",
        "Tune Train KeepArtefact CreateModel RecordModel RecordTrained Announce",
        planned={"CreateProcessingJob": [NO_MACHINE] * 2},
    ),
    "search": Scenario(
        "training",
        "SecondMachines Tune Train KeepArtefact CreateModel RecordModel RecordTrained Announce",
        planned={"CreateHyperParameterTuningJob": [NO_MODEL]},
    ),
    "of an older month": Scenario(
        "training",
        "TuneWarm Train KeepArtefact CreateModel RecordModel RecordTrained Announce",
        ledger=(TRAINED_ITEM | {"period": {"S": "2026-12"}},),
    ),
    "nothing new, but undecided": Scenario(
        "training",
        "GetTrained NothingNew FindDecision Decided AnnounceAgain NotifyUndecided",
        ledger=(TRAINED_ITEM | {"rows_digest": {"S": ROWS_DIGEST}},),
    ),
    "month": Scenario(
        "inference",
        "PublishTable NoteShown GetNewest NewestShown CameTooLate NotifyStakeholders Attention Announce",
        ledger=(WINNER,),
    ),
    "another month is there by then": Scenario(
        "inference",
        "MadeBefore PublishBeside MadeWithTheSame Publish PublishManifest Audience Superseded RecordLabels "
        "GetNewest NewestShown "
        "PublishTable NoteShown GetNewest NewestShown CameTooLate NotifyStakeholders Attention Announce",
        ledger=(WINNER,),
        meanwhile=(MONTH_ITEM,),
    ),
    "another winner is there by then": Scenario(
        "inference",
        "MadeBefore PublishBeside MadeWithTheSame GetModel ModelKnown ToLabel Prepare AnyItems "
        "GetArtefactBeforeTransform SameArtefactBeforeTransform "
        "Transform GetArtefactAfterTransform SameArtefactAfterTransform Publish PublishManifest Audience "
        "Superseded RecordLabels GetNewest NewestShown "
        "PublishTable NoteShown GetNewest NewestShown CameTooLate NotifyStakeholders Attention Announce",
        ledger=(WINNER,),
        meanwhile=(WINNER | {"model": {"S": MODEL}},),
    ),
    "a newer delivery is there by then": Scenario(
        "inference",
        "MadeBefore Audience Superseded RecordSuperseded TellOperators TellStakeholders "
        "GetNewest NewestShown PublishTable NoteShown GetNewest NewestShown CameTooLate Kept",
        ledger=(WINNER,),
        meanwhile=(MONTH_ITEM | {"delivered": {"S": "2026-11-02T00:00:00.000Z#v"}},),
    ),
    "review": Scenario(
        "review",
        "MadeBefore PublishBeside MadeWithTheSame ToAmend Amend PublishManifest Audience RecordAmended "
        "KeepDecisions GetNewest NewestShown "
        "PublishTable NoteShown GetNewest NewestShown CameTooLate NotifyStakeholders Attention Announce",
        ledger=(MONTH_ITEM,),
        meanwhile=(GROUP_ITEM | {"policy": {"S": "{}"}},),
    ),
    "test": Scenario("test", "Transform Publish PublishManifest Audience RecordPredictions Announce"),
    "approval": Scenario(
        "comparison",
        "AskMlops AwaitApproval Answer Approved Verdict SwitchWinner NotifyMlops",
        ledger=(WINNER,),
        asks=True,
        approval=YES,
    ),
    "nobody approves": Scenario(
        "comparison",
        "AskMlops AwaitApproval Expired Verdict RecordDecision NotifyMlops",
        ledger=(WINNER,),
        asks=True,
    ),
    "another comparison was faster": Scenario(
        "comparison", "Verdict SwitchWinner Outdated AnnounceAgain", ledger=(FASTER_WINNER,)
    ),
}


def in_moto(cloud: Cloud, scenario: Scenario, monkeypatch) -> SimpleNamespace:
    wait = CallbackEndpoint.wait

    def answered(self, timeout=None):
        if scenario.approval is None:
            return None
        [asked] = cloud.items("APPROVAL#")
        answer = json.dumps(scenario.approval)
        client("stepfunctions").send_task_success(taskToken=asked["token"], output=answer)
        return wait(self, timeout=0)

    with monkeypatch.context() as patch:
        patch.setattr(CallbackEndpoint, "wait", answered)
        return cloud.run(scenario.machine, INPUTS[scenario.given])


def what_it_leaves(scenario: Scenario, execute: Callable, monkeypatch) -> dict:
    """The path, the end, and all that a new account then holds, as `_without_chance` says."""
    with account(monkeypatch) as cloud:
        cloud.put(MODEL_ITEM, OLD_MODEL_ITEM, *scenario.ledger)
        run = INPUTS[scenario.given]["run"]
        buckets = ("work-bucket", "labelled")
        for bucket in buckets:
            for key in (
                f"runs/{GROUP}/{run}/manifest/manifest.json",
                f"labels/{GROUP}/{PERIOD}/{run}/labels.parquet",
                f"labels/{GROUP}/{PERIOD}/{run}/again/labels.parquet",
                f"labels/{GROUP}/{PERIOD}/{MONTH_ITEM['run']['S']}/labels.parquet",
            ):
                cloud.s3.put_object(Bucket=bucket, Key=key, Body=b"")
        cloud.s3.put_object(Bucket="work-bucket", Key=f"sheets/{GROUP}/{run}/decisions.jsonl", Body=b"")
        cloud.sagemaker.on_wait = first_only(lambda: cloud.put(*scenario.meanwhile))
        for operation, outcomes in scenario.planned.items():
            cloud.sagemaker.plan(operation, *outcomes)
        cloud.sagemaker.messages["processing.compare"]["approval"] = scenario.asks
        ended = execute(cloud, scenario, monkeypatch)
        return _without_chance(
            {
                **{name: getattr(ended, name) for name in ("states", "status", "error", "cause", "output")},
                "requests": cloud.sagemaker.requests,
                "ledger": sorted(({**item, "token": ""} for item in cloud.items("")), key=_told_apart_by),
                "objects": {
                    bucket: [item["Key"] for item in cloud.s3.list_objects_v2(Bucket=bucket)["Contents"]]
                    for bucket in buckets
                },
                "failures": cloud.received("failures"),
                "events": cloud.events(),
                **{
                    audience: [
                        {name: notice.get(name) for name in ("Subject", "Message", "MessageAttributes")}
                        for notice in cloud.received(audience)
                    ]
                    for audience in ("Operators", "Mlops", "Stakeholders")
                },
            }
        )


def first_only(happen: Callable[[], None]) -> Callable[[], None]:
    """What has an effect the first time it is called."""
    left = [happen]
    return lambda: left.pop()() if left else None


TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)")
PART_OF_UUID = re.compile(r"\b([0-9a-f]{8}|[0-9a-f]{12})\b")


def _told_apart_by(item: dict) -> str:
    """What of an item is the same in every run; the ledger sorts by names that are not."""
    return PART_OF_UUID.sub("", TIME.sub("", json.dumps(item, sort_keys=True)))


def _without_chance(left: dict) -> dict:
    """`left` with one word for all times and digests, `<n>` for a UUID's n-th part; no random wait, no id.

    The second interpreter's own digests of texts longer than 55 characters are wrong.
    """
    text = re.sub(r" \(Service: [^)]*\)", "", json.dumps(left, sort_keys=True))
    text = re.sub(r'"seconds": \d+', '"seconds": 0', TIME.sub("<time>", text))
    text = re.sub("TRAINING#[0-9a-f]{64}", "TRAINING#<digest>", text)
    seen: dict[str, str] = {}
    told = json.loads(PART_OF_UUID.sub(lambda part: seen.setdefault(part[0], f"<{len(seen)}>"), text))
    # A bucket sorts by names that are made at random.
    return told | {"objects": {bucket: sorted(keys) for bucket, keys in told["objects"].items()}}
