"""How to reach a local stack: Region, credentials that open nothing, clients, and what only it can tell."""

import json
import urllib.parse
import urllib.request

REGION = "eu-central-1"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "local",
    "AWS_SECRET_ACCESS_KEY": "local",
    "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION,
}
ENDPOINT_FILE = "endpoint.json"
# Addresses that the front answers beside AWS's interfaces.
LOCAL_PATH = "/_local/"


def client(service: str, endpoint: str):
    """A boto3 client of the local stack at `endpoint`, whatever profile or proxy this machine has."""
    import boto3  # here, so that `labelmill local down` does not wait for it
    from botocore.config import Config

    session = boto3.Session("local", "local", region_name=REGION)
    config = Config(proxies={}, retries={"total_max_attempts": 1}, read_timeout=900, max_pool_connections=32)
    return session.client(service, endpoint_url=endpoint, config=config)


def get(endpoint: str, what: str, **query: float):
    """`events` (after=, timeout=), `quiet` (timeout=) or `status` of a stack; OSError where none answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    address = f"{endpoint}{LOCAL_PATH}{what}?{urllib.parse.urlencode(query)}"
    with opener.open(address, timeout=query.get("timeout", 0) + 10) as response:
        return json.load(response)
