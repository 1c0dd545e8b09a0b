"""The pages of a meeting: when and where, its agenda, who is told and how, and what somebody's own calendar reads."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from coproduce.agenda import calendar, inviting
from coproduce.agenda.actions import meetings as actions
from coproduce.agenda.actions.minutes import was_there
from coproduce.agenda.forms import meetings as forms
from coproduce.agenda.models import (
    Action,
    Ask,
    Attendance,
    CalendarLink,
    Item,
    Meeting,
    Minutes,
    Stage,
    Topic,
)
from coproduce.agenda.on_paper import agenda_on_paper, timed, words_of_agenda
from coproduce.glossary.explained import check
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Hub, Person
from coproduce.people.pages import page_of, press
from coproduce.people.permissions import NotAllowed, hubs_where, may, must

LEAD = "lead a meeting"


def meetings(request: PersonRequest) -> HttpResponse:
    """For the group its own; for everybody those that were marked for them."""
    known = Meeting.objects.visible_to(request.person).select_related("hub")
    own = hubs_where(request.person, "read what the group may read")
    return render(
        request,
        "agenda/meetings.html",
        {
            "to_come": [_seen(meeting, meeting.hub_id in own) for meeting in known.to_come()[:20]],
            "page": (page := page_of(request, known.past(), 10)),
            "past": [_seen(meeting, meeting.hub_id in own) for meeting in page],
            "may_plan": bool(hubs_where(request.person, LEAD)),
            "in_a_group": bool(own),
            "names_hub": len(own) != 1,
        },
    )


def _seen(meeting: Meeting, inside: bool) -> dict[str, object]:
    """A meeting as somebody may know it: outside the group without its name, and without the place unless marked."""
    return {
        "meeting": meeting,
        "inside": inside,
        "title": str(meeting) if inside else _("Meeting of %(hub)s") % {"hub": meeting.hub},
        "place": meeting.place if inside or meeting.shows_place else "",
    }


@signed_in
def plan(request: PersonRequest) -> HttpResponse:
    if not hubs_where(request.person, LEAD):
        raise NotAllowed(LEAD)
    form = forms.MeetingForm(request.person, request.POST or None)
    if form.is_valid() and form.does(
        actions.plan_meeting, request.person, form.cleaned_data["hub"], form.plan
    ):
        messages.success(request, _("The meeting is planned. Now make its agenda."))
        return redirect("agenda:make_agenda", form.result.pk)
    return render(request, "agenda/plan.html", {"form": form})


@signed_in
def change(request: PersonRequest, pk: int) -> HttpResponse:
    meeting = to_lead(request, pk)
    form = forms.MeetingForm(
        request.person, request.POST or None, initial=forms.planned(meeting), hub=meeting.hub
    )
    if form.is_valid() and form.does(actions.change_meeting, request.person, meeting, form.plan):
        told = meeting.invited_at and form.result & {*actions.TIMES}
        messages.success(
            request, _("Saved. Everybody who was invited hears of the change.") if told else _("Saved.")
        )
        return redirect("agenda:meeting", meeting.pk)
    return render(request, "agenda/plan.html", {"form": form, "meeting": meeting})


@signed_in
def call_off(request: PersonRequest, pk: int) -> HttpResponse:
    meeting = to_lead(request, pk)
    form = forms.CallOffForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and form.does(actions.cancel_meeting, request.person, meeting, **form.cleaned_data):
        messages.success(request, _("The meeting is called off."))
        return redirect("agenda:meeting", meeting.pk)
    return render(request, "agenda/call_off.html", {"form": form, "meeting": meeting})


def meeting(request: PersonRequest, pk: int) -> HttpResponse:
    """For the group all of it. For others, of what is marked for them, the day and maybe the place."""
    known = Meeting.objects.visible_to(request.person).select_related("hub")
    meeting = get_object_or_404(known, pk=pk)
    by, inside = request.person, meeting.is_inside(request.person)
    if not inside:
        return render(request, "agenda/meeting_outside.html", _seen(meeting, inside=False))
    minutes = Minutes.objects.filter(meeting=meeting).first()
    own = Attendance.objects.filter(meeting=meeting, person=by).first()
    leads = may(by, LEAD, meeting.hub_id)
    return render(
        request,
        "agenda/meeting.html",
        {
            "meeting": meeting,
            "rows": timed(meeting),
            "leads": leads,
            "own": own,
            "was_there": was_there(by, meeting),
            "needs": _needs(meeting, by) if leads else [],
            "not_told": _not_told(meeting, by) if leads and not meeting.is_over else 0,
            "minutes": minutes if minutes and (minutes.opened_at or leads) else None,
            "to_come": not meeting.is_over and not meeting.is_cancelled,
        },
    )


def _needs(meeting: Meeting, reader: Person) -> list[tuple[str, str]]:
    """What people said they need, each with their name as the reader may know it."""
    said = {each.person_id: each.needs for each in meeting.attendances.exclude(needs="")}
    named = Person.objects.named_for(reader).filter(pk__in=said).order_by("name", "pk")
    return [(person.shown, said[person.pk]) for person in named]


def _not_told(meeting: Meeting, reader: Person) -> int:
    return sum(1 for each in inviting.everybody(meeting, reader) if not each.is_told and not each.reads_here)


@signed_in
def needs(request: PersonRequest, pk: int) -> HttpResponse:
    meeting = of_the_group(request, pk)
    own = Attendance.objects.filter(meeting=meeting, person=request.person).first()
    form = forms.NeedsForm(
        request.POST if request.method == "POST" else None, initial={"needs": own.needs if own else ""}
    )
    if form.is_valid() and form.does(actions.say_needs, request.person, meeting, **form.cleaned_data):
        messages.success(request, _("Thank you. Only whoever leads the meeting reads it."))
        return redirect("agenda:meeting", meeting.pk)
    return render(request, "agenda/needs.html", {"form": form, "meeting": meeting})


# The agenda


@signed_in
def make_agenda(request: PersonRequest, pk: int) -> HttpResponse:
    """The list as it stands, the topics that could go on it, and a form for what is no topic."""
    meeting = to_lead(request, pk)
    if "topic" in request.POST:
        asked = request.POST["topic"]
        topics = Topic.objects.visible_to(request.person).filter(hub=meeting.hub_id)
        topic = get_object_or_404(topics, pk=int(asked) if asked.isdecimal() else 0)
        said = _("‘%(topic)s’ is on the agenda.") % {"topic": topic}
        press(
            request, said, actions.put_on_agenda, request.person, meeting, Item.Kind.TOPIC, TOPIC_TAKES, topic
        )
        return redirect("agenda:make_agenda", meeting.pk)
    if "ask" in request.POST:
        asked = request.POST["ask"]
        here = Ask.objects.visible_to(request.person).filter(hub=meeting.hub_id)
        ask = get_object_or_404(here, pk=int(asked) if asked.isdecimal() else 0)
        said = _("‘%(ask)s’ has its five minutes, after what is our own.") % {"ask": ask}
        five = Item.Kind.FIVE_MINUTES
        press(request, said, actions.put_on_agenda, request.person, meeting, five, Item.FIVE, None, "", ask)
        return redirect("agenda:make_agenda", meeting.pk)
    form = forms.ElseForm(request.POST or None)
    if form.is_valid() and form.does(actions.put_on_agenda, request.person, meeting, **form.cleaned_data):
        messages.success(request, _("It is on the agenda."))
        return redirect("agenda:make_agenda", meeting.pk)
    items = timed(meeting)
    open_topics = (
        Topic.objects.visible_to(request.person)
        .filter(hub=meeting.hub_id)
        .by_stage()
        .filter(stage__in=[Stage.OPEN, Stage.WORKING])  # type: ignore[misc]
        .exclude(agenda_items__meeting=meeting)
    )
    return render(
        request,
        "agenda/make_agenda.html",
        {
            "meeting": meeting,
            "rows": items,
            "form": form,
            "page": page_of(request, open_topics, 20),
            "asks": Ask.objects.visible_to(request.person).filter(hub=meeting.hub_id).to_place(),
            "over": bool(items) and items[-1].ends > meeting.ends_at,
            "check": check(words_of_agenda(meeting), meeting.hub) if items else None,
        },
    )


TOPIC_TAKES = 20  # minutes, until somebody says otherwise


@signed_in
def item(request: PersonRequest, pk: int) -> HttpResponse:
    """How long one thing on the agenda takes."""
    item = _item(request, pk)
    form = forms.MinutesOfItemForm(request.POST or None, initial={"minutes": item.minutes})
    if form.is_valid() and form.does(actions.give_time, request.person, item, **form.cleaned_data):
        messages.success(request, _("Saved."))
        return redirect("agenda:make_agenda", item.meeting_id)
    return render(request, "agenda/item.html", {"form": form, "item": item, "meeting": item.meeting})


@require_POST
@signed_in
def move_item(request: PersonRequest, pk: int) -> HttpResponse:
    item = _item(request, pk)
    up = "up" in request.POST
    said = _("‘%(item)s’ is one place up.") if up else _("‘%(item)s’ is one place down.")
    press(request, said % {"item": item}, actions.move_item, request.person, item, up)
    return redirect(f"{reverse('agenda:make_agenda', args=[item.meeting_id])}#item-{item.pk}")


@require_POST
@signed_in
def take_off_agenda(request: PersonRequest, pk: int) -> HttpResponse:
    item = _item(request, pk)
    meeting = item.meeting_id
    press(request, _("It is off the agenda."), actions.take_off_agenda, request.person, item)
    return redirect("agenda:make_agenda", meeting)


@signed_in
def agenda_pdf(request: PersonRequest, pk: int) -> HttpResponse:
    return pdf_answer(agenda_on_paper(of_the_group(request, pk)), "agenda.pdf")


def pdf_answer(pdf: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(pdf, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{name}"'
    answer["Cache-Control"] = "private, no-store"
    return answer


# Who is told


@signed_in
def invite(request: PersonRequest, pk: int) -> HttpResponse:
    """Everybody of the group, and how each hears: by email from here, on their page, or by a person."""
    meeting = to_lead(request, pk)
    if request.method == "POST":
        said = _("The emails are on their way. Now tell the others.")
        press(request, said, actions.send_invitations, request.person, meeting)
        return redirect("agenda:invite", meeting.pk)
    everybody = inviting.everybody(meeting, request.person)
    return render(
        request,
        "agenda/invite.html",
        {
            "meeting": meeting,
            "by_person": [each for each in everybody if not each.by_email and not each.reads_here],
            "by_email": [each for each in everybody if each.by_email],
            "here": [each for each in everybody if each.reads_here],
            "to_send": sum(1 for each in everybody if each.by_email and each.invitation is None),
            "may_reach": may(request.person, "look after people", meeting.hub_id),
        },
    )


@require_POST
@signed_in
def told(request: PersonRequest, pk: int) -> HttpResponse:
    meeting = to_lead(request, pk)
    asked = request.POST.get("person", "")
    person = get_object_or_404(inviting.members_of(meeting), pk=int(asked) if asked.isdecimal() else 0)
    done = "undo" not in request.POST
    said = _("Ticked off.") if done else _("The tick is gone.")
    press(request, said, actions.told_in_person, request.person, meeting, person, done)
    return redirect(f"{reverse('agenda:invite', args=[meeting.pk])}#person-{person.pk}")


# Who came


@signed_in
def who_came(request: PersonRequest, pk: int) -> HttpResponse:
    """One tap for each person; and how many came whom nobody knows."""
    meeting = to_lead(request, pk)
    by = request.person
    form = forms.OthersForm(None, initial={"number": meeting.others_came})
    if request.method == "POST":
        if "number" in request.POST:
            form = forms.OthersForm(request.POST)
            if form.is_valid() and form.does(actions.count_others, by, meeting, **form.cleaned_data):
                messages.success(request, _("Written down."))
                return redirect("agenda:who_came", meeting.pk)
        else:
            asked = request.POST.get("person", "")
            person = get_object_or_404(
                inviting.members_of(meeting), pk=int(asked) if asked.isdecimal() else 0
            )
            how, named = request.POST.get("how", ""), request.POST.get("named")
            if named is not None:
                said = _("The minutes may say the name.") if named else _("The minutes don’t say the name.")
                press(request, said, actions.name_in_minutes, by, meeting, person, bool(named))
            elif how in ("", *Attendance.How.values):
                press(request, _("Written down."), actions.note_who_came, by, meeting, person, how)
            return redirect(f"{reverse('agenda:who_came', args=[meeting.pk])}#person-{person.pk}")
    known = {each.person_id: each for each in meeting.attendances.took_part()}
    people = inviting.members_of(meeting).named_for(by).order_by("name", "pk")  # type: ignore[attr-defined]
    return render(
        request,
        "agenda/who_came.html",
        {
            "meeting": meeting,
            "rows": [(person, known.get(person.pk)) for person in people],
            "hows": forms.HOW,
            "form": form,
            "number": len(known) + meeting.others_came,
        },
    )


@require_POST
@signed_in
def name_me(request: PersonRequest, pk: int) -> HttpResponse:
    """Whether the minutes may say one's own name."""
    meeting = of_the_group(request, pk)
    named = bool(request.POST.get("named"))
    said = _("The minutes may say your name.") if named else _("The minutes don’t say your name.")
    press(request, said, actions.name_in_minutes, request.person, meeting, request.person, named)
    return redirect("agenda:meeting", meeting.pk)


# Calendars


@signed_in
def my_calendar(request: PersonRequest) -> HttpResponse:
    """The secret address for one's own calendar."""
    if request.method == "POST":
        press(request, _("Here is your link."), actions.renew_calendar_link, request.person)
        return redirect("agenda:my_calendar")
    link = CalendarLink.objects.filter(person=request.person).first()
    address = request.build_absolute_uri(reverse("agenda:calendar", args=[link.key])) if link else ""
    return render(
        request,
        "agenda/my_calendar.html",
        {
            "address": address,
            "webcal": address.replace("https://", "webcal://").replace("http://", "webcal://"),
        },
    )


def calendar_feed(request: PersonRequest, key: str) -> HttpResponse:
    """What a calendar reads: the meetings of the hubs that the person of this link belongs to, and no others."""
    link = get_object_or_404(
        CalendarLink.objects.select_related("person").filter(person__erasure__isnull=True), key=key
    )
    hubs = Hub.objects.filter(memberships__person=link.person, memberships__until__isnull=True)
    own = Meeting.objects.of_the_group(link.person).filter(hub__in=hubs.values("pk")).order_by("starts_at")
    answer = HttpResponse(calendar.feed(own), content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = 'inline; filename="meetings.ics"'
    answer["Cache-Control"] = "private, no-store"
    return answer


# What somebody does by a day


@signed_in
def my_actions(request: PersonRequest) -> HttpResponse:
    own = Action.objects.filter(owner=request.person).select_related("meeting__hub")
    return render(
        request,
        "agenda/my_actions.html",
        {"to_do": list(own.open()), "done": list(own.exclude(done_at=None).order_by("-done_at")[:20])},
    )


def to_lead(request: PersonRequest, pk: int) -> Meeting:
    meeting = of_the_group(request, pk)
    must(request.person, LEAD, meeting.hub_id)
    return meeting


def of_the_group(request: PersonRequest, pk: int) -> Meeting:
    known = Meeting.objects.of_the_group(request.person).select_related("hub")
    return get_object_or_404(known, pk=pk)


def _item(request: PersonRequest, pk: int) -> Item:
    known = Item.objects.filter(meeting__in=Meeting.objects.of_the_group(request.person))
    item = get_object_or_404(known.select_related("meeting__hub", "topic"), pk=pk)
    must(request.person, LEAD, item.meeting.hub_id)
    return item
