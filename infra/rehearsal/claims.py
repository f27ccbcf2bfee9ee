"""What could not be proven of the system without an AWS account, in the order in which it is told.

docs/deploy.md has the same list; a test compares them.
"""

from enum import Enum


class Claim(Enum):
    """Something that AWS must do for the system to work; the value is the sentence people read."""

    TUNING = "a search with metrics and hyperparameters of our own is taken, on the copied image"
    SETTINGS = "`Environment` and `RetryStrategy` of a training job pass the `.sync` integration"
    VOLUME_KEY = "every job's role may name the key of its volumes, and only that one"
    EVENTS = "EventBridge puts an event into a queue under our key"
    STOPPED_JOB = "a stopped job fails its run, whoever must know is told, and the next run succeeds"
    WITHOUT_KEYS = (
        "a job that may not use its keys fails its run, nothing is published, and the next run succeeds"
    )
    UNLOAD = "UNLOAD writes data and manifest under the landing bucket's key"
    NO_ROWS = "UNLOAD of no rows writes no manifest, and its order ends as one without items"
    WARM_START = "a search goes on from the one before"
    JOIN = "Transform joins answers to items, and every item comes out once"
