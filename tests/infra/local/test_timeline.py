"""Waiting for what happens in the local stack."""

import time

from infra.local.timeline import Timeline


def test_what_becomes_true_without_a_word_is_noticed_before_the_time_is_up():
    answers = iter([False])
    soon = time.monotonic() + 30
    assert Timeline().wait_until(lambda: next(answers, time.monotonic() < soon), timeout_seconds=40)


def test_what_never_becomes_true_is_given_up_when_the_time_is_up():
    assert not Timeline().wait_until(lambda: False, timeout_seconds=0.01)
