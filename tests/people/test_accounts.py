"""Signing in: codes, passkeys and second steps; limits and identical replies; sessions that end; the administrator."""

from __future__ import annotations

import re
import statistics
import threading
import time

import pytest
from allauth.account.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.core import mail
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import connection, connections
from django.test import Client
from django.urls import NoReverseMatch, reverse

from coproduce import cli
from coproduce.people import actions, limits, sign_in
from coproduce.people.models import Account, Act, Membership, Person
from coproduce.people.permissions import TABLE, NotAllowed, hubs_where
from coproduce.site import keeping
from coproduce.voices.actions import write_down
from coproduce.voices.models import Voice
from tests.conftest import make_person

pytestmark = pytest.mark.django_db
Role = Membership.Role

ASK, CONFIRM = "/account/login/code/", "/account/login/code/confirm/"
SECRETS = re.compile(r'name="(csrfmiddlewaretoken|code)" value="[^"]+"|nonce="[^"]*"|[\w.+-]+@[\w.-]+')


def code_in(message: mail.EmailMessage) -> str:
    found = re.search(r"\b[A-Z]{4}-[A-Z]{4}\b", str(message.body))
    assert found
    return found.group()


def sign_in_by_code(client: Client, email: str) -> None:
    client.post(ASK, {"email": email})
    client.post(CONFIRM, {"code": code_in(mail.outbox[-1])})


def is_signed_in(client: Client) -> bool:
    """As the next page sees it, not as the cookie claims."""
    return "Sign out" in client.get("/how-this-works/").content.decode()


def reply(answer) -> tuple[int, str, str]:
    """Everything of an answer that could tell one address from another."""
    body = SECRETS.sub("…", answer.content.decode()) if not answer.streaming else ""
    return answer.status_code, answer.headers.get("Location", ""), body


# Which pages there are


def test_nobody_signs_up_and_there_are_no_passwords(client):
    for name in ("account_signup", "account_change_password", "account_reset_password", "account_email"):
        with pytest.raises(NoReverseMatch):
            reverse(name)
    for path in ("signup/", "password/reset/", "password/change/", "email/", "reauthenticate/"):
        assert client.get(f"/account/{path}").status_code == 404
    account = Account(email="x@example.org")
    assert not account.has_usable_password() and not account.check_password("")


def test_a_password_made_behind_our_back_opens_nothing(lee):
    lee.account.set_password("let me in")
    lee.account.save()
    assert not Client().login(email="lee@example.org", password="let me in")
    assert not Client().login(username="lee@example.org", password="let me in")


def test_the_page_says_where_to_go_on_and_goes_nowhere_else(client, lee):
    assert client.get("/account/login/?next=/topics/").headers["Location"] == f"{ASK}?next=%2Ftopics%2F"
    client.post(ASK + "?next=https://evil.example/", {"email": "lee@example.org"})
    answer = client.post(CONFIRM + "?next=https://evil.example/", {"code": code_in(mail.outbox[0])})
    assert answer.headers["Location"] == "/"


# Wrong guesses


def test_a_code_signs_in_once_and_in_its_own_browser_only(lee):
    mine, other = Client(), Client()
    mine.post(ASK, {"email": "lee@example.org"})
    code = code_in(mail.outbox[0])
    other.post(ASK, {"email": "lee@example.org"})
    other.post(CONFIRM, {"code": code})
    assert not is_signed_in(other)
    mine.post(CONFIRM, {"code": code.lower().replace("-", " ")})
    assert is_signed_in(mine)
    again = Client()
    again.post(ASK, {"email": "lee@example.org"})
    again.post(CONFIRM, {"code": code})
    assert not is_signed_in(again)


def test_three_tries_a_code(client, lee):
    client.post(ASK, {"email": "lee@example.org"})
    code = code_in(mail.outbox[0])
    for _ in range(3):
        client.post(CONFIRM, {"code": "BBBB-BBBB"})
    client.post(CONFIRM, {"code": code})
    assert not is_signed_in(client)


def test_a_code_is_good_for_ten_minutes(client, lee, monkeypatch):
    client.post(ASK, {"email": "lee@example.org"})
    later = time.time() + 10 * 60 + 1
    monkeypatch.setattr(time, "time", lambda: later)
    client.post(CONFIRM, {"code": code_in(mail.outbox[0])})
    assert not is_signed_in(client)


def test_who_has_an_account_can_not_be_told_from_who_has_none(lee, settings):
    """The same pages, in the same order, to the letter, until far beyond every limit."""
    gone = make_person("Gone")
    Account.objects.filter(person=gone).update(is_active=False)
    told = {}
    for email in ("lee@example.org", "nobody@example.org", "gone@example.org"):
        client = Client(REMOTE_ADDR="203.0.113.7")
        said = []
        for _ in range(6):
            said.append(reply(client.post(ASK, {"email": email})))
            said.append(reply(client.get(CONFIRM)))
            said += [
                reply(client.post(CONFIRM, {"code": guess}))
                for guess in ("BBBB-BBBB", "", "ÿ", "-", "X" * 99)
            ]
            said.append(reply(client.get(ASK)))
        told[email] = said
        cache.clear()
    assert told["lee@example.org"] == told["nobody@example.org"] == told["gone@example.org"]
    assert {message.to[0] for message in mail.outbox} == {"lee@example.org"}, "nobody else hears of it"


def test_it_takes_the_same_time(lee, settings, record_property):
    settings.ACCOUNT_RATE_LIMITS = False
    took: dict[str, list[float]] = {"lee@example.org": [], "nobody@example.org": []}
    for _ in range(25):
        for email, times in took.items():
            client = Client()
            began = time.perf_counter()
            client.post(ASK, {"email": email})
            times.append(time.perf_counter() - began)
    known, unknown = (statistics.median(times) * 1000 for times in took.values())
    record_property(
        "figures", f"Asking for a code took {known:.1f} ms, or {unknown:.1f} ms where nobody has one."
    )
    assert abs(known - unknown) < max(known, unknown) * 0.5


def test_a_message_that_can_not_be_sent_tells_nothing(lee, monkeypatch, caplog):
    def broken(self, *args, **kwargs):
        raise OSError("no such mail server")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", broken)
    known, unknown = (
        Client().post(ASK, {"email": email}) for email in ("lee@example.org", "nobody@example.org")
    )
    assert reply(known) == reply(unknown)
    assert "could not be sent" in caplog.text and "lee@example.org" not in caplog.text


def test_many_wrong_guesses_never_get_in(lee, settings, full, record_property):
    """All of them reach the comparison: each from an address of its own, with the limit a person meets taken off."""
    settings.ACCOUNT_RATE_LIMITS = False
    number = 10_000 if full else 150
    replies: dict[str, set] = {"lee@example.org": set(), "nobody@example.org": set()}
    clients = {}
    for turn in range(number):
        for email, said in replies.items():
            if turn % 3 == 0:
                clients[email] = Client(REMOTE_ADDR=f"10.{turn >> 16 & 255}.{turn >> 8 & 255}.{turn & 255}")
                clients[email].post(ASK, {"email": email})
            answer = clients[email].post(CONFIRM, {"code": get_adapter().generate_login_code()})
            said.add((turn % 3 == 2, *reply(answer)))
    record_property("figures", f"{number} wrong codes for an account and {number} for none: nobody got in.")
    assert replies["lee@example.org"] == replies["nobody@example.org"]
    assert len(replies["lee@example.org"]) == 2, "one page for a wrong code, one way back after the third"
    assert not any(is_signed_in(client) for client in clients.values())


def test_the_limit_holds_whoever_asks(lee):
    """Three codes a minute for an address, whatever network they come from; and then the page says so kindly."""
    for number in range(3):
        Client(REMOTE_ADDR=f"198.51.100.{number}").post(ASK, {"email": "lee@example.org"})
    refused = Client(REMOTE_ADDR="198.51.100.9").post(ASK, {"email": "LEE@example.org"})
    assert len(mail.outbox) == 3
    assert "Wait a few minutes" in refused.content.decode()


def test_one_network_address_can_not_guess_for_ever(lee, joan):
    client = Client(REMOTE_ADDR="203.0.113.5")
    codes = [client.post(CONFIRM, {"code": "BBBB-BBBB"}).status_code for _ in range(70)]
    assert codes[-1] == 429 and "Please wait a little" in client.post(CONFIRM, {"code": "B"}).content.decode()
    assert Client(REMOTE_ADDR="203.0.113.6").post(CONFIRM, {"code": "BBBB-BBBB"}).status_code != 429


def test_no_network_address_is_kept(lee):
    Client(REMOTE_ADDR="203.0.113.77").post(ASK, {"email": "lee@example.org"})
    with connection.cursor() as cursor:
        cursor.execute("SELECT cache_key, value FROM cache")
        rows = cursor.fetchall()
    assert rows and not any("203.0.113.77" in str(row) for row in rows)


@pytest.mark.django_db(transaction=True)
def test_of_many_guesses_at_once_three_are_looked_at(lee, monkeypatch):
    """In the session they would all be the first try."""
    looked_at = []
    real = sign_in.confirm_login_code
    monkeypatch.setattr(sign_in, "confirm_login_code", lambda request: looked_at.append(1) or real(request))
    client = Client()
    client.post(ASK, {"email": "lee@example.org"})
    start = threading.Barrier(12)

    def guess():
        mine = Client()
        mine.cookies = client.cookies
        start.wait()
        mine.post(CONFIRM, {"code": "BBBB-BBBB"})
        connections.close_all()

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 1 <= len(looked_at) <= 3


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_as_many_get_a_place_as_there_are():
    got, start = [], threading.Barrier(10)

    def ask():
        start.wait()
        got.append(limits.has_room("test", "somebody", 4, 3600))
        connections.close_all()

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(got) == 4
    assert limits.has_room("test", "somebody else", 4, 3600) and limits.has_room("other", "somebody", 4, 3600)


# The second step


@pytest.fixture
def two_steps(settings):
    settings.SECOND_FACTOR_FOR_STAFF = True


def add_app(person: Person) -> str:
    secret = totp.generate_totp_secret()
    totp.TOTP.activate(person.account, secret)
    return secret


def number_of(secret: str) -> str:
    if time.time() % 30 > 27:  # it would be another by the time it is used
        time.sleep(3.1)
    return totp.format_hotp_value(totp.hotp_value(secret, int(time.time()) // 30))


STAFF = {Role.CURATOR, Role.FACILITATOR, Role.COMMISSIONER, Role.COORDINATOR}


@pytest.mark.parametrize("role", Role.values)
def test_who_looks_after_others_is_asked_for_a_second_step(role, town, signed_in, two_steps):
    somebody = make_person("Somebody", town, role)
    client = signed_in(somebody)
    for path in ("/", "/voices/", "/topics/", f"/people/{somebody.pk}/"):
        answer = client.get(path)
        asked = answer.headers.get("Location", "").startswith("/account/second-step/")
        assert asked is (role in STAFF), path
    assert client.post("/voices/say/", {"words": "x"}).headers.get("Location", "").startswith(
        "/account/second-step/"
    ) is (role in STAFF)


def test_what_is_for_everybody_opens_before_it(amina, signed_in, two_steps):
    client = signed_in(amina)
    for path in ("/how-this-works/", "/what-we-keep/", "/making-this-easier/", "/account/second-step/"):
        assert client.get(path).status_code == 200
    assert client.post("/account/logout/").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_it_is_led_through_kindly_without_javascript(amina, signed_in, two_steps):
    client = signed_in(amina)
    page = client.get("/people/", follow=True).content.decode()
    assert "One more step" in page and "Make a passkey" in page and "Use an app" in page
    page = client.get("/account/app/add/").content.decode()
    secret = re.search(r'class="secret">([A-Z2-7]+)<', page)
    assert secret and "data:image/svg+xml" in page
    wrong = client.post("/account/app/add/", {"code": "000000"}).content.decode()
    assert "That code is not right" in wrong and secret.group(1) in wrong
    answer = client.post("/account/app/add/", {"code": number_of(secret.group(1))})
    assert answer.headers["Location"] == "/account/spare-codes/"
    codes = re.findall(r"<code>(\d{8})</code>", client.get("/account/spare-codes/").content.decode())
    assert len(codes) == 10
    assert codes[0] not in client.get("/account/spare-codes/").content.decode(), "shown once"
    assert client.get("/people/").status_code == 200
    assert "has changed" in mail.outbox[-1].subject and mail.outbox[-1].to == ["amina@example.org"]


def test_signing_in_takes_both_steps(amina, two_steps):
    secret = add_app(amina)
    client = Client()
    sign_in_by_code(client, "amina@example.org")
    assert not is_signed_in(client)
    page = client.post("/account/login/second-step/", {"code": "000000"}).content.decode()
    assert "That code is not right" in page and not is_signed_in(client)
    client.post("/account/login/second-step/", {"code": number_of(secret)})
    assert client.get("/people/").status_code == 200
    other = Client()
    sign_in_by_code(other, "amina@example.org")
    other.post("/account/login/second-step/", {"code": number_of(secret)})
    assert not is_signed_in(other), "a number that was used is used up"


def test_a_spare_code_works_once(amina, two_steps):
    add_app(amina)
    spare = RecoveryCodes.activate(amina.account).generate_codes()[3]
    for expected in (True, False):
        client = Client()
        sign_in_by_code(client, "amina@example.org")
        client.post("/account/login/second-step/", {"code": spare})
        assert is_signed_in(client) is expected


def test_the_second_step_can_not_be_guessed(amina, two_steps):
    secret = add_app(amina)
    client = Client()
    sign_in_by_code(client, "amina@example.org")
    for number in range(5):
        client.post("/account/login/second-step/", {"code": f"{number:06}"})
    page = client.post("/account/login/second-step/", {"code": number_of(secret)}).content.decode()
    assert "too often" in page and not is_signed_in(client)


def test_a_session_from_before_the_second_step_has_to_take_it(amina, signed_in, two_steps):
    """A cookie stolen before she chose one opens nothing afterwards."""
    stolen = signed_in(amina)
    secret = add_app(amina)
    answer = stolen.get("/people/")
    assert answer.headers["Location"] == "/account/again/?next=%2Fpeople%2F"
    assert stolen.get("/account/passkeys/add/").headers["Location"].startswith("/account/again/")
    answer = stolen.post(answer.headers["Location"], {"code": number_of(secret), "next": "/people/"})
    assert answer.headers["Location"] == "/people/"
    assert stolen.get("/people/").status_code == 200


def test_it_is_asked_for_again_after_half_a_day_and_nothing_typed_is_lost(
    amina, town, two_steps, monkeypatch
):
    secret = add_app(amina)
    client = Client()
    sign_in_by_code(client, "amina@example.org")
    client.post("/account/login/second-step/", {"code": number_of(secret)})
    now = time.time()
    said = {"words": "The door is open now", "said_on": "2026-01-05", "came_by": "call", "person": ""}
    monkeypatch.setattr(time, "time", lambda: now + sign_in.HALF_A_DAY + 60)
    assert client.get("/people/").headers["Location"].startswith("/account/again/")
    client.post("/voices/add/", said)
    assert Voice.objects.filter(words="The door is open now").exists(), "who was writing may finish"
    monkeypatch.setattr(time, "time", lambda: now + sign_in.HALF_A_DAY + sign_in.TO_FINISH + 60)
    assert client.post("/voices/add/", said).headers["Location"].startswith("/account/again/")


@pytest.mark.django_db(transaction=True)
def test_a_new_second_step_ends_what_was_open_elsewhere(amina, signed_in, two_steps):
    here, elsewhere = signed_in(amina), signed_in(amina)
    secret = re.search(r'class="secret">([A-Z2-7]+)<', here.get("/account/app/add/").content.decode())
    assert secret
    here.post("/account/app/add/", {"code": number_of(secret.group(1))})
    assert is_signed_in(here) and not is_signed_in(elsewhere)
    here.post("/account/app/remove/")
    assert not Authenticator.objects.exists() and is_signed_in(here)
    assert here.get("/people/").headers["Location"].startswith("/account/second-step/")


def test_one_can_sign_out_everywhere_else(lee, signed_in):
    here, elsewhere = signed_in(lee), signed_in(lee)
    here.post("/account/sign-out-elsewhere/")
    assert is_signed_in(here) and not is_signed_in(elsewhere)


def test_the_way_in_is_changed_only_by_who_shows_that_it_is_them(amina, lee, signed_in):
    """A cookie alone is not enough to take an account over, one's own or somebody else's."""
    secret = add_app(amina)
    client = signed_in(amina)
    for path in (
        f"/people/{amina.pk}/account/",
        f"/people/{lee.pk}/account/",
        f"/people/{lee.pk}/account/away/",
    ):
        answer = client.post(path, {"email": "thief@example.org"})
        assert answer.headers["Location"].startswith("/account/again/"), path
    assert client.get("/account/spare-codes/new/").headers["Location"].startswith("/account/again/")
    assert not Account.objects.filter(email="thief@example.org").exists() and Account.objects.count() == 2
    client.post(f"/account/again/?next=/people/{lee.pk}/account/", {"code": number_of(secret)})
    client.post(f"/people/{lee.pk}/account/", {"email": "lee-new@example.org"})
    assert Account.objects.get(person=lee).email == "lee-new@example.org"


def test_the_log_says_who_came_in_and_no_names(amina, lee, caplog, signed_in, two_steps):
    caplog.set_level("INFO", "coproduce.security")
    client = Client(REMOTE_ADDR="203.0.113.4")
    client.post(ASK, {"email": "lee@example.org"})
    client.post(CONFIRM, {"code": "BBBB-BBBB"})
    client.post(CONFIRM, {"code": code_in(mail.outbox[-1])})
    client.get("/people/")
    client.post("/account/logout/")
    add_app(amina)
    sign_in_by_code(client, "amina@example.org")
    client.post("/account/login/second-step/", {"code": "000000"})
    said = caplog.text
    for sentence in ("signed in", "wrong code", "was refused at /people/", "signed out", "wrong second step"):
        assert sentence in said, sentence
    assert not re.search("203.0.113|@example|Lee|Amina", said)


def test_secrets_are_not_readable_in_the_database(amina):
    secret = add_app(amina)
    RecoveryCodes.activate(amina.account)
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM mfa_authenticator")
        kept = str(cursor.fetchall())
    assert secret not in kept
    assert totp.decrypt(Authenticator.objects.get(type="totp").data["secret"]) == secret


def test_who_lost_everything_is_let_in_by_who_could_give_them_their_roles(
    amina, joan, marek, town, signed_in
):
    rosa = make_person("Rosa", town, Role.COORDINATOR)
    add_app(amina)
    hers = add_app(rosa)
    for somebody, whose in ((joan, amina), (marek, amina), (amina, rosa), (amina, amina)):
        with pytest.raises(NotAllowed):
            actions.take_second_step_away(somebody, whose)
    client = signed_in(rosa)
    assert "They lost their phone" in client.get(f"/people/{amina.pk}/").content.decode()
    client.post(f"/people/{amina.pk}/second-step/away/")
    assert Authenticator.objects.filter(user=amina.account).exists(), "first Rosa shows that it is her"
    client.post("/account/again/", {"code": number_of(hers)})
    client.post(f"/people/{amina.pk}/second-step/away/")
    assert not Authenticator.objects.filter(user=amina.account).exists()
    assert Authenticator.objects.filter(user=rosa.account).exists()
    assert Act.objects.filter(verb="take the second step away from", by=rosa).exists()


# Sessions end


def test_a_stolen_cookie_is_worth_nothing_after_a_role_ended(amina, joan, town, signed_in):
    stolen = signed_in(joan)
    assert stolen.get(f"/people/{joan.pk}/").status_code == 200
    actions.leave(amina, joan.memberships.get())
    assert stolen.get(f"/people/{joan.pk}/").status_code == 302
    assert not is_signed_in(stolen)
    assert is_signed_in(signed_in(Person.objects.get(pk=joan.pk))), "she may sign in again"


def test_who_ends_their_own_role_stays_here_and_nowhere_else(joan, town, signed_in):
    here, elsewhere = signed_in(joan), signed_in(joan)
    copied = Client()
    copied.cookies["sessionid"] = here.cookies["sessionid"].value
    here.post(f"/people/{joan.pk}/roles/{joan.memberships.get().pk}/end/")
    assert is_signed_in(here) and not is_signed_in(elsewhere) and not is_signed_in(copied)


def test_an_account_taken_away_is_gone_at_the_next_request(amina, lee, signed_in):
    theirs, hers = signed_in(lee), signed_in(amina)
    assert "don’t sign in any more" in hers.get(f"/people/{lee.pk}/").content.decode()
    hers.post(f"/people/{lee.pk}/account/away/")
    assert not is_signed_in(theirs)
    assert not Account.objects.filter(email="lee@example.org").exists()
    assert Person.objects.filter(pk=lee.pk).exists()
    Client().post(ASK, {"email": "lee@example.org"})
    assert not mail.outbox


def test_only_who_could_give_the_roles_takes_the_account_away(amina, joan, marek, charlie, town):
    rosa = make_person("Rosa", town, Role.COORDINATOR)
    for somebody, whose in ((joan, amina), (marek, joan), (charlie, joan), (amina, rosa)):
        with pytest.raises(NotAllowed):
            actions.take_account_away(somebody, whose)
    assert Account.objects.count() == 5


def test_another_address_ends_the_sessions_of_the_old_one(amina, lee, signed_in):
    theirs = signed_in(lee)
    actions.give_account(amina, lee, "new@example.org")
    assert not is_signed_in(theirs)


def test_signing_out_ends_the_session_on_the_server(lee, signed_in):
    client = signed_in(lee)
    copied = Client()
    copied.cookies["sessionid"] = client.cookies["sessionid"].value
    client.post("/account/logout/")
    assert not is_signed_in(copied)


def test_signing_in_gives_a_new_session(lee):
    client = Client()
    client.post(ASK, {"email": "lee@example.org"})
    before = client.session.session_key
    client.post(CONFIRM, {"code": code_in(mail.outbox[0])})
    assert client.session.session_key != before


# The administrator


@pytest.fixture
def admin(town) -> Person:
    return actions.make_administrator("Priya@example.org", "Priya")


def test_an_administrator_sees_how_it_runs_and_no_words(
    admin, amina, lee, town, signed_in, tmp_path, django_assert_max_num_queries
):
    voice = write_down(amina, town, "I slept in the bus station", Voice.Way.CALL, lee)
    client = signed_in(admin)
    page = client.get("/installation/").content.decode()
    for word in ("Database", "Workers", "Queue", "Last backup", "Disk", "Email", "Version"):
        assert word in page
    assert "None was made yet." in page
    keeping.backup(tmp_path / "elsewhere" / "kept.zip")
    page = client.get("/installation/").content.decode()
    assert "None was made yet." not in page and "more than two days old" not in page
    assert all(not hubs_where(admin, verb) for verb in TABLE)
    assert not Voice.objects.visible_to(admin).exists()
    assert list(Person.objects.visible_to(admin)) == [admin]
    seen = page
    for path in (
        "/",
        "/voices/",
        f"/voices/{voice.pk}/",
        "/stories/",
        "/people/",
        f"/people/{lee.pk}/",
        "/topics/",
    ):
        seen += client.get(path, follow=True).content.decode()
    seen += client.get("/have-your-say/queue/", follow=True).content.decode()
    assert "bus station" not in seen and "Lee" not in seen


@pytest.mark.parametrize("cast", ["amina", "lee", "joan", "marek", "charlie"])
def test_the_page_is_for_administrators_alone(cast, request, signed_in, client):
    assert signed_in(request.getfixturevalue(cast)).get("/installation/").status_code == 404
    assert client.get("/installation/").headers["Location"].startswith(ASK)


def test_who_sets_up_the_group_is_not_one():
    person = actions.set_up("Eastmoor", "", "Amina", "amina@example.org")
    assert not person.account.is_administrator


def test_an_administrator_takes_the_second_step_too(admin, signed_in, two_steps):
    assert signed_in(admin).get("/installation/").headers["Location"].startswith("/account/second-step/")


def test_nobody_takes_over_an_administrator_by_way_of_a_membership(admin, amina, town):
    actions.join(amina, admin, town, Role.MEMBER)
    for attempt in (
        lambda: actions.give_account(amina, admin, "mine@example.org"),
        lambda: actions.take_account_away(amina, admin),
        lambda: actions.take_second_step_away(amina, admin),
    ):
        with pytest.raises(NotAllowed):
            attempt()


def test_the_command_makes_one_and_ends_one(amina, town, capsys, signed_in, monkeypatch):
    monkeypatch.setattr("django.setup", lambda: None)
    assert cli.main(["administrator", "AMINA@example.org"]) == 0
    assert Account.objects.get(person=amina).is_administrator
    client = signed_in(Person.objects.get(pk=amina.pk))
    assert client.get("/installation/").status_code == 200
    assert cli.main(["administrator", "amina@example.org", "--end"]) == 0
    assert not is_signed_in(client), "and the session ends with it"
    assert cli.main(["administrator", "amina@example.org", "--end"]) == 2
    assert cli.main(["administrator", "not an address"]) == 2
    assert "no administrator" in capsys.readouterr().out
    add_app(amina)
    assert cli.main(["second-step", "amina@example.org"]) == 0
    assert not Authenticator.objects.exists()
    assert cli.main(["second-step", "who@example.org"]) == 2


def test_nobody_is_made_one_before_there_is_a_group(db):
    with pytest.raises(ValidationError):
        actions.make_administrator("early@example.org")
    assert not Person.objects.exists()
