"""S3's objects as files of the run folder."""

import os
import shutil

import pytest
from botocore.exceptions import ClientError, WaiterError

from infra.local.objects import ObjectFolder
from tests.infra.local.memory import read_from_proc, resident_mib
from tests.infra.local.sagemaker.job_requests import processing_request


@pytest.fixture
def bucket(client, name):
    place = {"LocationConstraint": "eu-central-1"}
    client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=place)
    return name


@pytest.fixture
def versioned(client, bucket):
    client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


def test_an_object_lies_at_its_own_name(aws, client, bucket):
    client("s3").put_object(Bucket=bucket, Key="labels/group=DE-weee/manifest.json", Body=b"{}")
    path = aws.folder / "s3" / bucket / "labels" / "group=DE-weee" / "manifest.json"
    assert path.read_bytes() == b"{}"
    client("s3").delete_object(Bucket=bucket, Key="labels/group=DE-weee/manifest.json")
    assert not path.exists()


def test_a_large_object_comes_in_parts_and_is_one_file(aws, client, bucket, tmp_path):
    content = os.urandom(1024) * (20 * 1024)
    (tmp_path / "big").write_bytes(content)
    client("s3").upload_file(str(tmp_path / "big"), bucket, "big")
    assert (aws.folder / "s3" / bucket / "big").read_bytes() == content
    assert client("s3").head_object(Bucket=bucket, Key="big")["ETag"].endswith('-3"')
    end = client("s3").get_object(Bucket=bucket, Key="big", Range="bytes=-10")["Body"].read()
    assert end == content[-10:]


@read_from_proc
def test_large_bodies_do_not_stay_in_the_servers_memory(aws, client, bucket):
    body = bytes(8 * 2**20)
    for _ in range(3):
        client("s3").put_object(Bucket=bucket, Key="large", Body=body)
    before = resident_mib(aws.pid)
    for _ in range(20):
        client("s3").put_object(Bucket=bucket, Key="large", Body=body)
    assert resident_mib(aws.pid) < before + 3 * 8


def test_the_file_is_the_newest_version_and_older_ones_can_be_read(aws, client, versioned):
    s3 = client("s3")
    versions = [s3.put_object(Bucket=versioned, Key="a", Body=body)["VersionId"] for body in (b"old", b"new")]
    path = aws.folder / "s3" / versioned / "a"
    assert path.read_bytes() == b"new"
    assert s3.get_object(Bucket=versioned, Key="a", VersionId=versions[0])["Body"].read() == b"old"
    s3.delete_object(Bucket=versioned, Key="a")
    assert not path.exists()
    assert s3.get_object(Bucket=versioned, Key="a", VersionId=versions[1])["Body"].read() == b"new"
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket=versioned, Key="a")


def test_deleting_the_newest_version_brings_the_older_one_back(aws, client, versioned):
    s3 = client("s3")
    _, newest = (
        s3.put_object(Bucket=versioned, Key="a", Body=body)["VersionId"] for body in (b"old", b"new")
    )
    s3.delete_object(Bucket=versioned, Key="a", VersionId=newest)
    assert (aws.folder / "s3" / versioned / "a").read_bytes() == b"old"
    assert s3.get_object(Bucket=versioned, Key="a")["Body"].read() == b"old"


def test_writing_again_keeps_the_last_content(aws, client, bucket):
    for body in (b"first", b"second"):
        client("s3").put_object(Bucket=bucket, Key="a", Body=body)
    assert client("s3").get_object(Bucket=bucket, Key="a")["Body"].read() == b"second"
    assert (aws.folder / "s3" / bucket / "a").read_bytes() == b"second"


def test_a_copy_is_an_object_of_its_own(aws, client, bucket):
    client("s3").put_object(Bucket=bucket, Key="a", Body=b"same")
    client("s3").copy_object(Bucket=bucket, Key="b", CopySource={"Bucket": bucket, "Key": "a"})
    client("s3").delete_object(Bucket=bucket, Key="a")
    assert (aws.folder / "s3" / bucket / "b").read_bytes() == b"same"


@pytest.mark.parametrize(
    "key", ["../../outside", "a//b", "x/../../../y", "folder/", "Wäsche & mehr.csv", "n" * 400]
)
def test_any_key_can_be_stored_and_none_leaves_the_folder(aws, client, bucket, key):
    before = {path for path in aws.folder.parent.rglob("*") if (aws.folder / "s3") not in path.parents}
    client("s3").put_object(Bucket=bucket, Key=key, Body=key.encode())
    assert client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()
    after = {path for path in aws.folder.parent.rglob("*") if (aws.folder / "s3") not in path.parents}
    assert after == before


def test_a_key_and_a_key_below_it_can_both_be_stored(client, bucket):
    for key in ("a", "a/b", "c/d", "c"):
        client("s3").put_object(Bucket=bucket, Key=key, Body=key.encode())
    for key in ("a", "a/b", "c/d", "c"):
        assert client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()


@pytest.fixture
def copy_job(client, name):
    """Run a job that copies what is below one address to another; returns how it ended."""

    def run(source, target, key="alias/work"):
        output = {"S3Uri": target, "LocalPath": "/opt/ml/processing/output", "S3UploadMode": "EndOfJob"}
        outputs = {"Outputs": [{"OutputName": "all", "S3Output": output}], "KmsKeyId": key}
        members = {"ProcessingOutputConfig": outputs, "RoleArn": "arn:aws:iam::123456789012:role/prepare"}
        job = processing_request(f"copies-{name}", source, "none", **members)
        client("sagemaker").create_processing_job(**job)
        wait = client("sagemaker").get_waiter("processing_job_completed_or_stopped")
        try:
            wait.wait(ProcessingJobName=job["ProcessingJobName"], WaiterConfig={"Delay": 0})
        except WaiterError as failed:
            return failed.last_response["FailureReason"]
        return "Completed"

    return run


def test_a_job_reads_and_writes_objects_as_any_client_does(aws, client, versioned, copy_job):
    s3 = client("s3")
    for key in ("in/b", "in/a/deep", "in-no", "in/gone"):
        s3.put_object(Bucket=versioned, Key=key, Body=key.encode())
    s3.delete_object(Bucket=versioned, Key="in/gone")
    s3.put_object(Bucket=versioned, Key="out/b", Body=b"before")
    assert copy_job(f"s3://{versioned}/in/", f"s3://{versioned}/out/") == "Completed"
    found = s3.list_objects_v2(Bucket=versioned, Prefix="out/")["Contents"]
    assert [(each["Key"], each["Size"]) for each in found] == [("out/a/deep", 9), ("out/b", 4)]
    made = s3.get_object(Bucket=versioned, Key="out/b")
    assert made["Body"].read() == b"in/b"
    assert (made["ServerSideEncryption"], made["SSEKMSKeyId"]) == ("aws:kms", "alias/work")
    assert made["ETag"] == s3.head_object(Bucket=versioned, Key="in/b")["ETag"]
    assert (aws.folder / "s3" / versioned / "out" / "b").read_bytes() == b"in/b"
    older, newer = s3.list_object_versions(Bucket=versioned, Prefix="out/b")["Versions"][::-1]
    assert newer["VersionId"] == made["VersionId"] and newer["IsLatest"]
    older = s3.get_object(Bucket=versioned, Key="out/b", VersionId=older["VersionId"])
    assert older["Body"].read() == b"before"


def test_a_job_cannot_write_to_a_bucket_that_is_not_there(client, bucket, copy_job):
    client("s3").put_object(Bucket=bucket, Key="in/a", Body=b"a")
    ended = copy_job(f"s3://{bucket}/in/", f"s3://not-{bucket}/out/")
    assert ended.startswith("An error occurred (NoSuchBucket) when calling the PutObject operation: The ")


@pytest.mark.parametrize("kind", ["a file", "a symbolic link"])
def test_what_a_job_wrote_stays_when_its_folder_is_removed(tmp_path, kind):
    job = tmp_path / "job"
    job.mkdir()
    written = job / "written"
    written.write_bytes(b"labels")
    if kind == "a symbolic link":
        written = job / "link"
        written.symlink_to("written")
    stored = ObjectFolder(tmp_path / "s3").store("bucket", "labels", written)
    shutil.rmtree(job)
    assert stored.read() == b"labels"


def test_what_cannot_have_a_second_name_is_copied(tmp_path, monkeypatch):
    """As on another file system."""
    (tmp_path / "written").write_bytes(b"labels")
    monkeypatch.setattr(os, "link", lambda *names: (_ for _ in ()).throw(OSError("another file system")))
    stored = ObjectFolder(tmp_path / "s3").store("bucket", "labels", tmp_path / "written")
    assert stored.read() == b"labels"
    assert not os.path.samefile(stored.path, tmp_path / "written")


def test_a_listing_has_the_keys_of_its_prefix_in_their_order(client, bucket):
    s3 = client("s3")
    keys = ["a", "a/", "a/b", "a/c/d", "a/é", "aa", "b"]
    for key in reversed(keys):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"again")
    s3.delete_object(Bucket=bucket, Key="b")

    def listed(**asked):
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, PaginationConfig={"PageSize": 2}, **asked
        )
        return [
            each.get("Key") or each["Prefix"]
            for page in pages
            for each in page.get("Contents", []) + page.get("CommonPrefixes", [])
        ]

    assert listed() == keys[:-1]
    assert listed(Prefix="a/") == ["a/", "a/b", "a/c/d", "a/é"]
    assert sorted(listed(Prefix="a/", Delimiter="/")) == ["a/", "a/b", "a/c/", "a/é"]
    assert listed(Prefix="c") == []
    s3.put_object(Bucket=bucket, Key="b", Body=b"")
    assert listed(Prefix="b") == ["b"]
