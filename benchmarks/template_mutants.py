"""Changes every policy of the templates in one place at a time and says which change no test notices.

    python -m benchmarks.template_mutants [--sample 100] [--seed 1]

All of them take hours; tests/infra/test_template_mutants.py tries a few. The table is for docs/deploy.md.
"""

import argparse
import random

from tests.infra.policies import running_engine
from tests.infra.template_mutants import MODULES, cases, mutants, notices


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sample", type=int, help="mutants of each template (default: all)")
    parser.add_argument("--seed", type=int, default=1, help="(default: %(default)s)")
    args = parser.parse_args()
    print("| template | mutants | noticed |\n| --- | --- | --- |")
    with running_engine():
        for template in MODULES:
            chosen = list(mutants(template))
            if args.sample:
                chosen = random.Random(args.seed).sample(chosen, min(args.sample, len(chosen)))
            checks = cases(template)
            alive = [mutant.name for mutant in chosen if notices(mutant, checks) is None]
            share = 1 - len(alive) / len(chosen)
            print(f"| {template} | {len(chosen)} | {share:.0%} |", flush=True)
            for name in alive:
                print(f"<!-- alive: {template}: {name} -->", flush=True)


if __name__ == "__main__":
    main()
