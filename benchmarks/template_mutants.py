"""Changes every policy of the templates in one place at a time and says which change no test notices.

    python -m benchmarks.template_mutants bootstrap

Those of `template` alone take half an hour, so the tests try a few. The table is for docs/deploy.md.
"""

import argparse

from tests.infra.policies import running_engine
from tests.infra.template_mutants import MODULES, cases, first_to_fail, mutants, notices


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("templates", nargs="*", choices=list(MODULES), default=list(MODULES))
    args = parser.parse_args()
    print("| template | mutants | noticed |\n| --- | --- | --- |")
    with running_engine():
        for template in args.templates:
            checks = cases(template)
            if failing := first_to_fail(checks):
                raise SystemExit(f"{failing} fails without a mutant. Fix: mend it first.")
            tried = list(mutants(template))  # in their order: what noticed one likely notices the next
            alive = [mutant.name for mutant in tried if notices(mutant, checks) is None]
            noticed = len(tried) - len(alive)
            print(f"| {template} | {len(tried)} | {noticed} ({noticed / len(tried):.1%}) |", flush=True)
            for name in alive:
                print(f"<!-- alive: {template}: {name} -->", flush=True)


if __name__ == "__main__":
    main()
