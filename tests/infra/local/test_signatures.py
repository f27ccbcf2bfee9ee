"""Who is answered by the local stack: who signs with its key, and is no web page."""

import io
import json
import os
import stat
import urllib.error
import urllib.parse
import urllib.request

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from urllib3 import encode_multipart_formdata

from infra.local.endpoint import REGION, Connection

FORM = "application/x-www-form-urlencoded"


def send(url, data=None, method=None, **headers):
    """Status, headers and body of an answer."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data=data, headers=named, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=20) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def signed(connection, body, headers):
    """The headers, these among them, of a signed request to make a queue."""
    named = {"Content-Type": FORM, **headers}
    request = AWSRequest("POST", connection.endpoint + "/", data=body, headers=named)
    SigV4Auth(Credentials("local", connection.secret), "sqs", REGION).add_auth(request)
    return {name.replace("-", "_"): value for name, value in request.headers.items()}


@pytest.mark.parametrize(
    "headers",
    [
        {"Content_Type": "text/plain"},
        {"Content_Type": FORM},
        {"Content_Type": "text/plain", "Origin": "https://example.com"},
        {"Content_Type": "text/plain", "Origin": "null"},
    ],
    ids=["unsigned text", "unsigned form", "from a page", "from a file"],
)
def test_an_unsigned_request_and_one_of_a_web_page_do_nothing(aws, client, name, headers):
    body = urllib.parse.urlencode({"Action": "CreateQueue", "QueueName": name}).encode()
    status, answered, _ = send(f"{aws.endpoint}/", body, Host=aws.endpoint.removeprefix("http://"), **headers)
    assert status == 403
    assert not [header for header in answered if header.lower().startswith("access-control")]
    assert client("sqs").list_queues(QueueNamePrefix=name).get("QueueUrls", []) == []


@pytest.mark.parametrize("foreign", [{"Origin": "http://127.0.0.1:1"}, {"Host": "labelmill.example:80"}])
def test_even_a_signed_request_is_refused_if_a_page_sends_it_or_it_goes_to_another_host(
    aws, client, name, foreign
):
    asked = {"Action": "CreateQueue", "QueueName": name, "Version": "2012-11-05"}
    body = urllib.parse.urlencode(asked).encode()
    assert send(f"{aws.endpoint}/", body, **signed(aws.connection, body, foreign))[0] == 403
    assert client("sqs").list_queues(QueueNamePrefix=name).get("QueueUrls", []) == []
    assert send(f"{aws.endpoint}/", body, **signed(aws.connection, body, {}))[0] == 200
    assert client("sqs").list_queues(QueueNamePrefix=name)["QueueUrls"]


def test_a_browser_that_asks_whether_it_may_is_told_nothing(aws):
    asked = {"Origin": "https://example.com", "Access_Control_Request_Method": "POST"}
    status, headers, _ = send(f"{aws.endpoint}/", method="OPTIONS", **asked)
    assert status == 403
    assert not [header for header in headers if header.lower().startswith("access-control")]


def test_no_answer_lets_pages_of_other_origins_read_it(aws, client):
    headers = client("sqs").list_queues()["ResponseMetadata"]["HTTPHeaders"]
    assert not [header for header in headers if header.startswith("access-control")]


@pytest.mark.parametrize(
    "path", ["_local/status", "_local/events?after=0", "_local/prune", "moto-api/", "bucket/key"]
)
def test_no_path_is_answered_without_a_signature(aws, path):
    assert send(f"{aws.endpoint}/{path}")[0] == 403
    assert send(f"{aws.endpoint}/{path}", X_Signature="0" * 64)[0] == 403


def test_what_is_only_of_this_server_is_answered_with_its_key_and_refused_with_another(aws):
    assert aws.connection.get("status")["pid"] == aws.pid
    with pytest.raises(urllib.error.HTTPError, match="403"):
        Connection(aws.endpoint, "another").get("status")


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("s3", "list_buckets", "SignatureDoesNotMatch"),
        ("dynamodb", "list_tables", "InvalidSignatureException"),
        ("iam", "list_roles", "SignatureDoesNotMatch"),
        ("lambda", "list_functions", "InvalidSignatureException"),
        ("sagemaker", "list_models", "InvalidSignatureException"),
    ],
)
def test_another_key_is_refused_as_the_service_does_and_the_fix_is_said(aws, service, operation, code):
    with pytest.raises(ClientError, match="Fix: take the settings") as refused:
        getattr(Connection(aws.endpoint, "another").client(service), operation)()
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_another_access_key_id_is_refused(aws):
    session = boto3.Session("another", aws.connection.secret, region_name=REGION)
    with pytest.raises(ClientError, match="InvalidAccessKeyId"):
        session.client("s3", endpoint_url=aws.endpoint).list_buckets()


@pytest.fixture
def bucket(client, name):
    client("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


KEY = "a b/ü+~'(1)=&%41//c"


def test_keys_of_all_characters_are_signed_right(client, bucket):
    client("s3").put_object(
        Bucket=bucket, Key=KEY, Body=b"x", Metadata={"two": "a  b"}, ContentType="text/plain"
    )
    assert client("s3").get_object(Bucket=bucket, Key=KEY)["Body"].read() == b"x"
    [listed] = client("s3").list_objects_v2(Bucket=bucket, Prefix="a b/")["Contents"]
    assert listed["Key"] == KEY


def test_an_upload_in_parts_and_one_in_signed_chunks_arrive(client, bucket):
    from boto3.s3.transfer import TransferConfig

    content = os.urandom(6 << 20)
    parts = TransferConfig(multipart_threshold=5 << 20, multipart_chunksize=5 << 20)
    client("s3").upload_fileobj(io.BytesIO(content), bucket, "parts", Config=parts)
    client("s3").put_object(Bucket=bucket, Key="sum", Body=io.BytesIO(content), ChecksumAlgorithm="SHA256")
    for key in ("parts", "sum"):
        assert client("s3").get_object(Bucket=bucket, Key=key)["Body"].read() == content


def test_a_presigned_address_is_good_for_what_it_says_and_until_then(aws, client, bucket):
    s3 = client("s3")
    put = s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": KEY})
    assert send(put, b"put by address", method="PUT", Content_Type="text/csv")[0] == 200
    get = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": KEY})
    assert send(get)[2] == b"put by address"
    assert send(get.replace(urllib.parse.quote(KEY, safe="/~"), "other"))[0] == 403
    assert send(get, method="DELETE")[0] == 403
    late = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": KEY}, ExpiresIn=-1)
    assert b"expired" in send(late)[2]


def test_another_region_is_signed_right_too(aws):
    boto3.Session("local", aws.connection.secret).client(
        "sqs", endpoint_url=aws.endpoint, region_name="us-east-1", config=Config(proxies={})
    ).list_queues()


def test_the_file_with_the_key_is_its_owners_alone_and_no_other_file_has_the_key(aws):
    path = aws.folder / "endpoint.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["secret"] == aws.connection.secret
    secret = aws.connection.secret.encode()
    assert [p for p in aws.folder.rglob("*") if p.is_file() and secret in p.read_bytes()] == [path]


def test_a_function_signs_with_the_key(client, make_function, name):
    source = (
        "import boto3\ndef handler(event, context): return boto3.client('sqs').create_queue(QueueName=event)"
    )
    arn = make_function(source, timeout=60)
    answer = client("lambda").invoke(FunctionName=arn, Payload=json.dumps(name))
    assert "FunctionError" not in answer
    assert client("sqs").list_queues(QueueNamePrefix=name)["QueueUrls"]


def test_a_form_that_posts_to_s3_is_told_that_it_is_not_imitated_and_what_is(aws, client, bucket):
    post = client("s3").generate_presigned_post(bucket, KEY)
    form, kind = encode_multipart_formdata(post["fields"] | {"file": ("a.csv", b"1")})
    status, _, said = send(post["url"], form, method="POST", Content_Type=kind)
    assert status == 501
    assert b"<Code>NotImplemented</Code>" in said and b"Fix: presign a PUT" in said
