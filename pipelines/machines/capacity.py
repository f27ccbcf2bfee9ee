"""A job for which SageMaker has no machine: wait and make it again, so many times a run.

To Step Functions that is a failed job like any other, so no Retry can tell it apart; its FailureReason begins
with "CapacityError" (aws/sagemaker-python-sdk pull request 3033 recognises it by the same word).
"""

from stepfunctions.steps import choice_rule, states

from pipelines.machines.states import Path

#: How often a run waits, all its jobs together, and for how many seconds each time: up to nine hours.
TRIES = 36
SHORTEST, LONGEST = 300, 900


def out_of_capacity(failure: states.State) -> tuple[states.State, states.State]:
    """Where every job but a search goes when it fails, and the wait for machines; all else is `failure`."""
    rule = choice_rule.ChoiceRule
    lacking = rule.StringMatches("$.failure.Cause", "*CapacityError*")
    waited = rule.IsPresent("$.capacity", True)
    may_wait = rule.And([lacking, waited, rule.NumericLessThan("$.capacity.tries", TRIES)])
    wait = states.Wait("AwaitCapacity", seconds_path="$.capacity.seconds")
    first = _count("FirstWait", 1, wait)
    next_one = _count("NextWait", Path("States.MathAdd($.capacity.tries, 1)"), wait)
    choice = states.Choice("OutOfCapacity")
    choice.add_choice(rule.And([lacking, rule.Not(waited)]), first)
    choice.add_choice(may_wait, next_one)
    choice.default_choice(failure)
    return choice, wait


def _count(state_id: str, tries: int | Path, wait: states.State) -> states.State:
    step = states.Pass(
        state_id,
        # A random time, so that sixty runs do not come back together.
        parameters={"tries": tries, "seconds": Path(f"States.MathRandom({SHORTEST}, {LONGEST})")},
        result_path="$.capacity",
    )
    step.next(wait)
    return step


def first_without_result(jobs: dict[str, states.State], last: states.State) -> states.Choice:
    """To the first of `jobs` whose result is not at its path yet; to `last` where all are."""
    choice = states.Choice("TryAgain")
    for result, job in jobs.items():
        choice.add_choice(choice_rule.ChoiceRule.IsPresent(result, False), job)
    choice.default_choice(last)
    return choice
