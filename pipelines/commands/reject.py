"""`labelmill reject`: no to a challenger that waits for a person."""

from pipelines.commands.approval import add_command
from pipelines.commands.shared import Subparsers


def add_parser(subparsers: Subparsers) -> None:
    """Add `reject` to the command line."""
    text = "keep the winner, although the comparison would change it"
    add_command(subparsers, "reject", approved=False, text=text, needs_reason=True)
