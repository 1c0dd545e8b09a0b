"""What services ask of the group: their form, their own page behind a link, and where the group reads and answers."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from coproduce.agenda.actions import asks as actions
from coproduce.agenda.forms.asks import AnswerForm, AskForm
from coproduce.agenda.models import Answer, Ask, AskEmail, Item, Stage, Topic, ask_of
from coproduce.people import limits
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Hub
from coproduce.people.pages import page_of, press
from coproduce.people.permissions import NotAllowed, hubs_where, may, must
from coproduce.voices import sums

HOUR = 60 * 60
CHECKED_AN_HOUR = 20  # from one network address
UNCHECKED_AN_HOUR = 4
UNCHECKED_IN_ALL = 30  # from everywhere together
TO_ONE_MAILBOX = 5  # links an hour: it may be somebody else's


def ask_us(request: HttpRequest) -> HttpResponse:
    """For any service."""
    if not Hub.objects.exists():
        raise Http404
    form = AskForm(request.POST or None)
    status = 200
    if form.is_valid():
        solved = form.cleaned_data["altcha"]
        checked = bool(solved) and sums.is_done(solved)
        if solved and not checked:
            again = _("That took too long, or was sent twice. What you wrote is still here: send it again.")
            form.add_error(None, again)
        elif not _has_room(request, checked, form.cleaned_data["email"]):
            status = 429
            later = _(
                "A lot is coming in. What you wrote is still here. Wait a few minutes, then send it again."
            )
            form.add_error(None, later)
        elif form.cleaned_data["website"]:
            return redirect("agenda:asked")  # a machine: it is told nothing, and nothing is kept or sent
        elif form.does(actions.ask, checked=checked, **form.asked):
            return redirect("agenda:asked")
    return render(request, "agenda/ask_us.html", {"form": form}, status=status)


def _has_room(request: HttpRequest, checked: bool, email: str) -> bool:
    who = limits.who_knocks(request)
    if checked:
        room = limits.has_room("ask", who, CHECKED_AN_HOUR, HOUR)
    else:
        room = limits.has_room("ask-unchecked", who, UNCHECKED_AN_HOUR, HOUR) and limits.has_room(
            "ask-unchecked-all", "", UNCHECKED_IN_ALL, HOUR
        )
    return room and limits.has_room("ask-mailbox", email.strip().lower(), TO_ONE_MAILBOX, HOUR)


def asked(request: HttpRequest) -> HttpResponse:
    return render(request, "agenda/asked.html")


@never_cache
def your_ask(request: HttpRequest, token: str) -> HttpResponse:
    """The service's own page, which the link in its email opens: first to confirm the address, then all it asked."""
    known = ask_of(token)
    if known is None:
        raise Http404
    if request.method == "POST":
        if known.confirmed_at is None:
            actions.confirm(known)
            messages.success(request, _("Your ask is with the group. You hear by email what they say."))
        return redirect(request.path)
    asks = [] if known.confirmed_at is None else list(Ask.objects.from_the_same(known).select_related("hub"))
    items = Item.objects.filter(ask__in=asks, meeting__cancelled_at=None).select_related("meeting")
    meetings = {item.ask_id: item.meeting for item in items}
    for each in asks:
        each.meeting = meetings.get(each.pk)
    topics = Topic.objects.with_stage().in_bulk([each.topic_id for each in asks if each.topic_id])
    return render(
        request,
        "agenda/your_ask.html",
        {
            "ask": known,
            "asks": [(each, _became(topics.get(each.topic_id or 0))) for each in asks],
        },
    )


def _became(topic: Topic | None) -> dict[str, object] | None:
    """What became of the topic that the group made of an ask."""
    if topic is None:
        return None
    return {"topic": topic, "stage": Stage(topic.stage).label, "decided": topic.decided}  # type: ignore[attr-defined]


# For the group


@signed_in
def asks(request: PersonRequest) -> HttpResponse:
    """What waits for the group's answer, newest first; then what it answered."""
    if not hubs_where(request.person, "read what the group may read"):
        raise NotAllowed("read what services ask")
    here = Ask.objects.visible_to(request.person).select_related("hub", "topic")
    return render(
        request,
        "agenda/asks.html",
        {
            "waiting": here.waiting(),
            "page": page_of(request, here.exclude(answer="").order_by("-answered_on", "-pk"), 20),
            "names_hub": len(hubs_where(request.person, "read what the group may read")) > 1,
        },
    )


@signed_in
def ask(request: PersonRequest, pk: int) -> HttpResponse:
    known = _known(request, pk)
    emails = list(known.emails.filter(what=AskEmail.What.ANSWER))
    return render(
        request,
        "agenda/ask.html",
        {
            "ask": known,
            "may_answer": may(request.person, "answer an ask", known.hub_id),
            "told": next((email for email in emails), None),
        },
    )


@signed_in
def answer(request: PersonRequest, pk: int) -> HttpResponse:
    known = _known(request, pk)
    must(request.person, "answer an ask", known.hub_id)
    form = AnswerForm(request.POST or None)
    if form.is_valid() and form.does(actions.answer_ask, request.person, known, **form.cleaned_data):
        messages.success(request, _("It is written down. They hear it by email now."))
        if form.result.answer == Answer.TAKE_IT_ON:
            return redirect("agenda:topic", form.result.topic_id)
        return redirect("agenda:ask", known.pk)
    return render(request, "agenda/answer.html", {"ask": known, "form": form})


@require_POST
@signed_in
def send_again(request: PersonRequest, pk: int) -> HttpResponse:
    known = _known(request, pk)
    must(request.person, "answer an ask", known.hub_id)
    email = known.emails.filter(what=AskEmail.What.ANSWER).first()
    if email is not None:
        press(request, _("It goes once more."), actions.send_again, request.person, email)
    return redirect("agenda:ask", known.pk)


def _known(request: PersonRequest, pk: int) -> Ask:
    return get_object_or_404(Ask.objects.visible_to(request.person).select_related("hub", "topic"), pk=pk)
