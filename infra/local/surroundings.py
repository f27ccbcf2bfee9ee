"""What SageMaker asks of S3 and IAM before it takes a job, at the local stack."""

from typing import Any

from infra.local.refusals import Role
from pipelines.names import split_address


class Surroundings:
    """S3 and IAM, each by a boto3 client of the local stack."""

    def __init__(self, s3: Any, iam: Any):
        self._s3, self._iam = s3, iam

    def has_objects(self, uri: str) -> bool:
        """Whether there is an object whose address begins with `uri`; False also without the bucket."""
        bucket, prefix = split_address(uri)
        try:
            return bool(self._s3.list_objects_v2(Bucket=bucket, Prefix=prefix, MaxKeys=1)["KeyCount"])
        except self._s3.exceptions.ClientError:
            return False

    def role(self, arn: str) -> Role | None:
        """The role with its policies; None if there is none."""
        name = arn.rpartition("/")[2]
        try:
            trust = self._iam.get_role(RoleName=name)["Role"]["AssumeRolePolicyDocument"]
        except self._iam.exceptions.NoSuchEntityException:
            return None
        inline = self._iam.list_role_policies(RoleName=name)["PolicyNames"]
        policies = [
            self._iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"] for policy in inline
        ]
        for attached in self._iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            version = self._iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]["DefaultVersionId"]
            found = self._iam.get_policy_version(PolicyArn=attached["PolicyArn"], VersionId=version)
            policies.append(found["PolicyVersion"]["Document"])
        return Role(trust, tuple(policies))
