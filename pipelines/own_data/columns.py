"""Which of a file's columns is which: as somebody says, else by its name, else by what is in it.

A guess is shown with its reason and can be corrected. A column that only repeats the code in other words is
never learned from: it would not be there for the items that are to be labelled.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import Refused
from processing.codes.codebook import Attribute
from processing.codes.reserved import RESERVED
from processing.dataset.numbers import PATTERNS

ID, TITLE, BRAND, PRODUCT_TYPE, CODE = ROLES = ("item_id", "title", "brand", "product_type", "label")
#: What columns are called in shops' files, without signs and capitals; the likeliest first.
NAMES = {
    ID: "item_id id sku item item_no item_number article_number article_no article artikelnummer artikelnr "
    "artikel_nr artikel_id product_id produkt_id asin ean gtin reference ref codice_articolo referencia",
    TITLE: "title item_name product_name product_title item_title name artikelbezeichnung bezeichnung titel "
    "artikelname produktname artikel libelle designation titre denominazione titolo nombre titulo "
    "description beschreibung descrizione descripcion text",
    BRAND: "brand marke marque marca make manufacturer hersteller fabricant produttore",
    PRODUCT_TYPE: "product_type type product_category product_group warengruppe kategorie category "
    "produkttyp produktart categorie categoria tipo rayon",
    CODE: "label code category_code class klasse kategorie_code kategoriecode codice codigo classe category "
    "kategorie categorie categoria",
}
NAMES_OF = {role: names.split() for role, names in NAMES.items()}
BY_NAME, BY_CONTENT, SAID = "by its name", "by its content", "as you say"
#: Columns of a table that say where a row is from: not the file's own.
UNSEEN = ("_file", "_row")
MOST_CODES = 500
MOST_VALUES = 50
NEARLY_ALL = 0.95
#: A column that tells the code nearly always, and is not just another name of it, is worth a warning.
TELLS = 0.98


@dataclass(frozen=True)
class Columns:
    """The columns of a file, by its own names.

    Attributes:
        roles: role of ROLES to the column that has it; only those that there are.
        attributes: name in a codebook to the column.
        kinds: that name to `number` or `category`.
        description: the column that says the code in words; empty for none.
        how: column to why it was taken for what it is.
        left_out: column to why nothing is learned from it.
        warnings: sentences on what a person should look at.
    """

    roles: dict[str, str]
    attributes: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    description: str = ""
    how: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def declared(self) -> tuple[Attribute, ...]:
        """The attributes as a codebook declares them."""
        return tuple(Attribute(name, kind) for name, kind in self.kinds.items())

    def without_attributes(self, names: Sequence[str]) -> "Columns":
        """The same without the attributes that are columns of these names."""
        kept = {name: column for name, column in self.attributes.items() if column not in names}
        return replace(self, attributes=kept, kinds={name: self.kinds[name] for name in kept})

    @property
    def numbers(self) -> frozenset[str]:
        """The columns that hold numbers."""
        return frozenset(self.attributes[name] for name, kind in self.kinds.items() if kind == "number")


def guess(
    table: pa.Table, said: Mapping[str, str | None], attributes: Sequence[str] | None = None
) -> Columns:
    """The columns of a table of texts.

    Args:
        table: all rows, under the file's own names; `_file` and `_row` are not looked at.
        said: role to the column that a person names; an empty one says that there is none.
        attributes: the columns that a person names as attributes; None: guess.

    Raises:
        Refused: a column that is named is not there, or no column can be the title or the code.
    """
    names = [name for name in table.column_names if name not in UNSEEN]
    for column in (*filter(None, said.values()), *(attributes or ())):
        _check_there(column, names)
    seen = {name: _Seen(_text(table[name])) for name in names}
    roles: dict[str, str] = {role: column for role, column in said.items() if column}
    how = dict.fromkeys(roles.values(), SAID)
    taken = [*roles.values(), *(attributes or ())]
    for role in (CODE, TITLE, ID, BRAND, PRODUCT_TYPE):
        if said.get(role) is None:
            column, reason = _find(role, {name: seen[name] for name in names if name not in taken})
            if column:
                roles[role], how[column] = column, reason
                taken.append(column)
    code = _text(table[roles[CODE]]) if CODE in roles else None
    left_out, description, warnings = {}, "", []
    found: dict[str, tuple[str, str]] = {}
    for name in [name for name in names if name not in roles.values() or name == roles.get(PRODUCT_TYPE)]:
        said_so = name in (attributes or ()) or how.get(name) == SAID
        tells, one_to_one = _tells(_text(table[name]), code) if code is not None else (0.0, False)
        if one_to_one and not said_so:
            left_out[name] = "it says the code in other words"
            description = description or name
            if roles.get(PRODUCT_TYPE) == name:
                del roles[PRODUCT_TYPE], how[name]
            continue
        kind = seen[name].kind()
        if name not in roles.values():
            if attributes is not None and name not in attributes:
                left_out[name] = "you do not name it"
                continue
            if not kind and attributes is None:
                left_out[name] = seen[name].why_none
                continue
            found[name] = (_slug(name, [each for each, _ in found.values()]), kind or "category")
            how[name] = SAID if attributes is not None else BY_CONTENT
        if tells >= TELLS and code is not None and seen[name].distinct < len(code) / 10:
            warnings.append(
                f"{name} alone tells the code of {100 * tells:.0f} % of the rows: is it known of items "
                "without a code, too? If not, what is measured with it is too good"
            )
    return Columns(
        {role: roles[role] for role in ROLES if role in roles},
        {slug: name for name, (slug, _) in found.items()},
        dict(found.values()),
        description,
        how,
        left_out,
        tuple(warnings),
    )


def check_has(columns: Columns, role: str, table: pa.Table, option: str) -> None:
    """Raise Refused where no column of the file's table, as `guess` takes it, has the role."""
    if not len(table):
        raise Refused("There are no rows below the columns' names. Fix: name a file with items")
    if role not in columns.roles:
        names = [name for name in table.column_names if name not in UNSEEN]
        what = {CODE: "the codes", TITLE: "the titles", ID: "the items' ids"}[role]
        raise Refused(
            f"No column looks like {what}. Fix: say which with {option}; there are {_listed(names)}"
        )


class _Seen:
    """What is in one column of texts."""

    def __init__(self, values: pa.Array) -> None:
        some = values.filter(pc.not_equal(values, ""))
        self.rows, self.filled = len(values), len(some)
        self.distinct = pc.count_distinct(some).as_py()
        self.length = pc.mean(pc.utf8_length(some)).as_py() or 0.0
        self.spaces = pc.mean(pc.count_substring(some, " ")).as_py() or 0.0
        numbers = max(pc.sum(pc.match_substring_regex(some, PATTERNS[sign])).as_py() or 0 for sign in ".,")
        self.numeric = self.filled > 0 and numbers >= NEARLY_ALL * self.filled
        self.whole = self.filled > 0 and pc.all(pc.match_substring_regex(some, r"^\d+$")).as_py()

    @property
    def is_unique(self) -> bool:
        return bool(self.filled > 0 and self.distinct >= NEARLY_ALL * self.rows)

    @property
    def is_few(self) -> bool:
        """Whether values come again and again, as codes do."""
        return bool(2 <= self.distinct <= min(MOST_CODES, max(2, self.filled // 4)))

    def fits(self, role: str) -> bool:
        """Whether a column with the role's name can have it."""
        return {
            ID: self.is_unique,
            TITLE: self.distinct > 1 and not self.numeric,
            BRAND: self.distinct > 0 and not self.numeric,
            PRODUCT_TYPE: self.distinct > 0 and not self.numeric,
            CODE: self.is_few,
        }[role]

    def kind(self) -> str:
        """`number`, `category` or neither, as an attribute."""
        if self.numeric and not (self.whole and self.is_unique and self.length >= 6):
            return "number" if self.distinct > 1 else ""
        few = 2 <= self.distinct <= min(MOST_VALUES, self.filled // 20)
        return "category" if few and not self.numeric else ""

    @property
    def why_none(self) -> str:
        if self.distinct < 2:
            return "it is empty or always the same"
        return "it looks like a number that names the item" if self.numeric else "it has too many values"


def _find(role: str, seen: Mapping[str, _Seen]) -> tuple[str, str]:
    """The column that has a role, and why; empty where none is likely."""
    for wanted in NAMES_OF[role]:
        for name, each in seen.items():
            if plain(name) == wanted and each.fits(role):
                return name, BY_NAME
    if role == TITLE:
        texts = {name: each for name, each in seen.items() if each.spaces >= 1 and not each.numeric}
        best = max(texts, key=lambda name: texts[name].distinct * texts[name].length, default="")
    elif role == CODE:
        few = {name: each for name, each in seen.items() if each.is_few and each.length <= 20}
        best = max(few, key=lambda name: "code" in plain(name), default="")
        best = best if "code" in plain(best) else ""
    elif role == ID:
        best = next((name for name, each in seen.items() if each.is_unique and each.spaces < 0.1), "")
    else:
        best = ""
    return best, BY_CONTENT


def _tells(values: pa.Array, code: pa.Array) -> tuple[float, bool]:
    """The share of rows whose code is the commonest of their value, and whether the two are one to one."""
    rows = pa.table({"value": values, "code": code})
    rows = rows.filter(pc.and_(pc.not_equal(values, ""), pc.not_equal(code, "")))
    if not rows.num_rows:
        return 0.0, False
    pairs = rows.group_by(["value", "code"]).aggregate([([], "count_all")])
    best = pairs.group_by("value").aggregate([("count_all", "max")])
    back = pairs.group_by("code").aggregate([("count_all", "max")])
    share, share_back = (pc.sum(each["count_all_max"]).as_py() / rows.num_rows for each in (best, back))
    return share, min(share, share_back) >= 0.995 and best.num_rows > 1


def _text(values: pa.ChunkedArray) -> pa.Array:
    return pc.fill_null(pc.utf8_trim_whitespace(values.cast(pa.string()).combine_chunks()), "")


def plain(name: str) -> str:
    """A name in small letters, without accents, and with underscores for what is no letter or digit."""
    letters = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return re.sub(r"[\W_]+", "_", letters.lower()).strip("_")


def _slug(name: str, taken: Sequence[str]) -> str:
    """A codebook's name for a column: `Gewicht (kg)` is `gewicht_kg`."""
    made = plain(name)[:36].strip("_") or "attribute"
    made = made if made[0].isalpha() and made not in RESERVED else f"a_{made}"
    return next(each for each in (made, *(f"{made}_{n}" for n in range(2, 999))) if each not in taken)


def _check_there(column: str, names: Sequence[str]) -> None:
    if column not in names:
        raise Refused(f"There is no column {column!r}. Fix: write it as it is in the file: {_listed(names)}")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return ", ".join(names[:20]) + more
