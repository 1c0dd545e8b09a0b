"""Everything somebody said here and what became of each, in order of time: to read, to print, to read out."""

from __future__ import annotations

import json
from pathlib import Path

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.formats import date_format

from coproduce.hearback.mine import SaidAndHappened
from coproduce.hearback.mine import said_and_happened as put_together
from coproduce.hearback.models import quotes_for
from coproduce.hearback.news import parts_for_paper
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Mandate, Person
from coproduce.people.paper import to_pdf

TEMPLATE = Path(__file__).parent / "said_and_happened.typ"


@signed_in
def said_and_happened(request: PersonRequest, pk: int) -> HttpResponse:
    """In plain sentences, made for reading aloud: by themselves, on the phone, or by whom they trust."""
    them = _them(request, pk)
    return render(
        request,
        "hearback/said_and_happened.html",
        {
            "them": them,
            "own": them.pk == request.person.pk,
            "rows": put_together(them, request.person),
        },
    )


@signed_in
def said_and_happened_pdf(request: PersonRequest, pk: int) -> HttpResponse:
    """The same on paper."""
    them = _them(request, pk)
    rows = [_row(each) for each in put_together(them, request.person)]
    paper = {"name": them.shown, "date": date_format(timezone.localdate(), "j F Y"), "rows": rows}
    pdf = to_pdf(TEMPLATE, {"paper": json.dumps(paper)})
    answer = HttpResponse(pdf, content_type="application/pdf")
    answer["Content-Disposition"] = 'inline; filename="what-happened.pdf"'
    return answer


def _row(each: SaidAndHappened) -> dict[str, object]:
    return {
        "when": date_format(each.voice.said_on, "j F Y"),
        "how": str(each.voice.get_came_by_display()),
        "words": each.voice.words,
        "became": [{"where": became.where, "tag": str(became.tag)} for became in each.became],
        "told": [
            {
                "when": date_format(timezone.localtime(told.update.written_at), "j F Y"),
                "title": told.update.title,
                "parts": parts_for_paper(told.update),
                "quotes": [
                    {"words": quote.shown, "who": quote.who}
                    for quote in quotes_for(told.update, told.person_id)
                ],
            }
            for told in each.told
        ],
        "clauses": [
            {
                "contract": clause.contract,
                "number": clause.number,
                "before": clause.before,
                "after": clause.after,
            }
            for clause in each.clauses
        ],
    }


def _them(request: PersonRequest, pk: int) -> Person:
    """Oneself, somebody one looks after, or somebody who hears through this reader."""
    held = Mandate.objects.standing("hear").filter(trusted=request.person).values("person")
    may_see = Q(pk__in=Person.objects.visible_to(request.person).values("pk")) | Q(pk__in=held)
    known = Person.objects.filter(may_see, erasure__isnull=True).named_for(request.person)
    return get_object_or_404(known, pk=pk)
