"""The table of endpoints: what the routes, the checks of bodies and callers, and the OpenAPI document come from."""

from __future__ import annotations

from dataclasses import dataclass

from oguardai.detection.terms import PATTERN as TERM_PATTERN
from oguardai.rehydrate import REPAIRS
from oguardai.restore import RestoreMode
from oguardai.sessions import DEFAULT_POLICY, PLAIN, TOKEN_STYLES
from oguardai.transform import INPUT_TOKENS, POLICIES
from oguardai.web.access import Audience
from oguardai.web.fields import Body, Field, Kind

MAX_TYPES = 1000
MAX_TERMS = 100  # of a request
TYPE_PATTERN = "[a-z][a-z0-9_]{0,31}"
RESTORE_MODES = tuple(str(mode) for mode in RestoreMode)

_INPUT = Field(
    "input",
    Kind.STRING,
    "The text. Any Unicode text; spans count its code points.",
    required=True,
    example="Write to julia@example.com",
)
_TYPES = Field(
    "types",
    Kind.STRINGS,
    "Entity types to look for, as `/v1/capabilities` names them; absent or empty: those of the server's configuration.",
    pattern=TYPE_PATTERN,
    max_items=MAX_TYPES,
    example=["email", "phone"],
)
_THRESHOLD = Field(
    "threshold",
    Kind.NUMBER,
    "Least confidence of a find; absent: the server's `detection.threshold`.",
    low=0,
    high=1,
    example=0.5,
)

_TERMS = Field(
    "terms",
    Kind.STRINGS,
    "Words that are always found, as type `term`: names of people and projects. Whole words, in any case; they come to "
    "those of the server's configuration.",
    pattern=TERM_PATTERN,
    max_items=MAX_TERMS,
    example=["Project Aurora"],
)

TRANSFORM = Body(
    "TransformRequest",
    (
        _INPUT,
        Field(
            "session_state",
            Kind.STRING,
            "A sealed session to continue: the same value then gets the same token again.",
        ),
        Field(
            "input_tokens",
            Kind.STRING,
            "What text in `input` that looks like a token is: `literal` text, or, with `keep`, a token of the session "
            "in `session_state`, which is then required, that stays one.",
            choices=INPUT_TOKENS,
            default="literal",
        ),
        Field("policy", Kind.STRING, "Name of the policy.", choices=POLICIES, default=DEFAULT_POLICY),
        _TYPES,
        _THRESHOLD,
        _TERMS,
        Field(
            "token_style",
            Kind.STRING,
            "`tagged` puts a tag of the session into each token. A continued session keeps its style; another is "
            "refused.",
            choices=TOKEN_STYLES,
            default=PLAIN,
        ),
    ),
)
REHYDRATE = Body(
    "RehydrateRequest",
    (
        Field(
            "output",
            Kind.STRING,
            "The model's answer, with tokens in it.",
            required=True,
            example="I wrote to {{email:e_001}}.",
        ),
        Field(
            "session_state",
            Kind.STRING,
            "The sealed session that `/v1/transform` gave.",
            required=True,
        ),
        Field(
            "restore_mode",
            Kind.STRING,
            "How values come back.",
            choices=RESTORE_MODES,
            default="full",
        ),
        Field(
            "output_channel",
            Kind.STRING,
            "Where the restored text goes, for policies that ask.",
            pattern="[A-Za-z0-9_.-]{1,64}",
            example="customer_email",
        ),
        Field(
            "repair",
            Kind.STRING,
            "`lenient` also recognises tokens that a model has garbled; their ids are never changed.",
            choices=REPAIRS,
            default="strict",
        ),
    ),
)
DETECT = Body(
    "DetectRequest",
    (
        _INPUT,
        _TYPES,
        _THRESHOLD,
        _TERMS,
        Field("include_values", Kind.BOOLEAN, "Whether each entity holds its value.", default=True),
        Field("explain", Kind.BOOLEAN, "Whether each entity says what its confidence is the sum of.", default=False),
    ),
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One path: ``name`` is the view's and the operation's, ``answer`` the schema of a 200."""

    name: str
    method: str
    path: str
    audience: Audience
    summary: str
    answer: str
    body: Body | None = None


ENDPOINTS = (
    Endpoint(
        "transform",
        "POST",
        "/v1/transform",
        Audience.CLIENT,
        "Replace personal data by tokens",
        "TransformResponse",
        TRANSFORM,
    ),
    Endpoint(
        "rehydrate",
        "POST",
        "/v1/rehydrate",
        Audience.CLIENT,
        "Put the values back",
        "RehydrateResponse",
        REHYDRATE,
    ),
    Endpoint("detect", "POST", "/v1/detect", Audience.CLIENT, "Find personal data", "DetectResponse", DETECT),
    Endpoint("health", "GET", "/v1/health", Audience.PUBLIC, "Tell whether all is well", "Health"),
    Endpoint("ready", "GET", "/v1/ready", Audience.PUBLIC, "Tell whether a request would be served", "Ready"),
    Endpoint(
        "capabilities", "GET", "/v1/capabilities", Audience.PUBLIC, "List what this server can do", "Capabilities"
    ),
    Endpoint("openapi", "GET", "/v1/openapi.json", Audience.PUBLIC, "This document", "OpenAPI"),
    Endpoint("diagnostics", "GET", "/v1/diagnostics", Audience.ADMIN, "Show the state of the server", "Diagnostics"),
    Endpoint("metrics", "GET", "/metrics", Audience.ADMIN, "Metrics for Prometheus", "Metrics"),
)
