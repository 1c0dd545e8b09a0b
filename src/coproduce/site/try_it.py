"""Try-it mode: sign-in links for the cast of the demo town. Only ever on this machine."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import login
from django.core.signing import BadSignature, Signer
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse

from coproduce.people.models import Person
from coproduce.site import demo

_signer = Signer(salt="try-it")
LOOPBACK = {"127.0.0.1", "::1"}


def sign_in_links() -> list[tuple[str, str, str]]:
    """For each member of the cast who has an account: name, who they are, and the path that signs them in."""
    about = demo.cast()
    return [
        (person.name, about.get(person.name, ""), reverse("try_it", args=[_signer.sign(str(person.pk))]))
        for person in Person.objects.filter(account__isnull=False).order_by("pk")
    ]


def sign_in(request: HttpRequest, token: str) -> HttpResponse:
    """Sign in as a member of the cast."""
    if not settings.TRY_IT:
        raise Http404
    try:
        pk = int(_signer.unsign(token))
    except BadSignature:
        raise Http404 from None
    person = get_object_or_404(Person.objects.select_related("account"), pk=pk, account__isnull=False)
    login(request, person.account, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("home")


def only_this_machine(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """In try-it mode, refuse whatever comes from another machine, also through a proxy on this one."""

    def middleware(request: HttpRequest) -> HttpResponse:
        forwarded = any(
            name in request.META for name in ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_VIA")
        )
        if settings.TRY_IT and (forwarded or request.META.get("REMOTE_ADDR") not in LOOPBACK):
            return HttpResponseForbidden("Try-it mode is for this machine only. Use ./run serve for a group.")
        return get_response(request)

    return middleware
