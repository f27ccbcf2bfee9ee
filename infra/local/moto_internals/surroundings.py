"""What SageMaker asks of S3 and IAM before it takes a job.

By their interfaces these are a dozen requests for each job: more than all else that it takes to make one.
"""

import json
from typing import Any

from moto.iam import models as iam_models
from moto.s3 import models as s3_models

from infra.local.endpoint import ACCOUNT
from infra.local.refusals import Role
from pipelines.names import split_address


class Surroundings:
    """moto's S3 and IAM."""

    def has_objects(self, uri: str) -> bool:
        """Whether there is an object whose address begins with `uri`; False also without the bucket."""
        name, prefix = split_address(uri)
        backend: Any = s3_models.s3_backends[ACCOUNT]["aws"]
        bucket = backend.buckets.get(name)
        if bucket is None:
            return False
        newest = bucket.keys.below(prefix).values()
        return any(not isinstance(each, s3_models.FakeDeleteMarker) for each in newest)

    def role(self, arn: str) -> Role | None:
        """The role with its policies; None if there is none."""
        backend: Any = iam_models.iam_backends[ACCOUNT]["aws"]
        name = arn.rpartition("/")[2]
        found = next((role for role in backend.get_roles() if role.name == name), None)
        if found is None:
            return None
        attached = (
            version.document
            for policy in found.managed_policies.values()
            for version in policy.versions
            if version.version_id == policy.default_version_id
        )
        policies = (json.loads(document) for document in (*found.policies.values(), *attached))
        return Role(json.loads(found.assume_role_policy_document), tuple(policies))
