"""What can be done with words: ask what one means, explain it, agree on an explanation, change it, take it away."""

from __future__ import annotations

import re
import uuid

from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.glossary.models import Question, Term
from coproduce.glossary.pictures import drawn_anew
from coproduce.people.actions import record
from coproduce.people.models import Hub, Person
from coproduce.people.permissions import may, must

LONGEST_EXPLANATION = 600
"""Characters. Who needs more explains two words."""

_A_WORD = re.compile(r"[\w&'’./+-]+(?: [\w&'’./+-]+){0,6}")


@transaction.atomic
def ask(hub: Hub, word: str, where: str = Question.Where.WORDS) -> Term | Question:
    """Ask what a word means. Anybody may, and nothing is kept of who: so there is no record of it either.

    Returns the term where the word is explained already, and asks nobody.
    """
    word = tidy(word)
    if not word:
        raise ValidationError(_("Write the word that you want explained."))
    if len(word) > Question._meta.get_field("word").max_length or not _A_WORD.fullmatch(word):  # type: ignore[operator]
        raise ValidationError(_("Write only the word itself, or a few words that belong together."))
    if not any(sign.isalpha() for sign in word):
        raise ValidationError(_("That has no letters. Write the word that you want explained."))
    if known := term_for(hub, word):
        return known
    alike = Question.objects.filter(hub=hub, word__iexact=word).values_list("word", flat=True).first()
    question, new = Question.objects.select_for_update().get_or_create(
        hub=hub,
        word=alike or word,
        where=where if where in Question.Where.values else Question.Where.WORDS,
        day=timezone.localdate(),
    )
    if not new:
        Question.objects.filter(pk=question.pk).update(times_asked=F("times_asked") + 1)
    return question


@transaction.atomic
def explain(
    by: Person,
    hub: Hub,
    word: str,
    explanation: str,
    also: str = "",
    example: str = "",
    picture: bytes = b"",
    picture_shows: str = "",
) -> Term:
    """Say what a word means. It stands at once if the person may decide that; otherwise it is a proposal."""
    must(by, "say what a word means", hub)
    term = Term(hub=hub, written_by=by)
    _write(term, word, explanation, also, example)
    decides = may(by, "explain words", hub)
    if decides:
        _must_be_free(term)
        term.agreed_at = timezone.now()
    _draw(term, picture, picture_shows)
    term.save()
    record(by, "explain" if decides else "propose", term, hub)
    if decides:
        _answer_questions(term)
    return term


@transaction.atomic
def agree(by: Person, term: Term) -> Term:
    """Let a proposal stand. What stood there for the same word before goes. Doing it twice changes nothing."""
    must(by, "explain words", term.hub_id)
    term = Term.objects.select_for_update(of=("self",)).select_related("hub").get(pk=term.pk)
    if term.is_agreed:
        return term
    for before in Term.objects.agreed().filter(hub=term.hub_id, word__iexact=term.word):
        _delete(before)
    _must_be_free(term)
    term.agreed_at = timezone.now()
    term.save(update_fields=["agreed_at"])
    record(by, "agree on", term, term.hub_id)
    _answer_questions(term)
    return term


@transaction.atomic
def change(
    by: Person,
    term: Term,
    word: str,
    explanation: str,
    also: str = "",
    example: str = "",
    picture: bytes = b"",
    picture_shows: str = "",
    no_picture: bool = False,
) -> Term:
    """Write it better. `no_picture` takes the picture off; with neither, it stays as it is."""
    must(by, "explain words", term.hub_id)
    _write(term, word, explanation, also, example)
    if term.is_agreed:
        _must_be_free(term)
    if no_picture and not picture:
        _drop_picture(term)
        term.picture, term.picture_shows = "", ""
    else:
        _draw(term, picture, picture_shows)
    term.save()
    record(by, "change", term, term.hub_id)
    if term.is_agreed:
        _answer_questions(term)
    return term


@transaction.atomic
def remove(by: Person, term: Term) -> None:
    """Take an explanation away. Who proposed one may take that back."""
    if term.is_agreed or term.written_by_id != by.pk:
        must(by, "explain words", term.hub_id)
    record(by, "remove", term, term.hub_id)
    _delete(term)


@transaction.atomic
def put_aside(by: Person, question: Question) -> None:
    """Leave a word that was asked about unexplained: it is plain, or it is no word. All who asked it go together."""
    must(by, "explain words", question.hub_id)
    Question.objects.filter(hub=question.hub_id, word__iexact=question.word).delete()
    record(by, "put aside", question, question.hub_id)


def tidy(word: str) -> str:
    """A word as it is kept: without quotation marks and full stops around it, with single spaces."""
    return " ".join(word.split()).strip(" \"“”‘’'.,;:!?()[]")


def term_for(hub: Hub, word: str) -> Term | None:
    """The term that explains this word in this hub, if one does."""
    wanted = tidy(word).casefold()
    return next((term for term in Term.objects.that_hold_in(hub) if wanted in term.forms), None)


def _write(term: Term, word: str, explanation: str, also: str, example: str) -> None:
    term.word = tidy(word)
    term.also = ", ".join(dict.fromkeys(form for each in re.split(r"[,;\n]", also) if (form := tidy(each))))
    term.explanation, term.example = explanation.strip(), example.strip()
    if not any(sign.isalpha() for sign in term.word):
        raise ValidationError({"word": _("Write the word that you explain. It needs at least one letter.")})
    if not term.explanation:
        raise ValidationError({"explanation": _("Say what it means.")})
    if (long := len(term.explanation)) > LONGEST_EXPLANATION:
        raise ValidationError(
            {
                "explanation": _("That is %(long)d signs long. Say it in %(most)d or fewer.")
                % {"long": long, "most": LONGEST_EXPLANATION}
            }
        )
    if len(term.also) > 300:
        raise ValidationError({"also": _("These are too many. Leave out the ones that nobody writes.")})


def _must_be_free(term: Term) -> None:
    """No other term of the hub has one of its forms: a reader could not tell which is meant."""
    for other in Term.objects.agreed().filter(hub=term.hub_id).exclude(pk=term.pk):
        if both := sorted(term.forms & other.forms):
            raise ValidationError(
                {
                    "word" if term.word.casefold() in both else "also": _(
                        "“%(form)s” is explained already, under “%(word)s”. Change that one instead."
                    )
                    % {"form": both[0], "word": other.word}
                }
            )


def _draw(term: Term, picture: bytes, shows: str) -> None:
    shows = " ".join(shows.split())
    if not picture:
        if term.picture:
            term.picture_shows = shows or term.picture_shows
        return
    if not shows:
        raise ValidationError(
            {"picture_shows": _("Say what the picture shows, for people who can’t see it.")}
        )
    try:
        drawn = drawn_anew(picture)
    except ValidationError as wrong:
        raise ValidationError({"picture": wrong.messages}) from wrong
    _drop_picture(term)
    term.picture.save(f"{uuid.uuid4().hex}.webp", ContentFile(drawn), save=False)
    term.picture_shows = shows


def _drop_picture(term: Term) -> None:
    if name := term.picture.name:
        transaction.on_commit(lambda: term.picture.storage.delete(name), robust=True)


def _delete(term: Term) -> None:
    _drop_picture(term)
    Term.objects.filter(pk=term.pk).delete()


def _answer_questions(term: Term) -> None:
    for form in (term.word, *term.other_forms):
        Question.objects.filter(hub__path__startswith=term.hub.path, word__iexact=form).delete()
