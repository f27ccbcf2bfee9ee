"""How other programs talk to the local stack: what is printed, what the page says, and what runs here."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from infra.local.clients import CLIENTS, advice
from infra.local.endpoint import REGION, Connection
from pipelines import cli

PAGE = (Path(__file__).parents[3] / "docs" / "clients.md").read_text()
#: What the page says in the place of what differs from stack to stack.
EXAMPLE = Connection("http://127.0.0.1:PORT", "SECRET"), "BUCKET", "http://127.0.0.1:PORT/123456789012/QUEUE"


@pytest.mark.parametrize("name", CLIENTS)
def test_the_page_says_of_each_client_what_the_command_prints(name, aws, capsys):
    assert re.search(rf"^## {name}\n\n```\w+\n(.*?)\n```$", PAGE, re.MULTILINE | re.DOTALL)[1] == advice(
        name, *EXAMPLE
    )
    assert f"| `{name}` |" in PAGE
    assert cli.main(["local", "status", "--client", name, "--dir", str(aws.folder)]) == 0
    assert capsys.readouterr().out == advice(name, aws.connection, "BUCKET", "QUEUE") + "\n"


@pytest.fixture
def place(client, name):
    client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    client("s3").put_object(Bucket=name, Key="a.csv", Body=b"1")
    return name, client("sqs").create_queue(QueueName=name)["QueueUrl"]


def clean():
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def test_pyarrow_runs_as_printed(aws, place):
    code = advice("pyarrow", aws.connection, *place)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=clean())
    assert f"{place[0]}/a.csv" in done.stdout, done.stderr


@pytest.mark.skipif(shutil.which("aws") is None, reason="the AWS CLI is not installed")
def test_the_aws_cli_runs_as_printed(aws, place):
    version = subprocess.run(["aws", "--version"], capture_output=True, text=True).stdout
    code = "set -e\n" + advice(f"aws{version.removeprefix('aws-cli/')[0]}", aws.connection, *place)
    done = subprocess.run(["sh", "-c", code], capture_output=True, text=True, env=clean())
    assert done.returncode == 0, done.stderr
    assert "a.csv" in done.stdout


@pytest.mark.parametrize(
    ("service", "operation", "arguments", "code"),
    [
        ("amplify", "list_apps", {}, "UnknownOperationException"),  # a service that is not imitated
        ("fis", "list_actions", {}, "UnknownOperationException"),
        ("lambda", "get_account_settings", {}, "UnknownOperationException"),  # a path that is not
        ("redshift-data", "list_databases", {"Database": "x"}, "UnknownOperationException"),
        ("sns", "list_sms_sandbox_phone_numbers", {}, "InvalidAction"),
    ],
)
def test_a_call_that_is_not_imitated_is_an_error_of_its_service_and_no_page(
    client, service, operation, arguments, code
):
    with pytest.raises(ClientError, match="the local stack does not imitate this call") as refused:
        getattr(client(service), operation)(**arguments)
    assert refused.value.response["Error"]["Code"] == code
    assert client("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_an_object_that_is_a_page_is_answered_as_it_is(client, place):
    client("s3").put_object(Bucket=place[0], Key="page.html", Body=b"<p>", ContentType="text/html")
    assert client("s3").get_object(Bucket=place[0], Key="page.html")["Body"].read() == b"<p>"
