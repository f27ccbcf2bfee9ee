"""What moto keeps for good of what has ended, and nothing here asks for again, is forgotten.

moto lists every model object ever made, copies too, for its dashboard and for `reset`; every thread that a
state machine has started; every message to a topic; and all that an execution has worked with.
"""

import json
import zlib
from types import SimpleNamespace
from typing import Any

from moto.core.common_models import BaseModel
from moto.sns import models as sns_models
from moto.stepfunctions.parser.utils import TMP_THREADS


def install_forgetting() -> None:
    """Let moto list neither the objects it makes nor the messages it has sent."""
    model: Any = BaseModel
    model.__new__ = lambda cls, *args, **kwargs: object.__new__(cls)
    topic: Any = sns_models.Topic
    original = topic.publish

    def publish(self: Any, *args: Any, **kwargs: Any) -> Any:
        message_id = original(self, *args, **kwargs)
        self.sent_notifications.clear()
        return message_id

    topic.publish = publish


def forget_work(execution: Any) -> None:
    """Keep of moto's execution, which has ended, what the API answers: description, and packed history."""
    history = zlib.compress(json.dumps(execution.to_history_output()).encode())
    execution.to_history_output = lambda: json.loads(zlib.decompress(history))
    # Answers with task tokens are looked up in every execution: here, that its tokens are used up.
    pool = execution.exec_worker.env.callback_pool_manager
    execution.exec_worker.env = SimpleNamespace(callback_pool_manager=pool)
    TMP_THREADS[:] = [thread for thread in TMP_THREADS if thread.is_alive()]
