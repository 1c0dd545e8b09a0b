"""What several hubs talk about: for everybody to see, and for the hub above them to take up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib import messages
from django.contrib.humanize.templatetags.humanize import apnumber
from django.db.models import Prefetch, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from coproduce.agenda.actions import bigger_voices as actions
from coproduce.agenda.forms.bigger_voices import TakeUpForm
from coproduce.agenda.models import BiggerVoice, Topic
from coproduce.engine.alike import Raised, words_in_common
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.pages import page_of, press
from coproduce.people.permissions import may, must

SHOWN = 3  # on the page of topics; all are on a page of their own
ON_A_CARD = 8  # topics of one; all are on its own page
COMPARED = 40  # topics whose words are looked at for what they have in common


@dataclass(frozen=True)
class BiggerVoiceShown:
    """One of them as pages show it: the topics, by hub."""

    known: BiggerVoice
    topics: list[Topic]
    title: str  # "Three hubs talk about this"

    @property
    def first(self) -> list[Topic]:
        """What stands on a card."""
        return self.topics[:ON_A_CARD]

    @property
    def more(self) -> int:
        return len(self.topics) - len(self.first)


def shown(found: Iterable[BiggerVoice]) -> list[BiggerVoiceShown]:
    """Each with its topics. As many queries for many as for one."""
    topics = Topic.objects.with_stage().select_related("hub").order_by("hub__path", "pk")
    rows = []
    for known in _with(found, topics):
        here = list(known.topics.all())
        hubs = len({topic.hub_id for topic in here})
        rows.append(
            BiggerVoiceShown(
                known,
                here,
                ngettext("%(hubs)s hub talks about this", "%(hubs)s hubs talk about this", hubs)
                % {"hubs": capfirst(str(apnumber(hubs)))},
            )
        )
    return rows


def _with(found: Iterable[BiggerVoice], topics: QuerySet[Topic]) -> Iterable[BiggerVoice]:
    pks = [known.pk for known in found]
    return (
        BiggerVoice.objects.filter(pk__in=pks)
        .select_related("hub", "taken_up_as")
        .prefetch_related(Prefetch("topics", topics))
    )


def bigger_voices(request: PersonRequest) -> HttpResponse:
    """All that several hubs talk about: first what nobody has taken up yet, then what was."""
    found = BiggerVoice.objects.visible_to(request.person)
    page = page_of(request, found.order_by("taken_up_as", "-noticed_at", "-pk"), 20)
    return render(request, "agenda/bigger_voices.html", {"page": page, "shared": shown(page)})


def bigger_voice(request: PersonRequest, pk: int) -> HttpResponse:
    [row] = shown([_known(request, pk)])
    return render(
        request,
        "agenda/bigger_voice.html",
        {
            "row": row,
            "words": words_in_common(
                [Raised(topic.hub_id, topic.title, topic.why) for topic in row.topics[:COMPARED]]
            ),
            "may_take_up": row.known.taken_up_as_id is None
            and may(request.person, "decide on a topic", row.known.hub_id),
        },
    )


@signed_in
def take_up(request: PersonRequest, pk: int) -> HttpResponse:
    """The hub above makes it a topic of its own."""
    known = _known(request, pk)
    must(request.person, "decide on a topic", known.hub_id)
    [row] = shown([known])
    into = next((topic for topic in row.topics if topic.hub_id == known.hub_id), None)
    first = into or row.topics[0]
    why = "\n".join(f"{topic.hub}: {topic.why or topic.title}" for topic in row.first)
    begin = {"title": first.title, "why": first.why if into else why}
    form = TakeUpForm(request.POST or None, initial=begin)
    if into is not None and request.method == "POST":
        form = TakeUpForm(begin)
    if form.is_valid() and form.does(actions.take_up, request.person, known, **form.cleaned_data):
        messages.success(
            request,
            _("It is a topic of %(hub)s now. Each hub will hear what becomes of it.") % {"hub": known.hub},
        )
        return redirect("agenda:topic", form.result.pk)
    return render(request, "agenda/take_up.html", {"row": row, "form": form, "into": into})


@require_POST
@signed_in
def refuse(request: PersonRequest, pk: int) -> HttpResponse:
    known = _known(request, pk)
    must(request.person, "decide on a topic", known.hub_id)
    press(request, _("These stay apart. You will not be asked again."), actions.refuse, request.person, known)
    return redirect("agenda:bigger_voices")


def _known(request: PersonRequest, pk: int) -> BiggerVoice:
    return get_object_or_404(BiggerVoice.objects.visible_to(request.person).select_related("hub"), pk=pk)
