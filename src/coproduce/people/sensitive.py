"""Words that give somebody away on a shared phone, in a subject or on an envelope.

Titles of updates are held against this list, and so is all that stands on the outside of a message. The council
is not on it: everybody hears from the council.
"""

from __future__ import annotations

import re

# How a word, or several, may begin; a "." ends it there. Between words may stand a space or a hyphen.
BEGINNINGS = """
homeless, houseless, roofless, housing, rehous, hostel, shelter, refuge, rough sleep, sofa surf, evict
tenanc, tenant, pod., pods., supported living, temporary accommodation
addict, drug, alcohol, drink, drunk, sober, recover, rehab, detox, relaps, methadone, heroin, crack., cocaine,
cannabis, naloxone, needle, substance, misus, overdos
mental, health, psych, depress, anxi, suicid, self harm, bipolar, schizo, trauma, therap, counsel, medic
clinic, hospital, diagnos, disab, illness, wellbeing, hiv., hepatitis
benefit, universal credit, pip., dwp., debt, food bank, foodbank, poverty, destitut, begging
prison, probation, offend, convict, jail, custod, parole, police, court., criminal, asylum, deport
abus, domestic, violen, rape, sex, assault, traffick, safeguard
social work, social care, support work, key work, keywork, case work, casework, outreach, service, charit,
lived experience
"""


def _pattern() -> re.Pattern[str]:
    parts = []
    for beginning in re.split(r"[,\n]\s*", BEGINNINGS.strip()):
        words = re.escape(beginning.rstrip(".")).replace(r"\ ", r"[\s-]+")
        parts.append(words if beginning.endswith(".") else words + r"\w*")
    return re.compile(rf"\b(?:{'|'.join(filter(None, parts))})\b", re.IGNORECASE)


_SENSITIVE = _pattern()


def sensitive_words(text: str) -> list[str]:
    """The words in a text that give somebody away, as they stand there, each once."""
    found = (" ".join(match.group().split()) for match in _SENSITIVE.finditer(text))
    return list(dict.fromkeys(found))
