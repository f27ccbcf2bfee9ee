"""An AWS account that `deploy` and `destroy` can be tried on: what exists in it, and what is to go wrong.

Clients have what the two commands call, and no more.
"""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

from botocore.exceptions import ClientError

from tests.infra.deploy.fake_cloudformation import IDENTIFIERS, FakeCloudFormation

ACCOUNT, REGION = "123456789012", "eu-central-1"


def error(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "so says AWS"}}, operation)


class FakeAccount:
    """One account and Region.

    Attributes:
        things: by type and name or id, each with the `stack` it is in and the `key` it is under.
        faults: why something fails, by action (create, update, import, rollback, delete) and logical name.
        refused: by operation, the error code it is answered with.
        drifts: what DescribeStackResourceDrifts finds.
        images: pushed copies, by tag.
        image_at_aws: byte, in hex, that the digest of AWS's image repeats.
        late_logs: how often more arrives in a bucket while it is emptied, by its name.
        calls: service and method of every call by the commands.
    """

    def __init__(self):
        self.things: dict[tuple[str, str], dict] = {}
        self.faults: dict[tuple[str, str], str] = {}
        self.refused: dict[str, str] = {}
        self.drifts: list[dict] = []
        self.objects: dict[str, bytes] = {}
        self.images: list[str] = []
        self.image_at_aws = "1a"
        self.key_states: dict[str, str] = {}
        self.late_logs: dict[str, int] = {}
        self.calls: set[tuple[str, str]] = set()
        self.cloudformation = FakeCloudFormation(self)

    # ------------------------------------------------------------ for CloudFormation

    def refuse(self, operation: str) -> None:
        if code := self.refused.get(operation):
            raise error(code, operation)

    def name_of(self, resource: dict, parameters: dict[str, str]) -> str | None:
        given = resource.get("Properties", {}).get(IDENTIFIERS.get(resource["Type"]))
        known = {"Name": parameters["Name"], "AWS::AccountId": ACCOUNT, "AWS::Region": REGION}
        text = given["Fn::Sub"] if isinstance(given, dict) else given
        return text and re.sub(r"\$\{([\w:]+)\}", lambda match: known[match[1]], text)

    def let_go(self, physical: str, deleting: bool) -> None:
        """Of what a stack no longer holds: it is deleted (a key later), or there without one."""
        [found] = [thing for thing in self.things if thing[1] == physical]
        if deleting and found[0] == "AWS::KMS::Key":
            self.key_states[physical] = "PendingDeletion"
        if deleting and found[0] != "AWS::KMS::Key":
            del self.things[found]
        else:
            self.things[found]["stack"] = None

    def object_at(self, address: str) -> str:
        return self.objects[address.partition("amazonaws.com/")[2]].decode()

    # ------------------------------------------------------------ for the commands

    def Session(self, region_name):
        assert region_name == REGION
        return self

    def client(self, service: str):
        client = self.cloudformation if service == "cloudformation" else Client(self)
        return Recorder(client, service, self.calls)

    def under(self, kind: str, name: str, missing: str, operation: str) -> str | None:
        """The key of something that has to be there."""
        self.refuse(operation)
        if (kind, name) not in self.things:
            raise error(missing, operation)
        return self.things[kind, name]["key"]


class Recorder:
    """A client whose calls are noted."""

    def __init__(self, client, service: str, calls: set):
        self.client, self.service, self.calls = client, service, calls

    def __getattr__(self, name):
        if name == "get_paginator":
            return lambda operation: (
                self.calls.add((self.service, operation)),
                self.client.get_paginator(operation),
            )[1]
        if name not in ("meta", "get_waiter"):
            self.calls.add((self.service, name))
        return getattr(self.client, name)


class Client:
    """Every service's calls in one place: their names do not meet."""

    meta = SimpleNamespace(endpoint_url=f"https://s3.{REGION}.amazonaws.com", region_name=REGION)

    def __init__(self, account: FakeAccount):
        self.account = account

    def get_caller_identity(self):
        self.account.refuse("GetCallerIdentity")
        return {"Account": ACCOUNT}

    def get_bucket_encryption(self, Bucket, ExpectedBucketOwner):
        assert ExpectedBucketOwner == ACCOUNT
        key = self.account.under("AWS::S3::Bucket", Bucket, "NoSuchBucket", "GetBucketEncryption")
        default = {"KMSMasterKeyID": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key}"} if key else {}
        rule = {"ApplyServerSideEncryptionByDefault": default}
        return {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}

    def put_object(self, Bucket, Key, Body):
        self.account.objects[Key] = Body

    def describe_table(self, TableName):
        kind = "AWS::DynamoDB::Table"
        key = self.account.under(kind, TableName, "ResourceNotFoundException", "DescribeTable")
        return {"Table": {"SSEDescription": {"KMSMasterKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{key}"}}}

    def describe_repositories(self, repositoryNames):
        kind, [name] = "AWS::ECR::Repository", repositoryNames
        key = self.account.under(kind, name, "RepositoryNotFoundException", "DescribeRepositories")
        return {"repositories": [{"encryptionConfiguration": {"kmsKey": key}}]}

    def get_paginator(self, operation):
        return SimpleNamespace(paginate=getattr(self, operation))

    def list_objects_v2(self, Bucket, Prefix):
        return [{}]

    def list_object_versions(self, Bucket, PaginationConfig):
        return [{}]

    def describe_images(self, repositoryName, filter):
        pushed = datetime(2026, 1, 1, tzinfo=UTC)
        images = [
            {
                "imageDigest": "sha256:" + tag[-2:] * 32,
                "imageTags": [tag],
                "imagePushedAt": pushed + timedelta(days=number),
            }
            for number, tag in enumerate(self.account.images)
        ]
        return [{"imageDetails": images}]

    def start_build(self, projectName, environmentVariablesOverride):
        assert projectName in {name for kind, name in self.account.things if "CodeBuild" in kind}
        status = "FAILED" if "StartBuild" in self.account.refused else "SUCCEEDED"
        if status == "SUCCEEDED":
            self.account.images.append(f"3.2-0-{self.account.image_at_aws * 6}")
        return {"build": {"id": "copy:1", "buildStatus": status, "logs": {"deepLink": "https://logs/1"}}}

    def describe_key(self, KeyId):
        state = self.account.key_states.get(KeyId, "Enabled")
        return {"KeyMetadata": {"KeyManager": "CUSTOMER", "KeyState": state}}

    def schedule_key_deletion(self, KeyId, PendingWindowInDays):
        assert PendingWindowInDays == 30
        if self.account.key_states.get(KeyId) == "PendingDeletion":
            raise error("KMSInvalidStateException", "ScheduleKeyDeletion")  # API, ScheduleKeyDeletion
        self.account.key_states[KeyId] = "PendingDeletion"

    def delete_bucket(self, Bucket):
        if self.account.late_logs.get(Bucket, 0):
            self.account.late_logs[Bucket] -= 1
            raise error("BucketNotEmpty", "DeleteBucket")
        del self.account.things["AWS::S3::Bucket", Bucket]

    def update_table(self, TableName, DeletionProtectionEnabled):
        self.account.things["AWS::DynamoDB::Table", TableName]["protected"] = DeletionProtectionEnabled

    def get_waiter(self, name):
        return SimpleNamespace(wait=lambda **request: None)

    def delete_table(self, TableName):
        thing = self.account.things.pop(("AWS::DynamoDB::Table", TableName))
        assert thing["protected"] is False

    def delete_repository(self, repositoryName, force):
        assert force, "ECR deletes no repository that has images, unless told so (API, DeleteRepository)"
        del self.account.things["AWS::ECR::Repository", repositoryName]
