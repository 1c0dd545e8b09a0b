"""How the installation is, for who keeps it running. Nothing of what people said, and no names."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import dataclass

from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

import coproduce
from coproduce.people.middleware import signed_in
from coproduce.site.keeping import last_backup
from coproduce.site.models import Worker

LITTLE = 2 * 1024**3  # bytes left on the disk
LATE = dt.timedelta(minutes=10)


@dataclass(frozen=True)
class Sign:
    """One thing about the installation, and what to do if it is not well."""

    what: str
    how: str
    well: bool = True
    do: str = ""


@signed_in
def page(request: HttpRequest) -> HttpResponse:
    if not getattr(request.user, "is_administrator", False):
        raise Http404
    found = signs()
    troubles = sum(not sign.well for sign in found)
    return render(request, "site/installation.html", {"signs": found, "troubles": troubles})


def signs() -> list[Sign]:
    return [_database(), _worker(), _queue(), _failed(), _backup(), _disk(), _email(), _version()]


def _database() -> Sign:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    kind = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}.get(connection.vendor, connection.vendor)
    how = _("%(kind)s is not up to date.") if missing else _("%(kind)s answers.")
    do = _("Stop it and start it again: ./run serve brings it up to date.")
    return Sign(_("Database"), how % {"kind": kind}, not missing, do)


def _worker() -> Sign:
    alive = sum(worker.is_alive() for worker in Worker.objects.all())
    how = ngettext("%(n)d is working.", "%(n)d are working.", alive) if alive else _("None is working.")
    do = _("Start one: ./run worker. Until then nobody hears.")
    return Sign(_("Workers"), how % {"n": alive}, bool(alive), do)


def _queue() -> Sign:
    waiting = DBTaskResult.objects.filter(status=TaskResultStatus.READY)
    number = waiting.count()
    oldest = waiting.order_by("enqueued_at").values_list("enqueued_at", flat=True).first()
    how = ngettext("%(n)d job waits.", "%(n)d jobs wait.", number) % {"n": number}
    if oldest:
        how += " " + _("The oldest has waited %(time)s.") % {"time": timesince(oldest)}
    late = bool(oldest and oldest < timezone.now() - LATE)
    return Sign(_("Queue"), how, not late, _("Start one more worker: ./run worker."))


def _failed() -> Sign:
    since = timezone.now() - dt.timedelta(days=7)
    number = DBTaskResult.objects.filter(status=TaskResultStatus.FAILED, finished_at__gte=since).count()
    how = ngettext("%(n)d job failed this week.", "%(n)d jobs failed this week.", number) % {"n": number}
    return Sign(_("Failed"), how, not number, _("What went wrong stands in the log of the worker."))


def _backup() -> Sign:
    made = last_backup()
    if made is None:
        return Sign(_("Last backup"), _("None was made yet."), False, _("Make one: ./run backup FILE.zip."))
    fresh = made > timezone.now() - dt.timedelta(days=2)
    said = date_format(timezone.localtime(made), "j F Y, H:i")
    return Sign(_("Last backup"), said, fresh, _("It is more than two days old. Make one."))


def _disk() -> Sign:
    room = shutil.disk_usage(settings.VAR)
    gigabytes = {"free": room.free / 1024**3, "all": room.total / 1024**3}
    how = _("%(free).1f GB of %(all).1f GB are free.") % gigabytes
    return Sign(_("Disk"), how, room.free > LITTLE, _("Make room. When it is full, nothing new can be kept."))


def _email() -> Sign:
    if settings.EMAIL_IS_SET_UP:
        return Sign(_("Email"), _("It is set up."))
    how = _("It is not set up. Messages become files and reach nobody.")
    return Sign(_("Email"), how, False, _("Set EMAIL_URL (see README.md)."))


def _version() -> Sign:
    return Sign(_("Version"), coproduce.__version__)
