"""Times and numbers as people say them. In every template, without loading."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from django import template
from django.core.paginator import Paginator
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

register = template.Library()


def _day(value: date) -> date:
    """The day it is there, for people here."""
    if isinstance(value, datetime):
        return timezone.localtime(value).date() if timezone.is_aware(value) else value.date()
    return value


@register.filter
def said_when(value: object) -> str:
    """A day as people say it: "today", "last Tuesday", "14 March", "March last year". Words stay words."""
    if not isinstance(value, date):
        return "" if value is None else str(value)
    day, today = _day(value), timezone.localdate()
    ago = (today - day).days
    if ago == 0:
        return _("today")
    if ago == 1:
        return _("yesterday")
    if ago == -1:
        return _("tomorrow")
    if 1 < ago < 7:
        return _("last %(weekday)s") % {"weekday": date_format(day, "l")}
    if -7 < ago < -1:
        return date_format(day, "l")
    if day.year == today.year or 0 < ago < 60:
        return date_format(day, "j F")
    if ago < 0:
        return date_format(day, "j F Y")
    if day.year == today.year - 1:
        return _("%(month)s last year") % {"month": date_format(day, "F")}
    return date_format(day, "F Y")


@register.filter
def how_long(value: timedelta | date | None) -> str:
    """How long something took, or has waited since a day: "26 days", "7 weeks", "5 months", "2 years"."""
    if value is None:
        return ""
    days = value.days if isinstance(value, timedelta) else (timezone.localdate() - _day(value)).days
    if days < 1:
        return _("less than a day")
    if days < 28:
        return ngettext("%(n)d day", "%(n)d days", days) % {"n": days}
    if days < 7 * 16:
        weeks = days // 7
        return ngettext("%(n)d week", "%(n)d weeks", weeks) % {"n": weeks}
    if days < 730:
        months = days * 12 // 365
        return ngettext("%(n)d month", "%(n)d months", months) % {"n": months}
    years = days // 365
    return ngettext("%(n)d year", "%(n)d years", years) % {"n": years}


@register.filter
def people_count(number: int) -> str:
    """ "nobody", "1 person", "1,200 people" """
    if number == 0:
        return _("nobody")
    return ngettext("%(n)s person", "%(n)s people", number) % {"n": f"{number:,}"}


@register.filter
def voices_count(number: int) -> str:
    """ "no voices", "1 voice", "23 voices" """
    if number == 0:
        return _("no voices")
    return ngettext("%(n)s voice", "%(n)s voices", number) % {"n": f"{number:,}"}


@register.filter
def pages_near(paginator: Paginator, number: int) -> Iterator[int | None]:
    """The pages worth a link from this one; None where some are left out."""
    for page in paginator.get_elided_page_range(number, on_each_side=1, on_ends=1):
        yield page if isinstance(page, int) else None
