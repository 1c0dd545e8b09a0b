"""What the group does with its conversations: open one, look after its statements, share it, freeze it."""

from __future__ import annotations

import io

import qrcode
import qrcode.image.svg
from django.contrib import messages
from django.db.models import Count
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from coproduce.agenda.models import Topic
from coproduce.consensus import actions, forms, take_away
from coproduce.consensus.models import Conversation, Reckoned, Statement
from coproduce.consensus.telling import suggested_words, told_to
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.pages import page_of, press
from coproduce.people.permissions import NotAllowed, hubs_where, may, must
from coproduce.voices.models import Use, Voice
from coproduce.voices.views import posted

State = Statement.State


def conversations(request: PersonRequest) -> HttpResponse:
    """Those of one's groups; for anybody else, what groups gave as their answer."""
    found = Conversation.objects.visible_to(request.person).select_related("topic__hub")
    return render(request, "consensus/conversations.html", {"page": page_of(request, found)})


@signed_in
def open_conversation(request: PersonRequest, pk: int) -> HttpResponse:
    topic = get_object_or_404(Topic.objects.visible_to(request.person).select_related("hub"), pk=pk)
    must(request.person, "open a conversation", topic.hub_id)
    form = forms.OpenForm(posted(request))
    if form.is_valid() and form.does(actions.open_conversation, request.person, topic, **form.cleaned_data):
        messages.success(request, _("It is open. Now write some statements that people can vote on."))
        return redirect("consensus:tools", form.result.pk)
    return render(request, "consensus/open.html", {"form": form, "topic": topic})


def _here(request: PersonRequest, pk: int, *verbs: str) -> Conversation:
    """One of the group's, for who may do one of these in it."""
    found = Conversation.objects.visible_to(request.person).select_related("topic__hub", "decision")
    conversation = get_object_or_404(found, pk=pk)
    if not any(may(request.person, verb, conversation.topic.hub_id) for verb in verbs):
        raise NotAllowed(verbs[0])
    return conversation


@signed_in
def tools(request: PersonRequest, pk: int) -> HttpResponse:
    """What to do next with a conversation, for who looks after it."""
    conversation = _here(request, pk, "curate statements", "open a conversation", "record votes")
    hub = conversation.topic.hub_id
    counts = dict(conversation.statements.order_by().values_list("state").annotate(Count("pk")))
    link = request.build_absolute_uri(reverse("consensus:begin", args=[conversation.key]))
    return render(
        request,
        "consensus/tools.html",
        {
            "conversation": conversation,
            "open": counts.get(State.ACCEPTED, 0),
            "waiting": counts.get(State.WAITING, 0) + counts.get(State.WORDLESS, 0),
            "voters": conversation.voters.filter(votes__isnull=False).distinct().count(),
            "link": link,
            "square": _square(link) if conversation.by_link else "",
            "curates": may(request.person, "curate statements", hub),
            "records": may(request.person, "record votes", hub),
            "opens": may(request.person, "open a conversation", hub),
            "decides": may(request.person, "decide on a topic", hub),
        },
    )


def _square(link: str) -> SafeString:
    """The link as a square that a phone's camera reads. Only its lines, drawn by the library from our own address."""
    made = qrcode.make(link, image_factory=qrcode.image.svg.SvgPathImage, border=2)
    out = io.BytesIO()
    made.save(out)
    drawing = out.getvalue().decode()
    return mark_safe(drawing[drawing.index("<svg") :])  # nosec B308 B703 - holds nothing that anybody typed


@require_POST
@signed_in
def set_link(request: PersonRequest, pk: int) -> HttpResponse:
    conversation = _here(request, pk, "open a conversation")
    opens = "open" in request.POST
    done = _("Anybody with the link may vote now.") if opens else _("The link works only for the group now.")
    press(request, done, actions.set_link, request.person, conversation, opens)
    return redirect("consensus:tools", pk)


# Statements


@signed_in
def statements(request: PersonRequest, pk: int) -> HttpResponse:
    """All statements, those first that wait; and the box to write one."""
    conversation = _here(request, pk, "curate statements")
    form = forms.StatementForm(posted(request))
    if form.is_valid() and form.does(
        actions.write_statement, request.person, conversation, form.cleaned_data["words"]
    ):
        messages.success(request, _("People vote on it now."))
        return redirect("consensus:statements", pk)
    here = Statement.objects.visible_to(request.person).filter(conversation=conversation)
    shown = set(here.in_sight(Use.GROUP).values_list("pk", flat=True))
    outside = set(here.in_sight(Use.PUBLIC).values_list("pk", flat=True))
    return render(
        request,
        "consensus/statements.html",
        {
            "conversation": conversation,
            "form": form,
            "waiting": here.waiting(),
            "page": page_of(request, here.filter(state=State.ACCEPTED), 50),
            "hidden": [one for one in here.filter(state=State.ACCEPTED) if one.pk not in shown],
            "only_group": shown - outside if conversation.by_link else set(),
            "set_aside": here.filter(state__in=[State.JOINED, State.REFUSED, State.TAKEN_OUT]).select_related(
                "joined_to"
            ),
        },
    )


def _statement(request: PersonRequest, pk: int) -> Statement:
    found = Statement.objects.visible_to(request.person).select_related(
        "conversation__topic__hub", "joined_to"
    )
    statement = get_object_or_404(found, pk=pk)
    must(request.person, "curate statements", statement.conversation.topic.hub_id)
    return statement


@signed_in
def statement(request: PersonRequest, pk: int) -> HttpResponse:
    """One statement, and what to decide on it."""
    one = _statement(request, pk)
    back = redirect("consensus:statements", one.conversation_id)
    what = request.POST.get("do", "")
    refuse = forms.ReasonForm(request.POST if what in ("refuse", "take_out") else None)
    join = forms.JoinForm(one, request.POST if what == "join" else None)
    anew = forms.StatementForm(request.POST if what == "anew" else None)
    if what == "accept":
        press(request, _("People vote on it now."), actions.accept, request.person, one)
        return back
    if what in ("refuse", "take_out") and refuse.is_valid():
        action = actions.refuse if what == "refuse" else actions.take_out
        if refuse.does(action, request.person, one, refuse.cleaned_data["reason"]):
            messages.success(request, _("It is not voted on. Whoever wrote it reads why."))
            return back
    if (
        what == "join"
        and join.is_valid()
        and join.does(actions.join, request.person, one, join.cleaned_data["to"])
    ):
        messages.success(request, _("The two are one now."))
        return back
    if (
        what == "anew"
        and anew.is_valid()
        and anew.does(actions.write_anew, request.person, one, anew.cleaned_data["words"])
    ):
        messages.success(request, _("People vote on the new words now."))
        return back
    return render(
        request,
        "consensus/statement.html",
        {
            "statement": one,
            "conversation": one.conversation,
            "refuse": refuse,
            "join": join,
            "can_join": join.fields["to"].queryset.exists(),  # type: ignore[attr-defined]
            "anew": anew,
            "form": next((each for each in (refuse, join, anew) if each.errors), None),
            "voices": Voice.objects.for_reading(request.person).filter(statements=one),
        },
    )


@signed_in
def from_voices(request: PersonRequest, pk: int) -> HttpResponse:
    """Choose something that was said, and make a statement of it."""
    conversation = _here(request, pk, "curate statements")
    topic = conversation.topic
    query = request.GET.get("q", "").strip()
    voices = Voice.objects.for_reading(request.person).filter(hub__in=_hubs(request)).for_use(Use.GROUP)
    voices = voices.exclude(statements__conversation=conversation)
    voices = voices.saying(query) if query else voices.filter(topics=topic)
    return render(
        request,
        "consensus/from_voices.html",
        {
            "conversation": conversation,
            "page": page_of(request, voices.distinct(), 10),
            "query": query,
        },
    )


def _hubs(request: PersonRequest) -> frozenset[int]:
    return hubs_where(request.person, "curate statements")


@signed_in
def from_voice(request: PersonRequest, pk: int, voice: int) -> HttpResponse:
    """Write a statement from one voice, in the curator's own wording."""
    conversation = _here(request, pk, "curate statements")
    readable = Voice.objects.for_reading(request.person).filter(hub__in=_hubs(request)).for_use(Use.GROUP)
    said = get_object_or_404(readable, pk=voice)
    form = forms.StatementForm(posted(request))
    if form.is_valid() and form.does(
        actions.write_statement, request.person, conversation, form.cleaned_data["words"], [said]
    ):
        messages.success(request, _("People vote on it now."))
        return redirect("consensus:from_voices", pk)
    public = Voice.objects.for_use(Use.PUBLIC).filter(pk=said.pk).exists()
    return render(
        request,
        "consensus/from_voice.html",
        {"conversation": conversation, "voice": said, "form": form, "public": public},
    )


# The end


@signed_in
def freeze(request: PersonRequest, pk: int) -> HttpResponse:
    """Close the voting, and write down what people agree on as the group's answer."""
    conversation = _here(request, pk, "decide on a topic")
    if conversation.is_frozen:
        raise Http404
    kept = Reckoned.objects.filter(conversation=conversation).defer("votes", "places").first()
    told = told_to(request.person, conversation, kept)
    form = forms.FreezeForm(posted(request), initial={"words": suggested_words(told)})
    if form.is_valid() and form.does(actions.freeze, request.person, conversation, **form.cleaned_data):
        messages.success(request, _("It is frozen, and stands on the topic. Who voted is owed an answer."))
        return redirect("agenda:topic", conversation.topic_id)
    return render(
        request,
        "consensus/freeze.html",
        {
            "conversation": conversation,
            "form": form,
            "voters": conversation.voters.filter(votes__isnull=False).distinct().count(),
        },
    )


@signed_in
def take_it_away(request: PersonRequest, pk: int) -> HttpResponse:
    """Votes, statements and what was found, as files. By a button, since it is written down who took them."""
    conversation = _here(request, pk, "curate statements")
    if request.method == "POST":
        answer = HttpResponse(
            take_away.take_away(request.person, conversation), content_type="application/zip"
        )
        answer["Content-Disposition"] = 'attachment; filename="common-ground.zip"'
        answer["Cache-Control"] = "private, no-store"
        return answer
    return render(request, "consensus/take_away.html", {"conversation": conversation})
