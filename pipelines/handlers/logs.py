"""What every line of a function's log says besides its text."""

import logging
from collections.abc import Mapping

# At its start boto says where it found its credentials: a line that is about no run.
logging.getLogger("botocore").setLevel(logging.WARNING)


def about(run: Mapping[str, str]) -> dict[str, str]:
    """The `extra` of a log line: the fields `run` and `group`, as far as `run` has them; else empty.

    Lambda's own JSON formatter writes such fields beside the message, so that a log can be searched by them.
    """
    return {name: run.get(name, "") for name in ("run", "group")}
