"""Clients of AWS services, made at the first call and kept while the worker lives."""

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # The type of each service's client: boto3's own function with the same name and argument.
    from boto3 import client as client
else:

    @functools.cache
    def client(service: str) -> Any:
        """The boto3 client of `service`."""
        import boto3

        return boto3.client(service)
