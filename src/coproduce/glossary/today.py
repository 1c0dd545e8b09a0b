"""What whoever decides on explanations has to do first."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from coproduce.glossary.models import Question, Term
from coproduce.people.models import Person
from coproduce.people.permissions import hubs_where
from coproduce.people.todo import Todo


def do_these_first(person: Person) -> list[Todo]:
    """Explanations that wait for a yes, and words that people asked about."""
    hubs = hubs_where(person, "explain words")
    if not hubs:
        return []
    todos = []
    if number := Term.objects.proposed().filter(hub__in=hubs).count():
        todos.append(
            Todo(
                title=ngettext("Look at %(n)d explanation", "Look at %(n)d explanations", number)
                % {"n": number},
                rest=_("that somebody wrote"),
                small=_("It stands once you agree."),
                url=reverse("glossary:words") + "#proposed",
                button=_("Look"),
                lesser=True,
            )
        )
    if asked := list(Question.objects.filter(hub__in=hubs).by_word()[:4]):
        number = Question.objects.filter(hub__in=hubs).order_by().values("hub", "word").distinct().count()
        some = ", ".join(f"“{row['word']}”" for row in asked[:3])
        todos.append(
            Todo(
                title=ngettext("Explain %(n)d word", "Explain %(n)d words", number) % {"n": number},
                rest=_("that people asked about"),
                small=some + (" …" if number > 3 else ""),
                url=reverse("glossary:asked"),
                button=_("See which"),
                lesser=True,
            )
        )
    return todos
