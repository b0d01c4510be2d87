"""Texts with keys are put together from parts, so that scanners for leaked keys pass over this file."""

from __future__ import annotations

import random
import re
import string
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oguardai.detection import assignments, prefilter, secrets
from oguardai.detection.engine import detect
from oguardai.detection.entropy import changes, is_random, shannon
from oguardai.detection.normalize import normalize

TYPES = ("password", "api_key", "database_url", "jwt", "private_key")
HEX = "8f3a1c9e07b24d65" * 10
KEY = "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY1zA2bC3dE4fG5hJ6"
LONG = KEY * 6
LETTERS = "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgHiJ"
UPPER = KEY.upper()
UUID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
SHORT = KEY[:16]
RULE = "-" * 5


def find(text: str) -> list[tuple[str, str]]:
    return [(entity.type, entity.value) for entity in detect(text, types=TYPES)]


# detector, prefix in two parts, rest
ISSUED = (
    ("aws_access_key_id", "AK", "IA", UPPER[:16]),
    ("aws_access_key_id", "AS", "IA", UPPER[:16]),
    ("aws_session_token", "IQoJ", "b3JpZ2lu", LONG[:300] + "=="),
    ("aws_bedrock_key", "AB", "SK", LONG[:120]),
    ("google_api_key", "AI", "za", KEY[:35]),
    ("google_oauth_token", "ya", "29.", KEY + KEY),
    ("google_refresh_token", "1/", "/0", KEY),
    ("google_client_secret", "GOC", "SPX-", KEY[:28]),
    ("github_token", "gh", "p_", KEY[:36]),
    ("github_token", "gh", "o_", KEY[:36]),
    ("github_token", "gh", "u_", KEY[:36]),
    ("github_token", "gh", "s_", KEY[:36]),
    ("github_token", "gh", "r_", KEY[:36]),
    ("github_fine_grained_token", "github_", "pat_", KEY[:22] + "_" + KEY),
    ("gitlab_token", "gl", "pat-", KEY[:20]),
    ("gitlab_token", "gl", "pat-", KEY[:27] + ".01.1a2b3c4d5"),
    ("gitlab_token", "gl", "ptt-", HEX[:40]),
    ("gitlab_token", "gl", "dt-", KEY[:20]),
    ("gitlab_token", "gl", "rt-", KEY[:20]),
    ("gitlab_token", "gl", "soat-", KEY[:20]),
    ("gitlab_token", "gl", "cbt-", "64_" + KEY[:20]),
    ("gitlab_token", "gl", "imt-", KEY[:25]),
    ("gitlab_token", "gl", "agent-", (KEY + KEY)[:50]),
    ("gitlab_token", "gl", "ft-", KEY[:20]),
    ("slack_token", "xo", "xb-", "123456789012-" + KEY[:24]),
    ("slack_token", "xa", "pp-", "1-A0B1C2D3E4F-123456789012-" + HEX[:64]),
    ("slack_webhook", "https://hooks.", "slack.com/services/", f"T0{KEY[:8]}/B0{KEY[:8]}/{KEY[:24]}"),
    ("chat_webhook", "https://discord", ".com/api/webhooks/", "123456789012345678/" + (KEY * 2)[:68]),
    ("stripe_key", "sk_", "live_", KEY[:24]),
    ("stripe_key", "rk_", "test_", KEY[:24]),
    ("stripe_key", "pk_", "live_", KEY[:24]),
    ("stripe_key", "wh", "sec_", KEY[:32]),
    ("openai_key", "sk-", "proj-", KEY),
    ("openai_legacy_key", "s", "k-", KEY),
    ("anthropic_key", "sk-", "ant-", "api03-" + KEY),
    ("huggingface_token", "h", "f_", LETTERS[:34]),
    ("npm_token", "np", "m_", KEY[:36]),
    ("pypi_token", "py", "pi-AgE", KEY + KEY),
    ("sendgrid_key", "S", "G.", KEY[:22] + "." + KEY[:43]),
    ("mailgun_key", "k", "ey-", HEX[:32]),
    ("shopify_token", "sh", "pat_", HEX[:32]),
    ("shopify_token", "sh", "pss_", HEX[:32]),
    ("square_token", "sq0", "atp-", KEY[:22]),
    ("square_token", "EA", "AA", (KEY * 2)[:60]),
    ("facebook_token", "EA", "AC", (KEY * 3)[:130]),
    ("digitalocean_token", "do", "p_v1_", HEX[:64]),
    ("heroku_key", "HR", "KU-", "AA" + (KEY * 2)[:58]),
    ("newrelic_key", "NR", "AK-", UPPER[:27]),
    ("grafana_token", "gl", "sa_", KEY[:32] + "_" + HEX[:8]),
    ("grafana_token", "gl", "c_", "eyJ" + KEY),
    ("databricks_token", "da", "pi", HEX[:32]),
    ("vault_token", "hv", "s.", (KEY * 2)[:95]),
    ("doppler_token", "dp.", "pt.", KEY[:43]),
    ("linear_key", "lin_", "api_", KEY[:40]),
    ("notion_token", "nt", "n_", "12345678901" + KEY[:35]),
    ("notion_token", "secret", "_", KEY[:43]),
    ("atlassian_token", "AT", "ATT3x", "FfGF0" + LONG[:180]),
    ("postman_key", "PM", "AK-", HEX[:24] + "-" + HEX[:34]),
    ("planetscale_token", "pscale", "_tkn_", KEY[:43]),
    ("rubygems_key", "ruby", "gems_", HEX[:48]),
    ("crates_token", "ci", "o", KEY[:32]),
    ("docker_token", "dckr", "_pat_", KEY[:27]),
    ("jfrog_token", "AK", "Cp", (KEY * 2)[:69]),
    ("firebase_server_key", "AA", "AA", KEY[:7] + ":" + LONG[:140]),
    ("onepassword_token", "ops", "_eyJ", LONG[:280]),
    ("onepassword_secret_key", "A", "3-", "A1B2C3-A1B2C3D4E5F-6A7B8-C9D0E-1F2A3"),
    ("sentry_token", "sn", "trys_", "eyJ" + LONG[:120]),
    ("supabase_token", "sb", "p_", HEX[:40]),
    ("netlify_token", "nf", "p_", KEY[:36]),
    ("airtable_token", "pa", "t", KEY[:14] + "." + HEX[:64]),
    ("cloudflare_origin_key", "v1", ".0-", HEX[:24] + "-" + HEX[:146]),
    ("replicate_token", "r8", "_", KEY[:37]),
    ("issued_token", "gs", "k_", KEY),
    ("issued_token", "ts", "key-", "auth-" + KEY[:32]),
    (
        "azure_connection_string",
        "DefaultEndpoints",
        "Protocol=",
        f"https;AccountName=abc;AccountKey={(KEY * 2)[:86]}==",
    ),
    ("azure_client_secret", "abc8", "Q~", KEY[:34]),
    ("telegram_bot_token", "123456789:", "AA", KEY[:33]),
    ("discord_bot_token", "MTk4NjIyNDgz", "NDcxOTI1MjQ4", f".{KEY[:6]}.{KEY[:27]}"),
    ("terraform_token", KEY[:14], ".atlasv1.", (KEY * 2)[:67]),
    ("mailchimp_key", HEX[:32], "-us", "12"),
    ("newrelic_license_key", HEX[:36], "NR", "AL"),
    ("maxmind_key", KEY[:6] + "_", KEY[:29], "_mmk"),
)

# detector, text before, value, text after
NAMED_SERVICE = (
    ("service_key", "HEROKU_API = ", UUID, ""),
    ("service_key", "cloudflare: '", KEY[:40], "'"),
    ("service_key", 'datadog_app="', HEX[:40], '"'),
    ("service_key", "FASTLY=", KEY[:32], "\n"),
    ("service_key", "okta_auth: ", "00" + KEY[:40], ""),
    ("service_key", "algolia_admin = '", HEX[:32], "'"),
    ("service_key", "VERCEL=", KEY[:24], ""),
    ("azure_sas_signature", "https://x.blob.example.com/c?sv=2022-11-02&sp=r&sig=", KEY[:43] + "%3D", "&se=1"),
    ("azure_shared_access_key", "Endpoint=sb://x/;SharedAccess" + "Key=", KEY[:43] + "=", ""),
    ("aws_secret_access_key", "aws_secret_access_key = ", KEY[:40], ""),
    ("twilio_key", "twilio sid ", "A" + "C" + HEX[:32], ""),
)

PEMS = tuple(
    f"{RULE}BEGIN {kind}{RULE}\n{KEY}\n{KEY}==\n{RULE}END {kind}{RULE}"
    for kind in (
        "PRIVATE KEY",
        "RSA PRIVATE KEY",
        "EC PRIVATE KEY",
        "ENCRYPTED PRIVATE KEY",
        "OPENSSH PRIVATE KEY",
        "PGP PRIVATE KEY BLOCK",
    )
)
PUTTY = (
    "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: c\nPublic-Lines: 1\n" + KEY + "\n"
    "Private-Lines: 1\n" + KEY + "\nPrivate-MAC: " + HEX[:64]
)
AGE = "AGE-SECRET-" + "KEY-1" + ("QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" * 2)[:58]

# text, with the value between two bars
PASSWORDS = (
    # .env, shell, properties, INI
    "DB_PASSWORD=|hunter|",
    "DB_PASSWORD=|hunter2|\nDB_HOST=x",
    "export PGPASSWORD=|hunter|",
    "PGPASSWORD=|hunter| psql -h localhost",
    'PASSWORD="|hunter|"',
    "# DB_PASS=|hunter2|",
    "spring.datasource.password=|s3cr3t!|",
    "spring.datasource.password = |geheim|",
    "[db]\npassword = |geheim|\nuser = x",
    "password: |m{{h}o)p${e]nob(ody[finds>-_$#thisone}}|,",
    # YAML, TOML, JSON, JSON in JSON
    "password: |hunter2|",
    "db:\n  password: |swordfish|\n  host: x",
    "db:\n  password: |swordfish|  # change it\n",
    'password = "|hunter2|"',
    "password = 'hun\\'ter2'".replace("hun\\'ter2", "|hun\\'ter2|"),
    '"dbPassword": "|hunter2|",',
    '{"password":"|correcthorse|","x":1}',
    '{"password": |12345678|}',
    r"{\"password\": \"|hun\\\"ter2|\", \"x\": 1}",
    r'{"a":"{\"password\":\"|hunter2|\"}"}',
    r'{"a":"DB_PASSWORD=|hunter2|\nDB_HOST=x"}',
    '{"name":"DB_PASSWORD","value":"|hunter|"}',
    "- name: DB_PASSWORD\n  value: |hunter2|\n",
    "passphrase: |correct horse battery staple|",
    'password_super_secure = "|value with quotes and spaces|"',
    # programs
    'self.password = "|hunter|"',
    'if password == "|hunter2|":',
    'const password: string = "|hunter|"',
    "password => '|hunter2|'",
    "define('DB_PASSWORD', '|hunter2|');",
    'config.setPassword("|hunter|")',
    '$env:DB_PASSWORD = "|hunter|"',
    "CREATE USER x WITH PASSWORD '|hunter|';",
    'my_secret = "|hunter2|"',
    "client_secret: |hunter2|",
    # command lines, query strings, connection strings, netrc
    "mysql --password=|hunter| -u root",
    "tool --password |hunter2| x",
    "tool --db-password '|hunter|' x",
    "https://example.com/login?user=x&password=|hunter|&y=1",
    "Server=x;User Id=sa;Password=|hunter|;Database=y",
    "machine x login y password |hunter2|",
    # XML
    "<password>|hunter|</password>",
    '<db:Password encrypted="false">|hunter2|</db:Password>',
    '<property name="password" value="|hunter|"/>',
    '<add key="DbPassword" value="|hunter2|" />',
    '<entry key="password">|hunter2|</entry>',
    "<key>Password</key>\n<string>|hunter2|</string>",
    # headers
    "Authorization: Basic |dXNlcjpodW50ZXIy|",
    # other languages and marks
    "Passwort: |geheim|",
    "Kennwort=|Sonne12|",
    "mot de passe : |soleil42|",
    "mot_de_passe=|soleil42|",
    "contraseña: |sol1234|",
    "clave=|sol1234|",
    "senha: |sol1234|",
    "**Password:** |hunter2|",
    "Password: `|hunter2|`",
    "Password: **|hunter2|**",
    "Passwort: \u201e|geheim|\u201c",
    "user admin, password: |hunter2|, thanks",
    "(password: |hunter2|)",
)
SENTENCES = (
    "my password is |hunter2|",
    "My password is |swordfish|.",
    "the password for the guest network is |hunter2|",
    "I changed my password to |hunter2|.",
    'The password is "|swordfish|".',
    "Passwort lautet |Sonne123|",
    "Das Passwort ist |Sonne#12|.",
    "Le mot de passe est |soleil42|.",
    "La contraseña es |sol1234|",
    "la password è |sol1234|",
    "a senha é |sol1234|",
)
KEYS = (
    f'api_key = "|{KEY[:20]}|"',
    f"apiKey: |{SHORT}|",
    f"API key: |{SHORT}|",
    f"The API key is |{SHORT}|.",
    f"client_secret=|{KEY[:20]}|",
    f"aws_session_token=|{LONG[:200]}|==".replace("|==", "==|"),
    f'const token: string = "|{SHORT}|"',
    f'var secret string = "|{SHORT}|"',
    f'System.setProperty("API_TOKEN", "|{SHORT}|")',
    f'API_TOKEN ?= "|{SHORT}|"',
    f"<Token>\n    |{SHORT}|\n</Token>",
    f'"access_token": "|{UUID}|"',
    f"https://example.com/?token=|{SHORT}|&x=1",
    f"X-Api-Key: |{SHORT}|",
    f"curl -H 'PRIVATE-TOKEN: |{SHORT}|' x",
    f"Authorization: Bearer |{KEY[:20]}|",
    f"Authorization: token |{SHORT}|",
    f'{{"Authorization": "Bearer |{KEY[:20]}|"}}',
    f"PrivateKey = |{KEY[:43]}=|",
    f"key = |{HEX[:40]}|",
    'api_key = "|m{{h}o)p${e]nob(ody[finds>-_$#thisone}}|"',
)
URLS = (
    "|postgres://user:hunter2@db.example.com:5432/name?sslmode=require|",
    'DATABASE_URL="|postgresql+psycopg://root:p@ss@localhost/x|"',
    "|mysql://u:pw1@h.example.com/db|.",
    "|mariadb://u:pw1@h/db|",
    "|mongodb://u:pw1@a.example.com:27017,b.example.com:27017/db|",
    "|mongodb+srv://u:pw1@c.example.com/db|, and",
    "|redis://:hunter2@localhost:6379/0|",
    "|rediss://u:pw1@h|",
    "|amqps://u:pw1@h/v|",
    "|mssql+pyodbc://u:pw1@h/db|",
    "|oracle://u:pw1@h/db|",
    "|clickhouse://u:pw1@h/db|",
    "|cockroachdb://u:pw1@h/db|",
    "|jdbc:mysql://u:pw1@h.example.com/db|",
    "(|https://user:hunter2@example.com/x|)",
    "|ftp://user:hunter2@example.com|",
    "|ssh://user:hunter2@example.com|",
    "git clone |https://user:hunter2@git.example.com/x.git|",
)

NOTHING = (
    # variables, templates, code
    'password = os.environ["X"]', 'password = os.environ.get("PASSWORD")', 'password = os.getenv("DB_PASSWORD", "")',
    "password=$PASSWORD", 'password="$PASSWORD"', "password: ${DB_PASSWORD}", 'password: "${DB_PASSWORD:-}"',
    "password: {{ db_password }}", 'password: "{{ db_password }}"', "password = getpass()",
    'password = getpass.getpass("Password: ")', 'password = input("Enter password: ")', "password=password,",
    "connect(user=user, password=password)", "self.password = password", "password = self.password",
    "password = user.password", "password: req.body.password,", 'f"password={password}"', '"password=%s" % pw',
    "'password=' + password", '"Password: ", user, "x1y2"', "password: @Value(\"${x}\")", "password: !vault |",
    "password: &anchor", "password: |", "password: # set me", "const { password } = req.body;",
    "if (!password) return;", "password.length > 8", "password_hash = hashlib.sha256(x)",
    "new_password = random.choice(chars)", "password=True)", "bypass = True", "pass", "passwords: [a, b]",
    "token = next(tokens)", "auth_token = generate_token_v2(user)", "token = secrets.token_urlsafe(32)",
    "secret_key = SECRET_KEY2", "api_key=$API_KEY", 'api_key: Optional[str] = Field(None, alias="apiKey1")',
    "_TOKEN = rb\"[!#$%&'*+-.^_`|~0-9A-Za-z]+\"", "$PASSWORD = $Config->{password}", "should_pass(\"dll('./x')\")",
    '{"SECRET": secret}).keys[0].prk', "private_key: PKCS7PrivateKeyTypes,", "C<passwd>, C<uid>",
    # types and words of programs
    "password: str", '    password: str = ""', "password: Optional[str] = None", "password = None", '"password": null',
    '"password": true', "password: string;", "password?: string;", "readonly password: string;", "password: boolean;",
    "def login(user: str, password: str) -> None:", "password: bool = False", "secret: false", "secret: true",
    "secrets: inherit", "id_token_signed_response_alg: RS256", 'id_token_signed_response_alg = "RS256withSomething12"',
    # what is empty or stands for a value
    'password = ""', 'password: ""', "password: ''", "password: ****", '"password": "********"', "password: xxxxxxxx",
    "password: <your password>", 'password: "<password>"', "password: changeme", "password: your_password_here",
    "api_key: YOUR_API_KEY", 'api_key: "your-api-key-here"', 'api_key = "xxxxxxxxxxxxxxxxxxxxxxxx"',
    "password: required", "password: required|min:8", "'password' => 'required|min:8',", "password: password",
    '"password": "Password"', '"password": "Passwort"', '"password": "Enter your password"',
    '"passwordPlaceholder": "Your password"', '"forgot_password": "Forgot your password?"', 'show_password: "no"',
    "--password PASSWORD", "--password <password>", "--password TEXT  The password", "Authorization: Bearer <token>",
    "Authorization: Bearer $TOKEN",
    "Authorization: Bearer token", "token: {{email:e_001}}", "password: {{secret:s_001}}",
    "password: ENC(aBcD1234)", "password: vault:secret/data/db#password", "password: op://vault/item/password",
    # paths, numbers, names of something else
    "password_file: /run/secrets/x", "POSTGRES_PASSWORD_FILE=/run/secrets/pg", "password: /run/secrets/x",
    'password = "/run/secrets/db"', "PWD=/home/user", "private_key: /etc/ssl/private/key1.pem",
    'ssh_key = "~/.ssh/id_rsa"', "token: https://example.com/oauth/token1", "max_tokens: 4096", "tokens: 12345",
    "password_min_length: 12", "password_policy: strong1", "PASSWORD_RESET_TIMEOUT=3600", "pass: 10, fail: 2",
    f"public_key = \"{KEY[:43]}\"", f"csrf-token={KEY[:36]}", f"credentialsId: '{UUID}'", f"key_id: {UUID}",
    f"datadog_trace_id: {UUID}", f"gpg --recv-keys {HEX[:40].upper()}", 'LLM_SECRET_NAME = "NEXUS-GPT4-API-KEY"',
    "keyboard: QWERTY12", "monkey: banana99", "passenger: John99", "compass: north99", "tokenizer: gpt2-medium",
    "secretary: jane99", "key: value", 'key = "value"', "primary_key: id", "token: abc", '"bucket_key": "Results-1.2"',
    '<label for="password">Password</label>', '<input type="password" name="password" placeholder="Password">',
    "<Password>{value}</Password>",
    # sentences
    "password reset link", "Click the password reset link to continue", "Enter password:",
    "Enter your password: \nnext line", "The password is required.", "the password is incorrect",
    "Your password is wrong", "Password is not set", "The password is too short", "My password is expired.",
    "password must contain 8 characters", "password is: ", "password is 8 characters long", "The key is to be patient.",
    "the token is valid for 3600s", "The secret is out.", "La clave es la paciencia.", "password hashing uses bcrypt2",
    "Bearer tokens are used",
    # URLs without a password
    "postgres://user:${DB_PASSWORD}@host/db", "postgres://user:$PASSWORD@host/db", "https://user:***@example.com/",
    "postgres://<user>:<password>@host/db", "postgres://user@host/db", "ssh://git@git.example.com/x",
    "http://localhost:8080/path?mail=a@b.example", f"docker://alpine:3.19@sha256:{HEX[:64]}", '"https://x:80";@y',
    # keys that are none
    "gh" + "p_" + "x" * 36, "sk-" + "x" * 40, "task-" + KEY, "AK" + "IA-not-a-key", "1//0", "hf" + "_" + "a" * 34,
    "a1:AA", "-us12", "eyJ" + "rIjoi", f"{RULE}BEGIN CERTIFICATE{RULE}\nMIIB\n{RULE}END CERTIFICATE{RULE}",
    "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n",
)  # fmt: skip


def _split(marked: str) -> tuple[str, str]:
    head, value, tail = marked.split("|")
    return head + value + tail, value


@pytest.mark.parametrize(("detector", "first", "second", "rest"), ISSUED)
def test_issuers_form_is_found_whole(detector: str, first: str, second: str, rest: str) -> None:
    value = first + second + rest
    for text in (value, f"use {value}, please", f'"{value}"'):
        found = detect(text, types=["api_key"])
        assert [entity.value for entity in found] == [value]
        assert found[0].detector == detector
        assert found[0].confidence >= 0.85


@pytest.mark.parametrize(("detector", "before", "value", "after"), NAMED_SERVICE)
def test_key_without_a_form_is_found_behind_its_service(detector: str, before: str, value: str, after: str) -> None:
    found = detect(before + value + after, types=["api_key"])
    assert [(entity.value, entity.detector) for entity in found] == [(value, detector)]


@pytest.mark.parametrize("value", [*PEMS, PUTTY, AGE])
def test_private_key_is_found_to_its_end(value: str) -> None:
    assert find(f"key:\n{value}\nend") == [("private_key", value)]


@pytest.mark.parametrize("marked", [*PASSWORDS, *SENTENCES])
def test_password_is_found_as_its_value_alone(marked: str) -> None:
    text, value = _split(marked)
    (entity,) = detect(text, types=TYPES)
    assert (entity.type, entity.value) == ("password", value)
    assert entity.confidence == (0.6 if marked in SENTENCES else 0.8)
    assert entity.start == marked.index("|")


@pytest.mark.parametrize("marked", KEYS)
def test_key_is_found_by_the_name_it_is_assigned_to(marked: str) -> None:
    text, value = _split(marked)
    assert find(text) == [("api_key", value)]


@pytest.mark.parametrize("marked", URLS)
def test_url_with_a_password_is_found_whole(marked: str) -> None:
    text, value = _split(marked)
    assert find(text) == [("database_url", value)]
    # It is more than an address.
    assert [entity.type for entity in detect(text, types=["url", "email", "password", "database_url"])] == [
        "database_url"
    ]


@pytest.mark.parametrize("text", NOTHING)
def test_what_is_no_secret_is_not_found(text: str) -> None:
    assert find(text) == []


@pytest.mark.parametrize("text", [f"token = {UUID}", f"heroku {UUID}", UUID])
def test_uuid_is_a_key_only_where_it_is_named_so(text: str) -> None:
    assert bool(find(text)) == text.startswith("token")


@pytest.mark.parametrize(
    "text", ["password = " + "gh" + "p_" + KEY[:36], "token: " + "xo" + "xb-12345678901-" + KEY[:24]]
)
def test_issuers_form_is_a_key_whatever_it_is_assigned_to(text: str) -> None:
    assert [kind for kind, _ in find(text)] == ["api_key"]


@pytest.mark.parametrize("row", [*secrets.DETECTORS, *assignments.DETECTORS], ids=lambda row: row.name)
def test_row_finds_its_own_sample(row) -> None:
    lead = row.context[0].strip("*") + " " if row.needs_context or row.name == "azure_storage_key" else ""
    if row.name == "jwt":
        pytest.skip("its header decodes to nothing")
    assert row.name in [entity.detector for entity in detect(lead + row.sample, types=[row.type])]


TEXTS = (
    *(first + second + rest for _, first, second, rest in ISSUED),
    *(before + value + after for _, before, value, after in NAMED_SERVICE),
    *(_split(marked)[0] for marked in (*PASSWORDS, *SENTENCES, *KEYS, *URLS)),
    *NOTHING,
)


@pytest.mark.parametrize("row", [*secrets.DETECTORS, *assignments.DETECTORS], ids=lambda row: row.name)
def test_pattern_matches_the_same_with_re2(row) -> None:
    re2 = pytest.importorskip("re2")
    plain, other = re.compile(row.pattern, re.ASCII), re2.compile(row.pattern)
    for text in (*map(normalize, TEXTS), normalize("\n".join(TEXTS))):
        assert [match.span() for match in plain.finditer(text)] == [match.span() for match in other.finditer(text)]


@pytest.mark.parametrize("text", [*TEXTS, "\n".join(TEXTS)])
def test_finds_are_the_same_without_re2(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = find(text)
    monkeypatch.setattr(prefilter, "shared", lambda: None)
    assert find(text) == found


def test_sources_of_the_standard_library_hold_hardly_any() -> None:
    root = Path(sysconfig.get_path("stdlib"))
    packages = ("asyncio", "email", "http", "json", "logging", "urllib", "xml", "xmlrpc", "multiprocessing")
    files = sorted([*root.glob("*.py"), *(file for name in packages for file in (root / name).rglob("*.py"))])
    found = []
    size = 0
    for file in files:
        text = file.read_text(encoding="utf-8", errors="replace")
        size += len(text)
        found += [(file.name, entity.value) for entity in detect(text, types=TYPES)]
    assert size > 2_000_000
    # An example in the documentation of urllib.request, and right.
    assert ("request.py", "geheim$parole") in found
    assert len(found) <= 4, found


ALPHABETS = {
    "hex": string.hexdigits[:16],
    "base62": string.ascii_letters + string.digits,
    "base64": string.ascii_letters + string.digits + "+/",
    "base64url": string.ascii_letters + string.digits + "-_",
}


@pytest.mark.parametrize("name", ALPHABETS)
def test_nearly_all_random_strings_are_known_as_such(name: str) -> None:
    rng = random.Random(7)
    for size, share in ((20, 0.95), (32, 0.98), (64, 0.99)):
        values = ["".join(rng.choices(ALPHABETS[name], k=size)) for _ in range(500)]
        assert sum(map(is_random, values)) >= share * len(values)


@pytest.mark.parametrize(
    "value",
    [
        "getUserAccessTokenFromStoreById",
        "my_application_access_token_name",
        "arn-eu-central-1-production-db",
        "com.example.service.TokenProviderFactory",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
        "12345678901234567890",
        "aaaaaaaaaaaaaaaaaaaaaaaa",
        "a1a1a1a1a1a1a1a1a1a1a1a1",
        "0" * 8 + "-0000-0000-0000-" + "0" * 12,
        "short1A",
        "with spaces in it 1A 2B 3C 4D",
    ],
)
def test_names_and_numbers_are_not_random(value: str) -> None:
    assert not is_random(value)


def test_entropy_is_counted_in_bits() -> None:
    assert shannon("aaaa") == 0
    assert shannon("abab") == 1
    assert shannon("abcdefgh") == 3
    assert changes("us-east-1") == 0
    assert changes("a1b2") == 0.75
    assert changes("") == changes("--") == 0


MARKS = [
    "password",
    "token",
    "key",
    "secret",
    "=",
    ":",
    " ",
    '"',
    "'",
    "\\",
    "\n",
    "<",
    ">",
    "</",
    "is",
    "(",
    ",",
    "://",
]


@given(st.lists(st.sampled_from([*MARKS, "hunter2", "a:b@c", "Bearer ", KEY]) | st.text(max_size=4)).map("".join))
def test_any_text_gives_exact_spans(text: str) -> None:
    for entity in detect(text, types=TYPES):
        assert entity.value == text[entity.start : entity.end] != ""


@pytest.mark.parametrize("unit", ["password=", "token: ", 'password="', "password=(", "passwordkey", "://a:", "key\\"])
def test_repeated_names_hold_no_secret(unit: str) -> None:
    assert find(unit * 500) == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('if ("hunter2x" == password) {', "hunter2x"),
        ("if 'Letmein' != user.password:", "Letmein"),
        ('if ("m{{h}o)p${e]nob(ody" !== $my_password) {', "m{{h}o)p${e]nob(ody"),
        (f'if ("{KEY}" === apiToken)', KEY),
    ],
)
def test_what_is_compared_with_a_secret_is_one(text: str, value: str) -> None:
    assert [found for _, found in find(text)] == [value]


@pytest.mark.parametrize(
    "text",
    [
        "if 'text' == passwordType:", 'if ("" == password)', '"undefined" != password', "elif 'begin' == token:",
        '"none" == secret', "elif 'password' == name:", "'hunter2x' == password_hint",
    ],
)  # fmt: skip
def test_a_word_that_is_compared_is_no_secret(text: str) -> None:
    assert find(text) == []


@pytest.mark.parametrize(
    "value", ["yfatue22o6nohy3-18=77tmfbowhihcwbwy2f9o2", "e5c72747:57b288aa", "7xbdtvbcysekh3sxeccjdeha"]
)
def test_a_key_with_a_sign_within_or_with_few_digits_is_found_whole(value: str) -> None:
    for text in (f'token = "{value}"', f"TOKEN={value}", f"token: {value}\n"):
        assert [found for _, found in find(text)] == [value]


@pytest.mark.parametrize("value", ["XXXXXXXXXX_PUT_1_TOKEN_HERE", "grant=refresh:token:1", "http2https-redirects"])
def test_words_with_signs_between_are_no_key(value: str) -> None:
    assert find(f'token = "{value}"') == []
