"""CSV as shop systems, spreadsheets and databases write it."""

from tests.processing.dataset.input_cases.case import Case

HEADER = b"item_id,title,brand,product_type,weight_kg,material\n"

CASES = [
    Case("A plain CSV", {"a.csv": HEADER + b"1,Lampe,Muster,Leuchte,1.5,Stahl\n"}, rows=1),
    Case("A CSV with a column missing", {"a.csv": b"item_id,title\n1,Lampe\n"}, ("wrong-columns",)),
]
