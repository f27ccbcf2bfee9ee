"""Names that no attribute may have, because columns of our own files are called so.

Rows have attributes beside these when they become decisions, shared rows or items to label. Only the standard
library; a test holds the names against the files' own columns.
"""

#: A name that begins with `_` is no attribute's either: the codebook's form forbids it.
RESERVED = frozenset(
    (
        # Items and training rows; `at` and `keys` are made on the way.
        *("item_id", "title", "brand", "product_type", "label", "text_key"),
        *("at", "keys"),
        # Decisions.
        *("answer", "suggested", "decided_by", "decided_at", "decided_on", "why", "run"),
        # Labels.
        *("code", "description", "confidence", "second_code", "short_list", "status", "reason"),
        *("model", "codebook_version", "dataset", "labelled_at", "model_group", "period"),
        *("truth", "known_share", "since", "family"),
        # Review sheets and rows set aside.
        *("suggested_code", "suggested_description", "same_text", "file", "row", "problem"),
        *("fix", "alike", "none", "stands_for", "variants"),
    )
)
