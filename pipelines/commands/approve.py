"""`labelmill approve`: yes to a challenger that waits for a person."""

from pipelines.commands.approval import add_command
from pipelines.commands.shared import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add `approve` to the command line."""
    text = "approve a challenger: it becomes the winner"
    add_command(subparsers, "approve", approved=True, text=text, needs_reason=False)
