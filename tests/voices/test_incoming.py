"""What a stranger says: the open form, the sum that tells people from machines, and the queue."""

from __future__ import annotations

import base64
import json
import threading
import time
from datetime import timedelta

import pytest
from altcha import Challenge, Payload, solve_challenge
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import connection, connections
from django.test import Client
from django.utils import timezone

from coproduce.people import actions as people
from coproduce.people.models import Act, Hub, Membership, Person, Way
from coproduce.people.permissions import NotAllowed
from coproduce.site.worker import clear_up
from coproduce.voices import actions, incoming, sums, today
from coproduce.voices.models import Consent, Incoming, Voice
from tests.conftest import make_person

pytestmark = pytest.mark.django_db
Role = Membership.Role
FORM, QUEUE = "/have-your-say/", "/have-your-say/queue/"


@pytest.fixture(autouse=True)
def _small_sums(monkeypatch):
    monkeypatch.setattr(sums, "COST", 10)
    monkeypatch.setattr(sums, "TRIES", (2, 9))


def solved(challenge: dict | None = None) -> str:
    made = Challenge.from_dict(challenge or sums.new())
    return Payload(made, solve_challenge(made)).to_base64()


def say(client: Client | None = None, **said: str):
    return (client or Client()).post(FORM, {"words": "Nobody told me", **said})


@pytest.fixture
def came(town) -> Incoming:
    return actions.receive(town, "Nobody told me", "Mo", "mo@example.org", ["group"], checked=True)


# The form


def test_anybody_says_it_and_it_waits(town, client):
    page = client.get(FORM).content.decode()
    assert "Tell Eastmoor what helped you" in page and "Which hub" not in page
    answer = client.post(
        FORM, {"words": " It was\r\ncold ", "name": "Mo", "way": "01632 960 222", "group": "on"}
    )
    assert answer.headers["Location"] == "/have-your-say/thank-you/"
    kept = Incoming.objects.get()
    assert (kept.words, kept.name, kept.way, kept.uses) == ("It was\ncold", "Mo", "01632 960 222", ["group"])
    assert (kept.hub, kept.checked, kept.outcome) == (town, False, "")
    assert not Voice.objects.exists() and not Person.objects.exists() and not Consent.objects.exists()
    assert "Thank you" in client.get("/have-your-say/thank-you/").content.decode()
    act = Act.objects.get()
    assert (act.by, act.verb) == (None, "receive") and "cold" not in str(act.detail)


def test_which_hub_is_asked_for_where_there_are_several(town, ward, client):
    assert "Who should hear it?" in client.get(FORM).content.decode()
    assert "Please choose one" in say(client).content.decode()
    say(client, hub=str(ward.pk))
    assert Incoming.objects.get().hub == ward


def test_nothing_typed_is_lost_when_something_is_wrong(town, client):
    page = client.post(FORM, {"words": "", "name": "Mo", "way": "me@nowhere", "group": "on"}).content.decode()
    assert "There is a problem" in page and 'value="Mo"' in page and 'value="me@nowhere"' in page
    page = client.post(FORM, {"words": "Kept", "way": "me@nowhere"}).content.decode()
    assert "Write an email address like name@example.org" in page and "Kept" in page
    assert "Ensure this value" in client.post(FORM, {"words": "x" * 5001}).content.decode()
    assert not Incoming.objects.exists()


def test_before_there_is_a_group_there_is_no_form(db, client):
    assert client.get(FORM).status_code == 404


def test_every_visitor_finds_it(town, client, lee, signed_in):
    assert client.get("/").content.decode().count(f'href="{FORM}"') >= 2
    assert FORM in client.get("/how-this-works/").content.decode()


# The sum


def test_a_sum_that_was_done_marks_it_checked(town):
    assert say(altcha=solved()).status_code == 302
    assert Incoming.objects.get().checked


def test_the_browser_gets_a_new_sum_each_time_and_keeps_none(town, client):
    one, other = client.get("/have-your-say/sum/"), client.get("/have-your-say/sum/")
    assert one.json() != other.json() and "no-store" in one.headers["Cache-Control"]
    assert one.json()["parameters"]["expiresAt"] <= time.time() + sums.GOOD_FOR
    assert client.post("/have-your-say/sum/").status_code == 405
    assert sums.is_done(solved(one.json()))


def test_a_sum_counts_once(town):
    answer = solved()
    assert say(altcha=answer).status_code == 302
    again = say(altcha=answer, words="Once more")
    assert (
        again.status_code == 200
        and "sent twice" in again.content.decode()
        and "Once more" in again.content.decode()
    )
    assert Incoming.objects.count() == 1


def test_the_same_sum_in_other_clothes_counts_once(town):
    answer = solved()
    said = json.loads(base64.b64decode(answer))
    assert sums.is_done(answer)
    for other in ({**said, "more": 1}, {"solution": said["solution"], "challenge": said["challenge"]}):
        assert not sums.is_done(base64.b64encode(json.dumps(other, indent=1).encode()).decode())
    upper = json.loads(json.dumps(said))
    upper["solution"]["derivedKey"] = upper["solution"]["derivedKey"].upper()
    assert not sums.is_done(base64.b64encode(json.dumps(upper).encode()).decode())


def test_a_sum_does_not_keep(town, monkeypatch):
    answer, later = solved(), time.time() + sums.GOOD_FOR + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert say(altcha=answer).status_code == 200
    assert not Incoming.objects.exists()


def test_a_sum_of_before_a_new_key_counts_no_more(settings):
    answer = solved()
    settings.SECRET_KEY = "another one altogether, and long enough"
    assert not sums.is_done(answer)


def changed(**parameters: object) -> str:
    said = json.loads(base64.b64decode(solved()))
    said["challenge"]["parameters"] |= parameters
    return base64.b64encode(json.dumps(said).encode()).decode()


def test_a_strange_answer_is_a_wrong_one(town):
    said = json.loads(base64.b64decode(solved()))
    said["solution"]["derivedKey"] = "00" * 32
    unsigned = json.loads(base64.b64decode(solved()))
    unsigned["challenge"]["signature"] = None
    deep = base64.b64encode(b"[" * 1500).decode()
    strange = [
        "x",
        "e30=",
        base64.b64encode(b"null").decode(),
        base64.b64encode(b'{"challenge":1}').decode(),
        deep,
        "é",
    ]
    strange += [base64.b64encode(json.dumps(one).encode()).decode() for one in (said, unsigned)]
    strange += [
        changed(expiresAt=time.time() + 10**6),
        changed(expiresAt=None),
        changed(cost=1),
        changed(nonce="00"),
    ]
    for answer in strange:
        cache.clear()
        assert say(altcha=answer).status_code == 200, answer
    assert not Incoming.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_the_same_sum_sent_many_times_at_once_one_counts(town):
    answer, start, answers = solved(), threading.Barrier(8), []

    def send():
        client = Client()
        start.wait()
        answers.append(say(client, altcha=answer).status_code)
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200] * 7 + [302]
    assert Incoming.objects.count() == 1


# Limits


def test_without_a_sum_fewer_an_hour_and_the_words_stay(town):
    client = Client(REMOTE_ADDR="203.0.113.9")
    codes = [say(client).status_code for _ in range(incoming.UNCHECKED_AN_HOUR)]
    assert set(codes) == {302}
    refused = say(client, words="My words")
    assert refused.status_code == 429
    assert "Wait a few minutes" in refused.content.decode() and "My words" in refused.content.decode()
    assert say(client, altcha=solved()).status_code == 302, "whose browser does the sum is still heard"
    assert say(Client(REMOTE_ADDR="203.0.113.10")).status_code == 302


def test_with_a_sum_there_is_a_limit_too(town):
    client = Client(REMOTE_ADDR="203.0.113.9")
    codes = [say(client, altcha=solved()).status_code for _ in range(incoming.CHECKED_AN_HOUR + 1)]
    assert codes == [302] * incoming.CHECKED_AN_HOUR + [429]


def test_a_flood_from_everywhere_does_not_bury_the_queue(town, monkeypatch):
    monkeypatch.setattr(incoming, "UNCHECKED_IN_ALL", 5)
    codes = [say(Client(REMOTE_ADDR=f"198.51.100.{number}")).status_code for number in range(7)]
    assert codes == [302] * 5 + [429] * 2
    assert say(altcha=solved()).status_code == 302


def test_no_network_address_is_kept(town):
    say(Client(REMOTE_ADDR="203.0.113.99"), altcha=solved())
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            assert not any("203.0.113.99" in str(row) for row in cursor.fetchall()), table


def test_what_only_a_machine_fills_in_loses_nothing_but_the_mark(town):
    say(altcha=solved(), website="https://buy.example")
    assert not Incoming.objects.get().checked


# The queue


def test_who_opens_it(came, amina, lee, joan, marek, charlie, town, ward, signed_in, client):
    cara = make_person("Cara", town, Role.CURATOR)
    rosa = make_person("Rosa", town, Role.COORDINATOR)
    omar = make_person("Omar", ward, Role.FACILITATOR)
    for keeper in (amina, cara):
        assert "Nobody told me" in signed_in(keeper).get(QUEUE).content.decode()
        assert "mo@example.org" in signed_in(keeper).get(f"{QUEUE}{came.pk}/").content.decode()
    for somebody in (lee, joan, marek, charlie, rosa):
        assert signed_in(somebody).get(QUEUE).status_code == 404
    assert "Nobody told me" not in signed_in(omar).get(QUEUE).content.decode()
    for somebody in (lee, joan, marek, charlie, rosa, omar):
        for path in (f"{QUEUE}{came.pk}/", f"{QUEUE}{came.pk}/put-aside/"):
            assert signed_in(somebody).post(path, {"reason": "x"}).status_code == 404
        for attempt in (actions.take_in, lambda by, one: actions.put_aside(by, one, "no")):
            with pytest.raises(NotAllowed):
                attempt(somebody, came)
    assert client.get(QUEUE).status_code == 302
    came.refresh_from_db()
    assert came.outcome == ""


def test_nothing_of_it_is_anywhere_before(came, amina, lee, signed_in, client):
    for path in ("/", "/voices/", "/voices/?q=told", "/people/", "/stories/", "/topics/", "/themes/"):
        for reader in (client, signed_in(lee), signed_in(amina)):
            page = reader.get(path, follow=True).content.decode()
            assert "Nobody told me" not in page and "mo@example.org" not in page, path
    [todo, *_rest] = today.do_these_first(amina)
    assert todo.url == QUEUE and "told" not in f"{todo.title}{todo.rest}{todo.small}"
    assert not any(todo.url == QUEUE for todo in today.do_these_first(lee))


def test_taken_in_it_is_a_voice_and_somebody_who_can_hear(came, amina, town, signed_in):
    answer = signed_in(amina).post(f"{QUEUE}{came.pk}/", {"person": ""})
    voice = Voice.objects.get()
    assert answer.headers["Location"] == f"/voices/{voice.pk}/"
    assert (voice.words, voice.came_by, voice.hub, voice.taken_by) == ("Nobody told me", "form", town, amina)
    assert [consent.use for consent in voice.consents.all()] == ["group"]
    assert voice.person and voice.person.name == "Mo"
    way = voice.person.ways.get()
    assert (way.kind, way.address, way.preferred) == (Way.Kind.EMAIL, "mo@example.org", True)
    assert (
        Person.objects.visible_to(make_person("Bo", town, Role.FACILITATOR))
        .filter(pk=voice.person.pk)
        .exists()
    )
    came.refresh_from_db()
    assert (came.words, came.name, came.way) == ("", "", ""), "no second copy stays"
    assert (came.outcome, came.voice, came.taken_by) == (Incoming.Outcome.TAKEN_IN, voice, amina)
    assert not today.do_these_first(amina)


def test_taken_in_as_said_by_somebody_we_know(came, amina, lee, charlie, signed_in):
    page = signed_in(amina).post(f"{QUEUE}{came.pk}/", {"person": charlie.pk})
    assert page.status_code == 200 and not Voice.objects.exists()
    signed_in(amina).post(f"{QUEUE}{came.pk}/", {"person": lee.pk})
    assert Voice.objects.get().person == lee
    assert not Person.objects.filter(name="Mo").exists()


def test_with_no_name_and_no_way_it_is_nobody_we_know(town, amina):
    voice = actions.take_in(amina, actions.receive(town, "Hello", "", "", [], checked=True))
    assert voice.person is None and not voice.consents.exists()
    assert not Voice.objects.visible_to(None).exists()


@pytest.mark.parametrize(
    ("where", "kind", "address"),
    [
        ("Mo@Example.org ", Way.Kind.EMAIL, "mo@example.org"),
        ("01632 960 222", Way.Kind.PHONE, "01632 960 222"),
        (
            "Ask for Mo at the day centre, 12 to 2",
            Way.Kind.FACE_TO_FACE,
            "Ask for Mo at the day centre, 12 to 2",
        ),
    ],
)
def test_a_way_is_what_it_looks_like(where, kind, address):
    assert people.way_meant(where) == (kind, address)


def test_put_aside_with_a_reason_and_taken_in_after_all(came, amina, signed_in):
    client = signed_in(amina)
    assert (
        "Please fill this in" in client.post(f"{QUEUE}{came.pk}/put-aside/", {"reason": ""}).content.decode()
    )
    client.post(f"{QUEUE}{came.pk}/put-aside/", {"reason": "Not about us"})
    assert "Nobody told me" not in client.get(QUEUE).content.decode()
    assert "Not about us" in client.get(f"{QUEUE}?aside=1").content.decode()
    assert not Voice.objects.exists() and not today.do_these_first(amina)
    client.post(f"{QUEUE}{came.pk}/", {"person": ""})
    assert Voice.objects.get().words == "Nobody told me"


def test_what_was_put_aside_is_not_kept_for_ever(came, amina, town):
    waits = actions.receive(town, "Still waiting", "", "", [], True)
    actions.put_aside(amina, came, "Not about us")
    Incoming.objects.update(at=timezone.now() - Incoming.KEPT_ASIDE + timedelta(hours=1))
    clear_up()
    assert Incoming.objects.put_aside().exists()
    Incoming.objects.update(at=timezone.now() - Incoming.KEPT_ASIDE - timedelta(hours=1))
    clear_up()
    assert [one.pk for one in Incoming.objects.all()] == [waits.pk]


def test_taken_in_once(came, amina, signed_in):
    actions.take_in(amina, came)
    for again in (lambda: actions.take_in(amina, came), lambda: actions.put_aside(amina, came, "x")):
        with pytest.raises(ValidationError):
            again()
    assert signed_in(amina).get(f"{QUEUE}{came.pk}/").status_code == 404
    assert Voice.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_take_it_in_at_once_make_one_voice(town):
    amina = make_person("Amina", town, Role.FACILITATOR)
    came = actions.receive(town, "Hello", "Mo", "", [], checked=True)
    start, ended = threading.Barrier(4), []

    def take():
        start.wait()
        try:
            ended.append(actions.take_in(amina, Incoming.objects.get(pk=came.pk)))
        except ValidationError:
            pass
        finally:
            connections.close_all()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ended) == 1 and Voice.objects.count() == 1 and Person.objects.filter(name="Mo").count() == 1


def test_as_many_queries_for_many_as_for_one(town, amina, signed_in, django_assert_max_num_queries):
    client = signed_in(amina)
    for number in range(12):
        actions.receive(town, f"Number {number}", "", "", [], checked=bool(number % 2))
    with django_assert_max_num_queries(11):
        page = client.get(QUEUE).content.decode()
    assert page.index("Number 1”") < page.index("Number 0”"), "what was checked comes first"


def test_a_hub_of_another_group_is_not_chosen_by_typing_its_number(town, client):
    other = Hub.objects.add_root({"name": "Elsewhere"})
    assert say(client, hub="999").status_code == 200
    assert say(client, hub=str(other.pk)).status_code == 302
