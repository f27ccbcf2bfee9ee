"""Joining answers to inputs keeps every byte of every value, and never joins what is not one's own."""

import json

import pytest

from infra.local.sagemaker.records import Processing, RecordError, requests

ITEM_AND_OUTPUT = {"JoinSource": "Input", "OutputFilter": "$['item_id','SageMakerOutput']"}


def lines(*records: str) -> bytes:
    return "".join(record + "\n" for record in records).encode()


def test_the_whole_record_gets_the_answer_as_one_more_member():
    joined = Processing({"JoinSource": "Input"}).result(lines('{"item_id":"a","n":1}'), lines('{"code":"7"}'))
    assert joined == lines('{"item_id":"a","n":1,"SageMakerOutput":{"code":"7"}}')


def test_the_output_filter_keeps_the_members_it_names_in_its_order():
    joined = Processing(ITEM_AND_OUTPUT).result(lines('{"title":"x","item_id":"a"}'), lines("[1]"))
    assert joined == lines('{"item_id":"a","SageMakerOutput":[1]}')


def test_the_answer_alone_can_be_kept():
    settings = {"JoinSource": "Input", "OutputFilter": "$.SageMakerOutput"}
    assert Processing(settings).result(lines('{"a":1}', "{}"), lines("1", '"x"')) == lines("1", '"x"')


def test_the_input_filter_decides_what_the_model_sees():
    record = lines('{"item_id":"a","title":"t","brand":"b"}')
    assert Processing({"InputFilter": "$.title"}).body(record) == lines('"t"')
    assert Processing({"InputFilter": "$['title','brand']"}).body(record) == lines(
        '{"title":"t","brand":"b"}'
    )
    assert Processing({"InputFilter": "$"}).body(record) == record


@pytest.mark.parametrize(
    "value",
    [
        '"line \u2028 separator \u2029 and \x85"',
        r'"quote \" backslash \\ solidus \/ tab \t escape \u00e9 \ud83d\ude00"',
        '"Wärmepumpe 5 kW Ω 家電 \U0001f600"',
        "123456789012345678901234567890",
        "1.10",
        "1e-400",
        "-0.0",
        '{"deep":[{"er":[1, 2 ,3]}],"SageMakerOutput":"not this one"}',
        "null",
        '""',
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_weird_values_come_out_byte_for_byte(value, ending):
    record = f'{{"item_id": {value} , "title":"t"}}{ending}'.encode()
    joined = Processing(ITEM_AND_OUTPUT).result(record * 2, f"{value}\n".encode() * 2)
    assert joined == f'{{"item_id":{value},"SageMakerOutput":{value}}}\n'.encode() * 2


def test_a_record_that_is_no_object_is_joined_under_a_name_of_its_own():
    joined = Processing({"JoinSource": "Input"}).result(lines("[1,2]", '{"a":1}'), lines("0", "1"))
    assert joined == lines('{"SageMakerInput":[1,2],"SageMakerOutput":0}', '{"a":1,"SageMakerOutput":1}')


def test_blank_lines_are_no_records():
    joined = Processing(ITEM_AND_OUTPUT).result(b'{"item_id":1}\n\n \n{"item_id":2}\n', b"1\n\n2")
    assert [json.loads(line)["item_id"] for line in joined.splitlines()] == [1, 2]


def test_an_answer_to_an_earlier_run_in_the_input_is_replaced():
    record = lines('{"item_id":1,"SageMakerOutput":"old"}')
    assert Processing({"JoinSource": "Input"}).result(record, lines('"new"')) == lines(
        '{"item_id":1,"SageMakerOutput":"new"}'
    )


@pytest.mark.parametrize(
    "settings",
    [{"JoinSource": "Input"}, ITEM_AND_OUTPUT, {**ITEM_AND_OUTPUT, "OutputFilter": "$.SageMakerOutput"}],
)
@pytest.mark.parametrize("answers", [[], ["1"], ["1", "2", "3"]])
def test_another_number_of_answers_than_records_is_an_error(settings, answers):
    with pytest.raises(RecordError, match=f"answered 2 records with {len(answers)}"):
        Processing(settings).result(lines('{"item_id":1}', '{"item_id":2}'), lines(*answers))


@pytest.mark.parametrize(
    "bad", [b'{"item_id":}\n', b'{"item_id":1\n', b'{"item_id":"\xff"}\n', b"{'item_id':1}\n"]
)
def test_what_is_not_json_lines_is_an_error_on_either_side(bad):
    good = b'{"item_id":1}\n'
    for record, answer in ((bad, good), (good, bad)):
        with pytest.raises(RecordError, match="not JSON Lines"):
            Processing(ITEM_AND_OUTPUT).result(record, answer)


def test_a_record_without_the_only_member_asked_for_is_an_error():
    with pytest.raises(RecordError, match="record 2 has no title"):
        Processing({"InputFilter": "$.title"}).body(lines('{"title":1}', '{"name":1}'))


@pytest.mark.parametrize("path", ["$[1:]", "item_id", "$.a.b", "$..a"])
def test_a_filter_it_can_not_apply_is_refused_at_once(path):
    with pytest.raises(ValueError, match="does not know the filter"):
        Processing({"OutputFilter": path})


def test_requests_hold_whole_lines_and_no_more_than_the_limit(tmp_path):
    path = tmp_path / "items.jsonl"
    body = b"".join(b'{"n":%d}\n' % n for n in range(1000))
    path.write_bytes(body)
    found = list(requests(path, "Line", "MultiRecord", 100))
    assert b"".join(found) == body
    assert all(len(part) <= 100 and part.endswith(b"\n") for part in found)
    assert len(found) < 1000 / 8


@pytest.mark.parametrize("limit", [10, 11, 12, 22, 1000])
def test_a_limit_at_the_edge_of_a_line_loses_nothing(tmp_path, limit):
    path = tmp_path / "items.jsonl"
    body = b'{"n":1234}\n' * 9 + b'{"n":5678}'
    path.write_bytes(body)
    found = list(requests(path, "Line", "MultiRecord", limit))
    assert b"".join(part if part.endswith(b"\n") else part + b"\n" for part in found) == body + b"\n"


def test_single_records_go_alone(tmp_path):
    path = tmp_path / "items.jsonl"
    path.write_bytes(b'{"n":1}\n\n{"n":"\xe2\x80\xa8"}')
    assert list(requests(path, "Line", "SingleRecord", 100)) == [b'{"n":1}', b'{"n":"\xe2\x80\xa8"}']


def test_without_a_split_the_object_goes_whole(tmp_path):
    path = tmp_path / "items.jsonl"
    path.write_bytes(b'{"n":1}\n{"n":2}\n')
    assert list(requests(path, "None", "SingleRecord", 100)) == [b'{"n":1}\n{"n":2}\n']


@pytest.mark.parametrize(
    ("split", "strategy"), [("Line", "MultiRecord"), ("Line", "SingleRecord"), ("None", "MultiRecord")]
)
def test_a_record_over_the_limit_is_an_error_naming_the_file(tmp_path, split, strategy):
    path = tmp_path / "items.jsonl"
    path.write_bytes(b'{"n":1}\n' + b"x" * 50 + b"\n")
    with pytest.raises(RecordError, match=r"items\.jsonl: a record is larger than MaxPayloadInMB"):
        list(requests(path, split, strategy, 30))


@pytest.mark.parametrize("body", [b"", b"\n", b" \n\n"])
def test_an_empty_file_asks_nothing(tmp_path, body):
    path = tmp_path / "items.jsonl"
    path.write_bytes(body)
    assert list(requests(path, "Line", "MultiRecord", 100)) == []
