"""What AWS's answers say of what is deployed, from the image to the rules, and of the clock. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from infra.doctor.cron import next_time
from infra.doctor.finding import FAIL, OK, WARN, Finding

if TYPE_CHECKING:
    from types_boto3_kms.type_defs import KeyMetadataTypeDef
    from types_boto3_lambda.type_defs import EventSourceMappingConfigurationResponseTypeDef
    from types_boto3_scheduler.type_defs import GetScheduleOutputTypeDef
    from types_boto3_sns.type_defs import SubscriptionTypeDef

#: Until this day AWS patches the version that jobs run on (docs/decisions.md).
PATCHED_UNTIL = "2027-05-13"
#: Those who are told, by the topic's output: of what, and the parameter with their address.
AUDIENCES = {
    "OperatorsTopicArn": ("failures", "OperatorsEmail"),
    "MlopsTopicArn": ("comparisons", "MlopsEmail"),
    "StakeholdersTopicArn": ("labels and new winners", "StakeholdersEmail"),
}
#: Of a request whose time AWS does not believe (IAM User Guide, "Troubleshoot Signature Version 4 signing for
#: AWS API requests": signatures expire, and must not be of the future).
CLOCK_IS_WRONG = ("Signature expired", "Signature not yet current", "RequestTimeTooSkewed")
SET_CLOCK = "set this machine's clock (NTP): AWS refuses requests of another time than its own"
MOST_SECONDS_OFF = 60


def clock(theirs: datetime, now: datetime) -> Finding:
    """Whether this machine's clock is right, by AWS's own; both with their time zone."""
    off = abs((theirs - now).total_seconds())
    if off <= MOST_SECONDS_OFF:
        return Finding(OK, "clock", "as AWS's")
    return Finding(WARN, "clock", f"{off:.0f} s away from AWS's", SET_CLOCK)


def image(
    copy: str | None, running: str | None, version: str, at_aws: Mapping[str, str] | None
) -> list[Finding]:
    """Whether the jobs' image is copied, and whether AWS has a newer one.

    Args:
        copy: address of the newest copy of `version`, with its digest; None where there is none.
        running: address that the stack's jobs run on; None before it is deployed.
        version: AWS's tag, such as `3.2-0`.
        at_aws: digest by version of what AWS offers; None where that is not known.
    """
    what, new = "image", "labelmill deploy --new-image; then train again. Models keep the image they have"
    if not copy and not running:
        return [Finding(WARN, what, f"{version} is not copied yet", "labelmill deploy copies it")]
    used = running or copy or ""
    found = [Finding(OK, what, f"jobs run on {used}" if running else f"{used} is copied")]
    if at_aws is None:
        return found
    theirs = at_aws.get(version)
    if theirs is None:
        found.append(
            Finding(
                WARN,
                f"{what} at AWS",
                f"{version} is offered no more; AWS patches it until {PATCHED_UNTIL}",
                "take a newer version (VERSION in infra/deploy/image.py), then train again",
            )
        )
    elif not used.endswith(theirs):
        found.append(Finding(WARN, f"{what} at AWS", f"{version} is patched: now {theirs}", new))
    if newer := [other for other in at_aws if _order(other) > _order(version)]:
        found.append(
            Finding(
                WARN,
                f"{what} at AWS",
                f"there is {max(newer, key=_order)}; {version} is patched until {PATCHED_UNTIL}",
                "try it in a test stack (VERSION in infra/deploy/image.py), then train again",
            )
        )
    return found


def _order(version: str) -> tuple[int, ...]:
    """`3.2-0` comes before `3.10-1`."""
    return tuple(map(int, version.replace("-", ".").split(".")))


def subscriptions(output: str, listed: Sequence[SubscriptionTypeDef]) -> list[Finding]:
    """Whether those who are told by a topic's mails have confirmed; `output` names the topic."""
    topic, (news, parameter) = output.removesuffix("TopicArn").lower(), AUDIENCES[output]
    if not listed:
        return [Finding(WARN, f"mails to {topic}", f"nobody hears of {news}", f"set {parameter}, deploy")]
    # Where a topic's list has this in place of an ARN, the address has not answered (botocore's SNS model).
    pending = [entry["Endpoint"] for entry in listed if entry["SubscriptionArn"] == "PendingConfirmation"]
    if pending:
        return [
            Finding(
                FAIL,
                f"mails to {topic}",
                f"{', '.join(pending)} has not confirmed, and hears of no {news}",
                "open the link in the mail from AWS Notifications",
            )
        ]
    return [Finding(OK, f"mails to {topic}", f"{len(listed)} confirmed")]


def key(logical: str, metadata: KeyMetadataTypeDef) -> Finding:
    """Whether a key can be used; `logical` is its name in the template."""
    state = metadata.get("KeyState", "")
    if state == "Enabled":
        return Finding(OK, f"key {logical}", "enabled")
    return Finding(
        FAIL,
        f"key {logical}",
        f"{metadata['KeyId']} is {state}: nothing under it can be read",
        f"aws kms cancel-key-deletion or enable-key --key-id {metadata['KeyId']}",
    )


def queue(output: str, attributes: Mapping[str, str]) -> Finding:
    """Whether a queue of failures is empty; `output` names it."""
    what = f"queue {output.removesuffix('QueueUrl')}"
    count = sum(
        int(attributes[name])
        for name in ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
    )
    if not count:
        return Finding(OK, what, "empty")
    return Finding(WARN, what, f"{count} wait for a person", "labelmill failures says what to do about each")


def schedule(answer: GetScheduleOutputTypeDef, now: datetime) -> Finding:
    """When a schedule runs next."""
    what, expression = f"schedule {answer['Name']}", answer["ScheduleExpression"]
    if answer["State"] != "ENABLED":
        return Finding(FAIL, what, "disabled", "deploy again, or enable it in EventBridge Scheduler")
    zone = answer.get("ScheduleExpressionTimezone", "UTC")
    time = next_time(expression, zone, now)
    if time is None:
        return Finding(WARN, what, f"{expression} of {zone}: no next time found", "check it with a calendar")
    return Finding(OK, what, f"next at {time:%Y-%m-%d %H:%M} ({zone})")


def mapping(logical: str, answer: EventSourceMappingConfigurationResponseTypeDef) -> Finding:
    """Whether a function takes its queue's messages; `logical` is the mapping's name in the template."""
    what, state = f"mapping {logical}", answer.get("State", "")
    if state == "Enabled":
        return Finding(OK, what, "enabled")
    if state in ("Creating", "Enabling", "Updating"):
        return Finding(WARN, what, f"{state.lower()}", "look again in a minute")
    step = f"aws lambda update-event-source-mapping --uuid {answer['UUID']} --enabled"
    return Finding(FAIL, what, f"{state.lower()}: nothing takes its queue's messages", step)


def rule(logical: str, answer: Mapping[str, str]) -> Finding:
    """Whether a rule passes events on; `logical` is its name in the template."""
    what = f"rule {logical}"
    if answer["State"] != "DISABLED":
        return Finding(OK, what, "enabled")
    return Finding(
        FAIL, what, "disabled: what follows is not started", f"aws events enable-rule --name {answer['Name']}"
    )
