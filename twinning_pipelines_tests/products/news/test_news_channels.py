"""The two ways out: what goes over the wire, how answers are judged, and that nothing secret is told on the way."""

import json
import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import monotonic
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from pydantic import SecretStr

from twinning_pipelines.products.news.channels import (
    AppriseChannel,
    Outcome,
    WebhookChannel,
    bounded,
    signature,
)
from twinning_pipelines_tests.far_sides.hook_receiver import SECRET, HookReceiver, Pager
from twinning_pipelines_tests.far_sides.scripted_server import HangUp, Instead, Reply
from twinning_pipelines_tests.products.news.desk import PARCEL, document

# Apprise asks Python 3.11 and 3.12 for a module that 3.13 has no more, and does without it there.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


def channel(receiver: HookReceiver, secret: str = SECRET, seconds: float = 10) -> WebhookChannel:
    return WebhookChannel(SecretStr(receiver.address), SecretStr(secret), seconds)


def test_a_webhook_is_signed_dated_and_known_again(receiver: HookReceiver) -> None:
    assert channel(receiver).send(PARCEL) == Outcome("delivered")
    assert receiver.taken == {
        str(PARCEL.delivery): {
            "version": 1,
            "id": "7",
            "kind": "summary",
            "person": "ada",
            "title": "Your summary is ready",
            "body": "Slept 7 h.",
            "at": "2026-11-27T08:00:00+00:00",
        }
    }
    assert channel(receiver).send(PARCEL) == Outcome("delivered")
    assert receiver.ignored == [str(PARCEL.delivery)]
    bare = replace(PARCEL, body=None, link="http://twinning.lan", delivery=uuid4(), title="Müsli", person=None)
    assert channel(receiver).send(bare).state == "delivered"
    told = receiver.taken[str(bare.delivery)]
    assert "body" not in told
    assert (told["link"], told["title"], told["person"]) == ("http://twinning.lan", "Müsli", None)


def test_a_wrong_secret_and_an_old_request_are_refused(receiver: HookReceiver) -> None:
    assert channel(receiver, "another-secret-here").send(PARCEL) == Outcome("refused", "answered 401")
    old = replace(channel(receiver), clock=lambda: datetime.now(UTC).timestamp() - 301)
    assert old.send(PARCEL).state == "refused"
    assert receiver.refused == ["wrong signature", "too old, or from the future"]
    assert receiver.taken == {}


@given(st.text(min_size=1), st.integers(0, 2**40), st.binary(), st.binary())
def test_any_other_body_or_moment_has_another_signature(secret: str, moment: int, body: bytes, other: bytes) -> None:
    made = signature(secret, str(moment), body)
    assert made == signature(secret, str(moment), body)
    assert (made == signature(secret, str(moment), other)) is (body == other)
    assert made != signature(secret, str(moment + 1), body)


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (Reply(204), Outcome("delivered")),
        (Reply(410), Outcome("gone", "answered 410")),
        (Reply(500), Outcome("retry", "answered 500")),
        (Reply(503, headers={"Retry-After": "120"}), Outcome("retry", "answered 503", 120)),
        (Reply(429, headers={"Retry-After": "99999999"}), Outcome("retry", "answered 429")),
        (Reply(429, headers={"Retry-After": "9999999"}), Outcome("retry", "answered 429", 86_400)),
        (Reply(429, headers={"Retry-After": "soon"}), Outcome("retry", "answered 429")),
        (Reply(404), Outcome("refused", "answered 404")),
    ],
)
def test_how_answers_are_judged(receiver: HookReceiver, reply: Reply, expected: Outcome) -> None:
    receiver.script.append(Instead(reply))
    assert channel(receiver).send(PARCEL) == expected


def test_retry_after_may_be_a_date(receiver: HookReceiver) -> None:
    for apart, low, high in ((timedelta(minutes=10), 590, 600), (timedelta(minutes=-10), 0, 0)):
        date = format_datetime(datetime.now(UTC) + apart, usegmt=True)
        receiver.script.append(Instead(Reply(429, headers={"Retry-After": date})))
        assert low <= channel(receiver).send(PARCEL).wait_seconds <= high


def test_no_redirect_is_followed(receiver: HookReceiver) -> None:
    with HookReceiver() as elsewhere:
        for status in (301, 302, 307, 308):
            receiver.script.append(Instead(Reply(status, headers={"Location": elsewhere.address})))
            assert channel(receiver).send(PARCEL).state == "refused"
        assert elsewhere.exchanges == []


def test_a_silent_receiver_costs_no_more_than_its_time(receiver: HookReceiver) -> None:
    receiver.holding = True
    begun = monotonic()
    assert channel(receiver, seconds=0.2).send(PARCEL) == Outcome("retry", "no answer within 0.2 s")
    assert monotonic() - begun < 2


def test_a_long_answer_is_not_read_to_its_end(receiver: HookReceiver) -> None:
    receiver.answers.append(Reply(200, b"x" * 200_000))
    assert channel(receiver).send(PARCEL) == Outcome("delivered")


def test_a_dead_host_and_a_dropped_connection_are_tried_again(receiver: HookReceiver) -> None:
    receiver.script.append(HangUp(stored=False))
    dropped = channel(receiver).send(PARCEL)
    assert (dropped.state, dropped.problem) == ("retry", "could not be sent: RemoteDisconnected")
    dead = WebhookChannel(SecretStr("http://127.0.0.1:9/planted"), SecretStr(SECRET)).send(PARCEL)
    assert (dead.state, dead.problem) == ("retry", "could not be sent: ConnectionRefusedError")


def test_what_apprise_sends_where(pager: Pager) -> None:
    urls = [
        pager.at("json", "/hook"),
        pager.at("ntfy", "/moon?priority=high&tags=moon"),
        pager.at("gotify", "/planted-token"),
        pager.at("hassio", "/planted-token"),
    ]
    for url in urls:
        assert AppriseChannel(SecretStr(url)).send(PARCEL) == Outcome("delivered")
    as_json, ntfy, gotify, hassio = (request for request, _ in pager.exchanges)
    told = document(as_json.body.decode())
    assert (as_json.path, told["title"], told["message"]) == ("/hook", "Your summary is ready", "Slept 7 h.")
    told = document(ntfy.body.decode())
    assert (told["topic"], told["title"], told["message"]) == ("moon", "Your summary is ready", "Slept 7 h.")
    assert (ntfy.headers["X-Priority"], ntfy.headers["X-Tags"]) == ("high", "moon")
    assert (gotify.path, gotify.headers["X-Gotify-Key"]) == ("/message", "planted-token")
    assert document(gotify.body.decode())["message"] == "Slept 7 h."
    assert hassio.path == "/api/services/persistent_notification/create"
    assert document(hassio.body.decode())["message"] == "Slept 7 h."


def test_without_a_body_the_title_is_the_message(pager: Pager) -> None:
    relay = AppriseChannel(SecretStr(pager.at("json")))
    assert relay.send(replace(PARCEL, body=None, link="http://twinning.lan")).state == "delivered"
    told = json.loads(pager.heard[0])
    assert (told["title"], told["message"]) == ("Twinning", "Your summary is ready\nhttp://twinning.lan")
    assert "Slept" not in pager.heard[0]


def test_what_apprise_can_not_do_is_told_without_the_url(pager: Pager) -> None:
    assert AppriseChannel(SecretStr("nonsense://user:planted@x")).send(PARCEL).problem == "Apprise can't read the URL"
    pager.script.append(Instead(Reply(500)))
    assert AppriseChannel(SecretStr(pager.at("json"))).send(PARCEL) == Outcome("retry", "Apprise could not deliver it")
    assert AppriseChannel(SecretStr("json://127.0.0.1:9/planted")).send(PARCEL).state == "retry"


def test_nothing_secret_is_logged(
    receiver: HookReceiver, pager: Pager, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    secrets = ("planted-token", "quite-secret-path", SECRET, "planted-password")
    with caplog.at_level(logging.DEBUG):
        for url in (
            pager.at("json", "/planted-token"),
            pager.at("gotify", "/planted-token"),
            "json://a:planted-password@127.0.0.1:9/",
        ):
            for reply in (
                Reply(200),
                Reply(403, b"planted-token"),
                Reply(302, headers={"Location": "http://127.0.0.1:9/planted-token"}),
            ):
                pager.script.append(Instead(reply))
                AppriseChannel(SecretStr(url)).send(PARCEL)
        AppriseChannel(SecretStr("tgram://planted-token")).send(PARCEL)
        for reply in (Reply(500, SECRET.encode()), Reply(302, headers={"Location": receiver.address})):
            receiver.script.append(Instead(reply))
            channel(receiver).send(PARCEL)
        logging.getLogger("apprise").info("others are heard")
    logs = "\n".join(f"{record.getMessage()} {record.args!r} {record.exc_text}" for record in caplog.records)
    told = logs + "".join(capfd.readouterr()) + repr(channel(receiver)) + repr(AppriseChannel(SecretStr(secrets[0])))
    assert "others are heard" in told
    assert [secret for secret in secrets if secret in told] == []


def test_a_fault_of_ours_is_told_by_its_type() -> None:
    def fails() -> Outcome:
        raise RuntimeError("planted")

    assert bounded(fails, 5) == Outcome("retry", "could not be sent: RuntimeError")
