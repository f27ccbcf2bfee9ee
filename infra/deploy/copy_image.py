"""Copies AWS's image into the account's own repository, byte for byte: run by CodeBuild, alone, with boto3.

The manifest is put as it was read, so the digest stays the same. `docker pull` and `push` would not promise
that, and want a privileged build; image.py starts this and reads what it has left.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import urllib.request
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from types_boto3_ecr import ECRClient

Read: TypeAlias = Callable[[str], IO[bytes]]

AWS_REPOSITORY = "sagemaker-xgboost"
#: One image for one platform. A list of images has other contents and is not copied.
MANIFESTS = [
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
]


class NotCopied(Exception):
    """The message names the image, what is wrong and the fix."""


def copy(
    ecr: ECRClient, account: str, version: str, repository: str, read: Read = urllib.request.urlopen
) -> str:
    """Copy AWS's image `version` into `repository`; what is there already is not copied again.

    Args:
        ecr: boto3 client of the Region.
        account: AWS's account that holds the image, 12 digits.
        version: the image's tag at AWS, such as `3.2-0`.
        repository: name of the own repository. The copy's tag there is the version and the digest's start.
        read: opens an address as a file of bytes.

    Returns:
        The digest, `sha256:` and 64 hex digits.

    Raises:
        NotCopied: AWS has no such image, or something other than what its digest says.
    """
    found = ecr.batch_get_image(
        registryId=account,
        repositoryName=AWS_REPOSITORY,
        imageIds=[{"imageTag": version}],
        acceptedMediaTypes=MANIFESTS,
    )
    name = f"{account}/{AWS_REPOSITORY}:{version}"
    if not found["images"]:
        raise NotCopied(
            f"{name}: {found['failures']}. Fix: name a version that AWS has, in infra/deploy/image.py"
        )
    [image] = found["images"]
    text, digest = image["imageManifest"], image["imageId"]["imageDigest"]
    if "sha256:" + hashlib.sha256(text.encode()).hexdigest() != digest:
        raise NotCopied(
            f"{name}: the manifest is not that of {digest}. Fix: start again; then ask AWS's support"
        )
    manifest = json.loads(text)
    blobs = [manifest["config"], *manifest["layers"]]
    for number, blob in enumerate(blobs, 1):
        print(f"{number} of {len(blobs)}: {blob['size'] / 1e6:.1f} MB, {blob['digest']}", flush=True)
        if not _is_there(ecr, repository, blob["digest"]):
            _copy_blob(ecr, account, blob["digest"], repository, read)
    try:
        # ECR itself refuses a manifest that has another digest than the one given.
        ecr.put_image(
            repositoryName=repository,
            imageManifest=text,
            imageManifestMediaType=image["imageManifestMediaType"],
            imageTag=f"{version}-{digest.removeprefix('sha256:')[:12]}",
            imageDigest=digest,
        )
    except ecr.exceptions.ImageAlreadyExistsException:
        print("the copy is there already")
    return digest


def _is_there(ecr: ECRClient, repository: str, digest: str) -> bool:
    found = ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=[digest])
    return any(layer["layerAvailability"] == "AVAILABLE" for layer in found["layers"])


def _copy_blob(ecr: ECRClient, account: str, digest: str, repository: str, read: Read) -> None:
    """Copy a layer, or the image's configuration, which ECR holds like one. ECR checks the digest."""
    address = ecr.get_download_url_for_layer(
        registryId=account, repositoryName=AWS_REPOSITORY, layerDigest=digest
    )["downloadUrl"]
    upload = ecr.initiate_layer_upload(repositoryName=repository)
    first = 0
    with read(address) as source:
        while part := source.read(upload["partSize"]):
            ecr.upload_layer_part(
                repositoryName=repository,
                uploadId=upload["uploadId"],
                partFirstByte=first,
                partLastByte=first + len(part) - 1,
                layerPartBlob=part,
            )
            first += len(part)
    try:
        ecr.complete_layer_upload(
            repositoryName=repository, uploadId=upload["uploadId"], layerDigests=[digest]
        )
    except ecr.exceptions.LayerAlreadyExistsException:
        print("  another copy was faster")


def main() -> int:
    """Copy what the environment says; what CodeBuild sets is in infra/bootstrap.yaml."""
    import boto3

    given = os.environ
    try:
        digest = copy(
            boto3.client("ecr"), given["AWS_IMAGE_ACCOUNT"], given["IMAGE_VERSION"], given["REPOSITORY"]
        )
    except NotCopied as error:
        print(error)
        return 1
    print(f"{given['REPOSITORY']} has {digest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
