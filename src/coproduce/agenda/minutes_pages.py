"""What came of a meeting: what was agreed, who does what, and the minutes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from coproduce.agenda.actions import minutes as actions
from coproduce.agenda.forms import minutes as forms
from coproduce.agenda.meeting_pages import LEAD, of_the_group, pdf_answer, to_lead
from coproduce.agenda.models import (
    Action,
    Agreement,
    Attendance,
    Correction,
    Item,
    Meeting,
    Minutes,
    Note,
)
from coproduce.agenda.models.wall import notes_for
from coproduce.agenda.on_paper import minutes_on_paper, terms_in
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Person, name_for
from coproduce.people.pages import press
from coproduce.people.permissions import may, must


@signed_in
def agreed(request: PersonRequest, pk: int) -> HttpResponse:
    """Write down one thing that was agreed; what is there already stands above."""
    meeting = to_lead(request, pk)
    form = forms.AgreeForm(meeting, request.POST or None, initial={"item": _asked_item(request, meeting)})
    if form.is_valid() and form.does(actions.agree, request.person, meeting, **form.cleaned_data):
        messages.success(request, _("Written down. You can add the next one."))
        return redirect("agenda:agreed", meeting.pk)
    known = meeting.agreements.select_related("item__topic", "decision")
    return render(request, "agenda/agreed.html", {"form": form, "meeting": meeting, "agreements": known})


def _asked_item(request: PersonRequest, meeting: Meeting) -> Item | None:
    asked = request.GET.get("item", "")
    return meeting.items.filter(pk=asked).first() if asked.isdecimal() and len(asked) < 19 else None


@require_POST
@signed_in
def take_agreement_back(request: PersonRequest, pk: int) -> HttpResponse:
    known = Agreement.objects.filter(meeting__in=Meeting.objects.of_the_group(request.person))
    agreement = get_object_or_404(known.select_related("meeting", "decision"), pk=pk)
    must(request.person, LEAD, agreement.meeting.hub_id)
    press(request, _("It is taken away."), actions.take_agreement_back, request.person, agreement)
    return redirect("agenda:agreed", agreement.meeting_id)


@signed_in
def give_action(request: PersonRequest, pk: int) -> HttpResponse:
    meeting, by = to_lead(request, pk), request.person
    form = forms.WhoDoesWhatForm(by, meeting, request.POST or None)
    if form.is_valid() and form.does(actions.give_action, by, meeting, **form.cleaned_data):
        messages.success(request, _("Written down. You can add the next one."))
        return redirect("agenda:give_action", meeting.pk)
    return render(
        request,
        "agenda/give_action.html",
        {"form": form, "meeting": meeting, "actions": _named(meeting.actions.all(), by)},
    )


@require_POST
@signed_in
def finish(request: PersonRequest, pk: int) -> HttpResponse:
    """Done, in one tap; or not done after all."""
    action = get_object_or_404(Action.objects.visible_to(request.person).select_related("meeting"), pk=pk)
    if action.owner_id != request.person.pk:
        must(request.person, LEAD, action.meeting.hub_id)
    done = "undo" not in request.POST
    said = _("Done. Thank you.") if done else _("It is open again.")
    press(request, said, actions.finish, request.person, action, done)
    if action.owner_id == request.person.pk:
        return redirect("agenda:my_actions")
    return redirect("agenda:give_action", action.meeting_id)


def _named(known: Any, reader: Person) -> list[Action]:
    """Actions, each with `who`: their owner as the reader may know them. One query."""
    return list(
        known.annotate(who=name_for(reader, "owner", unknown=_("Somebody"))).select_related("item__topic")
    )


# The minutes


@dataclass(frozen=True)
class Part:
    """What the minutes say about one thing on the agenda. notes: each its words and who said it how."""

    title: str
    talked: list[str]
    agreed: list[str]
    actions: list[str]
    notes: list[list[str]]


def record_of(meeting: Meeting, minutes: Minutes, reader: Person) -> dict[str, Any]:
    """All that the minutes hold, as this reader may read it: in words and lists only, for the page and for paper.

    parts: one for each thing on the agenda that something is to be said of, and one for what belongs to none. A
    bounded number of queries.
    """
    notes = notes_for(meeting, reader, for_the_group=True)
    agreements = list(meeting.agreements.select_related("decision"))
    actions_given = _named(meeting.actions.all(), reader)
    items: list[Item | None] = [*meeting.items.select_related("topic"), None]
    parts = []
    for item in items:
        pk = item.pk if item else None
        part = Part(
            title=str(item) if item else _("Other things"),
            talked=_lines(item.talked) if item else [],
            agreed=[each.words for each in agreements if each.item_id == pk],
            actions=[_action_said(each) for each in actions_given if each.item_id == pk],
            notes=[_note_said(note) for note in notes if note.item_id == pk and not note.taken_off_at],
        )
        if item or part.agreed or part.actions or part.notes:
            parts.append(part)
    corrections = [[each.words, _settled_said(each)] for each in minutes.corrections.all() if each.outcome]
    text = [minutes.words]
    for part in parts:
        text += [part.title, *part.talked, *part.agreed, *part.actions, *(words for words, _by in part.notes)]
    return {
        "standing": _standing(minutes),
        "words": _lines(minutes.words),
        "came": _who_took_part(meeting, reader),
        "parts": [asdict(part) for part in parts],
        "corrections": corrections,
        "terms": terms_in("\n\n".join(text), meeting.hub),
    }


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def _action_said(action: Action) -> str:
    said = _("%(who)s: %(what)s, by %(day)s") % {
        "who": action.who,  # type: ignore[attr-defined]
        "what": action.words.rstrip("."),
        "day": date_format(action.by_day, "j F"),
    }
    return _("%(said)s. Done.") % {"said": said} if action.done_at else said


def _note_said(note: Note) -> list[str]:
    who = note.who or _("Somebody")
    return [note.voice.shown, f"{who}, {note.get_how_display()}"]


def _settled_said(correction: Correction) -> str:
    outcome = str(correction.get_outcome_display()).capitalize()
    return f"{outcome}. {correction.answer}".strip()


def _standing(minutes: Minutes) -> str:
    if minutes.opened_at is None or minutes.open_until is None:
        return _("A draft. The group does not see it yet.")
    day = date_format(minutes.open_until, "j F")
    if minutes.is_open:
        return _("Those who were there can put these minutes right until %(day)s.") % {"day": day}
    if minutes.stand:
        return _("These minutes stand.")
    return _("Somebody waits for an answer. Then these minutes stand.")


def _who_took_part(meeting: Meeting, reader: Person) -> str:
    """Those by name who said yes to that; the rest as a number."""
    known = meeting.attendances.took_part().annotate(who=name_for(reader, "person", unknown=""))
    rows = list(known.order_by("person__name", "pk"))
    named = [each for each in rows if each.named and each.who]
    sentences = []
    for how, label in Attendance.How.choices:
        names = [each.who for each in named if each.how == how]
        others = sum(1 for each in rows if each.how == how) - len(names)
        if how == Attendance.How.CAME:
            others += meeting.others_came
        if others:
            word = (
                ngettext("%(n)d other", "%(n)d others", others)
                if names
                else ngettext("%(n)d person", "%(n)d people", others)
            )
            names.append(word % {"n": others})
        if names:
            sentences.append(f"{_and(names)} {label}.")
    return " ".join(sentences)


def _and(names: list[str]) -> str:
    *first, last = names
    return _("%(names)s and %(last)s") % {"names": ", ".join(first), "last": last} if first else last


@signed_in
def minutes(request: PersonRequest, pk: int) -> HttpResponse:
    meeting = of_the_group(request, pk)
    by, leads = request.person, may(request.person, LEAD, meeting.hub_id)
    known = _minutes(meeting, leads)
    return render(
        request,
        "agenda/minutes.html",
        {
            "meeting": meeting,
            "minutes": known,
            "record": (record := record_of(meeting, known, by)),
            "terms": [{"name": name, "means": means} for name, means in record["terms"]],
            "leads": leads,
            "may_correct": known.is_open and (leads or actions.was_there(by, meeting)),
            "waiting": known.corrections.waiting().select_related("minutes") if leads else [],
            "own": known.corrections.waiting().filter(person=by),
        },
    )


@signed_in
def minutes_pdf(request: PersonRequest, pk: int) -> HttpResponse:
    meeting = of_the_group(request, pk)
    known = _minutes(meeting, may(request.person, LEAD, meeting.hub_id))
    return pdf_answer(minutes_on_paper(meeting, record_of(meeting, known, request.person)), "minutes.pdf")


def _minutes(meeting: Meeting, leads: bool) -> Minutes:
    """The minutes that a member of the group may read: a draft is for whoever leads."""
    known = Minutes.objects.select_related("meeting").filter(meeting=meeting).first()
    if known is None or (known.opened_at is None and not leads):
        raise Http404
    return known


@signed_in
def write_minutes(request: PersonRequest, pk: int) -> HttpResponse:
    """The draft that the record makes, to be said in one's own words."""
    meeting, by = to_lead(request, pk), request.person
    known = Minutes.objects.filter(meeting=meeting).first()
    if known is None:
        if request.method != "POST":
            return render(request, "agenda/draft_minutes.html", {"meeting": meeting})
        if not press(
            request, _("Here is a draft. Change what you like."), actions.draft_minutes, by, meeting
        ):
            return redirect("agenda:meeting", meeting.pk)
        return redirect("agenda:write_minutes", meeting.pk)
    items = list(meeting.items.select_related("topic"))
    form = forms.WriteMinutesForm(known, items, request.POST or None)
    if form.is_valid() and form.does(
        actions.write_minutes, by, known, form.cleaned_data["words"], form.talked
    ):
        messages.success(request, _("Saved."))
        return redirect("agenda:minutes", meeting.pk)
    text = "\n\n".join([known.words, *(f"{item}. {item.talked}" for item in items)])
    return render(
        request,
        "agenda/write_minutes.html",
        {"form": form, "meeting": meeting, "minutes": known, "text": text},
    )


@signed_in
def open_minutes(request: PersonRequest, pk: int) -> HttpResponse:
    meeting = to_lead(request, pk)
    known = _minutes(meeting, leads=True) if Minutes.objects.filter(meeting=meeting).exists() else None
    if known is None:
        return redirect("agenda:write_minutes", meeting.pk)
    form = forms.OpenForm(request.POST or None)
    if form.is_valid() and form.does(actions.open_minutes, request.person, known, **form.cleaned_data):
        messages.success(request, _("The group can read them now."))
        return redirect("agenda:minutes", meeting.pk)
    return render(request, "agenda/open_minutes.html", {"form": form, "meeting": meeting, "minutes": known})


@signed_in
def correct(request: PersonRequest, pk: int) -> HttpResponse:
    meeting = of_the_group(request, pk)
    leads = may(request.person, LEAD, meeting.hub_id)
    known = _minutes(meeting, leads)
    if not (leads or actions.was_there(request.person, meeting)):
        raise Http404
    form = forms.CorrectForm(request.POST or None)
    if form.is_valid() and form.does(actions.correct, request.person, known, **form.cleaned_data):
        messages.success(request, _("Thank you. Whoever leads the meeting answers it."))
        return redirect("agenda:minutes", meeting.pk)
    return render(request, "agenda/correct.html", {"form": form, "meeting": meeting})


@signed_in
def settle(request: PersonRequest, pk: int) -> HttpResponse:
    """Take a correction, or leave the minutes as they are and say why."""
    known = Correction.objects.filter(minutes__meeting__in=Meeting.objects.of_the_group(request.person))
    correction = get_object_or_404(known.select_related("minutes__meeting__hub"), pk=pk)
    meeting = correction.minutes.meeting
    must(request.person, LEAD, meeting.hub_id)
    form = forms.SettleForm(request.POST or None)
    if form.is_valid() and form.does(actions.settle, request.person, correction, **form.cleaned_data):
        if form.cleaned_data["taken"]:
            messages.success(request, _("Now change the minutes."))
            return redirect("agenda:write_minutes", meeting.pk)
        messages.success(request, _("They read your answer in the minutes."))
        return redirect("agenda:minutes", meeting.pk)
    return render(
        request,
        "agenda/settle.html",
        {
            "form": form,
            "meeting": meeting,
            "correction": correction,
            "who": correction.person.name_for(request.person) if correction.person else _("Somebody"),
        },
    )


def decided_at(topics: Iterable[int], reader: Person | None) -> list[tuple[Meeting, list[str]]]:
    """The meetings that had these topics on their agenda and that this reader may know all of, each with what was
    agreed on them."""
    topics = list(topics)
    known = Meeting.objects.of_the_group(reader).filter(items__topic__in=topics).distinct()
    agreements = Agreement.objects.filter(item__topic__in=topics, meeting__in=known).order_by("pk")
    words: dict[int, list[str]] = {}
    for agreement in agreements:
        words.setdefault(agreement.meeting_id, []).append(agreement.words)
    return [(meeting, words.get(meeting.pk, [])) for meeting in known.select_related("hub")]
