"""What goes out is what people allow and whoever takes it may read; and what comes in is there to the letter, once."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import zipfile

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone
from docx import Document
from openpyxl import load_workbook
from pypdf import PdfReader

from coproduce.engine import exchange as tools
from coproduce.engine.exchange import refi
from coproduce.engine.exchange.project import Code, Codebook, Coding, Project, Selection, Source, all_codes
from coproduce.engine.quotes import Span
from coproduce.people.models import Account, Act, Membership
from coproduce.people.permissions import NotAllowed, forget
from coproduce.site import erase
from coproduce.site.recall import take_back
from coproduce.themes import bringing, findings
from coproduce.themes.actions import make_theme, merge, place, take_out
from coproduce.themes.bringing import bring, put_aside, take_in, what_comes
from coproduce.themes.exchange import Format, going, take_away
from coproduce.themes.models import Alias, Brought, KeyMessage, KeyMessageQuote, Placement, Theme, voices_in
from coproduce.voices.actions import add_story, mark_quote, mend_turn, name_speaker, set_consent, write_down
from coproduce.voices.consent import Choice
from coproduce.voices.models import Carried, Story, Turn, Voice
from coproduce.voices.today import do_these_first
from tests.conftest import make_person
from tests.engine.test_exchange import AT, _qualcoder, _taguette

pytestmark = pytest.mark.django_db

TOLD = (
    "Ify: Tell me how it was.\n\nLee: I had eleven workers, and nobody rang. Then Céline 𝔘 came.\n\n"
    "Ify: Only her?\n\nLee: Yes, I trust her. She told me what had happened.\n\n"
    "Dot: I never said you may.\n"
)
ALL_USES = ["group", "services", "public"]
TODAY = dt.date(2026, 3, 4)


def span_of(turn: Turn, words: str) -> Span:
    return Span(turn.text.index(words), turn.text.index(words) + len(words))


@pytest.fixture
def story(amina, lee, town) -> Story:
    story = add_story(amina, town, "Lee’s story", dt.date(2026, 3, 3), "lee.txt", TOLD.encode())
    name_speaker(amina, story.speakers.get(label="Lee"), lee, ["group"])
    return story


def turn_with(story: Story, words: str) -> Turn:
    return story.turns.select_related("story", "speaker__person").get(text__contains=words)


@pytest.fixture
def quote(amina, story):
    """A function: mark these words of the story."""
    return lambda words: mark_quote(amina, turn := turn_with(story, words), span_of(turn, words))


@pytest.fixture
def trust(amina, town, lee, quote) -> Theme:
    said = write_down(amina, town, "Just one person to ring", "note", lee, uses=["group"])
    return make_theme(amina, town, "Trust", "Who you can rely on", voices=[quote("I trust her."), said])


def out(by, hub, use: str = "group", format: str = "qdpx") -> bytes:
    return take_away(by, hub, use, format).content


def project(by, hub, use: str = "group") -> Project:
    read = tools.read(out(by, hub, use))
    assert isinstance(read, Project)
    return read


def marked(read: Project) -> dict[str, list[str]]:
    """The words of every selection, with the names of their codes."""
    names = {code.guid: code.name for _above, code in all_codes(read.codes)}
    return {
        source.text[each.begins : each.ends]: [names[coding.code] for coding in each.codings]
        for source in read.sources
        for each in source.selections
    }


# Out: as a project


def test_the_groups_project_holds_themes_and_quotes_in_their_place(amina, town, trust, quote, story):
    make_theme(amina, town, "Workers", voices=[quote("eleven workers, and nobody rang. Then Céline 𝔘")])
    read = project(amina, town)
    assert [(code.name, code.description) for code in read.codes] == [
        ("Trust", "Who you can rely on"),
        ("Workers", ""),
    ]
    assert marked(read) == {
        "I trust her.": ["Trust"],
        "Just one person to ring": ["Trust"],
        "eleven workers, and nobody rang. Then Céline 𝔘": ["Workers"],
    }
    text = next(source.text for source in read.sources if source.name == "Lee’s story")
    assert "Lee: I had eleven workers, and nobody rang. Then Céline 𝔘 came." in text


def test_of_a_story_only_what_its_speakers_allow_goes_out(amina, town, trust, story):
    text = next(source.text for source in project(amina, town).sources if source.name == "Lee’s story")
    assert "I never said you may" not in text and "Dot" not in text
    assert "Tell me how it was" not in text, "nobody said that the interviewer's words may be read"
    assert text.startswith("Somebody: …\n\nLee: I had") and "\n\nSomebody: …\n\nLee: Yes" in text
    name_speaker(amina, story.speakers.get(label="Ify"), None, ["group"])
    text = next(source.text for source in project(amina, town).sources if source.name == "Lee’s story")
    assert text.startswith("Ify: Tell me how it was.\n\nLee: I had")


def test_a_quote_that_was_taken_out_of_what_is_allowed_leaves_a_gap(amina, town, lee, trust, quote):
    set_consent(lee, quote("nobody rang"), [])
    read = project(amina, town)
    text = next(source.text for source in read.sources if source.name == "Lee’s story")
    assert "nobody rang" not in text and "I had eleven workers, and …. Then Céline" in text
    assert "nobody rang" not in marked(read)


def test_where_a_speaker_allows_nothing_only_allowed_quotes_stand(amina, town, lee, story, quote, trust):
    set_consent(lee, voice := quote("Then Céline 𝔘 came."), ["group"])
    name_speaker(amina, story.speakers.get(label="Lee"), lee, [])
    set_consent(lee, voice, ["group"])
    read = project(amina, town)
    text = next(source.text for source in read.sources if source.name == "Lee’s story")
    assert text == "Somebody: …\n\nLee: … Then Céline 𝔘 came.\n\nSomebody: …"
    assert "Then Céline 𝔘 came." in marked(read)


def test_services_get_masked_words_without_names_and_without_stories(amina, town, lee, trust, quote, story):
    set_consent(lee, quote("Then Céline 𝔘 came."), ALL_USES)
    set_consent(lee, theirs := write_down(amina, town, "Ring Céline on 01632 960111", "note", lee), ALL_USES)
    place(amina, trust, [theirs, quote("Then Céline 𝔘 came.")])
    content = out(amina, town, "services")
    read = tools.read(content)
    assert isinstance(read, Project) and [source.name for source in read.sources] == ["Quotes"]
    whole = read.sources[0].text
    assert "960111" not in whole and "Lee" not in whole and "trust her" not in whole
    assert len(marked(read)) == 2
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        everything = "".join(file.read(name).decode() for name in file.namelist())
    assert "Lee" not in everything and "01632" not in everything
    ours = {selection.guid for source in project(amina, town).sources for selection in source.selections}
    public = {selection.guid for selection in project(amina, town, "public").sources[0].selections}
    services = {selection.guid for selection in read.sources[0].selections}
    assert not ours & services and not public & services, "two files could be laid side by side"
    assert "Lee: " in project(amina, town, "public").sources[0].text


def test_who_asked_for_no_name_is_not_named_in_public(amina, town, lee, trust):
    somebody = make_person("Mo Known", town)
    somebody.known_through = lee
    somebody.save()
    write_down(amina, town, "Nobody asked me", "note", somebody, uses=ALL_USES)
    for use in ALL_USES:
        assert b"Mo Known" not in out(amina, town, use, "csv")
        assert b"Nobody asked me" in out(amina, town, use, "csv")


def test_merged_themes_stand_inside_the_one_that_stands_for_them(amina, town, trust, quote):
    rely = make_theme(amina, town, "Rely", voices=[quote("She told me what had happened.")])
    merge(amina, rely, trust)
    read = project(amina, town)
    assert [(code.name, [child.name for child in code.children]) for code in read.codes] == [
        ("Trust", ["Rely"])
    ]
    assert marked(read)["She told me what had happened."] == ["Rely"]
    book = tools.read(out(amina, town, format="qdc"))
    assert isinstance(book, Codebook) and book.codes == read.codes


def test_only_who_makes_sense_takes_anything_away(lee, joan, marek, charlie, town, trust, amina, ward):
    for person in (lee, joan, marek, charlie):
        with pytest.raises(NotAllowed):
            take_away(person, town, "group", "qdpx")
    with pytest.raises(NotAllowed):
        take_away(amina, ward, "group", "qdpx")
    assert not Carried.objects.exists()


def test_where_nothing_is_allowed_there_is_no_file(amina, town, trust):
    with pytest.raises(ValidationError, match="nothing to take away"):
        take_away(amina, town, "public", "qdpx")
    assert not Act.objects.filter(verb="take away").exists()


@pytest.mark.parametrize("format", [each for each in Format if each.has_words])
def test_each_quote_that_went_is_on_the_list_of_everywhere_it_went(
    amina, town, trust, format, signed_in, lee
):
    take_away(amina, town, "group", format)
    take_away(amina, town, "group", format)
    rows = Carried.objects.filter(voice__isnull=False).order_by("pk")
    assert rows.count() == 4, "each time is a file of its own"
    assert {row.kind for row in rows} == {"report" if format.is_report else "export"}
    assert {row.who_has_it for row in rows} == {"Amina"}
    page = signed_in(lee).get(reverse("went", args=[rows[0].voice_id])).content.decode()
    assert "Eastmoor (no. " in page and "who has it: Amina" in page


@pytest.mark.parametrize("format", [each for each in Format if each.has_words])
@pytest.mark.parametrize("use", ["group", "public"])
def test_whose_whole_story_went_is_on_the_list_too(amina, town, lee, story, trust, format, use, signed_in):
    """The words around the quotes went as well: they are on no quote's list."""
    for voice in Voice.objects.all():
        set_consent(lee, voice, ALL_USES)
    whole = b"nobody rang" in _unpacked(out(amina, town, use, format))
    assert whole == (use == "group" and format in ("qdpx", "sqlite3"))
    went = Carried.objects.filter(speaker__isnull=False)
    assert [row.speaker.label for row in went] == (["Lee"] if whole else [])
    if not whole:
        return
    address = reverse("story_went", args=[went[0].speaker_id])
    page = signed_in(lee).get(address).content.decode()
    assert "Eastmoor (no. " in page and "who has it: Amina" in page
    assert "Asked them to take it down" not in page, "nobody has taken it back"
    assert address in signed_in(lee).get(reverse("voices:allowed", args=[lee.pk])).content.decode()


def _unpacked(content: bytes) -> bytes:
    if content[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return b"\n".join(packed.read(name) for name in packed.namelist())
    return content


@pytest.mark.parametrize("choice", Choice)
def test_a_story_taken_back_is_asked_for_where_it_went(
    amina, town, lee, joan, story, trust, choice, signed_in
):
    out(amina, town)
    row = Carried.objects.get(speaker__isnull=False)
    take_back(lee, [], [row.speaker], choice)
    browser, address = signed_in(amina), reverse("story_went", args=[row.speaker_id])
    assert any("1 whole story to be taken down" in todo.title for todo in do_these_first(amina))
    assert address in browser.get("/recall/").content.decode()
    assert "Asked them to take it down" in browser.get(address).content.decode()
    assert signed_in(joan).get(address).status_code == 404
    assert signed_in(joan).post(reverse("asked", args=[row.pk])).status_code == 404
    answer = browser.post(reverse("asked", args=[row.pk]))
    assert answer.url == address
    row.refresh_from_db()
    assert row.asked_by == amina and row.asked_at
    assert not any("whole story" in todo.title for todo in do_these_first(amina))


def test_themes_alone_carry_nobodys_words(amina, town, trust):
    for format in ("qdc", "tags.csv"):
        content = out(amina, town, format=format)
        assert b"Trust" in content and b"trust her" not in content
    assert not Carried.objects.exists()
    rows = list(csv.reader(io.StringIO(out(amina, town, format="tags.csv").decode("utf-8-sig"))))
    assert rows == [["tag", "description"], ["Trust", "Who you can rely on"]]


def test_who_took_it_away_is_forgotten_when_they_are_erased(amina, town, trust, lee):
    make_person("Second", town, Membership.Role.FACILITATOR)
    out(amina, town)
    erase.erase_person(None, amina)
    assert set(Carried.objects.values_list("who_has_it", flat=True)) == {"Somebody"}


# Out: as tables


def test_tables_hold_a_row_for_each_quote_in_each_theme_and_bite_nobody(amina, town, lee, trust):
    bite = write_down(amina, town, '=HYPERLINK("http://x")', "note", lee, uses=["group"])
    make_theme(amina, town, "+More", voices=[bite, *Voice.objects.filter(words__startswith="Just")])
    write_down(amina, town, "In no theme", "note", lee, uses=["group"])
    rows = list(csv.reader(io.StringIO(out(amina, town, format="csv").decode("utf-8-sig"), newline="")))
    assert rows[0] == ["Theme", "What they said", "Who", "How it came", "When"]
    assert sorted(row[:3] for row in rows[1:]) == [
        ["", "In no theme", "Lee"],
        ["'+More", '\'=HYPERLINK("http://x")', "Lee"],
        ["'+More", "Just one person to ring", "Lee"],
        ["Trust", "I trust her.", "Lee"],
        ["Trust", "Just one person to ring", "Lee"],
    ]
    book = load_workbook(io.BytesIO(out(amina, town, format="xlsx")))
    assert book.sheetnames == ["Quotes", "Themes", "Key messages", "About this file"]
    assert all(cell.data_type != "f" for sheet in book for line in sheet.iter_rows() for cell in line)
    assert [cell.value for cell in book["Themes"][2]] == ["'+More", None, None, 2]


def test_for_services_a_table_tells_the_month_and_no_name(amina, town, lee, trust):
    set_consent(lee, Voice.objects.get(words__startswith="Just"), ["services"])
    rows = list(csv.reader(io.StringIO(out(amina, town, "services", "csv").decode("utf-8-sig"), newline="")))
    assert len(rows) == 2 and rows[1][:3] == ["Trust", "Just one person to ring", ""]
    assert rows[1][4] == f"{timezone.localdate():%B %Y}"


# Out: the report


def say(amina, hub, n: int, uses) -> list[Voice]:
    """As many voices, each of somebody else."""
    people = [make_person(f"P{n} {k}", hub) for k in range(n)]
    return [
        write_down(amina, hub, f"They never rang me, number {k}", "note", person, uses=uses)
        for k, person in enumerate(people)
    ]


def message(theme: Theme, words: str, use: str, *voices: Voice, agreed: bool = True) -> KeyMessage:
    made = KeyMessage.objects.create(
        hub=theme.hub, theme=theme, words=words, use=use, agreed_on=TODAY if agreed else None
    )
    for voice in voices:
        KeyMessageQuote.objects.create(key_message=made, voice=voice)
    return made


def words_in_pdf(content: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())


def words_in_word(content: bytes) -> str:
    return "\n".join(paragraph.text for paragraph in Document(io.BytesIO(content)).paragraphs)


def test_the_report_has_themes_key_messages_quotes_method_and_limits_in_all_its_forms(
    amina, town, lee, trust
):
    voice = Voice.objects.get(words__startswith="Just")
    message(trust, "One person who stays is worth more than ten", "group", voice)
    message(trust, "Not agreed on", "group", voice, agreed=False)
    page = out(amina, town, format="report.html").decode()
    said = {
        "page": page,
        "word": words_in_word(out(amina, town, format="report.docx")),
        "paper": words_in_pdf(out(amina, town, format="report.pdf")),
    }
    for form, text in said.items():
        for words in (
            "What we heard in Eastmoor",
            "For the group. Do not pass it on.",
            "Who you can rely on",
            "2 voices, from 1 person.",
            "Key messages",
            "One person who stays is worth more than ten",
            "The group agreed on this on 4 March 2026.",
            "“Just one person to ring”",
            "“I trust her.”",
            "How this was made",
            "What this can’t say",
        ):
            assert words in text, f"{form}: {words}"
        assert "Not agreed on" not in text and text.count("Just one person to ring") == 1


def test_the_reports_are_tagged_and_have_headings(amina, town, trust):
    pdf = PdfReader(io.BytesIO(out(amina, town, format="report.pdf")))
    assert pdf.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert pdf.metadata is not None and pdf.metadata.title == "What we heard in Eastmoor"
    word = Document(io.BytesIO(out(amina, town, format="report.docx")))
    styles = [paragraph.style.name for paragraph in word.paragraphs]
    assert styles[0] == "Title" and "Heading 1" in styles and "Quote" in styles
    assert word.core_properties.title == "What we heard in Eastmoor"


@pytest.mark.parametrize("use", ["services", "public"])
def test_outside_the_group_small_numbers_are_hidden_and_others_rounded(amina, town, lee, use):
    make_theme(amina, town, "Few", voices=say(amina, town, 3, [use]))
    few = findings.of(going(amina, town, use)).themes[0]
    assert few.counts == "Fewer than 11 voices, from fewer than 11 people."
    many = make_theme(amina, town, "Many", voices=say(amina, town, 23, [use]))
    found = {theme.name: theme for theme in findings.of(going(amina, town, use)).themes}
    assert found["Many"].counts.startswith("About ") and "23" not in found["Many"].counts
    assert findings.of(going(amina, town, "group")).themes == [] or many
    whole = json.dumps([found["Many"].counts, *findings.of(going(amina, town, use)).summary])
    assert "26" not in whole and "23" not in whole


def test_voices_of_people_nobody_knows_are_counted_and_said_so(amina, town, trust):
    unknown = write_down(amina, town, "Who minds the dog?", "form", None, uses=["group"])
    place(amina, trust, [unknown])
    make_theme(amina, town, "Dogs", voices=[unknown])
    page = out(amina, town, format="report.html").decode()
    assert "3 voices, from 1 person and from others whose names we don’t have." in page
    assert "1 voice, from people whose names we don’t have." in page
    assert "Somebody in Eastmoor, on a form" in page and "None" not in page
    assert "None" not in out(amina, town, format="csv").decode()
    assert "None" not in "".join(source.text for source in project(amina, town).sources)


def test_a_report_for_services_names_nobody(amina, town, lee, trust):
    voice = Voice.objects.get(words__startswith="Just")
    set_consent(lee, voice, ["services"])
    message(trust, "For services too", "services", voice)
    message(trust, "For the group alone", "group", voice)
    page = out(amina, town, "services", "report.html").decode()
    assert "Just one person to ring" in page and "For services too" in page
    assert "For the group alone" not in page and "trust her" not in page
    assert "Lee" not in page and "Somebody in Eastmoor" in page
    message(trust, "For anybody", "public", voice)
    assert "For anybody" in out(amina, town, "services", "report.html").decode()


def test_a_key_message_whose_quotes_may_not_go_any_more_is_not_in_it(amina, town, lee, trust):
    voice = Voice.objects.get(words__startswith="Just")
    set_consent(lee, voice, ["public"])
    message(trust, "It stands on this", "public", voice)
    assert "It stands on this" in out(amina, town, "public", "report.html").decode()
    write_down(amina, town, "Something else", "note", lee, uses=ALL_USES)
    set_consent(lee, voice, ["group"])
    assert "It stands on this" not in out(amina, town, "public", "report.html").decode()


def test_a_theme_with_nothing_to_show_is_not_named_outside(amina, town, lee, trust):
    shown = make_theme(
        amina, town, "Else", voices=[write_down(amina, town, "So", "note", lee, uses=ALL_USES)]
    )
    merge(amina, make_theme(amina, town, "Trust in Lee"), shown)
    for format in ("report.html", "csv", "qdc", "tags.csv"):
        content = out(amina, town, "public", format)
        assert b"Else" in content and b"Trust" not in content


def test_the_quotes_of_a_report_are_of_as_many_people_as_there_are(amina, town, lee):
    mine = [write_down(amina, town, f"Mine {n}", "note", lee, uses=["group"]) for n in range(9)]
    theirs = say(amina, town, 2, ["group"])
    make_theme(amina, town, "Rings", voices=[*mine, *theirs])
    words = [quote.words for quote in findings.of(going(amina, town, "group")).themes[0].quotes]
    assert len(words) == findings.QUOTES_EACH
    assert {"Mine 0", "They never rang me, number 0", "They never rang me, number 1"} <= set(words)
    assert Carried.objects.count() == 0
    take_away(amina, town, "group", "report.html")
    assert Carried.objects.count() == findings.QUOTES_EACH, "only what is in the file went"


def test_a_report_with_strange_words_is_still_made(amina, town, lee):
    strange = "#set page(fill: red) <b>\x0b& *stars* ‮ 𝔘 \n\n= not a heading $x$ @ref"
    make_theme(amina, town, "#let x", voices=[write_down(amina, town, strange, "note", lee, uses=["group"])])
    assert b"PDF-1" in out(amina, town, format="report.pdf")[:10]
    assert "#set page(fill: red) <b>" in words_in_word(out(amina, town, format="report.docx"))
    assert "&lt;b&gt;" in out(amina, town, format="report.html").decode()


# In: a project becomes stories, quotes and themes


@pytest.fixture
def far(db):
    """Another town with its own keeper, who knows nothing of ours."""
    from coproduce.people.models import Hub

    return Hub.objects.add_root({"name": "Westmoor"})


@pytest.fixture
def ify(far):
    return make_person("Ify", far, Membership.Role.FACILITATOR)


def into(by, hub, content: bytes) -> Brought:
    brought = bring(by, hub, "work.qdpx", content)
    take_in(by, brought, TODAY)
    return Brought.objects.get(pk=brought.pk)


def rows() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Story, Turn, Voice, Theme, Placement, Alias))


def words_of(theme: Theme) -> set[str]:
    return set(Voice.objects.filter(pk__in=voices_in([theme.pk])).values_list("words", flat=True))


def test_there_and_into_another_town_every_quote_stands_where_it_stood(
    amina, town, story, quote, trust, ify, far
):
    words = ["I had eleven workers, and nobody rang.", "Céline 𝔘 came", "what had happened."]
    make_theme(amina, town, "More", "Said once", voices=[quote(each) for each in words])
    sent = project(amina, town)
    into(ify, far, out(amina, town))
    theirs = {theme.name: theme for theme in Theme.objects.filter(hub=far)}
    assert words_of(theirs["More"]) == set(words) and theirs["More"].about == "Said once"
    assert words_of(theirs["Trust"]) == {"I trust her.", "Just one person to ring"}
    for voice in Voice.objects.filter(hub=far).select_related("turn__speaker"):
        assert voice.turn is not None and voice.turn.text[voice.begins : voice.ends] == voice.words
        if voice.words in words:
            assert voice.turn.speaker is not None and voice.turn.speaker.label == "Lee"
    # And from there to anywhere: the same words at the same places.
    for speaker in [one for told in Story.objects.filter(hub=far) for one in told.speakers.all()]:
        name_speaker(ify, speaker, None, ["group"])
    back = project(ify, far)
    assert {each: sorted(codes) for each, codes in marked(back).items()} == {
        each: sorted(codes) for each, codes in marked(sent).items()
    }
    assert {selection.guid for source in back.sources for selection in source.selections} == {
        selection.guid for source in sent.sources for selection in source.selections
    }, "what came from elsewhere keeps its guid"


def test_what_comes_in_is_read_by_nobody_until_they_say_so(amina, town, story, quote, trust, ify, far):
    member = make_person("Member", far)
    into(ify, far, out(amina, town))
    brought = Voice.objects.filter(hub=far)
    assert brought.exists() and not brought.filter(consents__isnull=False).exists()
    assert not Voice.objects.visible_to(member).filter(hub=far).exists()
    assert Voice.objects.visible_to(ify).filter(hub=far).count() == brought.count()
    assert not brought.filter(person__isnull=False).exists()


def test_bringing_it_twice_changes_nothing(amina, town, story, trust, ify, far):
    content = out(amina, town)
    into(ify, far, content)
    before = rows()
    again = bring(ify, far, "again.qdpx", content)
    assert what_comes(again).is_empty
    take_in(ify, again, TODAY)
    assert rows() == before
    assert Brought.objects.get(pk=again.pk).came == {"themes": 0, "stories": 0, "quotes": 0}


def test_bringing_back_what_we_sent_changes_nothing_whatever_became_of_it(amina, town, story, quote, trust):
    make_theme(amina, town, "More", voices=[quote("Céline 𝔘 came")])
    content = out(amina, town)
    taken = Voice.objects.get(words="I trust her.")
    take_out(amina, trust, [taken])
    trust.name = "Trust and time"
    trust.save()
    before, names = rows(), set(Theme.objects.values_list("name", flat=True))
    into(amina, town, content)
    assert rows() == before, "what people decided since was undone"
    assert set(Theme.objects.values_list("name", flat=True)) == names


def renamed(content: bytes) -> bytes:
    """The same project with guids of its own, as a tool gives them that passes it on."""
    import uuid

    read = tools.read(content)
    assert isinstance(read, Project)
    new = {code.guid: uuid.uuid4() for _above, code in all_codes(read.codes)}

    def code(each: Code) -> Code:
        return Code(new[each.guid], each.name, each.description, children=tuple(map(code, each.children)))

    sources = tuple(
        Source(
            uuid.uuid4(),
            source.name,
            source.text,
            tuple(
                Selection(
                    uuid.uuid4(),
                    each.begins,
                    each.ends,
                    tuple(Coding(uuid.uuid4(), new[coding.code]) for coding in each.codings),
                )
                for each in source.selections
            ),
        )
        for source in read.sources
    )
    return refi.write_project(Project(read.name, tuple(map(code, read.codes)), sources), AT)


def test_what_comes_back_from_a_tool_with_other_guids_is_known_by_its_words(amina, town, story, quote, trust):
    make_theme(amina, town, "More", voices=[quote("Céline 𝔘 came")])
    before = rows()[:5]
    into(amina, town, renamed(out(amina, town)))
    assert rows()[:5] == before


def test_what_went_to_taguette_comes_back_and_changes_nothing(amina, town, story, quote, trust, ify, far):
    more = make_theme(amina, town, "More", voices=[quote("Céline 𝔘 came")])
    merge(amina, make_theme(amina, town, "Part of it", voices=[quote("eleven workers")]), more)
    content = out(amina, town, format="sqlite3")
    assert marked(tools.read(content)) == marked(project(amina, town))
    before = rows()[:5]
    into(amina, town, content)
    assert rows()[:5] == before
    into(ify, far, content)
    assert words_of(Theme.objects.get(hub=far, name="Trust")) == {"I trust her.", "Just one person to ring"}


def test_more_coding_done_elsewhere_comes_in_on_top(amina, town, story, quote, trust):
    import uuid

    read = project(amina, town)
    code = Code(uuid.uuid4(), "Being told")
    source = next(each for each in read.sources if each.name == "Lee’s story")
    at = source.text.index("She told me")
    new = Selection(uuid.uuid4(), at, at + 11, (Coding(uuid.uuid4(), code.guid),))
    old = source.selections[0]
    old = Selection(old.guid, old.begins, old.ends, (*old.codings, Coding(uuid.uuid4(), code.guid)))
    more = Source(source.guid, source.name, source.text, (old, new))
    coming = bring(
        amina, town, "more.qdpx", refi.write_project(Project("P", (*read.codes, code), (more,)), AT)
    )
    preview = what_comes(coming)
    assert (len(preview.new_stories), preview.quotes, preview.placements) == (0, 1, 1)
    take_in(amina, coming, TODAY)
    assert words_of(Theme.objects.get(name="Being told")) == {"I trust her.", "She told me"}
    assert Story.objects.filter(hub=town).count() == 1


def test_a_quote_in_a_turn_that_was_mended_since_is_found_by_its_words(amina, town, story, quote, trust):
    import uuid

    read = project(amina, town)
    source = next(each for each in read.sources if each.name == "Lee’s story")
    marks = []
    for words in ("nobody rang", "Then Céline 𝔘"):
        at = source.text.index(words)
        marks.append(Selection(uuid.uuid4(), at, at + len(words)))
    content = refi.write_project(Project("P", (), (Source(source.guid, "x", source.text, tuple(marks)),)), AT)
    mend_turn(amina, turn_with(story, "eleven"), "Well: I had 11 workers, and nobody rang. Then she came.")
    brought = bring(amina, town, "x.qdpx", content)
    coming = what_comes(brought)
    assert coming.quotes == 1 and "1 marked place" in coming.left_out[0]
    take_in(amina, brought, TODAY)
    voice = Voice.objects.get(words="nobody rang")
    assert voice.turn is not None and voice.turn.text[voice.begins : voice.ends] == "nobody rang"


def test_words_taken_back_do_not_come_in_again(amina, town, lee, story, quote, trust):
    from coproduce.site.recall import take_back

    content = out(amina, town)
    take_back(lee, [Voice.objects.get(words="I trust her.")], [], "take out")
    into(amina, town, content)
    into(amina, town, renamed(content))
    assert not Voice.objects.filter(words__contains="trust her").exists()
    assert not Turn.objects.filter(text__contains="trust her", story=story).exists()


def test_a_mark_over_several_turns_becomes_a_quote_in_each(ify, far):
    import uuid

    text = "Lee: I had eleven workers.\n\nJoan: Eleven!\n\nLee: Yes."
    code = Code(uuid.uuid4(), "Workers")
    mark = Selection(
        uuid.uuid4(), text.index("eleven"), text.index("Yes"), (Coding(uuid.uuid4(), code.guid),)
    )
    content = refi.write_project(Project("P", (code,), (Source(uuid.uuid4(), "Two", text, (mark,)),)), AT)
    into(ify, far, content)
    assert words_of(Theme.objects.get(name="Workers")) == {"eleven workers.", "Eleven!"}
    before = rows()
    into(ify, far, content)
    assert rows() == before


def test_codes_inside_codes_become_themes_with_names_that_tell_them_apart(ify, far):
    import uuid

    def code(name: str, *children: Code, codable: bool = True) -> Code:
        return Code(uuid.uuid4(), name, children=children, codable=codable)

    book = (
        code("People", code("Trust"), code("Time"), codable=False),
        code("Services", code("Trust"), codable=False),
    )
    into(ify, far, refi.write_codebook(Codebook(book)))
    assert sorted(Theme.objects.filter(hub=far).values_list("name", flat=True)) == [
        "People: Trust", "Services: Trust", "Time",
    ]  # fmt: skip


def test_a_theme_of_the_same_name_takes_them_in(amina, town, story, trust):
    import uuid

    into(amina, town, refi.write_codebook(Codebook((Code(uuid.uuid4(), "TRUST", "Other words"),))))
    trust.refresh_from_db()
    assert (Theme.objects.count(), trust.name, trust.about) == (1, "Trust", "Who you can rely on")


def test_what_was_merged_goes_to_the_theme_that_stands_for_it(amina, town, ify, far, story, trust):
    content = out(amina, town)
    into(ify, far, refi.write_codebook(Codebook(tools.read(content).codes)))
    theirs, other = Theme.objects.get(hub=far), make_theme(ify, far, "Other")
    merge(ify, theirs, other)
    into(ify, far, content)
    assert "I trust her." in words_of(other) and theirs.placements.count() == 0


def test_taguettes_and_qualcoders_projects_come_in(ify, far):
    into(ify, far, _taguette())
    assert set(Voice.objects.values_list("words", flat=True)) == {
        "eleven workers & nobody rang", "é 𝔘", "wait. Joan: “It’s trust",
    }  # fmt: skip
    assert set(Theme.objects.values_list("name", flat=True)) == {"trust", "workers.many"}
    into(ify, far, _qualcoder())
    assert Voice.objects.filter(words="eleven workers").count() == 1
    assert set(Theme.objects.values_list("name", flat=True)) == {
        "trust",
        "workers.many",
        "workers",
        "too many",
    }
    before = rows()
    into(ify, far, _qualcoder())
    into(ify, far, _taguette())
    assert rows() == before


def test_signs_that_no_database_takes_do_not_stop_it(ify, far):
    into(
        ify,
        far,
        _taguette(
            ("eleven workers",),
            "UPDATE tags SET path = char(0), description = 'a' || char(0) || 'b' WHERE id = 1",
            "UPDATE documents SET name = 'Le' || char(0) || 'e'",
        ),
    )
    assert Story.objects.get().title == "Lee"
    assert sorted(Theme.objects.values_list("name", "about")) == [
        ("Without a name", "ab"),
        ("workers.many", ""),
    ]


def test_much_work_is_taken_in_by_the_worker_and_may_be_stopped_in_between(
    ify, far, monkeypatch, work_the_queue, signed_in
):
    import uuid

    monkeypatch.setattr(bringing, "AT_ONCE", 3)
    monkeypatch.setattr(bringing, "IN_ONE_GO", 1)
    code = Code(uuid.uuid4(), "Workers")
    sources = []
    for number in range(4):
        text = f"Lee: I had {number} workers.\n\nLee: They never rang me."
        marks = tuple(
            Selection(
                uuid.uuid4(),
                text.index(words),
                text.index(words) + len(words),
                (Coding(uuid.uuid4(), code.guid),),
            )
            for words in ("workers", "rang me")
        )
        sources.append(Source(uuid.uuid4(), f"Story {number}", text, marks))
    brought = bring(ify, far, "a.qdpx", refi.write_project(Project("P", (code,), tuple(sources)), AT))
    take_in(ify, brought, TODAY)
    page = reverse("themes:brought", args=[brought.pk])
    assert "0 of 4 texts" in signed_in(ify).get(page).content.decode()

    true, seen = bringing._take_in_story, []

    def dies(*args):
        if len(seen) == 3:
            seen.append("killed")
            raise KeyboardInterrupt
        seen.append("in")
        return true(*args)

    monkeypatch.setattr(bringing, "_take_in_story", dies)
    with pytest.raises(KeyboardInterrupt):
        bringing.go_on(Brought.objects.get(pk=brought.pk))
    assert (Story.objects.count(), Voice.objects.count()) == (2, 3)
    work_the_queue()
    assert (Story.objects.count(), Voice.objects.count(), Placement.objects.count()) == (4, 8, 8)
    text = signed_in(ify).get(page).content.decode()
    assert "All of it is in" in text and "4 stories are new" in text and "8 quotes are new" in text


def test_the_file_is_gone_once_it_is_in_or_put_aside(
    ify, far, amina, town, story, trust, django_capture_on_commit_callbacks
):
    def files() -> list[str]:
        return default_storage.listdir("brought")[1] if default_storage.exists("brought") else []

    content = out(amina, town)
    with django_capture_on_commit_callbacks(execute=True):
        into(ify, far, content)
    assert files() == []
    brought = bring(ify, far, "again.qdpx", content)
    assert len(files()) == 1
    with django_capture_on_commit_callbacks(execute=True):
        put_aside(ify, brought)
    assert files() == [] and not Brought.objects.filter(pk=brought.pk).exists()
    old = bring(ify, far, "old.qdpx", content)
    Brought.objects.filter(pk=old.pk).update(brought_at=timezone.now() - dt.timedelta(days=2))
    with django_capture_on_commit_callbacks(execute=True):
        bring(ify, far, "new.qdpx", content)
    assert len(files()) == 1 and not Brought.objects.filter(pk=old.pk).exists()


@pytest.mark.django_db(transaction=True)  # cleaning up vacuums, which PostgreSQL does in no transaction
def test_erasing_anybody_of_the_hub_drops_what_waits_there(amina, town, lee, story, trust, work_the_queue):
    bring(amina, town, "a.qdpx", out(amina, town))
    erase.erase_person(lee, lee)
    work_the_queue()
    assert not Brought.objects.exists() and default_storage.listdir("brought")[1] == []


def test_only_who_keeps_and_makes_sense_brings_and_says_yes(ify, far, amina, town, lee, marek, story, trust):
    content = out(amina, town)
    for person in (lee, marek, ify):
        with pytest.raises(NotAllowed):
            bring(person, town, "a.qdpx", content)
    brought = bring(amina, town, "a.qdpx", content)
    for person in (lee, marek, ify):
        forget(person)
        with pytest.raises(NotAllowed):
            take_in(person, brought, TODAY)
        with pytest.raises(NotAllowed):
            put_aside(person, brought)
    take_in(amina, brought, TODAY)
    with pytest.raises(ValidationError, match="already"):
        take_in(amina, brought, TODAY)
    with pytest.raises(ValidationError, match="still to come"):
        take_in(amina, bring(amina, town, "a.qdpx", content), timezone.localdate() + dt.timedelta(days=1))


# The pages


def test_a_file_is_brought_looked_at_and_taken_in(signed_in, amina, town, story, quote, trust, ify, far):
    browser = signed_in(ify)
    file = io.BytesIO(out(amina, town))
    file.name = "eastmoor.qdpx"
    answer = browser.post(reverse("themes:bring"), {"hub": far.pk, "file": file}, follow=True)
    page = answer.content.decode()
    for words in (
        "eastmoor.qdpx",
        "2 stories",
        "Lee’s story",
        "2 quotes",
        "1 theme",
        "Trust",
        "Yes, take it in",
    ):
        assert words in page, words
    assert not Story.objects.filter(hub=far).exists(), "it came in before anybody said yes"
    where = answer.redirect_chain[-1][0]
    refused = browser.post(where, {"told_on_day": "3", "told_on_month": "3", "told_on_year": ""})
    assert "Write the year as well" in refused.content.decode()
    answer = browser.post(
        where, {"told_on_day": "3", "told_on_month": "3", "told_on_year": "2026"}, follow=True
    )
    assert "All of it is in" in answer.content.decode()
    assert Story.objects.filter(hub=far).count() == 2


@pytest.mark.parametrize("content", [b"Dear diary", b"PK\3\4 broken", b"SQLite format 3\0 x", b"<a/>"])
def test_a_file_that_cannot_be_read_is_refused_with_the_reason_at_its_field(signed_in, ify, far, content):
    file = io.BytesIO(content)
    file.name = "x.qdpx"
    page = signed_in(ify).post(reverse("themes:bring"), {"hub": far.pk, "file": file}).content.decode()
    assert "id_file" in page and "There is a problem" in page
    assert not Brought.objects.exists()
    assert not default_storage.exists("brought") or default_storage.listdir("brought")[1] == []


def test_nothing_new_is_said_and_can_be_put_aside(signed_in, amina, town, story, trust):
    brought = bring(amina, town, "a.qdpx", out(amina, town))
    browser = signed_in(amina)
    page = browser.get(reverse("themes:brought", args=[brought.pk])).content.decode()
    assert "Nothing of it is new" in page and "Yes, take it in" not in page
    answer = browser.post(reverse("themes:put_aside", args=[brought.pk]), follow=True)
    assert "the file is gone" in answer.content.decode()


@pytest.mark.parametrize("format", Format)
def test_the_page_hands_over_the_file(signed_in, amina, town, trust, format):
    answer = signed_in(amina).post(
        reverse("themes:take_away"), {"hub": town.pk, "use": "group", "format": format.value}
    )
    assert answer.status_code == 200 and len(answer.content) > 20
    name = answer.headers["Content-Disposition"]
    assert name.startswith("attachment") and format.value.rpartition(".")[2] in name
    assert "no-store" in answer.headers.get("Cache-Control", "")


def test_the_page_says_why_there_is_no_file(signed_in, amina, town):
    page = signed_in(amina).post(
        reverse("themes:take_away"), {"hub": town.pk, "use": "public", "format": "csv"}
    )
    assert "nothing to take away" in page.content.decode()
    assert signed_in(amina).post(reverse("themes:take_away"), {"hub": town.pk}).status_code == 200


def test_the_ways_in_and_out_are_shown_to_who_may(signed_in, amina, lee, town, trust):
    assert reverse("themes:take_away") in signed_in(amina).get(reverse("themes:themes")).content.decode()
    assert reverse("themes:take_away") not in signed_in(lee).get(reverse("themes:themes")).content.decode()
    assert Account.objects.filter(person=lee).exists()
