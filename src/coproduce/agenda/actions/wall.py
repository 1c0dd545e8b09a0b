"""What can be done on the wall of a meeting: open it, write a note, take one off, lay notes together."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from coproduce.agenda.actions.topics import ground
from coproduce.agenda.models import Attendance, Item, Meeting, Note, Pile
from coproduce.agenda.models.meetings import new_wall_key
from coproduce.people.actions import record
from coproduce.people.models import Person
from coproduce.people.permissions import NotAllowed, may, must
from coproduce.themes.actions import make_theme
from coproduce.themes.models import Theme
from coproduce.voices.actions import receive_note, set_consent, write_down
from coproduce.voices.allowing import default_uses
from coproduce.voices.models import Use, Voice, who_may_be_named

CLOSED = "closed"  # the code of the error that a note gets which comes too late


def new_token() -> str:
    """For one form: what is sent twice on it is one note."""
    return get_random_string(22)


@transaction.atomic
def open_wall(by: Person, meeting: Meeting) -> None:
    """From now on whoever has the link may write a note, until it is closed or a day after the meeting."""
    held = _to_lead(by, meeting)
    if held.is_cancelled:
        raise ValidationError(_("This meeting is called off."))
    held.wall_opened_at, held.wall_closed_at = timezone.now(), None
    held.save(update_fields=["wall_opened_at", "wall_closed_at"])
    record(by, "open the wall of", held, held.hub_id)


@transaction.atomic
def close_wall(by: Person, meeting: Meeting) -> None:
    held = _to_lead(by, meeting)
    held.wall_closed_at = timezone.now()
    held.save(update_fields=["wall_closed_at"])
    record(by, "close the wall of", held, held.hub_id)


@transaction.atomic
def renew_wall_link(by: Person, meeting: Meeting) -> None:
    """A new link and a new picture of it, where somebody floods the wall. The old one opens nothing any more."""
    held = _to_lead(by, meeting)
    held.wall_key = new_wall_key()
    held.save(update_fields=["wall_key"])
    record(by, "renew the link of", held, held.hub_id)


@transaction.atomic
def write_note(
    meeting: Meeting,
    words: str,
    uses: Iterable[str],
    token: str,
    item: Item | None = None,
    name: str = "",
    person: Person | None = None,
) -> Note:
    """Keep a note from a phone. Whoever has the link may write one; `person` is who signed in on it and says so.

    What the same form sends again, as a shaky connection does, is the note that is there already. Other words on
    the same form (somebody went back and wrote anew) are a note of their own: nothing said is lost.
    """
    meeting.refresh_from_db(
        fields=["wall_opened_at", "wall_closed_at", "cancelled_at", "wall_key", "ends_at"]
    )
    if not meeting.wall_is_open:
        closed = _("The wall is closed now. Your words are still here. Tell somebody of the group, please.")
        raise ValidationError(closed, code=CLOSED)
    if person is not None and not may(person, "read what the group may read", meeting.hub_id):
        raise NotAllowed("write on the wall as somebody of the group")
    if item is not None and item.meeting_id != meeting.pk:
        raise NotAllowed("write on the agenda of another meeting")
    known = Note.objects.filter(meeting=meeting, token=token).select_related("voice").first()
    if known and known.voice.words == _tidy(words):
        return known
    note = Note(
        meeting=meeting,
        how=Note.How.PHONE,
        name="" if person else " ".join(name.split()),
        item=item,
        token=new_token() if known else token,
    )
    try:
        with transaction.atomic():
            return _keep(note, receive_note(meeting.hub, words, uses, person))
    except IntegrityError:  # the same form came by another line at the same moment
        return Note.objects.get(meeting=meeting, token=token)


def _tidy(words: str) -> str:
    return words.replace("\r\n", "\n").strip()


def _keep(note: Note, voice: Voice) -> Note:
    """Put a voice on the wall; what is said on a topic of the agenda stands behind that topic."""
    note.voice = voice
    note.save()
    if note.item and note.item.topic:
        note.item.topic.voices.add(voice)
    return note


@transaction.atomic
def write_down_note(
    by: Person,
    meeting: Meeting,
    words: str,
    how: str,
    token: str,
    item: Item | None = None,
    person: Person | None = None,
) -> Note:
    """Write down what was said out loud, or handed in on paper: for somebody of the hub, or for nobody we know.

    It may be used as that person said for new words. Where they allow the group nothing, it is kept and not shown.
    """
    held = _to_lead(by, meeting)
    if held.is_cancelled:
        raise ValidationError(_("This meeting is called off."))
    if item is not None and item.meeting_id != held.pk:
        raise NotAllowed("write on the agenda of another meeting")
    if person is not None and not who_may_be_named(by, held.hub).filter(pk=person.pk).exists():
        raise NotAllowed("write down what somebody of another hub said")
    known = Note.objects.filter(meeting=held, token=token).select_related("voice").first()
    if known and known.voice.words == _tidy(words):
        return known
    came_by = Voice.Way.NOTE if how == Note.How.PAPER else Voice.Way.MEETING
    voice = write_down(by, held.hub, words, came_by, person, min(held.on, timezone.localdate()))
    if person and how == Note.How.PAPER:
        # Who hands in a note took part, if only by it.
        Attendance.objects.get_or_create(meeting=held, person=person, defaults={"how": Attendance.How.NOTE})
    note = Note(meeting=held, how=Note.How(how), item=item, token=new_token() if known else token)
    return _keep(note, voice)


@transaction.atomic
def take_off(by: Person, note: Note, off: bool = True) -> None:
    """Take a note off the screen, or put it back on. Its words are kept as they are."""
    must(by, "lead a meeting", note.meeting.hub_id)
    note.taken_off_at, note.taken_off_by = (timezone.now(), by) if off else (None, None)
    note.save(update_fields=["taken_off_at", "taken_off_by"])
    record(by, "take off the wall" if off else "put on the wall", note, note.meeting.hub_id)


@transaction.atomic
def say_who(by: Person, note: Note, person: Person) -> None:
    """It turns out whose note it is. They hear what becomes of it; and it opens no more than they have set."""
    must(by, "lead a meeting", note.meeting.hub_id)
    must(by, "read everything said", note.meeting.hub_id)
    if not who_may_be_named(by, note.meeting.hub).filter(pk=person.pk).exists():
        raise NotAllowed("name somebody of another hub")
    voice = Voice.objects.select_for_update().get(pk=note.voice_id)
    if voice.person_id or voice.withdrawn_at:
        raise ValidationError(_("Somebody has said already whose note this is."))
    voice.person = person
    voice.save(update_fields=["person"])
    default = default_uses(person)
    standing = set(voice.consents.standing().values_list("use", flat=True))
    if default is not None and not standing <= {str(use) for use in default}:
        set_consent(by, voice, standing & {str(use) for use in default})
    note.name = ""
    note.save(update_fields=["name"])
    record(by, "say who wrote", note, note.meeting.hub_id, person=person.pk)


@transaction.atomic
def lay_together(
    by: Person, meeting: Meeting, notes: Iterable[Note], pile: Pile | None = None, name: str = ""
) -> Pile | None:
    """Put notes on a pile that is there, on a new one by the name, or with neither on none. Empty piles go."""
    held = _to_lead(by, meeting)
    chosen = [note.pk for note in notes]
    name = " ".join(name.split())
    if not chosen:
        raise ValidationError(_("Tick the notes first. Then say which pile they go on."))
    if pile is not None and pile.meeting_id != held.pk:
        raise NotAllowed("lay notes on a pile of another meeting")
    if name:
        pile = held.piles.filter(name__iexact=name).first() or Pile.objects.create(meeting=held, name=name)
    held.notes.filter(pk__in=chosen).update(pile=pile)
    held.piles.filter(notes=None, theme=None).delete()
    record(by, "lay notes together at", held, held.hub_id, notes=len(chosen), pile=pile and pile.pk)
    return pile


@transaction.atomic
def make_theme_of(by: Person, pile: Pile) -> Theme:
    """A pile becomes a theme by its name, of its notes; and if they are all on one topic, that topic grew from it.

    A second time it takes in the notes that came onto the pile since.
    """
    held = _to_lead(by, pile.meeting)
    must(by, "make sense", held.hub_id)
    pile = Pile.objects.select_for_update(of=("self",)).select_related("theme").get(pk=pile.pk)
    notes = list(pile.notes.select_related("voice", "item__topic"))
    words = [note.voice for note in notes if note.voice.words]
    if not words:
        raise ValidationError(_("There is no note on this pile."))
    if pile.theme is None:
        pile.theme = make_theme(by, held.hub, pile.name, voices=words)
        pile.save(update_fields=["theme"])
        topics = {note.item.topic for note in notes if note.item and note.item.topic}
        if len(topics) == 1 and all(note.item for note in notes):
            ground(by, topics.pop(), [pile.theme])
    else:
        from coproduce.themes.actions import place

        place(by, pile.theme, words)
    return pile.theme


def forget_names_of_what_was_taken_back() -> int:
    """What somebody without an account called themselves goes with the words that were taken back."""
    return Note.objects.filter(voice__withdrawn_at__isnull=False).exclude(name="").update(name="")


def _to_lead(by: Person, meeting: Meeting) -> Meeting:
    must(by, "lead a meeting", meeting.hub_id)
    return Meeting.objects.select_for_update(of=("self",)).select_related("hub").get(pk=meeting.pk)


def allowed_for(to_screen: bool, services: bool, public: bool) -> list[str]:
    """The uses that somebody ticked on a note. Only who leads reads what is for nobody else."""
    said = {Use.GROUP: to_screen, Use.SERVICES: services, Use.PUBLIC: public}
    return [str(use) for use, yes in said.items() if yes]
