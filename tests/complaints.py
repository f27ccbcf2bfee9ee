"""What a command complained of on standard error, without what it says of the stack that it talks to."""

import re


def complaints(err: str) -> str:
    said = r"^(stack \S+ (on AWS,|at)|starting the local stack:) .*\n"
    return re.sub(said, "", err, count=1, flags=re.MULTILINE)
