"""Who may talk to the local stack: a request that comes from no web page and is signed with its key.

A page that a person has open may send requests to 127.0.0.1 too, and a job runs what it is told to. Browsers
say where such a request comes from (Origin), or send the name of the page's own host (Host, where that name
was made to lead here); neither is answered. front.py asks `check` before all else.
"""

import hashlib
import hmac
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from botocore.auth import SIGV4_TIMESTAMP, S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

from infra.local.endpoint import KEY_ID, LOCAL_PATH, SIGNATURE_HEADER, signature

_ALGORITHM = "AWS4-HMAC-SHA256"
NEXT_STEP = (
    "Fix: take the settings that labelmill local status prints; each start of the stack makes a new key"
)
FOREIGN = "ForeignRequest"


class NotAllowed(Exception):
    """The request must not be answered.

    Attributes:
        reason: FOREIGN, or what S3 calls it: `AccessDenied` (not signed), `InvalidAccessKeyId`,
            `SignatureDoesNotMatch`, `NotImplemented` (signed in a form).
    """

    def __init__(self, reason: str, text: str):
        super().__init__(text)
        self.reason = reason


class Signatures:
    """Judges requests (WSGI environments) to the server on `port` of this machine."""

    def __init__(self, port: int, secret: str):
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        self._secret = secret
        self._credentials = Credentials(KEY_ID, secret)

    def check(self, environ: dict[str, Any]) -> None:
        """Raise NotAllowed unless the request is from this machine's programs and signed with the key.

        The bodies of services other than S3 are read for it, and put back. For S3 the digest that the client
        gives is taken as it is, and so are signatures of single chunks: they protect what is on its way, not
        the server.
        """
        if "HTTP_ORIGIN" in environ or environ.get("HTTP_HOST") not in self._hosts:
            raise NotAllowed(FOREIGN, "web pages may not talk to the local stack")
        path, _, query = environ["REQUEST_URI"].partition("?")
        if path.startswith(LOCAL_PATH):
            asked = environ["REQUEST_URI"].removeprefix(LOCAL_PATH)
            given = environ.get(f"HTTP_{SIGNATURE_HEADER.upper().replace('-', '_')}", "")
            if not hmac.compare_digest(given.encode(), signature(self._secret, asked).encode()):
                raise NotAllowed(
                    "SignatureDoesNotMatch", f"not signed with the key of this stack. {NEXT_STEP}"
                )
            return
        if environ.get("HTTP_AUTHORIZATION", "").startswith(f"{_ALGORITHM} "):
            given = _in_header(environ["HTTP_AUTHORIZATION"])
            time = environ.get("HTTP_X_AMZ_DATE", "")
        else:
            given = {name.removeprefix("X-Amz-"): value for name, value in parse_qsl(query)}
            time = given.get("Date", "")
        if not given and environ.get("CONTENT_TYPE", "").startswith("multipart/form-data"):
            raise NotAllowed("NotImplemented", "a form that posts to S3 is not imitated. Fix: presign a PUT")
        if not {"Credential", "SignedHeaders", "Signature"} <= given.keys():
            raise NotAllowed(
                "AccessDenied", f"the request is not signed (AWS Signature Version 4). {NEXT_STEP}"
            )
        key_id, *scope = given["Credential"].rsplit("/", 4)
        if key_id != KEY_ID or len(scope) != 4:
            raise NotAllowed("InvalidAccessKeyId", f"there is no such access key here. {NEXT_STEP}")
        if not hmac.compare_digest(
            self._signature(environ, path, query, given, scope, time), given["Signature"]
        ):
            raise NotAllowed(
                "SignatureDoesNotMatch", f"signed with another key than this stack's. {NEXT_STEP}"
            )
        if "Expires" in given and _expired(time, given["Expires"]):
            raise NotAllowed("AccessDenied", "Request has expired")

    def _signature(
        self,
        environ: dict[str, Any],
        path: str,
        query: str,
        given: dict[str, str],
        scope: list[str],
        time: str,
    ) -> str:
        """The signature that the request should have, by botocore's own signer."""
        _, region, service, _ = scope
        kind = _S3 if service == "s3" else _Others
        presigned = "Expires" in given
        without = "&".join(part for part in query.split("&") if not part.startswith("X-Amz-Signature="))
        headers = HTTPHeaders()
        for name in given["SignedHeaders"].split(";"):
            headers[name] = _header(environ, name)
        request = AWSRequest(environ["REQUEST_METHOD"], f"http://127.0.0.1{path}?{without}")
        digest = environ.get("HTTP_X_AMZ_CONTENT_SHA256")
        if not digest:
            digest = "UNSIGNED-PAYLOAD" if service == "s3" and presigned else _digest(environ)
        request.headers["X-Amz-Content-SHA256"] = digest
        request.context.update(timestamp=time, signed=headers)
        signer = kind(self._credentials, service, region)
        text = signer.string_to_sign(request, signer.canonical_request(request))
        made: str = signer.signature(text, request)
        return made


class _SignedHeaders:
    """Signs the headers that the client has signed, where botocore's own would choose."""

    def headers_to_sign(self, request: AWSRequest) -> HTTPHeaders:
        signed: HTTPHeaders = request.context["signed"]
        return signed


class _Others(_SignedHeaders, SigV4Auth):
    pass


class _S3(_SignedHeaders, S3SigV4Auth):
    pass


def _in_header(authorization: str) -> dict[str, str]:
    parts = authorization.removeprefix(_ALGORITHM).split(",")
    return {name: value for name, _, value in (part.strip().partition("=") for part in parts)}


def _header(environ: dict[str, Any], name: str) -> str:
    key = name.upper().replace("-", "_")
    value: str = environ.get(key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}", "")
    return value


def _digest(environ: dict[str, Any]) -> str:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    environ["wsgi.input"] = io.BytesIO(body)
    return hashlib.sha256(body).hexdigest()


def _expired(time: str, seconds: str) -> bool:
    try:
        begin = datetime.strptime(time, SIGV4_TIMESTAMP).replace(tzinfo=UTC)
        return datetime.now(UTC) > begin + timedelta(seconds=int(seconds))
    except ValueError:
        return True
