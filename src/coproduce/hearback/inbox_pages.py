"""What people wrote back: the two addresses where far sides hand it in, and the queue of what nobody could match."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from email.message import EmailMessage
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from coproduce.engine.inbox import read_email
from coproduce.hearback import replies as verbs
from coproduce.hearback.forms import MatchForm
from coproduce.hearback.models import Enclosed, Reply
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.pages import page_of, press
from coproduce.people.permissions import NotAllowed, hubs_where

MOST = 25_000_000  # bytes

# Far sides hand in what came


@csrf_exempt
@require_POST
def inbound_email(request: HttpRequest) -> HttpResponse:
    """One email as JSON: `raw`, the email itself as text or in base64; or `from`, `to`, `subject`, `text` (or `html`)
    and `headers`, as services that receive email hand it on. 204 when it is taken in."""
    said = _said(request)
    raw = _as_email(said) if said is not None else b""
    if not raw.strip():
        return _not_understood('Send a JSON object with "raw", or with "from", "to" and "text".')
    verbs.take_email(read_email(raw))
    return HttpResponse(status=204)


@csrf_exempt
@require_POST
def inbound_text(request: HttpRequest) -> HttpResponse:
    """One text message as JSON: as GOV.UK Notify hands it on (`id`, `source_number`, `message`, `date_received`), or
    `id`, `from` and `text`. 204 when it is taken in."""
    said = _said(request) or {}
    sender = str(said.get("source_number") or said.get("from") or "")
    words = str(said.get("message") or said.get("text") or "")
    if not sender or not words.strip():
        return _not_understood('Send a JSON object with "id", "source_number" and "message".')
    number = str(said.get("id") or f"{sender} {said.get('date_received', '')} {words}")
    verbs.take_text(number, sender, words, _when(str(said.get("date_received") or "")))
    return HttpResponse(status=204)


def _said(request: HttpRequest) -> dict[str, Any] | None:
    """What they said, or None if it can't be read. Whoever can't show the token learns nothing: 404."""
    shown, token = request.headers.get("Authorization", ""), settings.INBOUND_TOKEN
    if not token or not constant_time_compare(shown, f"Bearer {token}"):
        raise Http404
    try:
        said = json.loads(request.body[:MOST])
    except ValueError:
        return None
    return said if isinstance(said, dict) else None


def _as_email(said: dict[str, Any]) -> bytes:
    raw = said.get("raw")
    if isinstance(raw, str):
        try:
            return base64.b64decode(raw, validate=True)
        except (binascii.Error, ValueError):
            return raw.encode()
    if not said.get("from") or not (said.get("text") or said.get("html")):
        return b""
    email = EmailMessage()
    headers = said.get("headers") if isinstance(said.get("headers"), dict) else {}
    known = {"From": said["from"], "To": said.get("to"), "Subject": said.get("subject")}
    known |= {
        name: said.get(key)
        for name, key in (
            ("Message-ID", "message_id"),
            ("In-Reply-To", "in_reply_to"),
            ("References", "references"),
        )
    }
    for name, value in {**(headers or {}), **{name: value for name, value in known.items() if value}}.items():
        line = " ".join(str(", ".join(map(str, value)) if isinstance(value, list) else value).split())
        if name.replace("-", "").isalnum() and not name.lower().startswith("content-") and name not in email:
            try:
                email[name] = line
            except (ValueError, IndexError):  # it is no such header: we do without it
                continue
    email.set_content(
        str(said.get("text") or said.get("html")), subtype="plain" if said.get("text") else "html"
    )
    return email.as_bytes()


def _when(said: str) -> dt.datetime | None:
    try:
        at = parse_datetime(said)
    except ValueError:
        return None
    return timezone.make_aware(at) if at and timezone.is_naive(at) else at


def _not_understood(what: str) -> HttpResponse:
    return HttpResponse(f"{what}\n", status=400, content_type="text/plain")


# What nobody could match


@signed_in
def replies(request: PersonRequest) -> HttpResponse:
    if not hubs_where(request.person, "tell people"):
        raise NotAllowed("tell people")
    waiting = Reply.objects.visible_to(request.person).waiting()
    files = verbs.enclosed.to_look_at(request.person)
    return render(request, "hearback/replies.html", {"page": page_of(request, waiting), "files": files[:50]})


@signed_in
def enclosed(request: PersonRequest, pk: int) -> FileResponse:
    """A file that came with an answer, to be saved: a page of ours never shows it, so nothing in it can act here."""
    known = get_object_or_404(Enclosed.objects.visible_to(request.person).exclude(file=""), pk=pk)
    ending = verbs.enclosed.ENDINGS[known.kind]
    answer = FileResponse(
        known.file.open(), as_attachment=True, filename=f"answer-{known.pk}.{ending}", content_type=known.kind
    )
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    return answer


@require_POST
@signed_in
def enclosed_seen(request: PersonRequest, pk: int) -> HttpResponse:
    known = get_object_or_404(Enclosed.objects.visible_to(request.person), pk=pk)
    press(request, _("Done."), verbs.enclosed.seen, request.person, known)
    return redirect("hearback:replies")


@signed_in
def reply(request: PersonRequest, pk: int) -> HttpResponse:
    """One of them: whoever knows who wrote it says so; or it is put aside."""
    known = get_object_or_404(Reply.objects.visible_to(request.person).waiting(), pk=pk)
    if "aside" in request.POST:
        press(
            request,
            _("Put aside. It is forgotten after three months."),
            verbs.put_aside,
            request.person,
            known,
        )
        return redirect("hearback:replies")
    form = MatchForm(request.person, request.POST or None, initial={"person": known.person_id})
    if form.is_valid() and form.does(verbs.match, request.person, known, form.cleaned_data["person"]):
        messages.success(request, _("It is theirs now, in their own words."))
        return redirect("hearback:replies")
    return render(request, "hearback/reply_to_match.html", {"reply": known, "form": form})
