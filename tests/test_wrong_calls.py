"""Wrong calls of every command: an exit code, one short sentence on what is wrong, and the next step."""

import dataclasses
import json
import shlex
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from infra.local import demo_folder
from pipelines import cli, stack
from pipelines.commands import target
from pipelines.failures import failure
from tests.complaints import complaints
from tests.pipelines.failures.conftest import Account

RUN = "DE-weee-comparison-2026-10-0f3a9c21d4e5"
SEE = "Fix: see labelmill {} --help"
NO_GROUP = "'weee' is not a model group. Fix: write it like DE-weee"
NO_MONTH = "is not a month. Fix: write it like 2026-10"
FUTURE = "2999-01 has not begun. Fix: name this month or an earlier one"
UNKNOWN = "Model group XX-weee is not known. Fix: name one of AT-weee, DE-weee; publish its codebook first"
ITEMS = "items.csv"

#: The words behind `labelmill`, and what is complained of; nothing is asked of any service.
NOT_UNDERSTOOD = [
    ("nonsense", "invalid choice: 'nonsense'"),
    ("--nonsense", "unrecognized arguments: --nonsense. Fix: see labelmill --help"),
    *((name, SEE.format(name)) for name in ("runs", "groups", "models", "review", "report", "codebook")),
    *((name, SEE.format(name)) for name in ("deliveries", "local", "retry", "approve", "deliver", "try")),
    *((name, SEE.format(name)) for name in ("order", "dismiss", "explain", "init", "completion", "check")),
    ("review list", "invalid choice: 'list'"),
    ("month 2026-10 2026-11", "labelmill month: unrecognized arguments: 2026-11. " + SEE.format("month")),
    *((f"month {month}", f"'{month}' {NO_MONTH}") for month in ("2026-13", "26-1", "2026-1", "October")),
    ("order DE-weee 2026-13", NO_MONTH),
    ("report labels DE-weee 2026-00", NO_MONTH),
    ("review export DE-weee 2026-10-01", NO_MONTH),
    ("deliver training DE-weee 2026-1 items.csv", NO_MONTH),
    ("month 2999-01", FUTURE),
    ("order DE-weee 2999-01", FUTURE),
    ("deliveries list --period 2999-01", FUTURE),
    ("report period 2999-01", FUTURE),
    ("review export DE-weee 2999-01", FUTURE),
    ("deliver training DE-weee 2999-01 items.csv", FUTURE),
    ("check items.csv --period 2999-01", FUTURE),
    ("runs list --group weee", NO_GROUP),
    ("failures --group weee", NO_GROUP),
    ("retry weee", NO_GROUP),
    ("models history weee", NO_GROUP),
    ("groups retire weee --reason x", NO_GROUP),
    ("order weee 2026-10", NO_GROUP),
    ("report labels weee 2026-10", NO_GROUP),
    ("review export weee 2026-10", NO_GROUP),
    ("explain weee kettle", NO_GROUP),
    *((f"{words} weee", NO_GROUP) for words in ("report mlflow", "report registry")),
    *((f"{words} weee 2026-10", NO_GROUP) for words in ("report workbook", "review sample")),
    ("audit weee 2026-10 item", NO_GROUP),
    ("audit DE-weee 2026-10", SEE.format("audit")),
    ("audit DE-weee 2026-10 item --bundle b.zip", "not allowed with argument"),
    ("audit DE-weee 2026-13 item", NO_MONTH),
    ("review sample DE-weee 2999-01", FUTURE),
    ("review sample DE-weee 2026-10 --width 0", "Fix: "),
    ("review sample DE-weee 2026-10 --out sample.pdf", "Fix: end it in .csv, .xlsx or .html"),
    ("review export DE-weee 2026-10 --items a.txt --second b.csv", "not allowed with argument"),
    ("compare DE-weee-2026-10-1a2b3c4d", "the following arguments are required: B"),
    ("retry DE-weee --all", "not allowed with argument"),
    ("month --local --profile prod", "not allowed with argument"),
    ("deploy --env dev --parameters x.json", "not allowed with argument"),
    ("deliver training DE-weee 2026-10", "Fix: name either PATH or --from-stdin"),
    ("deliver training DE-weee 2026-10 items.csv --from-stdin", "Fix: name either PATH or --from-stdin"),
    ("deliver sales DE-weee 2026-10 items.csv", "invalid choice: 'sales'"),
    ("dismiss name", "the following arguments are required: --reason"),
    (f"reject {RUN}", "the following arguments are required: --reason"),
    ("review import sheet.csv", "the following arguments are required: --by"),
    ("review export DE-weee 2026-10 --out sheet.pdf", "Fix: end it in .csv, .xlsx or .html"),
    ("explain DE-weee kettle --attribute weight", "weight says no value. Fix: write it like"),
    ("models winner DE-weee --on 2026-99-01", "is not a day. Fix: write it like 2026-10-31"),
    ("check items.csv", "Fix: add --codebook GROUP and --purpose"),
    ("plan --rows 0", "'0' is not a whole number above 0. Fix:"),
    ("plan --trials 31", "31 are more than a policy may ask for. Fix: write at most 30"),
    ("plan --quota many", "'many' is not a whole number above 0. Fix:"),
    ("completion powershell", "invalid choice: 'powershell'"),
    ("local up --port 65536", "65536 is not a port. Fix: name one from 1 to 65535"),
    ("local up --port -1", "-1 is not a port"),
    ("local up --port http", "http is not a port"),
    ("local status --client telnet", "invalid choice: 'telnet'"),
    (
        "local schedule labelmill-training --at noon",
        "'noon' is not a time. Fix: write it like 2026-11-01T04:00",
    ),
    ("local run", "name a command. Fix: labelmill local run models list"),
    ("local run nonsense", "there is no command nonsense. Fix: labelmill local run models list"),
    ("rehearse --delivery d1 --timeout -1", "is no number of seconds. Fix: write one like 3600"),
    ("rehearse", "the following arguments are required: --delivery"),
]
#: What is understood, and cannot be done: of files and folders.
NO_FILE = [
    ("try missing.csv", "missing.csv is not there. Fix: name a file or a folder"),
    ("try empty.csv", "empty.csv has 0 columns. Fix: begin it with the columns' names"),
    ("try binary.csv", "is not UTF-8. Fix: say its encoding"),
    ("try binary.xlsx", "binary.xlsx cannot be read as a workbook"),
    ("try binary.parquet", "binary.parquet cannot be read as Parquet"),
    ("try folder", "folder holds no data file. Fix: name a folder with files of .csv"),
    ("try ab.csv", "No column looks like the titles. Fix: say which with --title; there are a, b"),
    ("try header.csv", "There are no rows below the columns' names. Fix: name a file with items"),
    (
        "try items.csv --title Name",
        "There is no column 'Name'. Fix: write it as it is in the file: title, code",
    ),
    ("try items.csv --encoding nope", "there is no encoding 'nope'. Fix: write one like windows-1252"),
    ("init missing.csv --group DE-weee", "missing.csv is not there"),
    ("init header.csv --group DE-weee", "There are no rows below the columns' names"),
    ("init ab.csv --group DE-weee", "No column looks like the titles"),
    ("init items.csv --group weee", "'weee' is not a model group. Fix:"),
    ("init items.csv", "is not known. Fix: add --group"),
    (
        "init items.csv --group DE-weee --dir file/new",
        "cannot be written (Not a directory). Fix: name another",
    ),
    ("init items.csv --split-by country", "There is no column 'country'. Fix: name one of title, code"),
    ("deliver training DE-weee 2026-10 items.csv", "There is no labelmill.toml. Fix: make one with"),
    ("deliver training DE-weee 2026-10 items.csv --settings broken.json", "is not TOML"),
    ("deliver training DE-weee 2026-10 items.csv --settings folder", "Is a directory. Fix: check the path"),
    ("deliver training XX-weee 2026-10 items.csv --settings own.toml", "Fix: name one of DE-weee"),
    ("codebook check missing.json", "No such file or directory. Fix: check the path"),
    ("codebook check broken.json", "this is not JSON"),
    ("codebook check folder", "Is a directory. Fix: check the path"),
    ("codebook check binary.csv", "this is not UTF-8. Fix: save the file as UTF-8"),
    ("plan --groups missing.csv", "missing.csv: No such file or directory. Fix: name a CSV file"),
    ("plan --groups folder", "folder: Is a directory. Fix: name a CSV file"),
    ("plan --groups binary.csv", "binary.csv is no CSV file in UTF-8. Fix: save it as one"),
    ("plan --groups empty.csv", "empty.csv, row 1: the columns are none. Fix: make them group, items"),
    ("plan --groups ab.csv", "ab.csv, row 1: the columns are a, b. Fix: make them group, items"),
    ("plan --region mars-1", "No prices for mars-1. Fix: take eu-central-1"),
    ("plan --instance ml.none", "ml.none has no price in eu-central-1. Fix: take one of ml."),
    ("deploy --env nowhere --yes", "No such file or directory. Fix: name a file, or one of --env dev"),
    ("deploy --parameters broken.json --yes", "broken.json: not JSON"),
    ("doctor --parameters missing.json", "No such file or directory. Fix: name a file"),
    ("destroy --parameters folder", "Is a directory. Fix: name a file"),
    ("rehearse --delivery d1 --env nowhere", "No such file or directory. Fix: name a file"),
    (
        "check items.csv --codebook codebook.json --purpose training --html file/page.html",
        "file/page.html: Not a directory. Fix: check the path",
    ),
    ("demo --dir file", "file is no folder, or has other things in it than a demo's. Fix: name another"),
    ("demo --dir full", "full is no folder, or has other things in it than a demo's. Fix: name another"),
    ("local up --dir file", "file: File exists. Fix: check the path"),
    ("local up --dir file/new", "file/new: Not a directory. Fix: check the path"),
    ("local up --from-demo --dir new", "no demo has ended in .labelmill/demo. Fix: labelmill demo"),
    ("local status", "nothing runs in .labelmill. Fix: labelmill local up"),
    ("local schedule labelmill-training", "nothing runs in .labelmill. Fix: labelmill local up"),
    (
        "month --local",
        "no stack runs in this folder: there is no .labelmill/endpoint.json. Fix: labelmill local up",
    ),
]
#: Of a stack that knows DE-weee and AT-weee, and has nothing of their months.
NOT_THERE = [
    ("month --stack other", "there is no stack 'other' in eu-central-1"),
    *(
        (words.format("XX-weee"), UNKNOWN)
        for words in (
            "order {} 2026-10",
            "runs list --group {}",
            "runs watch --group {}",
            "failures --group {}",
            "retry {}",
            "deliveries list --group {}",
            "groups retire {} --reason x",
            "models history {}",
            "models rollback {} --to m --reason x",
            "explain {} kettle",
            "review export {} 2026-10",
            "report labels {} 2026-10",
            "report workbook {} 2026-10",
            "report registry {}",
            "review sample {} 2026-10",
            "audit {} 2026-10 item",
            "codebook show {}",
            "check items.csv --codebook {} --purpose training",
            "report comparison {}-comparison-2026-10-0f3a9c21d4e5",
            "approve {}-comparison-2026-10-0f3a9c21d4e5",
        )
    ),
    (
        "runs show nonsense",
        "there is no run 'nonsense', or it ended more than 90 days ago. Fix: copy its name",
    ),
    (f"runs logs {RUN}", "Fix: copy its name from labelmill runs list"),
    ("retry --run nonsense", "nonsense is not in the list. Fix: copy its name from labelmill failures"),
    (
        "dismiss nonsense --reason x",
        "nonsense is not in the list. Fix: copy its name from labelmill failures",
    ),
    ("dismiss DE-weee-training-2026-10-000000000000 --reason ' '", "The reason is empty or too long. Fix:"),
    ("approve nonsense", "nonsense is not a comparison. Fix: copy the run from the message"),
    ("approve DE-weee-training-2026-10-0f3a9c21d4e5", "is not a comparison. Fix: copy the run"),
    (f"approve {RUN}", "is not waiting for approval. Fix: check the run"),
    (f"reject {RUN} --reason x", "is not waiting for approval. Fix: check the run"),
    (
        "models rollback DE-weee --to nope --reason x",
        "DE-weee has no model nope. Fix: name one of its models",
    ),
    ("models promote DE-weee --model AT-weee-2026-10-1a2b3c4d --reason x", "is a model of AT-weee, not of"),
    ("models release DE-weee --reason x", "is not pinned: comparisons decide already. Fix:"),
    ("groups revive DE-weee --reason x", "DE-weee is not retired. Fix: labelmill groups list"),
    ("explain DE-weee kettle", "DE-weee has no winner yet. Fix: name one of its models"),
    ("review export DE-weee 2026-09", "no labels of DE-weee 2026-09 are published. Fix:"),
    ("review import sheet.csv --by A", "sheet.csv: No such file or directory. Fix:"),
    ("review import folder --by A", "folder: Is a directory. Fix:"),
    ("review import ab.csv --by A", "ab.csv: the first row lacks run, item_id, code. Fix:"),
    ("review import binary.xlsx --by A", "binary.xlsx: this is not a workbook"),
    ("review import ab.csv --by ' '", "--by is empty, too long or unprintable. Fix: give a name"),
    ("report labels DE-weee 2026-09", "No labels of DE-weee 2026-09 are published. Fix:"),
    ("report period 2020-05", "Nothing of 2020-05 is decided, waits or is labelled. Fix: name another month"),
    ("report workbook DE-weee 2026-09", "No labels of DE-weee 2026-09 are published. Fix:"),
    ("review sample DE-weee 2026-09", "no labels of DE-weee 2026-09 are published. Fix:"),
    ("audit DE-weee 2026-09 item", "Fix: "),
    ("compare nonsense DE-weee-2026-10-1a2b3c4d", "Fix: "),
    ("compare DE-weee-2026-09-1a2b3c4d DE-weee-2026-10-1a2b3c4d", "Fix: "),
    ("compare AT-weee-2026-09-1a2b3c4d DE-weee-2026-10-1a2b3c4d", "Fix: "),
    ("report comparison nonsense", "'nonsense' is not a comparison's run. Fix: name one like"),
    ("codebook diff missing.json DE-weee", "missing.json: the file: No such file or directory. Fix:"),
    (
        "check missing --codebook codebook.json --purpose training",
        "missing is no file or folder. Fix: name one",
    ),
]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder, and what is named in the tables."""
    monkeypatch.chdir(tmp_path)
    for name, content in {
        ITEMS: b"title,code\nKettle,1\nLamp,2\n",
        "ab.csv": b"a,b\n1,2\n",
        "header.csv": b"title,code\n",
        "empty.csv": b"",
        "binary.csv": b"\x93\xfd\x00\x81",
        "binary.xlsx": b"PK\x03\x04nothing",
        "binary.parquet": b"PAR1nothing",
        "broken.json": b"{",
        "own.toml": b'[columns]\ntitle = "title"\n[groups.DE-weee]\ncodebook = "codebook.json"\n',
        "file": b"",
        "full/letters.txt": b"dear",
    }.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(content)
    Path("folder").mkdir()
    source = Path(cli.__file__).with_name("codebooks") / "files" / "DE-weee.json"
    Path("codebook.json").write_bytes(source.read_bytes())
    return tmp_path


@pytest.fixture
def call(folder, capsys):
    """A command: its exit code, what it printed, what it complained of."""

    def run(words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = cli.main(shlex.split(words))
        except SystemExit as ended:
            code = ended.code
        printed = capsys.readouterr()
        return code, printed.out, complaints(printed.err)

    return run


@pytest.fixture
def account(emulated_aws, folder, monkeypatch, capsys):
    """That stack."""
    account = Account(capsys)
    account.put("AT-weee", "GROUP", codebook_version="2026-10")
    outputs = [{"OutputKey": name, "OutputValue": value} for name, value in account.outputs.items()]
    asked = stack.described

    def described(name, client):
        return {"Outputs": outputs} if name == "labelmill" else asked(name, client)

    monkeypatch.setattr(stack, "described", described)
    opened = failure.open_stack
    monkeypatch.setattr(
        failure, "open_stack", lambda name: account.stack if name == "labelmill" else opened(name)
    )
    return account


def check_told(said: str, complaint: str) -> None:
    """One short sentence, that says `complaint` and what to do."""
    assert complaint in said
    assert len(said.splitlines()) == 1 and len(said) < 500
    assert "Fix: " in said and "Traceback" not in said and "Errno" not in said


@pytest.mark.parametrize(("words", "complaint"), NOT_UNDERSTOOD, ids=lambda text: text[:40])
def test_what_is_not_understood_is_a_usage_error_with_a_next_step(call, words, complaint):
    code, out, said = call(words)
    assert (code, out) == (2, "")
    check_told(said, complaint)


@pytest.mark.parametrize(("words", "complaint"), NO_FILE, ids=lambda text: text[:40])
def test_a_file_or_folder_that_does_not_do_is_named_with_a_next_step(call, words, complaint):
    code, _, said = call(words)
    assert code == 1
    check_told(said, complaint)


@pytest.mark.parametrize(("words", "complaint"), NOT_THERE, ids=lambda text: text[:40])
def test_what_a_stack_does_not_have_is_named_with_a_next_step(account, call, words, complaint):
    code, _, said = call(words)
    assert code == 1
    check_told(said, complaint)


@pytest.mark.parametrize(
    "words",
    [
        "runs list --group AT-weee",
        "deliveries list --group AT-weee",
        "failures --group AT-weee",
        "models list",
    ],
)
def test_a_list_of_nothing_is_an_empty_list_for_programs(account, call, words):
    assert call(f"{words} --json")[:2] == (0, "[]\n")


def test_without_a_warehouse_nothing_is_ordered_and_the_month_says_what_to_do_instead(account, call):
    account.stack = dataclasses.replace(account.stack, has_warehouse=False)
    code, _, said = call("order DE-weee 2026-10")
    assert code == 1
    check_told(said, "labelmill has no warehouse to order from. Fix: deliver a file (labelmill deliver)")
    assert account.messages("UnloadQueueUrl") == []
    assert "labelmill deliver training DE-weee 2026-10 PATH" in call("month 2026-10")[1]
    account.put("DE-weee", "WINNER", model="DE-weee-2026-09-1a2b3c4d", since="2026-10-01")
    assert "labelmill deliver inference DE-weee 2026-10 PATH" in call("month 2026-10")[1]


def test_a_month_that_was_due_before_the_stack_was_made_is_not_overdue(account, call):
    account.stack = dataclasses.replace(account.stack, created=datetime(2026, 11, 20, tzinfo=UTC))
    assert "due 2026-11-10 08:00 UTC, before this stack was made on 2026-11-20" in call("month 2026-10")[1]
    assert "overdue" not in call("month 2026-10")[1]


def test_an_endpoint_file_of_a_stack_that_is_gone_ends_the_command(folder, call, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{free.getsockname()[1]}"
    reached = {"endpoint": endpoint, "region": "eu-central-1", "key_id": "local", "secret": "s"}
    target.ENDPOINT_FILE.parent.mkdir()
    target.ENDPOINT_FILE.write_text(json.dumps(reached))
    for words in ("month", "runs list", "codebook show DE-weee", "report period 2026-10"):
        code, _, said = call(words)
        assert code == 1
        check_told(said, f"does not answer at {endpoint}. Fix: labelmill local up")


def test_a_port_that_another_program_has_is_named(call):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        code, _, said = call(f"local up --port {port}")
    assert code == 1 and f"Port {port} is in use by another program" in said and "Traceback" not in said


def test_a_demo_begins_anew_where_one_was_and_never_where_other_things_are(folder):
    Path("old").mkdir()
    for name in ("lock", "state.json"):
        Path("old", name).touch()
    demo_folder.clear(Path("old"))
    demo_folder.clear(Path("old"))
    assert not Path("old").exists()
    with pytest.raises(demo_folder.NoDemo):
        demo_folder.clear(Path("full"))
    assert Path("full/letters.txt").read_text() == "dear"
