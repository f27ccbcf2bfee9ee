"""Texts in scripts of all kinds, with and without spaces between words: learned from, and labelled."""

import itertools

import numpy as np
import pyarrow as pa
import pytest

from inference.predict import Labeller
from processing.codes.codebook import Codebook
from processing.dataset.text import text_keys
from training import train, training_set
from training.hyperparameters import parser

# Kettle, drill, lamp; then what may stand beside them. None of it is anybody's data.
SCRIPTS = {
    "Latin": (["czajnik", "wiertarka", "lampa"], ["biały {}", "{} nowy", "tani {}", "{} duży"]),
    "Greek": (["βραστήρας", "δράπανο", "λάμπα"], ["λευκός {}", "{} νέος", "φθηνός {}", "{} μεγάλος"]),
    "Cyrillic": (["чайник", "дрель", "лампа"], ["белый {}", "{} новый", "дешёвый {}", "{} большой"]),
    "Arabic": (["غلاية", "مثقاب", "مصباح"], ["{} أبيض", "{} جديد", "{} رخيص", "{} كبير"]),
    "Chinese": (["电热水壶", "电钻机", "台灯具"], ["白色{}", "{}新款", "便宜{}", "{}大号"]),
    "Japanese": (["ケトル", "ドリル", "ランプ"], ["白い{}", "{}の新品", "安い{}", "大きな{}です"]),
    "Thai": (["กาต้มน้ำ", "สว่านไฟฟ้า", "โคมไฟ"], ["ซื้อ{}สีขาว", "{}ใหม่", "{}ราคาถูก", "ขาย{}ใหญ่"]),
}


def items(names: list[str], beside: list[str]) -> pa.Table:
    """Synthetic rows: every name beside everything, five times; the label is the name's number."""
    rows = [
        {"title": pattern.format(name), "brand": brand, "product_type": "", "label": str(code)}
        for (code, name), pattern, brand in itertools.product(
            enumerate(names), beside, ["", "Alpha", "Beta", "Gamma", "Delta"]
        )
    ]
    table = pa.Table.from_pylist(rows)
    return table.append_column("text_key", text_keys("XX-test", table))


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_name_is_known_again_beside_what_it_was_never_seen_with(script):
    names, beside = SCRIPTS[script]
    learned = items(names, beside[:2])
    given = training_set.of_rows([learned], (), ["0", "1", "2"])
    book = Codebook("XX-test", "1", (), ())
    arguments = parser("")
    train.add_promise(arguments)
    options = arguments.parse_args(["--precision", "0.9"])
    fitted, _ = train.train(given, book, options)
    new = items(names, beside[2:])
    prediction = Labeller(fitted).label(new)
    assert np.array(fitted.codes)[prediction.codes[:, 0]].tolist() == new["label"].to_pylist()
    assert (prediction.known_share > 0).all()
