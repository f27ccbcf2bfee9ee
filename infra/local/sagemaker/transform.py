"""What a SageMaker batch transform job does.

The model is served by real processes over HTTP; reading, cutting, joining and writing is done here, where the
service does it. Source: "Batch transform for inference with Amazon SageMaker", CreateTransformJob.
"""

import os
import shutil
import socket
import tarfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from queue import SimpleQueue
from typing import Any

from infra.local.sagemaker import artefact, records, s3
from infra.local.sagemaker.failures import JobFailed, Stopped
from infra.local.sagemaker.invocations import BadAnswer, Client
from infra.local.sagemaker.job import Job, now

_LOOPBACK = ("127.0.0.1", 0)
_MEGABYTE = 2**20
SEE_LOG = "See job logs for more information"


def run(job: Job) -> dict[str, Any]:
    """Model, servers, one output object for each input object. Raises JobFailed or Stopped."""
    request = job.request
    processing = _check(request)
    wanted = min(request.get("MaxConcurrentTransforms") or 1, os.cpu_count() or 1)
    with job.slots(wanted) as count, ExitStack() as stack:
        source = request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
        objects = job.tools.storage.find(source)
        environment = _install_model(job)
        clients: SimpleQueue[Client] = SimpleQueue()
        for number in range(count):
            clients.put(stack.enter_context(_server(job, environment, pinged=number == 0)))
        job.report(TransformStartTime=now())
        pool = stack.enter_context(ThreadPoolExecutor(count))
        for item in objects:
            try:
                _transform(job, item, processing, clients, pool, count)
            except (BadAnswer, records.RecordError) as error:
                if job.stopped.is_set():
                    raise Stopped from None
                job.log(f"[sagemaker logs]: {item.bucket}/{item.key}: {error}")
                kind = error.blame if isinstance(error, BadAnswer) else "ClientError"
                raise JobFailed(f"{kind}: {SEE_LOG}") from None
    if job.stopped.is_set():
        raise Stopped
    return {}


def _check(request: dict[str, Any]) -> records.Processing:
    source = request["TransformInput"]
    known = {"SplitType": ("None", "Line"), "CompressionType": ("None",)}
    for member, values in known.items():
        if source.get(member, "None") not in values:
            raise JobFailed(f"ClientError: the local run does not know {member} {source[member]}")
    try:
        return records.Processing(request.get("DataProcessing", {}))
    except ValueError as error:
        raise JobFailed(f"ClientError: {error}") from None


def _install_model(job: Job) -> dict[str, str]:
    """Unpack the model and its code; returns the environment of the container."""
    request = job.request
    model = job.tools.sagemaker.describe_model(ModelName=request["ModelName"])
    container = model.get("PrimaryContainer") or model["Containers"][0]
    environment = {**container.get("Environment", {}), **request.get("Environment", {})}
    archive = job.folder / "model.tar.gz"
    found = job.tools.storage.find(container["ModelDataUrl"])[0]
    job.tools.storage.fetch(found, archive)
    try:
        artefact.unpack(archive, job.ml / "model")
    except tarfile.TarError as error:
        raise JobFailed(
            f"ClientError: Failed to extract model data archive {container['ModelDataUrl']}: {error}"
        ) from None
    archive.unlink()
    code = job.in_container(environment.get("SAGEMAKER_SUBMIT_DIRECTORY", "/opt/ml/model/code"))
    if not environment.get("SAGEMAKER_PROGRAM") or not code.is_dir():
        raise JobFailed(
            "AlgorithmError: the model needs SAGEMAKER_PROGRAM and a folder SAGEMAKER_SUBMIT_DIRECTORY"
        )
    shutil.copytree(code, job.ml / "code", dirs_exist_ok=True)
    return {
        **environment,
        "AWS_REGION": job.tools.region,
        "SAGEMAKER_BATCH": "true",
        "SAGEMAKER_BATCH_STRATEGY": request.get("BatchStrategy", "MultiRecord"),
        "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": str(request.get("MaxConcurrentTransforms") or 1),
        "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(_max_payload(request)),
    }


def _max_payload(request: dict[str, Any]) -> int:
    payload = request.get("MaxPayloadInMB")
    return 6 if payload is None else payload


@contextmanager
def _server(job: Job, environment: dict[str, str], pinged: bool) -> Iterator[Client]:
    """One serving process and the connection to it.

    The service's ping reaches one of the image's workers; the others load the model while their first
    request waits, for no longer than nginx lets it.
    """
    with socket.create_server(_LOOPBACK) as listener:
        address = listener.getsockname()
        with job.process([], environment, "/opt/ml", listener=listener) as process:
            listener.close()  # Only the process holds it, so a dead process refuses connections.
            settings = job.request.get("ModelClientConfig", {})
            timeout = min(
                settings.get("InvocationsTimeoutInSeconds", 600),
                int(environment.get("SAGEMAKER_MODEL_SERVER_TIMEOUT", 60)),
            )
            client = Client(address, timeout, settings.get("InvocationsMaxRetries", 3))
            try:
                if pinged:
                    client.ping()
                yield client
            except BadAnswer as error:
                if job.stopped.is_set():
                    raise Stopped from None
                job.log(f"[sagemaker logs]: the model server does not answer: {error}")
                raise JobFailed(f"AlgorithmError: {SEE_LOG}") from None
            finally:
                client.close()
                process.kill()


def _transform(
    job: Job,
    item: s3.Object,
    processing: records.Processing,
    clients: SimpleQueue[Client],
    pool: ThreadPoolExecutor,
    ahead: int,
) -> None:
    """Send one object through the model and store what comes out, in the order of the input."""
    request, target = job.request, job.request["TransformOutput"]
    content_type = request["TransformInput"].get("ContentType", "application/octet-stream")
    by_line = target.get("AssembleWith", "None") == "Line"

    def answer(body: bytes) -> bytes:
        client = clients.get()
        try:
            found = client.invoke(processing.body(body), content_type, target.get("Accept"))
        finally:
            clients.put(client)
        result = found if processing.does_nothing else processing.result(body, found)
        return result + b"\n" if by_line and result and not result.endswith(b"\n") else result

    source, result = job.folder / "input" / item.name, job.folder / "output" / f"{item.name}.out"
    job.tools.storage.fetch(item, source)
    result.parent.mkdir(parents=True, exist_ok=True)
    split, strategy = (
        request["TransformInput"].get("SplitType", "None"),
        request.get("BatchStrategy", "MultiRecord"),
    )
    bodies = records.requests(source, split, strategy, (_max_payload(request) or 100) * _MEGABYTE)
    with result.open("wb") as file:
        for part in _in_order(pool, answer, bodies, 2 * ahead):
            file.write(part)
    job.tools.storage.put(
        result, f"{target['S3OutputPath'].rstrip('/')}/{item.name}.out", target.get("KmsKeyId")
    )
    source.unlink()


def _in_order(
    pool: ThreadPoolExecutor, call: Callable[[bytes], bytes], values: Iterator[bytes], ahead: int
) -> Iterator[bytes]:
    """`map` on threads, with at most `ahead` results waiting."""
    waiting: deque[Future[bytes]] = deque()
    try:
        for value in values:
            waiting.append(pool.submit(call, value))
            if len(waiting) > ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()
