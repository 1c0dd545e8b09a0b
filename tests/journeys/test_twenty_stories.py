"""A researcher has twenty stories and a deadline: from twenty files to a report that obeys consent, on a phone."""

from __future__ import annotations

import re

import pytest
from docx import Document
from playwright.sync_api import Page, expect

from coproduce.people.models import Account, Hub, Membership, Person
from coproduce.themes.models import ProposedTheme
from coproduce.voices.models import Speaker, Story, Use, Voice
from tests.journeys.conftest import look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# fmt: off
TELLERS = [
    "Ada", "Bram", "Cleo", "Dov", "Esme", "Finn", "Gwen", "Hari", "Ines", "Jude",
    "Kofi", "Lena", "Milo", "Nell", "Otis", "Pia", "Quin", "Rhea", "Sami", "Tova",
]
OWN = [  # what only one of them says: by it their words are known, however names are masked
    "kettle", "ladder", "button", "pigeon", "candle", "hammer", "puddle", "ribbon", "tunnel", "walnut",
    "basket", "carpet", "feather", "goblet", "helmet", "island", "jigsaw", "lantern", "magnet", "needle",
]
# fmt: on
ASKED = ["How did it begin for you?", "And what happened after that?", "What would have helped?"]
SUBJECTS = [  # each in five ways: nobody says it as another does
    [
        "The bus to the clinic was cut in spring, so I walk four miles along the road to see the nurse.",
        "There is one bus a day from our street, and it leaves the hospital stop before appointments end.",
        "I could not pay the bus fare to the clinic, and the driver would not let me on without a ticket.",
        "When the last bus is at four you miss the evening clinic, and a taxi costs what I eat in a week.",
        "My son drives me, else I would have no bus, no lift and no way to get to the doctor at all.",
    ],
    [
        "The flat has black mould behind the bed, and the landlord painted over the damp instead of mending it.",
        "Water runs down the bedroom wall when it rains, and the damp has got into the baby’s clothes.",
        "I sent the landlord photos of the mould every month, and he said that I should open a window.",
        "The boiler broke in November and the flat stayed cold and damp until the landlord came in March.",
        "The ceiling came down from the wet, and the mould grew back in the same corner of the flat.",
    ],
    [
        "The letter about my benefit was six pages of long words, and I did not understand what to sign.",
        "I got a brown letter that said my money was stopped, and nobody could tell me what the words meant.",
        "They send me a form of forty pages, and if you write it wrong they send the whole form again.",
        "My daughter reads me the letters, because the print is small and the words are made for lawyers.",
        "Had the letter said in plain words what to do, I would have filled in the form by the day.",
    ],
    [
        "On Thursdays we cook together in the church hall, and that meal is the only time I laugh with people.",
        "I was lonely for two years until somebody took me to the lunch club and I made a friend there.",
        "In the community garden nobody asks what is wrong with you, we dig and drink tea and talk together.",
        "When the lunch club shut I lost my friends, and I sat alone at home and talked to the radio.",
        "A neighbour knocked and brought me to the choir, and singing with friends keeps me from being lonely.",
    ],
]


def transcript(place: int) -> str:
    """What one of them told: each of them of three of the four subjects, each in words that differ."""
    name, lines = TELLERS[place], []
    for turn, question in enumerate(ASKED):
        ways = SUBJECTS[(place + turn) % 4]
        first, second = ways[(place + turn) % 5], ways[(place // 4 + 2 * turn + 1) % 5]
        lines += [f"Ify: {question}", f"{name}: {first} {second} I think of it when I see a {OWN[place]}."]
    return "\n\n".join(
        [*lines, "Ify: Thank you for telling me all of this today.", f"{name}: You’re welcome."]
    )


@pytest.mark.parametrize("scripts", [True, False])
def test_from_twenty_files_to_a_report(scripts, open_context, work_the_queue, tmp_path):
    hub = Hub.objects.add_root({"name": "Eastmoor"})
    ify = Person.objects.create(name="Ify")
    Membership.objects.create(person=ify, hub=hub, role=Membership.Role.CURATOR)
    Account.objects.create(person=ify, email="ify@example.org")
    found: list[str] = []

    def clean(page: Page, name: str) -> None:
        page.screenshot(path=tmp_path / f"{name}.png", full_page=True)
        found.extend(look(page) if scripts else [])

    # Twenty files and a picture, in one go.
    page = open_context(ify, scripts).new_page()
    page.goto("/stories/add/")
    page.get_by_label("What shall we call it?").fill("Spring")
    for label, typed in (("Day", "3"), ("Month", "March"), ("Year", "2026")):
        page.get_by_label(label, exact=True).fill(typed)
    files = [
        {"name": f"{name}.txt", "mimeType": "text/plain", "buffer": transcript(place).encode()}
        for place, name in enumerate(TELLERS)
    ]
    picture = {"name": "garden.png", "mimeType": "image/png", "buffer": b"\x89PNG\r\n\x1a\n" + bytes(40)}
    clean(page, "bring")
    page.get_by_label("The transcript, or many").set_input_files([*files[:7], picture, *files[7:]])
    page.get_by_role("button", name="Bring it in").click()
    expect(page.get_by_text("20 stories are here.")).to_be_visible()
    expect(page.get_by_text("“garden.png” is not in.")).to_be_visible()
    clean(page, "together")
    assert Story.objects.count() == 20

    # Who told them: seventeen say the same, three allow nothing. Nobody has to name who asks.
    page.get_by_role("link", name="Name 20 people").click()
    clean(page, "who-told")
    silent = ["Dov", "Jude", "Sami"]
    for name in silent:
        page.get_by_label(f"“{name}” in “Spring: {name}”", exact=True).uncheck(force=True)
    for use in ("The group may read them", "Services may read them", "Anybody may read them"):
        page.get_by_label(re.compile(use)).check(force=True)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("17 people are named.")).to_be_visible()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("3 people are named.")).to_be_visible()
    clean(page, "named")
    assert not Speaker.objects.filter(label="Ify", person__isnull=False).exists()

    # What they said, as quotes: it says how many, takes them, and takes them off again.
    page.get_by_role("link", name="Take what they said as quotes").click()
    clean(page, "take")
    would = int(page.locator("p b").first.inner_text().split()[0])
    for name in silent:  # theirs are kept too, for those who look after stories and nobody else
        page.get_by_label(re.compile(f"^{name} in ")).check(force=True)
    page.get_by_role("button", name="Take them as quotes").click()
    expect(page.get_by_text(re.compile("quotes are taken"))).to_be_visible()
    taken = Voice.objects.count()
    assert would == Voice.objects.for_use(Use.PUBLIC).count() < taken
    for quote in Voice.objects.select_related("turn__speaker"):
        assert quote.turn and quote.words == quote.turn.text[quote.begins : quote.ends]
        assert quote.turn.speaker and quote.turn.speaker.label in TELLERS
    clean(page, "taken")
    page.get_by_role("button", name="Take these quotes off again").click()
    expect(page.get_by_text("are not quotes any more")).to_be_visible()
    assert not Voice.objects.exists()
    for name in silent:
        page.get_by_label(re.compile(f"^{name} in ")).check(force=True)
    page.get_by_role("button", name="Take them as quotes").click()
    expect(page.get_by_text(re.compile("quotes are taken"))).to_be_visible()
    assert Voice.objects.count() == taken

    # The machine looks; a proposal becomes a theme.
    page.goto("/themes/")
    page.get_by_role("button", name="Look for themes").click()
    work_the_queue()
    assert ProposedTheme.objects.filter(hub=hub).count() >= 3
    page.goto("/themes/proposed/")
    clean(page, "proposed")
    page.get_by_role("link", name=re.compile("^Look at it")).first.click()
    page.get_by_label("What do you call it?").fill("What we live with")
    page.get_by_role("button", name="Make the theme").click()
    expect(page.get_by_role("heading", level=1, name="What we live with")).to_be_visible()

    # A key message on quotes, and the report.
    page.get_by_role("link", name="Write a key message").click()
    page.get_by_label("What does it say, in one sentence?").fill("Ask us before you change it.")
    page.get_by_label("Everybody").check(force=True)
    public = {str(voice.pk) for voice in Voice.objects.for_use(Use.PUBLIC)}
    boxes = page.locator("input[name=voices]").all()
    stands_on = next(box for box in boxes if box.get_attribute("value") in public)
    stands_on.check(force=True)
    page.get_by_role("button", name="Keep this key message").click()
    expect(page.get_by_text("Not agreed yet")).to_be_visible()
    page.get_by_role("link", name=re.compile("^The group agrees")).click()
    page.get_by_role("button", name="Yes, the group agrees").click()
    expect(page.get_by_text("Written down: the group agrees.")).to_be_visible()
    page.goto("/themes/take-away/")
    page.get_by_label("Anybody").check(force=True)
    page.get_by_label(re.compile("Word")).check(force=True)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Get the file").click()
    report = "\n".join(each.text for each in Document(str(waiting.value.path())).paragraphs)
    assert "What we live with" in report and "Ask us before you change it." in report
    said = {name: OWN[place] in report for place, name in enumerate(TELLERS)}
    assert any(said.values()) and not any(said[name] for name in silent)
    shown = {voice.masked or voice.words for voice in Voice.objects.for_use(Use.PUBLIC)}
    assert any(words in report for words in shown)
    assert not any(name in report for name in silent)
    assert not found, "\n".join(found)
