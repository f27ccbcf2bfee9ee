"""Families: titles that differ in variant parts alone, which are learned from the codes of the month."""

import random

import pyarrow as pa

from processing.labels import families

COLOURS = ("rot", "blau", "grün", "rosso", "verde")
CODES = {"5": ("Wasserkocher", "Toaster"), "2": ("Monitor", "Notebook"), "3": ("Lampe", "Leuchte")}
NOUNS = {noun: code for code, nouns in CODES.items() for noun in nouns}


def keys(*rows: tuple[str, str], **about: list[str]) -> list[str]:
    """The families of titles with codes, among titles that teach which words are colours."""
    taught = [
        (f"{noun} {series} {colour}", code)
        for noun, code in NOUNS.items()
        for series in ("Alpha", "Beta")
        for colour in COLOURS
    ]
    # The same series in all codes: only the noun says the code.
    titles, codes = zip(*rows, *taught, strict=True)
    nothing = [""] * len(titles)
    given = {name: [*about.get(name, []), *nothing][: len(titles)] for name in ("brand", "product_type")}
    made = families.keys(pa.table({"title": list(titles), **given}), pa.array(codes, pa.string()))
    return made.to_pylist()[: len(rows)]


def test_titles_that_differ_in_colour_size_or_model_are_one_family():
    found = keys(
        ("Wasserkocher Gamma rot 1,7 l", "5"),
        ("Wasserkocher Gamma BLAU 2 l", "5"),
        ("Wasserkocher Gamma 0.5 l verde", "5"),
    )
    assert len({*found}) == 1
    assert len({*keys(("Monitor Gamma XK200B", "2"), ("Monitor Gamma 4711x rosso", "2"))}) == 1


def test_a_word_on_which_the_code_depends_is_no_variant_part():
    assert len({*keys(("Wasserkocher Gamma rot", "5"), ("Monitor Gamma rot", "2"))}) == 2


def test_a_word_that_has_stood_in_few_places_is_not_known_for_a_variant_part():
    assert len({*keys(("Lampe Gamma mintgrün", "3"), ("Lampe Gamma rot", "3"))}) == 2


def test_repeats_of_a_title_are_no_evidence():
    rows = [("Lampe Gamma mintgrün", "3"), ("Lampe Gamma rot", "3")] * 10
    assert len({*keys(*rows)}) == 2


def test_titles_without_a_code_are_no_evidence():
    nouns = ["Ofen", "Herd", "Mixer", "Rad", "Uhr", "Tür"]
    shades = [
        (f"{noun} {shade}", code) for noun in nouns for shade in ("mint", "rot") for code in ("5", None)
    ]
    known, unknown = ([row for row in shades if (row[1] is None) == none] for none in (False, True))
    assert keys(*known)[0] == keys(*known)[1]
    assert keys(*unknown)[0] != keys(*unknown)[1]


def test_numbers_on_which_the_code_depends_are_no_variant_parts():
    diabetes = [
        (f"Diabetes type {number} with {what}", f"E1{number}")
        for number in (1, 2)
        for what in ("coma", "ulcer", "pain")
    ]
    assert len({*keys(*diabetes)}) == 6
    assert len({*keys(*((title, "E1") for title, _ in diabetes))}) == 3


def test_another_brand_or_product_type_is_another_family():
    rows = [("Lampe Gamma rot", "3"), ("Lampe Gamma blau", "3")]
    assert len({*keys(*rows, brand=["Nordwind", "Nordwind"])}) == 1
    assert len({*keys(*rows, brand=["Nordwind", "Südwind"])}) == 2
    assert len({*keys(*rows, product_type=["Licht"])}) == 2


def test_a_title_of_variant_parts_alone_keeps_them():
    assert len({*keys(("rot", "3"), ("blau", "3"), ("12 cm", "3"))}) == 3


def test_the_order_of_the_items_does_not_matter():
    rows = [
        (f"{noun} {number} {colour}", code)
        for noun, code in NOUNS.items()
        for number, colour in enumerate(COLOURS)
    ]
    shuffled = random.Random(0).sample(rows, len(rows))
    assert dict(zip(rows, keys(*rows), strict=True)) == dict(zip(shuffled, keys(*shuffled), strict=True))


def test_no_items_have_no_families():
    nothing = pa.array([], pa.string())
    table = pa.table({name: nothing for name in ("title", "brand", "product_type")})
    assert families.keys(table, nothing).to_pylist() == []


def test_of_a_month_with_many_words_a_sample_of_the_slots_is_learned_whatever_the_order(monkeypatch):
    rows = [
        (f"{noun} {n} {colour}", NOUNS[noun]) for noun in NOUNS for n in "abcdefghij" for colour in COLOURS
    ]
    monkeypatch.setattr(families, "MOST", 400)
    found = []
    for seed in (1, 2):
        random.Random(seed).shuffle(rows)
        variants = families.Variants()
        for start in range(0, len(rows), 7):
            titles, codes = zip(*rows[start : start + 7], strict=True)
            nothing = [""] * len(titles)
            some = pa.table({"title": list(titles), "brand": nothing, "product_type": nothing})
            variants.learn(families.words(some), pa.array(codes))
        found.append(variants.kinds().to_pylist())
    assert found[0] == found[1]
    assert found[0]
