"""Declare the detectors of credentials: tokens, keys and private keys by the forms their issuers publish.

What no form tells, ``assignments`` finds by the name that it is assigned to.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from oguardai.detection import validators
from oguardai.detection.detector import ALNUM, DIGITS, Detector, Near, Prefix, Span
from oguardai.detection.entropy import is_random

# Issuers whose tokens are a word of their own and a random rest.
_OTHER_ISSUERS = (
    "gsk_", "xai-", "pplx-", "pcsk_", "lsv2_", "figd_", "pul-", "fo1_", "tskey-", "CCIPAT_", "CFPAT-", "duffel_",
    "pnu_", "rdme_", "sgp_", "shippo_", "tfp_", "xkeysib-", "CLOJARS_", "sha256~", "dt0c01.", "squ_", "sqp_",
)  # fmt: skip
_WORD = ALNUM | frozenset("_-")
_BASE64 = ALNUM | frozenset("+/=_-")
_BODY = "A1b2C3d4E5f6G7h8J9k0" * 2 + "A1b2C3d4E5"  # of a sample
_HEX = "a1b2c3d4e5f60798" * 10
_IDENTIFIER = re.compile(r"(?:[_. -]|\b)(?i:id|url|name)[ \"'`:=,]|(?:Id|ID|Url|URL|Name)[ \"'`:=,]")


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
    )


def _near(
    name: str,
    pattern: str,
    sample: str,
    words: tuple[str, ...],
    *,
    before: int,
    after: int,
    confidence: float = 0.95,
    validate: Callable[[str], bool] | None = validators.is_varied_key,
    not_before: frozenset[str] = _WORD,
    not_after: frozenset[str] = _WORD,
) -> Detector:
    """Declare a key that holds a literal of its issuer, but does not start with it."""
    return Detector(
        name=name,
        type="api_key",
        pattern=pattern,
        sample=sample,
        trigger=Near(words, before=before, after=after),
        confidence=confidence,
        validate=validate,
        not_before=not_before,
        not_after=not_after,
    )


def _last_run(text: str, start: int, end: int) -> Span | None:
    """Leave out the name that a key is assigned to; refuse names of identifiers."""
    key = end
    while text[key - 1] in _WORD:
        key -= 1
    return None if _IDENTIFIER.search(text, start, key) else (key, end)


def _is_service_key(value: str) -> bool:
    return is_random(value, 16)


def _is_letters_key(value: str) -> bool:
    """Tell whether a key that may have no digit is none of the words of an identifier."""
    return len(set(value)) >= 12 and not value.islower() and not value.isupper()


def _behind_sign(text: str, start: int, end: int) -> Span | None:
    """Leave out the name of a parameter and its sign, as in ``sig=…``."""
    return text.find("=", start, end) + 1, end


def _putty(text: str, start: int, end: int) -> Span | None:
    """Extend the first line of a PuTTY key (PuTTY User Manual, appendix C) to its last, the MAC.

    Looked for up to the next first line, so that each character is looked at once.
    """
    following = text.find("PuTTY-User-Key-File-", end)
    stop = following if following >= 0 else len(text)
    mac = text.find("Private-MAC: ", end, stop)
    if mac < 0:
        return None
    mac += len("Private-MAC: ")
    last = mac
    while last < stop and last - mac < 64 and text[last] in ALNUM:
        last += 1
    return start, last


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
    Detector(
        name="putty_private_key",
        type="private_key",
        pattern=r"PuTTY-User-Key-File-[123]: ",
        sample=f"PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-MAC: {_HEX[:64]}",
        trigger=Prefix(("PuTTY-User-Key-File-",)),
        confidence=0.98,
        refine=_putty,
    ),
    Detector(
        name="age_secret_key",
        type="private_key",
        # C2SP age: Bech32 (BIP 173) of 32 octets.
        pattern=r"AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}",
        sample="AGE-SECRET-KEY-1" + ("Q2" * 29),
        trigger=Prefix(("AGE-SECRET-KEY-1",)),
        confidence=0.98,
        not_before=ALNUM,
        not_after=ALNUM,
    ),
    _issued("aws_access_key_id", ("AKIA", "ASIA", "ABIA", "ACCA"), "[A-Z0-9]{16}", body=_BODY.upper(), validate=None),
    _issued(
        "aws_session_token",
        ("IQoJb3JpZ2lu", "FwoGZXIvYXdz", "FQoGZXIvYXdz"),
        r"[A-Za-z0-9+/]{80,}={0,2}",
        body=_BODY * 2,
    ),
    _issued("aws_bedrock_key", ("ABSK", "bedrock-api-key-"), r"[A-Za-z0-9+/]{40,}={0,2}"),
    Detector(
        name="aws_secret_access_key",
        type="api_key",
        pattern=r"[A-Za-z0-9/+]{40}",
        sample=_BODY[:40],
        trigger=Near(("secret", "aws"), before=0, after=110, fold=True),
        hint="[0-9]",
        confidence=0.65,
        validate=validators.is_mixed_key,
        not_before=ALNUM | frozenset("+/_-"),
        not_after=_BASE64,
        context=("secret*", "aws*"),
        needs_context=True,
    ),
    _issued("github_token", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), "[A-Za-z0-9]{36,}"),
    _issued("github_fine_grained_token", ("github_pat_",), "[A-Za-z0-9_]{36,}"),
    _issued(
        "gitlab_token",
        (
            "glpat-",
            "gldt-",
            "glrt-",
            "glrtr-",
            "glptt-",
            "glft-",
            "glsoat-",
            "glcbt-",
            "glimt-",
            "glagent-",
            "gloas-",
            "glffct-",
            "GR1348941",
        ),
        r"[A-Za-z0-9_-]{20,}(?:\.[0-9a-z]{2}\.?[0-9a-z]{7,9})?",
    ),
    _issued(
        "slack_token",
        ("xoxb-", "xoxa-", "xoxp-", "xoxr-", "xoxs-", "xoxe-", "xoxo-", "xoxc-", "xoxd-", "xoxe.xox", "xapp-"),
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
    _issued(
        "stripe_key",
        ("sk_live_", "rk_live_", "pk_live_", "sk_test_", "rk_test_", "pk_test_", "sk_prod_", "rk_prod_", "whsec_"),
        "[A-Za-z0-9+/]{10,}={0,2}",
    ),
    _issued("anthropic_key", ("sk-ant-",), "[A-Za-z0-9_-]{20,}", confidence=0.97),
    _issued("openai_key", ("sk-proj-", "sk-svcacct-", "sk-admin-", "sk-None-"), "[A-Za-z0-9_-]{20,}"),
    _issued("openai_legacy_key", ("sk-",), "[A-Za-z0-9]{20,}", confidence=0.85),
    _issued("google_api_key", ("AIza",), "[A-Za-z0-9_-]{35}"),
    _issued("google_oauth_token", ("ya29.",), "[A-Za-z0-9_.-]{20,}"),
    _issued("google_refresh_token", ("1//0",), "[A-Za-z0-9_-]{40,}"),
    _issued("google_client_secret", ("GOCSPX-",), "[A-Za-z0-9_-]{24,}"),
    _issued(
        "huggingface_token",
        ("hf_", "api_org_"),
        "[A-Za-z]{34}[A-Za-z0-9]{0,6}",
        body="aBcDeFgHiJkLmNoPqR" * 2,
        validate=_is_letters_key,
    ),
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
        sample="AC" + _HEX[:32],
        trigger=Prefix(("SK", "AC")),
        confidence=0.6,
        validate=validators.is_varied_key,
        not_before=ALNUM,
        not_after=ALNUM,
        context=("twilio*", "account sid", "accountsid", "sid", "api key*", "apikey*"),
        needs_context=True,
    ),
    Detector(
        name="azure_storage_key",
        type="api_key",
        pattern=r"[A-Za-z0-9+/]{86}==",
        sample=(_BODY * 2)[:86] + "==",
        trigger=Near(("accountkey=", "accountkey"), before=0, after=110, fold=True),
        confidence=0.9,
        validate=validators.is_mixed_key,
        not_before=ALNUM | frozenset("+/"),
        context=("accountkey*",),
    ),
    Detector(
        name="azure_connection_string",
        type="api_key",
        pattern=(
            r"DefaultEndpointsProtocol=https?;AccountName=[A-Za-z0-9]{3,24};AccountKey=[A-Za-z0-9+/]{86}=="
            r"(?:;EndpointSuffix=[A-Za-z0-9.-]{1,60})?"
        ),
        sample=f"DefaultEndpointsProtocol=https;AccountName=abc;AccountKey={_HEX[:86]}==",
        trigger=Prefix(("DefaultEndpointsProtocol=",)),
        confidence=0.97,
        not_before=ALNUM,
    ),
    Detector(
        name="azure_shared_access_key",
        type="api_key",
        pattern=r"SharedAccessKey=[A-Za-z0-9+/]{43}=",
        sample=f"SharedAccessKey={_BODY[:43]}=",
        trigger=Near(("SharedAccessKey=",), before=0, after=48),
        confidence=0.95,
        refine=_behind_sign,
        validate=validators.is_mixed_key,
        not_after=_BASE64,
    ),
    Detector(
        name="azure_sas_signature",
        type="api_key",
        # Base64 of HMAC-SHA256, its signs percent-encoded or not.
        pattern=r"sig=(?:[A-Za-z0-9+/]|%2[BbFf]){43}(?:=|%3[Dd])",
        sample=f"sig={_BODY[:43]}%3D",
        trigger=Near(("sig=",), before=0, after=136),
        confidence=0.9,
        refine=_behind_sign,
        validate=validators.is_varied_key,
        not_before=ALNUM,
        not_after=ALNUM,
    ),
    _near(
        "azure_client_secret",
        r"[A-Za-z0-9_.~-]{3}[0-9]Q~[A-Za-z0-9_.~-]{31,34}",
        f"abc8Q~{_BODY[:34]}",
        ("Q~",),
        before=4,
        after=36,
    ),
    _near(
        "telegram_bot_token",
        r"[0-9]{6,16}:A[A-Za-z0-9_-]{34}",
        f"123456789:AA{_BODY[:33]}",
        (":A",),
        before=16,
        after=36,
        not_before=DIGITS | frozenset(".-_"),
    ),
    Detector(
        name="discord_bot_token",
        type="api_key",
        pattern=r"\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}",
        sample=f"M{_BODY[:23]}.{_BODY[:6]}.{_BODY[:27]}",
        trigger=Prefix((".",)),
        confidence=0.85,
        # The number of the bot's account in base64: 17 to 20 digits begin with M, N or O.
        refine=validators.extend_back("[MNO][A-Za-z0-9_-]{22,27}", 28, "0-9A-Za-z_-"),
        validate=validators.is_mixed_key,
        not_after=_WORD,
    ),
    Detector(
        name="chat_webhook",
        type="api_key",
        pattern=(
            r"https://(?:(?:(?:canary|ptb)\.)?discord(?:app)?\.com/api/(?:v[0-9]{1,2}/)?webhooks/"
            r"[0-9]{15,22}/[A-Za-z0-9_-]{50,90}"
            r"|[a-z0-9-]{1,40}\.webhook\.office\.com/webhookb2/[A-Za-z0-9@/-]{60,300})"
        ),
        sample=f"https://discord.com/api/webhooks/{'1' * 18}/{_BODY}{_BODY}",
        trigger=Near(("discord", ".webhook.office.com"), before=60, after=400),
        confidence=0.96,
        not_before=ALNUM,
    ),
    _near(
        "terraform_token",
        r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}",
        f"{_BODY[:14]}.atlasv1.{_BODY}{_BODY[:14]}",
        (".atlasv1.",),
        before=14,
        after=72,
    ),
    _near("mailchimp_key", r"[0-9a-f]{32}-us[0-9]{1,2}", _HEX[:32] + "-us12", ("-us",), before=32, after=3),
    _near("newrelic_license_key", r"[0-9a-fA-F]{36}NRAL", _HEX[:36] + "NRAL", ("NRAL",), before=36, after=1),
    _near(
        "maxmind_key",
        r"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk",
        f"{_BODY[:6]}_{_BODY[:29]}_mmk",
        ("_mmk",),
        before=37,
        after=1,
    ),
    _issued("mailgun_key", ("key-", "pubkey-"), "[0-9a-f]{32}", body=_HEX[:32]),
    _issued("shopify_token", ("shpat_", "shpca_", "shppa_", "shpss_"), "[0-9a-fA-F]{32}", body=_HEX[:32]),
    _issued("square_token", ("sq0atp-", "sq0csp-", "sq0idp-", "EAAA"), "[A-Za-z0-9_-]{22,}"),
    _issued("facebook_token", ("EAAC", "EAAM"), "[A-Za-z0-9]{100,}", body=_BODY * 2),
    _issued("digitalocean_token", ("dop_v1_", "doo_v1_", "dor_v1_"), "[0-9a-f]{64}", body=_HEX[:64]),
    _issued("heroku_key", ("HRKU-",), "[A-Za-z0-9_-]{36,}"),
    _issued("newrelic_key", ("NRAK-", "NRJS-", "NRII-", "NRIQ-", "NRRA-"), "[A-Za-z0-9-]{19,}"),
    _issued("grafana_token", ("glsa_", "glc_", "eyJrIjoi"), "[A-Za-z0-9+/_]{32,}={0,3}"),
    _issued("databricks_token", ("dapi",), "[0-9a-f]{32}(?:-[0-9])?", body=_HEX[:32]),
    _issued("vault_token", ("hvs.", "hvb.", "hvr."), "[A-Za-z0-9_-]{24,}"),
    _issued(
        "doppler_token",
        ("dp.pt.", "dp.ct.", "dp.sa.", "dp.scim.", "dp.audit.", "dp.st."),
        r"(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}",
    ),
    _issued("linear_key", ("lin_api_", "lin_oauth_"), "[A-Za-z0-9]{32,}"),
    _issued("notion_token", ("ntn_", "secret_"), "[A-Za-z0-9]{43,50}"),
    _issued("atlassian_token", ("ATATT3x", "ATCTT3x", "ATSTT3x", "ATBB"), "[A-Za-z0-9_=-]{24,}"),
    _issued("postman_key", ("PMAK-",), "[0-9a-fA-F]{24}-[0-9a-fA-F]{34}", body=f"{_HEX[:24]}-{_HEX[:34]}"),
    _issued("planetscale_token", ("pscale_tkn_", "pscale_pw_", "pscale_oauth_"), "[A-Za-z0-9_=.-]{32,}"),
    _issued("rubygems_key", ("rubygems_",), "[0-9a-f]{48}", body=_HEX[:48]),
    _issued("crates_token", ("cio",), "[A-Za-z0-9]{32}"),
    _issued("docker_token", ("dckr_pat_", "dckr_oat_"), "[A-Za-z0-9_-]{27,}"),
    _issued("jfrog_token", ("AKCp", "cmVmd"), "[A-Za-z0-9]{59,69}", body=_BODY[:35] * 2),
    _issued("firebase_server_key", ("AAAA",), "[A-Za-z0-9_-]{7}:[A-Za-z0-9_-]{130,}", body=f"{_BODY[:7]}:{_BODY * 3}"),
    _issued("onepassword_token", ("ops_eyJ",), "[A-Za-z0-9+/_-]{100,}={0,3}", body=_BODY * 2),
    _issued(
        "onepassword_secret_key",
        ("A3-",),
        "[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})-[A-Z0-9]{5}-[A-Z0-9]{5}-[A-Z0-9]{5}",
        body="A1B2C3-A1B2C3D4E5F-A1B2C-A1B2C-A1B2C",
    ),
    _issued("sentry_token", ("sntrys_", "sntryu_"), "[A-Za-z0-9+/=_]{60,}", body=_BODY * 2),
    _issued("supabase_token", ("sbp_", "sb_secret_"), "[A-Za-z0-9_-]{22,}"),
    _issued("netlify_token", ("nfp_", "nfc_", "nfo_", "nfu_"), "[A-Za-z0-9]{32,}"),
    _issued("airtable_token", ("pat",), r"[A-Za-z0-9]{14}\.[0-9a-f]{64}", body=f"{_BODY[:14]}.{_HEX[:64]}"),
    _issued("cloudflare_origin_key", ("v1.0-",), "[0-9a-f]{24}-[0-9a-f]{146}", body=f"{_HEX[:24]}-{_HEX[:146]}"),
    _issued("replicate_token", ("r8_",), "[A-Za-z0-9]{37}"),
    _issued(
        "issued_token",
        _OTHER_ISSUERS,
        "[A-Za-z0-9_.=-]{16,}",
        validate=_is_service_key,
    ),
    Detector(
        name="service_key",
        type="api_key",
        # Keys without a form of their own, assigned to a name that begins with their service's.
        pattern=(
            r"[AaCcDdFfHhMmOoVv](?i:lgolia|irtable|loudflare|atadog|iscord|astly|eroku|ailgun|ailchimp|kta|ercel)"
            r"[A-Za-z0-9_. -]{0,30}[\"'`]?[ \t]{0,8}(?:=>|:=|[:=,])[ \t]{0,8}[\"'`]?[A-Za-z0-9_-]{17,80}"
        ),
        sample=f"heroku_api: {_BODY[:32]}",
        trigger=Near(
            (
                "algolia",
                "airtable",
                "cloudflare",
                "datadog",
                "discord",
                "fastly",
                "heroku",
                "mailgun",
                "mailchimp",
                "okta",
                "vercel",
            ),
            before=0,
            after=140,
            fold=True,
        ),
        confidence=0.8,
        refine=_last_run,
        validate=_is_service_key,
        not_after=_WORD | frozenset("+/.=("),
    ),
)
