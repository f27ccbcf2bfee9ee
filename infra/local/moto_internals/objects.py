"""S3's objects are files, and its notifications are what AWS sends.

moto keeps bytes in memory; a multipart upload notifies twice; an event lacks `versionId`; a bucket policy is
enforced without its conditions, so that "deny what is not TLS" denies everything.
"""

import threading
from collections.abc import Callable

from moto.iam.access_control import PermissionResult
from moto.s3 import models as s3_models
from moto.s3 import notifications
from moto.s3.exceptions import S3ClientError

from infra.local.objects import ObjectFolder, StoredObject


def install_objects(folder: ObjectFolder, on_put: Callable[[str, str], None]) -> None:
    """Keep S3's objects in `folder`, make its notifications what AWS sends; call `on_put(bucket, key)`."""
    backend = s3_models.S3Backend
    original_put, original_delete = backend.put_object, backend.delete_object
    original_complete, original_event = backend.complete_multipart_upload, notifications._get_s3_event
    original_value = s3_models.FakeKey.value
    arranging, completing = threading.RLock(), threading.local()

    def arrange(self, bucket_name: str, key_name: str, before: list) -> None:
        after = self.get_bucket(bucket_name).keys.getlist(key_name, [])
        versions = [(str(key.version_id), getattr(key, "_value_buffer", None)) for key in after]
        folder.arrange(bucket_name, key_name, versions)
        kept = {stored.path for _, stored in versions if stored}
        for key in before:
            stored = getattr(key, "_value_buffer", None)
            if isinstance(stored, StoredObject) and stored.path not in kept:
                stored.remove()

    def put_object(self, bucket_name, key_name, value, *args, **kwargs):
        silent = kwargs.pop("disable_notification", False)
        bucket = self.get_bucket(bucket_name)
        stored = folder.store(bucket_name, key_name, value)
        if not kwargs.get("etag"):
            kwargs["etag"] = stored.md5()
        with arranging:
            before = list(bucket.keys.getlist(key_name, []))
            try:
                key = original_put(
                    self, bucket_name, key_name, stored, *args, disable_notification=True, **kwargs
                )
            except S3ClientError:
                stored.remove()
                raise
            arrange(self, bucket_name, key_name, before)
        on_put(bucket_name, key_name)
        if not silent and not getattr(completing, "now", False):
            verb = "POST" if kwargs.get("request_method") == "POST" else "PUT"
            event = getattr(notifications.S3NotificationEvent, f"OBJECT_CREATED_{verb}_EVENT")
            notifications.send_event(self.account_id, event, bucket, key)
        return key

    def set_value(self, value):
        if isinstance(value, StoredObject):
            self._value_buffer.close()
            self._value_buffer, self.contentsize = value, value.size()
        else:
            original_value.fset(self, value)

    def complete_multipart_upload(self, bucket_name, multipart_id, body):
        completing.now = True
        try:
            key = original_complete(self, bucket_name, multipart_id, body)
        finally:
            completing.now = False
        if key.multipart:
            key.multipart.dispose()
            key.multipart = None
        return key

    def delete_object(self, bucket_name, key_name, *args, **kwargs):
        with arranging:
            before = list(self.get_bucket(bucket_name).keys.getlist(key_name, []))
            answer = original_delete(self, bucket_name, key_name, *args, **kwargs)
            arrange(self, bucket_name, key_name, before)
        return answer

    def s3_event(event_name, bucket, key, notification_id):
        event = original_event(event_name, bucket, key, notification_id)
        for record in event["Records"]:
            record["s3"]["object"]["sequencer"] = f"{int(key.last_modified.timestamp() * 1e6):016X}"
            if bucket.is_versioned:
                record["s3"]["object"]["versionId"] = key.version_id
        return event

    s3_models.FakeKey.value = original_value.setter(set_value)
    backend.put_object, backend.delete_object = put_object, delete_object
    backend.complete_multipart_upload, notifications._get_s3_event = complete_multipart_upload, s3_event
    s3_models.FakeBucket.get_permission = lambda self, action, resource: PermissionResult.NEUTRAL
