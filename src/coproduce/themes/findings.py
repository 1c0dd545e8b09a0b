"""The findings report: themes, key messages and quotes for one use, with how it was made and what it can't say.

It is made once, as plain data, and written three ways: as a web page, in Word, and on paper as a tagged PDF.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from docx import Document
from docx.document import Document as Word
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml.ns import qn
from docx.shared import Cm, Pt, RGBColor

from coproduce.people.counts import Said, rounded, shift_of
from coproduce.people.paper import to_pdf
from coproduce.themes.models import Outcome, SenseMaking, voices_in
from coproduce.voices.models import Story, Use, Voice, VoiceQuerySet

if TYPE_CHECKING:
    from coproduce.themes.exchange import Going, Group

HERE = Path(__file__).parent
QUOTES_EACH = 6  # of one theme, besides those that its key messages stand on


@dataclass(frozen=True, slots=True)
class Quote:
    words: str
    under: str  # who, how and when, as far as the reader may know


@dataclass(frozen=True, slots=True)
class Message:
    words: str
    agreed: str  # "The group agreed on this on 3 March 2026."
    quotes: list[Quote]


@dataclass(frozen=True, slots=True)
class Found:
    """One theme as the report shows it."""

    name: str
    about: str
    counts: str
    messages: list[Message]
    quotes: list[Quote]


@dataclass(frozen=True, slots=True)
class Findings:
    """All of the report, ready to be written.

    voices: the ids of those whose words are in it.
    """

    title: str
    hub: str
    for_whom: str
    made_on: str
    summary: list[str]
    themes: list[Found]
    method: list[str]
    limits: list[str]
    voices: frozenset[int]


def of(made: Going) -> Findings:
    shown: set[int] = set()
    themes = [_found(made, group, shown) for group in made.groups]
    return Findings(
        title=_("What we heard in %(hub)s") % {"hub": made.hub.name},
        hub=made.hub.name,
        for_whom={
            Use.GROUP: _("For the group. Do not pass it on."),
            Use.SERVICES: _("For services. It names nobody."),
            Use.PUBLIC: _("For anybody. People are named as they chose."),
        }[made.use],
        made_on=date_format(timezone.localdate(), "j F Y"),
        summary=_summary(made),
        themes=themes,
        method=_method(made),
        limits=_limits(made),
        voices=frozenset(shown),
    )


def count(made: Going, number: int, what: str) -> Said:
    """A number as the readers of this report may know it."""
    return Said(number, exact=True) if made.use == Use.GROUP else rounded(number, shift_of(what))


def _found(made: Going, group: Group, shown: set[int]) -> Found:
    theme = group.theme
    members = {theme.pk, *(one.pk for one in group.merged)}
    everybody = Voice.objects.filter(hub=made.hub, pk__in=voices_in([theme.pk]))
    counts = _from_whom(made, everybody, f"theme {theme.pk}")
    used: set[int] = set()
    messages = []
    for message, quotes in made.messages:
        if message.theme_id in members:
            day = date_format(message.agreed_on, "j F Y") if message.agreed_on else ""
            agreed = _("The group agreed on this on %(day)s.") % {"day": day}
            messages.append(Message(message.words, agreed, [_quote(made, pk) for pk in quotes]))
            used |= set(quotes)
    chosen = _some(made, [pk for pk in group.voices if pk not in used])
    shown |= used | set(chosen)
    return Found(
        theme.name,
        theme.about,
        counts,
        messages,
        [_quote(made, pk) for pk in chosen],
    )


def _from_whom(made: Going, voices: VoiceQuerySet, of: str) -> str:
    """How many voices, and how many people: "5 voices, from 2 people and from others whose names we don't have." """
    known = voices.filter(person__isnull=False).order_by().values("person").distinct().count()
    n, people = count(made, voices.count(), f"voices of {of}"), count(made, known, f"people of {of}")
    said = {"voices": n.voices, "people": people.people}
    unknown = made.use == Use.GROUP and voices.filter(person__isnull=True).exists()
    if unknown and not known:
        words = _("%(voices)s, from people whose names we don’t have.")
    elif unknown:
        words = _("%(voices)s, from %(people)s and from others whose names we don’t have.")
    else:
        words = _("%(voices)s, from %(people)s.")
    return capfirst(words % said)


def _some(made: Going, voices: list[int]) -> list[int]:
    """A few, of as many people as there are, in the order in which they were put there."""
    order: list[int] = []
    heard: set[int | None] = set()
    again = []
    for pk in voices:
        person = made.voices[pk].person_id
        if person is None or person not in heard:
            order.append(pk)
            heard.add(person)
        else:
            again.append(pk)
    return (order + again)[:QUOTES_EACH]


def _quote(made: Going, pk: int) -> Quote:
    voice = made.voices[pk]
    who = made.who(voice) or _("Somebody in %(hub)s") % {"hub": made.hub.name}
    when = date_format(voice.said_on, "j F Y" if made.use == Use.GROUP else "F Y")
    return Quote(made.words(voice), f"{who}, {voice.get_came_by_display()}, {when}")


def _summary(made: Going) -> list[str]:
    hub = made.hub
    every = Voice.objects.filter(hub=hub).exclude(words="")
    said = [
        _("This is what people told %(hub)s. %(so_far)s")
        % {"hub": hub.name, "so_far": _from_whom(made, every, f"hub {hub.pk}")}
    ]
    if n := len(made.groups):
        said.append(
            ngettext("%(n)d theme came out of it.", "%(n)d themes came out of it.", n) % {"n": n}
            if made.use == Use.GROUP
            else ngettext("%(n)d theme is in this report.", "%(n)d themes are in this report.", n) % {"n": n}
        )
    return said


def _method(made: Going) -> list[str]:
    """How it was made, from what is on record: nothing is said to have been done that was not."""
    hub = made.hub
    said = [
        _(
            "People told their stories, or said what they wanted to say: on paper, by phone, at meetings, on a form."
        ),
        _(
            "Every quote is in the words in which it was said or written down. No machine writes or changes one."
        ),
    ]
    if stories := Story.objects.filter(hub=hub).count():
        known = count(made, stories, f"stories of hub {hub.pk}")
        said.append(_("Stories that were recorded and written down: %(n)s.") % {"n": known})
    said.append(_("People read what was said and put what belongs together in themes."))
    if any(group.theme.terms for group in made.groups):
        said.append(_("A computer program on our own machine proposed some themes. People decided on each."))
    held = SenseMaking.objects.filter(hub=hub, outcomes__isnull=False).distinct().count()
    if held:
        n = Outcome.objects.filter(session__hub=hub).count()
        said.append(
            ngettext(
                "At %(n)d session those who told the stories said whether the themes are right.",
                "At %(n)d sessions those who told the stories said whether the themes are right.",
                held,
            )
            % {"n": held}
        )
        said.append(ngettext("They decided on %(n)d theme.", "They decided on %(n)d themes.", n) % {"n": n})
    if made.messages:
        said.append(
            _("A key message is one sentence that the group agreed on. It stands on the quotes below it.")
        )
    if made.use != Use.GROUP:
        said.append(_("What could tell who somebody is was hidden in the quotes before they left the group."))
    return said


def _limits(made: Going) -> list[str]:
    said = [
        _("It tells what those who spoke told us. It can’t tell how many others think the same."),
        _(
            "Many voices in a theme does not make it matter more. One voice can say what nobody else dares to."
        ),
        _("Only quotes that may be used for this are in it. What others said counts, and is not shown."),
        _("It tells how things are for people. It can’t tell what caused them."),
        _("A voice can be in several themes. So numbers do not add up to a whole."),
    ]
    if made.use != Use.GROUP:
        said.append(_("Numbers are rounded, and small ones are not told, so that nobody can be picked out."))
        said.append(_("Themes with no quote that may be shown here are not in it."))
    said.append(
        _("It is as of %(day)s. People can take their words back. Ask us before you use a quote later on.")
        % {"day": date_format(timezone.localdate(), "j F Y")}
    )
    return said


# Writing it


def to_page(found: Findings) -> bytes:
    """A web page in one file, which opens without a network."""
    return render_to_string("themes/findings_file.html", {"found": found}).encode()


def to_paper(found: Findings) -> bytes:
    """A tagged PDF, PDF/UA-1."""
    data = asdict(found) | {"voices": []}
    return to_pdf(HERE / "findings.typ", {"found": json.dumps(data), "headings": json.dumps(_headings())})


def _headings() -> dict[str, str]:
    return {
        "themes": _("Themes"),
        "said": _("What people said"),
        "messages": _("Key messages"),
        "method": _("How this was made"),
        "limits": _("What this can’t say"),
        "made_on": _("Made on"),
    }


def to_word(found: Findings) -> bytes:
    """A Word file with real headings and quotes as a style, so that it can be read aloud and put into another."""
    document, headings = Document(), _headings()
    _dress(document, found)
    document.add_heading(_clean(found.title), 0)
    document.add_paragraph(f"{found.for_whom} {headings['made_on']} {found.made_on}.")
    for sentence in found.summary:
        document.add_paragraph(_clean(sentence))
    for theme in found.themes:
        document.add_heading(_clean(theme.name), 1)
        if theme.about:
            document.add_paragraph(_clean(theme.about))
        document.add_paragraph(theme.counts)
        if theme.messages:
            document.add_heading(headings["messages"], 2)
        for message in theme.messages:
            document.add_heading(_clean(message.words), 3)
            document.add_paragraph(message.agreed)
            _quotes(document, message.quotes)
        if theme.quotes:
            document.add_heading(headings["said"], 2)
            _quotes(document, theme.quotes)
    for heading, sentences in ((headings["method"], found.method), (headings["limits"], found.limits)):
        document.add_heading(heading, 1)
        for sentence in sentences:
            document.add_paragraph(_clean(sentence), style="List Bullet")
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def _quotes(document: Word, quotes: Iterable[Quote]) -> None:
    for quote in quotes:
        document.add_paragraph(
            f"“{_clean(quote.words)}”", style="Quote"
        ).paragraph_format.keep_with_next = True
        document.add_paragraph(_clean(quote.under), style="Under a quote")


_NOT_IN_WORD = re.compile("[\0-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]")


def _clean(words: str) -> str:
    """Without the signs that a Word file can't hold."""
    return _NOT_IN_WORD.sub("", words)


def _dress(document: Word, found: Findings) -> None:
    """The project's colours and sizes, and what a screen reader asks for: a title and a language."""
    document.core_properties.title = _clean(found.title)[:255]
    document.core_properties.author = _clean(found.hub)
    document.core_properties.comments = ""
    document.core_properties.language = "en-GB"
    section = document.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    styles = document.styles
    styles["Normal"].font.size = Pt(12)
    styles["Normal"].element.get_or_add_rPr().append(
        styles["Normal"].element.makeelement(qn("w:lang"), {qn("w:val"): "en-GB"})
    )
    for name in ("Title", "Heading 1", "Heading 2", "Heading 3"):
        styles[name].font.color.rgb = RGBColor(0x0F, 0x4C, 0x5C)
    styles["Quote"].font.size, styles["Quote"].font.italic = Pt(13), False
    styles["Quote"].paragraph_format.left_indent = Cm(0.8)
    under = styles.add_style("Under a quote", WD_STYLE_TYPE.PARAGRAPH)
    under.base_style = styles["Normal"]
    under.font.size, under.font.color.rgb = Pt(11), RGBColor(0x5E, 0x56, 0x4C)
    under.paragraph_format.left_indent, under.paragraph_format.space_after = Cm(0.8), Pt(14)
