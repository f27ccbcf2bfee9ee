"""Where objects of a prefix go, and when two bundles count as the same code."""

import pytest

from infra.local.sagemaker.s3 import Object, code_digest, relative_name


@pytest.mark.parametrize(
    ("key", "prefix", "name"),
    [
        ("data/a.txt", "data/", "a.txt"),
        ("data/deep/a.txt", "data/", "deep/a.txt"),
        ("data/a.txt", "data", "a.txt"),
        ("data/a.txt", "data/a.txt", "a.txt"),
        ("data/part-1", "data/part-", "part-1"),
        ("a.txt", "", "a.txt"),
    ],
)
def test_an_object_keeps_its_path_below_the_folder_that_was_asked_for(key, prefix, name):
    assert relative_name(key, prefix) == name


def bundle(**etags: str) -> list[Object]:
    return [Object("code", f"jobs/{n}.py", etag, 1, f"{n}.py") for n, etag in etags.items()]


def test_a_digest_of_code_depends_on_names_and_contents_of_its_sources_alone():
    digest = code_digest(bundle(train="1", tune="2"))
    assert digest == code_digest(bundle(tune="2", train="1"))
    assert digest == code_digest(
        [*bundle(train="1", tune="2"), Object("data", "items", "9", 1, "items.jsonl")]
    )
    assert digest != code_digest(bundle(train="1", tune="3"))
    assert digest != code_digest(bundle(train="1", serve="2"))


def test_inputs_without_sources_have_no_digest():
    assert code_digest([Object("data", "items", "9", 1, "items.jsonl")]) is None
