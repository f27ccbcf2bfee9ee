"""A stack's state machines execute, and its properties and schedules take effect.

moto puts a stack's state machines into a backend that does not execute, loses the properties named here, and
gives a stack that is made anew other keys.
"""

import json
import uuid
from collections.abc import Callable

import yaml
from moto.awslambda import models as lambda_models
from moto.core.common_models import CloudFormationModel
from moto.iam import models as iam_models
from moto.kms import models as kms_models
from moto.s3 import models as s3_models
from moto.scheduler import models as scheduler_models
from moto.stepfunctions import models as machine_models
from moto.stepfunctions.parser import models as executing_models

from infra.local.endpoint import ACCOUNT


def install_cloudformation(s3_client) -> None:
    """Let a stack's state machines execute; give effect to properties that moto leaves out."""
    machine_models.stepfunctions_backends = executing_models.stepfunctions_parser_backends

    def machine_definition(properties: dict) -> None:
        properties["DefinitionString"] = resolved_definition(properties, s3_client)

    def finish_bucket(bucket, properties: dict) -> None:
        if "VersioningConfiguration" in properties:
            s3_client.put_bucket_versioning(
                Bucket=bucket.name, VersioningConfiguration=properties["VersioningConfiguration"]
            )
        queues = properties.get("NotificationConfiguration", {}).get("QueueConfigurations", [])
        if queues:
            s3_client.put_bucket_notification_configuration(
                Bucket=bucket.name,
                NotificationConfiguration={"QueueConfigurations": [_notification(queue) for queue in queues]},
            )

    def finish_function(function, properties: dict) -> None:
        function.dead_letter_queue_arn = properties.get("DeadLetterConfig", {}).get("TargetArn")

    # moto reads `!Condition` as `Fn::Condition`, which it takes for false.
    yaml.add_constructor("!Condition", lambda _, node: {"Condition": node.value}, yaml.Loader)

    def finish_role(role, properties: dict) -> None:
        for arn in properties.get("ManagedPolicyArns", []):
            iam_models.iam_backends[ACCOUNT]["aws"].attach_role_policy(role_name=role.name, policy_arn=arn)

    _name_keys()
    _around_creation(machine_models.StateMachine, before=machine_definition)
    _around_creation(iam_models.Role, after=finish_role)
    _around_creation(s3_models.FakeBucket, after=finish_bucket)
    _around_creation(lambda_models.LambdaFunction, after=finish_function)
    _add_attributes(machine_models.StateMachine, Arn=lambda machine: machine.arn)


class ScheduleResource(CloudFormationModel):
    """`AWS::Scheduler::Schedule`, new to moto's CloudFormation, which finds models by their base."""

    def __init__(self, name: str):
        self.physical_resource_id = name

    @staticmethod
    def cloudformation_name_type() -> str:
        return "Name"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::Scheduler::Schedule"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name, cloudformation_json, account_id, region_name, **kwargs
    ):
        properties = cloudformation_json["Properties"]
        scheduler_models.scheduler_backends[account_id][region_name].create_schedule(
            description=properties.get("Description"),
            end_date=None,
            flexible_time_window=properties["FlexibleTimeWindow"],
            group_name=None,
            kms_key_arn=None,
            name=resource_name,
            schedule_expression=properties["ScheduleExpression"],
            schedule_expression_timezone=properties.get("ScheduleExpressionTimezone"),
            start_date=None,
            state=properties.get("State"),
            target=properties["Target"],
            action_after_completion=None,
        )
        return cls(resource_name)


def _name_keys() -> None:
    """Give a stack's keys ids that follow from their names in it: what they encrypt outlives the server."""
    original, generate = kms_models.Key.create_from_cloudformation_json.__func__, kms_models.generate_key_id

    def create(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
        name = resource_name.rpartition("-")[0]  # without the random end
        kms_models.generate_key_id = lambda multi_region=False: str(uuid.uuid5(uuid.NAMESPACE_URL, name))
        try:
            return original(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs)
        finally:
            kms_models.generate_key_id = generate

    kms_models.Key.create_from_cloudformation_json = classmethod(create)


def _around_creation(model, before=lambda properties: None, after=lambda resource, properties: None) -> None:
    original = model.create_from_cloudformation_json.__func__

    def create(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs):
        before(cloudformation_json["Properties"])
        resource = original(cls, resource_name, cloudformation_json, account_id, region_name, **kwargs)
        after(resource, cloudformation_json["Properties"])
        return resource

    model.create_from_cloudformation_json = classmethod(create)


def _add_attributes(model, **attributes: Callable) -> None:
    """Make `Fn::GetAtt` know more of a resource."""
    has, get = model.has_cfn_attr, model.get_cfn_attribute

    def get_more(self, name: str):
        return attributes[name](self) if name in attributes else get(self, name)

    model.has_cfn_attr = classmethod(lambda cls, attr: attr in attributes or has(attr))
    model.get_cfn_attribute = get_more


def resolved_definition(properties: dict, s3_client) -> str:
    """A state machine's definition, its substitutions made. Raises ValueError for one without a value."""
    if "DefinitionS3Location" in properties:
        place = properties["DefinitionS3Location"]
        text = s3_client.get_object(Bucket=place["Bucket"], Key=place["Key"])["Body"].read().decode()
    elif "Definition" in properties:
        text = json.dumps(properties["Definition"])
    else:
        text = properties["DefinitionString"]
    for name, value in properties.get("DefinitionSubstitutions", {}).items():
        text = text.replace(f"${{{name}}}", str(value))
    if "${" in text:
        missing = text.split("${", 1)[1].split("}", 1)[0]
        raise ValueError(
            f"{properties.get('StateMachineName')}: the definition has no value for ${{{missing}}}"
        )
    return text


def _notification(queue: dict) -> dict:
    """A bucket's queue notification, from CloudFormation's words to the API's."""
    rules = queue.get("Filter", {}).get("S3Key", {}).get("Rules", [])
    filters = {"Filter": {"Key": {"FilterRules": rules}}} if rules else {}
    return {"QueueArn": queue["Queue"], "Events": [queue["Event"]], **filters}
