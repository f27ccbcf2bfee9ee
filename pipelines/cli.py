"""The command line, `labelmill`.

Each command lives in a module of its own that is imported only when it is asked for: `labelmill --help`
answers at once, and neither boto3 nor numpy is loaded to print a usage line. It is also how a command
that stands above this package (the local stack) is reached without an import that points upwards.
"""

import argparse
import importlib
import os
import sys

from pipelines.commands.help import Parser

EPILOG = """\
Exit codes: 0 done; 1 it failed, and standard error says why; 2 the command line was wrong; 130 interrupted.

Examples:
  labelmill demo
  labelmill runs watch
  labelmill models --help
"""

COMMANDS = {
    "demo": ("infra.local.demo", "two months for three model groups, on this machine"),
    "local": ("infra.local.command", "run the whole system on this machine"),
    "try": ("pipelines.commands.try_file", "what a model would do with your own labelled rows, at once"),
    "init": ("pipelines.commands.init", "begin with your own file: its codebook and labelmill.toml"),
    "deliver": ("pipelines.commands.deliver", "check your own rows, send them, follow what comes of it"),
    "check": ("pipelines.commands.check", "say whether a dataset would be taken, before it is sent"),
    "codebook": ("pipelines.commands.codebook", "check, show, compare and publish codebooks"),
    "groups": ("pipelines.commands.groups", "the model groups: list, retire and revive"),
    "models": ("pipelines.commands.models", "winners, their history and rollback"),
    "compare": ("pipelines.commands.compare", "any two models of a group, on rows that both have labelled"),
    "approve": ("pipelines.commands.approve", "approve a model that is waiting to become the winner"),
    "reject": ("pipelines.commands.reject", "reject a model that is waiting to become the winner"),
    "runs": ("pipelines.commands.runs", "what runs and what has run: list, show, watch, logs"),
    "month": ("pipelines.commands.month", "how far each group is with a month, and the time left"),
    "deliveries": ("pipelines.commands.deliveries", "the datasets that have landed"),
    "order": ("pipelines.commands.order", "ask the warehouse again for a group's datasets of a month"),
    "failures": ("pipelines.commands.failures", "what is not done: failed runs, messages, models, notices"),
    "retry": ("pipelines.commands.retry", "start again what is not done"),
    "dismiss": ("pipelines.commands.dismiss", "take off the list what nobody needs to be done any more"),
    "explain": ("pipelines.commands.explain", "why a text gets its code"),
    "review": ("pipelines.commands.review", "uncertain items and blind samples: sheets out, decisions back"),
    "report": (
        "pipelines.commands.report",
        "pages on models and labels, workbooks, exports to MLflow and SageMaker",
    ),
    "audit": ("pipelines.commands.audit", "why an item has its code; a month as a bundle for auditors"),
    "plan": ("pipelines.commands.plan", "what a month will cost and when it will be done"),
    "deploy": ("infra.deploy.deploy", "deploy to an AWS account, or update it"),
    "completion": ("pipelines.commands.completion", "let a shell complete commands and options"),
    "doctor": ("infra.doctor.command", "check that everything needed is there, on AWS or on this machine"),
    "rehearse": (
        "infra.rehearsal.command",
        "run synthetic data through a deployed stack, and say what it proves",
    ),
    "destroy": (
        "infra.deploy.destroy",
        "take an environment down; data stays unless you confirm twice",
    ),
}


class _Version(argparse.Action):
    """Looks the version up only when it is asked for: that takes longer than all of --help."""

    def __call__(self, parser: argparse.ArgumentParser, *asked: object) -> None:
        from importlib.metadata import version

        print(f"labelmill {version('labelmill')}")
        parser.exit()


def main(argv: list[str] | None = None) -> int:
    """Run one command and return its exit code, as EPILOG has them; without a command, show the help."""
    argv = sys.argv[1:] if argv is None else argv
    parser = Parser(
        prog="labelmill",
        description="Classifies a retailer's items under the regulatory codes of many countries.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    subparsers = parser.add_subparsers(metavar="COMMAND")
    # A shell that completes (`labelmill completion`) may ask for the options of any command.
    is_completing = "_ARGCOMPLETE" in os.environ
    chosen = argv[0] if argv and argv[0] in COMMANDS else None
    for name, (module, summary) in COMMANDS.items():
        if name == chosen or is_completing:
            importlib.import_module(module).add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=summary)
    if is_completing:
        import argcomplete

        argcomplete.autocomplete(parser)
    args = parser.parse_args(argv)
    if "run" not in args:
        parser.print_help()
        return 0
    try:
        code: int = args.run(args)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # `labelmill ... | head`: the rest is not wanted, nor what Python says when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


if __name__ == "__main__":
    sys.exit(main())
