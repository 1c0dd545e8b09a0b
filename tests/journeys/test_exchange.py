"""Work goes out to a report and to another tool, and comes in from one, on a phone."""

from __future__ import annotations

import pytest
from pypdf import PdfReader

from coproduce.engine import exchange as tools
from coproduce.engine.exchange.project import Project
from coproduce.people.models import Account, Hub, Membership, Person
from coproduce.site import demo
from coproduce.themes.models import Theme
from coproduce.voices.models import Voice
from tests.journeys.conftest import look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def take_away(page, use: str, format: str):
    page.get_by_label(use).check()
    page.get_by_label(format).check()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Get the file").click()
    return waiting.value.path()


@pytest.mark.parametrize("scripts", [True, False])
def test_themes_go_out_to_a_report_and_come_in_to_another_town(scripts, open_context):
    demo.load_once()
    ify = Person.objects.get(name="Ify")
    hub = Theme.objects.order_by("pk")[0].hub
    far = Hub.objects.add_root({"name": "Westmoor"})
    keeper = Person.objects.create(name="Keeper")
    Membership.objects.create(person=keeper, hub=far, role=Membership.Role.CURATOR)
    Account.objects.create(person=keeper, email="keeper@example.org")

    page = open_context(ify, scripts=scripts).new_page()
    page.goto("/themes/")
    page.get_by_role("link", name="Take themes and quotes away").click()
    found = look(page) if scripts else []
    page.get_by_role("button", name="Get the file").click()
    assert page.get_by_role("alert").is_visible(), "nothing was chosen, and nothing said so"
    found += look(page) if scripts else []
    if page.get_by_label("Which hub?").is_visible():
        page.get_by_label("Which hub?").select_option(label=hub.name)
    report = PdfReader(take_away(page, "Services", "on paper"))
    assert f"What we heard in {hub.name}" in " ".join(each.extract_text() for each in report.pages)
    page.goto("/themes/take-away/")  # a second press within a second does nothing
    if page.get_by_label("Which hub?").is_visible():
        page.get_by_label("Which hub?").select_option(label=hub.name)
    work = take_away(page, "The group", "(.qdpx)")
    sent = tools.read(work.read_bytes())
    assert isinstance(sent, Project)
    words = {source.text[each.begins : each.ends] for source in sent.sources for each in source.selections}
    assert len(words) > 10

    page = open_context(keeper, scripts=scripts).new_page()
    page.goto("/themes/")
    page.get_by_role("link", name="Bring work from another tool").click()
    found += look(page) if scripts else []
    page.get_by_label("The file").set_input_files(
        {"name": "town.qdpx", "mimeType": "application/zip", "buffer": work.read_bytes()}
    )
    page.get_by_role("button", name="See what will come").click()
    assert page.get_by_role("heading", name="What will come in").is_visible()
    found += look(page) if scripts else []
    for box, value in (("Day", "3"), ("Month", "March"), ("Year", "2026")):
        page.get_by_label(box, exact=True).fill(value)
    page.get_by_role("button", name="Yes, take it in").click()
    assert page.get_by_text("All of it is in.").is_visible()
    found += look(page) if scripts else []
    assert set(Voice.objects.filter(hub=far).values_list("words", flat=True)) == words
    assert not found, "\n".join(found)
