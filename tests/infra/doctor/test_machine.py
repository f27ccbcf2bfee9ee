"""What this machine is looked at for."""

from infra.doctor.finding import FAIL, OK, WARN
from infra.doctor.machine import disk, machine, namespaces, port, python


def test_four_things_are_looked_at(tmp_path):
    assert [finding.what for finding in machine(tmp_path)] == ["Python", "disk", "user namespaces", "port"]


def test_an_old_python_and_a_forbidden_port_fail():
    assert [python((3, 10)).status, python((3, 11)).status, python((4, 0)).status] == [FAIL, OK, OK]
    assert [port(False).status, port(True).status] == [FAIL, OK]


def test_a_full_disk_and_forbidden_namespaces_are_warnings_as_runs_go_on():
    assert [disk(10**9).status, disk(10**10).status] == [WARN, OK]
    assert [namespaces(False).status, namespaces(True).status] == [WARN, OK]
