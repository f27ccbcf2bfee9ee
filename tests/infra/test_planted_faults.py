"""Faults that a template or definition could have, planted one at a time: one of our checks finds each."""

import pytest

from infra.local.aws_models import service_model
from tests.definition_checks import graph_problems, guard_problems
from tests.infra import test_machine_permissions as machines
from tests.infra import test_permissions as permissions
from tests.infra import test_template as structure
from tests.infra.policies import Stack, asked
from tests.infra.templates import MACHINES, definition, planted

pytestmark = pytest.mark.usefixtures("engine")


# ---------------------------------------------------------------- checks of definitions


def sound_graphs(stack):
    assert [graph_problems(definition(machine)) for machine in MACHINES] == [[], [], []]


def guarded_tasks(stack):
    assert [guard_problems(definition(machine)) for machine in MACHINES] == [[], [], []]


def known_request_keys(stack):
    for machine in MACHINES:
        for integration, parameters in machines.tasks(stack, machine):
            service, _, operation = integration.removeprefix("aws-sdk:").partition(":")
            name = operation[0].upper() + operation[1:].partition(".")[0]
            known = service_model(service).operation_model(name).input_shape
            assert unknown_keys(parameters, known) == []


def unknown_keys(value, shape) -> list[str]:
    if isinstance(value, list) and shape.type_name == "list":
        return [key for item in value for key in unknown_keys(item, shape.member)]
    if not isinstance(value, dict) or shape.type_name != "structure":
        return []
    names = {key.removesuffix(".$"): item for key, item in value.items()}
    unknown = [name for name in names if name not in shape.members]
    return unknown + [
        key for name in names.keys() & shape.members for key in unknown_keys(names[name], shape.members[name])
    ]


def independent_linter(stack):
    assert asked(lint=[definition(machine) for machine in MACHINES]) == ["", "", ""]


@pytest.mark.parametrize("check", [sound_graphs, guarded_tasks, known_request_keys, independent_linter])
def test_the_definitions_have_none_of_these_faults(check, stack):
    check(stack)


def of_each_machine(check):
    def all_of_them(stack):
        for machine in MACHINES:
            check(machine, stack)

    return all_of_them


def of_the_work_bucket(stack):
    permissions.test_buckets_refuse_plain_http_and_foreign_keys_whoever_asks("WorkBucket", stack)


def private_buckets(stack):
    for bucket in ("Landing", "Work", "Labelled"):
        structure.test_every_bucket_is_private_versioned_and_encrypted_with_its_own_key(
            "template", f"{bucket}Bucket", f"{bucket}Key"
        )


def encrypted(kind, *path):
    def check(stack):
        structure.test_messages_ledger_histories_and_logs_are_encrypted_with_the_operations_key(kind, path)

    return check


def without_stack(check):
    return lambda stack: check()


calls_allowed = of_each_machine(machines.test_a_machines_role_allows_every_call_its_definition_makes)
no_other_calls = of_each_machine(machines.test_a_machines_role_allows_no_action_its_definition_does_not_call)
jobs_locked_down = of_each_machine(machines.test_a_machine_starts_no_job_under_another_key_or_with_a_network)
roles_for_sagemaker = of_each_machine(machines.test_a_role_is_passed_to_sagemaker_only)
substitutions = of_each_machine(structure.test_a_definition_is_given_exactly_what_it_asks_for)
key_use = (
    permissions.test_each_role_may_use_the_keys_its_task_needs_through_the_services_it_needs_and_no_other
)
wildcards = permissions.test_no_action_is_a_wildcard_and_every_wildcard_resource_is_one_the_service_forces


# ---------------------------------------------------------------- faults


def properties(resource: str, change):
    """A fault in one resource's properties."""
    return "template", lambda source: change(source["Resources"][resource]["Properties"])


def statements(policy: str, change):
    """A fault in the statements of one policy."""
    return properties(policy, lambda given: change(given["PolicyDocument"]["Statement"]))


def key_policy(key: str, sid: str, change):
    def plant(given):
        change(next(one for one in given["KeyPolicy"]["Statement"] if one["Sid"] == sid))

    return properties(key, plant)


def state(machine: str, name: str, change):
    """A fault in one state of a definition."""
    return machine, lambda source: change(source["States"][name])


def without_action(action: str):
    def change(given):
        for statement in given:
            if isinstance(statement["Action"], list) and action in statement["Action"]:
                statement["Action"].remove(action)

    return change


def of_action(action: str, change):
    """Change every statement that allows `action`."""

    def change_all(given):
        for statement in given:
            if action in statement["Action"]:
                change(statement)

    return change_all


def without(*path: str):
    """Remove what is at the end of the path."""

    def change(given):
        for name in path[:-1]:
            given = given[name]
        del given[path[-1]]

    return change


def put(value, *path: str):
    def change(given):
        for name in path[:-1]:
            given = given[name]
        given[path[-1]] = value

    return change


def renamed(old: str, new: str):
    def change(given):
        given[new] = given.pop(old)

    return change


def states_all_first(given):
    given["Retry"].insert(0, {**given["Retry"][0], "ErrorEquals": ["States.ALL"]})


FAULTS = {
    # policies
    "a missing AddTags": (
        statements("TrainingMachinePolicy", without_action("sagemaker:AddTags")),
        calls_allowed,
    ),
    "a missing PutTargets": (
        statements("InferenceMachinePolicy", without_action("events:PutTargets")),
        calls_allowed,
    ),
    "a call too many": (
        statements(
            "TrainingMachinePolicy",
            of_action("sagemaker:CreateModel", put("sagemaker:DeleteModel", "Action")),
        ),
        no_other_calls,
    ),
    "a role passed to any service": (
        statements("ComparisonMachinePolicy", of_action("iam:PassRole", without("Condition"))),
        roles_for_sagemaker,
    ),
    "jobs under any key": (
        statements("TrainingMachinePolicy", of_action("sagemaker:CreateTrainingJob", without("Condition"))),
        jobs_locked_down,
    ),
    "a decrypt right too many": (
        key_policy(
            "LandingKey", "ReadDatasets", put({"AWS": {"Fn::GetAtt": ["TuneRole", "Arn"]}}, "Principal")
        ),
        key_use,
    ),
    "decrypting without S3 between": (
        key_policy("LandingKey", "ReadDatasets", without("Condition")),
        permissions.test_no_role_may_decrypt_by_calling_kms_itself,
    ),
    "a wildcard action": (
        statements("TunePolicy", of_action("s3:GetObject", put("s3:*", "Action"))),
        wildcards,
    ),
    "a wildcard resource": (
        statements("TunePolicy", of_action("s3:GetObject", put("*", "Resource"))),
        wildcards,
    ),
    "plain HTTP let in": (statements("WorkBucketPolicy", lambda given: given.pop(0)), of_the_work_bucket),
    # encryption, delivery
    "a public bucket": (
        properties("LabelledBucket", put(False, "PublicAccessBlockConfiguration", "BlockPublicPolicy")),
        private_buckets,
    ),
    "a bucket under another key": (
        properties(
            "WorkBucket",
            lambda given: given["BucketEncryption"]["ServerSideEncryptionConfiguration"][0][
                "ServerSideEncryptionByDefault"
            ].update(KMSMasterKeyID={"Fn::GetAtt": ["LandingKey", "Arn"]}),
        ),
        private_buckets,
    ),
    "a bucket without versions": (
        properties("LandingBucket", without("VersioningConfiguration")),
        private_buckets,
    ),
    "an unencrypted queue": (
        properties("FailureQueue", without("KmsMasterKeyId")),
        encrypted("SQS::Queue", "KmsMasterKeyId"),
    ),
    "an unencrypted topic": (
        properties("MlopsTopic", without("KmsMasterKeyId")),
        encrypted("SNS::Topic", "KmsMasterKeyId"),
    ),
    "logs under no key": (
        properties("TrainingMachineLogs", without("KmsKeyId")),
        encrypted("Logs::LogGroup", "KmsKeyId"),
    ),
    "a key that does not rotate": (
        properties("WorkKey", put(False, "EnableKeyRotation")),
        without_stack(structure.test_every_key_rotates),
    ),
    "a ledger that goes with the stack": (
        ("template", put("Delete", "Resources", "LedgerTable", "DeletionPolicy")),
        without_stack(structure.test_what_holds_data_outlives_the_stack),
    ),
    "a queue whose poison goes round for ever": (
        properties("InferenceQueue", put(1000, "RedrivePolicy", "maxReceiveCount")),
        without_stack(
            structure.test_a_message_that_fails_five_times_goes_to_a_dead_letter_queue_with_an_alarm
        ),
    ),
    "an event that is lost": (
        properties("ModelTrainedRule", lambda given: given["Targets"][0].pop("DeadLetterConfig")),
        without_stack(structure.test_an_event_that_is_not_taken_is_kept),
    ),
    "timeouts that nobody hears of": (
        properties("ExecutionsCutOffRule", put(["ABORTED"], "EventPattern", "detail", "status")),
        structure.test_an_execution_that_is_cut_off_from_outside_is_queued_like_one_that_fails,
    ),
    "failed statements that nobody hears of": (
        properties("StatementFailedRule", put(["FAILED"], "EventPattern", "detail", "state")),
        structure.test_a_statement_that_fails_or_is_stopped_is_told_of,
    ),
    "an order that is lost": (
        properties("TrainingSchedule", without("Target", "DeadLetterConfig")),
        structure.test_a_schedule_orders_datasets_in_its_time_zone_and_an_order_it_cannot_place_is_kept,
    ),
    "a month in another time zone": (
        properties("InferenceSchedule", put("UTC+1", "ScheduleExpressionTimezone")),
        structure.test_a_schedule_orders_datasets_in_its_time_zone_and_an_order_it_cannot_place_is_kept,
    ),
    "orders that come when their tokens are forgotten": (
        properties("TrainingSchedule", put(86400, "Target", "RetryPolicy", "MaximumEventAgeInSeconds")),
        structure.test_an_order_comes_no_later_than_a_client_token_is_known,
    ),
    "statements in any warehouse": (
        statements(
            "UnloadWorkgroupPolicy",
            of_action("redshift-data:ExecuteStatement", put("arn:aws:redshift-serverless:*:*:*", "Resource")),
        ),
        machines.test_a_statement_is_started_in_the_warehouse_given_and_described_by_who_started_it,
    ),
    "anybody's statements described": (
        statements("UnloadPolicy", of_action("redshift-data:DescribeStatement", without("Condition"))),
        machines.test_a_statement_is_started_in_the_warehouse_given_and_described_by_who_started_it,
    ),
    "a substitution without a value": (
        properties("InferenceMachine", without("DefinitionSubstitutions", "LabelledBucket")),
        substitutions,
    ),
    # definitions
    "an unreachable state": (
        ("Training", lambda source: put("Train", "Next")(source["States"]["Prepare"])),
        sound_graphs,
    ),
    "a state that is not there": (state("Inference", "Transform", put("Publsih", "Next")), sound_graphs),
    "a Choice without Default": (state("Training", "GroupKnown", without("Default")), sound_graphs),
    "States.ALL before others": (state("Training", "Prepare", states_all_first), sound_graphs),
    "a task that may wait for ever": (state("Training", "Tune", without("TimeoutSeconds")), guarded_tasks),
    "a task that fails without a word": (state("Comparison", "Compare", without("Catch")), guarded_tasks),
    "a wrong request key": (
        state("Training", "Prepare", lambda given: renamed("RoleArn", "Role")(given["Parameters"])),
        known_request_keys,
    ),
    "a job output without its key": (
        state("Training", "Train", without("Parameters", "OutputDataConfig", "KmsKeyId")),
        calls_allowed,
    ),
    "a job volume without its key": (
        state("Training", "Train", without("Parameters", "ResourceConfig", "VolumeKmsKeyId")),
        calls_allowed,
    ),
    "a job with a network": (
        state("Training", "Train", put(False, "Parameters", "EnableNetworkIsolation")),
        calls_allowed,
    ),
    "a field the language does not know": (
        state("Inference", "Prepare", renamed("ResultSelector", "ResultSelect")),
        independent_linter,
    ),
    "a path that is none": (state("Training", "Prepare", put("prepared", "ResultPath")), independent_linter),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault):
    (source, plant), check = FAULTS[fault]
    with planted(source, plant), pytest.raises((AssertionError, ValueError)):
        check(Stack())
