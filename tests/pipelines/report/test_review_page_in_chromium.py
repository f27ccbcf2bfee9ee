"""The page to label on, in a real browser: by keys, by mouse, offline; what it saves is imported for real."""

import csv
import json
import statistics
from pathlib import Path

import pytest
from moto import mock_aws

from pipelines.cli import main
from pipelines.commands import review as command
from pipelines.report import review_page
from processing.labels import csv_guard
from tests.complaints import complaints
from tests.pipelines.review.published_month import BOOK, GROUP, PERIOD, RUN, Stack

HOSTILE = (
    '</script><img src=x onerror="alert(1)"><script>alert(2)</script> "\'&amp; {{ 7*7 }} <!-- \u2028\u202e'
)
IDS = ("007", "=1+1", "'1", "1e5", "-5", "a,b", 'a"b', " x ", "ß😀", "a;@x", "'=1", "plain")
TEXTS = (HOSTILE, "=HYPERLINK(A1)", "w " * 2500, "ثلاجة سامسونج 300 لتر", "a\nb", "x")
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def cli(monkeypatch, tmp_path, capsys):
    """Run a `labelmill review` command where IDS wait; returns exit code and what was printed."""
    with mock_aws():
        stack = Stack()
        run = RUN.replace("0f3a9c21d4e5", "ffffffffffff")
        labels = [
            (item, "1", 0.5 + number / 100, "2", "review", f"{number:016}") for number, item in enumerate(IDS)
        ]
        decided = ("decided", "2", None, "1", "labelled", "f" * 16)
        stack.publish(run, labels=[*labels, decided], items=True)
        texts = {item: TEXTS[number % len(TEXTS)] for number, item in enumerate(IDS)}
        items = [
            {"item_id": item, "title": texts.get(item, "t"), "brand": "", "product_type": HOSTILE}
            for item in (*IDS, "decided")
        ]
        stack.s3.put_object(
            Bucket="work-bucket",
            Key=f"runs/{GROUP}/{run}/items/items-00000.jsonl",
            Body="".join(json.dumps(item) + "\n" for item in items),
        )
        monkeypatch.setattr(command, "_places", lambda name: stack.places)
        monkeypatch.chdir(tmp_path)

        def run_command(*words: str) -> tuple[int, str]:
            code = main(["review", *words])
            printed = capsys.readouterr()
            return code, printed.out + complaints(printed.err)

        run_command.stack = stack
        yield run_command


@pytest.fixture
def exported(cli, show):
    """The page of the items that wait, or of some, as the command writes it."""

    def export(*ids: str):
        Path("ids.txt").write_text("\n".join(ids))
        code, printed = cli(
            "export", GROUP, PERIOD, "--out", "x.html", *(["--items", "ids.txt"] if ids else [])
        )
        assert code == 0, printed
        return show(Path("x.html").read_text(encoding="utf-8"))

    return export


def made(count: int = 8, **changes) -> dict:
    """What a page shows: items with five offered codes of many."""
    codes = [[code["code"], code["description"]] for code in BOOK["codes"] if code["valid_to"] is None]
    codes += [[f"10.{number:02}", f"Sonstiges Nr. {number}"] for number in range(80)]
    items = [
        {
            **{
                "id": f"i{number}",
                "title": f"Kühlschrank {number}",
                "facts": ["Bosch", "Gerät"],
                "same_text": 1,
            },
            **{"reason": "The model is not sure enough.", "waits": True, "decided": False},
            "offered": [[code, "frequent"] for code in ("1", "2", "5a", "6", "10.07")],
            "alike": [["Gefrierschrank", "1", 0.93], [HOSTILE, "gone", 0.5]],
            **changes,
        }
        for number in range(count)
    ]
    about = {"group": GROUP, "period": PERIOD, "run": RUN, "file": "review.csv", "most_letters": 300}
    about |= {"formula": csv_guard.FORMULA}
    return about | {"codes": codes, "items": items}


def shown(page, name: str) -> str:
    return page.locator(f"#{name}").inner_text()


def press(page, keys: str) -> None:
    for key in keys.split():
        page.keyboard.press(key)


def saved(page) -> Path:
    """The file that the page saves."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Save file").click()
    path = Path(download.value.suggested_filename)
    download.value.save_as(path)
    return path


def test_ten_items_are_labelled_by_keys_undone_reloaded_saved_and_imported(cli, exported):
    page = exported()
    order = page.evaluate("items.map(item => item.id)")
    assert sorted(order) == sorted(IDS)
    press(page, "1 2 3 3 u n s")
    press(page, "w")
    page.keyboard.type("=a  comment\u00a0too ")
    press(page, "Enter 1 Control+z 2 / 5 b Enter 4 1 1")
    assert shown(page, "counts").startswith("10 of 12 done")
    page.reload()
    assert shown(page, "counts").startswith("10 of 12 done")
    press(page, "u")
    assert shown(page, "counts").startswith("9 of 12 done")
    press(page, "2")
    path = saved(page)
    assert path.name == "x.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["run", "item_id", "title", "family", "code", "why"]
    assert [row[1] for row in rows[1:]] == [csv_guard.guarded(item) for item in order]
    assert "'=a comment too" in [row[5] for row in rows]
    code, printed = cli("import", str(path), "--by", "A. Muster")
    assert code == 0, printed
    assert "10 decisions by A. Muster, 2 left open" in printed
    found = {row["item_id"]: (row["answer"], row["label"], row["why"]) for row in cli.stack.decisions()}
    offered = page.evaluate("items[0].offered.map(([code]) => code)")
    first, second, third, fourth = offered[:4]
    labels = [
        (first, None),
        (second, None),
        (third, None),
        None,
        None,
        (second, "=a comment too"),
        ("5b", None),
    ]
    labels += [(fourth, None), (first, None), (second, None)]
    expected = {item: ("code", *label) for item, label in zip(order, labels, strict=False) if label}
    expected |= {order[3]: ("none", None, None), order[4]: ("skip", None, None)}
    assert found == expected
    assert page.said == []


def test_a_decision_is_taken_back_or_left_as_it_is_where_an_item_waits_for_nobody(cli, exported):
    page = exported("decided", "007")
    assert shown(page, "id") == "decided"
    assert page.get_by_role("button", name="Leave as it is").is_visible()
    press(page, "x s")
    assert page.get_by_role("heading", name="All items have an answer").is_visible()
    code, printed = cli("import", str(saved(page)), "--by", "A. Muster")
    assert code == 0, printed
    said = {row["item_id"]: row["answer"] for row in cli.stack.decisions()}
    assert said == {"decided": "withdrawn", "007": "skip"}


def test_an_item_that_waits_for_nobody_and_is_left_says_nothing_in_the_file(cli, exported):
    page = exported("decided")
    press(page, "s")
    code, printed = cli("import", str(saved(page)), "--by", "A. Muster")
    assert code == 1 and "the column `code` is empty in every row" in printed


def test_hostile_texts_are_shown_as_they_are(exported):
    page = exported()
    seen = {}
    for _ in IDS:
        seen[page.locator("#id").text_content()] = page.locator("#title").text_content()
        assert page.locator("#facts").text_content() == HOSTILE
        press(page, "ArrowRight")
    assert seen == {item: TEXTS[number % len(TEXTS)] for number, item in enumerate(IDS)}
    assert page.said == []
    assert page.locator("main img").count() == 0


def test_hostile_texts_run_nothing_even_without_the_content_security_policy(show):
    sheet = made(title=HOSTILE, id=HOSTILE, reason=HOSTILE, facts=[HOSTILE])
    sheet["codes"].append([HOSTILE, HOSTILE])
    page = show(review_page(sheet), bypass_csp=True)
    press(page, "/ i m g Enter")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#title").text_content() == HOSTILE
    assert page.said == []
    assert page.locator("main img, main b b, #item script").count() == 0
    assert [url for url in page.asked[1:] if not url.startswith("data:")] == []


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_nothing_that_is_looked_at_or_pressed_moves_from_item_to_item(show, width):
    sheet = made()
    sheet["items"][1] |= {"title": "w " * 2500, "same_text": 12, "reason": "long " * 40, "facts": []}
    sheet["items"][2] |= {"offered": [["1", "model: 62 %"]], "alike": []}
    sheet["codes"][0][1] = "a long description " * 20
    page = show(review_page(sheet), viewport={"width": width, "height": 844})
    fixed = "#title, #offered li:first-child, .keys button, input"
    place = f"[...document.querySelectorAll('{fixed}')].map(each => each.getBoundingClientRect().y)"
    places = []
    for _ in range(4):
        places.append(page.evaluate(place))
        press(page, "1")
    assert places == places[:1] * 4
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_everything_can_be_done_by_touch(show):
    page = show(review_page(made()), viewport=PHONE, has_touch=True)
    page.get_by_role("button", name="Haushalt").tap()
    page.get_by_role("button", name="None of these").tap()
    page.get_by_label("Comment").tap()
    page.keyboard.type("odd")
    page.get_by_label("Any code").tap()
    page.keyboard.type("nr 12")
    page.get_by_role("option", name="Sonstiges Nr. 12").tap()
    page.get_by_role("button", name="Skip").tap()
    page.get_by_role("button", name="Back").tap()
    page.get_by_role("button", name="Undo").tap()
    assert page.evaluate("answers.slice(0, 4).map(each => [each.code, each.why])") == [
        *(["5a", ""], ["NONE", ""], ["10.12", "odd"], [None, ""])
    ]


def test_a_page_without_alike_rows_does_not_say_that_none_are_known(show):
    sheet = made()
    page = show(review_page(sheet | {"items": [item | {"alike": []} for item in sheet["items"]]}))
    press(page, "1")
    assert "alike" not in page.inner_text("main").lower()
    assert "1 of 8 done" in page.inner_text("#counts")


def test_codes_are_found_by_number_and_by_words_without_accents(show):
    page = show(review_page(made()))
    options = page.get_by_role("option")
    press(page, "/")
    assert options.count() == 51 and options.last.inner_text() == "and 35 more: write more of it"
    page.keyboard.type("warme")
    assert options.all_inner_texts() == ["1 Wärmeüberträger"]
    page.get_by_label("Any code").fill("1")
    assert options.all_inner_texts()[:2] == ["1 Wärmeüberträger", "10.00 Sonstiges Nr. 0"]
    press(page, "ArrowDown ArrowDown ArrowUp Enter")
    assert page.evaluate("answers[0].code") == "10.00"
    page.get_by_label("Any code").fill("nowhere")
    assert options.all_inner_texts() == ["no code in force has these words"]
    press(page, "Enter Escape 1")
    assert page.evaluate("answers[1].code") == "1"


def test_what_is_decided_survives_a_closed_tab_and_a_second_one(show):
    page = show(review_page(made()))
    second = page.context.new_page()
    second.goto(page.url)
    press(page, "1 2")
    press(second, "6 4")
    second.wait_for_function("answers.filter(each => each.code !== null).length === 2")
    press(second, "u")
    page.wait_for_function("answers.filter(each => each.code !== null).length === 1")
    for each in (page, second):
        each.close()
    third = second.context.new_page()
    third.goto(page.url)
    assert third.evaluate("answers.filter(each => each.code !== null).length") == 1


def test_a_browser_that_keeps_nothing_is_told_of(browser, tmp_path):
    context = browser.new_context()
    context.add_init_script("Storage.prototype.setItem = () => { throw new Error('full') }")
    page = context.new_page()
    (tmp_path / "x.html").write_text(review_page(made()))
    page.goto((tmp_path / "x.html").as_uri())
    assert not page.get_by_role("alert").is_visible()
    press(page, "1")
    assert "save the file before you close it" in page.get_by_role("alert").inner_text()
    assert page.evaluate("answers[0].code") == "1"
    context.close()


def test_a_code_that_is_not_in_force_any_more_counts_as_undecided(show):
    page = show(review_page(made()))
    press(page, "1 2")
    page.evaluate("kept.write('i0', { ...answers[0], code: 'gone' })")
    page.reload()
    assert page.evaluate("answers.slice(0, 2).map(each => each.code)") == [None, "2"]


def test_a_key_that_is_held_down_decides_once_and_keys_with_control_are_the_browsers(show):
    page = show(review_page(made()))
    for _ in range(3):
        page.keyboard.down("1")
    press(page, "Control+1 Alt+2 Control+n 9 q")
    assert shown(page, "counts").startswith("1 of 8 done")


def test_two_thousand_items_stay_quick(show):
    page = show(review_page(made(2000)))
    milliseconds = page.evaluate(
        """() => Array.from({ length: 300 }, () => {
          const start = performance.now();
          document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "2", bubbles: true }));
          document.body.getBoundingClientRect();
          return performance.now() - start;
        })"""
    )
    assert page.evaluate("answers.filter(each => each.code !== null).length") == 300
    assert statistics.median(milliseconds) < 30


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_fault_with_an_item_a_search_and_the_end(show, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")
    page = show(review_page(made(2)), color_scheme=scheme)
    for keys in ("1", "/", "Escape 1"):
        press(page, keys)
        found = axe.Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
    assert page.get_by_role("heading", name="All items have an answer").is_visible()


def test_printed_it_is_a_table_of_the_items_with_their_answers(show):
    page = show(review_page(made(3)), color_scheme="dark")
    press(page, "1")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    rows = page.locator("#printed tbody tr").all_inner_texts()
    assert rows[0].split("\t") == ["Kühlschrank 0", "1, 2, 5a, 6, 10.07", "1 Wärmeüberträger", ""]
    assert len(rows) == 3 and not page.get_by_role("button", name="Save file").is_visible()


def test_without_scripts_the_page_says_what_to_do_instead(show):
    page = show(review_page(made()), java_script_enabled=False)
    assert (
        "labelmill review export DE-weee 2026-10 --out review.xlsx" in page.locator("noscript").inner_text()
    )
