"""How to reach a local stack: Region, credentials that open nothing, clients, and what only it can answer."""

import functools
import json
import threading
import urllib.parse
import urllib.request
from typing import Any

REGION = "eu-central-1"
ACCOUNT = "123456789012"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
}
ENDPOINT_FILE = "endpoint.json"
# Addresses that the front answers beside AWS's interfaces.
LOCAL_PATH = "/_local/"
_making = threading.Lock()


def client(service: str, endpoint: str, region: str = REGION, validate: bool = True) -> Any:
    """A boto3 client of the local stack at `endpoint`, whatever profile or proxy this machine has.

    `validate` is botocore's own look at a request; without, the service is the one to refuse it.
    """
    from botocore.config import Config  # here, so that `labelmill local down` does not wait for it

    config = Config(
        parameter_validation=validate,
        proxies={},
        retries={"total_max_attempts": 1},
        read_timeout=900,
        max_pool_connections=64,
    )
    with _making:
        return _session().client(service, endpoint_url=endpoint, config=config, region_name=region)


@functools.cache
def _session() -> Any:
    """One for all clients, as each session reads the models anew. Making clients is not thread-safe."""
    import boto3

    return boto3.Session("local", "local")


def get(endpoint: str, what: str, **query: float) -> Any:
    """`events` (after=, timeout=), `quiet` (timeout=), `prune` (timeout=) or `status` of a stack.

    Raises OSError where none answers.
    """
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    address = f"{endpoint}{LOCAL_PATH}{what}?{urllib.parse.urlencode(query)}"
    with opener.open(address, timeout=query.get("timeout", 0) + 10) as response:
        return json.load(response)
