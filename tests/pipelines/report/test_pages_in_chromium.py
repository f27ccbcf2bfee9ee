"""The pages in a real browser: they render, are accessible, sort, ask for nothing and run no item's text."""

from datetime import UTC, datetime

import pytest

from pipelines.report import (
    check_page,
    comparison_page,
    index_page,
    labels_page,
    models_page,
    period_page,
    trial_page,
)
from tests.pipelines.report import audited, months
from tests.pipelines.report.evidences import CODES
from tests.pipelines.report.made_up import NOTE, History

SCHEMES = ("light", "dark")
A4_WITHIN_MARGINS = 680  # CSS pixels: 210 mm less 15 mm at either side
A4_LANDSCAPE = 1009  # likewise, of 297 mm
PHONE = {"width": 360, "height": 740}
HOSTILE = (
    '<img src=x onerror="alert(1)"><script>alert(2)</script></td></table></script>"\'&amp; {{ 7*7 }} \u202e'
)


@pytest.fixture(scope="session")
def pages(promoted, first, compare, publish, amended):
    """The HTML of each kind of page, by name."""
    rejected = compare(group="ES-weee", rows=500, wrong=(0.15, 0.04))
    comparisons = [promoted, first, rejected]
    assert [evidence["verdict"] for evidence, _ in comparisons] == ["PROMOTE", "FIRST", "REJECT"]
    index = History(groups=12, months=15).archive().index()
    linked = {f"{group.name}-labels-2026-10.html" for group in index}
    return {
        "promoted": comparison_page(*promoted),
        "first": comparison_page(*first),
        "rejected": comparison_page(*rejected),
        "period": period_page("2026-10", comparisons, ["DE-weee", "NL-weee"], {"DE-weee": "any"}, [amended]),
        "labels": labels_page(amended),
        "first labels": labels_page(months.read(publish(first=True))),
        "empty period": period_page("2026-10", [], ["DE-weee"], {}),
        "trial": trial(promoted[0]),
        "check": check(promoted[0]),
        "two models": models_page(
            promoted[0] | {"test_sets": {"A": "set-1", "B": "set-2"}}, promoted[1], ["A is one, B another."]
        ),
        "index": index_page(index, datetime.now(UTC), linked, NOTE),
        "empty index": index_page([], datetime.now(UTC)),
        "audit": audited.page(HOSTILE),
    }


def trial(evidence: dict) -> str:
    """The page of a trial with the scores of a comparison, of a file and columns with hostile names."""
    model, baseline = evidence["challenger"], evidence["winner"] | {"name": "a baseline"}
    said = dict.fromkeys(("rows", "accuracy", "review", "comparison", "needed"), "What was found, in words.")
    found = {
        "file": HOSTILE,
        "columns": [{"column": HOSTILE, "taken_for": "title", "why": "as you say"}],
        "warnings": [HOSTILE],
        "model": model,
        "baseline": baseline,
        "comparison": evidence,
        "test": {"rows": evidence["rows"]},
        "texts": evidence["distinct_texts"],
        "needed": [{"gain": 0.01, "rows": 14000, "more": 13000}],
        "findings": evidence["findings"],
        "codes": {code: each["rows"] for code, each in model["codes"].items()} | {HOSTILE: 1},
    }
    return trial_page(found, said)


def check(evidence: dict) -> str:
    """The page of a check of a dataset in two formats, with columns of long names."""
    columns = {name: {"type": "string", "filled": 12_000} for name in ("item_id", "title", "label", "x" * 64)}
    read = [
        {"first": "part-0.parquet", "files": 12, "format": "parquet"},
        {"first": "rows.csv", "files": 1, "format": "csv", "encoding": "windows-1252", "separator": ";"}
        | {"quoting": '"', "decimal_comma": ["net_weight", "width"], "header": list(columns)},
    ]
    return check_page(
        {
            **{name: evidence[name] for name in ("group", "period", "codebook_version")},
            **{"taken": False, "purpose": "training", "dataset": "s3://landing/training/" + "x" * 80},
            **{"rows": 12_000, "usable": 11_000, "set_aside": {"sentence": "1,000 rows are set aside."}},
            "comparison": {"test_texts": 900, "sentence": "900 distinct texts would test models."},
            "refused": [{"kind": "wrong-columns", "problem": "A column is missing.", "fix": "name it."}],
            **{"read": read, "columns": columns},
            "findings": {
                "repeated-header": {
                    "outcome": "repaired",
                    "count": 12,
                    "first": [{"file": "rows.csv", "row": 7, "value": HOSTILE}],
                }
            },
            "codes": {
                code: {"rows": 12_000, "texts": 9_000, "test": 1_800}
                for code in (*CODES, "a code of its own")
            },
        }
    )


KINDS = (
    *("promoted", "first", "rejected", "period", "empty period", "labels", "first labels"),
    *("trial", "check", "two models", "index", "empty index", "audit"),
)


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_renders_without_a_word_on_the_console_and_asks_nothing_of_anyone(show, pages, kind):
    page = show(pages[kind])
    assert page.get_by_role("heading", level=1).is_visible()
    assert page.said == []
    assert [url for url in page.asked[1:] if not url.startswith("data:")] == []


@pytest.mark.parametrize(
    ("kind", "scheme"),
    [
        ("promoted", "light"),
        ("promoted", "dark"),
        ("first", "light"),
        ("period", "light"),
        ("period", "dark"),
        ("labels", "light"),
        ("labels", "dark"),
        ("trial", "light"),
        ("check", "light"),
        ("check", "dark"),
        ("index", "light"),
        ("index", "dark"),
        ("audit", "light"),
        ("audit", "dark"),
    ],
)
def test_axe_finds_no_fault(show, pages, kind, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    page = show(pages[kind], color_scheme=scheme)
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_fits_a_phone_without_scrolling_sideways(show, pages, kind):
    page = show(pages[kind], viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]


#: What is wrong with the tables of a page, in words: a list, best empty.
HIDDEN = """
() => [...document.querySelectorAll("table")].flatMap((table) => {
  const box = table.closest(".wide"), said = [];
  const name = box.getAttribute("aria-label") ?? box.getAttribute("aria-labelledby");
  const edge = box.getBoundingClientRect().right;
  for (const cell of table.querySelectorAll("th:not(:empty), td:not(:empty)")) {
    const text = document.createRange();
    text.selectNodeContents(cell);
    const [inside, own] = [text.getBoundingClientRect(), cell.getBoundingClientRect()];
    const where = `${name}: ${cell.innerText.slice(0, 40)}`;
    if (inside.right > own.right + 1 || inside.left < own.left - 1) said.push(`${where} leaves its cell`);
    if (cell.matches(".n") && inside.left < edge && inside.right > edge + 1) said.push(`${where} is cut`);
  }
  if (box.scrollWidth > box.clientWidth) {
    const style = getComputedStyle(box);
    if (style.overflowX !== "auto" || box.tabIndex !== 0 || box.getAttribute("role") !== "region")
      said.push(`${name} cannot be scrolled`);
    if (!style.backgroundAttachment.includes("local")) said.push(`${name} scrolls without a sign`);
  }
  return said;
})
"""
SCROLLS = """
() => [...document.querySelectorAll(".wide")].filter((box) => box.scrollWidth > box.clientWidth)
  .map((box) => box.getAttribute("aria-label") ?? box.getAttribute("aria-labelledby"))
"""


@pytest.mark.parametrize("width", [390, 768, 1024, 1440])
@pytest.mark.parametrize("kind", KINDS)
def test_a_table_fits_or_scrolls_with_a_sign_and_cuts_no_number(show, pages, kind, width):
    page = show(pages[kind], viewport={"width": width, "height": 900})
    assert page.evaluate(HIDDEN) == []
    if width >= 768 and kind != "index":  # of so many months no screen holds all
        assert page.evaluate(SCROLLS) == []


def test_a_scrolled_table_of_numbers_stops_where_no_number_is_cut(show, pages):
    page = show(pages["promoted"], viewport={"width": 390, "height": 900})
    page.get_by_role("region", name="Scores of each code").evaluate("box => box.scrollBy(150, 0)")
    partly = """
    box => [...box.querySelectorAll("tbody tr:first-child td.n")].map((cell) => {
      const text = document.createRange();
      text.selectNodeContents(cell);
      const [seen, first] = [text.getBoundingClientRect(), cell.parentNode.cells[0].getBoundingClientRect()];
      const edge = box.getBoundingClientRect().right;
      const hidden = seen.left >= edge || seen.right <= first.right;
      return hidden ? "hidden" : seen.left >= first.right && seen.right <= edge + 1 ? "whole" : "cut";
    })
    """
    shown = page.get_by_role("region", name="Scores of each code").evaluate(partly)
    assert shown[0] == "hidden" and shown.count("whole") == 2 and "cut" not in shown


@pytest.mark.parametrize(
    ("kind", "sheet"),
    [*((kind, A4_WITHIN_MARGINS) for kind in ("promoted", "period", "audit")), ("index", A4_LANDSCAPE)],
)
def test_a_printed_page_fits_a_sheet_of_a4_with_its_small_print_smaller_than_its_text(
    show, pages, kind, sheet
):
    page = show(pages[kind], viewport={"width": sheet, "height": 900})
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") == sheet
    size = "name => parseFloat(getComputedStyle(document.querySelector(name)).fontSize)"
    assert page.evaluate(size, ".note") < page.evaluate(size, "body")


def test_the_background_follows_the_scheme_and_print_is_always_light(show, pages):
    colour = "getComputedStyle(document.body).backgroundColor"
    light, dark = (show(pages["promoted"], color_scheme=scheme) for scheme in SCHEMES)
    assert light.evaluate(colour) == "rgb(255, 255, 255)"
    assert dark.evaluate(colour) != light.evaluate(colour)
    ink = "getComputedStyle(document.querySelector('svg text')).fill"
    assert dark.evaluate(ink) != light.evaluate(ink)
    dark.emulate_media(media="print")
    assert dark.evaluate(colour) == light.evaluate(colour)


def column(page, table: str, number: int) -> list[str]:
    cells = page.get_by_role("region", name=table).locator(f"tbody tr > :nth-child({number})")
    return [text.split("\n")[0] for text in cells.all_inner_texts()]


def test_a_click_on_a_columns_name_sorts_by_its_numbers_and_another_turns_it_round(show, pages):
    page = show(pages["promoted"])
    name, rows = "Scores of each code", page.get_by_role("button", name="Test rows")
    rows.click()
    numbers = [int(text.replace(",", "")) for text in column(page, name, 2)]
    assert numbers == sorted(numbers, reverse=True)
    rows.click()
    assert column(page, name, 2) == [f"{number:,}" for number in sorted(numbers)]
    assert page.locator("th[aria-sort=ascending]").inner_text().startswith("Test rows")


def test_negative_changes_sort_below_positive_ones(show, pages):
    page = show(pages["period"])
    page.get_by_role("button", name="Change").click()
    assert column(page, "Comparisons", 1) == ["DE-weee", "ES-weee", "FR-packaging"]
    assert column(page, "Comparisons", 6)[1].startswith("\N{MINUS SIGN}")


def test_the_page_is_whole_without_scripts(show, pages):
    page = show(pages["promoted"], java_script_enabled=False)
    assert page.get_by_role("button").count() == 0
    for heading in ("Scores", "Code by code", "What is still wrong", "Where it comes from"):
        assert page.get_by_role("heading", name=heading, exact=True).is_visible()
    assert page.locator("svg").count() == 2


@pytest.mark.parametrize("guarded", [True, False], ids=["as it is", "without its content security policy"])
def test_an_items_markup_is_shown_and_does_not_run(show, compare, guarded):
    evidence, lineage = compare(rows=400, title=HOSTILE, item_id="<b>{number}</b>" + '"onmouseover="alert(3)')
    page = show(comparison_page(evidence, lineage), bypass_csp=not guarded)
    assert page.said == []
    assert page.locator("main img, main script, td b, [onmouseover]").count() == 0
    shown = page.get_by_role("region", name="Newly wrong").locator("td.title").first.inner_text()
    assert shown.startswith(HOSTILE)


def test_markup_in_an_items_id_is_shown_on_the_page_of_its_labels_and_does_not_run(show, publish):
    as_format = HOSTILE.replace("{", "{{").replace("}", "}}")
    html = labels_page(months.read(publish(item_id="{number}" + as_format)))
    page = show(html, bypass_csp=True)
    assert page.said == []
    assert page.locator("main img, main script, td b").count() == 0
    shown = page.get_by_role("region", name="Items", exact=True).locator("td.id").all_inner_texts()
    assert shown and all(text.endswith(HOSTILE) for text in shown)


def test_markup_in_a_files_names_is_shown_on_the_page_of_its_trial_and_does_not_run(show, pages):
    page = show(pages["trial"], bypass_csp=True)
    assert page.said == []
    assert page.locator("main img, main script, td b").count() == 0
    assert page.get_by_role("heading", level=1).inner_text() == HOSTILE


def test_markup_in_what_people_wrote_is_shown_on_the_page_of_an_audit_and_does_not_run(show, pages):
    page = show(pages["audit"], bypass_csp=True)
    assert page.said == []
    assert page.locator("main img, main script, td b").count() == 0
    assert page.get_by_role("heading", level=1).inner_text() == HOSTILE


def test_no_script_but_the_pages_own_may_run(show, pages):
    injected = pages["first"].replace("<h1>", "<script>document.title = 'run'</script><h1>", 1)
    page = show(injected)
    assert page.title() != "run"
    assert any("Content Security Policy" in text for text in page.said)


def test_no_row_of_a_periods_tables_is_drawn_out_on_a_phone(show, pages):
    page = show(pages["period"], viewport=PHONE)
    heights = page.locator("table tbody tr").evaluate_all("rows => rows.map(row => row.offsetHeight)")
    assert max(heights) < 80


def shown(page) -> list[str]:
    names = page.get_by_role("region", name="Groups and months").locator("tbody th:visible")
    return [text.split("\n")[0] for text in names.all_inner_texts()]


def test_choices_leave_groups_out_of_the_index_and_say_how_many_are_left(show, pages):
    page = show(pages["index"])
    everyone = shown(page)
    page.get_by_label("Scheme").select_option("weee")
    assert shown(page) == [name for name in everyone if name.endswith("-weee")]
    page.get_by_label("Country").select_option("BE")
    assert shown(page) == ["BE-weee"]
    assert page.get_by_role("status").inner_text() == "1 of 12 groups"
    for choice in ("Scheme", "Country"):
        page.get_by_label(choice).select_option("")
    page.get_by_label("Last verdict").select_option("WAITS")
    assert shown(page) == ["AT-packaging"]
    page.get_by_label("Last verdict").select_option("")
    page.get_by_label("needs attention").check()
    concerning = page.locator("dl.reasons dt:visible").all_inner_texts()
    assert shown(page) == concerning and 0 < len(concerning) < 12


def test_the_index_is_whole_without_scripts_and_offers_no_choices(show, pages):
    page = show(pages["index"], java_script_enabled=False)
    assert len(shown(page)) == 12
    assert not page.get_by_label("Scheme").is_visible()


def test_groups_and_months_stay_in_sight_while_the_index_is_scrolled(show, pages):
    page = show(pages["index"], viewport=PHONE)
    region = page.get_by_role("region", name="Groups and months")
    region.evaluate("box => { box.scrollLeft = 700; box.scrollTop = 400 }")
    at = "element => { const box = element.getBoundingClientRect(); return [box.left, box.top] }"
    left, top = region.evaluate(at)
    assert region.locator("thead th").first.evaluate(at) == [left, top]
    assert region.locator("tbody th").last.evaluate(at)[0] == left
    assert region.get_by_text("2026-01").evaluate(at)[1] < top + 30


def test_the_index_sorts_by_a_trends_newest_figure(show, pages):
    page = show(pages["index"])
    page.get_by_role("button", name="Rows").click()
    rows = [int(text.replace(",", "")) for text in column(page, "Groups and months", 4)]
    assert rows == sorted(rows, reverse=True) and len(set(rows)) == 12
