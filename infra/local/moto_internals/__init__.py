"""Everything that reaches into moto. It is pinned; tests/infra/local/test_moto_internals.py guards it.

Each module says what of moto it replaces, and why. Nothing is replaced before its `install_...` is called.
"""

from collections.abc import Callable

from moto.core.config import default_user_config
from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app

from infra.local.moto_internals.cloudformation import install_cloudformation
from infra.local.moto_internals.functions import function_named, install_functions
from infra.local.moto_internals.messages import install_events, install_topics, messages_in
from infra.local.moto_internals.objects import install_objects
from infra.local.moto_internals.state_machines import busy_executions, install_state_machines

__all__ = [
    "MotoRequestHandler",
    "application",
    "busy_executions",
    "function_named",
    "install_cloudformation",
    "install_events",
    "install_functions",
    "install_objects",
    "install_state_machines",
    "install_topics",
    "messages_in",
]


def application() -> Callable:
    """moto as a WSGI application, all services behind one address."""
    default_user_config["stepfunctions"]["execute_state_machine"] = True
    return DomainDispatcherApplication(create_backend_app)
