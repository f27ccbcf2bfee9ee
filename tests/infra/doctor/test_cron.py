"""When a schedule runs next."""

from datetime import UTC, datetime

import pytest

from infra.doctor.cron import next_time

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "zone", "time"),
    [
        ("cron(0 4 1 * ? *)", "UTC", "2026-12-01T04:00:00+00:00"),
        ("cron(0 4 1 * ? *)", "America/New_York", "2026-12-01T04:00:00-05:00"),
        ("cron(30 * * * ? *)", "UTC", "2026-11-30T12:30:00+00:00"),
        ("cron(0 12 30 * ? *)", "UTC", "2026-12-30T12:00:00+00:00"),  # now is not after now
        ("cron(0 8 10-31 * ? *)", "UTC", "2026-12-10T08:00:00+00:00"),
        ("cron(0/20 8,20 ? * MON-FRI *)", "UTC", "2026-11-30T20:00:00+00:00"),
        ("cron(0 4 ? * SUN *)", "UTC", "2026-12-06T04:00:00+00:00"),
        ("cron(0 4 L FEB ? 2028)", "UTC", "2028-02-29T04:00:00+00:00"),
    ],
)
def test_the_next_time_is_found_on_the_zones_clocks(expression, zone, time):
    assert next_time(expression, zone, NOW).isoformat() == time


def test_an_hour_that_the_clocks_jump_over_is_passed_over():
    spring = datetime(2027, 3, 27, 12, tzinfo=UTC)
    assert next_time("cron(30 2 * * ? *)", "Europe/Berlin", spring).isoformat() == "2027-03-29T02:30:00+02:00"


@pytest.mark.parametrize(
    ("expression", "zone"),
    [
        ("rate(1 day)", "UTC"),
        ("cron(0 4 1 * ?)", "UTC"),
        ("cron(0 4 ? * 2#1 *)", "UTC"),
        ("cron(0 4 31 2 ? *)", "UTC"),
        ("cron(0 4 1 * ? 2025)", "UTC"),
        ("cron(0 4 1 * ? *)", "Mars/Olympus"),
    ],
)
def test_what_has_no_next_time_or_is_not_understood_has_none(expression, zone):
    assert next_time(expression, zone, NOW) is None
