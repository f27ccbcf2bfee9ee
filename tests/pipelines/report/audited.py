"""What an audit says of a corrected item, as `audit_page` takes it: every section, and a hostile text."""

from pipelines.report import audit_page

RUN, FIRST = "DE-weee-review-2026-10-0f3a9c21d4e5", "DE-weee-inference-2026-10-0f3a9c21d4e5"
COMPARISON = "DE-weee-comparison-2026-09-0f3a9c21d4e5"
MODEL = "DE-weee-2026-09-1a2b3c4d"
BUCKET = "s3://labelmill-work-123456789012-eu-central-1"


def page(text: str, decided_on: str | None = None) -> str:
    """The page, with `text` wherever people write one: the item, who decided and why, the codebook.

    `decided_on` is the item that the person looked at, where it is another one.
    """
    reasons = [
        {"kind": "attribute", "text": f"material={text}", "weight": 1.3611, "known": True},
        {"kind": "word", "text": "x" * 120, "weight": -0.2026, "known": False},
    ]
    alike = {"title": text, "brand": text, "product_type": text, "code": "4", "rows": 12, "similarity": 0.65}
    decision = {"answer": "code", "label": "2", "suggested": "4", "decided_by": text, "why": text}
    decision |= {"decided_at": "2026-11-03T10:00:00.000+00:00", "sheet": RUN}
    verdict = {"time": "2026-10-02T08:00:00.000Z", "run": COMPARISON, "verdict": "FIRST", "reason": text}
    sources = [("the ledger, LABELS#2026-10#" + RUN, "1" * 64, ""), ("nothing", "2" * 64, "v" * 32)]
    label = {"code": "2", "confidence": None, "status": "labelled", "answer": "code", "reason": text}
    label |= {
        "decided_on": decided_on,
        "model": MODEL,
        "codebook_version": "2026-10",
        "run": RUN,
        "text_key": "07a74c085908d0a8",
    }
    return audit_page(
        {
            **{"group": "DE-weee", "period": "2026-10", "run": RUN, "item_id": text, "rows_with_this_id": 2},
            "label": label | {"labelled_at": "2026-11-03T10:00:00.000+00:00"},
            "item": {"item_id": text, "title": text * 3, "brand": text, "weight_kg": 0.022, "material": None},
            "rejected": None,
            "explanation": {
                **{"code": "4", "confidence": 0.9975, "second_code": "5", "second_confidence": 0.0011},
                **{"threshold": 0.7817, "reasons": reasons, "bias": 0.0299, "as_labelled": False},
                "weaker_reasons": {"count": 7, "weight": -0.01},
            },
            "confidence": {
                **{"low": 14 / 15, "high": 1.0, "rows": 291, "right": 288, "interval": [0.9702, 0.9979]},
                **{"confidence": 0.9975, "comparison": COMPARISON, "test_rows": 315},
            },
            "neighbours": [alike | {"item_id": f"{text}{number}"} for number in range(5)],
            "decisions": [
                decision | {"item_id": text, "decided_on": None, "holds": True},
                decision | {"item_id": "another", "decided_on": text, "holds": False},
            ],
            "change": {
                **{"period": "2026-09", "run": FIRST, "cause": None, "why": None},
                "was": {"code": "4", "description": text, "status": "labelled", "model": MODEL},
            },
            "codes": [
                {"code": code, "description": text, "valid_from": "2026-10-01", "valid_to": None}
                | {"codebook": {"version": "2026-10", "source": "synthetic sample"}}
                for code in ("2", "4", "5")
            ],
            "model": {
                **{"name": MODEL, "run": FIRST, "trained_at": "2026-10-01T08:00:00.000Z"},
                **{"codebook_version": "2026-09", "data_digest": "d" * 64, "code_digest": "c" * 16},
                **{"image": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/labelmill@sha256:" + "0" * 64},
                "shared_rows": 9,
                "decisions": [verdict | {"decided_by": text, "evidence": BUCKET, "comparison": COMPARISON}],
            },
            "dataset": {
                **{"address": f"{BUCKET}/inference/DE-weee/2026-10/d1/", "manifest_version": "v" * 32},
                **{"delivered": "2026-11-01T04:00:00.000Z", "data_digest": "d" * 64},
                "files": [{"name": "0000_part_00.parquet", "rows": 2000, "sha256": "f" * 64}],
            },
            "versions": [{"run": RUN}, {"run": FIRST}],
            "sources": [
                {"what": "manifest", "address": f"{BUCKET}/{RUN}", "sha256": digest, "by": by, "version": of}
                for by, digest, of in sources
            ],
            "missing": [f"codebook 2026-10: {BUCKET}/codebooks/DE-weee/2026-10.json is not kept any more."],
        }
    )
