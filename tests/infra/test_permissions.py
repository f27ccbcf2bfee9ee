"""Who may do what, judged by a policy engine, both ways: what is listed is allowed, all else denied."""

from functools import partial
from itertools import product

import pytest

from tests.infra.faults import assert_found, key_policy, of_action, put, statements, without
from tests.infra.judged import ADMINISTRATION, JOBS, allowed, person
from tests.infra.policies import ACCOUNT, HERE, REGION, VALUES, Request, Stack, by_role

pytestmark = pytest.mark.usefixtures("engine")

KEYS = ("LandingKey", "WorkKey", "LabelledKey", "OperationsKey")
MACHINES = ("TrainingMachineRole", "InferenceMachineRole", "ComparisonMachineRole")
STARTERS = ("StartTrainingRole", "StartInferenceRole", "TestModelRole", "StartComparisonRole")
CHECK_MONTH = ("CheckMonthRole", "CheckMonthSchedulerRole")
SENDERS = (*STARTERS[2:], *CHECK_MONTH, "UnloadRole", "StatementFinishedRole", "SchedulerRole")
TELLERS = ("CheckMonthRole", "UnloadRole", "StatementFinishedRole")
READ_AND_WRITE = {"kms:Decrypt", "kms:GenerateDataKey"}
#: What each role may do with a key when a service asks on its behalf.
THROUGH_A_SERVICE = {
    **{(role, "WorkKey", "s3"): {*READ_AND_WRITE, "kms:Encrypt"} for role in JOBS},
    ("PrepareRole", "LandingKey", "s3"): {"kms:Decrypt"},
    ("WarehouseRole", "LandingKey", "s3"): READ_AND_WRITE,
    ("UnloadRole", "WorkKey", "s3"): {"kms:Decrypt"},
    **{
        (role, "LabelledKey", "s3"): {*READ_AND_WRITE, "kms:Encrypt"} for role in ("PublishRole", "AmendRole")
    },
    ("TrainingMachineRole", "WorkKey", "s3"): READ_AND_WRITE,
    ("InferenceMachineRole", "WorkKey", "s3"): READ_AND_WRITE,
    ("InferenceMachineRole", "LabelledKey", "s3"): READ_AND_WRITE,
    ("CheckMonthRole", "WorkKey", "s3"): READ_AND_WRITE,
    ("CheckMonthRole", "LabelledKey", "s3"): READ_AND_WRITE,
    **{(role, "OperationsKey", "sqs"): READ_AND_WRITE for role in (*MACHINES, *SENDERS)},
    **{(role, "OperationsKey", "sqs"): {"kms:Decrypt"} for role in STARTERS[:2]},
    **{(role, "OperationsKey", "sns"): READ_AND_WRITE for role in (*MACHINES, *TELLERS)},
    **{
        (role, "OperationsKey", "dynamodb"): {"kms:Decrypt"}
        for role in (*MACHINES, "TestModelRole", "StartComparisonRole", *TELLERS)
    },
}
#: SageMaker says Encrypt without another service between.
ENCRYPT_OUTPUT = {(role, "WorkKey") for role in JOBS} | {
    (role, "LabelledKey") for role in ("PublishRole", "AmendRole")
}

RUN = "runs/DE-weee/DE-weee-training-2026-10-0f3a9c21d4e5"
LANDED = (
    "LandingBucket/training/DE-weee/2026-10/d1/manifest",
    "LandingBucket/inference/DE-weee/2026-10/d1/a.csv",
)
CODEBOOK = "WorkBucket/codebooks/DE-weee/2026-10.json"
CODE = f"CodeBucket/{VALUES['CodePrefix']}/jobs/processing/prepare.py"
OUTPUTS = {
    name: f"WorkBucket/{RUN}/{name}/file"
    for name in (
        *("train", "validation", "test", "items", "truth", "rejected", "report"),
        *("features", "tune", "model", "predictions", "evidence", "manifest"),
    )
}
#: What Featurize reports beside Prepare.
FOUND = (f"WorkBucket/{RUN}/report/doubtful.parquet", f"WorkBucket/{RUN}/report/borrowed.json")
TEST_LABELS = "WorkBucket/predictions/DE-weee/set/model/run/labels.parquet"
LABELS = "LabelledBucket/labels/DE-weee/2026-10/run/labels.parquet"
CURRENT = "LabelledBucket/current/DE-weee/2026-10/labels.parquet"
TRAINED = f"WorkBucket/{RUN}/model/DE-weee-2026-10-1a2b3c4d/output/model.tar.gz"
KEPT = "WorkBucket/models/DE-weee/DE-weee-2026-10-1a2b3c4d/model.tar.gz"
SHARED = "WorkBucket/shared/unu/DE-weee/rows.parquet"
REVIEWED = "WorkBucket/reviewed/DE-weee/run/decisions.jsonl"
TEXTS = "WorkBucket/texts/DE-weee/run.parquet"
SHEET = "WorkBucket/sheets/DE-weee/run/decisions.jsonl"
MANIFESTS = {
    "staged for the test": f"WorkBucket/{RUN}/manifest/manifest.json",
    "staged for people": f"LabelledBucket/{RUN}/manifest/manifest.json",
    "of the test": TEST_LABELS.replace("labels.parquet", "manifest.json"),
    "for people": LABELS.replace("labels.parquet", "manifest.json"),
}
OBJECTS = (
    *LANDED,
    CODEBOOK,
    CODE,
    f"CodeBucket/{VALUES['CodePrefix']}/lambda.zip",
    f"CodeBucket/{VALUES['CodePrefix']}/definitions/training.asl.json",
    "CodeBucket/code/fedcba9876543210/jobs/processing/prepare.py",
    *OUTPUTS.values(),
    *FOUND,
    TEST_LABELS,
    LABELS,
    CURRENT,
    REVIEWED,
    TEXTS,
    SHEET,
    SHARED,
    TRAINED,
    KEPT,
    *MANIFESTS.values(),
)


def outputs(*names: str) -> set[str]:
    return {OUTPUTS[name] for name in names}


READS = {
    "PrepareRole": {*LANDED, CODEBOOK, CODE, REVIEWED, TEXTS, *outputs("test")},
    "FeaturizeRole": {CODEBOOK, CODE, SHARED, REVIEWED, *outputs("train", "validation")},
    "TuneRole": {CODE, *outputs("features")},
    "TrainRole": {CODEBOOK, CODE, *outputs("features")},
    "TransformRole": {KEPT, *outputs("items")},
    "PublishRole": {
        *(CODEBOOK, CODE, LABELS, REVIEWED, MANIFESTS["for people"], *FOUND),
        *outputs("items", "truth", "rejected", "predictions", "report", "evidence"),
    },
    "AmendRole": {CODEBOOK, CODE, SHEET, LABELS, MANIFESTS["for people"]},
    "CompareRole": {CODEBOOK, CODE, TEST_LABELS, MANIFESTS["of the test"], *FOUND, *outputs("report")},
    "TrainingMachineRole": {TRAINED},
    "InferenceMachineRole": {
        *(MANIFESTS["staged for the test"], MANIFESTS["staged for people"], LABELS, SHEET, KEPT)
    },
    "CheckMonthRole": {LABELS, SHEET},
    "WarehouseRole": {*LANDED},
    "UnloadRole": {CODEBOOK},
}
WRITES = {
    "PrepareRole": {
        SHARED,
        TEXTS,
        *FOUND,
        *outputs("train", "validation", "test", "items", "truth", "rejected", "report"),
    },
    "FeaturizeRole": {*FOUND, *outputs("features")},
    "TuneRole": outputs("tune"),
    "TrainRole": {TRAINED, *outputs("model")},
    "TrainingMachineRole": {KEPT},
    "TransformRole": outputs("predictions"),
    "PublishRole": {TEST_LABELS, LABELS, *MANIFESTS.values(), *outputs("manifest")},
    "AmendRole": {LABELS, MANIFESTS["staged for people"], MANIFESTS["for people"]},
    "CompareRole": outputs("evidence"),
    "InferenceMachineRole": {MANIFESTS["of the test"], MANIFESTS["for people"], CURRENT, REVIEWED},
    "CheckMonthRole": {CURRENT, REVIEWED},
    "WarehouseRole": {*LANDED},
}


def object_arn(stack: Stack, path: str) -> str:
    bucket, _, key = path.partition("/")
    return f"arn:aws:s3:::{stack.ref(bucket)}/{key}"


def via(service: str) -> dict:
    return {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}


def key_requests(stack: Stack, roles) -> dict:
    """Every role, key, service and action there is."""
    actions = ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey")
    return {
        (role, key, service, action): by_role(stack, role, action, stack.arn(key), **via(service))
        for role, key, service, action in product(roles, KEYS, ("s3", "sqs", "sns", "dynamodb"), actions)
    }


def test_each_role_may_use_the_keys_its_task_needs_through_the_services_it_needs_and_no_other(stack):
    expected = {(*where, action) for where, actions in THROUGH_A_SERVICE.items() for action in actions}
    expected |= {
        (role, key, service, "kms:Encrypt")
        for (role, key), service in product(ENCRYPT_OUTPUT, ("s3", "sqs", "sns", "dynamodb"))
    }
    assert allowed(stack, key_requests(stack, stack.roles())) == expected


def test_no_role_may_decrypt_by_calling_kms_itself(stack):
    requests = {
        (role, key, action): by_role(stack, role, action, stack.arn(key))
        for role, key, action in product(
            stack.roles(), KEYS, ("kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom")
        )
    }
    assert allowed(stack, requests) == set()


def test_only_jobs_have_volumes_encrypted_and_only_through_a_service(stack):
    requests = {
        (role, key, through): by_role(
            stack, role, "kms:CreateGrant", stack.arn(key), **{"kms:GrantIsForAWSResource": through}
        )
        for role, key, through in product(stack.roles(), KEYS, ("true", "false"))
    }
    assert allowed(stack, requests) == {(role, "WorkKey", "true") for role in JOBS}


def encrypting_for(stack: Stack, context: str, whose: tuple[str, ...]) -> set[tuple[str, str, str]]:
    """Role, use and whose data: what the operations key allows to roles that say whose it is."""
    requests = {
        (role, use, named): by_role(
            stack,
            role,
            use,
            stack.arn("OperationsKey"),
            **{f"kms:EncryptionContext:{context}": named},
        )
        for role, use, named in product(
            stack.roles(), ("kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"), whose
        )
    }
    return allowed(stack, requests)


def test_executions_are_encrypted_for_those_who_start_and_run_them(stack):
    machine = stack.arn("TrainingMachine")
    found = encrypting_for(
        stack, "aws:states:stateMachineArn", (machine, machine.replace("labelmill", "other"))
    )
    assert found == set(product((*MACHINES, *STARTERS), READ_AND_WRITE, [machine]))


def test_machines_encrypt_the_logs_that_they_hand_over_for_this_account(stack):
    logs = f"arn:aws:logs:{HERE}:*"
    found = encrypting_for(stack, "SourceArn", (logs, logs.replace(ACCOUNT, "210987654321")))
    assert found == set(product(MACHINES, ["kms:GenerateDataKey"], [logs]))


@pytest.mark.parametrize(("action", "expected"), [("s3:GetObject", READS), ("s3:PutObject", WRITES)])
def test_each_role_reads_and_writes_the_objects_of_its_task_and_no_other(action, expected, stack):
    requests = {
        (role, path): by_role(stack, role, action, object_arn(stack, path))
        for role, path in product(stack.roles(), OBJECTS)
    }
    found = allowed(stack, requests)
    assert found == {(role, path) for role, paths in expected.items() for path in paths}


def test_whoever_reads_code_decrypts_it_through_s3_and_writes_none(stack):
    requests = {
        (role, service, use): by_role(stack, role, use, stack.values["CodeKeyArn"], **said)
        for role, (service, said), use in product(
            stack.roles(), {"s3": via("s3"), "sqs": via("sqs"), "": {}}.items(), READ_AND_WRITE
        )
    }
    readers = [role for role, paths in READS.items() if CODE in paths]
    assert allowed(stack, requests) == set(product(readers, ["s3"], ["kms:Decrypt"]))


def test_what_is_written_stays(stack):
    actions = ("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutBucketPolicy", "s3:PutObjectAcl")
    for action in actions:
        on_bucket = action == "s3:PutBucketPolicy"
        requests = {
            (role, path): by_role(
                stack, role, action, stack.arn(path.split("/")[0]) if on_bucket else object_arn(stack, path)
            )
            for role, path in product(stack.roles(), (LANDED[0], OUTPUTS["model"], LABELS))
        }
        assert allowed(stack, requests) == set(), action
    assert not any(
        "Delete" in action
        for role in (*JOBS, *MACHINES)
        for action in stack.granted(role)
        if action.startswith(("s3", "dynamodb"))
    )


def test_a_job_lists_the_folders_it_reads(stack):
    elsewhere = [f"{bucket}/other/file" for bucket in ("LandingBucket", "WorkBucket", "LabelledBucket")]
    requests = {
        (role, path): by_role(
            stack,
            role,
            "s3:ListBucket",
            f"arn:aws:s3:::{stack.ref(path.split('/')[0])}",
            **{"s3:prefix": folder(path)},
        )
        for role, path in product(JOBS, (*OBJECTS, *elsewhere))
        if not path.endswith(("zip", "asl.json"))
    }
    same_folder = {
        (role, path)
        for role in JOBS
        for path in OBJECTS
        if folder(path) in {folder(read) for read in READS[role]}
    }
    assert allowed(stack, requests) == same_folder & set(requests)


def folder(path: str) -> str:
    return path.partition("/")[2].rpartition("/")[0] + "/"


@pytest.mark.parametrize("bucket", ["LandingBucket", "WorkBucket", "LabelledBucket"])
def test_buckets_refuse_plain_http_and_foreign_keys_whoever_asks(bucket, stack):
    item, key = f"{stack.arn(bucket)}/x", bucket.replace("Bucket", "Key")
    header, algorithm = "s3:x-amz-server-side-encryption-aws-kms-key-id", "s3:x-amz-server-side-encryption"
    requests = {
        "plain HTTP": person(stack, "s3:GetObject", item, **{"aws:SecureTransport": "false"}),
        "another key": person(
            stack, "s3:PutObject", item, **{header: stack.arn("OperationsKey"), algorithm: "aws:kms"}
        ),
        "no key": person(stack, "s3:PutObject", item, **{algorithm: "AES256"}),
        "its key": person(stack, "s3:PutObject", item, **{header: stack.arn(key), algorithm: "aws:kms"}),
        "its default": person(stack, "s3:PutObject", item),
        "read": person(stack, "s3:GetObject", item),
    }
    assert allowed(stack, requests) == {"its key", "its default", "read"}


def test_people_use_keys_by_their_own_policies_and_administrators_manage_them(stack):
    landing, labelled = stack.arn("LandingKey"), stack.arn("LabelledKey")
    requests = {
        "deliver": person(stack, "kms:GenerateDataKey", landing, **via("s3")),
        "look at labels": person(stack, "kms:Decrypt", labelled, **via("s3")),
        "write labels": person(stack, "kms:GenerateDataKey", labelled, **via("s3")),
        "decrypt by hand": person(stack, "kms:Decrypt", labelled),
        "alias": person(stack, "kms:CreateAlias", labelled),
        "rotate": person(stack, "kms:EnableKeyRotation", labelled),
        "change the policy": person(stack, "kms:PutKeyPolicy", labelled),
    }
    assert allowed(stack, requests) == set(requests) - {"write labels", "decrypt by hand"}


def test_a_key_is_closed_to_everybody_of_another_account_and_to_a_role_of_the_same_name_there(stack):
    everything = person(stack, "kms:Decrypt", "").policies
    other = "210987654321"
    strangers = [f"arn:aws:iam::{other}:role/Admin"]
    strangers += [stack.arn(role).replace(ACCOUNT, other) for role in stack.roles()]
    machine = {"kms:EncryptionContext:aws:states:stateMachineArn": stack.arn("TrainingMachine")}
    delivery = {"kms:EncryptionContext:SourceArn": f"arn:aws:logs:{HERE}:*"}
    said = [*map(via, ("s3", "sqs", "sns", "dynamodb")), machine, delivery, {}]
    requests = {
        (who, key, use, str(context)): Request(
            who, use, stack.arn(key), {"aws:PrincipalArn": who, **context}, everything
        )
        for who, key, use, context in product(
            strangers, KEYS, ("kms:Decrypt", "kms:GenerateDataKey", "kms:Encrypt"), said
        )
    }
    requests |= {
        (who, key, "kms:CreateGrant", ""): Request(
            who,
            "kms:CreateGrant",
            stack.arn(key),
            {"aws:PrincipalArn": who, "kms:GrantIsForAWSResource": "true"},
            everything,
        )
        for who, key in product(strangers, KEYS)
    }
    assert allowed(stack, requests) == set()


@pytest.mark.parametrize("key", KEYS)
def test_administrators_of_the_account_manage_a_key_and_do_not_use_it_by_that(key, stack):
    uses = ("Decrypt", "Encrypt", "GenerateDataKey", "CreateGrant", "ReEncryptFrom", "ReEncryptTo")
    requests = {action: person(stack, f"kms:{action}", stack.arn(key)) for action in (*ADMINISTRATION, *uses)}
    assert allowed(stack, requests) == set(ADMINISTRATION)


@pytest.mark.parametrize(
    ("key", "services", "uses"),
    [
        ("LandingKey", ("s3",), {"Decrypt", "GenerateDataKey"}),
        ("WorkKey", ("s3",), {"Decrypt", "GenerateDataKey"}),
        ("LabelledKey", ("s3",), {"Decrypt"}),
        # DynamoDB's own uses for whoever makes the table ("Encryption at rest: usage notes").
        (
            "OperationsKey",
            ("dynamodb", "sns", "sqs"),
            {"CreateGrant", "Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo"},
        ),
    ],
)
def test_people_use_a_key_through_the_services_whose_data_it_keeps(key, services, uses, stack):
    every = ("CreateGrant", "Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo")
    requests = {
        (service, use): person(stack, f"kms:{use}", stack.arn(key), **via(service))
        for service, use in product(("s3", "dynamodb", "sns", "sqs", "secretsmanager"), every)
    }
    assert allowed(stack, requests) == set(product(services, uses))


def test_people_read_and_start_executions_of_this_stack(stack):
    machine = stack.arn("TrainingMachine")
    requests = {
        (whose, use): person(
            stack,
            f"kms:{use}",
            stack.arn("OperationsKey"),
            **{"kms:EncryptionContext:aws:states:stateMachineArn": whose},
        )
        for whose, use in product(
            (machine, machine.replace("labelmill", "other")), ("Decrypt", "GenerateDataKey", "Encrypt")
        )
    }
    assert allowed(stack, requests) == {(machine, "Decrypt"), (machine, "GenerateDataKey")}


def test_a_role_of_the_stack_gains_no_key_by_a_wider_policy_of_its_own(stack):
    wide = person(stack, "kms:Decrypt", "").policies
    machine = {"kms:EncryptionContext:aws:states:stateMachineArn": stack.arn("TrainingMachine")}
    circumstances = [*map(via, ("s3", "sqs", "sns", "dynamodb")), machine]
    own = {
        (role, key, use, str(said)): by_role(stack, role, use, stack.arn(key), **said)
        for role, key, use, said in product(
            stack.roles(), KEYS, ("kms:Decrypt", "kms:GenerateDataKey"), circumstances
        )
    }
    wider = {
        case: Request(asked.principal, asked.action, asked.resource, asked.context, wide)
        for case, asked in own.items()
    }
    assert allowed(stack, wider) == allowed(stack, own)


#: Who besides the jobs lists a bucket, and what.
LISTS = {
    "WarehouseRole": {"inference/DE-weee/2026-10/d1/", "training/DE-weee/2026-10/d1/"},
    "CheckMonthRole": {"inference/DE-weee/2026-10/d1/"},
    "StartTrainingRole": {"training/DE-weee/2026-10/d1/"},
    "StartInferenceRole": {"inference/DE-weee/2026-10/d1/"},
    "StatementFinishedRole": {
        "inference/DE-weee/2026-10/d1/manifest",
        "training/DE-weee/2026-10/d1/manifest",
    },
}


def test_who_lists_what_has_landed(stack):
    prefixes = (
        *("inference/DE-weee/2026-10/d1/", "training/DE-weee/2026-10/d1/", "other/"),
        *("inference/DE-weee/2026-10/d1/manifest", "training/DE-weee/2026-10/d1/manifest"),
    )
    requests = {
        (role, prefix): by_role(
            stack, role, "s3:ListBucket", stack.arn("LandingBucket"), **{"s3:prefix": prefix}
        )
        for role, prefix in product((role for role in stack.roles() if role not in JOBS), prefixes)
    }
    expected = {
        (role, prefix)
        for role, folders in LISTS.items()
        for prefix in prefixes
        if prefix in folders
        or (role != "StatementFinishedRole" and prefix.removesuffix("manifest") in folders)
    }
    assert allowed(stack, requests) == expected


def test_whoever_uploads_in_parts_may_give_an_upload_up(stack):
    requests = {
        (role, path): by_role(stack, role, "s3:AbortMultipartUpload", object_arn(stack, path))
        for role, path in product(stack.roles(), OBJECTS)
    }
    uploads = {role: WRITES[role] for role in (*JOBS, "WarehouseRole")}
    assert allowed(stack, requests) == {(role, path) for role, paths in uploads.items() for path in paths}


def test_no_action_is_a_wildcard_and_every_wildcard_resource_is_one_the_service_forces(stack):
    known = {
        "cloudwatch:PutMetricData",
        "ecr:GetAuthorizationToken",
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
        "redshift-data:DescribeStatement",
        "xray:GetSamplingRules",
        "xray:GetSamplingTargets",
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
    for role in stack.roles():
        for policy in stack.identity_policies(role):
            for statement in policy["Statement"]:
                actions = (
                    statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
                )
                assert not any("*" in action for action in actions), (role, actions)
                if statement["Resource"] == "*":
                    assert set(actions) <= known, (role, actions)


def test_services_use_the_operations_key_for_this_stack_alone(stack):
    key, queue_bucket = stack.arn("OperationsKey"), stack.arn("LandingBucket")

    def service(name: str, action: str, **context: str) -> Request:
        return Request(name, action, key, context)

    here = {"aws:SourceAccount": ACCOUNT}
    logs = f"logs.{REGION}.amazonaws.com"
    group = "kms:EncryptionContext:aws:logs:arn"
    requests = {
        "notify": service(
            "s3.amazonaws.com", "kms:GenerateDataKey", **here, **{"aws:SourceArn": queue_bucket}
        ),
        "notify for another bucket": service(
            "s3.amazonaws.com", "kms:GenerateDataKey", **here, **{"aws:SourceArn": "arn:aws:s3:::other"}
        ),
        **{
            f"keep an event in {queue}": service(
                "events.amazonaws.com",
                "kms:GenerateDataKey",
                **{"kms:EncryptionContext:aws:sqs:arn": stack.arn(queue)},
            )
            for queue in stack.of_type("SQS::Queue")
        },
        "keep an event anywhere": service("events.amazonaws.com", "kms:GenerateDataKey", **here),
        "log": service(
            logs, "kms:Encrypt", **{group: f"arn:aws:logs:{HERE}:log-group:/aws/lambda/labelmill-test-model"}
        ),
        "log for another stack": service(
            logs, "kms:Encrypt", **{group: f"arn:aws:logs:{HERE}:log-group:/aws/lambda/other"}
        ),
    }
    kept = {f"keep an event in {queue}" for queue in ("EventsDeadLetterQueue", "FailureQueue")}
    assert allowed(stack, requests) == {"notify", "log", *kept}


FAULTS = {
    "a decrypt right too many": (
        key_policy(
            "LandingKey",
            "ReadDatasets",
            put({"Fn::GetAtt": ["TuneRole", "Arn"]}, "Condition", "ArnEquals", "aws:PrincipalArn"),
        ),
        test_each_role_may_use_the_keys_its_task_needs_through_the_services_it_needs_and_no_other,
    ),
    "decrypting without S3 between": (
        key_policy("LandingKey", "ReadDatasets", without("Condition")),
        test_no_role_may_decrypt_by_calling_kms_itself,
    ),
    "a wildcard action": (
        statements("TunePolicy", of_action("s3:GetObject", put("s3:*", "Action"))),
        test_no_action_is_a_wildcard_and_every_wildcard_resource_is_one_the_service_forces,
    ),
    "a wildcard resource": (
        statements("TunePolicy", of_action("s3:GetObject", put("*", "Resource"))),
        test_no_action_is_a_wildcard_and_every_wildcard_resource_is_one_the_service_forces,
    ),
    "plain HTTP let in": (
        statements("WorkBucketPolicy", lambda given: given.pop(0)),
        partial(test_buckets_refuse_plain_http_and_foreign_keys_whoever_asks, "WorkBucket"),
    ),
    "roles let in by their own policies": (
        key_policy("LandingKey", "People", without("Condition", "ArnNotLike")),
        test_a_role_of_the_stack_gains_no_key_by_a_wider_policy_of_its_own,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault):
    assert_found(*FAULTS[fault])
