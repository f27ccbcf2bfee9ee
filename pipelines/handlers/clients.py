"""Clients of AWS services, made at the first call and kept while the worker lives."""

import functools


@functools.cache
def client(service: str):
    """The boto3 client of `service`."""
    import boto3

    return boto3.client(service)
