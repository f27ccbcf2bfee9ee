"""What is deployed, and that the same sources give the same bundle."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from infra.deploy.bundle import build
from tests.infra.templates import resources

HANDLERS = [function["Handler"] for function in resources("Lambda::Function").values()]


@pytest.fixture
def sources(tmp_path) -> Path:
    """A checkout of its own, small and free to change."""
    root = tmp_path / "checkout"
    for name in ("processing/prepare.py", "training/train.py", "inference/serve.py", "pipelines/runs.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"# {name}\n")
    for package in ("pipelines", "pipelines/handlers"):
        (root / package).mkdir(exist_ok=True)
        (root / package / "__init__.py").write_text("")
    (root / "pipelines/handlers/start.py").write_text("# a handler\n")
    (root / "pipelines/cli.py").write_text("# not for Lambda\n")
    (root / "pipelines/definitions").mkdir()
    (root / "pipelines/definitions/training.asl.json").write_text('{"States": {}}')
    return root


def test_the_bundle_holds_job_packages_handlers_and_definitions_and_nothing_else(sources, tmp_path):
    (sources / "processing/notes.md").write_text("no code")
    (sources / "processing/__pycache__").mkdir()
    (sources / "processing/__pycache__/prepare.cpython-311.pyc").write_bytes(b"")
    folder = build(tmp_path / "out", sources).folder
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == {
        "jobs/processing/prepare.py",
        "jobs/training/train.py",
        "jobs/inference/serve.py",
        "lambda.zip",
        "definitions/training.asl.json",
        "definitions/vpc/training.asl.json",
    }
    assert zipfile.ZipFile(folder / "lambda.zip").namelist() == [
        "pipelines/__init__.py",
        "pipelines/handlers/__init__.py",
        "pipelines/handlers/start.py",
        "pipelines/runs.py",
    ]


def test_the_same_sources_give_the_same_bytes_whatever_their_times_and_place(sources, tmp_path):
    moved = tmp_path / "elsewhere"
    shutil.copytree(sources, moved)
    for path in moved.rglob("*.py"):
        os.utime(path, (1, 1))
        path.chmod(0o700)
    one, two = build(tmp_path / "one", sources), build(tmp_path / "two", moved)
    assert one.digest == two.digest
    assert (one.folder / "lambda.zip").read_bytes() == (two.folder / "lambda.zip").read_bytes()


@pytest.mark.parametrize(
    "changed",
    ["processing/prepare.py", "pipelines/handlers/start.py", "pipelines/definitions/training.asl.json"],
)
def test_every_change_of_what_is_deployed_gives_another_digest(changed, sources, tmp_path):
    before = build(tmp_path / "out", sources).digest
    with (sources / changed).open("a") as file:
        file.write("\n")
    assert build(tmp_path / "out", sources).digest != before


def test_a_renamed_module_gives_another_digest(sources, tmp_path):
    before = build(tmp_path / "out", sources).digest
    (sources / "processing/prepare.py").rename(sources / "processing/prepared.py")
    assert build(tmp_path / "out", sources).digest != before


def test_what_is_not_deployed_does_not_change_the_digest(sources, tmp_path):
    before = build(tmp_path / "out", sources).digest
    (sources / "pipelines/cli.py").write_text("# changed\n")
    assert build(tmp_path / "out", sources).digest == before


def test_without_definitions_nothing_is_built_and_the_fix_is_named(sources, tmp_path):
    (sources / "pipelines/definitions/training.asl.json").unlink()
    with pytest.raises(FileNotFoundError, match="make definitions"):
        build(tmp_path / "out", sources)


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("bundle")).folder / "lambda.zip"


@pytest.mark.parametrize("handler", HANDLERS)
def test_every_handler_of_the_template_starts_from_the_zip_alone(handler, archive):
    """-I and -S leave Python with its standard library alone; boto3 comes in at the first call."""
    module, _, function = handler.rpartition(".")
    code = (
        f"import sys; sys.path.insert(0, {str(archive)!r}); "
        f"from {module} import {function}; print({function}.__module__)"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == module, done.stderr


def test_uploading_puts_every_file_once(sources, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    bundle = build(tmp_path / "out", sources)
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="code")
        s3.put_bucket_versioning(Bucket="code", VersioningConfiguration={"Status": "Enabled"})
        assert bundle.upload(s3, "code") == f"code/{bundle.digest}"
        bundle.upload(s3, "code")
        versions = s3.list_object_versions(Bucket="code")["Versions"]
        zipped = s3.get_object(Bucket="code", Key=f"code/{bundle.digest}/lambda.zip")["Body"].read()
    assert sorted(version["Key"].removeprefix(f"code/{bundle.digest}/") for version in versions) == [
        "definitions/training.asl.json",
        "definitions/vpc/training.asl.json",
        "jobs/inference/serve.py",
        "jobs/processing/prepare.py",
        "jobs/training/train.py",
        "lambda.zip",
    ]
    assert zipped == (bundle.folder / "lambda.zip").read_bytes()


def test_an_upload_that_broke_off_is_completed(sources, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    bundle = build(tmp_path / "out", sources)
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="code")
        bundle.upload(s3, "code")
        s3.delete_object(Bucket="code", Key=f"{bundle.prefix}/lambda.zip")
        bundle.upload(s3, "code")
        assert s3.list_objects_v2(Bucket="code")["KeyCount"] == 6
