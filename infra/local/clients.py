"""How other programs talk to the local stack, as `labelmill local status --client` says it."""

from infra.local.endpoint import KEY_ID, REGION, Connection
from pipelines.names import address

#: By client: what to do in a shell, or in the client's own language. A bucket's name and address and a
#: queue are examples.
CLIENTS = {
    "aws1": """\
export AWS_ACCESS_KEY_ID={key_id} AWS_SECRET_ACCESS_KEY={secret} AWS_DEFAULT_REGION={region}
aws --endpoint-url {endpoint} s3 ls {address}
aws --endpoint-url {endpoint} sqs get-queue-attributes --queue-url {queue}""",
    "aws2": """\
export AWS_ACCESS_KEY_ID={key_id} AWS_SECRET_ACCESS_KEY={secret} AWS_REGION={region}
aws --endpoint-url {endpoint} s3 ls {address}
aws --endpoint-url {endpoint} sqs get-queue-attributes --queue-url {queue}""",
    "js": """\
const local = {{
  endpoint: "{endpoint}",
  region: "{region}",
  credentials: {{ accessKeyId: "{key_id}", secretAccessKey: "{secret}" }},
}};
const s3 = new S3Client({{ ...local, forcePathStyle: true }});
const sqs = new SQSClient(local);
await s3.send(new ListObjectsV2Command({{ Bucket: "{bucket}" }}));
await sqs.send(new GetQueueAttributesCommand({{ QueueUrl: "{queue}" }}));""",
    "s5cmd": """\
export AWS_ACCESS_KEY_ID={key_id} AWS_SECRET_ACCESS_KEY={secret} AWS_REGION={region}
export S3_ENDPOINT_URL={endpoint}
s5cmd ls {address}""",
    "pyarrow": """\
from pyarrow import fs

s3 = fs.S3FileSystem(
    endpoint_override="{endpoint}",
    region="{region}",
    access_key="{key_id}",
    secret_key="{secret}",
)
print(s3.get_file_info(fs.FileSelector("{bucket}")))""",
    "rclone": """\
export RCLONE_CONFIG_LOCAL_TYPE=s3 RCLONE_CONFIG_LOCAL_PROVIDER=Other RCLONE_CONFIG_LOCAL_REGION={region}
export RCLONE_CONFIG_LOCAL_ACCESS_KEY_ID={key_id} RCLONE_CONFIG_LOCAL_SECRET_ACCESS_KEY={secret}
export RCLONE_CONFIG_LOCAL_ENDPOINT={endpoint}
rclone ls local:{bucket}""",
    "duckdb": """\
CREATE SECRET (
    TYPE s3, KEY_ID '{key_id}', SECRET '{secret}', REGION '{region}',
    ENDPOINT '{host}', URL_STYLE 'path', USE_SSL false
);
SELECT * FROM glob('{address}**');""",
}


def advice(client: str, connection: Connection, bucket: str, queue: str) -> str:
    """What makes `client`, one of CLIENTS, talk to the stack; `bucket` and `queue` (its URL) are examples."""
    return CLIENTS[client].format(
        endpoint=connection.endpoint,
        host=connection.endpoint.removeprefix("http://"),
        key_id=KEY_ID,
        secret=connection.secret,
        region=REGION,
        bucket=bucket,
        address=address(bucket, ""),
        queue=queue,
    )
