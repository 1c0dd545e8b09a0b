"""What far sides tell us afterwards, at an address of ours: a message arrived, or it did not.

Each says with a bearer token that it is really them; without one in the settings the address does not exist. A
reference that is none of ours is taken all the same, so that the far side does not send it again and again: it may be
from another installation on the same account, or from somebody who was erased since.
"""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from coproduce.hearback import sending
from coproduce.hearback.channels.notify import outcome_of

MOST = 64 * 1024  # bytes; theirs have some hundred
ARRIVED, NOT_ARRIVED = {"delivered", "arrived"}, {"failed", "undelivered", "rejected", "expired"}


@csrf_exempt
@require_POST
def notify(request: HttpRequest) -> HttpResponse:
    """GOV.UK Notify: JSON with our `reference` and a `status`."""
    said = _said(request, settings.NOTIFY_CALLBACK_TOKEN)
    if said is None:
        return _not_understood()
    _take(str(said.get("reference") or ""), outcome_of(str(said.get("status"))))
    return HttpResponse(status=204)


@csrf_exempt
@require_POST
def text(request: HttpRequest) -> HttpResponse:
    """A gateway for texts: `reference`, and `status` delivered or failed, as JSON or as a form."""
    said = _said(request, settings.SMS_CALLBACK_TOKEN)
    if said is None:
        return _not_understood()
    status = str(said.get("status", "")).lower()
    _take(
        str(said.get("reference", "")),
        True if status in ARRIVED else False if status in NOT_ARRIVED else None,
    )
    return HttpResponse(status=204)


def _said(request: HttpRequest, token: str) -> dict[str, Any] | None:
    """What they said, or None if it can't be read. Whoever can't show the token learns nothing: 404."""
    shown = request.headers.get("Authorization", "")
    if not token or not constant_time_compare(shown, f"Bearer {token}"):
        raise Http404
    said: Any = request.POST.dict()
    if request.content_type == "application/json":
        try:
            said = json.loads(request.body[:MOST])
        except ValueError:
            return None
    return said if isinstance(said, dict) and "status" in said else None


def _not_understood() -> HttpResponse:
    return HttpResponse(
        "Send a JSON object with a reference and a status.\n", status=400, content_type="text/plain"
    )


def _take(reference: str, it_arrived: bool | None) -> None:
    if not reference:
        return
    if it_arrived is None:
        sending.taken(reference)
    elif it_arrived:
        sending.arrived(reference)
    else:
        sending.bounced(reference, _("It did not arrive."))
