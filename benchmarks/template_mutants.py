"""Changes every policy of the templates in one place at a time and says which change no test notices.

    python -m benchmarks.template_mutants bootstrap delivery
    python -m benchmarks.template_mutants template --sample 100

All of template's take hours, and the tests try a few. The table is for docs/deploy.md.
"""

import argparse
import random

from tests.infra.policies import running_engine
from tests.infra.template_mutants import MODULES, cases, mutants, notices


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("templates", nargs="*", choices=list(MODULES), default=list(MODULES))
    parser.add_argument("--sample", type=int, help="mutants of each template (default: all)")
    parser.add_argument("--seed", type=int, default=1, help="(default: %(default)s)")
    args = parser.parse_args()
    print("| template | mutants tried | noticed |\n| --- | --- | --- |")
    with running_engine():
        for template in args.templates:
            every = list(mutants(template))
            random.Random(args.seed).shuffle(every)
            chosen = every[: args.sample]
            checks = cases(template)
            for _, check in checks:
                check()  # what fails without a mutant would notice every one
            alive = [mutant.name for mutant in chosen if notices(mutant, checks) is None]
            noticed = len(chosen) - len(alive)
            tried = f"{len(chosen)} of {len(every)}"
            print(f"| {template} | {tried} | {noticed} ({noticed / len(chosen):.0%}) |", flush=True)
            for name in alive:
                print(f"<!-- alive: {template}: {name} -->", flush=True)


if __name__ == "__main__":
    main()
