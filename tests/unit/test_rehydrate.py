"""What comes back, from which session, and what is reported instead."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from oguardai.config import ServerSettings, Settings
from oguardai.errors import InvalidRequestError, PayloadTooLargeError, SessionExpiredError, SessionInvalidError
from oguardai.keyring import Key, Keyring, generate_secret
from oguardai.rehydrate import RehydrateRequest, RehydrateResult, rehydrate
from oguardai.sessions import Session, seal_session

NOW = 1_800_000_000.0
SETTINGS = Settings()
RING = Keyring((Key.from_secret(0, generate_secret()),))


def state(*entries: tuple[str, str], tag: str | None = None) -> str:
    session = Session.new(NOW, ttl_seconds=3600)
    session.tag = tag
    for entry in entries or [("email", "julia@example.com"), ("credit_card", "4111 1111 1111 1111")]:
        session.token_for(*entry)
    return seal_session(session, RING, NOW, SETTINGS.session).state


def run(output: str, blob: str | None = None, settings: Settings = SETTINGS, **fields: Any) -> RehydrateResult:
    request = RehydrateRequest(output, blob or state(), **fields)
    return rehydrate(request, settings=settings, keyrings=lambda: RING, now=NOW)


# --- restoring ---


def test_every_occurrence_is_restored_and_counted() -> None:
    result = run("{{email:e_001}}, {{credit_card:c_001}}; {{email:e_001}}")
    assert result.restored_text == "julia@example.com, 4111 1111 1111 1111; julia@example.com"
    assert (result.restored, result.unknown_tokens, result.repaired) == (3, (), ())


def test_the_result_says_which_session_and_key() -> None:
    result = run("", output_channel="customer_email")
    assert (result.kid, result.expires_at, result.output_channel) == (0, int(NOW + 3600) * 1000, "customer_email")


@pytest.mark.parametrize("repair", ["strict", "lenient"])
def test_values_are_never_scanned_again(repair: str) -> None:
    blob = state(("literal", "{{email:e_001}}"), ("email", "{{literal:l_001}}"), ("url", "{{"), ("url", "url:u_001}}"))
    assert run("{{literal:l_001}}", blob, repair=repair).restored_text == "{{email:e_001}}"
    assert run("{{email:e_001}}", blob, repair=repair).restored_text == "{{literal:l_001}}"
    assert run("{{url:u_001}}{{url:u_002}}", blob, repair=repair).restored_text == "{{url:u_001}}"


def test_representations_show_no_text() -> None:
    request = RehydrateRequest("secret text", "og1.0.x")
    assert "secret" not in repr(request)
    assert "og1" not in repr(request)
    assert "julia" not in repr(run("{{email:e_001}}"))


# --- tokens of others ---


def test_unknown_tokens_stay_and_are_listed_once_in_order() -> None:
    text = "{{phone:p_009}} {{email:e_002}} {{phone:p_009}} {{mail:m_001}}"
    result = run(text)
    assert (result.restored_text, result.restored) == (text, 0)
    assert result.unknown_tokens == ("{{phone:p_009}}", "{{email:e_002}}", "{{mail:m_001}}")


@pytest.mark.parametrize("repair", ["strict", "lenient"])
def test_a_token_with_another_tag_or_none_is_left_and_reported(repair: str) -> None:
    blob = state(tag="k7q")
    result = run("{{email:e_001.k7q}} {{email:e_001.k7r}} {{email:e_001}}", blob, repair=repair)
    assert result.restored_text == "julia@example.com {{email:e_001.k7r}} {{email:e_001}}"
    assert result.unknown_tokens == ("{{email:e_001.k7r}}", "{{email:e_001}}")


@pytest.mark.parametrize("repair", ["strict", "lenient"])
def test_a_plain_session_takes_no_tagged_token(repair: str) -> None:
    assert run("{{email:e_001.k7q}}", repair=repair).unknown_tokens == ("{{email:e_001.k7q}}",)


def test_lists_are_bounded() -> None:
    text = "".join(f"{{{{email:e_{number}}}}}" for number in range(1000, 2500))
    assert len(run(text).unknown_tokens) == 1000


# --- repair ---


@pytest.mark.parametrize(
    ("output", "restored"),
    [
        ("{{ Email : E_001 }}", "julia@example.com"),
        (r"\{\{email:e\_001\}\}", "julia@example.com"),
        ("`[email:e_001]`", "`julia@example.com`"),
        ("({credit card c-001})", "(4111 1111 1111 1111)"),
        ("{{{EMAIL:E_001}}}", "{julia@example.com}"),
        ("&#123;&#123;email:e_001&#125;&#125;", "julia@example.com"),
    ],
)
def test_garbled_tokens_are_repaired_when_asked_to(output: str, restored: str) -> None:
    assert run(output).restored_text == output
    result = run(output, repair="lenient")
    assert (result.restored_text, result.restored, len(result.repaired)) == (restored, 1, 1)


def test_repaired_tokens_are_listed_as_they_should_have_been() -> None:
    result = run("{email:e_001} [email:e_001] {credit_card:c_001} {{email:e_001}}", repair="lenient")
    assert result.repaired == ("{{email:e_001}}", "{{credit_card:c_001}}")
    assert result.restored == 4


@pytest.mark.parametrize(
    "output",
    ["{email:e_002}", "{{e_001}}", "{{mail:e_001}}", "{{email:e_1}}", "{{email:e_0001}}", "{phone:p_001}",
     "{card:c_001}", "{{email:e_001.k7q }}"],
)  # fmt: skip
def test_repair_never_changes_an_id(output: str) -> None:
    result = run(output, repair="lenient")
    assert (result.restored_text, result.restored, result.repaired) == (output, 0, ())


def test_a_garbled_tag_must_be_the_sessions() -> None:
    blob = state(tag="k7q")
    result = run("{email:e_001.K7Q} {email:e_001.K7R} {email:e_001}", blob, repair="lenient")
    assert result.restored_text == "julia@example.com {email:e_001.K7R} {email:e_001}"


# --- modes ---


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("full", "julia@example.com 4111 1111 1111 1111"),
        ("partial", "j***@example.com ****1111"),
        ("masked", "*****@*******.*** **** **** **** ****"),
        ("formatted", "julia@example.com 4111 1111 1111 1111"),
        ("abstract", "[email] [credit_card]"),
    ],
)
def test_modes(mode: str, expected: str) -> None:
    result = run("{{email:e_001}} {{credit_card:c_001}}", restore_mode=mode)
    assert (result.restored_text, result.restored) == (expected, 2)


def test_mode_none_leaves_every_token() -> None:
    text = "{{email:e_001}} {{email:e_009}}"
    result = run(text, restore_mode="none")
    assert (result.restored_text, result.restored, result.unknown_tokens) == (text, 0, ("{{email:e_009}}",))


# --- limits and errors ---


def test_a_small_output_cannot_grow_without_bound() -> None:
    blob = state(("url", "x" * 10_000))
    small = replace(SETTINGS, server=ServerSettings(max_body_bytes=5000))
    assert run("{{url:u_001}}" * 2, blob, small).restored == 2
    with pytest.raises(PayloadTooLargeError, match=r"server\.max_body_bytes"):
        run("{{url:u_001}}" * 1000, blob, small)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"restore_mode": "loud"}, "restore_mode"),
        ({"repair": "loud"}, "repair"),
        ({"output_channel": "loud channel"}, "output_channel"),
        ({"output_channel": ""}, "output_channel"),
        ({"output_channel": "x" * 65}, "output_channel"),
        ({"output_channel": "x\n"}, "output_channel"),
    ],
)
def test_a_wrong_field_is_named_and_its_value_is_not(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"^{field}: ") as failure:
        run("", **fields)
    assert "loud" not in failure.value.detail


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match=r"^output: "):
        run("a\ud800b")


def test_sessions_are_checked_before_the_output_is_read() -> None:
    with pytest.raises(SessionInvalidError):
        run("{{email:e_001}}", "no session")
    other = Keyring((Key.from_secret(0, generate_secret()),))
    with pytest.raises(SessionExpiredError):
        rehydrate(RehydrateRequest("", state()), settings=SETTINGS, keyrings=lambda: other, now=NOW)


def test_an_unknown_kid_is_asked_for_once() -> None:
    asked: list[int] = []

    def fresher(kid: int) -> Keyring:
        asked.append(kid)
        return RING

    request = RehydrateRequest("{{email:e_001}}", state())
    result = rehydrate(request, settings=SETTINGS, keyrings=lambda: Keyring(()), now=NOW, open_with=fresher)
    assert (result.restored, asked) == (1, [0])
