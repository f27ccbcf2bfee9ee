"""What a command complained of on standard error, without the line that says which stack it talks to."""

import re


def complaints(err: str) -> str:
    return re.sub(r"^stack \S+ (on AWS,|at) .*\n", "", err, count=1, flags=re.MULTILINE)
