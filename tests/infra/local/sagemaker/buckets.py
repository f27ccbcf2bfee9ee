"""S3 for a worker, by its API: what infra/local/moto_internals/buckets.py is from inside."""

import contextlib
import os
from pathlib import Path

from botocore.exceptions import ClientError

from infra.local.objects import Found, NotAnswered


class Buckets:
    """`s3` is a boto3 client."""

    def __init__(self, s3):
        self._s3 = s3

    def find(self, bucket: str, prefix: str) -> list[Found]:
        with answers():
            listed = self._s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
        return [Found(each["Key"], each["ETag"], each["Size"]) for each in listed]

    def fetch(self, bucket: str, key: str, target: Path) -> None:
        with answers():
            answer = self._s3.get_object(Bucket=bucket, Key=key)
        target.write_bytes(answer["Body"].read())
        moment = answer["LastModified"].timestamp()
        os.utime(target, (moment, moment))

    def put(self, bucket: str, key: str, file: Path, kms_key: str | None) -> None:
        encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        with answers():
            self._s3.put_object(Bucket=bucket, Key=key, Body=file.read_bytes(), **encryption)


@contextlib.contextmanager
def answers():
    try:
        yield
    except ClientError as error:
        raise NotAnswered(str(error)) from None
