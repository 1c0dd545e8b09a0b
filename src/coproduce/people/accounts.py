"""Signing in: nobody makes an account for themselves; whoever looks after people gives one.

What allauth asks us: whether somebody may sign up, how messages go, who knocks, and how secrets are kept.
"""

from __future__ import annotations

import base64
import hashlib
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal.ratelimit import truncate_ip
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.encoding import force_bytes
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coproduce.people.models import Account

log = logging.getLogger(__name__)
_sender = ThreadPoolExecutor(max_workers=2, thread_name_prefix="codes")

WORDS = {
    "incorrect_code": gettext_lazy("That code is not right. Look at it once more, or ask for a new one."),
    "too_many_login_attempts": gettext_lazy(
        "That was too often. Wait a few minutes, then ask for a new code."
    ),
    "rate_limited": gettext_lazy("That was too often. Wait a few minutes, then try again."),
    "cannot_delete_authenticator": gettext_lazy("This is your only second step. Add another one first."),
}


def later(do: Callable[[], object]) -> None:
    """Do it after the reply has gone, in this process."""
    _sender.submit(do)


class Adapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | WORDS

    def is_open_for_signup(self, request: HttpRequest | None) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Who knocks, as a hash: limits are kept by it, and no network address is."""
        address = truncate_ip(super().get_client_ip(request))
        return salted_hmac("coproduce.who-knocks", address, algorithm="sha256").hexdigest()[:32]

    def is_reauthentication_required(self, app: str = "") -> bool:
        return True

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """A passkey first, for who has one: it is the easiest."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return sorted(methods, key=lambda method: "webauthn" not in method["id"])

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Written now, sent after the reply: how long that takes, or that it fails, would tell who has an account."""
        message = self.render_mail(
            template_prefix, email, {"request": self.request, "email": email} | context
        )
        later(lambda: _send(message))

    def send_notification_mail(
        self,
        template_prefix: str,
        user: Account,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Every change to the second step is told in one and the same message."""
        self.send_mail("account/email/second_step_changed", email or user.email, {})


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except Exception:
        log.exception("A message about signing in could not be sent.")


class MFAAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | WORDS

    def _get_site_name(self) -> str:
        return "Coproduce"

    def get_public_key_credential_user_entity(self, user: Account) -> dict[str, Any]:
        return super().get_public_key_credential_user_entity(user) | {"display_name": user.person.name}

    def generate_authenticator_name(self, user: Account, type: Authenticator.Type) -> str:
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return _("My phone or computer") if number == 1 else _("Passkey %(number)d") % {"number": number}

    def encrypt(self, text: str) -> str:
        return _keys().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _keys().decrypt(encrypted_text.encode()).decode()


def _keys() -> MultiFernet:
    """Made from the key of this installation, so that the database alone gives no codes away."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [hashlib.sha256(b"coproduce.second-step" + force_bytes(secret)).digest() for secret in secrets]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
