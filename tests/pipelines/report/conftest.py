"""Pages of real comparisons, and a real browser to read them with."""

import shutil

import pytest

from tests.pipelines.report import evidences, months

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="session")
def compare(tmp_path_factory):
    """Run Compare as `evidences.evidence` does and return evidence and lineage."""

    def run(**settings) -> tuple[dict, dict]:
        evidence = evidences.evidence(tmp_path_factory.mktemp("job"), **settings)
        return evidence, evidences.lineage(evidence)

    return run


@pytest.fixture(scope="session")
def promoted(compare):
    return compare(rows=500, wrong=(0.03, 0.12))


@pytest.fixture(scope="session")
def first(compare):
    return compare(group="FR-packaging", wrong=(0.05, None))


@pytest.fixture(scope="session")
def publish(tmp_path_factory):
    """Publish two months of labels as `months.publish` does, and return addresses and folders."""
    return lambda **settings: months.publish(tmp_path_factory.mktemp("labels"), **settings)


@pytest.fixture(scope="session")
def amended(publish):
    return months.read(publish())


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium, driven by Playwright, which needs no driver of the browser's version.

    Closed after the module: while Playwright runs, no other test could use an event loop.
    """
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("there is no chromium on this machine (Debian: apt-get install chromium)")
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def show(browser, tmp_path):
    """Open a page's HTML as a file; what its console says and what it asks for is in `.said`, `.asked`."""
    contexts = []

    def open_page(html: str, **settings):
        contexts.append(browser.new_context(**settings))
        page = contexts[-1].new_page()
        page.said, page.asked = [], []
        page.on("console", lambda message: page.said.append(message.text))
        page.on("pageerror", lambda error: page.said.append(str(error)))
        page.on("dialog", lambda dialog: (page.said.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: page.asked.append(request.url))
        path = tmp_path / f"{len(contexts)}.html"
        path.write_text(html, encoding="utf-8")
        page.goto(path.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
