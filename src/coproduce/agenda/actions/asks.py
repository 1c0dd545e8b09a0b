"""What becomes of an ask: it comes, its address is confirmed, the group answers, the service hears."""

from __future__ import annotations

import datetime as dt

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from coproduce.agenda.models import Answer, Ask, AskEmail, Topic
from coproduce.agenda.tasks import notice_what_hubs_share, send_to_services
from coproduce.people.actions import record
from coproduce.people.models import Hub, Person
from coproduce.people.permissions import must


@transaction.atomic
def ask(
    hub: Hub,
    organisation: str,
    wants: str,
    why: str,
    decided: str,
    pays: str,
    will_do: str,
    name: str,
    email: str,
    by_when: dt.date | None = None,
    checked: bool = False,
) -> Ask:
    """Keep what a service asks, and owe it the link that confirms its address. Everybody may; nobody sees it yet."""
    if by_when and by_when <= timezone.localdate():
        raise ValidationError({"by_when": _("That day is over. Write a day to come, or leave it empty.")})
    asked = Ask.objects.create(
        hub=hub,
        organisation=organisation.strip(),
        wants=wants.strip(),
        why=why.strip(),
        by_when=by_when,
        decided=decided.strip(),
        pays=pays.strip(),
        will_do=will_do.strip(),
        name=name.strip(),
        email=email.strip().lower(),
        checked=checked,
    )
    _owe(asked, AskEmail.What.CONFIRM)
    record(None, "ask", asked, hub)
    return asked


@transaction.atomic
def confirm(asked: Ask) -> None:
    """Whoever asked opened the link that only their mailbox got, and pressed the button: the group sees it now."""
    if Ask.objects.filter(pk=asked.pk, confirmed_at__isnull=True).update(confirmed_at=timezone.now()):
        record(None, "confirm", asked, asked.hub_id)


@transaction.atomic
def answer_ask(by: Person, asked: Ask, answer: str, reason: str) -> Ask:
    """Write down what the group says, and why. The service is owed an email in the same transaction.

    Take it on: it becomes a topic of the group. What was answered stays answered: the service has been told.
    """
    must(by, "answer an ask", asked.hub_id)
    held = Ask.objects.select_for_update().select_related("hub").get(pk=asked.pk)
    if held.confirmed_at is None or answer not in Answer.values:
        raise ValidationError({"answer": _("Choose what the group says.")})
    if held.answer:
        raise ValidationError(_("Somebody has written down an answer already. The service has been told."))
    if not reason.strip():
        raise ValidationError({"reason": _("Write why, in the group’s own words. The service hears it.")})
    held.answer, held.reason = answer, reason.strip()
    held.answered_on, held.answered_by = timezone.localdate(), by
    if answer == Answer.TAKE_IT_ON:
        held.topic = Topic.objects.create(hub=held.hub, title=held.wants, why=held.why)
        record(by, "raise", held.topic, held.hub_id)
        notice_what_hubs_share.enqueue()
    held.save()
    _owe(held, AskEmail.What.ANSWER)
    record(by, "answer", held, held.hub_id, answer=str(answer))
    return held


@transaction.atomic
def send_again(by: Person, email: AskEmail) -> None:
    """Nobody can tell whether it went, or the address refused it: a person says that it goes once more."""
    must(by, "answer an ask", email.ask.hub_id)
    held = AskEmail.objects.select_for_update().get(pk=email.pk)
    if held.is_unsure or held.problem:
        held.claimed_at, held.problem = None, ""
        held.save(update_fields=["claimed_at", "problem"])
        send_to_services.enqueue()
        record(by, "send again", held, email.ask.hub_id)


def _owe(asked: Ask, what: str) -> None:
    AskEmail.objects.create(ask=asked, what=what)
    send_to_services.enqueue()


def forget_what_was_not_confirmed() -> int:
    """What nobody confirmed within a week is deleted: the address may be somebody else's."""
    late = timezone.now() - Ask.UNCONFIRMED_FOR
    return Ask.objects.filter(confirmed_at__isnull=True, sent_at__lt=late).delete()[0]
