"""Taking words back goes through every room: where they went is written down first, then each room lets go of them."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from coproduce.changes import recall as changes
from coproduce.consensus import actions as statements
from coproduce.consensus import recall as consensus
from coproduce.hearback.actions import drop_letters_with_words_of
from coproduce.hearback.replies import drop_of_voices
from coproduce.people.models import Person
from coproduce.themes import actions as themes
from coproduce.voices import consent, search
from coproduce.voices import recall as voices
from coproduce.voices.models import Speaker, Voice


def carried(of: Iterable[int]) -> None:
    """Bring the list of everywhere these voices went up to date."""
    of = list(of)
    for room in (voices, consensus, changes):
        room.carried(of)


@transaction.atomic
def take_back(
    by: Person, of: Iterable[Voice], speakers: Iterable[Speaker], choice: str, hear: bool = False
) -> set[int]:
    """Take words back, in every room at once. Returns the ids of the voices."""
    of, speakers = list(of), list(speakers)
    quotes = Voice.objects.filter(turn__speaker__in=speakers)
    together = {voice.pk: voice.person_id for voice in [*of, *quotes]}
    for voice in of:
        together |= dict(consent.goes_with(voice).values_list("pk", "person"))
    carried(together)
    consent.take_back(by, of, speakers, choice, hear)
    gone = list(Voice.objects.filter(pk__in=together, words="").order_by().values_list("pk", flat=True))
    themes.let_go(gone)
    statements.let_go(gone)
    search.forget()
    drop_letters_with_words_of({person for person in together.values() if person})
    drop_of_voices(set(together))
    return set(together)
