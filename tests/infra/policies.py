"""The template's policies as AWS would hold them, and requests judged by a policy engine."""

import contextlib
import functools
import hashlib
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.infra.templates import template

ENGINE = Path(__file__).parent / "policy_engine"
ACCOUNT, REGION = "123456789012", "eu-central-1"
HERE = f"{REGION}:{ACCOUNT}"
VALUES = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Region": REGION,
    "AWS::Partition": "aws",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::NoValue": None,
    "CodeBucket": f"labelmill-code-{ACCOUNT}-{REGION}",
    "CodeKeyArn": f"arn:aws:kms:{HERE}:key/CodeKey",
    "CodePrefix": "code/0123456789abcdef",
    "CodeDigest": "0123456789abcdef",
    "AwsImageAccount": "492215442770",
    "ImageUri": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/labelmill-jobs@sha256:{'1a' * 32}",
    "WarehouseArn": f"arn:aws:redshift-serverless:{HERE}:workgroup/00000000-0000-0000-0000-000000000000",
}
#: ARNs by type; {0} is the resource's name, {1} its domain's.
ARNS = {
    "AWS::S3::Bucket": "arn:aws:s3:::{0}",
    "AWS::KMS::Key": f"arn:aws:kms:{HERE}:key/{{0}}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{HERE}:{{0}}",
    "AWS::SNS::Topic": f"arn:aws:sns:{HERE}:{{0}}",
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{HERE}:table/{{0}}",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/{{0}}",
    "AWS::IAM::ManagedPolicy": f"arn:aws:iam::{ACCOUNT}:policy/{{0}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{HERE}:log-group:{{0}}:*",
    "AWS::StepFunctions::StateMachine": f"arn:aws:states:{HERE}:stateMachine:{{0}}",
    "AWS::Lambda::Function": f"arn:aws:lambda:{HERE}:function:{{0}}",
    "AWS::Events::Rule": f"arn:aws:events:{HERE}:rule/{{0}}",
    "AWS::CloudWatch::Alarm": f"arn:aws:cloudwatch:{HERE}:alarm:{{0}}",
    "AWS::ECR::Repository": f"arn:aws:ecr:{HERE}:repository/{{0}}",
    "AWS::CodeBuild::Project": f"arn:aws:codebuild:{HERE}:project/{{0}}",
    "AWS::CodeArtifact::Domain": f"arn:aws:codeartifact:{HERE}:domain/{{0}}",
    "AWS::CodeArtifact::Repository": f"arn:aws:codeartifact:{HERE}:repository/{{1}}/{{0}}",
}
REF_IS_ARN = ("AWS::SNS::Topic", "AWS::IAM::ManagedPolicy", "AWS::StepFunctions::StateMachine")


class Stack:
    """A template with every reference filled in, for the `parameters` given."""

    def __init__(self, source: dict | None = None, **parameters: str):
        self.source = source or template()
        defaults = {name: given.get("Default") for name, given in self.source["Parameters"].items()}
        self.values = {**defaults, **VALUES, **parameters}
        self.resources = {
            logical: resource
            for logical, resource in self.source["Resources"].items()
            if "Condition" not in resource or self.holds(resource["Condition"])
        }
        self.properties = {
            logical: self.fill(resource.get("Properties", {})) for logical, resource in self.resources.items()
        }
        # A stack does not change, and is asked for the same things thousands of times.
        for looked_up in ("of_type", "identity_policies", "resource_policy", "arn"):
            setattr(self, looked_up, functools.cache(getattr(self, looked_up)))

    @functools.cached_property
    def digests(self) -> dict[int, str]:
        """A digest of each policy by the identity of its object."""
        policies = [
            properties[name]
            for properties in self.properties.values()
            for name in ("PolicyDocument", "KeyPolicy", "AssumeRolePolicyDocument")
            if name in properties
        ]
        return {id(policy): _digest(policy) for policy in policies}

    def name(self, logical: str) -> str:
        """A resource's own name; a key has none but its id."""
        properties = self.resources[logical].get("Properties", {})
        named = [key for key in properties if re.fullmatch(r"\w*Name", key) and key != "PolicyName"]
        return self.fill(properties[named[0]]) if named else logical

    def arn(self, logical: str) -> str:
        resource = self.resources[logical]
        path, domain = (
            self.fill(resource.get("Properties", {}).get(key, "")) for key in ("Path", "DomainName")
        )
        return ARNS[resource["Type"]].format(path.lstrip("/") + self.name(logical), domain)

    def ref(self, logical: str) -> Any:
        if logical in self.values:
            return self.values[logical]
        return self.arn(logical) if self.resources[logical]["Type"] in REF_IS_ARN else self.name(logical)

    def fill(self, value: Any) -> Any:
        """`value` with its intrinsic functions worked out."""
        if isinstance(value, list):
            return [filled for item in value if (filled := self.fill(item)) is not None]
        if not isinstance(value, dict):
            return value
        match value:
            case {"Ref": logical}:
                return self.ref(logical)
            case {"Fn::GetAtt": [logical, "Arn"]}:
                return self.arn(logical)
            case {"Fn::GetAtt": [logical, "RoleId"]}:
                return role_id(logical)
            case {"Fn::GetAtt": [logical, "QueueName" | "Name"]}:
                return self.name(logical)
            case {"Fn::Sub": [text, given]}:
                return self._sub(text, self.fill(given))
            case {"Fn::Sub": text}:
                return self._sub(text, {})
            case {"Fn::If": [condition, then, other]}:
                return self.fill(then if self.holds(condition) else other)
            case {"Fn::Split": [separator, text]}:
                return self.fill(text).split(separator)
            case {"Fn::Select": [number, items]}:
                return self.fill(items)[int(number)]
        assert not any(key.startswith("Fn::") for key in value), value
        return {key: filled for key, item in value.items() if (filled := self.fill(item)) is not None}

    def holds(self, condition: str) -> bool:
        return self.true(self.source["Conditions"][condition])

    def refusals(self) -> list[str]:
        """What the template's rules say against the parameters."""
        return [
            assertion["AssertDescription"]
            for rule in self.source["Rules"].values()
            if self.true(rule.get("RuleCondition", {"Fn::And": []}))
            for assertion in rule["Assertions"]
            if not self.true(assertion["Assert"])
        ]

    def true(self, test: dict) -> bool:
        """Whether a condition function of CloudFormation holds."""
        match test:
            case {"Fn::Equals": [first, second]}:
                return self.fill(first) == self.fill(second)
            case {"Fn::Not": [part]}:
                return not self.true(part)
            case {"Fn::And": parts}:
                return all(map(self.true, parts))
            case {"Fn::Or": parts}:
                return any(map(self.true, parts))
            case {"Condition": name}:
                return self.holds(name)
        raise AssertionError(test)

    def _sub(self, text: str, given: dict) -> str:
        def found(match: re.Match) -> str:
            logical, _, attribute = match[1].partition(".")
            if match[1] in given:
                return given[match[1]]
            return {"": self.ref, "QueueName": self.name, "RoleId": role_id}.get(attribute, self.arn)(logical)

        return re.sub(r"\$\{([\w:.]+)\}", found, text).replace("${!", "${")

    def of_type(self, kind: str) -> dict[str, dict]:
        """Properties by logical name, filled in."""
        return {
            logical: self.properties[logical]
            for logical, resource in self.resources.items()
            if resource["Type"] == f"AWS::{kind}"
        }

    def roles(self) -> list[str]:
        return list(self.of_type("IAM::Role"))

    def identity_policies(self, role: str) -> list[dict]:
        """The policies of a role, inline and managed."""
        given = self.of_type("IAM::Role")[role].get("ManagedPolicyArns", [])
        attached = [
            policy
            for name, policy in self.of_type("IAM::ManagedPolicy").items()
            if self.arn(name) in given or self.name(role) in policy.get("Roles", [])
        ]
        inline = [
            policy for policy in self.of_type("IAM::Policy").values() if self.name(role) in policy["Roles"]
        ]
        return [policy["PolicyDocument"] for policy in attached + inline]

    def granted(self, role: str) -> set[str]:
        """Every action that some policy of the role allows."""
        return {
            action
            for policy in self.identity_policies(role)
            for statement in policy["Statement"]
            if statement["Effect"] == "Allow"
            for action in _as_list(statement["Action"])
        }

    def resource_policy(self, arn: str, action: str = "") -> dict | None:
        """The policy of the key, bucket, queue, topic, role or function that `arn` is or is in."""
        if action == "sts:AssumeRole":
            return self._by_arn("IAM::Role", arn)["AssumeRolePolicyDocument"]
        if action == "lambda:InvokeFunction":
            return self._permissions(arn)
        if arn == self.values.get("CodeKeyArn"):
            return Stack(template("bootstrap")).of_type("KMS::Key")["CodeKey"]["KeyPolicy"]
        for logical, key in self.of_type("KMS::Key").items():
            if arn == self.arn(logical):
                return key["KeyPolicy"]
        for kind, targets in (
            ("S3::BucketPolicy", "Bucket"),
            ("SQS::QueuePolicy", "Queues"),
            ("SNS::TopicPolicy", "Topics"),
        ):
            for policy in self.of_type(kind).values():
                for target in _as_list(policy[targets]):
                    if arn.rpartition(":")[2].partition("/")[0] == target.rpartition(":")[2]:
                        return policy["PolicyDocument"]
        return None

    def _by_arn(self, kind: str, arn: str) -> dict:
        return next(one for logical, one in self.of_type(kind).items() if self.arn(logical) == arn)

    def _permissions(self, function: str) -> dict | None:
        """The policy that Lambda makes of a function's permissions ("Resource-based policies", ArnLike)."""
        statements = [
            {
                "Effect": "Allow",
                "Principal": {"Service": one["Principal"]},
                "Action": one["Action"],
                "Resource": function,
                "Condition": {"ArnLike": {"aws:SourceArn": one["SourceArn"]}},
            }
            for one in self.of_type("Lambda::Permission").values()
            if function.endswith(f":{one['FunctionName']}")
        ]
        return {"Version": "2012-10-17", "Statement": statements} if statements else None


def role_id(logical: str) -> str:
    """Stands for the id that IAM gives a role."""
    return f"AROA{logical.upper()}"


def _as_list(value: Any) -> list:
    return value if isinstance(value, list) else [value]


@dataclass(frozen=True)
class Request:
    """One call: who, what, on which ARN, under which circumstances; `policies` are those of who calls."""

    principal: str
    action: str
    resource: str
    context: dict = field(default_factory=dict)
    policies: tuple | list = ()


def by_role(stack: Stack, role: str, action: str, resource: str, **context: Any) -> Request:
    """A call by one of the stack's roles; `__` in a context key stands for `:`, `_` for `-`."""
    circumstances = {"aws:PrincipalArn": stack.arn(role), **_keys(context)}
    return Request(stack.arn(role), action, resource, circumstances, stack.identity_policies(role))


def _keys(context: dict) -> dict:
    return {key.replace("__", ":").replace("_", "-"): value for key, value in context.items()}


_engine: subprocess.Popen


@contextlib.contextmanager
def running_engine() -> Iterator[None]:
    """One Node process for all that is judged inside the block."""
    global _engine
    command = ["node", ENGINE / "simulate.mjs"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as _engine:
        yield


def asked(**request: list) -> list[str]:
    """What the engine answers to each item; `simulate` or `lint`, as simulate.mjs says."""
    _engine.stdin.write(json.dumps(request) + "\n")
    _engine.stdin.flush()
    return json.loads(_engine.stdout.readline())


#: Verdict by request and digests of the policies: the same question is asked for many a planted fault.
_known: dict[tuple, str] = {}


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def judge(stack: Stack, requests: list[Request]) -> list[str]:
    """For each request `Allowed`, `ExplicitlyDenied` or `ImplicitlyDenied`, as the engine says."""
    questions = [_question(stack, request) for request in requests]
    new = {key: request for key, request in zip(questions, requests, strict=True) if key not in _known}
    if new:
        simulations = [_simulation(stack, request) for request in new.values()]
        _known.update(zip(new, asked(simulate=simulations), strict=True))
    results = [_known[key] for key in questions]
    for request, result in zip(requests, results, strict=True):
        assert not result.startswith("error"), (request.action, request.resource, request.context, result)
    return results


def _question(stack: Stack, request: Request) -> tuple:
    policies = [*request.policies, stack.resource_policy(request.resource, request.action)]
    digests = [stack.digests.get(id(policy)) or _digest(policy) for policy in policies]
    context = tuple((key, str(value)) for key, value in sorted(request.context.items()))
    return request.principal, request.action, request.resource, context, *digests


def _simulation(stack: Stack, request: Request) -> dict:
    return {
        "request": {
            "principal": request.principal,
            "action": request.action,
            "resource": {"resource": request.resource, "accountId": ACCOUNT},
            "contextVariables": {"aws:SecureTransport": "true", **request.context},
        },
        "identityPolicies": [{"name": str(n), "policy": policy} for n, policy in enumerate(request.policies)],
        "serviceControlPolicies": [],
        "resourceControlPolicies": [],
        "resourcePolicy": stack.resource_policy(request.resource, request.action),
    }
