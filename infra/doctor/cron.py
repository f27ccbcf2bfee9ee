"""When a schedule of EventBridge Scheduler runs next: its cron expressions, as far as ours use them.

Source: EventBridge Scheduler User Guide, "Schedule types in EventBridge Scheduler", cron-based schedules.
"""

import calendar
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
DAYS = {name: number for number, name in enumerate("SUN MON TUE WED THU FRI SAT".split(), 1)}  # noqa: SIM905
#: Minutes, hours, days of the month, months, days of the week, years.
RANGES = ((0, 59), (0, 23), (1, 31), (1, 12), (1, 7), (1970, 2199))
LONGEST_DAYS = 5 * 366


def next_time(expression: str, zone: str, now: datetime) -> datetime | None:
    """The first time after `now` at which `expression` runs on the clocks of `zone`.

    None where there is none within five years, and for what is no cron expression of numbers, names, lists,
    ranges, steps and `L` for the month's last day. A time that the clocks jump over is passed over.
    """
    found = re.fullmatch(r"cron\(([^)]*)\)", expression)
    fields = found[1].split() if found else []
    if len(fields) != len(RANGES):
        return None
    last_day = fields[2] == "L"
    try:
        minutes, hours, days, months, weekdays, years = (
            _values("*" if field == "L" and place == 2 else field, *RANGES[place])
            for place, field in enumerate(fields)
        )
        clocks = ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        return None
    first = now.astimezone(clocks).date()
    for ahead in range(LONGEST_DAYS):
        day = first + timedelta(days=ahead)
        length = calendar.monthrange(day.year, day.month)[1]
        wanted = day.day == length if last_day else day.day in days
        # Their week begins with Sunday, as 1.
        if not (
            wanted and day.month in months and day.year in years and day.isoweekday() % 7 + 1 in weekdays
        ):
            continue
        for hour in sorted(hours):
            for minute in sorted(minutes):
                time = datetime(day.year, day.month, day.day, hour, minute, tzinfo=clocks)
                exists = time.astimezone(UTC).astimezone(clocks).hour == hour
                if exists and time > now:
                    return time
    return None


def _values(field: str, lowest: int, highest: int) -> set[int]:
    """What one field stands for. Raises ValueError for what is not understood."""
    values: set[int] = set()
    for part in field.split(","):
        part, _, step = part.partition("/")
        start, _, end = part.partition("-")
        if part in ("*", "?"):
            first, last = lowest, highest
        else:
            first = _number(start)
            last = _number(end) if end else highest if step else first
        values |= set(range(first, last + 1, int(step or 1)))
    return values


def _number(text: str) -> int:
    return MONTHS.get(text) or DAYS.get(text) or int(text)
