"""Voting as those who vote meet it: with an account and without, with htmx and without; what nobody else may see."""

from __future__ import annotations

import pytest
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from coproduce.consensus import actions, voting
from coproduce.consensus.booth_pages import COOKIE
from coproduce.consensus.models import Statement, Vote, Voter
from coproduce.people.actions import make_mandate
from coproduce.voices.models import Incoming, Voice

pytestmark = pytest.mark.django_db


def at(conversation, rest: str = "") -> str:
    return f"/common-ground/{conversation.key}/{rest}"


@pytest.fixture
def stranger(conversation, statements) -> Client:
    """Somebody with no account, who pressed Start."""
    client = Client()
    assert client.post(at(conversation)).url == at(conversation, "vote/")
    return client


def press(client: Client, conversation, statement, choice: str, **headers: str):
    return client.post(
        at(conversation, "vote/"), {"statement": statement.pk, "choice": choice}, headers=headers
    )


def test_no_account_is_needed_with_the_link(stranger, conversation, statements):
    assert "Statement 1 of 3" in stranger.get(at(conversation, "vote/")).content.decode()
    for done, statement in enumerate(statements, 1):
        answer = press(stranger, conversation, statement, "agree")
        assert answer.status_code == 302, "nothing is shown before the vote is kept"
        assert Vote.objects.count() == done
    page = stranger.get(answer.url).content.decode()
    assert "That was the last one" in page and "You said <b>agree</b>" in page
    voter = Voter.objects.get()
    assert voter.person is None and voter.votes.count() == 3


def test_htmx_gets_the_next_one_in_the_same_answer(stranger, conversation, statements):
    answer = press(stranger, conversation, statements[0], "disagree", **{"hx-request": "true"})
    page = answer.content.decode()
    assert answer.status_code == 200 and "<html" not in page
    assert "Statement 2 of 3" in page and "You said <b>disagree</b>" in page
    assert Vote.objects.get().choice == -1


def test_the_page_asks_for_no_more_when_there_are_more_votes(stranger, conversation, statements, amina):
    def cost() -> int:
        with CaptureQueriesContext(connection) as captured:
            stranger.get(at(conversation, "vote/"))
        return len(captured)

    before = cost()
    for number in range(10):
        fresh = actions.write_statement(amina, conversation, f"Number {number}.")
        for voter in range(3):
            voting.vote_by_link(f"s{voter}", conversation, fresh, 1)
    assert cost() == before
    press(stranger, conversation, statements[0], "agree")
    assert cost() <= before + 1


def test_a_cookie_that_somebody_changed_opens_nobodys_votes(stranger, conversation, statements):
    press(stranger, conversation, statements[0], "agree")
    other = Client()
    for value in ("x", signing.get_cookie_signer(salt="other").sign("secret")):
        other.cookies[COOKIE] = value
        assert other.get(at(conversation, "mine/")).status_code == 302
        assert press(other, conversation, statements[1], "agree").url == at(conversation)
    assert Vote.objects.count() == 1
    kept = stranger.cookies[COOKIE]
    assert kept["httponly"] and kept["samesite"] == "Lax"
    assert Voter.objects.get().key not in kept.value


def test_what_is_no_vote_is_told_and_nothing_is_kept(stranger, conversation, statements):
    answer = press(stranger, conversation, statements[0], "maybe")
    assert "Press one of the three buttons" in stranger.get(answer.url).content.decode()
    missing = Statement(pk=10**9)
    answer = press(stranger, conversation, missing, "agree")
    assert "taken out just now" in stranger.get(answer.url).content.decode()
    assert not Vote.objects.exists()


def test_where_the_link_is_for_the_group_it_answers_others_as_if_it_was_not_there(
    amina, lee, marek, charlie, conversation, statements, signed_in, client
):
    actions.set_link(amina, conversation, False)
    for rest in ("", "vote/", "add/", "mine/", "result/", f"why/{statements[0].pk}/"):
        never = "/common-ground/nosuchkeyatall/" + rest
        for other in (marek, charlie):
            browser = signed_in(other)
            answer, missing = browser.get(at(conversation, rest)), browser.get(never)
            assert (answer.status_code, answer.content) == (404, missing.content), rest
        for path in (at(conversation, rest), never):
            assert client.get(path).url.startswith("/account/"), "a visitor is asked to sign in, there or not"
        assert signed_in(lee).get(at(conversation, rest)).status_code == 200, rest


def test_frozen_it_is_for_everybody_with_the_answer_at_the_same_link(
    amina, conversation, statements, stranger, marek, signed_in
):
    press(stranger, conversation, statements[0], "agree")
    actions.set_link(amina, conversation, False)
    actions.freeze(amina, conversation, "decided", "Benches with backs.")
    for browser in (stranger, Client(), signed_in(marek)):
        page = browser.get(at(conversation)).content.decode()
        assert "Benches with backs." in page and "Voting is over" in page
    assert stranger.get(at(conversation, "vote/")).url == at(conversation)
    assert press(stranger, conversation, statements[1], "agree").url == at(conversation)
    assert Vote.objects.count() == 1


def test_only_oneself_reads_how_one_voted(stranger, conversation, statements, lee, amina, signed_in):
    press(stranger, conversation, statements[0], "disagree")
    mine = stranger.get(at(conversation, "mine/")).content.decode()
    assert "Disagree" in mine and statements[0].words in mine
    for other in (signed_in(lee), signed_in(amina)):
        assert "Disagree" not in other.get(at(conversation, "mine/")).content.decode()


def test_ones_own_page_says_who_wrote_it_down(amina, lee, conversation, statements, signed_in):
    voting.record_vote(amina, conversation, lee, statements[0], 1)
    page = signed_in(lee).get(at(conversation, "mine/")).content.decode()
    assert "by phone, written down by Amina" in page


def test_votes_of_before_signing_in_are_offered(stranger, conversation, statements, lee):
    press(stranger, conversation, statements[0], "agree")
    stranger.force_login(lee.account, backend="django.contrib.auth.backends.ModelBackend")
    assert "Are those your own votes?" in stranger.get(at(conversation)).content.decode()
    stranger.post(at(conversation, "make-mine/"))
    assert Voter.objects.get().person == lee
    assert "Are those your own votes?" not in stranger.get(at(conversation)).content.decode()


def test_votes_are_taken_out_again(stranger, conversation, statements):
    press(stranger, conversation, statements[0], "agree")
    stranger.post(at(conversation, "take-out/"))
    assert not Vote.objects.exists()


def test_a_statement_of_a_stranger_waits_and_they_read_what_became_of_it(
    stranger, conversation, statements, amina
):
    assert "Vote on a statement first" in stranger.get(at(conversation, "add/"), follow=True).content.decode()
    press(stranger, conversation, statements[0], "agree")
    stranger.post(at(conversation, "add/"), {"words": "Warm seats."})
    one = Statement.objects.get(words="Warm seats.")
    assert one.state == Statement.State.WAITING and one.written_by is None
    long = stranger.post(at(conversation, "add/"), {"words": "x" * 250}).content.decode()
    assert "250 letters" in long and "x" * 250 in long, "what was typed is kept"
    actions.refuse(amina, one, "Somebody said so before.")
    assert "Somebody said so before." in stranger.get(at(conversation, "mine/")).content.decode()


def test_a_stranger_takes_their_own_statement_back(stranger, conversation, statements):
    press(stranger, conversation, statements[0], "agree")
    stranger.post(at(conversation, "add/"), {"words": "Warm seats."})
    one = Statement.objects.get(words="Warm seats.")
    other = Client()
    other.post(at(conversation))
    press(other, conversation, statements[0], "agree")
    assert other.post(at(conversation, f"take-back/{one.pk}/")).status_code == 404
    stranger.post(at(conversation, f"take-back/{one.pk}/"))
    assert not Statement.objects.filter(words="Warm seats.").exists()


def test_the_groups_pages_ask_for_no_more_when_there_are_more_rows(
    amina, conversation, statements, topic, signed_in
):
    browser = signed_in(amina)

    def costs() -> list[int]:
        found = []
        for path in (
            "",
            f"{conversation.pk}/look-after/",
            f"{conversation.pk}/statements/",
            f"{conversation.pk}/paper/",
        ):
            with CaptureQueriesContext(connection) as captured:
                assert browser.get(f"/common-ground/{path}").status_code == 200
            found.append(len(captured))
        return found

    def more(number: int) -> None:
        actions.open_conversation(amina, topic)
        fresh = actions.write_statement(amina, conversation, f"Number {number}.")
        actions.refuse(amina, actions.write_statement(amina, conversation, f"Odd {number}."), "Odd.")
        voting.vote_by_link(f"s{number}", conversation, fresh, 1)
        voting.make_sheet(amina, conversation)

    more(0)
    before = costs()
    for number in range(1, 4):
        more(number)
    assert costs() == before


def test_why_of_a_member_is_a_voice_and_of_a_stranger_waits_to_be_read(
    stranger, conversation, statements, lee, signed_in
):
    path = at(conversation, f"why/{statements[0].pk}/")
    signed_in(lee).post(path, {"words": "My knees.", "group": "on"})
    assert Voice.objects.get().person == lee
    stranger.post(path, {"words": "My feet."})
    assert Incoming.objects.get().words == "My feet." and Voice.objects.count() == 1
    assert "Write why" in stranger.post(path, {"words": ""}).content.decode()


def test_on_the_phone_and_for_somebody_the_page_says_whose_vote_it_is(
    amina, lee, joan, conversation, statements, signed_in
):
    path = f"/common-ground/{conversation.pk}/phone/{lee.pk}/"
    page = signed_in(amina).get(path).content.decode()
    assert "What does Lee say?" in page and "Read this out" in page and "They agree" in page
    signed_in(amina).post(path, {"statement": statements[0].pk, "choice": "pass"})
    mandate = make_mandate(lee, lee, joan, ["vote"])
    browser = signed_in(joan)
    assert conversation.topic.title in browser.get(f"/supporting/{mandate.pk}/").content.decode()
    path = f"/supporting/{mandate.pk}/common-ground/{conversation.pk}/"
    assert "you say that this is what Lee told you" in browser.get(path).content.decode()
    browser.post(path, {"statement": statements[1].pk, "choice": "disagree"})
    ways = dict(Vote.objects.values_list("statement", "way"))
    assert ways == {statements[0].pk: "phone", statements[1].pk: "trusted person"}


def test_so_many_begin_from_one_address_and_no_more(conversation, statements, monkeypatch):
    monkeypatch.setattr("coproduce.consensus.booth_pages.NEW_VOTERS_AN_HOUR", 2)
    for _person in range(2):
        assert Client().post(at(conversation)).url == at(conversation, "vote/")
    late = Client()
    assert late.post(at(conversation)).url == at(conversation)
    assert "Wait a few minutes" in late.get(at(conversation)).content.decode()
