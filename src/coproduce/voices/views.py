"""The pages where stories come in and are put right, and where voices are written down and read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ValidationError
from django.core.paginator import Page, Paginator
from django.db.models import Count, Prefetch, Q, QuerySet
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase, JsonResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from coproduce.people.forms import ActionForm
from coproduce.people.middleware import PersonRequest, signed_in
from coproduce.people.models import Hub, Mandate, Person
from coproduce.people.permissions import NotAllowed, hubs_where, may
from coproduce.people.views import supported_by
from coproduce.voices import actions, allowing, forms, parts, taking
from coproduce.voices.models import Consent, Speaker, Story, Turn, Use, Voice, readings_of

TURNS_A_PAGE = 40
ROWS_A_PAGE = 20


def page_of(request: PersonRequest, rows: QuerySet[Any], size: int = ROWS_A_PAGE) -> Page[Any]:
    """The page asked for; a strange number gives the nearest there is."""
    return Paginator(rows, size).get_page(request.GET.get("page"))


def posted(request: PersonRequest) -> QueryDict | None:
    """What was sent, even if all of it was left empty; None where the page is only looked at."""
    return request.POST if request.method == "POST" else None


def must_somewhere(person: Person, verb: str) -> None:
    if not hubs_where(person, verb):
        raise NotAllowed(verb)


# Stories


@signed_in
def stories(request: PersonRequest) -> HttpResponse:
    told = Story.objects.visible_to(request.person).with_counts().select_related("hub", "gathered_by")
    return render(
        request,
        "voices/stories.html",
        {
            "page": page_of(request, told),
            "may_add": bool(hubs_where(request.person, "work on stories")),
            "keeps": bool(hubs_where(request.person, "read everything said")),
        },
    )


@signed_in
def add_story(request: PersonRequest) -> HttpResponse:
    must_somewhere(request.person, "work on stories")
    form = forms.StoryForm(request.person, "work on stories", posted(request), request.FILES or None)
    if form.is_valid():
        told = (form.chosen_hub, form.cleaned_data["title"], form.cleaned_data["gathered_on"])
        if form.many:
            if form.does(taking.bring_stories, request.person, *told, form.many):
                if form.result.stories:
                    return many_came(request, form.result)
                form.none_came(form.result.refused)
        elif form.does(taking.bring_story, request.person, *told, *form.brought):
            messages.success(request, _("The story is here. The file is kept just as you gave it."))
            return redirect("voices:story", form.result.pk)
    return render(request, "voices/add_story.html", {"form": form})


def many_came(request: PersonRequest, brought: taking.Brought) -> HttpResponse:
    number = len(brought.stories)
    came = ngettext("%(n)d story is here.", "%(n)d stories are here.", number) % {"n": number}
    messages.success(request, came)
    for name, why in brought.refused:
        messages.error(request, _("“%(name)s” is not in. %(why)s") % {"name": name, "why": why})
    return redirect("voices:together", brought.stories[0].pk)


@signed_in
def story(request: PersonRequest, pk: int) -> HttpResponse:
    """The workbench, one step at a time; for who told the story, the story to read."""
    told = Story.objects.visible_to(request.person).with_counts().select_related("hub", "gathered_by")
    story = get_object_or_404(told, pk=pk)
    if story.is_coming_in:
        return redirect("voices:progress", story.pk)
    actions.note_reading(request.person, story)
    works = may(request.person, "work on stories", story.hub_id)
    counts = turn_counts(story)
    step = step_of(request.GET.get("step"), counts, story) if works else "read"
    turns = story.turns.select_related("speaker__person").prefetch_related("quotes")
    context: dict[str, Any] = {
        "story": story,
        "page": page_of(request, turns if step == "trim" else turns.filter(trimmed=False), TURNS_A_PAGE),
        "step": step,
        "steps": steps(story, counts, step),
        "counts": counts,
        "may_have_file": bool(story.file) and may(request.person, "read everything said", story.hub_id),
    }
    if step in ("read", "quotes"):
        context["parts"] = parts_on(context["page"], parts.parts_of(story))
    if step == "trim":
        kept = story.turns.filter(trimmed=False)
        context |= {"first": kept.first(), "last": kept.last()}
    if step == "who":
        allowed = Consent.objects.filter(withdrawn_at__isnull=True)
        context["speakers"] = story.speakers.select_related("person").prefetch_related(
            Prefetch("consents", allowed, to_attr="allowed")
        )
    return render(request, f"voices/story_{step}.html", context)


def parts_on(page: Page[Turn], found: list[parts.Part]) -> list[tuple[parts.Part, int]]:
    """Each part with the number of the page that it begins on. The turns of this page know which part they begin."""
    begins = {part.turn.pk: part for part in found}
    for turn in page:
        turn.part = begins.get(turn.pk)  # type: ignore[attr-defined]
    return [(part, part.before // TURNS_A_PAGE + 1) for part in found]


@dataclass(frozen=True)
class Step:
    """One of the three things to do with a transcript, and how far it has come."""

    name: str
    title: str
    count: str
    current: bool


def turn_counts(story: Story) -> dict[str, int]:
    return story.turns.aggregate(
        kept=Count("pk", filter=Q(trimmed=False)),
        left_out=Count("pk", filter=Q(trimmed=True)),
        spoken=Count("pk", filter=Q(trimmed=False, speaker__isnull=False)),
    )


def step_of(asked: str | None, counts: dict[str, int], story: Story) -> str:
    """The step asked for, or the one to do next."""
    if asked in ("trim", "who", "quotes"):
        return asked
    begun = 0 < counts["spoken"] < counts["kept"]
    if not (counts["left_out"] or begun or getattr(story, "quotes", 0)):
        return "trim"
    return "who" if counts["spoken"] < counts["kept"] else "quotes"


def steps(story: Story, counts: dict[str, int], current: str) -> list[Step]:
    quotes = getattr(story, "quotes", 0)
    left_out = ngettext("%(n)d left out", "%(n)d left out", counts["left_out"]) % {"n": counts["left_out"]}
    return [
        Step("trim", _("Trim the ends"), left_out, current == "trim"),
        Step("who", _("Who speaks?"), spoken_of(counts), current == "who"),
        Step("quotes", _("Mark quotes"), quotes_count(quotes), current == "quotes"),
    ]


def spoken_of(counts: dict[str, int]) -> str:
    if counts["kept"] and counts["spoken"] == counts["kept"]:
        return _("all named")
    return _("%(n)d of %(all)d") % {"n": counts["spoken"], "all": counts["kept"]}


def quotes_count(quotes: int) -> str:
    return ngettext("%(n)d quote", "%(n)d quotes", quotes) % {"n": quotes}


@signed_in
def progress(request: PersonRequest, pk: int) -> HttpResponse:
    story = get_object_or_404(Story.objects.visible_to(request.person).with_counts(), pk=pk)
    return render(request, "voices/progress.html", {"story": story})


def to_work_on(request: PersonRequest, pk: int) -> Story:
    return get_object_or_404(Story.objects.to_work_on(request.person).select_related("hub"), pk=pk)


def at_step(story: Story, step: str, page: int | str | None = 1) -> str:
    return f"{reverse('voices:story', args=[story.pk])}?{urlencode({'step': step, 'page': page or 1})}"


@signed_in
@require_POST
def trim(request: PersonRequest, pk: int) -> HttpResponse:
    story = to_work_on(request, pk)
    form = forms.TrimForm(story, request.POST)
    if form.is_valid() and form.does(actions.trim_story, request.person, story, *form.ends):
        counts = turn_counts(story)
        said = ngettext(
            "%(n)d turn stays in the story. %(out)d left out.",
            "%(n)d turns stay in the story. %(out)d left out.",
            counts["kept"],
        )
        messages.success(request, said % {"n": counts["kept"], "out": counts["left_out"]})
    else:
        messages.error(request, why_not(form))
    return redirect(at_step(story, "trim", request.POST.get("page")))


def why_not(form: ActionForm) -> str:
    return " ".join(str(error) for errors in form.errors.values() for error in errors)


# Who speaks


@signed_in
@require_POST
def who_speaks(request: PersonRequest, pk: int) -> HttpResponse:
    """A page of turns is saved at once, then comes the next page."""
    story = to_work_on(request, pk)
    form = forms.WhoSpeaksForm(story, request.POST)
    if form.is_valid() and form.does(actions.assign_speakers, request.person, form.said):
        if following := request.POST.get("following"):
            messages.success(request, _("Saved. Here are the next turns."))
            return redirect(at_step(story, "who", following))
        messages.success(request, _("Saved. That was the last page of turns."))
        return redirect(at_step(story, "quotes"))
    messages.error(request, why_not(form))
    return redirect(at_step(story, "who", request.POST.get("page")))


@signed_in
def many_turns(request: PersonRequest, pk: int) -> HttpResponse:
    story = to_work_on(request, pk)
    asked = request.GET.get("from", "")
    begin = get_object_or_404(story.turns, pk=asked) if asked.isdecimal() else None
    actions.note_reading(request.person, story)
    form = forms.ManyTurnsForm(story, begin, posted(request))
    if form.is_valid() and form.does(actions.assign_speakers, request.person, said := form.said):
        done = ngettext("%(n)d turn has its speaker.", "%(n)d turns have their speaker.", len(said))
        messages.success(request, done % {"n": len(said)})
        return redirect(place_in_story(begin, "who") if begin else at_step(story, "who"))
    return render(request, "voices/many_turns.html", {"form": form, "story": story, "begin": begin})


@signed_in
def add_speaker(request: PersonRequest, pk: int) -> HttpResponse:
    story = to_work_on(request, pk)
    form = forms.AddSpeakerForm(posted(request))
    if form.is_valid() and form.does(actions.add_speaker, request.person, story, form.cleaned_data["label"]):
        return redirect("voices:speaker", form.result.pk)
    return render(request, "voices/add_speaker.html", {"form": form, "story": story})


@signed_in
def speaker(request: PersonRequest, pk: int) -> HttpResponse:
    worked_on = Story.objects.to_work_on(request.person)
    speaks = Speaker.objects.filter(story__in=worked_on).select_related("story__hub", "person")
    speaker = get_object_or_404(speaks, pk=pk)
    form = forms.SpeakerForm(request.person, speaker, posted(request))
    if form.is_valid() and form.does(
        actions.name_speaker, request.person, speaker, form.cleaned_data["person"], form.uses
    ):
        messages.success(request, _("Saved, for all that %(who)s said here.") % {"who": speaker.label})
        outside = {Use.SERVICES, Use.PUBLIC} & {Use(use) for use in form.uses}
        if outside and Voice.objects.filter(turn__speaker=speaker).exclude(masked="").exists():
            return redirect("voices:hidden", speaker.story_id)
        return redirect(at_step(speaker.story, "who"))
    return render(request, "voices/speaker.html", {"form": form, "speaker": speaker, "story": speaker.story})


@signed_in
@require_POST
def turn_speaker(request: PersonRequest, pk: int) -> HttpResponse:
    """One turn by one key, for static/voices/who-speaks.js."""
    turn = turn_to_work_on(request, pk)
    form = forms.TurnSpeakerForm(turn.story, request.POST)
    if form.is_valid() and form.does(
        actions.assign_speaker, request.person, [turn], form.cleaned_data["speaker"]
    ):
        return JsonResponse({"count": spoken_of(turn_counts(turn.story))})
    return HttpResponse(why_not(form), status=422, content_type="text/plain; charset=utf-8")


@signed_in
def who_has_read(request: PersonRequest) -> HttpResponse:
    """For who told a story: who has read it, and on which day."""
    told = {story.pk: story for story in Story.objects.filter(speakers__person=request.person)}
    page = page_of(request, readings_of(request.person))
    rows = [(told[act.thing_id], act) for act in page if act.thing_id in told]
    return render(request, "voices/who_has_read.html", {"page": page, "rows": rows, "told": told})


# One turn


def turn_to_work_on(request: PersonRequest, pk: int) -> Turn:
    turns = Turn.objects.filter(story__in=Story.objects.to_work_on(request.person))
    turn = get_object_or_404(turns.select_related("story__hub", "speaker__person"), pk=pk)
    actions.note_reading(request.person, turn.story)
    return turn


def place_in_story(turn: Turn, step: str) -> str:
    """The address of a turn among the others."""
    before = turn.story.turns.filter(position__lt=turn.position, trimmed=False).count()
    return f"{at_step(turn.story, step, before // TURNS_A_PAGE + 1)}#turn-{turn.pk}"


def about(turn: Turn, doing: str) -> dict[str, Any]:
    """What every page about one turn shows: its place, and the turns around it."""
    kept = turn.story.turns.filter(trimmed=False)
    return {
        "turn": turn,
        "story": turn.story,
        "doing": doing,
        "place": place_in_story(turn, "quotes"),
        "before": kept.filter(position__lt=turn.position).last(),
        "after": kept.filter(position__gt=turn.position).first(),
    }


@signed_in
def turn(request: PersonRequest, pk: int) -> HttpResponse:
    turn = turn_to_work_on(request, pk)
    form = forms.QuoteForm(turn, posted(request))
    if form.is_valid() and form.does(actions.mark_quote, request.person, turn, form.span):
        messages.success(request, _("Kept as a quote."))
        return redirect("voices:turn", turn.pk)
    allowed = Consent.objects.filter(withdrawn_at__isnull=True)
    quotes = turn.quotes.order_by("begins").prefetch_related(Prefetch("consents", allowed, to_attr="allowed"))
    return render(request, "voices/turn.html", {**about(turn, "voices:turn"), "form": form, "quotes": quotes})


@signed_in
def mend(request: PersonRequest, pk: int) -> HttpResponse:
    turn = turn_to_work_on(request, pk)
    form = forms.MendForm(turn, posted(request))
    if form.is_valid() and form.does(actions.mend_turn, request.person, turn, form.cleaned_data["text"]):
        messages.success(request, _("The words are mended."))
        return redirect("voices:turn", turn.pk)
    return render(request, "voices/mend.html", {**about(turn, "voices:mend"), "form": form})


@signed_in
def split(request: PersonRequest, pk: int) -> HttpResponse:
    turn = turn_to_work_on(request, pk)
    form = forms.SplitForm(turn, posted(request))
    if form.is_valid() and form.does(
        actions.split_turn, request.person, turn, form.cleaned_data["at"], form.cleaned_data["speaker"]
    ):
        messages.success(request, _("There are two turns now. This is the second one."))
        return redirect("voices:turn", form.result.pk)
    return render(request, "voices/split.html", {**about(turn, "voices:split"), "form": form})


@signed_in
@require_POST
def keep(request: PersonRequest, pk: int) -> HttpResponse:
    """Words selected on the page, for static/voices/keep-a-quote.js: answers with the turn, marked."""
    turn = turn_to_work_on(request, pk)
    form = forms.KeepForm(turn, request.POST)
    if form.is_valid() and form.does(actions.mark_quote, request.person, turn, form.span):
        return render(request, "voices/_turn.html", {"turn": turn, "step": "quotes"})
    return HttpResponse(why_not(form), status=422, content_type="text/plain; charset=utf-8")


@signed_in
@require_POST
def remove_quote(request: PersonRequest, pk: int) -> HttpResponse:
    quote = get_object_or_404(
        Voice.objects.visible_to(request.person).select_related("turn"), pk=pk, turn__isnull=False
    )
    try:
        actions.remove_quote(request.person, quote)
    except ValidationError as refused:
        messages.error(request, " ".join(refused.messages))
    else:
        messages.success(request, _("It is not a quote any more. The words stay in the story."))
    return redirect("voices:turn", quote.turn_id)


@signed_in
def story_file(request: PersonRequest, pk: int) -> HttpResponseBase:
    """The file as given: never shown, only handed over, whatever is in it."""
    kept = Story.objects.visible_to(request.person)
    story = get_object_or_404(kept.filter(hub__in=hubs_where(request.person, "read everything said")), pk=pk)
    if not story.file:
        raise Http404
    try:
        given = story.file.open("rb")
    except (FileNotFoundError, ValueError):  # ValueError: it went when somebody took words back
        raise Http404 from None
    actions.note_reading(request.person, story)
    answer = FileResponse(
        given, as_attachment=True, filename=story.file_name, content_type="application/octet-stream"
    )
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Cache-Control"] = "private, no-store"
    return answer


# Voices


def voices(request: PersonRequest) -> HttpResponse:
    """Everything this reader may read; for a visitor, what is public."""
    found = Voice.objects.for_reading(request.person)
    hubs = Hub.objects.filter(pk__in=Voice.objects.visible_to(request.person).order_by().values("hub"))
    form = forms.FindVoicesForm(request.GET or None)
    form.fields["hub"].queryset = hubs  # type: ignore[attr-defined]
    form.is_valid()
    asked = {name: value for name, value in getattr(form, "cleaned_data", {}).items() if value}
    if words := asked.get("q"):
        found = found.saying(words)
    found = found.filter(**{name: asked[name] for name in ("hub", "came_by") if name in asked})
    query = request.GET.copy()
    query.pop("page", None)
    return render(
        request,
        "voices/voices.html",
        {
            "page": page_of(request, found),
            "find": form,
            "asked": asked,
            "query": query.urlencode(),
            "may_add": bool(hubs_where(request.person, "add words")),
            "may_say": bool(hubs_where(request.person, "read what the group may read")),
        },
    )


def after_allowing(voice: Voice, uses: list[str], before: bool = False) -> HttpResponse:
    """Look at what is hidden before others read it. Who allows nothing any more is asked what is to happen."""
    voice.refresh_from_db(fields=["masked"])
    if voice.masked and {Use.SERVICES, Use.PUBLIC} & {Use(use) for use in uses}:
        return redirect("voices:mask", voice.pk)
    if before and not uses:
        return redirect("take_back_voice", voice.pk)
    return redirect("voices:voice", voice.pk)


@signed_in
def add_voice(request: PersonRequest) -> HttpResponse:
    must_somewhere(request.person, "add words")
    form = forms.WriteDownForm(request.person, posted(request), initial={"group": True})
    if form.is_valid() and form.does(
        actions.write_down,
        request.person,
        form.chosen_hub,
        form.cleaned_data["words"],
        form.cleaned_data["came_by"],
        form.cleaned_data["person"],
        form.cleaned_data["said_on"],
        form.uses,
    ):
        messages.success(request, _("Written down, in their own words."))
        if "another" in request.POST:
            return redirect("voices:add")
        return after_allowing(form.result, form.uses)
    return render(request, "voices/add_voice.html", {"form": form})


@signed_in
def say(request: PersonRequest) -> HttpResponse:
    verb = "read what the group may read"
    must_somewhere(request.person, verb)
    default = allowing.default_uses(request.person)
    initial = dict.fromkeys([Use.GROUP] if default is None else default, True)
    form = forms.SayForm(request.person, verb, posted(request), initial=initial)
    if form.is_valid() and form.does(
        actions.write_down,
        request.person,
        form.chosen_hub,
        form.cleaned_data["words"],
        Voice.Way.FORM,
        request.person,
        uses=form.uses,
    ):
        messages.success(request, _("Thank you. We have it, in your words. You will hear what comes of it."))
        return after_allowing(form.result, form.uses)
    return render(request, "voices/say.html", {"form": form})


def voice(request: PersonRequest, pk: int) -> HttpResponse:
    """What is public, anybody may open. For all else a visitor is asked to sign in, there or not."""
    found = (
        Voice.objects.for_reading(request.person).select_related("taken_by", "through").filter(pk=pk).first()
    )
    if found is None:
        if request.person is None:
            return redirect_to_login(request.get_full_path())
        raise Http404
    keeps = may(request.person, "read everything said", found.hub_id)
    own = request.person is not None and found.person_id == request.person.pk
    turn = found.turn
    in_story = turn and Story.objects.visible_to(request.person).filter(pk=turn.story_id).exists()
    return render(
        request,
        "voices/voice.html",
        {
            "voice": found,
            "keeps": keeps,
            "own": own,
            "uses": uses_of(found) if keeps or own else None,
            "may_change": found.disowned_at is None
            and (own or may(request.person, "work on stories", found.hub_id)),
            "knows_through": found.through_id is None or knows_through(request.person, found),
            "place": place_in_story(turn, "quotes") if turn and in_story else None,
            "old": Consent.objects.to_ask_again().filter(voice=found).exists() if keeps or own else False,
        },
    )


def knows_through(reader: Person | None, voice: Voice) -> bool:
    """Whether this reader may know through which trusted person a voice came."""
    if reader is None:
        return False
    either = reader.pk in (voice.person_id, voice.through_id)
    return either or may(reader, "look after people", voice.hub_id)


@dataclass(frozen=True)
class Allowed:
    """One use of a voice: whether it is allowed now, and what was allowed when."""

    label: str
    now: bool
    history: list[Consent]


def uses_of(voice: Voice) -> list[Allowed]:
    given = list(voice.consents.all())
    return [
        Allowed(
            str(use.label),
            voice.consents.obeyed(use).filter(use=use).exists(),
            [one for one in given if one.use == use],
        )
        for use in Use
    ]


# Through a trusted person


@signed_in
def write_down_for(request: PersonRequest, pk: int) -> HttpResponse:
    """A trusted person writes down what somebody they support said."""
    mandate: Mandate = get_object_or_404(supported_by(request.person).filter(speak=True), pk=pk)
    form = forms.WriteDownForForm(mandate.person, posted(request))
    if form.is_valid() and form.does(
        actions.write_down_for,
        request.person,
        mandate,
        form.cleaned_data["hub"],
        form.cleaned_data["words"],
        form.cleaned_data["read_back"],
        form.cleaned_data["said_on"],
        form.uses,
    ):
        messages.success(request, _("Written down, in their own words."))
        return redirect("people:supported", mandate.pk)
    return render(request, "voices/write_down_for.html", {"form": form, "mandate": mandate})


@signed_in
def said_for_me(request: PersonRequest) -> HttpResponse:
    """What others wrote down for this person, who, and whether it was read back."""
    said = Voice.objects.for_reading(request.person).filter(person=request.person, through__isnull=False)
    return render(
        request, "voices/said_for_me.html", {"page": page_of(request, said.select_related("through", "hub"))}
    )


@signed_in
@require_POST
def disown(request: PersonRequest, pk: int) -> HttpResponse:
    voice = get_object_or_404(Voice.objects.visible_to(request.person), pk=pk, through__isnull=False)
    actions.disown(request.person, voice)
    messages.success(request, _("Nobody uses these words any more. It holds from now on, everywhere here."))
    return redirect("voices:voice", voice.pk)


@signed_in
def consent(request: PersonRequest, pk: int) -> HttpResponse:
    voice = get_object_or_404(Voice.objects.for_reading(request.person), pk=pk)
    own = voice.person_id == request.person.pk
    if voice.disowned_at or not (own or may(request.person, "work on stories", voice.hub_id)):
        raise NotAllowed("work on stories")
    form = forms.ConsentForm(voice, posted(request))
    if form.is_valid() and form.does(actions.set_consent, request.person, voice, form.uses):
        messages.success(request, _("Saved. It holds from now on, everywhere here."))
        return after_allowing(voice, form.uses, bool(form.initial))
    return render(request, "voices/consent.html", {"form": form, "voice": voice, "own": own})
