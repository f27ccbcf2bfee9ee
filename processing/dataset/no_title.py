"""What people and systems write where there is no title: `N/A`, `k. A.`, `sin datos`, `#REF!`.

Languages are added here. A word that can be an item's whole name is not among them (Italian `nulla`).
"""

import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from processing.arrays import Booleans

#: What a spreadsheet shows for a formula that failed (Microsoft Support, "IFERROR function"), in English,
#: German, Dutch, French, Spanish, Italian and Polish; `#N/A`, in German `#NV`, is among the words.
ERROR = (
    r"^[\s\p{Z}]*#[¿¡]?(DIV/0|VALUE|REF|NAME|NUM|NULL|WERT|BEZUG|ZAHL|WAARDE|VERW|NAAM|GETAL|LEEG|VALEUR|NOM|"
    r"NOMBRE|NUL|VALOR|NULO|VALORE|RIF|NOME|NULLO|ARG|ADR|NAZWA|LICZBA|ZERO)[!?][\s\p{Z}]*$"
)
MOST_BYTES = 32  # with room for spaces and points
_WORDS = (
    # Systems and English.
    "na nan null nil none undefined unknown tbd tba tbc notavailable notapplicable notitle untitled "
    "notspecified notset nodata noname notdefined "
    # German, Dutch.
    "ka keineangabe keineangaben nichtverfügbar nichtvorhanden nichtzutreffend unbekannt ohnetitel "
    "ohneangabe ohnebezeichnung keintitel keinebezeichnung nv nvt nnb nietvantoepassing nietbeschikbaar "
    "onbekend geentitel "
    # French, Spanish, Catalan, Portuguese, Italian, Romanian.
    "nondisponible nonrenseigné nonapplicable nonspécifié sansobjet sanstitre inconnu nodisponible "
    "noaplica noaplicable sindatos sintítulo sinespecificar desconocido noconsta senseespecificar "
    "sensetítol nãoaplicável nãodisponível nãoseaplica semtítulo desconhecido nondisponibile "
    "nonapplicabile nonspecificato sconosciuto senzatitolo indisponibil necunoscut fărătitlu "
    "nuestecazul nuseaplică "
    # Danish, Norwegian, Swedish, Finnish, Icelandic.
    "ikketilgængelig ikkeoplyst ikketilgjengelig ikkerelevant ukendt ukjent ejtillgänglig ejtillämpligt "
    "okänd uppgiftsaknas eisaatavilla eitietoa tuntematon óþekkt "
    # Polish, Czech, Slovak, Hungarian, Slovene, Croatian.
    "brak brakdanych nd bd niedotyczy nieznany niedostępne niedostępny nenídostupné nedostupné "
    "neuvedeno neznámý beznázvu neuvedené neznámy neníkdispozici niejekdispozícii nincs nincsadat "
    "ismeretlen nemelérhető nirazpoložljivo nipodatka neznano nijedostupno nepoznato "
    # Estonian, Latvian, Lithuanian, Turkish, Maltese, Irish.
    "puudub teadmata navpieejams navzināms nežinoma nėra nėraduomenų yok bilinmiyor belirtilmemiş "
    "mhuxdisponibbli níbhaineann "
    # Greek, Bulgarian, Russian, Ukrainian, Serbian.
    "δυ μδ άγνωστο μηδιαθέσιμο няма неизвестно недостъпно нд нетданных нет неуказано немає невідомо "
    "нијдоступно непознато "
    # Chinese, Japanese, Korean.
    "无 無 暂无 不适用 不適用 未知 なし 無し 該当なし 不明 없음 해당없음 알수없음 "
)


def _spellings(word: str) -> set[str]:
    """As composed and as decomposed Unicode, and without accents."""
    decomposed = unicodedata.normalize("NFD", word)
    return {word, decomposed, "".join(sign for sign in decomposed if not unicodedata.combining(sign))}


_NOTHING = pa.array(sorted(set().union(*map(_spellings, _WORDS.split()))), pa.string())


def say_nothing(titles: pa.ChunkedArray) -> Booleans:
    """Which titles only say that there is none, however capital, spaced and dotted; shape (n_rows,)."""
    short = np.asarray(pc.fill_null(pc.less_equal(pc.binary_length(titles), MOST_BYTES), False))
    letters = pc.replace_substring_regex(pc.utf8_lower(titles.filter(short)), r"[^\p{L}\p{M}\p{N}]+", "")
    found = np.zeros(len(titles), bool)
    errors = pc.match_substring_regex(titles.filter(short), ERROR)
    found[short] = np.asarray(pc.or_(pc.is_in(letters, value_set=_NOTHING), errors))
    return found
