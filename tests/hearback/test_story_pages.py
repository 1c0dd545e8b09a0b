from __future__ import annotations

import io

import pytest
from pypdf import PdfReader

from coproduce.agenda.actions.topics import decide, raise_topic
from coproduce.changes.actions import record_change, tie, word_clause
from coproduce.hearback.actions import write_update
from coproduce.people.actions import make_mandate
from coproduce.people.models import Membership
from coproduce.voices.actions import write_down
from tests.conftest import make_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(amina, lee, town):
    """Lee said three things: one led to a clause, one was put aside, one is still open."""
    import datetime as dt

    first = write_down(amina, town, "Just one to ring", "note", lee, dt.date(2026, 3, 1))
    second = write_down(amina, town, "A later bus", "call", lee, dt.date(2026, 4, 1))
    write_down(amina, town, "The door sticks", "note", lee, dt.date(2026, 5, 1))
    change = record_change(amina, town, "One worker", "You choose.", "clause", "made")
    tie(amina, change, voices=[first])
    word_clause(
        amina, change, "Support contract", "4.2", "Several workers", "One worker, chosen by the person"
    )
    topic = raise_topic(amina, town, "Buses", voices=[second])
    decide(amina, topic, "put aside", "The county runs the buses.")
    write_update(amina, change, "It is in the contract", "You choose one worker.")
    write_update(amina, topic, "No later bus", "The county runs the buses.")


IN_ORDER = [
    "Just one to ring",
    "It is in the contract",
    "One worker, chosen by the person",
    "A later bus",
    "No later bus",
    "The door sticks",
]


def in_order(text: str) -> bool:
    places = [text.find(words) for words in IN_ORDER]
    return -1 not in places and places == sorted(places)


def test_everything_they_said_in_order_of_time_with_what_became_of_each(lee, story, signed_in):
    page = signed_in(lee).get(f"/people/{lee.pk}/what-happened/").content.decode()
    assert in_order(page)
    assert "On 1 March 2026 you said this." in page
    assert "It is still open." in page


def test_the_same_on_paper_tagged(lee, story, signed_in):
    answer = signed_in(lee).get(f"/people/{lee.pk}/what-happened.pdf")
    reader = PdfReader(io.BytesIO(answer.content))
    assert in_order(" ".join(" ".join(page.extract_text() for page in reader.pages).split()))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]


def test_who_looks_after_them_reads_it_out_and_nobody_else(
    amina, lee, joan, marek, charlie, story, signed_in
):
    page = signed_in(amina).get(f"/people/{lee.pk}/what-happened/").content.decode()
    assert in_order(page) and "To read to Lee" in page
    for person in (joan, marek, charlie):
        for path in ("what-happened/", "what-happened.pdf"):
            assert signed_in(person).get(f"/people/{lee.pk}/{path}").status_code == 404


def test_whom_they_trust_to_tell_them_reads_what_they_may_know(amina, lee, joan, town, story, signed_in):
    make_mandate(lee, lee, joan, ["hear"])
    page = signed_in(joan).get(f"/people/{lee.pk}/what-happened/").content.decode()
    assert "Just one to ring" in page  # the group may read it, and Joan is of the group
    lee.voices.get(words="The door sticks").consents.all().delete()
    assert "The door sticks" not in signed_in(joan).get(f"/people/{lee.pk}/what-happened/").content.decode()


def test_who_may_not_read_what_is_said_reads_no_words_here_either(amina, lee, town, story, signed_in):
    coordinator = make_person("Cora", town, Membership.Role.COORDINATOR)
    for voice in lee.voices.all():
        voice.consents.all().delete()
    page = signed_in(coordinator).get(f"/people/{lee.pk}/what-happened/").content.decode()
    assert "Just one to ring" not in page and "nothing here that you may read" in page
