"""ECR with AWS's repository and one of ours, as far as a copy goes; requests must be valid for botocore."""

import hashlib
import io
import json
from datetime import UTC, datetime, timedelta

from infra.local.aws_models import check, service_model

AWS_ACCOUNT, VERSION = "492215442770", "3.2-0"
REPOSITORY = "labelmill-jobs"
URI = f"123456789012.dkr.ecr.eu-central-1.amazonaws.com/{REPOSITORY}"
PART_BYTES = 10


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


class ImageAlreadyExistsException(Exception): ...


class LayerAlreadyExistsException(Exception): ...


class Exceptions:
    ImageAlreadyExistsException = ImageAlreadyExistsException
    LayerAlreadyExistsException = LayerAlreadyExistsException


class FakeRegistry:
    """`aws` and `own` hold blobs by digest; `images` the own repository's manifests by tag."""

    exceptions = Exceptions

    def __init__(self, *layers: bytes):
        self.offer(*layers)
        self.own: dict[str, bytes] = {}
        self.images: dict[str, tuple[str, datetime]] = {}
        self.uploads: dict[str, bytes] = {}
        self.requests: list[str] = []

    def offer(self, *layers: bytes) -> None:
        """AWS's tag leads to an image of these layers from now on."""
        contents = [b'{"config": 1}', *layers]
        self.aws = {digest_of(content): content for content in contents}
        config, *rest = [
            {"digest": digest_of(content), "size": len(content), "mediaType": "application/octet-stream"}
            for content in contents
        ]
        # Written as no JSON library of ours would: a copy must not write it anew.
        self.manifest = json.dumps({"schemaVersion": 2, "config": config, "layers": rest}, indent=3)

    def __getattr__(self, name):
        operation = "".join(word.capitalize() for word in name.split("_"))
        answer = object.__getattribute__(self, f"do_{name}")

        def call(**request):
            check(request, service_model("ecr").operation_model(operation))
            self.requests.append(name)
            return answer(**request)

        return call

    def read(self, address: str):
        return io.BytesIO(self.aws[address.removeprefix("https://layers/")])

    def do_batch_get_image(self, registryId, repositoryName, imageIds, acceptedMediaTypes):
        assert (registryId, repositoryName) == (AWS_ACCOUNT, "sagemaker-xgboost")
        if imageIds != [{"imageTag": VERSION}]:
            return {"images": [], "failures": [{"failureCode": "ImageNotFound"}]}
        image = {
            "imageManifest": self.manifest,
            "imageManifestMediaType": acceptedMediaTypes[0],
            "imageId": {"imageDigest": digest_of(self.manifest.encode()), "imageTag": VERSION},
        }
        return {"images": [image], "failures": []}

    def do_get_download_url_for_layer(self, registryId, repositoryName, layerDigest):
        assert (registryId, repositoryName) == (AWS_ACCOUNT, "sagemaker-xgboost")
        return {"downloadUrl": f"https://layers/{layerDigest}", "layerDigest": layerDigest}

    def do_batch_check_layer_availability(self, repositoryName, layerDigests):
        assert repositoryName == REPOSITORY
        return {
            "layers": [
                {"layerAvailability": "AVAILABLE" if digest in self.own else "UNAVAILABLE"}
                for digest in layerDigests
            ]
        }

    def do_initiate_layer_upload(self, repositoryName):
        upload = f"00000000-0000-4000-8000-{len(self.uploads):012}"
        self.uploads[upload] = b""
        return {"uploadId": upload, "partSize": PART_BYTES}

    def do_upload_layer_part(self, repositoryName, uploadId, partFirstByte, partLastByte, layerPartBlob):
        assert partFirstByte == len(self.uploads[uploadId])
        assert partLastByte == partFirstByte + len(layerPartBlob) - 1
        assert len(layerPartBlob) <= PART_BYTES
        self.uploads[uploadId] += layerPartBlob

    def do_complete_layer_upload(self, repositoryName, uploadId, layerDigests):
        content = self.uploads[uploadId]
        assert [digest_of(content)] == layerDigests
        if layerDigests[0] in self.own:
            raise LayerAlreadyExistsException
        self.own[layerDigests[0]] = content

    def do_put_image(self, repositoryName, imageManifest, imageManifestMediaType, imageTag, imageDigest):
        assert imageDigest == digest_of(imageManifest.encode())
        manifest = json.loads(imageManifest)
        assert {blob["digest"] for blob in (manifest["config"], *manifest["layers"])} <= self.own.keys()
        if imageTag in self.images:
            raise ImageAlreadyExistsException
        pushed = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=len(self.images))
        self.images[imageTag] = (imageDigest, pushed)

    def get_paginator(self, operation):
        return Pages(getattr(self, operation))

    def do_describe_images(self, repositoryName, filter):
        """One image a page, and the newest first: what reads it may count on neither."""
        return {
            "imageDetails": [
                {"imageDigest": digest, "imageTags": [tag], "imagePushedAt": pushed}
                for tag, (digest, pushed) in reversed(self.images.items())
            ]
        }

    def do_list_images(self, registryId, repositoryName, filter):
        assert (registryId, repositoryName) == (AWS_ACCOUNT, "sagemaker-xgboost")
        tags = (VERSION, "3.0-5", "3.0-5-cpu-py3")
        digest = digest_of(self.manifest.encode())
        return {"imageIds": [{"imageTag": tag, "imageDigest": digest} for tag in tags]}


class Pages:
    def __init__(self, call):
        self.call = call

    def paginate(self, **request):
        for name, entries in self.call(**request).items():
            yield from ({name: [entry]} for entry in entries)
