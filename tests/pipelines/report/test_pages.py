"""What the pages say, read from their HTML."""

import argparse
import re
import shlex
from html import unescape

import pytest

from pipelines.commands import approve, models, reject
from pipelines.report import comparison_page, labels_page, labels_page_name, page_name, period_page, plots
from processing.dataset.kinds import KINDS
from processing.labels import audit
from processing.words import counted
from tests.pipelines.report import months
from tests.pipelines.report.evidences import CODES


def text_of(html: str) -> str:
    seen = re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", seen))


def test_a_page_says_the_verdict_its_reason_and_the_codes(promoted):
    evidence, lineage = promoted
    text = text_of(comparison_page(evidence, lineage))
    assert "PROMOTE The new model replaces the winner." in text
    assert evidence["reason"] in text
    assert "3 Lampen critical" in text
    code = evidence["challenger"]["codes"]["3"]
    assert f"{100 * code['recall']:.1f} {code['rightly_given']} of {code['rows']}" in text
    assert f"{100 * code['precision']:.1f} {code['rightly_given']} of {code['given']}" in text


def test_a_page_names_where_everything_comes_from(promoted):
    evidence, lineage = promoted
    text = text_of(comparison_page(evidence, lineage))
    for side in ("challenger", "winner"):
        for value in (
            evidence[side]["model"],
            lineage[side]["model"]["run"],
            lineage[side]["data"]["dataset"],
        ):
            assert value in text
        assert lineage[side]["model"]["data_digest"] in text
        assert lineage[side]["model"]["code_digest"] in text
    assert evidence["run"] in text
    assert lineage["evidence_digest"] in text
    assert "2026-10-03 04:05 UTC, by comparison" in text


def test_a_comparison_that_waits_for_a_decision_says_so(promoted):
    evidence, lineage = promoted
    text = text_of(comparison_page(evidence, lineage | {"decision": None}))
    assert "PROMOTE The comparison says so; no decision is recorded yet." in text


def commands(html: str) -> list[str]:
    """The commands that a page names, each checked to be one that the command line knows."""
    parser = argparse.ArgumentParser()
    known = parser.add_subparsers()
    for module in (models, approve, reject):
        module.add_parser(known)
    named = [
        line for block in re.findall("<pre[^>]*>(.*?)</pre>", html, re.DOTALL) for line in block.splitlines()
    ]
    for line in named:
        parser.parse_args(shlex.split(line)[1:])
    return named


def test_a_page_of_a_replaced_winner_names_the_command_to_go_back(promoted, first):
    evidence, lineage = promoted
    before = evidence["winner"]["model"]
    assert commands(comparison_page(evidence, lineage)) == [
        f"labelmill models rollback DE-weee --to {before} --reason TEXT"
    ]
    kept = lineage | {"decision": lineage["decision"] | {"verdict": "KEEP"}}
    assert commands(comparison_page(evidence, kept)) == commands(comparison_page(*first)) == []


def test_a_page_of_a_comparison_that_waits_for_a_person_names_both_answers(promoted):
    evidence, lineage = promoted
    asked = lineage | {"decision": None, "waits_until": "2026-10-10T04:05:00+00:00"}
    html = comparison_page(evidence, asked)
    assert commands(html) == [
        f"labelmill approve {evidence['run']}",
        f"labelmill reject {evidence['run']} --reason TEXT",
    ]
    assert "It is waiting for a person until 2026-10-10 04:05 UTC; no answer means no." in text_of(html)
    period = text_of(period_page("2026-10", [(evidence, asked)], ["DE-weee"], {}))
    assert "DE-weee WAITS The comparison says PROMOTE; a person must approve." in period
    assert "Cross: waiting for a person." in period


@pytest.mark.parametrize(("passed", "answer"), [(True, "yes"), (False, "no"), (None, "not checked")])
def test_a_page_shows_the_questions_that_the_comparison_asked_with_their_answers(promoted, passed, answer):
    evidence, lineage = promoted
    text = unescape(text_of(comparison_page(evidence, lineage)))
    for each in evidence["questions"]:
        assert f"{each['question']} required: {each['asked']} yes {each['found']} " in text
    asked = {"question": "Is it light?", "asked": "under 1 kg", "found": "<2 kg>", "passed": passed}
    html = comparison_page(evidence | {"questions": [asked]}, lineage)
    assert f"Is it light? required: under 1 kg {answer} &lt;2 kg&gt; " in text_of(html)
    assert "Are there test rows?" not in html


def test_a_page_of_a_comparison_that_recorded_no_questions_says_so(promoted):
    evidence, lineage = promoted
    recorded = {name: value for name, value in evidence.items() if name != "questions"}
    sentence = "The questions of the rule were not recorded when this comparison was made"
    assert sentence in text_of(comparison_page(recorded, lineage))
    assert sentence not in text_of(comparison_page(evidence, lineage))


def test_a_person_who_decided_otherwise_is_believed_and_the_comparison_still_told(promoted):
    evidence, lineage = promoted
    said = f"Not approved. The comparison said PROMOTE: {evidence['reason']} Rejected by Ada: no."
    decision = lineage["decision"] | {"verdict": "KEEP", "reason": said, "decided_by": "Ada"}
    refused = lineage | {"decision": decision}
    text = text_of(comparison_page(evidence, refused))
    assert "KEEP The winner stays" in text
    assert text.count(evidence["reason"]) == 1 and said in text
    assert "by Ada" in text
    period = text_of(period_page("2026-10", [(evidence, refused)], ["DE-weee"], {}))
    assert f"DE-weee KEEP {said}" in period


def test_synthetic_data_is_called_synthetic_and_real_data_is_not(promoted):
    evidence, lineage = promoted
    assert "Synthetic data" in comparison_page(evidence, lineage)
    real = lineage | {"codebook": lineage["codebook"] | {"source": "ElektroG, annex 1"}}
    assert "Synthetic data" not in comparison_page(evidence, real)


@pytest.mark.parametrize(
    ("policy", "wanted"), [({"precision": 0.95}, "95 %"), ({"precision": 0}, "98 %"), ({}, "98 %")]
)
def test_a_page_says_where_the_challenger_labels_nothing_by_itself(promoted, policy, wanted):
    evidence, lineage = promoted
    model = evidence["challenger"]["model"]
    sentence = f"The challenger, {model}, labels nothing by itself. Every item goes to review:"
    assert sentence not in text_of(comparison_page(evidence, lineage))
    policy = {name: value for name, value in evidence["policy"].items() if name != "precision"} | policy
    never = evidence["challenger"] | {"coverage": 0.0, "accuracy_of_covered": None}
    winner = evidence["winner"] | {"coverage": 0.45, "accuracy_of_covered": 0.991}
    changed = evidence | {"policy": policy, "challenger": never, "winner": winner}
    text = text_of(comparison_page(changed, lineage))
    assert sentence in text and f"do not show a precision of {wanted} at any threshold" in text
    said = f"The winner, {winner['model']}, labels 45.0 % of the test rows, 99.1 % of them right."
    assert said in text


def test_a_comparison_on_few_texts_shows_that_macro_f1_has_no_interval(compare):
    few, lineage = compare(rows=90, wrong=(0.05, 0.4))
    html = comparison_page(few, lineage)
    assert few["low"] is None
    said = "Line: exact 98 % interval on the 90 distinct texts; of macro-F1 there is none with so few."
    assert said in text_of(html)
    assert "no interval" in html
    period = period_page("2026-10", [(few, lineage)], ["DE-weee"], {})
    assert "None" not in text_of(period)


def test_a_first_model_is_compared_with_nothing(first):
    html = comparison_page(*first)
    text = text_of(html)
    assert "FIRST The new model is the first winner of this group." in text
    assert "Winner" not in text
    assert html.count("<svg") == 1


def test_what_is_still_wrong_is_counted_over_all_test_rows_and_shown_with_examples(compare):
    evidence, lineage = compare(rows=500, wrong=(0.2, 0.3))
    text, outcomes = text_of(comparison_page(evidence, lineage)), evidence["changes"]["outcomes"]
    table = text.partition("Of all, % ")[2].partition(" Newly wrong: ")[0]
    kinds = {
        "worse": "Newly wrong only the winner is right",
        "better": "Newly right only the challenger is right",
        "alike": "Wrong both times, alike both give the same wrong code",
        "other": "Wrong both times, differently each gives another wrong code",
        "right": "Right both times both give the true code",
    }
    rows = [int(re.search(rf"{said} (\d+) ", table)[1]) for said in kinds.values()]
    assert rows == [outcomes[kind]["rows"] for kind in kinds]
    assert sum(rows) == evidence["rows"] and table.endswith(f"All {evidence['rows']} 100.0")
    for kind, name in {"worse": "Newly wrong", "alike": "Wrong both times, alike"}.items():
        assert outcomes[kind]["rows"] and f"{name}: {counted(outcomes[kind]['rows'], 'row')} " in text
        pair = outcomes[kind]["confusions"][0]
        given = f"{pair['challenger']} {CODES[pair['challenger']]}"
        titles = " ".join(pair["titles"])
        assert f"{pair['truth']} {CODES[pair['truth']]} {given} {pair['rows']} {titles}" in text
        item = outcomes[kind]["items"][0]
        assert f"{item['title']} {item['item_id']}" in text
        assert f"challenger {100 * item['challenger_confidence']:.1f} % sure" in text
        assert f"winner {100 * item['winner_confidence']:.1f} % sure" in text


def test_a_page_of_a_first_model_shows_what_it_gets_wrong(first):
    evidence, lineage = first
    text, wrong = text_of(comparison_page(evidence, lineage)), evidence["changes"]["outcomes"]["wrong"]
    assert f"Wrong another code than the true one {wrong['rows']} " in text
    assert wrong["items"][0]["title"] in text
    assert "both" not in text.partition("What is still wrong")[2].partition("Is the confidence true?")[0]


def test_a_page_names_the_codes_where_more_labels_would_help_most(promoted):
    evidence, lineage = promoted
    rare = {"code": "3", "texts": 90, "wrong": 6, "learned": 150}
    new = {"code": "4", "texts": 7, "wrong": 2, "learned": 0}
    named = evidence | {"label_more": [new, rare], "unreached_codes": ["5"]}
    text = text_of(comparison_page(named, lineage)).partition("Where more labels would help most")[2]
    assert "4 Großgeräte 2 7 0 \N{EN DASH} 3 Lampen 6 90 150 4.0 " in text
    assert "had no row to learn from: 5." in text
    nothing = text_of(comparison_page(evidence | {"label_more": []}, lineage))
    assert "No code in force has two wrong test texts." in nothing


def test_a_page_of_evidence_from_before_says_what_was_not_recorded(promoted, first):
    evidence, lineage = promoted
    outcomes = evidence["changes"]["outcomes"]
    flips = {
        kind: {name: value for name, value in outcomes[kind].items() if name != "confusions"}
        for kind in ("worse", "better", "other")
    }
    before = {name: value for name, value in evidence.items() if name != "label_more"}
    confusions = evidence["changes"]["confusions"]
    html = comparison_page(before | {"changes": {"confusions": confusions, "flips": flips}}, lineage)
    text = text_of(html)
    assert "Wrong both times, alike both give the same wrong code not recorded" in text
    assert "Right both times both give the true code not recorded" in text
    assert "Where more labels would help most Not recorded when this comparison was made." in text
    assert f"Newly wrong: {flips['worse']['rows']} rows" in text and 'href="#alike"' not in html
    of_first = first[0] | {"changes": {"confusions": [], "flips": None}}
    assert "Right the true code not recorded" in text_of(comparison_page(of_first, first[1]))


def test_a_page_shows_where_the_dataset_contradicts_people(promoted):
    evidence, lineage = promoted
    item = {"item_id": "<b>7", "label": "1", "decided": None, "decided_by": "A. Muster", "run": "r9"}
    conflicts = {"rows": 12, "first": [item | {"decided_at": "2026-10-02T10:00:00+00:00"}]}
    html = comparison_page(evidence | {"conflicts": conflicts}, lineage)
    text = unescape(text_of(html))
    assert "training dataset have another code than a person decided on" in text and "12 items" in text
    assert "The first 1:" in text and "<b>" not in html
    assert re.search(r"<b>7 1 \S+ no code fits A. Muster 2026-10-02 10:00 UTC, r9", text)
    assert "contradicts people" not in text_of(comparison_page(*promoted))


def test_a_page_shows_the_training_rows_that_were_set_aside(promoted):
    evidence, lineage = promoted
    aside = {
        "rows": 1260,
        "of": 1800,
        "problems": {"unknown-label": 1257, "empty-title": 3},
        "first": {"file": "part-0.csv", "row": 2, "reason": "The label '<b>4.0' is not in codebook 2026-10."},
        "codes": {"4": {"rows": 1257, "labels": ["<b>4.0"]}},
    }
    html = comparison_page(evidence | {"set_aside": aside}, lineage)
    text = unescape(text_of(html))
    assert "1,260 of 1,800 rows of the challenger" in text and "could not be used (70.0 %)" in text
    assert "above 5.0 % a person must approve" in text
    assert "The first: part-0.csv, row 2: The label '<b>4.0' is not in codebook 2026-10." in text
    assert "unknown label 1,257" in text and "empty title 3" in text
    assert "4 Großgeräte 1,257 <b>4.0" in text and "<b>" not in html
    assert "set aside" not in text_of(comparison_page(*promoted)).replace("set_aside", "")


def test_a_page_tells_likely_wrong_labels_and_whether_they_were_learned(promoted):
    evidence, lineage = promoted
    about = {"rows": 1800, "doubtful": 90, "left_out": 72, "noise": 0.105}
    text = text_of(comparison_page(evidence | {"doubtful": about}, lineage))
    assert "90 of 1,800 training rows (5.0 %) have a label that" in text
    assert "did not learn from 72 of them" in text and "10.5 % have another label" in text
    assert "labelmill review labels DE-weee" in text
    text = text_of(comparison_page(evidence | {"doubtful": about | {"left_out": 0}}, lineage))
    assert "learned from them all the same" in text
    for none in ({"doubtful": None}, {"doubtful": about | {"doubtful": 0}}):
        assert "likely wrong" not in text_of(comparison_page(evidence | none, lineage))


@pytest.mark.parametrize("approval", [True, False])
def test_a_page_says_whether_a_promotion_needs_a_person(promoted, approval):
    evidence, lineage = promoted
    html = comparison_page(evidence | {"approval": approval}, lineage)
    assert ("then a person must approve" in text_of(html)) == approval


def test_pictures_have_words_no_colour_of_their_own_and_no_id_twice(promoted):
    html = comparison_page(*promoted)
    pictures = re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL)
    assert len(pictures) == 2
    for picture in pictures:
        assert re.search(r'role="img" aria-label="[^"]{40,}"', picture)
        assert not re.search(r"#[0-9a-f]{6}\b(?!\")", re.sub(r'(href|id)="[^"]*"|url\([^)]*\)', "", picture))
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))


def test_the_calibration_error_stands_beside_what_exact_confidences_would_show(promoted):
    evidence, *rest = promoted
    shown = {"mean": 0.0123, "high": 0.0234}
    challenger = evidence["challenger"] | {"calibration_error_by_chance": shown}
    page = comparison_page(evidence | {"challenger": challenger}, *rest)
    assert 'by chance 1.2</small><small class="words">rarely over 2.3<' in page
    before = {name: value for name, value in challenger.items() if name != "calibration_error_by_chance"}
    older = evidence | {"challenger": before, "winner": before}
    assert "by chance 1.2" not in comparison_page(older, *rest)


def test_confidences_of_few_rows_are_one_point_of_the_calibration_with_an_interval():
    def drawn(rows: int, right: float) -> str:
        bins = [
            {
                "low": n / 15,
                "high": (n + 1) / 15,
                "rows": rows,
                "confidence": (n + 0.5) / 15,
                "accuracy": right,
            }
            for n in range(15)
        ]
        models = {"winner": None, "challenger": {"calibration": bins, "calibration_error": 0.1}}
        return plots.calibration(models, 15 * rows, "salt")

    few, enough = drawn(5, 0.8), drawn(20, 0.8)
    assert enough.count("<use") - few.count("<use") == 15 - 4  # points
    # The 95 % interval of 16 of 20 is 56.3 to 94.3 % (R's binom.test), that of 20 of 20 is 83.2 to 100 %.
    lengths = [longest_upright(drawn(20, right)) for right in (0.8, 1)]
    assert lengths[0] / lengths[1] == pytest.approx((94.27 - 56.34) / (100 - 83.16), rel=1e-3)


def longest_upright(picture: str) -> float:
    """The length of the intervals in a picture, whose lines are the only ones upright in its colour."""
    lines = re.findall(r'd="M ([\d.]+) ([\d.]+) \nL ([\d.]+) ([\d.]+) \n" [^>]*stroke: var\(--new\)', picture)
    return max(abs(float(top) - float(bottom)) for x, bottom, at, top in lines if x == at)


def test_the_same_evidence_gives_the_same_page_to_the_byte(promoted):
    assert comparison_page(*promoted) == comparison_page(*promoted)


def test_a_periods_page_lists_every_group_with_a_link_to_its_comparison(promoted, first):
    winners = {"DE-weee": "DE-weee-2026-10-1a2b3c4d"}
    html = period_page("2026-10", [first, promoted], ["DE-weee", "FR-packaging", "NL-weee"], winners)
    text = text_of(html)
    for evidence, _ in (promoted, first):
        assert f'href="{page_name(evidence["run"])}"' in html
        assert evidence["reason"] in text
    assert "Without a comparison in 2026-10: NL-weee." in text
    assert "Winner now: DE-weee-2026-10-1a2b3c4d." in text
    assert text.index("DE-weee PROMOTE") < text.index("FR-packaging FIRST")


FOUND = {
    "repeated-header": {
        "outcome": "repaired",
        "count": 1200,
        "first": [{"file": "a.csv", "row": 3, "value": "<b>"}],
    }
}
SAID = f"repeated-header {KINDS['repeated-header'].what} repaired 1,200 a.csv, row 3 : <b>"


def test_pages_count_what_was_found_in_the_data_by_kind(promoted, amended):
    evidence, lineage = promoted
    month = amended | {"summary": amended["summary"] | {"findings": FOUND}}
    for html in (comparison_page(evidence | {"findings": FOUND}, lineage), labels_page(month)):
        assert SAID in unescape(text_of(html))
    nothing = (comparison_page(evidence | {"findings": {}}, lineage), labels_page(amended))
    assert not any("What was found in the data" in html for html in nothing)


def test_a_page_of_labels_says_what_changed_since_last_month_and_why(amended):
    text, summary = unescape(text_of(labels_page(amended))), amended["summary"]
    assert "FR-packaging 2026-10" in text
    for sentence in summary["attention"]:
        assert sentence in text
    for check in summary["checks"]:
        good = "no" if check["since"] else "yes"
        assert f"{check['what']} needs attention: {check['threshold']} {good}" in text
    renamed = next(row for row in summary["codes"] if row["code"] == "ACI-N")
    change = renamed["items"] - renamed["earlier_items"]
    assert f"ACI-N Acier {renamed['items']} {renamed['earlier_items']} \N{MINUS SIGN}{-change}" in text
    for cause, items in summary["changes"]["by_cause"].items():
        assert re.search(rf"{cause} [^0-9]+ {items} ", text)
    assert "ACI Acier ACI-N Acier codebook" in text
    for row in summary["review"]["what_a_capacity_buys"]:
        assert f"{row['items']} {100 * row['expected_precision']:.1f}" in text


def test_a_page_of_labels_names_where_everything_comes_from_and_who_decided(amended):
    text, manifest = text_of(labels_page(amended)), amended["manifest"]
    for name in ("run", "model", "dataset", "codebook_version"):
        assert manifest[name] in text
    assert all(file["sha256"] in text for file in manifest["files"])
    assert "12 items, by A. Muster" in text
    assert f"Earlier version {manifest['amends']} 2026-10-01 04:05 UTC" in text


def test_items_that_changed_code_are_listed_by_cause_the_reason_for_concern_first(amended):
    html = labels_page(amended)
    causes = re.findall(r"<td>(model|codebook)</td></tr>", html.partition('id="items"')[2])
    by_cause = amended["summary"]["changes"]["by_cause"]
    assert causes == ["model"] * min(by_cause["model"], 50) + ["codebook"] * min(by_cause["codebook"], 50)
    assert by_cause["codebook"] > 50
    assert amended["changes"]["file"] in html


def test_items_that_no_code_fits_are_counted_and_named_so(amended):
    summary = amended["summary"]
    move = {"earlier_code": None, "code": "PLA", "cause": "person", "items": 3}
    changes = summary["changes"] | {"moves": [move]}
    item = {"item_id": "7", "earlier_code": "", "code": "PLA", "cause": "person"}
    counts = summary["counts"] | {"none": 5}
    text = text_of(
        labels_page(
            amended
            | {"summary": summary | {"changes": changes, "counts": counts}}
            | {"changes": amended["changes"] | {"items": [item]}}
        )
    )
    assert "no code fits 5 " in text
    assert "no code fits PLA Plastique person 3" in text and "7 no code fits PLA person" in text
    html = period_page(
        "2026-10", [], ["FR-packaging"], {}, [amended | {"summary": summary | {"counts": counts}}]
    )
    assert re.search(r"No code fits Rejected .*FR-packaging [\d,]+ [\d,]+ [\d,]+ 5 ", text_of(html))


def test_what_people_decided_is_told_beside_what_is_automatic(amended):
    summary = amended["summary"]
    counts = summary["counts"] | {"labelled": 1200, "decided": 40}
    decisions = {
        "earlier": 33,
        "renamed": 2,
        "ended": 1,
        "by_text": 1,
        "suggested": 5,
        "kept": 34,
        "not_kept": 0,
    }
    told = amended | {"summary": summary | {"counts": counts, "decisions": decisions}}
    text = text_of(labels_page(told))
    assert "labelled 1,200 40 by people" in text
    for part in (
        "decisions of other months: 33 hold (2 under their code",
        "new name), 1 must be made anew, as no single code stands for theirs. ",
        "For the same text under another id, 1 item is decided and 5 in review have a suggestion.",
    ):
        assert part in text


def test_a_page_of_labels_shows_what_a_blind_sample_found_and_none_where_nobody_looked(amended):
    rows = [{"item_id": f"{number}", "code": "PAP", "part": "random"} for number in range(40)]
    said = {"answer": "code", "decided_by": "A. Muster", "decided_at": "2026-11-09T10:00:00.000+00:00"}
    answers = [row | said | {"label": "PLA" if row["item_id"] == "7" else "PAP"} for row in rows[:38]]
    sample = {"sample": "s", "of": "r1", "run": "r1", "seed": "5eed", "drawn_at": "2026-11-08T10:11:12+00:00"}
    sample |= {"width": 0.02, "rows": rows, "sizes": {"PAP": 90}, "answers": answers, "earlier": []}
    found = audit.evaluate(sample, audit.answered(sample, None), 0.98)
    html = labels_page(amended | {"summary": amended["summary"] | {"audit": found}})
    text = unescape(text_of(html))
    assert "By a blind sample of 40 of the 90 labels without a person (38 answered), 97.4% (" in text
    bounds = f"97.4 {100 * found['at_least']:.1f} {100 * found['at_most']:.1f}"
    assert f"all 90 40 1 {bounds}" in text and f"PAP Papier et carton 90 40 1 {bounds}" in text
    assert "answered by A. Muster" in text and "2026-11-08 10:11 UTC" in text and "5eed" in text
    assert "blind sample" not in text_of(labels_page(amended)).lower()


def test_a_page_of_labels_says_how_far_two_people_agree_and_on_what_they_differ(amended):
    found = {"drawn": 30, "compared": 25, "different": 1, "alike": 0.96, "at_least": 0.81, "at_most": 0.99}
    found |= {"kappa": 0.9123, "items": [{"item_id": "<7>", "first": "PAP", "second": "NONE"}]}
    month = amended | {"summary": amended["summary"] | {"agreement": found}}
    text = unescape(text_of(labels_page(month)))
    assert "Of 25 items that two people coded, 96.0 % got the same answer (81.0 to 99.0 %, exact" in text
    assert "kappa is 0.91, where 0 is chance" in text and "They differ on <7> ( PAP , NONE )." in text
    nobody = found | {"compared": 0, "kappa": None, "items": []}
    month = amended | {"summary": amended["summary"] | {"agreement": nobody}}
    assert "two people" not in text_of(labels_page(month))


def test_a_page_of_labels_says_both_figures_and_marks_the_promised_one(amended):
    summary = amended["summary"]
    plan = summary["review"] | {
        "wanted_precision": 0.98,
        "expected_precision": 0.951,
        "expected_month": 0.984,
    }
    of_all = "of all published labels, people's decisions counted as right, 98.4 %"
    for promise, said in (
        ("automatic", f"95.1 % are expected right (98 % promised); {of_all}."),
        ("month", f"95.1 % are expected right; {of_all} (98 % promised)."),
    ):
        page = amended | {"summary": summary | {"review": plan | {"promise": promise}}}
        assert said in unescape(text_of(labels_page(page)))


def test_a_month_says_what_so_many_rows_of_the_review_sheet_buy(amended):
    steps = [(0, 0.904), (30, 0.951), (1000, 0.999)]
    text = text_of(labels_page(amended | {"curve": steps}))
    assert "Rows filled in Right of all, % 0 90.4 30 95.1 1,000 99.9 In the order of" in text
    assert "Rows filled in" not in text_of(labels_page(amended | {"curve": []}))


def test_likely_wrong_labels_come_before_codes_that_are_confused(promoted, amended):
    evidence, lineage = promoted
    doubtful = {"rows": 900, "doubtful": 90, "left_out": 0, "noise": 0.1}
    first = f"Look at the likely wrong labels first (labelmill review labels {evidence['group']})"
    assert first in text_of(comparison_page(evidence | {"doubtful": doubtful}, lineage))
    assert first not in text_of(comparison_page(evidence | {"doubtful": None}, lineage))
    month = amended | {"summary": amended["summary"] | {"test": TEST | {"labels_doubted": True}}}
    assert "Look at the likely wrong labels first" in text_of(labels_page(month))


def test_what_a_capacity_buys_is_held_against_what_is_promised(amended):
    summary = amended["summary"]
    buys = [{"items": 0, "expected_precision": 0.9}, {"items": 360, "expected_precision": 0.9}]
    plan = summary["review"] | {"wanted_precision": 0.98, "what_a_capacity_buys": buys}
    for promise, last in (("automatic", "no"), ("month", "yes")):
        page = amended | {"summary": summary | {"review": plan | {"promise": promise}}}
        text = text_of(labels_page(page))
        # 40 of 400 items are left, of which four are expected wrong.
        assert f"0 90.0 90.0 no 360 90.0 99.0 {last}" in text


TEST = {
    "run": "FR-packaging-comparison-2026-10-0f3a9c21d4e5",
    "at_precisions": [{"precision": 0.98, "share": 0.125, "best": 0.25, "right_of_all": 0.999}],
    "confused": [
        {
            **{"codes": ["PAP", "PLA"], "rows": 12, "texts": 11, "of": 30, "same_text": 3, "few": []},
            **{"do": "same_text", "titles": ["<b>carton plastifié</b>"]},
        }
    ],
    "mostly_another": [{"code": "PLA", "rows": 9, "right": 1 / 3, "given": "PAP", "without_person": 4}],
}


def test_a_page_of_labels_says_what_is_left_to_people_and_what_helps(amended):
    page = labels_page(amended | {"summary": amended["summary"] | {"test": TEST}})
    text = unescape(text_of(page))
    assert "98.0 12.5 25.0 99.9" in text
    assert "PAP Papier et carton PLA Plastique 12 3 the same text has both: deliver" in text
    assert "PLA Plastique 9 33.3 PAP Papier et carton 4" in text
    assert "<b>carton" not in page and "<b>carton plastifié</b>" in text
    before = {name: value for name, value in amended["summary"].items() if name != "test"}
    assert "Codes confused most" not in labels_page(amended | {"summary": before})


def test_a_page_says_what_either_model_leaves_to_people_and_what_helps(promoted):
    evidence, lineage = promoted
    text = text_of(comparison_page(evidence, lineage))
    rows = zip(*(evidence[role]["at_precisions"] for role in ("winner", "challenger")), strict=True)
    for both in rows:
        shown = [f"{100 * both[0]['precision']:.1f}"]
        for role, of in zip(("Winner", "Challenger"), both, strict=True):
            shown += [role, *(f"{100 * of[name]:.1f}" for name in ("share", "best", "right_of_all"))]
        assert " ".join(shown) in text
    pair = evidence["challenger"]["confused"][0]
    assert (
        f"of {pair['of']} wrong test rows" in text
        and f" {pair['rows']} {pair['same_text']} label more" in text
    )
    assert "None: of every code at least half of the test rows got it." in text
    old = [evidence[role].copy() for role in ("winner", "challenger")]
    for scored in old:
        del scored["at_precisions"], scored["right_of_all"]
    before = evidence | dict(zip(("winner", "challenger"), old, strict=True))
    assert "What is left to people Not recorded when" in text_of(comparison_page(before, lineage))


def test_a_page_lists_each_hard_text_with_what_changed(promoted):
    evidence, lineage = promoted
    sure = {"challenger_confidence": 0.9, "winner_confidence": 0.8}
    text = {"title": "<i>Toy fridge", "brand": "Muster", "product_type": "", "code": "1"} | sure
    listed = [
        text | {"winner": "1", "challenger": "2"},
        text | {"winner": "2", "challenger": "1"},
        text | {"winner": None, "challenger": None},
    ]
    page = comparison_page(evidence | {"hard_texts": listed}, lineage)
    seen = unescape(text_of(page))
    assert "<i>Toy fridge Muster 1 Wärmeüberträger 1 Wärmeüberträger 80.0 % sure" in seen
    assert "2 Bildschirme 90.0 % sure newly wrong" in seen and "sure newly right" in seen
    assert "not tried not tried" in seen and "<i>Toy" not in page
    assert "hard-texts" not in comparison_page(evidence | {"hard_texts": []}, lineage)


def test_what_is_to_review_is_told_of_the_moment_of_labelling_and_of_now(amended):
    summary = amended["summary"]
    plan = summary["review"] | {"needed": 130, "let_through": 5, "without_code": 125, "items": 124}
    page = amended | {"summary": summary | {"review": plan, "counts": summary["counts"] | {"review": 124}}}
    text = text_of(labels_page(page))
    assert (
        "125 items were to review when the model had labelled the month, 125 of them without a code in force "
        "to suggest; 124 are now. Of the labels without a person"
    ) in text
    same = page["summary"] | {"counts": summary["counts"] | {"review": 125}}
    assert "code in force to suggest. Of the labels" in text_of(labels_page(amended | {"summary": same}))


def test_a_month_from_before_decisions_lasted_has_its_page(amended):
    old = {name: value for name, value in amended["summary"].items() if name != "history"}
    old["counts"] = {name: count for name, count in old["counts"].items() if name != "decided"}
    old["checks"] = [{name: check[name] for name in check if name != "since"} for check in old["checks"]]
    html = labels_page(amended | {"summary": old | {"decisions": None}})
    assert "decisions of other months" not in html


def test_the_page_of_a_month_in_which_nothing_was_sold_has_no_figure_that_is_none(publish):
    text = text_of(labels_page(months.read(publish(rows=0))))
    assert "items 0 0 in 2026-09" in text
    assert "nan" not in text.lower().split()


def test_a_first_month_has_nothing_to_compare_with(publish):
    text = text_of(labels_page(months.read(publish(first=True))))
    assert "There is no earlier month to compare with." in text
    assert "What changed" not in text


def test_dollar_signs_and_markup_in_a_code_are_shown_as_they_are(amended):
    code = r"$\frac{$ <i>"
    first, *others = amended["summary"]["codes"]
    codes = [first | {"code": code}, *others]
    html = labels_page(amended | {"summary": amended["summary"] | {"codes": codes}})
    assert "<i>" not in html
    assert code in map(unescape, re.findall("<text[^>]*>([^<]*)</text>", html))


def test_few_items_are_counted_in_whole_numbers(amended):
    codes = [row | {"items": 1, "earlier_items": 2} for row in amended["summary"]["codes"]]
    html = labels_page(amended | {"summary": amended["summary"] | {"codes": codes}})
    shown = re.findall("<text[^>]*>([0-9]+)</text>", html.split('id="changes"')[0])
    assert shown == ["0", "1", "2"]


def test_a_periods_page_leads_to_the_labels_of_each_group(promoted, amended):
    html = period_page("2026-10", [promoted], ["DE-weee"], {}, [amended])
    assert f'href="{labels_page_name("FR-packaging", "2026-10")}"' in html
    assert amended["summary"]["attention"][0] in unescape(text_of(html))


def test_a_periods_first_line_says_what_of_its_labels_needs_a_person(amended):
    summary = amended["summary"]
    assert summary["attention"]
    line = f"Done. To review: {summary['counts']['review']} items. Labels need attention in 1 group."
    assert line in text_of(period_page("2026-10", [], [], {}, [amended], "Done."))
    nothing = amended | {"summary": summary | {"attention": [], "counts": summary["counts"] | {"review": 0}}}
    text = text_of(period_page("2026-10", [], [], {}, [nothing], "Done."))
    assert "To review:" not in text and "need attention in" not in text
