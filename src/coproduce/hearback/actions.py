"""What people do so that everybody hears: owe, decide, tick off, post, answer. Sending itself stands in sending.py."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.agenda.actions.topics import open_again
from coproduce.agenda.models import Decision, Topic
from coproduce.changes.models import Change, Review, Step
from coproduce.hearback.channels import card, wall
from coproduce.hearback.channels.here import by_hand
from coproduce.hearback.models import (
    Answer,
    Attempt,
    Feedback,
    Letters,
    State,
    Update,
    people_behind_update,
    quotes_that_may_go,
    their_words,
    their_words_for,
    voices_behind_update,
)
from coproduce.hearback.sending import carried_to_them, did_not_reach_them
from coproduce.hearback.tasks import deliver, tell_who_sees_to_it, write_letters
from coproduce.people.actions import record
from coproduce.people.models import Hub, Mandate, Person, Way
from coproduce.people.permissions import NotAllowed, may, must
from coproduce.voices.actions import start_with_default
from coproduce.voices.consent import carry
from coproduce.voices.models import Carried, Voice

# Owing


@transaction.atomic
def write_update(
    by: Person,
    news: News,
    title: str,
    text: str,
    quotes: Iterable[Voice] = (),
    unchanged: str = "",
    following: str = "",
    following_on: dt.date | None = None,
    ask: str = "",
) -> Update:
    """Write an update and owe it, in the same transaction, once to every person behind what it is about.

    news: a step or review of a change, or a decision on a topic. For a change or topic itself it is the latest step
        or decision; StillWaiting says that there is none to tell, and why.
    """
    draft = draft_update(news)
    must(by, "write an update", draft.hub_id)
    if not title.strip() or not text.strip():
        raise ValidationError(_("Write what happened, first in one line and then in a few."))
    if following_on and following_on <= timezone.localdate():
        raise ValidationError({"following_on": _("That day is over. Write a day to come, or none.")})
    draft.title, draft.text, draft.unchanged = title.strip(), text.strip(), unchanged.strip()
    draft.following, draft.following_on, draft.ask = following.strip(), following_on, ask.strip()
    draft.written_by = by
    draft.save()
    _quote(draft, quotes)
    owed = _owe(draft)
    record(by, "write", draft, draft.hub_id, owed=owed)
    deliver.enqueue()
    return draft


@dataclass(frozen=True)
class StillWaiting:
    """That there is nothing new on a change or topic: people hear that as well, and why."""

    about: Change | Topic


News = Change | Topic | Step | Review | Decision | StillWaiting


def draft_update(news: News) -> Update:
    """An update about this, with nothing written yet."""
    if isinstance(news, StillWaiting):
        if isinstance(news.about, Change):
            return Update(hub_id=news.about.hub_id, change=news.about)
        return Update(hub_id=news.about.hub_id, topic=news.about)
    if isinstance(news, Change):
        return Update(hub_id=news.hub_id, change=news, step=news.steps.first())
    if isinstance(news, Topic):
        return Update(hub_id=news.hub_id, topic=news, decision=news.decisions.first())
    if isinstance(news, Step):
        return Update(hub_id=news.change.hub_id, change=news.change, step=news)
    if isinstance(news, Review):
        return Update(hub_id=news.change.hub_id, change=news.change, review=news)
    return Update(hub_id=news.topic.hub_id, topic=news.topic, decision=news)


def _quote(update: Update, quotes: Iterable[Voice]) -> None:
    """Quotes that anybody may read go with it. That messages carried them is written down for each, without a name."""
    wanted = sorted({quote.pk for quote in quotes})
    may_go = list(quotes_that_may_go(update).filter(pk__in=wanted)) if wanted else []
    if len(may_go) < len(wanted):
        raise NotAllowed("quote what not everybody may read")
    update.quotes.add(*may_go)
    carry(
        Carried(
            voice=quote,
            kind=Carried.Kind.EMAIL,
            where=_("“%(title)s”, as it went to others") % {"title": update.title},
            path=update.about_path,
            who_has_it=_("people who were told"),
        )
        for quote in may_go
    )


@transaction.atomic
def tell_latecomers(by: Person, update: Update) -> int:
    """Owe an update to the people who came to stand behind its change after it was written. Returns how many."""
    must(by, "tell people", update.hub_id)
    owed = _owe(update)
    if owed:
        record(by, "tell latecomers", update, update.hub_id, owed=owed)
        deliver.enqueue()
    return owed


@transaction.atomic
def stop_sending(by: Person, update: Update) -> None:
    """Nothing more of this update goes, by any way. What is gone is gone. Stopping twice changes nothing."""
    must(by, "tell people", update.hub_id)
    going = Update.objects.filter(pk=update.pk, stopped_at__isnull=True)
    if going.update(stopped_at=timezone.now(), stopped_by=by):
        record(by, "stop sending", update, update.hub_id)


@transaction.atomic
def start_again(by: Person, update: Update) -> None:
    """What was stopped goes on, with whoever has not been told yet."""
    must(by, "tell people", update.hub_id)
    if Update.objects.filter(pk=update.pk, stopped_at__isnull=False).update(stopped_at=None, stopped_by=None):
        record(by, "start sending again", update, update.hub_id)
        deliver.enqueue()


def _owe(update: Update) -> int:
    """Owe the update to everybody behind it who is not owed it yet. Returns how many.

    One INSERT … SELECT over the thread itself: 50,000 people need no 50,000 objects, nor the memory for them.
    """
    known = Feedback.objects.filter(update=update, person=OuterRef("pk"))
    people = people_behind_update(update).filter(
        ~Exists(known), erasure__isnull=True
    )  # nobody tells them any more
    sql, parameters = people.order_by().values(person_id=F("pk")).query.sql_with_params()
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    fields: dict[str, Any] = {"update_id": update.pk, "state": State.OWED.value, "owed_at": now}
    fields |= {"claimed_by": "", "tries": 0, "problem": ""}
    marks = ", ".join(["%s"] * len(fields))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {Feedback._meta.db_table} (person_id, {', '.join(fields)}) "  # nosec B608 - names are our own
            f"SELECT behind.person_id, {marks} FROM ({sql}) AS behind ORDER BY behind.person_id",
            [*fields.values(), *parameters],
        )
        return cursor.rowcount


# A person decides, ticks off, posts


@transaction.atomic
def settle(by: Person, feedback: Feedback, it_went: bool) -> None:
    """Decide what is uncertain or did not arrive: it went after all, or it is owed again."""
    must(by, "tell people", feedback.update.hub_id)
    unsettled = Feedback.objects.filter(pk=feedback.pk, state__in=[State.UNCERTAIN, State.UNDELIVERABLE])
    if it_went:
        done = unsettled.update(state=State.SENT, sent_at=timezone.now(), told_by=by)
    else:
        done = unsettled.update(
            state=State.OWED,
            claimed_by="",
            claimed_at=None,
            went_by=None,
            letters=None,
            next_way=None,
            not_before=None,
        )
    if done:
        record(by, "settle", feedback, feedback.update.hub_id, it_went=it_went)
        if not it_went:
            deliver.enqueue()


@transaction.atomic
def told(by: Person, feedback: Feedback) -> None:
    """Somebody told them, by phone or face to face: they heard."""
    must(by, "tell people", feedback.update.hub_id)
    way = feedback.way
    done = (
        Feedback.objects.filter(pk=feedback.pk)
        .exclude(state__in=[State.HEARD, State.SENDING])
        .update(
            state=State.HEARD,
            went_by=way.kind if way else Way.Kind.FACE_TO_FACE,
            sent_at=timezone.now(),
            heard_at=timezone.now(),
            told_by=by,
        )
    )
    if done:
        _leave_attempt(by, feedback, Attempt.Outcome.HEARD)
        record(by, "tell", feedback, feedback.update.hub_id)


@transaction.atomic
def tried(
    by: Person, feedback: Feedback, cannot_reach: bool = False, again_at: dt.datetime | None = None
) -> None:
    """Nobody answered: still owed, and to be tried again, at a time they said or at one when they may be there.

    Or this way does not lead to them: then the next that they gave has its turn.
    """
    must(by, "tell people", feedback.update.hub_id)
    still_owed = Feedback.objects.filter(pk=feedback.pk, state=State.OWED)
    if not still_owed.update(tries=F("tries") + 1, told_by=by, claimed_at=timezone.now()):
        return
    if cannot_reach:
        did_not_reach_them(feedback, by)
    else:
        still_owed.update(not_before=again_at or _when_they_may_be_there(feedback.tries + 1))
        _leave_attempt(by, feedback, Attempt.Outcome.NO_ANSWER)
    record(by, "try to tell", feedback, feedback.update.hub_id, cannot_reach=cannot_reach)
    if cannot_reach:
        deliver.enqueue()


def _when_they_may_be_there(tries: int) -> dt.datetime:
    """Who does not answer at one time of the day may at another: three hours later, then at ten, then at five."""
    now = timezone.localtime()
    if tries == 1:
        return now + dt.timedelta(hours=3)
    hour = 10 if tries % 2 == 0 else 17
    return (now + dt.timedelta(days=1)).replace(hour=hour, minute=0, second=0, microsecond=0)


def _leave_attempt(by: Person, feedback: Feedback, outcome: str) -> None:
    way = feedback.way
    kind = way.kind if way else Way.Kind.FACE_TO_FACE
    Attempt.objects.create(feedback=feedback, way=way, kind=kind, by=by, outcome=outcome)


@transaction.atomic
def passed_on(by: Person, feedback: Feedback) -> None:
    """The trusted person told them: they heard."""
    _must_pass_on(by, feedback)
    now = timezone.now()
    done = (
        Feedback.objects.filter(pk=feedback.pk)
        .exclude(state=State.HEARD)
        .update(state=State.HEARD, went_by=Way.Kind.TRUSTED_PERSON, sent_at=now, heard_at=now, told_by=by)
    )
    if done:
        _leave_attempt(by, feedback, Attempt.Outcome.HEARD)
        record(by, "pass on", feedback, feedback.update.hub_id)


@transaction.atomic
def could_not_pass_on(by: Person, feedback: Feedback, cannot_reach: bool = False) -> None:
    """They did not meet yet: still owed. Or the trusted person can't find them any more: the next way has its turn."""
    _must_pass_on(by, feedback)
    still_owed = Feedback.objects.filter(pk=feedback.pk, state=State.OWED)
    if not still_owed.update(tries=F("tries") + 1, told_by=by, claimed_at=timezone.now()):
        return
    if cannot_reach:
        did_not_reach_them(feedback, by)
    else:
        _leave_attempt(by, feedback, Attempt.Outcome.NO_ANSWER)
    record(by, "try to pass on", feedback, feedback.update.hub_id, cannot_reach=cannot_reach)
    if cannot_reach:
        deliver.enqueue()


def _must_pass_on(by: Person, feedback: Feedback) -> Mandate:
    """Raise NotAllowed unless a mandate to hear stands between the two, and hold it while this is written."""
    held = Mandate.objects.standing("hear").filter(person=feedback.person_id, trusted=by)
    if mandate := held.select_for_update().first():
        return mandate
    raise NotAllowed("pass on news")


@transaction.atomic
def make_letters(by: Person, hub: Hub) -> Letters:
    """Put every letter that this hub owes into one pile; the worker makes the PDF."""
    must(by, "tell people", hub)
    letters = Letters.objects.create(hub=hub, made_by=by)
    owed = Feedback.objects.filter(update__hub=hub).owed_by(*by_hand(Way.Kind.LETTER)).due()
    if not Feedback.objects.filter(pk__in=owed.values("pk")).update(letters=letters):
        raise ValidationError(_("Nobody is waiting for a letter."))
    record(by, "make", letters, hub)
    write_letters.enqueue(letters.pk)
    return letters


@transaction.atomic
def make_letters_again(by: Person, letters: Letters) -> None:
    """Make the PDF of a pile once more: the worker died over it, or the paper jammed."""
    must(by, "tell people", letters.hub_id)
    if letters.posted_at:
        raise ValidationError(_("These letters are in the post already."))
    record(by, "make again", letters, letters.hub_id)
    write_letters.enqueue(letters.pk)


@transaction.atomic
def post_letters(by: Person, letters: Letters) -> None:
    """The letters are in the post."""
    must(by, "tell people", letters.hub_id)
    if not letters.pdf:
        raise ValidationError(_("These letters are still being made."))
    now = timezone.now()
    if Letters.objects.filter(pk=letters.pk, posted_at__isnull=True).update(posted_at=now):
        for feedback in letters.feedback.filter(state=State.OWED).select_related(
            "update__change", "update__topic"
        ):
            carried_to_them(feedback, Carried.Kind.LETTER, their_words(feedback))
            _leave_attempt(by, feedback, Attempt.Outcome.TAKEN)
        letters.feedback.filter(state=State.OWED).update(
            state=State.SENT, went_by=Way.Kind.LETTER, sent_at=now, told_by=by
        )
        record(by, "post", letters, letters.hub_id)


@transaction.atomic
def make_card(by: Person, feedback: Feedback, name: str) -> bytes:
    """A card to hand over, as PDF, by who tells them or who they trust. `name`: what this one may call them."""
    tells = may(by, "tell people", feedback.update.hub_id)
    if not tells:
        _must_pass_on(by, feedback)
    voices = their_words(feedback) if tells else their_words_for(by, feedback)
    if feedback.way is None or not feedback.way.others_may_read:
        carried_to_them(feedback, Carried.Kind.LETTER, voices)
    record(by, "make a card of", feedback, feedback.update.hub_id)
    return card.on_paper(feedback, name, voices)


@transaction.atomic
def make_wall_notice(by: Person, update: Update) -> bytes:
    """A notice for a wall, as PDF. Where the words on it went is on record, so that they can be asked back."""
    must(by, "tell people", update.hub_id)
    voices = list(wall.words_for(update)[: wall.MOST])
    carry(
        Carried(
            voice=voice,
            kind=Carried.Kind.EXPORT,
            where=_("Notice for a wall: %(title)s") % {"title": update.title},
            path=reverse("hearback:update", args=[update.pk]),
            who_has_it=_("whoever put it on a wall"),
        )
        for voice in voices
    )
    record(by, "make a notice of", update, update.hub_id)
    return wall.on_paper(update, voices)


def drop_letters_with_words_of(people: Iterable[int]) -> None:
    """Somebody took words back: PDFs of letters to them go. A pile that is not in the post yet is made anew.

    Part of taking words back, which site/ gathers; whoever calls it has asked whether that may be done.
    """
    them = list(people)
    theirs = Q(feedback__person__in=them) | Q(feedback__update__quotes__person__in=them)
    for letters in Letters.objects.filter(theirs).distinct():
        if letters.pdf:
            letters.pdf.delete(save=False)
        Letters.objects.filter(pk=letters.pk).update(pdf="", written=0)
        if letters.posted_at is None:
            write_letters.enqueue(letters.pk)


# The person hears, and answers


def seen_on_their_page(person: Person, feedback: Iterable[Feedback]) -> None:
    """The person looked at it on their own page: they heard, whatever way it was also to go."""
    now = timezone.now()
    Feedback.objects.filter(person=person, pk__in=[each.pk for each in feedback]).exclude(
        state=State.HEARD
    ).update(state=State.HEARD, heard_at=now)


@transaction.atomic
def answer(
    by: Person,
    feedback: Feedback,
    answered: bool | None,
    words: str = "",
    through: bool = False,
    read_back: bool = False,
    not_fixed: bool = False,
    came_by: str = Voice.Way.ANSWER,
    said_on: dt.date | None = None,
) -> Answer:
    """The person says whether that answered them. What they add is a new voice on the same topic or change.

    answered: None where they only wrote back.
    through: they say so to the person they trust, who writes it down.
    not_fixed: it is said to be done, and it is not. Then what was decided is open again, and who sees to it hears.
    """
    if through:
        _must_pass_on(by, feedback)
    elif by.pk != feedback.person_id:
        must(by, "tell people", feedback.update.hub_id)
    person, update = feedback.person, feedback.update
    Feedback.objects.filter(pk=feedback.pk).exclude(state=State.HEARD).update(
        state=State.HEARD, heard_at=timezone.now()
    )
    voice = None
    if words.strip():
        voice = Voice.objects.create(
            hub=_hub_of(person, update),
            person=person,
            came_by=came_by,
            words=words.strip(),
            said_on=said_on or timezone.localdate(),
            taken_by=by,
            through=by if through else None,
            read_back=through and read_back,
        )
        start_with_default(by, voice)
        topics = topics_of(update)
        for topic in topics:
            topic.voices.add(voice)
        if not topics and update.change:
            update.change.voices.add(voice)
    not_fixed = not_fixed and update.says_it_is_done
    given, _new = Answer.objects.update_or_create(
        feedback=feedback,
        defaults={"answered": False if not_fixed else answered, "not_fixed": not_fixed, "at": timezone.now()}
        | ({"voice": voice} if voice else {}),
    )
    record(by, "answer", feedback, update.hub_id, answered=answered, not_fixed=not_fixed)
    if not_fixed:
        for topic in topics_of(update):
            open_again(by, topic)
        tell_who_sees_to_it.enqueue(update.pk)
    return given


def topics_of(update: Update) -> list[Topic]:
    """The topics an answer goes on with."""
    return [update.topic] if update.topic else list(update.change.topics.all()) if update.change else []


@transaction.atomic
def set_still_waiting(by: Person, hub: Hub, months: int) -> None:
    """Say after how many months without news people of a hub hear that they still wait, and why."""
    must(by, "decide on a topic", hub)
    Hub.objects.filter(pk=hub.pk).update(still_waiting_months=months)
    record(by, "set when to say still waiting in", hub, hub, months=months)


def _hub_of(person: Person, update: Update) -> Hub:
    """An answer belongs where the person first spoke behind it."""
    said = voices_behind_update(update).filter(person=person).select_related("hub")
    first = said.order_by("said_on", "pk").first()
    return first.hub if first else update.hub
