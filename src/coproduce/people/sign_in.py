"""The pages of signing in that are not allauth's own, and what its forms say in our words.

Who looks after what others said, or who they are, takes a second step: a passkey, or a code from an app. It is
asked for again after half a day, so that a computer left open in a day centre does not stay open.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.account.forms import ConfirmLoginCodeForm, RequestLoginCodeForm
from allauth.account.internal.flows.login import (
    clear_authentication_records,
    get_authentication_records,
    record_authentication,
)
from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.account.internal.stagekit import get_pending_stage
from allauth.account.signals import login_code_rejected
from allauth.account.views import confirm_login_code, request_login_code
from allauth.core.internal.ratelimit import respond_429
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authentication_failed, authenticator_added, authenticator_removed
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME, update_session_auth_hash
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from coproduce.people import limits
from coproduce.people.actions import end_sessions
from coproduce.people.limits import who_knocks
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Account
from coproduce.people.permissions import looks_after_others

log = logging.getLogger("coproduce.security")

HALF_A_DAY = 12 * 60 * 60
TO_FINISH = 60 * 60  # who is writing when the half day ends may still send it
STEPS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]

# Pages that open before the second step: those of signing in, and those for everybody.
BEFORE_IT = {"how_this_works", "privacy", "accessibility", "words", "second_step"}


# The code by email


class AskForCodeForm(RequestLoginCodeForm):
    email = forms.EmailField(
        label=_("Your email address"), widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )

    def clean_email(self) -> str:
        """For an address nobody has, a message is written as well, and goes nowhere: it takes the same time."""
        email = str(super().clean_email())
        if self._user is None:
            adapter = get_adapter()
            context = {"email": email, "code": adapter.generate_login_code()}
            adapter.render_mail("account/email/login_code", email, context)
        return email


class CodeForm(ConfirmLoginCodeForm):
    code = forms.CharField(
        label=_("Your code"),
        help_text=_("Eight letters, like BCDF-GHJK. Small letters are fine too."),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "spellcheck": "false"}),
    )


def ask_for_code(request: HttpRequest) -> HttpResponseBase:
    return request_login_code(request)


def confirm_code(request: HttpRequest) -> HttpResponseBase:
    """Three tries a code. allauth counts them in the session, where many at once would count as one; so we do too."""
    if request.method == "POST":
        if not limits.has_room("codes-tried", who_knocks(request), 60, 60 * 60):
            return respond_429(request)
        stage = get_pending_stage(request)
        which = f"{request.session.session_key}:{stage.state.get('at')}" if stage else ""
        tries = settings.ACCOUNT_LOGIN_BY_CODE_MAX_ATTEMPTS
        if stage and not limits.has_room("tries", which, tries, settings.ACCOUNT_LOGIN_BY_CODE_TIMEOUT * 4):
            return respond_429(request)
    return confirm_login_code(request)


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Where allauth sends people who are to sign in: there is one page for it."""
    onward = request.GET.get(REDIRECT_FIELD_NAME)
    query = f"?{urlencode({REDIRECT_FIELD_NAME: onward})}" if onward else ""
    return redirect(reverse("account_request_login_code") + query)


# The second step


class PasskeyForm(AddWebAuthnForm):
    name = forms.CharField(
        label=_("What do you call this device?"),
        help_text=_("So that you know it again in the list."),
        max_length=60,
    )
    passwordless = forms.BooleanField(
        label=_("Sign in with this passkey alone, without a code by email"),
        help_text=_("Take the tick out if you have an older security key that says it can’t."),
        required=False,
        initial=True,
    )


class PasskeyNameForm(EditWebAuthnForm):
    name = forms.CharField(label=_("What do you call this device?"), max_length=60)


def _code_from_app(help_text: Any) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"})
    return forms.CharField(label=_("Your code"), help_text=help_text, max_length=20, widget=widget)


class SecondStepForm(AuthenticateForm):
    code = _code_from_app(_("Six numbers from your app, or eight from your spare codes."))


class SecondStepAgainForm(ReauthenticateForm):
    code = _code_from_app(_("Six numbers from your app, or eight from your spare codes."))


class AppForm(ActivateTOTPForm):
    code = _code_from_app(_("Six numbers from your app. It shows new ones every half minute."))


@signed_in
def second_step(request: PersonRequest) -> HttpResponse:
    """What to do, for who has no second step yet."""
    onward = request.GET.get(REDIRECT_FIELD_NAME, "")
    if not url_has_allowed_host_and_scheme(onward, allowed_hosts={request.get_host()}):
        onward = reverse("home")
    if took_it(request):
        return redirect(onward)
    return render(request, "account/second_step.html")


def took_it(request: HttpRequest, within: int = HALF_A_DAY) -> bool:
    """Whether whoever is signed in here has taken the second step in this session, not too long ago."""
    records = get_authentication_records(request, request.user)
    return any(record.get("method") == "mfa" and record["at"] > time.time() - within for record in records)


def ask_for_second_step(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """No page of the group opens to who looks after others before they took the second step."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_view(request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        person = request.person  # type: ignore[attr-defined]
        if not settings.SECOND_FACTOR_FOR_STAFF or person is None:
            return None
        name = (request.resolver_match.view_name if request.resolver_match else "") or ""
        if name in BEFORE_IT or name.startswith(("account_", "mfa_")):
            return None
        reading = request.method in ("GET", "HEAD")
        if took_it(request, HALF_A_DAY if reading else HALF_A_DAY + TO_FINISH):
            return None
        if not (looks_after_others(person) or getattr(request.user, "is_administrator", False)):
            return None
        has_one = Authenticator.objects.filter(user=request.user.pk, type__in=STEPS).exists()
        where = "mfa_reauthenticate" if has_one else "second_step"
        onward = request.get_full_path() if reading else reverse("home")
        return redirect(f"{reverse(where)}?{urlencode({REDIRECT_FIELD_NAME: onward})}")

    middleware.process_view = process_view  # type: ignore[attr-defined]
    return middleware


@require_POST
@signed_in
def sign_out_elsewhere(request: PersonRequest) -> HttpResponse:
    end_sessions(request.person)
    stay(request)
    messages.success(request, _t("You are signed out everywhere else."))
    return redirect("mfa_index")


def stay(request: HttpRequest) -> None:
    """After the sessions of whoever asks have ended: this one goes on, under a new key."""
    account = Account.objects.filter(pk=request.user.pk or 0).first()
    if account is not None:
        request.user = account
        update_session_auth_hash(request, account)


def must_be_you(request: HttpRequest) -> None:
    """Before the way in is changed: who has a second step takes it again, unless it was just now."""
    raise_if_reauthentication_required(request, app="coproduce.people")


def second_step_changed(
    sender: Any, request: HttpRequest, user: Any, authenticator: Authenticator, **rest: Any
) -> None:
    """Who adds a second step has shown that they have it. Whoever else is signed in as them is not any more."""
    log.info("account %s changed its second step (%s)", user.pk, authenticator.type)
    end_sessions(user.person)
    stay(request)
    if not Authenticator.objects.filter(user=user, type__in=STEPS).exists():
        clear_authentication_records(request)  # without one, it has not been taken here either
    if rest.get("signal") is authenticator_added and authenticator.type in STEPS:
        record_authentication(
            request, user, "mfa", id=authenticator.pk, type=authenticator.type, reauthenticated=True
        )


for changed in (authenticator_added, authenticator_removed):
    changed.connect(second_step_changed, dispatch_uid="coproduce.second_step_changed")


# What the log says: an account's number and a hash of where from, never a name and never a word


def _whence(request: HttpRequest | None) -> str:
    try:
        return who_knocks(request) if request else "here"
    except PermissionDenied:  # a request that nobody sent, as in a script
        return "here"


def _log(sentence: str) -> Callable[..., None]:
    def say(sender: Any, request: HttpRequest | None = None, user: Any = None, **rest: Any) -> None:
        log.info(f"account %s {sentence}, from %s", user and user.pk, _whence(request))

    return say


for signal, sentence in (
    (user_logged_in, "signed in"),
    (user_logged_out, "signed out"),
    (login_code_rejected, "was tried with a wrong code"),
    (authentication_failed, "was tried with a wrong second step"),
):
    signal.connect(_log(sentence), weak=False, dispatch_uid=f"coproduce.log {sentence}")
