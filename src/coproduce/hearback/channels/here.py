"""Which channels this installation uses: for each kind of way the first that it was told about."""

from __future__ import annotations

from coproduce.hearback.channels import Channel, Result, Says, notify
from coproduce.hearback.channels.email import Smtp
from coproduce.hearback.channels.gateway import Gateway
from coproduce.people.models import Way

KNOWN: list[Channel] = [notify.EMAIL, Smtp(), notify.TEXT, Gateway(), notify.LETTER]


def senders() -> list[Channel]:
    """The channels that send by themselves here, one for each kind."""
    chosen: dict[Way.Kind, Channel] = {}
    for channel in KNOWN:
        if channel.kind not in chosen and channel.is_set_up():
            chosen[channel.kind] = channel
    return list(chosen.values())


def said_by(kind: str, address: str, words: str, reference: str) -> Result | None:
    """Say a few words to an address by email or text: what came of it, or None where no machine sends that here."""
    line = next((each for each in senders() if each.kind == kind), None)
    return line.say(address, words, reference) if isinstance(line, Says) else None


def sent_by_machine() -> list[Way.Kind]:
    return [channel.kind for channel in senders()]


def by_hand(kind: str) -> list[str]:
    """The kinds of way that a person sees to on one list of work.

    Where no machine sends texts, whoever likes a text best is rung; where one sends letters, nobody prints any.
    """
    machine = sent_by_machine()
    kinds = [kind] if kind not in machine else []
    if kind == Way.Kind.PHONE and Way.Kind.TEXT not in machine:
        kinds.append(Way.Kind.TEXT)
    return [str(each) for each in kinds]
