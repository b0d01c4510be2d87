"""Declare the detectors of credentials: tokens, keys and private keys by the forms their issuers publish."""

from __future__ import annotations

from collections.abc import Callable

from oguardai.detection import validators
from oguardai.detection.detector import ALNUM, Detector, Near, Prefix

_WORD = ALNUM | frozenset("_-")
_BASE64 = ALNUM | frozenset("+/=_-")
_BODY = "A1" * 25  # of a sample
_KEY_CONTEXT = ("*key*", "*token*", "*secret*", "*password*", "*credential*", "*auth*", "bearer")


def _issued(
    name: str,
    prefixes: tuple[str, ...],
    rest: str,
    *,
    body: str = _BODY,
    confidence: float = 0.95,
    validate: Callable[[str], bool] | None = validators.is_varied_key,
) -> Detector:
    """Declare a key that starts with a literal of its issuer."""
    heads = "|".join(prefix.replace(".", r"\.") for prefix in prefixes)
    return Detector(
        name=name,
        type="api_key",
        pattern=f"(?:{heads}){rest}",
        sample=prefixes[0] + body,
        trigger=Prefix(prefixes),
        confidence=confidence,
        validate=validate,
        not_before=ALNUM,
        context=_KEY_CONTEXT,
    )


DETECTORS = (
    Detector(
        name="jwt",
        type="jwt",
        # RFC 7519 3.1; unsecured tokens have an empty third part.
        pattern=r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
        sample=f"eyJ{_BODY}.{_BODY}.",
        trigger=Prefix(("eyJ",)),
        confidence=0.95,
        validate=validators.is_jwt,
        not_before=_WORD,
    ),
    Detector(
        name="private_key",
        type="private_key",
        pattern=r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----",
        sample="-----BEGIN PRIVATE KEY-----",
        trigger=Prefix(("-----BEGIN ",)),
        confidence=0.98,
        refine=validators.trim_pem,
    ),
    _issued("aws_access_key_id", ("AKIA", "ASIA", "ABIA", "ACCA"), "[A-Z0-9]{16}", validate=None),
    Detector(
        name="aws_secret_access_key",
        type="api_key",
        pattern=r"[A-Za-z0-9/+]{40}",
        sample=_BODY[:40],
        trigger=Near(("secret", "aws"), before=0, after=110, fold=True),
        confidence=0.65,
        validate=validators.is_mixed_key,
        not_before=ALNUM | frozenset("+/_-"),
        not_after=_BASE64,
        context=("*secret*", "*aws*"),
        needs_context=True,
    ),
    _issued("github_token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), "[A-Za-z0-9]{36,}"),
    _issued("github_fine_grained_token", ("github_pat_",), "[A-Za-z0-9_]{36,}"),
    _issued("gitlab_token", ("glpat-", "gldt-", "glrt-", "glptt-", "glft-", "glsoat-"), "[A-Za-z0-9_-]{20,}"),
    _issued(
        "slack_token",
        ("xoxb-", "xoxa-", "xoxp-", "xoxr-", "xoxs-", "xoxe-", "xoxo-", "xoxe.xoxp-", "xoxe.xoxb-", "xapp-"),
        "[A-Za-z0-9-]{10,}",
    ),
    Detector(
        name="slack_webhook",
        type="api_key",
        pattern=(
            r"https://hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[A-Za-z0-9+_]{5,}/[A-Za-z0-9+_]{5,}"
            r"(?:/[A-Za-z0-9+_]{5,})?"
        ),
        sample=f"https://hooks.slack.com/services/{_BODY}/{_BODY}",
        trigger=Prefix(("https://hooks.slack",)),
        confidence=0.96,
        not_before=ALNUM,
    ),
    _issued("stripe_key", ("sk_live_", "rk_live_", "sk_test_", "rk_test_", "whsec_"), "[A-Za-z0-9]{10,}"),
    _issued("anthropic_key", ("sk-ant-",), "[A-Za-z0-9_-]{20,}", confidence=0.97),
    _issued("openai_key", ("sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-"), "[A-Za-z0-9_-]{20,}"),
    _issued("openai_legacy_key", ("sk-",), "[A-Za-z0-9]{20,}", confidence=0.85),
    _issued("google_api_key", ("AIza",), "[A-Za-z0-9_-]{35}"),
    _issued("npm_token", ("npm_",), "[A-Za-z0-9]{36}"),
    _issued("pypi_token", ("pypi-AgE",), "[A-Za-z0-9_-]{50,}"),
    _issued(
        "sendgrid_key",
        ("SG.",),
        r"[A-Za-z0-9_-]{20,24}\.[A-Za-z0-9_-]{39,50}",
        body=f"{_BODY[:22]}.{_BODY[:43]}",
    ),
    Detector(
        name="twilio_key",
        type="api_key",
        pattern=r"(?:SK|AC)[0-9a-f]{32}",
        sample="AC" + "a1" * 16,
        trigger=Prefix(("SK", "AC")),
        confidence=0.6,
        validate=validators.is_varied_key,
        not_before=ALNUM,
        not_after=ALNUM,
        context=("*twilio*", "*account_sid*", "*account sid*", "*accountsid*", "*sid*", "*api*key*"),
        needs_context=True,
    ),
    Detector(
        name="azure_storage_key",
        type="api_key",
        pattern=r"[A-Za-z0-9+/]{86}==",
        sample="a1" * 43 + "==",
        trigger=Near(("accountkey=", "accountkey"), before=0, after=110, fold=True),
        confidence=0.9,
        validate=validators.is_mixed_key,
        not_before=ALNUM | frozenset("+/"),
        context=("*accountkey*",),
    ),
)
