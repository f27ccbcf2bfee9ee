"""`labelmill reject`: no to a challenger that waits for a person."""

from pipelines.commands.approval import add_command
from pipelines.commands.shared import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add `reject` to the command line."""
    text = "reject a challenger: the winner stays"
    add_command(subparsers, "reject", approved=False, text=text, needs_reason=True)
