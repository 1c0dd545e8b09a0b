"""Votes that come on paper or by phone: the sheet to print, typing it in, bringing a table, ringing somebody up."""

from __future__ import annotations

from django.contrib import messages
from django.core import signing
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from coproduce.consensus import forms, on_paper, voting
from coproduce.consensus.filled_in import Bad, Filled, Table, read_table
from coproduce.consensus.models import Conversation, Sheet, Statement, Vote
from coproduce.consensus.pages import _here
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Person
from coproduce.people.pages import press
from coproduce.voices.models import Use
from coproduce.voices.views import posted

SALT = "coproduce.consensus.table"
KEPT_FOR = 12 * 60 * 60  # seconds that a page which shows a table may stay open


def _open(conversation: Conversation) -> QuerySet[Statement]:
    return Statement.objects.in_sight(Use.GROUP).filter(conversation=conversation)


@signed_in
def paper(request: PersonRequest, pk: int) -> HttpResponse:
    """What to do with paper: print a sheet, type one in, bring a table."""
    conversation = _here(request, pk, "record votes")
    if request.method == "POST" and press(
        request,
        _("The sheet is ready. Copy it as often as you like."),
        voting.make_sheet,
        request.person,
        conversation,
    ):
        return redirect("consensus:paper", pk)
    return render(
        request,
        "consensus/paper.html",
        {
            "conversation": conversation,
            "sheets": conversation.sheets.all(),
            "open": _open(conversation).count(),
        },
    )


@signed_in
def sheet(request: PersonRequest, pk: int) -> HttpResponse:
    """The sheet as PDF, with what on it is still voted on."""
    made = get_object_or_404(
        Sheet.objects.filter(conversation__in=Conversation.objects.visible_to(request.person)), pk=pk
    )
    conversation = _here(request, made.conversation_id, "record votes")
    words = {one.pk: one.words for one in _open(conversation)}
    answer = HttpResponse(on_paper.sheet(conversation, made, words), content_type="application/pdf")
    answer["Content-Disposition"] = 'inline; filename="sheet.pdf"'
    answer["Cache-Control"] = "private, no-store"
    return answer


@signed_in
def type_in(request: PersonRequest, pk: int) -> HttpResponse:
    """Type a sheet in: first what was read of it, then it counts."""
    conversation = _here(request, pk, "record votes")
    sheets = {made.code: made.statements for made in conversation.sheets.all()}
    if not sheets:
        messages.info(request, _("Make the sheet first. Then type in what comes back."))
        return redirect("consensus:paper", pk)
    data = posted(request)
    initial = {"code": request.GET.get("code") or next(iter(sheets), "")}
    form = forms.SheetForm(request.person, conversation, sheets, data, initial=initial)
    rows, key = [], ""
    if form.is_valid():
        words = {one.pk: one.words for one in _open(conversation)}
        # What was taken out since the sheet was printed counts for nothing any more.
        choices = {pk: choice for pk, choice in form.cleaned_data["choices"].items() if pk in words}
        if not choices:
            form.add_error("marks", _("Nothing is ticked on this sheet that people still vote on."))
        elif "save" in request.POST and form.does(
            voting.type_in,
            request.person,
            conversation,
            choices,
            request.POST.get("key", ""),
            form.cleaned_data["person"],
        ):
            if form.result.number:
                said = _("It counts. Write number %(n)d on the sheet, so that nobody types it in twice.")
                messages.success(request, said % {"n": form.result.number})
            else:
                messages.success(request, _("It counts."))
            return redirect(f"{request.path}?code={form.cleaned_data['code']}")
        else:
            key = request.POST.get("key") or get_random_string(24)
            rows = [
                (place, words[one], Vote.Choice(choices[one]).label if one in choices else "")
                for place, one in enumerate(sheets[form.cleaned_data["code"]], 1)
                if one in words
            ]
    code = form.cleaned_data.get("code") if form.is_bound and not form.errors.get("code") else initial["code"]
    known = Statement.objects.in_bulk(sheets.get(code or "", []))
    return render(
        request,
        "consensus/type_in.html",
        {
            "conversation": conversation,
            "form": form,
            "rows": rows,
            "key": key,
            "sheets": sheets,
            "statements": [known[one] for one in sheets.get(code or "", []) if one in known],
        },
    )


# A table


@signed_in
def table(request: PersonRequest, pk: int) -> HttpResponse:
    """The table to fill in, as CSV or Excel."""
    conversation = _here(request, pk, "record votes")
    excel = "excel" in request.GET
    data = on_paper.empty_table(list(_open(conversation)), excel)
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" if excel else "text/csv"
    answer = HttpResponse(data, content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="votes.{"xlsx" if excel else "csv"}"'
    return answer


@signed_in
def bring(request: PersonRequest, pk: int) -> HttpResponse:
    """Bring a filled-in table. What was read, and what is wrong in it, is shown before anything counts."""
    conversation = _here(request, pk, "record votes")
    form = forms.BringForm(posted(request), request.FILES or None)
    if request.method == "POST" and form.is_valid():
        given: UploadedFile = form.cleaned_data["file"]
        words = {one.pk: one.words for one in _open(conversation)}
        try:
            read = read_table(given.read(), given.name or "", words)
        except Bad as wrong:
            form.add_error("file", str(wrong))
        else:
            people = _with_people(request.person, conversation, read)
            return render(
                request,
                "consensus/brought.html",
                {
                    "conversation": conversation,
                    "problems": read.problems,
                    "lines": [(line, people.get(line.line), _counted(line)) for line in read.lines],
                    "number": len(read.lines),
                    "carried": _carried(request.person, conversation, read, people) if read.lines else "",
                },
            )
    return render(request, "consensus/bring.html", {"conversation": conversation, "form": form})


def _counted(line: Filled) -> tuple[int, int, int]:
    values = list(line.choices.values())
    return values.count(1), values.count(-1), values.count(0)


def _with_people(by: Person, conversation: Conversation, read: Table) -> dict[int, Person]:
    """Who the named lines are, by line. A name that is nobody's, or more than one's, is a problem of its line."""
    known: dict[str, list[Person]] = {}
    for person in voting.who_may_vote(by, conversation):
        known.setdefault(person.name.casefold(), []).append(person)
    found: dict[int, Person] = {}
    for line in list(read.lines):
        if not line.name:
            continue
        named = known.get(line.name.casefold(), [])
        if len(named) == 1 and named[0] not in found.values():
            found[line.line] = named[0]
            continue
        if not named:
            why = _(
                "Line %(line)d: nobody here is called “%(name)s”. Leave the name empty, or write it as here."
            )
        elif len(named) > 1:
            why = _(
                "Line %(line)d: more than one person here is called “%(name)s”. Type this one in by hand."
            )
        else:
            why = _("Line %(line)d: “%(name)s” stands in the table twice. Keep one line.")
        read.problems.append(why % {"line": line.line, "name": line.name[:60]})
        read.lines.remove(line)
    return found


def _carried(by: Person, conversation: Conversation, read: Table, people: dict[int, Person]) -> str:
    """What was read, for the button to send back: signed, so that it is what was shown. Nothing of it is kept here
    before somebody says that it counts; pressed twice it counts once."""
    rows = [
        [line.line, people[line.line].pk if line.line in people else 0, sorted(line.choices.items())]
        for line in read.lines
    ]
    packed = {"by": by.pk, "in": conversation.pk, "key": get_random_string(24), "rows": rows}
    return signing.dumps(packed, salt=SALT, compress=True)


@require_POST
@signed_in
def count_table(request: PersonRequest, pk: int) -> HttpResponse:
    """The table that was shown counts."""
    conversation = _here(request, pk, "record votes")
    try:
        packed = signing.loads(request.POST.get("table", ""), salt=SALT, max_age=KEPT_FOR)
    except signing.BadSignature:
        packed = {}
    if packed.get("by") != request.person.pk or packed.get("in") != conversation.pk:
        messages.error(
            request, _("That page was open too long. Bring the table again. Nothing of it counts yet.")
        )
        return redirect("consensus:bring", pk)
    open_ = set(_open(conversation).values_list("pk", flat=True))
    people = Person.objects.in_bulk([person for _line, person, _choices in packed["rows"] if person])
    rows = [
        (
            {one: choice for one, choice in choices if one in open_},
            f"{packed['key']}-{line}",
            people.get(person),
        )
        for line, person, choices in packed["rows"]
    ]
    done = ngettext("%(n)d line counts.", "%(n)d lines count.", len(rows)) % {"n": len(rows)}
    press(request, done, voting.type_in_many, request.person, conversation, rows)
    return redirect("consensus:paper", pk)


# By phone


@signed_in
def phone(request: PersonRequest, pk: int) -> HttpResponse:
    """Whom do you have on the phone?"""
    conversation = _here(request, pk, "record votes")
    form = forms.WhoForm(request.person, conversation, posted(request))
    if form.is_valid():
        return redirect("consensus:call", pk, form.cleaned_data["person"].pk)
    return render(request, "consensus/phone.html", {"conversation": conversation, "form": form})
