"""The wall of a meeting: the page that phones open, the big screen, and the page from which it is led.

Anybody who has the link may write, without an account: the link of a wall opens one form and nothing else. The link
of the screen shows what everybody in the room may see, so the machine at the screen need not be signed in.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import qrcode
import qrcode.image.svg
from django.contrib import messages
from django.core.signing import BadSignature, Signer
from django.db.models import F
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from coproduce.agenda.actions import wall as actions
from coproduce.agenda.forms import wall as forms
from coproduce.agenda.meeting_pages import LEAD, to_lead
from coproduce.agenda.models import Meeting, Note, Pile
from coproduce.agenda.models.wall import notes_for
from coproduce.people import limits
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Person
from coproduce.people.pages import press
from coproduce.people.permissions import may, must

QUARTER = 15  # seconds of a minute
FROM_ONE_ADDRESS = 100  # notes in that time: sixty phones may share an address, and all of them write at once
ON_ONE_WALL = 600  # notes a minute, from wherever

_signer = Signer(salt="agenda.screen")


# From a phone


def note(request: PersonRequest, key: str) -> HttpResponse:
    """Write a note. On an error what was typed stays; what is sent twice is one note."""
    meeting = _meeting_of(key)
    if not meeting.wall_is_open and request.method != "POST":
        return render(request, "agenda/wall_closed.html", {"hub": meeting.hub})
    member = request.person if meeting.is_inside(request.person) else None
    form = forms.NoteForm(meeting, member, request.POST if request.method == "POST" else None)
    status = 200
    if form.is_valid():
        said = form.cleaned_data
        if said["website"]:  # only a machine sees that field
            return redirect("agenda:note_thanks", key)
        if not _has_room(request, meeting):
            status = 429
            later = _("A lot is coming in. Your words are still here. Wait a minute, then send them again.")
            form.add_error(None, later)
        elif form.does(
            actions.write_note,
            meeting,
            said["words"],
            form.uses,
            said["token"],
            form.about,
            said["name"],
            member if said.get("own") else None,
        ):
            kept = "?kept=1" if "keep" in request.POST else ""
            return redirect(reverse("agenda:note_thanks", args=[key]) + kept)
    return render(request, "agenda/note.html", {"form": form, "meeting": meeting}, status=status)


def note_thanks(request: PersonRequest, key: str) -> HttpResponse:
    meeting = _meeting_of(key)
    return render(
        request,
        "agenda/note_thanks.html",
        {"meeting": meeting, "key": key, "kept": "kept" in request.GET, "is_open": meeting.wall_is_open},
    )


def _meeting_of(key: str) -> Meeting:
    """By the key as somebody typed it: large or small, with or without its hyphens."""
    typed = key.lower().replace("-", "").replace(" ", "")
    meeting = Meeting.objects.select_related("hub").filter(wall_key=typed).first()
    if meeting is None or meeting.wall_opened_at is None:
        raise Http404
    return meeting


def _has_room(request: HttpRequest, meeting: Meeting) -> bool:
    a_minute_ago = timezone.now() - dt.timedelta(minutes=1)
    if meeting.notes.filter(at__gt=a_minute_ago).count() >= ON_ONE_WALL:
        return False
    return limits.has_room("note", limits.who_knocks(request), FROM_ONE_ADDRESS, QUARTER)


# The big screen


def screen_path(meeting: Meeting) -> str:
    """The link that shows the wall, and no more. A new link to write by ends it as well."""
    return reverse("agenda:screen", args=[_signer.sign(f"{meeting.pk}-{meeting.wall_key}")])


def _meeting_on(token: str) -> Meeting:
    try:
        pk, _hyphen, key = _signer.unsign(token).partition("-")
    except BadSignature:
        raise Http404 from None
    known = Meeting.objects.select_related("hub").filter(wall_opened_at__isnull=False)
    return get_object_or_404(known, pk=int(pk), wall_key=key)


@require_GET
@never_cache
def screen(request: PersonRequest, token: str) -> HttpResponse:
    """For everybody in the room: the way to write a note, and the notes. Nobody's name stands on it."""
    meeting = _meeting_on(token)
    address = request.build_absolute_uri(reverse("agenda:note", args=[meeting.wall_key_said]))
    shown = list(_shown(meeting))
    return render(
        request,
        "agenda/screen.html",
        {
            "meeting": meeting,
            "qr": qr(address),
            "address": address.split("://")[-1],
            "piles": _laid_out(meeting, shown),
            "notes": {row["pk"]: row for row in shown},
            "last": max((row["pk"] for row in shown), default=0),
            "etag": _etag(meeting, shown),
            "url": reverse("agenda:screen_notes", args=[token]),
        },
    )


@require_GET
def screen_notes(request: PersonRequest, token: str) -> HttpResponse:
    """What is new on the screen since a note: its notes, and how all of them lie.

    Asked every second or two. Where nothing is different the answer is empty, and costs three small queries.
    """
    meeting = _meeting_on(token)
    shown = list(_shown(meeting))
    etag = _etag(meeting, shown)
    if request.headers.get("If-None-Match") == etag:
        return HttpResponseNotModified(headers={"ETag": etag, "Cache-Control": "private, no-cache"})
    asked = request.GET.get("since", "")
    since = int(asked) if asked.isdecimal() and len(asked) < 19 else 0
    answer = JsonResponse(
        {
            "notes": {row["pk"]: _note_html(row) for row in shown if row["pk"] > since},
            "piles": [
                {"id": pile["id"], "name": pile["name"], "notes": [row["pk"] for row in pile["notes"]]}
                for pile in _laid_out(meeting, shown)
            ],
            "said": _how_many(len(shown)),
            "open": meeting.wall_is_open,
        }
    )
    answer["ETag"], answer["Cache-Control"] = etag, "private, no-cache"
    return answer


def _shown(meeting: Meeting) -> Any:
    """What the room may see now, newest first: rows, not objects, since this is asked again and again."""
    return meeting.notes.for_the_room().values("pk", "pile", "how", words=F("voice__words")).order_by("-pk")


def _etag(meeting: Meeting, shown: list[dict[str, Any]]) -> str:
    names = list(meeting.piles.values_list("pk", "name"))
    laid = [(row["pk"], row["pile"]) for row in shown]
    return f'"{hashlib.sha256(repr((laid, names, meeting.wall_is_open)).encode()).hexdigest()[:32]}"'


def _laid_out(meeting: Meeting, shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """First what lies on no pile yet, where new notes come; then the piles with their notes."""
    piles: dict[int | None, dict[str, Any]] = {None: {"id": 0, "name": "", "notes": []}}
    piles |= {pile.pk: {"id": pile.pk, "name": pile.name, "notes": []} for pile in meeting.piles.all()}
    for row in shown:
        piles[row["pile"]]["notes"].append(row)
    return [pile for pile in piles.values() if pile["notes"] or not pile["id"]]


def _note_html(row: dict[str, Any]) -> str:
    return render_to_string("agenda/_screen_note.html", {"row": row})


def _how_many(number: int) -> str:
    if not number:
        return _("No notes yet. Yours can be the first.")
    return ngettext("%(n)d note", "%(n)d notes", number) % {"n": number}


def qr(address: str) -> str:
    """A picture of an address, as SVG to stand in a page."""
    code = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M, border=4)
    code.add_data(address)
    code.make(fit=True)
    drawn: str = code.make_image(image_factory=qrcode.image.svg.SvgPathImage).to_string(encoding="unicode")
    return drawn


# Whoever leads


@signed_in
def wall(request: PersonRequest, pk: int) -> HttpResponse:
    """Everything that came, and a box to type in what is said or handed in."""
    meeting, by = to_lead(request, pk), request.person
    writes = may(by, "add words", meeting.hub_id)
    form = forms.WriteDownForm(by, meeting, request.POST or None)
    if request.method == "POST":
        must(by, "add words", meeting.hub_id)
        if form.is_valid() and form.does(
            actions.write_down_note,
            by,
            meeting,
            form.cleaned_data["words"],
            form.how,
            form.cleaned_data["token"],
            form.about,
            form.cleaned_data["person"],
        ):
            shown = Note.objects.for_the_room().filter(pk=form.result.pk).exists()
            messages.success(
                request,
                _("It is on the wall.")
                if shown
                else _("It is kept. They allow the group nothing yet, so it is not on the screen."),
            )
            return redirect("agenda:wall", meeting.pk)
    return _wall_page(request, meeting, form if writes else None, forms.PileForm(meeting))


def _wall_page(
    request: PersonRequest,
    meeting: Meeting,
    form: forms.WriteDownForm | None,
    piles: forms.PileForm,
) -> HttpResponse:
    by = request.person
    notes = notes_for(meeting, by)
    on_screen = set(meeting.notes.for_the_room().values_list("pk", flat=True))
    here = [note for note in reversed(notes) if note.taken_off_at is None]
    rows = [
        {"pile": pile, "notes": [(note, note.pk in on_screen) for note in here if note.pile_id == pile.pk]}
        for pile in meeting.piles.select_related("theme")
    ]
    loose = [(note, note.pk in on_screen) for note in here if note.pile_id is None]
    return render(
        request,
        "agenda/wall.html",
        {
            "meeting": meeting,
            "form": form,
            "pile_form": piles,
            "piles": rows,
            "loose": loose,
            "off": [note for note in notes if note.taken_off_at is not None],
            "number": len(here),
            "last": max((note.pk for note in notes), default=0),
            "screen": screen_path(meeting),
            "address": request.build_absolute_uri(reverse("agenda:note", args=[meeting.wall_key_said])),
            "makes_sense": may(by, "make sense", meeting.hub_id),
            "names_people": may(by, "read everything said", meeting.hub_id),
            "ticked": set(piles.data.getlist("notes")) if piles.is_bound else set(),  # type: ignore[attr-defined]
        },
    )


@require_GET
@signed_in
def new_notes(request: PersonRequest, pk: int) -> HttpResponse:
    """How many notes came since the page was made. It does not put them in: somebody may be ticking."""
    meeting = to_lead(request, pk)
    asked = request.GET.get("since", "")
    since = int(asked) if asked.isdecimal() and len(asked) < 19 else 0
    return render(
        request,
        "agenda/_new_notes.html",
        {"meeting": meeting, "since": since, "number": meeting.notes.filter(pk__gt=since).count()},
    )


@require_POST
@signed_in
def open_wall(request: PersonRequest, pk: int) -> HttpResponse:
    """Open it, close it, or give it a new link."""
    meeting, by = to_lead(request, pk), request.person
    if "close" in request.POST:
        press(request, _("The wall is closed. Its notes stay."), actions.close_wall, by, meeting)
    elif "renew" in request.POST:
        said = _("There is a new link. The old one opens nothing any more. Open the big screen again.")
        press(request, said, actions.renew_wall_link, by, meeting)
    else:
        press(request, _("The wall is open."), actions.open_wall, by, meeting)
    return redirect("agenda:wall", meeting.pk)


@require_POST
@signed_in
def lay_together(request: PersonRequest, pk: int) -> HttpResponse:
    meeting, by = to_lead(request, pk), request.person
    form = forms.PileForm(meeting, request.POST)
    if form.is_valid() and form.does(actions.lay_together, by, meeting, **form.cleaned_data):
        messages.success(
            request,
            _("They lie on ‘%(pile)s’ now.") % {"pile": form.result}
            if form.result
            else _("They lie on no pile now."),
        )
        return redirect("agenda:wall", meeting.pk)
    writes = may(by, "add words", meeting.hub_id)
    return _wall_page(request, meeting, forms.WriteDownForm(by, meeting) if writes else None, form)


@require_POST
@signed_in
def take_off(request: PersonRequest, pk: int) -> HttpResponse:
    note = _note(request, pk)
    off = "undo" not in request.POST
    said = _("It is off the screen. Its words are kept.") if off else _("It is on the screen again.")
    press(request, said, actions.take_off, request.person, note, off)
    return redirect("agenda:wall", note.meeting_id)


@signed_in
def who_wrote(request: PersonRequest, pk: int) -> HttpResponse:
    """Say whose note it is, so that they hear what becomes of it."""
    note = _note(request, pk)
    must(request.person, "read everything said", note.meeting.hub_id)
    form = forms.WhoWroteForm(request.person, note.meeting, request.POST or None)
    if form.is_valid() and form.does(actions.say_who, request.person, note, form.cleaned_data["person"]):
        messages.success(request, _("Now they hear what becomes of it."))
        return redirect("agenda:wall", note.meeting_id)
    return render(
        request,
        "agenda/who_wrote.html",
        {"form": form, "note": note, "meeting": note.meeting, "shown": _as_read(note, request.person)},
    )


def _as_read(note: Note, reader: Person) -> Note | None:
    return next((each for each in notes_for(note.meeting, reader) if each.pk == note.pk), None)


@require_POST
@signed_in
def make_theme(request: PersonRequest, pk: int) -> HttpResponse:
    known = Pile.objects.filter(meeting__in=Meeting.objects.of_the_group(request.person))
    pile = get_object_or_404(known.select_related("meeting__hub"), pk=pk)
    must(request.person, "make sense", pile.meeting.hub_id)
    must(request.person, LEAD, pile.meeting.hub_id)
    press(
        request,
        _("‘%(pile)s’ is a theme now, with its notes.") % {"pile": pile},
        actions.make_theme_of,
        request.person,
        pile,
    )
    return redirect("agenda:wall", pile.meeting_id)


def _note(request: PersonRequest, pk: int) -> Note:
    known = Note.objects.filter(meeting__in=Meeting.objects.of_the_group(request.person))
    note = get_object_or_404(known.select_related("meeting__hub", "voice"), pk=pk)
    must(request.person, LEAD, note.meeting.hub_id)
    return note
