"""The inference workflow: label a test set or a month, or put people's decisions into labels."""

from stepfunctions.steps import choice_rule, states

from pipelines.ledger import keys
from pipelines.machines.capacity import first_without_result, out_of_capacity
from pipelines.machines.failure_path import NO_RECORD, failure_path, get_item, known_group, refuse
from pipelines.machines.inference_end import audience, claim_amendment, publish_manifest
from pipelines.machines.inference_jobs import amend, prepare, publish, transform
from pipelines.machines.labels_record import OF_MONTH, find_newest
from pipelines.machines.states import HOUR, Path, output, text
from pipelines.names import LABELS, PREDICTIONS

TIMEOUT_SECONDS = 48 * HOUR


def build() -> states.Graph:
    failure = failure_path("inference")
    no_machine, waited = out_of_capacity(failure)
    published = publish_manifest(failure)
    published.next(audience(failure))
    jobs = {"$.prepared": prepare(no_machine), "$.transformed": transform(no_machine)}
    last = publish(no_machine)
    label = _known_model(failure, states.Chain([*jobs.values(), last, published]))
    amended = amend(no_machine)
    decide = states.Chain([amended, claim_amendment(failure), published])
    waited.next(_by_purpose("AfterWait", review=amended, others=first_without_result(jobs, last)))
    work = _by_purpose("Work", review=decide, others=label)
    start = _purpose(failure, known_group(failure, work))
    return states.Graph(start, comment=__doc__, timeout_seconds=TIMEOUT_SECONDS)


def _by_purpose(state_id: str, review: states.State, others: states.State) -> states.Choice:
    choice = states.Choice(state_id)
    choice.add_choice(choice_rule.ChoiceRule.StringEquals("$.purpose", "review"), review)
    choice.default_choice(others)
    return choice


def _purpose(failure: states.State, then: states.State) -> states.State:
    """A test set names its model and goes to the comparison; a month is labelled by the winner.

    `earlier` is the month to compare with, `replaced` the labels of this one until now. A job's input may not
    be empty: where there are none it is the folder of rejected rows, which every run has and in which Publish
    finds no labels.
    """
    for_comparison = states.Pass(
        "ForComparison",
        parameters={
            "bucket": "${WorkBucket}",
            "key": "${WorkKeyArn}",
            "prefix": text(PREDICTIONS),
            "challenger": Path("$.challenger"),
            "test_set": Path("$.test_set"),
            "earlier": output("rejected"),
            "replaced": output("rejected"),
        },
        result_path="$.target",
    )
    for_comparison.next(then)
    labels = {
        "bucket": "${LabelledBucket}",
        "key": "${LabelledKeyArn}",
        "prefix": text(LABELS),
        "challenger": "",
        "test_set": "",
        "earlier": output("rejected"),
        "replaced": output("rejected"),
        "shown": "",  # the run whose labels this one has copied to where Athena reads
    }
    for_stakeholders = states.Pass("ForStakeholders", parameters=labels, result_path="$.target")
    for_stakeholders.next(_winner(failure, _earlier(failure, _replaced(failure, then))))
    for_review = states.Pass("ForReview", parameters=labels, result_path="$.target")
    for_review.next(then)

    purpose = states.Choice("Purpose")
    rule = choice_rule.ChoiceRule
    purpose.add_choice(rule.StringEquals("$.purpose", "test"), for_comparison)
    purpose.add_choice(rule.StringEquals("$.purpose", "inference"), for_stakeholders)
    purpose.add_choice(rule.StringEquals("$.purpose", "review"), for_review)
    unknown = "The inference workflow was given the purpose {}; it must be inference, test or review."
    purpose.default_choice(refuse("UnknownPurpose", failure, unknown, "$.purpose"))
    return purpose


def _winner(failure: states.State, then: states.State) -> states.State:
    get_winner = get_item("GetWinner", keys.WINNER, "$.winner", failure)
    use_winner = states.Pass("UseWinner", input_path="$.winner.Item.model.S", result_path="$.model")
    use_winner.next(then)
    known = states.Choice("WinnerKnown")
    known.add_choice(choice_rule.ChoiceRule.IsPresent("$.winner.Item.model.S", True), use_winner)
    none = "Model group {} has no winner yet: deliver a training dataset first, then start this run again."
    known.default_choice(refuse("NoWinner", failure, none, "$.group"))
    get_winner.next(known)
    return get_winner


def _earlier(failure: states.State, then: states.State) -> states.State:
    """The newest labels of the latest earlier month: before every entry of this one, which go on after it."""
    return _use_newest("Earlier", failure, (keys.ALL_LABELS, text(keys.BEFORE_LABELS_OF_MONTH)), then)


def _replaced(failure: states.State, then: states.State) -> states.State:
    """The newest labels of this month, with what people decided on them."""
    return _use_newest("Replaced", failure, OF_MONTH, then)


def _use_newest(
    name: str, failure: states.State, between: tuple[str | Path, ...], then: states.State
) -> states.State:
    find = find_newest(f"Find{name}", failure, *between)
    address = "$.found.Items[0].labels.S"
    use = states.Pass(f"Use{name}", input_path=address, result_path=f"$.target.{name.lower()}")
    use.next(then)
    known = states.Choice(f"{name}Known")
    known.add_choice(choice_rule.ChoiceRule.IsPresent(address, True), use)
    known.default_choice(then)
    find.next(known)
    return find


def _known_model(failure: states.State, then: states.State) -> states.State:
    """Which run trained the model: its report says which codes the model has seen."""
    get_model = get_item("GetModel", text(keys.MODEL), "$.recorded", failure)
    known = states.Choice("ModelKnown")
    known.add_choice(choice_rule.ChoiceRule.IsPresent("$.recorded.Item.run.S", True), then)
    known.default_choice(refuse("UnknownModel", failure, NO_RECORD, "$.model"))
    get_model.next(known)
    return get_model
