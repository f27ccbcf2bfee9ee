"""How to reach a local stack: its address and key, clients, and what only it can answer."""

import functools
import hashlib
import hmac
import json
import threading
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from typing import Any

REGION = "eu-central-1"
ACCOUNT = "123456789012"
#: The access key's id. The secret is another one for each server: what it signs is answered, nothing else.
KEY_ID = "local"
#: The file in a stack's folder that says how to reach it. It holds the secret: only its owner may read it.
ENDPOINT_FILE = "endpoint.json"
# Addresses that the front answers beside AWS's interfaces.
LOCAL_PATH = "/_local/"
SIGNATURE_HEADER = "X-Signature"
_making = threading.Lock()


@dataclass(frozen=True)
class Connection:
    """A local stack as a client sees it.

    Attributes:
        endpoint: its address, such as `http://127.0.0.1:40123`.
        secret: the secret access key that requests are signed with.
    """

    endpoint: str
    secret: str = field(repr=False)

    @property
    def settings(self) -> dict[str, str]:
        """The environment in which AWS SDKs and the AWS CLI talk to it."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
        }

    def client(self, service: str, region: str = REGION, validate: bool = True) -> Any:
        """A boto3 client of it, whatever profile or proxy this machine has.

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
            session = _session(self.secret)
            return session.client(service, endpoint_url=self.endpoint, config=config, region_name=region)

    def get(self, what: str, **query: float) -> Any:
        """`events` (after=, timeout=), `quiet` (timeout=), `prune` (timeout=) or `status` of it.

        Raises OSError where none answers, or one with another key.
        """
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        asked = f"{what}?{urllib.parse.urlencode(query)}"
        request = urllib.request.Request(
            f"{self.endpoint}{LOCAL_PATH}{asked}", headers={SIGNATURE_HEADER: signature(self.secret, asked)}
        )
        with opener.open(request, timeout=query.get("timeout", 0) + 10) as response:
            return json.load(response)


def signature(secret: str, asked: str) -> str:
    """What proves to the front that who asks (`WHAT?QUERY`) knows the key, which itself is not sent."""
    return hmac.new(secret.encode(), asked.encode(), hashlib.sha256).hexdigest()


@functools.lru_cache(maxsize=8)
def _session(secret: str) -> Any:
    """One for all clients, as each session reads the models anew. Making clients is not thread-safe."""
    import boto3

    return boto3.Session(KEY_ID, secret)
