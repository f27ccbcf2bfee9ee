"""What the service quotas say: whether every job can start, and a month be done as planned. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from infra.doctor.finding import FAIL, OK, WARN, Finding
from pipelines.plan.quotas import PLANNED, needed

SERVICE = "sagemaker"
ALL_TYPES = "Number of instances across all {kind} jobs"


def quotas(instances: Mapping[str, str], answers: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """One finding for each kind of job and instance type, and for all types together where that has a quota.

    Args:
        instances: instance types by parameter of the template.
        answers: SageMaker's quotas as Service Quotas lists them: first AWS's defaults, then those applied to
            the account, which count. They are found by name, as no document has their codes: "ml.r5.large for
            processing job usage" (aws/graph-notebook issue 445), "Number of instances across all processing
            jobs" (data-science-on-aws/data-science-on-aws issue 200).
    """
    by_name = {answer["QuotaName"]: answer for answer in answers}
    least: Counter[str] = Counter()
    for (kind, parameter), count in needed().items():
        for name in (f"{instances[parameter]} for {kind} job usage", ALL_TYPES.format(kind=kind)):
            least[name] = max(least[name], count)
    return [
        _quota(name, count, by_name.get(name))
        for name, count in sorted(least.items())
        if name in by_name or " job usage" in name
    ]


def _quota(name: str, least: int, quota: Mapping[str, Any] | None) -> Finding:
    what = f"quota {name}"
    if quota is None:
        return Finding(
            FAIL,
            what,
            "Service Quotas lists none in this Region",
            "take another instance type, or ask AWS's support for this one",
        )
    has = quota["Value"]
    if has >= PLANNED:
        return Finding(OK, what, f"{has:g}")
    ask = (
        f"aws service-quotas request-service-quota-increase --service-code {SERVICE} "
        f"--quota-code {quota['QuotaCode']} --desired-value {PLANNED}"
    )
    needs = f"{has:g}; one run needs {least}, a month is planned with {PLANNED}"
    if has < least:
        return Finding(FAIL, what, needs, ask)
    return Finding(WARN, what, needs, f"{ask}, or see what labelmill plan --quota {has:g} says")
