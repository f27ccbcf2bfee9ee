"""One server of the local AWS for the tests of this folder: no stacks, and a fake worker for its jobs."""

import io
import itertools
import json
import uuid
import zipfile

import pytest

from infra.local.stack import LocalStack

FAKE_WORKER = "tests.infra.local.fake_worker:FakeWorker"
#: Roles of jobs: SageMaker may assume them, and they may do everything.
JOB_ROLES = ("prepare", "train")


@pytest.fixture(scope="session")
def aws(tmp_path_factory):
    """The running local AWS."""
    with LocalStack(tmp_path_factory.mktemp("aws"), options=("--empty", "--worker", FAKE_WORKER)) as stack:
        iam = stack.client("iam")
        for name in JOB_ROLES:
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust("sagemaker.amazonaws.com"))
            everything = policy({"Effect": "Allow", "Action": "*", "Resource": "*"})
            iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=everything)
        yield stack


def trust(service):
    """A trust policy for a service."""
    return policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}})


def policy(*statements):
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


@pytest.fixture(scope="session")
def client(aws):
    """Clients of it by service name, each made once."""
    made = {}

    def get(service):
        if service not in made:
            made[service] = aws.client(service)
        return made[service]

    return get


@pytest.fixture
def name():
    """A name nobody else uses."""
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture
def run_machine(aws, client, name):
    """Make a state machine of the given states and run it once; returns the ended execution's description."""
    counter = itertools.count()

    def run(states, start=None, data=None):
        machine = client("stepfunctions").create_state_machine(
            name=f"{name}-{next(counter)}",
            definition=json.dumps({"StartAt": start or next(iter(states)), "States": states}),
            roleArn="arn:aws:iam::123456789012:role/any",
        )["stateMachineArn"]
        arn = client("stepfunctions").start_execution(
            stateMachineArn=machine, name="run", input=json.dumps(data or {})
        )["executionArn"]
        return aws.wait_for_execution(arn)

    return run


@pytest.fixture(scope="session")
def role(client):
    """A role that Lambda may take; the emulator looks at that much."""
    document = trust("lambda.amazonaws.com")
    return client("iam").create_role(RoleName="function", AssumeRolePolicyDocument=document)["Role"]["Arn"]


@pytest.fixture
def make_function(client, name, role):
    """Make a Lambda function whose module `app` has the given source; returns its ARN."""
    counter = itertools.count()

    def make(source, timeout=10, **environment):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as bundle:
            bundle.writestr("app.py", source)
        return client("lambda").create_function(
            FunctionName=f"{name}-{next(counter)}",
            Runtime="python3.13",
            Role=role,
            Handler="app.handler",
            Code={"ZipFile": packed.getvalue()},
            Timeout=timeout,
            Environment={"Variables": environment},
        )["FunctionArn"]

    return make


@pytest.fixture
def make_queue(client, name):
    """Make a queue; returns its URL and ARN."""
    counter = itertools.count()

    def make(**attributes):
        url = client("sqs").create_queue(QueueName=f"{name}-{next(counter)}", Attributes=attributes)[
            "QueueUrl"
        ]
        arn = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, arn["Attributes"]["QueueArn"]

    return make


@pytest.fixture
def receive(client):
    """The next message of a queue, waited for."""

    def get(url):
        (message,) = client("sqs").receive_message(QueueUrl=url, WaitTimeSeconds=20, MaxNumberOfMessages=1)[
            "Messages"
        ]
        client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return json.loads(message["Body"])

    return get
