"""A model's artefact: the copy that is kept and used, and the check that it is still the one recorded.

S3 itself digests the copy while it makes it, and every object that later takes its place ("Checking object
integrity", Amazon S3 User Guide): nobody who writes another artefact there can give it the recorded digest.
The digest is Base64, as S3 writes it; a copy, of up to 5 GB, has that of the whole object (CopyObject).
"""

from stepfunctions.steps import choice_rule, states

from pipelines import names
from pipelines.machines.failure_path import refuse
from pipelines.machines.states import Path, call, in_work_bucket, text
from processing.errors import NOT_AS_RECORDED

DIGEST = "$.kept.digest"
_RECORDED = "$.recorded.Item.artefact_digest.S"


def kept(model: str) -> Path:
    """Address of the artefact that is kept of the model named at the path `model`."""
    return in_work_bucket(names.ARTEFACT, model=model)


def keep(failure: states.State, model: str) -> states.State:
    """Copy what Train left to where it stays; its digest is then at DIGEST."""
    parameters = {
        "Bucket": "${WorkBucket}",
        "Key": text(names.ARTEFACT, model=model),
        "CopySource": text(f"${{WorkBucket}}/{names.TRAINED_ARTEFACT}", model=model),
        "ChecksumAlgorithm": "SHA256",
    }
    return call(
        "KeepArtefact",
        "aws-sdk:s3:copyObject",
        parameters,
        failure,
        result_selector={"digest.$": "$.CopyObjectResult.ChecksumSHA256"},
        result_path="$.kept",
    )


def changed(failure: states.State) -> states.State:
    """The refusal of a model whose artefact is another than the ledger says."""
    sentence = (
        f"The artefact of model {{}} {NOT_AS_RECORDED}: the object models/{{}}/{{}}/model.tar.gz in the work "
        "bucket, of {}, has not the SHA-256 {} (Base64). Fix: restore that version of the object, then start "
        "the run again; or make another model the winner (labelmill models promote)."
    )
    paths = ("$.model", "$.group", "$.model", "$.artefact.LastModified", _RECORDED)
    return refuse("ArtefactChanged", failure, sentence, *paths)


def check(when: str, failure: states.State, otherwise: states.State, then: states.State) -> states.State:
    """On to `then` if the artefact of the model at `$.model` is the one in its item at `$.recorded`.

    `when` ends the names of the states; `otherwise` is `changed`.
    """
    parameters = {
        "Bucket": "${WorkBucket}",
        "Key": text(names.ARTEFACT, model="$.model"),
        "ChecksumMode": "ENABLED",
    }
    look = call(f"GetArtefact{when}", "aws-sdk:s3:headObject", parameters, failure, result_path="$.artefact")
    same = states.Choice(f"SameArtefact{when}")
    rule, found = choice_rule.ChoiceRule, "$.artefact.ChecksumSHA256"
    # An object that was written without a digest of this kind has none.
    same.add_choice(rule.And([rule.IsPresent(found, True), rule.StringEqualsPath(found, _RECORDED)]), then)
    same.default_choice(otherwise)
    look.next(same)
    return look
