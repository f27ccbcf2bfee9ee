"""From evidence to HTML: pure functions, one for each kind of page; the index is in index.py."""

import base64
import hashlib
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipelines.report import formats
from pipelines.report.terms import OUTCOMES, OUTCOMES_ALONE, OUTCOMES_OF_TWO, ROLES, SCORES, TWO_MODELS
from processing.codes import codebook
from processing.dataset import doubtful_rows
from processing.dataset.kinds import KINDS
from processing.labels import advice
from processing.labels.label_table import DECIDED
from processing.month.month_changes import CAUSES
from processing.policy import MONTH
from processing.words import counted

VERDICTS = {
    "FIRST": "The new model is the first winner of this group.",
    "PROMOTE": "The new model replaces the winner.",
    "KEEP": "The winner stays: the new model brings no useful gain.",
    "UNDECIDED": "The winner stays: the evidence does not settle it.",
    "REJECT": "The winner stays: the new model must not replace it.",
}
WAITS = "WAITS"  # a period's page: for a person to approve a FIRST or PROMOTE
#: Links from a page to those above it: file name and text.
Up = Sequence[tuple[str, str]]

#: Why a code changed, the reason for concern first; and how many items of each are shown.
CONCERN = ("person", "model", "attributes", "text", "codebook")
ITEMS = 50


def comparison_page(evidence: dict[str, Any], lineage: dict[str, Any], up: Up = ()) -> str:
    """The page of one comparison, a whole HTML document.

    `evidence` is what Compare wrote (`comparison.json`); `lineage` is where it all came from, as
    `archive.Archive` reads it. Item texts in them are shown as text, whatever they hold. `up` are the pages
    above this one.
    """
    decided = _as_decided(evidence, lineage)
    replaced = lineage["decision"] and decided["verdict"] == "PROMOTE"
    return render(
        "comparison.html",
        up=up,
        **_compared(evidence, lineage, ROLES, evidence["run"]),
        decided=decided,
        verdicts=VERDICTS,
        roll_back_to=evidence["winner"]["model"] if replaced else None,
        questions=evidence.get("questions"),  # of a comparison before they were recorded: none
        findings=evidence.get("findings"),  # of a comparison before they were counted: none
        doubtful=evidence.get("doubtful"),  # of a comparison before labels were doubted: none
        outcome_names=OUTCOMES if evidence["winner"] else OUTCOMES_ALONE,
        test_sets=[lineage["challenger"]["model"]["test_set"]],
    )


def models_page(evidence: dict[str, Any], lineage: dict[str, Any], said: Sequence[str], up: Up = ()) -> str:
    """The page of any two models of a group, a whole HTML document like that of a comparison.

    `evidence` and `lineage` are what `tested_models.read` gives, `said` are its sentences
    (two_models.in_words); `up` are the pages above this one. Nothing is decided, so no verdict is shown.
    """
    none = {"rows": 0}
    return render(
        "comparison.html",
        up=up,
        **_compared(
            evidence | {"conflicts": none, "set_aside": none},
            lineage | {"decision": None, "waits_until": None},
            TWO_MODELS,
            "".join(evidence["test_sets"]),
        ),
        decided=None,
        said=said,
        roll_back_to=None,
        questions=None,
        findings=None,
        doubtful=None,
        outcome_names=OUTCOMES_OF_TWO,
        test_sets=dict.fromkeys(evidence["test_sets"].values()),
    )


def _compared(
    evidence: dict[str, Any], lineage: dict[str, Any], roles: Mapping[str, Mapping[str, str]], salt: str
) -> dict[str, Any]:
    """What the pages of two models show, decided upon or not."""
    from pipelines.report import plots

    book, models = lineage["codebook"], {role: evidence[role] for role in ("winner", "challenger")}
    place = {entry["code"]: number for number, entry in enumerate(book["codes"])}
    old, new = (roles[role]["short"] for role in models)
    return {
        "evidence": evidence,
        "lineage": lineage,
        "roles": roles,
        **models,
        "interval": _interval(evidence) if models["winner"] else None,
        "warning": (
            None if models["challenger"]["coverage"] else advice.all_to_review(_wanted_precision(evidence))
        ),
        "outcomes": _outcomes(evidence),
        "label_more": evidence.get("label_more"),  # of a comparison before they were named: none
        # Of a comparison from before it was counted what it leaves to people: nothing.
        "people": {
            roles[role]["name"]: scored["at_precisions"]
            for role, scored in models.items()
            if scored and "at_precisions" in scored
        },
        "doubted_in": (
            evidence["group"] if doubtful_rows.are_many(evidence.get("doubtful")) else ""  # as above
        ),
        "names": _names(book),
        "hard_texts": evidence.get("hard_texts"),  # of any two models, and from before they were tried: none
        "codes": {entry["code"]: entry for entry in book["codes"]},
        "order": sorted(models["challenger"]["codes"], key=lambda code: place.get(code, len(place))),
        "in_force": set(codebook.parse(book).in_force(evidence["period"])),
        "interval_plot": plots.interval(evidence, old, new, salt) if models["winner"] else None,
        "calibration_plot": plots.calibration(
            {roles[role]["short"]: scores for role, scores in models.items()}, evidence["rows"], salt
        ),
    }


def labels_page(month: dict[str, Any], up: Up = ()) -> str:
    """The page of one month's labels of one group, a whole HTML document.

    `month` is what `archive.Archive.labels` reads: `address`, `manifest`, `summary`, `changes` (`file` and
    `items`, or None), `codebook`, `curve` (what is right after so many rows of the sheet), `others` (other
    versions of the month, as they were recorded). `up` are the pages above this one.
    """
    from pipelines.report import plots
    from processing.labels import audit
    from processing.month.summary import expected

    summary, changes = month["summary"], month["changes"]
    items = changes["items"] if changes else []
    return render(
        "labels.html",
        up=up,
        **month,
        findings=summary.get("findings"),  # of labels before they were counted: none
        causes=CAUSES,
        names=_names(month["codebook"]),
        expected=expected(summary),
        capacity=_capacity(summary),
        test=summary.get("test"),  # of labels before it was there: none
        shown={cause: [item for item in items if item["cause"] == cause][:ITEMS] for cause in CONCERN},
        in_force=set(codebook.parse(month["codebook"]).in_force(summary["period"])),
        codes_plot=plots.codes(summary),
        audit_in_words=audit.in_words(summary["audit"]) if summary.get("audit") else None,
    )


def audit_page(item: dict[str, Any]) -> str:
    """The page on why an item has its code, a whole HTML document.

    `item` is what pipelines.audit.item says of it; its texts are shown as text, whatever they hold.
    """
    command = ("labelmill", "audit", item["group"], item["period"], item["item_id"], "--run", item["run"])
    return render("audit.html", item=item, said=_status(item["label"]), again=shlex.join(command))


def _status(label: dict[str, Any]) -> str:
    """What has become of an item, in a sentence or two."""
    if label["status"] == "rejected":
        return "The row could not be used, so it has no code."
    on = f", looking at {head} of its family" if (head := label.get("decided_on")) else ""
    if label["status"] == "none":
        return f"A person found that no code fits{on}."
    if label["status"] == "review":
        return f"A person must decide on it; {label['code']} is a suggestion, no label."
    if label["answer"] in DECIDED:
        return f"A person has decided that it is {label['code']}{on}."
    return f"The model's label is {label['code']}; it needed no person."


def check_page(found: dict[str, Any]) -> str:
    """The page on a dataset before it is sent, a whole HTML document.

    `found` is what processing.dataset.check says, and what the `dataset` is called.
    """
    return render("check.html", **found, names_of_signs={"\t": "tab", ",": "comma", ";": "semicolon"})


def trial_page(found: dict[str, Any], said: dict[str, str]) -> str:
    """The page on a trial with a person's own file, a whole HTML document.

    `found` is what pipelines.own_data.trial says, and of the `file` its name and `columns`; `said` is what
    pipelines.own_data.sentences makes of it.
    """
    from pipelines.report import plots

    models = {"baseline": found["baseline"], "this model": found["model"]}
    return render(
        "trial.html",
        **found,
        said=said,
        calibration_plot=plots.calibration(models, found["test"]["rows"], found["file"]),
    )


def review_page(sheet: dict[str, Any]) -> str:
    """The page to label a month's items on by keys, a whole HTML document.

    `sheet` is what pipelines.review.labelling.contents says; the page has all of it as data for its script.
    """
    return render("review.html", scripts=("review.js",), sheet=sheet)


def period_page(
    period: str,
    comparisons: list[tuple[dict[str, Any], dict[str, Any]]],
    groups: list[str],
    winners: dict[str, str],
    labels: Sequence[dict[str, Any]] = (),
    answer: str = "",
    up: Up = (),
) -> str:
    """The page of one period, a whole HTML document.

    `comparisons` are pairs of evidence and lineage as `comparison_page` takes them, of comparisons that were
    decided or wait for a person; `groups` are the model groups in use; `winners` says which model each
    group's winner is now, and whether it is pinned; `labels` are months as `labels_page` takes them. The page
    links to the others by `page_name` and `labels_page_name`: they belong in the same folder. `answer` says
    whether the month is done, what needs a person, and by when; `up` are the pages above this one.
    """
    from pipelines.report import plots

    evidences = [
        _as_decided(evidence, lineage) if lineage["decision"] else _as_asked(evidence)
        for evidence, lineage in comparisons
    ]
    evidences.sort(key=lambda evidence: (evidence["group"], evidence["run"]))
    compared = [evidence for evidence in evidences if evidence["difference"] is not None]
    return render(
        "period.html",
        up=up,
        answer=answer,
        period=period,
        comparisons=evidences,
        verdicts=(*VERDICTS, WAITS),
        counts=Counter(evidence["verdict"] for evidence in evidences),
        compared=compared,
        waiting=sorted(set(groups) - {evidence["group"] for evidence in evidences}),
        winners=winners,
        intervals_plot=plots.intervals(compared) if compared else None,
        labels=[month["summary"] for month in labels],
        synthetic=any(
            "synthetic" in made["codebook"]["source"]
            for made in (*labels, *(lineage for _, lineage in comparisons))
        ),
    )


def _as_decided(evidence: dict[str, Any], lineage: dict[str, Any]) -> dict[str, Any]:
    """The evidence with the verdict and reason that the ledger has: a person may have decided otherwise."""
    decision = lineage["decision"] or evidence
    return evidence | {name: decision[name] for name in ("verdict", "reason")}


def _as_asked(evidence: dict[str, Any]) -> dict[str, Any]:
    """The evidence of a comparison that waits for a person, as a period's page has it."""
    reason = f"The comparison says {evidence['verdict']}; a person must approve. {evidence['reason']}"
    return evidence | {"verdict": WAITS, "reason": reason}


def page_name(run: str) -> str:
    """The file name of a comparison's page, or of a period's."""
    return f"{run}.html"


def models_page_name(a: str, b: str) -> str:
    """The file name of the page of any two models."""
    return f"{a}-and-{b}.html"


def labels_page_name(group: str, period: str) -> str:
    """The file name of the page of a month's labels."""
    return f"{group}-labels-{period}.html"


def _capacity(summary: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What so many reviewed items buy: right ones among the others and of all, and whether it is enough."""
    from processing.labels.without_person import right_of_all

    plan, counts = summary["review"], summary["counts"]
    promised = "right_of_all" if plan.get("promise") == MONTH else "expected_precision"
    items = counts["rows"] - counts["rejected"]
    rows = [
        row | {"right_of_all": right_of_all(row["expected_precision"], items - row["items"], items)}
        for row in plan["what_a_capacity_buys"]
    ]
    return [row | {"meets": row[promised] >= plan["wanted_precision"]} for row in rows]


def _names(book: Mapping[str, Any]) -> dict[str, str]:
    """What a codebook calls each code."""
    return {entry["code"]: entry["description"] for entry in book["codes"]}


def _outcomes(evidence: dict[str, Any]) -> dict[str, dict[str, Any] | None]:
    """What the models make of the rows, by kind; None where evidence is from before the kind was counted."""
    changes = evidence["changes"]
    recorded = changes.get("outcomes") or changes.get("flips") or {}
    return {kind: recorded.get(kind) for kind in (OUTCOMES if evidence["winner"] else OUTCOMES_ALONE)}


def _interval(evidence: dict[str, Any]) -> str:
    """What the line of the interval plot stands for, in words."""
    level = f"{100 - 100 * evidence['policy']['level']:g} % interval"
    texts = counted(evidence["distinct_texts"], "distinct text")
    if evidence["low"] is not None:
        return f"{level}, from resampling the {texts}"
    return f"exact {level} on the {texts}; of macro-F1 there is none with so few"


def _wanted_precision(evidence: dict[str, Any]) -> float:
    """Evidence from before a policy had a precision was of models with the default one."""
    precision: float = evidence["policy"].get("precision", 0)
    return precision


def render(template: str, *, up: Up = (), scripts: Sequence[str] = ("sort.js",), **values: object) -> str:
    """A whole HTML document of a template, with its scripts and the links to the pages above it."""
    environment = _environment()
    assert environment.loader
    sources = [environment.loader.get_source(environment, name)[0] for name in scripts]
    # The scripts that may run are named by their digests: not even a fault in escaping could run another.
    digests = [base64.b64encode(hashlib.sha256(source.encode()).digest()).decode() for source in sources]
    return environment.get_template(template).render(**values, up=up, scripts=sources, script_digests=digests)


@cache
def _environment() -> Environment:
    from processing.labels import advice

    environment = Environment(
        loader=PackageLoader("pipelines.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        name: getattr(formats, name) for name in ("change", "count", "points", "signed", "tone", "time")
    }
    environment.filters["counted"] = counted
    environment.filters |= {"remedy": advice.remedy, "labels_first": advice.labels_first}
    environment.globals |= {"kinds": KINDS, "score_names": SCORES}
    environment.globals |= {"page_name": page_name, "labels_page_name": labels_page_name}
    return environment
