from __future__ import annotations

from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coproduce.engine.inbox import (
    as_text,
    kind_of,
    own_words,
    read_email,
    wants_it_to_stop,
    yes_or_no,
)

ANSWER = """\
From: Lee <Lee@Example.org>
To: Answers <answers+12-abc@hub.example.org>
Subject: Re: News for you
Message-ID: <1@phone.example.org>
In-Reply-To: <feedback-12.1.abc@hub.example.org>
Date: Tue, 5 May 2026 10:02:00 +0100
Content-Type: text/plain; charset=utf-8

Not at my hostel – still two.

On Mon, 4 May 2026 at 09:00, Eastmoor <answers@hub.example.org> wrote:
> Dear Lee,
> You pick one worker.
""".encode()


def test_who_wrote_what_they_answer_and_their_own_words():
    read = read_email(ANSWER)
    assert (read.sender, read.to) == ("lee@example.org", ["answers+12-abc@hub.example.org"])
    assert read.answers == ["feedback-12.1.abc@hub.example.org"]
    assert read.words == "Not at my hostel – still two."
    assert "You pick one worker." in read.text
    assert read.at.isoformat() == "2026-05-05T10:02:00+01:00"
    assert not read.automatic and read.bounce is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Yes\n\nSent from my iPhone", "Yes"),
        ("Thank you\n-- \nLee\n07700 900123", "Thank you"),
        (
            "No.\n\nOn Monday, 4 May 2026 at 09:00 Eastmoor Together\n<answers@example.org> wrote:\n\n> Dear Lee",
            "No.",
        ),
        ("It is late\n\n-----Original Message-----\nFrom: Us\nSent: Monday\nDear Lee", "It is late"),
        (
            "It is late\n\n________________________________\nFrom: Us <us@example.org>\nSent: 4 May\nDear Lee",
            "It is late",
        ),
        (
            "It is late\n\nFrom: Us <us@example.org>\nSent: 04 May 2026 09:00\nTo: Lee\n\nDear Lee",
            "It is late",
        ),
        ("> You pick one worker.\nNo I do not.\n> They stay.\nThey left.", "No I do not.\nThey left."),
        ("Nos da.\n\nAr ddydd Llun, 4 Mai 2026, ysgrifennodd Eastmoor:\n> Annwyl Lee", "Nos da."),
        ("On Monday she wrote to me:\nYou are out.", "On Monday she wrote to me:\nYou are out."),
        ("> only what was quoted", "> only what was quoted"),
    ],
)
def test_what_is_quoted_and_signed_is_cut_off_and_no_word_of_theirs(text, words):
    assert own_words(text) == words


def test_html_alone_is_read_as_text_and_what_it_quotes_is_cut_off():
    html = "<style>p{}</style><p>Still two.</p><div>On 4 May 2026, Eastmoor &lt;e@x.org&gt; wrote:<br></div>"
    html += "<blockquote><p>You pick one</p></blockquote>"
    assert own_words(as_text(html)) == "Still two."


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated; x=y",
        "X-Autoreply: yes",
        "Precedence: bulk",
        "Return-Path: <>",
        "List-Id: <news.example.org>",
    ],
)
def test_what_a_machine_answers_is_told_by_its_headers(header):
    assert read_email(header.encode() + b"\n" + ANSWER).automatic
    assert not read_email(b"Auto-Submitted: no\n" + ANSWER).automatic


BOUNCE = b"""\
From: MAILER-DAEMON@mail.example.org
To: coproduce@hub.example.org
Subject: Undelivered Mail
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

I'm sorry.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example.org

Final-Recipient: rfc822; gone@example.org
Action: %(action)s
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such person here

--b
Content-Type: %(returned)s

From: Eastmoor <e@hub.example.org>
Message-ID: <feedback-12.1.abc@hub.example.org>
Subject: News for you

Dear Lee
--b--
"""


@pytest.mark.parametrize("returned", [b"message/rfc822", b"text/rfc822-headers"])
@pytest.mark.parametrize(("action", "failed"), [(b"failed", True), (b"delayed", False)])
def test_what_did_not_arrive_says_which_and_why(returned, action, failed):
    bounce = read_email(BOUNCE % {b"action": action, b"returned": returned}).bounce
    assert bounce.answers == ["feedback-12.1.abc@hub.example.org"]
    assert bounce.failed is failed
    assert "no such person here" in bounce.reason


@pytest.mark.parametrize(
    ("words", "said"),
    [("Yes!", True), ("yes thanks", True), ("No.", False), ("Yes but not at my hostel", None), ("", None)],
)
def test_yes_or_no_and_nothing_else(words, said):
    assert yes_or_no(words) is said


def test_an_empty_email_is_refused():
    with pytest.raises(ValueError, match="empty"):
        read_email(b" \n")


@given(st.binary(min_size=1, max_size=2000))
def test_any_bytes_are_read(raw):
    if raw.strip():
        assert isinstance(read_email(raw).words, str)


HEADERS = st.sampled_from(
    [b"From", b"To", b"In-Reply-To", b"References", b"Date", b"Content-Type", b"Message-ID"]
)


@given(st.lists(st.tuples(HEADERS, st.binary(max_size=60)), max_size=8), st.binary(max_size=300))
def test_any_headers_are_read(headers, body):
    lines = [name + b": " + value.replace(b"\n", b" ").replace(b"\r", b" ") for name, value in headers]
    raw = b"\r\n".join(lines) + b"\r\n\r\n" + body
    if raw.strip():
        assert isinstance(read_email(raw).sender, str)


LINE = st.one_of(
    st.text(alphabet="ab >\n", max_size=12), st.sampled_from(["On 4 May 2026, X wrote:", "-- ", "> quoted"])
)


@given(st.lists(LINE, max_size=12))
def test_every_line_that_is_left_stands_in_the_text_in_its_order(lines):
    text = "\n".join(lines)
    at = 0
    stripped = [line.rstrip() for line in text.split("\n")]
    for line in own_words(text).split("\n"):
        found = [
            place for place in range(at, len(stripped)) if stripped[place].strip().endswith(line.strip())
        ]
        assert found
        at = found[0] + 1


# Files, and a wish that it stops


def with_files(*files: tuple[str, str, bytes]) -> bytes:
    message = EmailMessage()
    message["From"] = "lee@example.org"
    message.set_content("Look")
    for kind, name, content in files:
        main, _slash, sub = kind.partition("/")
        message.add_attachment(content, maintype=main, subtype=sub, filename=name)
    return message.as_bytes()


def test_what_a_file_is_is_seen_by_its_content_and_not_by_what_it_calls_itself():
    read = read_email(
        with_files(
            ("image/png", "../../etc/a.png", b"\x89PNG\r\n\x1a\n..."),
            ("image/jpeg", "b\u202egpj.exe", b"MZ\x90"),
            ("application/pkcs7-signature", "smime.p7s", b"signed"),
            ("text/plain", "notes.txt", b"plain"),
        )
    )
    assert [(each.name, each.kind) for each in read.enclosed] == [
        ("a.png", "image/png"),
        ("b gpj.exe", ""),
        ("notes.txt", ""),
    ]
    assert read.words == "Look"


@given(st.binary(max_size=40))
def test_any_bytes_are_some_kind_or_none(content):
    assert kind_of(content) == "" or kind_of(content).partition("/")[0] in ("image", "audio", "application")


@given(st.text(max_size=60))
def test_any_name_of_a_file_is_made_harmless(name):
    message = b'From: a@b.org\r\nContent-Type: image/png; name="' + name.encode() + b'"\r\n\r\nx'
    for each in read_email(message).enclosed:
        assert len(each.name) <= 100
        assert not set(each.name) & set("/\\\r\n\x00") and each.name.isprintable()


@pytest.mark.parametrize(
    ("words", "stops"),
    [("STOP", True), ("stop!", True), ("Unsubscribe", True), ("Don't stop", False), ("Stop it at 5", False)],
)
def test_a_wish_that_it_stops_is_that_and_no_more(words, stops):
    assert wants_it_to_stop(words) is stops
