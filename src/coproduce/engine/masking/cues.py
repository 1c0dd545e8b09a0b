"""What the words before a number say that it is: "my mobile", "NHS number", "case ref"."""

from __future__ import annotations

import re

REFERS = (
    r"(?:account|case|claim|policy|customer|passport|licen[cs]e|driving|prison|crime|incident|tenancy|tenant"
    r"|hospital|patient|client|student|staff|collar|badge|shoulder|card|bus pass|payroll|roll|booking|order"
    r"|application|membership|home office|council tax|rent|unique)"
)
_CUE = re.compile(
    r"(?i)(?P<nhs>\b(?:n\.?h\.?s|chi)\b(?:\s(?:number|no))?|\bhealth number)"
    r"|(?P<ni>\bn\.?i\b\.?(?:\s(?:number|no))?|\bnational insurance(?:\s(?:number|no))?|\bnino\b)"
    r"|(?P<postcode>\bpost\s?code\b)"
    rf"|(?P<ref>\b(?:{REFERS}|sort code|reference|ref|utr|crn|brp|urn|pin)(?:\s(?:account|id|journal))?"
    r"(?:\s(?:number|no|ref|reference|code|id))?\b)"
    r"|(?P<born>\bborn\b|\bbirth\w*|\bd\.?o\.?b\b)"
    r"|(?P<phone>\b(?:phone|phoned|ring|rang|call|called|text|texts|texted|mobile|mob|tel|telephone|landline"
    r"|whatsapp|dial|fax|contact|bell|reach|get hold of|number's"
    r"|(?:my|his|her|their|your|our|new|old|work|home|office) number)\b)"
)

_WINDOW = 40


def cue_before(text: str, begins: int) -> tuple[str, str, int]:
    """What the words before a number say it is, those words, and how many characters lie between."""
    start = max(begins - _WINDOW, 0)
    last = None
    for last in _CUE.finditer(text, start, begins):  # noqa: B007
        pass
    if last is None or last.lastgroup is None or any(sign.isdecimal() for sign in text[last.end() : begins]):
        return "", "", 0
    return last.lastgroup, last[0], begins - last.end()
