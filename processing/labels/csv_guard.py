"""What keeps a text in a CSV from becoming a formula in a spreadsheet, and how to have the text back.

Everything else in our CSV is plain: `007`, `1e5`, `0.997` are what they are to whoever reads the file.
"""

import re

#: What a manifest says of its CSV files; in older ones an apostrophe is before all that is no plain word.
RULE = "an apostrophe stands before what could be a formula"
# OWASP, "CSV Injection": = + - @, in full width too, where a cell begins. That is not only where a text does:
# to whom a semicolon or a tab is the separator, one begins after it, and then after a line break, too. Arrow
# (RE2) and Python read these alike.
BEGINS, SIGN = "(^|[;\t\r\n])", "([ '\"]*[-=+@\uff0d\uff1d\uff0b\uff20])"
#: One of these bytes is in each text with such a sign; the last begins those of full width.
SIGNS = b"-=+@\xef"
FORMULA, GUARDED = BEGINS + SIGN, BEGINS + "'" + SIGN


def guarded(text: str) -> str:
    """The text with an apostrophe wherever a formula could begin in it."""
    return re.sub(FORMULA, r"\1'\2", text)


def plain(text: str) -> str:
    """The text that was `guarded`."""
    return re.sub(GUARDED, r"\1\2", text)
