"""Files that came with an answer by email: pictures, sound and PDFs are kept for who looks after the group.

Nothing here opens them; they are handed out as they came, to be saved, and never shown in a page. What is not kept is
said to whoever sent it and to whoever looks after the group, so that it can be had some other way.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import get_random_string

from coproduce.engine import inbox
from coproduce.hearback.models import Enclosed, Reply
from coproduce.people.actions import record
from coproduce.people.models import Person
from coproduce.people.permissions import NotAllowed

LARGEST = 8_000_000  # bytes of one file; a phone's picture has some three million
ENDINGS = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "image/heic": "heic",
    "image/avif": "avif",
    "application/pdf": "pdf",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/amr": "amr",
    "audio/wav": "wav",
    "audio/mp4": "m4a",
    "audio/3gpp": "3gp",
}


def keep(reply: Reply, files: Iterable[inbox.Enclosed]) -> None:
    """Keep what came with a reply: part of taking it in."""
    for each in files:
        enclosed = Enclosed(reply=reply, name=each.name, kind=each.kind, size=len(each.content))
        if each.kind in ENDINGS and 0 < len(each.content) <= LARGEST:
            name = f"{get_random_string(20)}.{ENDINGS[each.kind]}"
            enclosed.file.save(name, ContentFile(each.content), save=False)
        enclosed.save()


def not_kept(reply: Reply) -> QuerySet[Enclosed]:
    return reply.enclosed.filter(file="")


def to_look_at(person: Person | None) -> QuerySet[Enclosed]:
    """What nobody has looked at yet, of what this person may see."""
    return Enclosed.objects.visible_to(person).filter(seen_at=None).select_related("reply__hub")


@transaction.atomic
def seen(by: Person, enclosed: Enclosed) -> None:
    """Somebody has looked at it, or has asked for what was not kept. Twice changes nothing."""
    if not Enclosed.objects.visible_to(by).filter(pk=enclosed.pk).exists():
        raise NotAllowed("tell people")
    if Enclosed.objects.filter(pk=enclosed.pk, seen_at=None).update(seen_at=timezone.now(), seen_by=by):
        record(by, "look at what came with", enclosed.reply, enclosed.reply.hub_id)


def files_of(replies: QuerySet[Reply]) -> list[str]:
    """The names of the files that came with these, for whoever deletes them: the files have to go as well."""
    kept = Enclosed.objects.filter(reply__in=replies).exclude(file="")
    return list(kept.values_list("file", flat=True))
