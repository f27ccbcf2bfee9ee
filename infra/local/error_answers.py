"""Errors in the form of the service that was asked, so that its clients raise what they raise on AWS."""

import json
import re
from typing import Any
from uuid import uuid4
from xml.sax.saxutils import escape

#: By what S3 calls an error: its name with services that speak JSON, and with those that speak XML. Source:
#: AWS's API references, "Error responses" (Amazon S3), "Common Errors" (Step Functions, IAM).
CODES = {
    "AccessDenied": ("MissingAuthenticationTokenException", "MissingAuthenticationToken"),
    "InvalidAccessKeyId": ("UnrecognizedClientException", "InvalidClientTokenId"),
    "SignatureDoesNotMatch": ("InvalidSignatureException", "SignatureDoesNotMatch"),
    "NotImplemented": ("UnknownOperationException", "InvalidAction"),
}


def error_answer(environ: dict[str, Any], code: str, message: str) -> tuple[dict[str, str], bytes]:
    """Headers and body of an error to the request `environ` (WSGI); `code` is one of CODES.

    Which form it has follows from the request: JSON with a target or by path, XML for forms and for S3.
    """
    json_code, xml_code = CODES[code]
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        error = (
            f"<Error><Type>Sender</Type><Code>{xml_code}</Code><Message>{escape(message)}</Message></Error>"
        )
        return _xml(f"<ErrorResponse>{error}<RequestId>local</RequestId></ErrorResponse>")
    if "HTTP_X_AMZ_TARGET" in environ or _service(environ) not in ("s3", ""):
        body = json.dumps({"__type": json_code, "message": message}).encode()
        headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": json_code}
        return headers | request_id(), body
    return _xml(f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>")


def request_id() -> dict[str, str]:
    """The header that services which speak JSON name each answer by; state machines quote it from errors."""
    return {"x-amzn-RequestId": str(uuid4())}


def _service(environ: dict[str, Any]) -> str:
    """The service that a request is signed for; "" without a signature in its header."""
    found = re.search(r"Credential=[^,]*/([^/,]+)/aws4_request", environ.get("HTTP_AUTHORIZATION", ""))
    return found[1] if found else ""


def _xml(text: str) -> tuple[dict[str, str], bytes]:
    return {"Content-Type": "application/xml"}, f'<?xml version="1.0" encoding="UTF-8"?>{text}'.encode()
