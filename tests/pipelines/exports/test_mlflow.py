"""Two months in a real MLflow, in SQLite: what its own client finds there."""

import hashlib
import importlib.util
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.pipelines.exports.conftest import GROUP, NEW, OLD

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("mlflow") is None, reason="mlflow-skinny is not installed"),
    # MLflow's tables use what SQLAlchemy 2.1 is about to drop, and are not ours to mend.
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated"),
    # Its pools of connections are closed with the process.
    pytest.mark.filterwarnings("ignore:unclosed database"),
]
EXPERIMENT = f"labelmill/{GROUP}"


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory):
    """A database with MLflow's tables, which take seconds to make."""
    from mlflow.tracking import MlflowClient

    path = tmp_path_factory.mktemp("mlflow") / "empty.db"
    MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def store(empty_store, tmp_path, monkeypatch):
    """The address of a store of this test's own; artefacts go to its folder."""
    monkeypatch.chdir(tmp_path)
    Path("mlflow.db").write_bytes(empty_store.read_bytes())
    return f"sqlite:///{tmp_path}/mlflow.db"


@pytest.fixture
def runs(store):
    """MLflow's runs of the group by their names, as its own search finds them."""
    from mlflow.tracking import MlflowClient

    def find() -> dict:
        client = MlflowClient(store)
        experiment = client.get_experiment_by_name(EXPERIMENT)
        return {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}

    return find


def test_two_months_are_two_models_with_scores_and_labels(two_months, export, store, runs):
    code, out, err = export("mlflow", "--tracking-uri", store)
    assert (code, err) == (0, "")
    assert out == f"{EXPERIMENT}: 2 new models, 2 new comparisons, 2 new months\n"
    found = runs()
    assert set(found) == {OLD, NEW}
    scored = two_months.evidence["2026-10"]
    assert found[NEW].data.metrics["test_macro_f1"] == scored["challenger"]["macro_f1"]
    assert found[NEW].data.metrics["month_labelled_share"] == 0.95
    assert found[OLD].data.metrics["month_labelled_share"] == 0.9
    assert found[NEW].data.params == {"C": "1.5"}
    tags = found[NEW].data.tags
    assert tags["labelmill.verdict"] == "PROMOTE"
    assert tags["labelmill.status"].startswith("winner since 2026-10-02")
    assert found[OLD].data.tags["labelmill.status"] == "winner before"


def test_a_winner_has_a_score_for_each_month_it_was_compared_in(two_months, export, store, runs):
    from mlflow.tracking import MlflowClient

    export("mlflow", "--tracking-uri", store)
    history = MlflowClient(store).get_metric_history(runs()[OLD].info.run_id, "test_macro_f1")
    assert [metric.step for metric in history] == [202609, 202610]


def test_evidence_and_page_are_artefacts_of_the_challenger(two_months, export, store, runs):
    from mlflow.tracking import MlflowClient

    export("mlflow", "--tracking-uri", store)
    run = two_months.evidence["2026-10"]["run"]
    files = MlflowClient(store).list_artifacts(runs()[NEW].info.run_id, f"comparisons/{run}")
    assert [Path(file.path).name for file in files] == [f"{run}.html", "comparison.json"]
    kept = Path(MlflowClient(store).download_artifacts(runs()[NEW].info.run_id, files[1].path)).read_bytes()
    assert hashlib.sha256(kept).hexdigest() == runs()[NEW].data.tags["labelmill.evidence_digest"]


def test_exported_once_more_nothing_is_written_twice(two_months, export, store, runs):
    from mlflow.tracking import MlflowClient

    export("mlflow", "--tracking-uri", store)
    out = export("mlflow", "--tracking-uri", store, GROUP)[1]
    assert out == f"{EXPERIMENT}: 0 new models, 0 new comparisons, 0 new months\n"
    history = MlflowClient(store).get_metric_history(runs()[OLD].info.run_id, "test_macro_f1")
    assert len(history) == 2


def test_a_later_rollback_changes_what_has_become_of_the_models(two_months, export, store, runs):
    export("mlflow", "--tracking-uri", store)
    two_months.decide("2026-10-09T09:00:00.000Z", "ROLLBACK", OLD, NEW, f"{GROUP}-rollback-1")
    export("mlflow", "--tracking-uri", store)
    assert runs()[OLD].data.tags["labelmill.approval"] == "Approved"
    assert runs()[NEW].data.tags["labelmill.status"] == "winner before"


def test_a_store_that_is_none_is_told_with_the_fix(two_months, export):
    code, _, err = export("mlflow", "--tracking-uri", "nonsense://x")
    assert code == 1
    assert err.startswith("MLflow: ")
    assert "Fix: give --tracking-uri" in err


@pytest.fixture
def busy_server():
    """A server that is never ready: its address, and the requests it was sent."""
    asked = []

    class Busy(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_error(503)

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Busy) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://reader:secret@127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_a_server_that_does_not_answer_is_asked_twice_and_told_without_its_password(
    two_months, export, busy_server
):
    """MLflow's own setting asks eight times, with minutes between."""
    address, asked = busy_server
    code, out, err = export("mlflow", "--tracking-uri", address)
    assert (code, out, len(asked)) == (1, "", 2)
    assert err.startswith("MLflow: ") and "Fix: " in err and "secret" not in err


def test_a_database_that_cannot_be_opened_is_told_with_the_fix(two_months, export, tmp_path):
    code, _, err = export("mlflow", "--tracking-uri", f"sqlite:///{tmp_path}")  # a folder
    assert code == 1
    assert err.splitlines()[-1].startswith("MLflow: ") and "Fix: " in err


def test_a_store_whose_driver_is_not_installed_is_told_with_the_fix(two_months, export):
    code, _, err = export("mlflow", "--tracking-uri", "mssql+nothing://u:secret@127.0.0.1/x")
    assert code == 1
    assert err.startswith("MLflow: ") and "Fix: " in err and "secret" not in err
