"""What people and systems write where there is no title: `N/A`, `k. A.`, `sin datos`.

Languages are added here. A word that can be an item's whole name is not among them (Italian `nulla`).
"""

import unicodedata

NO_TITLE_BYTES = 64
_WORDS = (
    # Systems and English.
    "na nan null nil none undefined unknown tbd tba tbc notavailable notapplicable notitle untitled "
    "notspecified notset nodata noname notdefined "
    # German, Dutch.
    "ka keineangabe keineangaben nichtverfügbar nichtvorhanden nichtzutreffend unbekannt ohnetitel "
    "ohneangabe ohnebezeichnung keintitel keinebezeichnung nvt nnb nietvantoepassing nietbeschikbaar "
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


def _letters(text: str) -> str:
    """Without case, accents, spaces and punctuation."""
    return "".join(sign for sign in unicodedata.normalize("NFKD", text.casefold()) if sign.isalnum())


_NOTHING = frozenset(map(_letters, _WORDS.split()))


def stands_for_nothing(title: str) -> bool:
    """Whether the title only says that there is none."""
    return _letters(title) in _NOTHING
