"""What of the local run reaches into moto, which is pinned for that.

Each module says what it replaces or reads, and why. Importing replaces nothing; each `install_...` does, for
the whole process. tests/infra/local/test_moto_internals.py fails first when moto changes.

    cloudformation.py  stacks' state machines execute, properties and schedules take effect
    state_machines.py  SageMaker's `.sync` tasks
    functions.py       functions run
    memory.py          what has ended is forgotten
    messages.py        events, topics and queues
    objects.py         S3 on disk
    listing.py         what is listed is found by its prefix
    buckets.py         S3 as SageMaker reaches it
    keeping.py         what is kept from one start to the next
    reuse.py           what is always the same is made once
    surroundings.py    what SageMaker asks of S3 and IAM
"""

from collections.abc import Callable

from moto.core.config import default_user_config
from moto.server import MotoRequestHandler

from infra.local.moto_internals.buckets import Buckets
from infra.local.moto_internals.cloudformation import install_cloudformation
from infra.local.moto_internals.functions import function_named, install_functions
from infra.local.moto_internals.keeping import Executions, Messages, Objects
from infra.local.moto_internals.listing import install_listing
from infra.local.moto_internals.memory import install_forgetting
from infra.local.moto_internals.messages import (
    install_events,
    install_queues,
    install_topics,
    messages_in,
)
from infra.local.moto_internals.objects import install_objects
from infra.local.moto_internals.reuse import dispatcher, install_reuse
from infra.local.moto_internals.state_machines import busy_executions, install_state_machines
from infra.local.moto_internals.surroundings import Surroundings

__all__ = [
    "Buckets",
    "Executions",
    "Messages",
    "MotoRequestHandler",
    "Objects",
    "Surroundings",
    "application",
    "busy_executions",
    "function_named",
    "install_cloudformation",
    "install_events",
    "install_forgetting",
    "install_functions",
    "install_listing",
    "install_objects",
    "install_queues",
    "install_reuse",
    "install_state_machines",
    "install_topics",
    "messages_in",
]


def application() -> Callable:
    """moto as a WSGI application, all services behind one address."""
    default_user_config["stepfunctions"]["execute_state_machine"] = True
    return dispatcher()
