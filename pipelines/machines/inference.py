"""The inference workflow: label a test set or a month, or put people's decisions into labels."""

from typing import Any

from stepfunctions.steps import choice_rule, states

from pipelines.ledger import keys
from pipelines.machines import artefact
from pipelines.machines.capacity import first_without_result, out_of_capacity
from pipelines.machines.failure_path import (
    CODEBOOK_VERSION,
    NO_RECORD,
    failure_path,
    get_item,
    known_group,
    not_retired,
    refuse,
)
from pipelines.machines.inference_end import end
from pipelines.machines.inference_jobs import (
    PREDICTED,
    PREPARED,
    TRANSFORMED,
    amend,
    prepare,
    publish,
    transform,
)
from pipelines.machines.labels_record import SUPERSEDED, read_compared, read_earlier, read_month
from pipelines.machines.states import HOUR, Path, output, text
from pipelines.names import LABELS, PREDICTIONS

TIMEOUT_SECONDS = 48 * HOUR


def build() -> states.Graph:
    failure = failure_path("inference")
    no_machine, waited = out_of_capacity(failure)
    published, audience, recorded = end(failure)
    prepared, transformed = prepare(no_machine), transform(no_machine)
    last, amended = publish(no_machine), amend(no_machine)
    # Before the model is used; and after, before anything that it made is believed.
    changed = artefact.changed(failure)
    use = artefact.check("BeforeTransform", failure, changed, then=transformed)
    transformed.next(artefact.check("AfterTransform", failure, changed, then=last))
    predict = _any_items(use, last)
    prepared.next(predict)
    last.next(published)
    label = _known_model(failure, states.Chain([_to_label(), prepared]))
    decide = states.Chain([_to_amend(), amended, published])
    jobs = {PREPARED: prepared, TRANSFORMED: predict}
    waited.next(_by_purpose("AfterWait", first_without_result(jobs, last), review=amended))

    read = read_month(failure, _made_before(label, last, audience, decide))
    of_month = not_retired(failure, _winner(failure, read_earlier(failure, read_compared(failure, read))))
    group = known_group(failure, _by_purpose("Work", of_month, test=label, review=read))
    # Something that the run read at its start has changed since: it looks again.
    recorded.default_choice(group)
    return states.Graph(_purpose(failure, group), comment=__doc__, timeout_seconds=TIMEOUT_SECONDS)


def _by_purpose(state_id: str, others: states.State, **ways: states.State) -> states.Choice:
    choice = states.Choice(state_id)
    for purpose, way in ways.items():
        choice.add_choice(choice_rule.ChoiceRule.StringEquals("$.purpose", purpose), way)
    choice.default_choice(others)
    return choice


def _purpose(failure: states.State, then: states.State) -> states.State:
    """A test set names its model and goes to the comparison; a month is labelled by the winner.

    `earlier` are the labels of the month to compare with, `month` those of this one until now; both have the
    form of the ledger's items, which replace them where there are some; so has `compared`, the newest
    decision with evidence. A job's input may not be empty: until then it is the folder of rejected rows,
    which every run has, and no digest.
    """
    none = {"labels": {"S": output("rejected")}, "digest": {"S": ""}}
    nothing = {
        "challenger": "",
        "test_set": "",
        "delivered": "",
        "earlier": none,
        "month": none | {"run": {"S": ""}, "delivered": {"S": ""}},
        "compared": {"evidence": none["labels"], "evidence_digest": none["digest"]},
        "shown": "",  # the run whose labels this one has copied to where Athena reads
    }
    for_comparison = nothing | {
        "bucket": "${WorkBucket}",
        "key": "${WorkKeyArn}",
        "folder": {"prefix": text(PREDICTIONS)},
        "challenger": Path("$.challenger"),
        "test_set": Path("$.test_set"),
    }
    for_people = nothing | {"bucket": "${LabelledBucket}", "key": "${LabelledKeyArn}"}
    for_people |= {"folder": {"prefix": text(LABELS)}}
    targets = {
        "test": ("ForComparison", for_comparison),
        "inference": ("ForStakeholders", for_people | {"delivered": Path("$.delivered")}),
        "review": ("ForReview", for_people),
    }
    ways = {}
    for purpose, (state_id, target) in targets.items():
        ways[purpose] = states.Pass(state_id, parameters=target, result_path="$.target")
        ways[purpose].next(then)
    unknown = "The inference workflow was given the purpose {}; it must be inference, test or review."
    return _by_purpose("Purpose", refuse("UnknownPurpose", failure, unknown, "$.purpose"), **ways)


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


def _made_before(
    label: states.State, publish: states.State, audience: states.State, decide: states.State
) -> states.Choice:
    """What a run that looked again must do anew; at the first look that is everything.

    The jobs' results hold where codebook and winner are still those they were made with, and need not be
    brought up to date where a newer delivery is the month by now. What was published stays as its manifest
    says: what is made anew is published in a folder of its own.
    """
    rule = choice_rule.ChoiceRule
    review, first = rule.StringEquals("$.purpose", "review"), rule.IsPresent("$.made", False)
    same = [
        rule.StringEqualsPath(f"$.made.{name}", path)
        for name, path in {"codebook": CODEBOOK_VERSION, "model": "$.model"}.items()
    ]
    anew = _by_purpose("MadeWithTheSame", label, review=decide)
    anew.add_choice(rule.And(same), publish)
    beside = states.Pass(
        "PublishBeside",
        parameters={"prefix": text("{}again/", "$.target.folder.prefix")},
        result_path="$.target.folder",
    )
    beside.next(anew)
    made = states.Choice("MadeBefore")
    made.add_choice(rule.And([first, review]), decide)
    made.add_choice(first, label)
    made.add_choice(rule.And([rule.Not(review), SUPERSEDED]), audience)
    made.default_choice(beside)
    return made


def _known_model(failure: states.State, then: states.State) -> states.State:
    """Which run trained the model: its report says which codes the model has seen."""
    get_model = get_item("GetModel", text(keys.MODEL), "$.recorded", failure)
    known = states.Choice("ModelKnown")
    known.add_choice(choice_rule.ChoiceRule.IsPresent("$.recorded.Item.run.S", True), then)
    known.default_choice(refuse("UnknownModel", failure, NO_RECORD, "$.model"))
    get_model.next(known)
    return get_model


def _any_items(transform: states.State, publish: states.State) -> states.Choice:
    """Past Transform where nothing was sold, as SageMaker refuses a job that has nothing to read.

    Source: aws/amazon-sagemaker-examples issue 2414. In place of predictions Publish gets the folder of
    rejected rows, in which it finds none.
    """
    none = states.Pass("NothingToPredict", parameters={"uri": output("rejected")}, result_path=PREDICTED)
    none.next(publish)
    any_items = states.Choice("AnyItems")
    any_items.add_choice(choice_rule.ChoiceRule.NumericEquals(f"{PREPARED}.message.items", 0), none)
    any_items.default_choice(transform)
    return any_items


def _to_label() -> states.State:
    """What the labels will say they were made with and of; results of jobs join it."""
    made: dict[str, Any] = {name: Path(f"$.{name}") for name in ("model", "dataset")}
    made |= {"delivered": Path("$.target.delivered"), "codebook": Path(CODEBOOK_VERSION)}
    made |= {"predictions": {"uri": output("predictions")}}
    return states.Pass("ToLabel", parameters=made, result_path="$.made")


def _to_amend() -> states.State:
    """Amended labels are still of the delivery that they were."""
    made = {name: Path(f"$.target.month.{name}.S") for name in ("model", "dataset", "delivered")}
    return states.Pass("ToAmend", parameters=made, result_path="$.made")
