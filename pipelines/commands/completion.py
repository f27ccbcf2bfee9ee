"""`labelmill completion`: what a shell reads to complete commands, verbs and options."""

import argparse

from pipelines.commands.shared import Subparsers

EPILOG = """\
Put the line of your shell into its start-up file:
  bash: eval "$(labelmill completion bash)"
  zsh:  autoload -U compinit && compinit && eval "$(labelmill completion zsh)"
  fish: labelmill completion fish | source

Example: labelmill completion bash
"""


def add_parser(subparsers: Subparsers) -> None:
    """Add `completion` to the command line."""
    parser = subparsers.add_parser(
        "completion",
        description="Print what a shell needs to complete commands, verbs and options.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), metavar="SHELL", help="bash, zsh or fish")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from argcomplete.shell_integration import shellcode

    # argcomplete has one script for bash and zsh.
    shell = "fish" if args.shell == "fish" else "bash"
    print(shellcode(["labelmill"], shell=shell))
    return 0
