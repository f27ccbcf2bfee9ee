"""Which keys of manifests start no run."""

import pytest

from infra.local.misplaced import problem


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("manifest", "is not the manifest of a dataset"),
        ("training/DE-weee/2026-10/manifest", "is not the manifest of a dataset for training"),
        ("inference/DE-weee/2026-10/d1/more/manifest", "is not the manifest of a dataset for inference"),
        ("Training/DE-weee/2026-10/d1/manifest", "is not the manifest"),
        ("training/DE-weee/2026-10/d1/manifest.json", "is not the manifest"),
        ("training/DE-weee/2026-10/d1/Manifest", "is not the manifest"),
        ("training/DE-weee/2026-10/d1/_manifest", "is not the manifest"),
        ("training/de-weee/2026-10/d1/manifest", "'de-weee' is not a model group"),
        ("training/DE-weee/2026-13/d1/manifest", "'2026-13' is not a"),
    ],
)
def test_a_wrong_key_is_told_with_what_is_wrong_and_the_fix(key, said):
    sentence = problem("landing", key)
    assert sentence.startswith(f"s3://landing/{key}")
    assert said in sentence
    assert "Fix: " in sentence


@pytest.mark.parametrize(
    "key",
    [
        "training/DE-weee/2026-10/d1/manifest",
        "inference/DE-weee/2026-10/d1/manifest",
        "training/DE-weee/2026-10/d1/part-0.csv",
        "anything/manifesto.pdf",
    ],
)
def test_a_right_key_and_any_other_file_are_not_told(key):
    assert problem("landing", key) is None
