"""The delivery's stack as tests give it: its parameters, its environments, and calls of its roles."""

from tests.infra.policies import HERE, Request, Stack

PARAMETERS = {
    "ConnectionArn": f"arn:aws:codeconnections:{HERE}:connection/0a1b2c3d-0000-4000-8000-000000000000",
    "Repository": "owner/labelmill",
}
TEST, PRODUCTION = "labelmill-test", "labelmill"
KEY = f"arn:aws:kms:{HERE}:key/DeliveryKey"


def by(delivery: Stack, role: str, action: str, resource: str, **context: str) -> Request:
    """A call by one of the delivery's roles, which carries its tags."""
    tags = delivery.of_type("IAM::Role")[role].get("Tags", [])
    tagged = {f"aws:PrincipalTag/{tag['Key']}": tag["Value"] for tag in tags}
    return Request(
        delivery.arn(role), action, resource, {**tagged, **context}, delivery.identity_policies(role)
    )
