"""An artefact is unpacked into its folder and nowhere else, by every Python 3.11."""

import io
import os
import tarfile

import pytest

from infra.local.sagemaker import artefact


@pytest.fixture(autouse=True)
def python_before_3_11_4(monkeypatch):
    """It has no extraction filters (https://docs.python.org/3.11/library/tarfile.html)."""

    def extractall(self, path=".", members=None, *, numeric_owner=False):
        pytest.fail("extracting without a filter follows links and leads out of the folder")

    monkeypatch.setattr(tarfile.TarFile, "extractall", extractall)


def archive_of(path, *members):
    with tarfile.open(path, "w:gz") as archive:
        for member in members:
            archive.addfile(member, io.BytesIO(bytes(member.size)))
    return path


def member(name, kind=tarfile.REGTYPE, **fields):
    made = tarfile.TarInfo(name)
    made.type = kind
    for field, value in fields.items():
        setattr(made, field, value)
    return made


def test_what_was_packed_comes_out_again_with_its_folders_and_programs(tmp_path):
    source = tmp_path / "model"
    (source / "code").mkdir(parents=True)
    (source / "empty").mkdir()
    (source / "code/run.sh").write_text("true")
    (source / "code/run.sh").chmod(0o700)
    (source / "arrays.npz").write_bytes(b"\0\1" * 100_000)
    artefact.pack(source, tmp_path / "model.tar.gz")
    target = tmp_path / "target"
    artefact.unpack(tmp_path / "model.tar.gz", target)
    names = {path.relative_to(target).as_posix() for path in target.rglob("*")}
    assert names == {"code", "code/run.sh", "empty", "arrays.npz"}
    assert (target / "arrays.npz").read_bytes() == (source / "arrays.npz").read_bytes()
    assert os.access(target / "code/run.sh", os.X_OK)
    assert not (target / "arrays.npz").stat().st_mode & 0o100


def test_names_that_begin_with_a_dot_and_a_slash_are_those_of_tar_itself(tmp_path):
    archive = archive_of(
        tmp_path / "a.tar.gz", member("./", tarfile.DIRTYPE), member("./deep/model.json", size=3)
    )
    artefact.unpack(archive, tmp_path / "target")
    assert (tmp_path / "target/deep/model.json").read_bytes() == bytes(3)


@pytest.mark.parametrize(
    ("name", "kind", "fields"),
    [
        ("../evil", tarfile.REGTYPE, {}),
        ("code/../../evil", tarfile.REGTYPE, {}),
        ("/evil", tarfile.REGTYPE, {}),
        ("../evil", tarfile.DIRTYPE, {}),
        ("evil", tarfile.SYMTYPE, {"linkname": ".."}),
        ("evil", tarfile.SYMTYPE, {"linkname": "model.json"}),
        ("evil", tarfile.LNKTYPE, {"linkname": "model.json"}),
        ("evil", tarfile.CHRTYPE, {"devmajor": 1, "devminor": 3}),
        ("evil", tarfile.BLKTYPE, {}),
        ("evil", tarfile.FIFOTYPE, {}),
    ],
)
def test_what_leads_out_of_the_folder_and_links_and_devices_are_refused(name, kind, fields, tmp_path):
    archive = archive_of(tmp_path / "a.tar.gz", member("model.json", size=3), member(name, kind, **fields))
    with pytest.raises(tarfile.TarError, match=r"evil .*Fix: "):
        artefact.unpack(archive, tmp_path / "outer/folder")
    assert not [path for path in tmp_path.rglob("*") if path.name == "evil"]


def test_programs_keep_no_right_that_they_should_not_have(tmp_path):
    archive = archive_of(tmp_path / "a.tar.gz", member("run", mode=0o6777, uid=12, gid=12))
    artefact.unpack(archive, tmp_path / "target")
    found = (tmp_path / "target/run").stat()
    assert (found.st_mode & 0o7777, found.st_uid) == (0o755, os.getuid())
