"""What the pages call models, their scores and what they make of a row: names and notes, nothing else."""

from typing import Any

#: What the scores of a model (processing/verdict/scores.py) are called, and what they mean.
SCORES = {
    key: {"name": name, "note": note}
    for key, name, note in (
        ("macro_f1", "Macro-F1", "mean over codes: rare codes count as much as frequent ones"),
        ("accuracy", "Accuracy", "share of rows with the right code"),
        ("weighted_f1", "Weighted F1", "mean over codes, weighted by rows"),
        ("coverage", "Labelled without review", "share of rows that need no person under the policy"),
        ("accuracy_of_covered", "Accuracy of those", "share of right codes among them"),
        ("right_of_all", "Right of all published", "what people decide counts as right"),
        (
            "calibration_error",
            "Calibration error",
            "distance between confidence and truth; lower is better. By chance: with exact confidences",
        ),
    )
}

#: What a comparison's models are called: over a column, in a sentence, at its beginning, without an article.
ROLES = {
    role: {"name": role.capitalize(), "said": f"the {role}", "begins": f"The {role}", "short": role}
    for role in ("winner", "challenger")
}
#: And where no decision is asked for (two_models.py).
TWO_MODELS = {
    role: dict.fromkeys(("name", "said", "begins", "short"), letter)
    for role, letter in (("winner", "A"), ("challenger", "B"))
}

#: What models make of a row (processing/verdict/changes.py), and whose codes tell it, by the columns' names.
OUTCOMES: dict[str, dict[str, Any]] = {
    "worse": {
        "name": "Newly wrong",
        "note": "only the winner is right",
        "codes": {"truth": "True code", "challenger": "Challenger"},
    },
    "better": {
        "name": "Newly right",
        "note": "only the challenger is right",
        "codes": {"truth": "True code", "winner": "Winner"},
    },
    "alike": {
        "name": "Wrong both times, alike",
        "note": "both give the same wrong code",
        "codes": {"truth": "True code", "challenger": "Both models"},
    },
    "other": {
        "name": "Wrong both times, differently",
        "note": "each gives another wrong code",
        "codes": {"truth": "True code", "winner": "Winner", "challenger": "Challenger"},
    },
    "right": {"name": "Right both times", "note": "both give the true code"},
}
OUTCOMES_OF_TWO: dict[str, dict[str, Any]] = {
    "worse": {
        "name": "Only A right",
        "note": "B is wrong",
        "codes": {"truth": "True code", "challenger": "B"},
    },
    "better": {"name": "Only B right", "note": "A is wrong", "codes": {"truth": "True code", "winner": "A"}},
    "alike": {
        "name": "Both wrong, alike",
        "note": "both give the same wrong code",
        "codes": {"truth": "True code", "challenger": "Both models"},
    },
    "other": {
        "name": "Both wrong, differently",
        "note": "each gives another wrong code",
        "codes": {"truth": "True code", "winner": "A", "challenger": "B"},
    },
    "right": {"name": "Both right", "note": "both give the true code"},
}
OUTCOMES_ALONE: dict[str, dict[str, Any]] = {
    "wrong": {
        "name": "Wrong",
        "note": "another code than the true one",
        "codes": {"truth": "True code", "challenger": "Given"},
    },
    "right": {"name": "Right", "note": "the true code"},
}
