"""Names of runs and models, and S3 addresses: what is made and what is understood again."""

import pytest

from pipelines import names

RUN = "DE-weee-comparison-2026-10-0f3a9c21d4e5"


def test_a_runs_name_says_group_purpose_and_period():
    assert names.parse_run(RUN) == names.Run("DE-weee", "comparison", "2026-10")


def test_a_run_is_named_by_what_it_processes():
    made = [names.run_name("DE-weee", "training", "2026-10", "bucket", key, "1") for key in "aab"]
    assert made[0] == made[1] != made[2]
    assert names.parse_run(made[0]) == ("DE-weee", "training", "2026-10")


def test_a_digest_is_twelve_hex_of_what_a_run_processes_line_by_line():
    # printf 'bucket\nkey\nversion' | sha256sum
    assert names.run_name("DE-weee", "training", "2026-10", "bucket", "key", "version") == (
        "DE-weee-training-2026-10-5fd286930156"
    )


@pytest.mark.parametrize(
    "name",
    [
        "DE-weee-2026-10-1a2b3c4d",
        "DE-weee-rollback-20261101020000000",
        "DE-weee-comparison-2026-13-0f3a9c21d4e5",
        "de-weee-comparison-2026-10-0f3a9c21d4e5",
        "DE-weee-comparison-2026-10-0f3a9c21d4e5\n",
        f"x{RUN}",
        "",
    ],
)
def test_other_texts_are_not_the_name_of_a_run(name):
    assert names.parse_run(name) is None


def test_a_decision_by_hand_has_a_name_of_its_own_kind():
    name = names.manual_run_name("DE-weee", "ROLLBACK", "2026-11-01T02:00:00.123Z")
    assert name == "DE-weee-rollback-20261101020000123"


def test_a_models_name_begins_with_its_group():
    model = names.MODEL_NAME.format(group="FR-packaging", period="2026-10", hex="1a2b3c4d")
    assert names.group_of_model(model) == "FR-packaging"
    assert names.group_of_model(RUN) is None


def test_a_datasets_key_is_read_into_what_it_was_made_of():
    dataset = names.Dataset("training", "DE-weee", "2026-10", "d1")
    assert names.parse_dataset(names.DATASET.format(**dataset._asdict())) == dataset


@pytest.mark.parametrize("key", ["", "/", "training/DE-weee/2026-10/", "a/b/c/d", "a/b/c/d/e/", "a/b/c/d/e"])
def test_a_key_of_another_form_is_no_datasets(key):
    assert names.parse_dataset(key) is None


@pytest.mark.parametrize("key", ["", "key", "a/folder/", "a//b"])
def test_an_address_is_split_into_what_it_was_made_of(key):
    assert names.split_address(names.address("bucket", key)) == ("bucket", key)


def test_a_bucket_alone_is_an_address_without_a_key():
    assert names.split_address("s3://bucket") == ("bucket", "")


@pytest.mark.parametrize("text", ["", "bucket/key", "https://bucket/key", "/opt/ml/model"])
def test_what_is_not_an_s3_address_is_refused_with_the_fix(text):
    with pytest.raises(ValueError, match=r"not an S3 address\. Fix: write it like s3://bucket/key"):
        names.split_address(text)
