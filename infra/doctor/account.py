"""What an account is asked, before a stack is there and after; other modules say what the answers mean.

Every question is one that a person may ask who may read, and none changes anything. A question that AWS
refuses is a finding too, with AWS's words.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from infra.deploy import image
from infra.doctor import quotas, stack, warehouse
from infra.doctor.finding import FAIL, OK, WARN, Finding
from pipelines.plan.standing import instances
from pipelines.stack import StackError, outputs

if TYPE_CHECKING:
    from types_boto3_cloudformation.type_defs import StackResourceSummaryTypeDef

    from infra.deploy.settings import Settings

#: Queues in which something waits for a person, by output.
FAILURE_QUEUES = (
    "FailureQueueUrl",
    "TrainingDeadLetterQueueUrl",
    "InferenceDeadLetterQueueUrl",
    "UnloadDeadLetterQueueUrl",
    "EventsDeadLetterQueueUrl",
)
STATEMENT_SECONDS, POLL_SECONDS = 60, 1


def account(
    settings: Settings,
    client: Callable[[str], Any],
    now: datetime,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Finding]:
    """All findings of an account.

    Args:
        settings: the environment.
        client: gives a boto3 client of the environment's Region by the service's name.
        now: with its time zone.
        sleep: between two looks at a statement.
    """
    found = _asked("credentials", lambda: _credentials(settings, client, now))
    if found[0].status == FAIL:
        return found  # nothing else can be asked
    found += _asked("quotas", lambda: _quotas(settings, client))
    deployed = _outputs(settings.stack, client)
    found.append(
        Finding(OK, "stack", f"{settings.stack} is deployed")
        if deployed
        else Finding(WARN, "stack", f"{settings.stack} is not deployed", "labelmill deploy")
    )
    found += _asked("image", lambda: _image(settings, client, bool(deployed)))
    found += _asked("warehouse", lambda: _warehouse(settings, client, deployed, sleep))
    if deployed:
        found += _asked("mails", lambda: _mails(client, deployed))
        found += _asked("queues", lambda: _queues(client, deployed))
        found += _asked("stack's resources", lambda: _resources(settings, client, now))
    return found


def _asked(what: str, ask: Callable[[], list[Finding]]) -> list[Finding]:
    """What `ask` finds, or that it could not be asked."""
    try:
        return ask()
    except (ClientError, BotoCoreError) as error:
        step = "sign in (AWS_PROFILE), or let somebody look who has the right to"
        if any(words in str(error) for words in stack.CLOCK_IS_WRONG):
            step = stack.SET_CLOCK
        return [Finding(FAIL, what, f"could not be looked at: {str(error).rstrip('.')}", step)]


def _credentials(settings: Settings, client: Callable[[str], Any], now: datetime) -> list[Finding]:
    who = client("sts").get_caller_identity()
    if settings.account not in ("", who["Account"]):
        sentence = f"of account {who['Account']}, the environment is for {settings.account}"
        return [Finding(FAIL, "credentials", sentence, "set AWS_PROFILE")]
    told = f"{who['Arn']}, account {who['Account']}, Region {settings.region}"
    theirs = who.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    clock = [stack.clock(parsedate_to_datetime(theirs), now)] if theirs else []
    return [Finding(OK, "credentials", told), *clock]


def _quotas(settings: Settings, client: Callable[[str], Any]) -> list[Finding]:
    service = client("service-quotas")
    answers = [
        quota
        # What is applied to the account comes second, as it is not listed where it was never changed.
        for operation in ("list_aws_default_service_quotas", "list_service_quotas")
        for page in service.get_paginator(operation).paginate(ServiceCode=quotas.SERVICE)
        for quota in page["Quotas"]
    ]
    return quotas.quotas(instances(settings.parameters), answers)


def _outputs(name: str, client: Callable[[str], Any]) -> dict[str, str]:
    """A stack's outputs; none where it is not there or not finished."""
    try:
        return outputs(name, client("cloudformation"))
    except StackError:
        return {}


def _image(settings: Settings, client: Callable[[str], Any], deployed: bool) -> list[Finding]:
    ecr, copy, running = client("ecr"), None, None
    code = _outputs(settings.code_stack, client)
    if "ImageRepositoryUri" in code:
        copy = image.newest_copy(ecr, code["ImageRepositoryUri"])
    if deployed:
        [described] = client("cloudformation").describe_stacks(StackName=settings.stack)["Stacks"]
        running = next(
            given["ParameterValue"]
            for given in described["Parameters"]
            if given["ParameterKey"] == "ImageUri"
        )
    try:
        at_aws = image.versions_at_aws(ecr, settings.region)
    except ClientError as error:
        # Pulling is allowed to everybody; that listing is, no document says.
        unknown = Finding(WARN, "image at AWS", f"AWS does not let it be listed: {error}", "see its releases")
        return [*stack.image(copy, running, image.VERSION, None), unknown]
    return stack.image(copy, running, image.VERSION, at_aws)


def _mails(client: Callable[[str], Any], deployed: dict[str, str]) -> list[Finding]:
    sns = client("sns")
    found = []
    for output in stack.AUDIENCES:
        pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=deployed[output])
        found += stack.subscriptions(output, [entry for page in pages for entry in page["Subscriptions"]])
    return found


def _queues(client: Callable[[str], Any], deployed: dict[str, str]) -> list[Finding]:
    sqs = client("sqs")
    return [
        stack.queue(
            output, sqs.get_queue_attributes(QueueUrl=deployed[output], AttributeNames=["All"])["Attributes"]
        )
        for output in FAILURE_QUEUES
    ]


def _resources(settings: Settings, client: Callable[[str], Any], now: datetime) -> list[Finding]:
    pages = client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=settings.stack)
    resources: list[StackResourceSummaryTypeDef] = [
        resource for page in pages for resource in page["StackResourceSummaries"]
    ]

    def named(kind: str) -> Iterable[tuple[str, str]]:
        return (
            (resource["LogicalResourceId"], resource["PhysicalResourceId"])
            for resource in resources
            if resource["ResourceType"] == kind
        )

    kms, scheduler, functions, events = map(client, ("kms", "scheduler", "lambda", "events"))
    keys = [
        stack.key(logical, kms.describe_key(KeyId=physical)["KeyMetadata"])
        for logical, physical in named("AWS::KMS::Key")
    ]
    schedules = [
        stack.schedule(scheduler.get_schedule(Name=physical), now)
        for _, physical in named("AWS::Scheduler::Schedule")
    ]
    mappings = [
        stack.mapping(logical, functions.get_event_source_mapping(UUID=physical))
        for logical, physical in named("AWS::Lambda::EventSourceMapping")
    ]
    rules = [
        stack.rule(logical, events.describe_rule(Name=physical))
        for logical, physical in named("AWS::Events::Rule")
    ]
    return keys + schedules + mappings + rules


def _warehouse(
    settings: Settings, client: Callable[[str], Any], deployed: dict[str, str], sleep: Callable[[float], None]
) -> list[Finding]:
    given = settings.parameters
    workgroup, cluster = given.get("WarehouseArn", ""), given.get("WarehouseClusterArn", "")
    if not workgroup and not cluster:
        return [Finding(WARN, warehouse.WHAT, "none: nothing is ordered by itself", "docs/warehouse.md")]
    if workgroup:
        service = client("redshift-serverless")
        pages = service.get_paginator("list_workgroups").paginate()
        known = {found["workgroupArn"]: found for page in pages for found in page["workgroups"]}
        if workgroup not in known:
            return [Finding(FAIL, warehouse.WHAT, f"there is no {workgroup}", "correct WarehouseArn")]
        name, status = known[workgroup]["workgroupName"], known[workgroup]["status"]
        namespace = service.get_namespace(namespaceName=known[workgroup]["namespaceName"])["namespace"]
        attached = namespace.get("iamRoles", [])
    else:
        name = cluster.rpartition(":")[2]
        [described] = client("redshift").describe_clusters(ClusterIdentifier=name)["Clusters"]
        status = described["ClusterStatus"]
        attached = [role["IamRoleArn"] for role in described.get("IamRoles", [])]
    found = [warehouse.available(name, status)]
    if deployed:
        found.append(warehouse.role(deployed["WarehouseRoleArn"], attached))
        if found[0].status == OK:
            found.append(_grants(settings, client, name, sleep))
    return found


def _grants(
    settings: Settings, client: Callable[[str], Any], name: str, sleep: Callable[[float], None]
) -> Finding:
    """Ask the warehouse, as the person who asks, or as the secret's user where there is a secret."""
    data, given = client("redshift-data"), settings.parameters
    secret = given.get("WarehouseSecretArn")
    role = None if secret else f"IAMR:{settings.name}-unload-{settings.region}"
    place = {"WorkgroupName" if given.get("WarehouseArn") else "ClusterIdentifier": name}
    statement = data.execute_statement(
        **place,
        **({"SecretArn": secret} if secret else {}),
        Database=given.get("WarehouseDatabase", "dev"),
        Sql=warehouse.question(role),
    )["Id"]
    user = role or "the secret's user"
    for _ in range(STATEMENT_SECONDS // POLL_SECONDS):
        described = data.describe_statement(Id=statement)
        if described["Status"] == "FINISHED":
            [[value]] = data.get_statement_result(Id=statement)["Records"]
            return warehouse.granted(user, value.get("booleanValue"))
        if described["Status"] in ("FAILED", "ABORTED"):
            return warehouse.granted(user, None, described.get("Error", described["Status"]))
        sleep(POLL_SECONDS)
    return warehouse.granted(user, None, f"no answer in {STATEMENT_SECONDS} s")
