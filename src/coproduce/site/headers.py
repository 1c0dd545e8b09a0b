"""What goes on every answer besides the content security policy, errors and static files included."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control

Answer = Callable[[HttpRequest], HttpResponse]

NOT_FOR_US = (
    "accelerometer autoplay camera display-capture encrypted-media geolocation gyroscope magnetometer microphone "
    "midi payment usb"
)
FOR_PASSKEYS = "publickey-credentials-create publickey-credentials-get"
PERMISSIONS = ", ".join(
    [*(f"{name}=()" for name in NOT_FOR_US.split()), *(f"{name}=(self)" for name in FOR_PASSKEYS.split())]
)


def on_every_answer(get_response: Answer) -> Answer:
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.setdefault("Permissions-Policy", PERMISSIONS)
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        is_ours_alone = getattr(request, "person", None) is not None or request.path.startswith("/account/")
        if is_ours_alone and "Cache-Control" not in response:
            # A shared computer keeps no page of somebody's: after signing out the way back shows none.
            patch_cache_control(response, no_store=True, private=True)
        return response

    return middleware


def not_too_large(get_response: Answer) -> Answer:
    """Refuse a body that nothing here takes, before it is read. (Without a length it is not read at all.)"""

    def middleware(request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if length.isdecimal() and int(length) > settings.LARGEST_REQUEST:
            return HttpResponse(
                "This is too large to send.", status=413, content_type="text/plain; charset=utf-8"
            )
        return get_response(request)

    return middleware
