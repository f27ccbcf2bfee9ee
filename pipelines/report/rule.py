"""The decision rule as questions with an answer each; a challenger is promoted when every answer is yes."""

from pipelines.report.formats import count, probability, signed


def checks(evidence: dict) -> list[dict]:
    """What the policy asks and what was found: `question`, `asked`, `found`, `passed` (None: not checked).

    Empty without a winner. The rule is that of processing/verdict/rule.py, with the thresholds that the
    comparison wrote down.
    """
    if evidence["winner"] is None:
        return []
    e, policy, rule = evidence, evidence["policy"], evidence["rule"]
    better, worse = e["better_texts"], e["worse_texts"]
    significant, enough = e["p_value"] <= policy["level"], better + worse >= rule["min_discordant"]
    interval = f"{signed(e['low'])} to {signed(e['high'])}"
    texts = f"{count(better)} right, {count(worse)} wrong, {probability(e['p_value'])}"
    rows = (
        (
            "Can it predict every code in force that the winner can?",
            "all",
            *_reach(e),
        ),
        (
            "Are there enough distinct test texts?",
            f"{count(policy['min_rows'])} or more",
            count(e["distinct_texts"]),
            e["distinct_texts"] >= policy["min_rows"],
        ),
        (
            "Is no critical code significantly worse?",
            "none",
            _listed(e["vetoed_by"], "", "none"),
            not e["vetoed_by"],
        ),
        (
            "Is it not significantly worse over all?",
            f"no net loss with p ≤ {policy['level']:g}, interval not below 0",
            f"{texts}; {interval}",
            not (significant and worse > better) and not (enough and e["high"] < 0),
        ),
        (
            "Is the gain in macro-F1 useful?",
            f"{signed(policy['min_gain'])} points or more",
            f"{signed(e['difference'])} points",
            e["difference"] >= policy["min_gain"] and e["difference"] > 0,
        ),
        (
            "Is the gain more than chance?",
            f"net gain with p ≤ {policy['level']:g}, or interval above 0"
            f" with {rule['min_discordant']} changed texts",
            f"{texts}; {interval}",
            (significant and better > worse) or (enough and e["low"] > 0),
        ),
        (
            "Is a loss of accuracy ruled out?",
            f"interval above {signed(-rule['tolerated_loss'])}",
            f"{signed(e['accuracy_low'])} to {signed(e['accuracy_high'])}",
            e["accuracy_low"] > -rule["tolerated_loss"],
        ),
        (
            "Do the rarer codes not pay for it?",
            f"one-sided p above {rule['rarer_level']:g}",
            f"{count(e['rarer_better'])} right, {count(e['rarer_worse'])} wrong, "
            f"{probability(e['rarer_p_value'])}",
            e["rarer_p_value"] > rule["rarer_level"],
        ),
    )
    return [dict(zip(("question", "asked", "found", "passed"), row, strict=True)) for row in rows]


def _reach(e: dict) -> tuple[str, bool | None]:
    """Which codes the challenger can predict, and whether that is enough; old evidence does not know."""
    lost, unreached = e.get("lost_codes"), e.get("unreached_codes")
    if lost is None:
        return "the evidence does not say", None
    neither = _listed(unreached, "; neither model can predict ", "")
    return _listed(lost, "not ", "all") + neither, not lost


def _listed(codes: list[str], before: str, otherwise: str) -> str:
    return before + ", ".join(codes) if codes else otherwise
