"""Going on with the stack of a demo that has ended."""

import pytest

from infra.local.demo_folder import NoDemo, copy_demo
from infra.local.lock import take


@pytest.fixture
def demo(tmp_path):
    """What a demo leaves, as far as it matters here."""
    folder = tmp_path / "demo"
    for name, content in {
        "state.json": "{}",
        "s3/bucket/key": "object",
        "jobs/one/log.txt": "log",
        "jobs/one/opt/ml/large": "input",
        "endpoint.json": "{}",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def test_all_that_a_stack_goes_on_with_is_copied_and_the_demo_stays(demo, tmp_path):
    copy_demo(tmp_path / "own", demo)
    names = {
        path.relative_to(tmp_path / "own").as_posix()
        for path in (tmp_path / "own").rglob("*")
        if path.is_file()
    }
    assert names == {"state.json", "s3/bucket/key", "jobs/one/log.txt"}
    was, now = demo / "s3/bucket/key", tmp_path / "own/s3/bucket/key"
    assert now.stat().st_mtime_ns == was.stat().st_mtime_ns  # by which versions are found again
    assert now.stat().st_ino != was.stat().st_ino


def test_a_stack_that_has_run_is_not_written_over(demo, tmp_path):
    copy_demo(tmp_path / "own", demo)
    (tmp_path / "own/state.json").write_text("mine")
    with pytest.raises(
        NoDemo, match=r"has a stack of its own already\. Fix: labelmill local up goes on with it"
    ):
        copy_demo(tmp_path / "own", demo)
    assert (tmp_path / "own/state.json").read_text() == "mine"


def test_without_a_demo_and_while_it_runs_the_fix_is_said(demo, tmp_path):
    with take(demo), pytest.raises(NoDemo, match="still runs"):
        copy_demo(tmp_path / "own", demo)
    (demo / "state.json").unlink()
    with pytest.raises(NoDemo, match="Fix: labelmill demo"):
        copy_demo(tmp_path / "own", demo)
    assert not (tmp_path / "own/state.json").exists()
