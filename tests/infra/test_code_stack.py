"""Who may do what with the code bucket, its key and the copy of the image, judged by a policy engine.

All of bootstrap.yaml but what may be pulled and pushed: that is in test_image_permissions.py.
"""

from itertools import product

import pytest

from tests.infra.judged import ADMINISTRATION, allowed, person
from tests.infra.policies import ACCOUNT, HERE, REGION, Request, Stack, by_role
from tests.infra.templates import template

pytestmark = pytest.mark.usefixtures("engine")

OTHER = "210987654321"
LOGS = f"logs.{REGION}.amazonaws.com"
DATA = ("Decrypt", "Encrypt", "GenerateDataKey", "ReEncryptFrom", "ReEncryptTo")
USES = (*DATA, "CreateGrant", "RetireGrant")


@pytest.fixture(scope="module")
def code() -> Stack:
    return Stack(template("bootstrap"))


def through(service: str) -> dict:
    return {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}


def test_people_manage_the_code_key_and_use_it_through_the_bucket_and_the_repository(code):
    key = code.arn("CodeKey")
    requests = {
        **{action: person(code, f"kms:{action}", key) for action in (*ADMINISTRATION, *USES)},
        **{
            (service, use): person(code, f"kms:{use}", key, **through(service))
            for service, use in product(("s3", "ecr", "dynamodb"), USES)
        },
    }
    assert allowed(code, requests) == {
        *ADMINISTRATION,
        *product(["s3"], ["Decrypt", "GenerateDataKey"]),
        *product(["ecr"], ["CreateGrant", "RetireGrant"]),
    }


def test_the_log_of_the_copy_is_the_one_log_under_the_code_key(code):
    context = "kms:EncryptionContext:aws:logs:arn"
    groups = {
        name: f"arn:aws:logs:{where}:log-group:/aws/codebuild/{name}-copy-image"
        for name, where in (
            ("labelmill", HERE),
            ("another", HERE),
            ("labelmill elsewhere", f"{REGION}:{OTHER}"),
        )
    }
    requests = {
        (name, use): Request(LOGS, f"kms:{use}", code.arn("CodeKey"), {context: group})
        for (name, group), use in product(groups.items(), DATA)
    }
    assert allowed(code, requests) == set(product(["labelmill"], DATA))


def test_the_code_bucket_refuses_plain_http_and_foreign_keys_whoever_asks(code):
    bucket, item = code.arn("CodeBucket"), f"{code.arn('CodeBucket')}/code/0123/jobs.zip"
    header, algorithm = "s3:x-amz-server-side-encryption-aws-kms-key-id", "s3:x-amz-server-side-encryption"
    plain = {"aws:SecureTransport": "false"}
    own, foreign = code.arn("CodeKey"), f"arn:aws:kms:{HERE}:key/another"
    requests = {
        "list over plain HTTP": person(code, "s3:ListBucket", bucket, **plain),
        "read over plain HTTP": person(code, "s3:GetObject", item, **plain),
        "another key": person(code, "s3:PutObject", item, **{header: foreign, algorithm: "aws:kms"}),
        "no key": person(code, "s3:PutObject", item, **{algorithm: "AES256"}),
        "its key": person(code, "s3:PutObject", item, **{header: own, algorithm: "aws:kms"}),
        "its default": person(code, "s3:PutObject", item),
        "list": person(code, "s3:ListBucket", bucket),
        "read": person(code, "s3:GetObject", item),
    }
    assert allowed(code, requests) == {"its key", "its default", "list", "read"}


def test_the_code_bucket_gives_nobody_a_right(code):
    """Neither does it by a Deny turned round: who asks here has no policy of their own."""
    item = f"{code.arn('CodeBucket')}/code/0123/jobs.zip"
    header, algorithm = "s3:x-amz-server-side-encryption-aws-kms-key-id", "s3:x-amz-server-side-encryption"
    said = {
        "over TLS": {},
        "over plain HTTP": {"aws:SecureTransport": "false"},
        "with another key": {header: f"arn:aws:kms:{HERE}:key/another", algorithm: "aws:kms"},
        "with no key": {algorithm: "AES256"},
    }
    requests = {
        (account, circumstances): Request(f"arn:aws:iam::{account}:role/Any", "s3:PutObject", item, context)
        for account, (circumstances, context) in product((ACCOUNT, OTHER), said.items())
    }
    assert allowed(code, requests) == set()


def test_what_copies_reads_its_script_and_writes_its_log_and_no_more(code):
    bucket, key, logs = (
        code.arn("CodeBucket"),
        code.arn("CodeKey"),
        code.arn("CopyImageLogs").removesuffix(":*"),
    )
    s3 = through("s3")["kms:ViaService"]

    def ask(action: str, resource: str, **context: str) -> Request:
        return by_role(code, "CopyImageRole", action, resource, **context)

    requests = {
        "its script": ask("s3:GetObject", f"{bucket}/code/0123/copy_image.py"),
        "the code": ask("s3:GetObject", f"{bucket}/code/0123/jobs.zip"),
        "another script": ask("s3:PutObject", f"{bucket}/code/0123/copy_image.py"),
        "decrypt it": ask("kms:Decrypt", key, kms__ViaService=s3),
        "decrypt by hand": ask("kms:Decrypt", key),
        "encrypt": ask("kms:GenerateDataKey", key, kms__ViaService=s3),
        "open its log": ask("logs:CreateLogStream", f"{logs}:log-stream:1"),
        "write its log": ask("logs:PutLogEvents", f"{logs}:log-stream:1"),
        "write another log": ask("logs:PutLogEvents", f"{logs}-other:log-stream:1"),
    }
    assert allowed(code, requests) == {"its script", "decrypt it", "open its log", "write its log"}


def test_the_copys_role_is_taken_by_codebuild_for_this_account_and_is_denied_nothing(code):
    requests = {
        (service, account): Request(
            f"{service}.amazonaws.com",
            "sts:AssumeRole",
            code.arn("CopyImageRole"),
            {"aws:SourceAccount": account},
        )
        for service, account in product(("codebuild", "lambda", "cloudformation"), (ACCOUNT, OTHER))
    }
    assert allowed(code, requests) == {("codebuild", ACCOUNT)}
    [policy] = code.identity_policies("CopyImageRole")
    assert {statement["Effect"] for statement in policy["Statement"]} == {"Allow"}
