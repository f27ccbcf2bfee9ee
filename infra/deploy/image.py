"""The jobs' image: which one it is, where AWS keeps it, and how a copy comes into one's own repository.

Which image runs is the template's parameter ImageUri. What copies is copy_image.py, inside CodeBuild.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from infra.deploy.copy_image import AWS_REPOSITORY
from pipelines.errors import Refused

if TYPE_CHECKING:
    from datetime import datetime

    from types_boto3_codebuild import CodeBuildClient
    from types_boto3_ecr import ECRClient

#: SageMaker XGBoost, as AWS tags it. AWS patches it until 2027-05-13: the tag then leads to another digest.
VERSION = "3.2-0"
#: Who owns it in each Region: the SageMaker SDK's table of image addresses for xgboost (v2.257, its 3.0-5),
#: but for China and GovCloud, which are not offered.
AWS_ACCOUNTS = {
    "af-south-1": "510948584623",
    "ap-east-1": "651117190479",
    "ap-northeast-1": "354813040037",
    "ap-northeast-2": "366743142698",
    "ap-northeast-3": "867004704886",
    "ap-south-1": "720646828776",
    "ap-south-2": "628508329040",
    "ap-southeast-1": "121021644041",
    "ap-southeast-2": "783357654285",
    "ap-southeast-3": "951798379941",
    "ap-southeast-4": "106583098589",
    "ca-central-1": "341280168497",
    "ca-west-1": "190319476487",
    "eu-central-1": "492215442770",
    "eu-central-2": "680994064768",
    "eu-north-1": "662702820516",
    "eu-south-1": "978288397137",
    "eu-south-2": "104374241257",
    "eu-west-1": "141502667606",
    "eu-west-2": "764974769150",
    "eu-west-3": "659782779980",
    "il-central-1": "898809789911",
    "me-central-1": "272398656194",
    "me-south-1": "801668240914",
    "sa-east-1": "737474898029",
    "us-east-1": "683313688378",
    "us-east-2": "257758044811",
    "us-west-1": "746614075791",
    "us-west-2": "246618743249",
}
ADDRESS = re.compile(r"[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/[a-z0-9._/-]+@sha256:[0-9a-f]{64}")
POLL_SECONDS = 5


class ImageError(Refused):
    """There is no image to run jobs on; the message says why and what to do."""


def problem_with(address: str) -> str | None:
    """What is wrong with the address of an image that somebody wants jobs to run on, and the fix."""
    accounts = "|".join(AWS_ACCOUNTS.values())
    if re.match(rf"({accounts})\.[^/]+/{AWS_REPOSITORY}([:@]|$)", address):
        return (
            f"image {address} is in AWS's own repository: SageMaker takes it for a built-in algorithm there, "
            "and refuses a search with our own metrics and hyperparameters. "
            "Fix: leave ImageUri out, and `labelmill deploy` copies the image into a repository of yours"
        )
    if not ADDRESS.fullmatch(address):
        wanted = "ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY@sha256:DIGEST"
        return f"image {address} is not of the form {wanted}. Fix: write it like that"
    return None


def newest_copy(ecr: ECRClient, repository_uri: str) -> str | None:
    """Address, with digest, of the copy of this VERSION that came last into the own repository, or None."""
    copies = _copies(ecr, repository_uri)
    return max(copies)[1] if copies else None


def copy_to_run(ecr: ECRClient, repository_uri: str, running: str | None) -> str | None:
    """The image `running` now if it is a copy of this VERSION, else the newest copy, or None."""
    is_copy = running in {address for _, address in _copies(ecr, repository_uri)}
    return running if is_copy else newest_copy(ecr, repository_uri)


def _copies(ecr: ECRClient, repository_uri: str) -> list[tuple[datetime, str]]:
    """When each copy of this VERSION came, and its address."""
    repository = repository_uri.partition("/")[2]
    pages = ecr.get_paginator("describe_images").paginate(
        repositoryName=repository, filter={"tagStatus": "TAGGED"}
    )
    return [
        (image["imagePushedAt"], f"{repository_uri}@{image['imageDigest']}")
        for page in pages
        for image in page["imageDetails"]
        if any(tag.startswith(f"{VERSION}-") for tag in image["imageTags"])
    ]


def copy(
    codebuild: CodeBuildClient,
    project: str,
    script: str,
    show: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Let CodeBuild copy AWS's image and wait for it; `show` gets each phase of the build.

    Args:
        codebuild: boto3 client.
        project: output CopyImageProject of the code stack.
        script: address of copy_image.py, `s3://...`.

    Raises:
        ImageError: the build did not succeed.
    """
    variables = {"SCRIPT": script, "IMAGE_VERSION": VERSION}
    build = codebuild.start_build(
        projectName=project,
        environmentVariablesOverride=[{"name": name, "value": value} for name, value in variables.items()],
    )["build"]
    phase = None
    while build["buildStatus"] == "IN_PROGRESS":
        if build.get("currentPhase") != phase:
            phase = build["currentPhase"]
            show(phase)
        sleep(POLL_SECONDS)
        [build] = codebuild.batch_get_builds(ids=[build["id"]])["builds"]
    if build["buildStatus"] != "SUCCEEDED":
        log = build.get("logs", {}).get("deepLink", "/aws/codebuild/" + project)
        raise ImageError(
            f"build {build['id']} that copies the image is {build['buildStatus']}. "
            f"Fix: resolve what its log says, then deploy again: {log}"
        )


def versions_at_aws(ecr: ECRClient, region: str) -> dict[str, str]:
    """Digest by version of what AWS offers in `region`: of VERSION it may be newer than that of the copy.

    Raises ClientError where AWS lets its repository be pulled from but not listed: no document says.
    """
    pages = ecr.get_paginator("list_images").paginate(
        registryId=AWS_ACCOUNTS[region], repositoryName=AWS_REPOSITORY, filter={"tagStatus": "TAGGED"}
    )
    images = [image for page in pages for image in page["imageIds"]]
    return {
        image["imageTag"]: image["imageDigest"]
        for image in images
        if re.fullmatch(r"\d+\.\d+-\d+", image["imageTag"])
    }
