"""What people did with a theme: the acts on record, told in words."""

from __future__ import annotations

from django.db import models
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _t
from django.utils.translation import ngettext

from coproduce.people.models import Act, Person
from coproduce.themes.models.themes import Theme

MOVED_OUT = "take voices out of"


def acts_on(thing: models.Model) -> QuerySet[Act]:
    """What was done with a theme or a key message, latest first."""
    return Act.objects.filter(thing=thing._meta.label_lower, thing_id=thing.pk)


def last_act(theme: models.Model) -> int:
    """The number of the latest; 0 where there is none. A page sends it back, so that nobody undoes unseen what
    somebody else just did."""
    return acts_on(theme).values_list("pk", flat=True).first() or 0


def undone(theme: Theme) -> set[int]:
    """The numbers of the acts on it that were undone."""
    undoing = acts_on(theme).filter(verb="undo a move out of")
    return {detail["act"] for detail in undoing.values_list("detail", flat=True)}


def told_act(act: Act, reader: Person) -> str:
    """One act in a sentence: "Ify put 3 voices in, at 10:14." """
    who = act.by.name_for(reader) if act.by else _t("Somebody")
    stood = act.detail.get("stood", {})
    n = len(act.detail.get("voices", ())) or sum(len(voices) for voices in stood.values())
    said = {
        "make": _t("%(who)s made the theme"),
        "name": _t("%(who)s changed its words"),
        "confirm": _t("%(who)s confirmed it"),
        "open again": _t("%(who)s opened it again"),
        "place voices in": ngettext("%(who)s put %(n)d voice in", "%(who)s put %(n)d voices in", n),
        MOVED_OUT: ngettext(
            "%(who)s moved %(n)d voice to another theme", "%(who)s moved %(n)d voices to another theme", n
        )
        if act.detail.get("into")
        else ngettext("%(who)s took %(n)d voice out", "%(who)s took %(n)d voices out", n),
        "give voices back from": ngettext(
            "%(who)s moved %(n)d voice back", "%(who)s moved %(n)d voices back", n
        ),
        "undo a move out of": ngettext("%(who)s put %(n)d voice back", "%(who)s put %(n)d voices back", n),
        "merge": _t("%(who)s merged it into another theme"),
        "merge another into": _t("%(who)s merged another theme into it"),
        "undo the merge of": _t("%(who)s undid a merge"),
        "give a theme back from": _t("%(who)s let a merged theme stand on its own again"),
        "discard": _t("%(who)s discarded it"),
        "undo the discarding of": _t("%(who)s took it back"),
        "agree on": _t("%(who)s wrote down what a session said about it"),
    }.get(act.verb, _t("%(who)s changed something"))
    at = timezone.localtime(act.at)
    when = date_format(at, "H:i") if at.date() == timezone.localdate() else date_format(at, "j F")
    return _t("%(what)s (%(when)s).") % {"what": said % {"who": who, "n": n}, "when": when}
