"""The stack that reviews are tested against."""

import pytest
from moto import mock_aws

from tests.pipelines.review.published_month import Stack


@pytest.fixture
def stack():
    with mock_aws():
        yield Stack()
