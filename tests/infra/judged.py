"""Many requests judged together, and the callers that several tests ask about."""

from tests.infra.policies import ACCOUNT, Request, Stack, judge

JOBS = (
    *("PrepareRole", "FeaturizeRole", "TuneRole", "TrainRole", "TransformRole"),
    *("PublishRole", "AmendRole", "CompareRole"),
)

#: What a key's administrator does; none of it reads or writes data.
ADMINISTRATION = (
    *("CancelKeyDeletion", "CreateAlias", "DeleteAlias", "DescribeKey", "DisableKey", "DisableKeyRotation"),
    *("EnableKey", "EnableKeyRotation", "GetKeyPolicy", "GetKeyRotationStatus", "ListGrants"),
    *("ListResourceTags", "PutKeyPolicy", "RevokeGrant", "ScheduleKeyDeletion", "TagResource"),
    *("UntagResource", "UpdateAlias", "UpdateKeyDescription"),
)


def allowed(stack: Stack, requests: dict) -> set:
    """The keys of `requests` whose request the engine allows."""
    verdicts = judge(stack, list(requests.values()))
    return {key for key, verdict in zip(requests, verdicts, strict=True) if verdict == "Allowed"}


def person(stack: Stack, action: str, resource: str, **context: str) -> Request:
    """A call by somebody whose own policies allow everything."""
    everything = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
    arn = f"arn:aws:iam::{ACCOUNT}:role/Admin"
    return Request(arn, action, resource, {"aws:PrincipalArn": arn, **context}, [everything])
