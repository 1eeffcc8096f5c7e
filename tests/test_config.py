import secrets
import stat
from pathlib import Path
from typing import Any

import pytest

from mnistweb import config
from mnistweb.app import create_app
from mnistweb.config import ConfigError
from mnistweb.web import visitors


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("ENVIRONMENT", "test"),
        ("PORT", "http"),
        ("PORT", "0"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "٣"),
        ("HOST", ""),
        ("WORKERS", "0"),
        ("THREADS", "1000"),
        ("WAITING", "-1"),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", " " * 40),
        ("SECRET_KEY_FALLBACKS", "a-long-enough-former-key short"),
        ("DATABASE_URL", "nowhere"),
        ("DATABASE_URL", "postgresql://me:secret@db:port/name"),
        ("DATABASE_URL", "postgresql://me:p@ss:w/rd%20 #?&é@127.0.0.1:5432/name"),
        ("DATABASE_URL", "postgresql://me:p@ss/word@db/name"),
        ("DATABASE_URL", "mysql://localhost/mnistweb"),
        ("MAX_IMAGE_BYTES", "1"),
        ("MAX_IMAGE_PIXELS", "10 million"),
        ("PROXY_HOPS", "yes"),
        ("TRUSTED_HOSTS", "https://example.org"),
        ("TRUSTED_HOSTS", "example.org:443"),
        ("EMBED_ORIGINS", "lms.example.org"),
        ("EMBED_ORIGINS", "https://lms.example.org/course"),
        ("EMBED_ORIGINS", "https://lms.example.org; script-src *"),
        ("EMBED_ORIGINS", "*"),
        ("EMBED_ORIGINS", "https://*"),
        ("EMBED_ORIGINS", "https://lms.example.org\r\nX: y"),
        ("RATELIMIT_ENABLED", "1"),
        ("MODEL_STORE", "models"),
        ("MODEL_STORE", "s3://key:secret@bucket"),
        ("MODEL_STORE", "s3://bucket/with space"),
        ("RATELIMIT_STORAGE_URI", "memcached://localhost:11211"),
        ("RATELIMIT_PREDICT", "10"),
        ("RATELIMIT_GUESS", "0,10"),
        ("RATELIMIT_DELETE", "1,2,3"),
        ("LOG_FORMAT", "xml"),
        ("SURE_FROM", "1.01"),
        ("SURE_FROM", "80 %"),
        ("NOT_A_DIGIT_FROM", "-0.1"),
        ("NOT_A_DIGIT_FROM", "nan"),
        ("NOT_A_DIGIT_FROM", "1e-3"),
        ("MODEL_URL", "model:8001"),
        ("MODEL_TIMEOUT", "0"),
        ("MODEL_FALLBACK", "remote"),
        ("METRICS_TOKEN", "short"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("METRICS_TOKEN", "a token with spaces"),
    ],
)
def test_invalid_value_stops_the_start_and_names_its_key(key: str, value: str) -> None:
    with pytest.raises(ConfigError, match=f"^{key} must be "):
        config.load({key: value})


@pytest.mark.parametrize(
    ("text", "share"), [("", None), ("0", 0.0), (".5", 0.5), ("0.875", 0.875), ("1", 1.0)]
)
def test_shares_are_numbers_or_empty(text: str, share: float | None) -> None:
    assert config.load({"SURE_FROM": text})["SURE_FROM"] == share


@pytest.mark.parametrize("secret", ["", "0123456789abcdef"])
def test_production_needs_a_secret_and_explains_how(secret: str) -> None:
    with pytest.raises(ConfigError, match=r"^SECRET_KEY must be .* make one with openssl rand -hex 32\.$"):
        config.load({"ENVIRONMENT": "production", "SECRET_KEY": secret})


def test_production_starts_with_a_secret() -> None:
    values = config.load({"ENVIRONMENT": "production", "SECRET_KEY": secrets.token_hex(32)})
    assert values["ENVIRONMENT"] == "production"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "text"),
        ({"LOG_FORMAT": "json"}, "json"),
        ({"ENVIRONMENT": "production"}, "json"),
        ({"ENVIRONMENT": "production", "LOG_FORMAT": "text"}, "text"),
    ],
)
def test_default_log_format_depends_on_the_environment(given: dict[str, str], expected: str) -> None:
    values = config.load({"SECRET_KEY": secrets.token_hex(32)} | given)
    assert values["LOG_FORMAT"] == expected


def test_settings_have_defaults_and_flask_keys_pass() -> None:
    values = config.load({"TESTING": True})
    assert values["TESTING"] is True
    assert values["PORT"] == 8000
    assert values["DATABASE_URL"] == "sqlite:///mnistweb.sqlite3"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg2"])
def test_postgresql_urls_get_the_installed_driver(scheme: str) -> None:
    values = config.load({"DATABASE_URL": f"{scheme}://me:secret@db/mnistweb"})
    assert values["DATABASE_URL"] == "postgresql+psycopg2://me:secret@db/mnistweb"


def test_environment_overrides_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "project_root", lambda: tmp_path)
    monkeypatch.setenv("PORT", "9001")
    monkeypatch.delenv("HOST", raising=False)
    (tmp_path / ".env").write_text("PORT=9000\nHOST=0.0.0.0\nUNRELATED=1\n")
    given = config.environment()
    assert given["PORT"] == "9001"
    assert given["HOST"] == "0.0.0.0"  # noqa: S104
    assert "UNRELATED" not in given


def test_site_files_are_in_checkout_or_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "checkout" / "mnistweb"
    monkeypatch.setattr(config, "PACKAGE", package)
    monkeypatch.setattr(config, "BUNDLED", package / "_site")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="checkout"):
        config.site_files()
    for folder, root in ((package.parent, package.parent), (package / "_site", tmp_path)):
        (folder / "templates").mkdir(parents=True)
        (folder / "migrations").mkdir()
        assert config.site_files() == folder
        assert config.project_root() == root


def test_secret_key_is_generated_once_and_private(tmp_path: Path) -> None:
    key = config.development_secret(tmp_path)
    assert len(key) >= 32
    assert config.development_secret(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secret_key"]


def test_concurrent_processes_share_the_generated_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = config.development_secret(tmp_path)
    monkeypatch.setattr(Path, "exists", lambda _: False)
    assert config.development_secret(tmp_path) == first


def test_site_keeps_its_generated_key(unmigrated_settings: dict[str, Any]) -> None:
    del unmigrated_settings["SECRET_KEY"]
    first = create_app(unmigrated_settings)
    second = create_app(unmigrated_settings)
    assert first.secret_key
    assert first.secret_key == second.secret_key


@pytest.mark.parametrize("text", ["", " " * 40 + "\n", "short"])
def test_empty_or_short_key_file_stops_the_start(
    unmigrated_settings: dict[str, Any], tmp_path: Path, text: str
) -> None:
    del unmigrated_settings["SECRET_KEY"]
    (tmp_path / "secret_key").write_text(text)
    with pytest.raises(ConfigError, match=r"^SECRET_KEY must be set, because .*secret_key has fewer than 32"):
        create_app(unmigrated_settings)
    assert (tmp_path / "secret_key").read_text() == text


def test_keys_can_be_rotated(unmigrated_settings: dict[str, Any]) -> None:
    former, newest = "f" * 32, "n" * 32
    with create_app(unmigrated_settings | {"SECRET_KEY": former}).test_request_context():
        cookie = visitors.signed("a visitor")
    app = create_app(
        unmigrated_settings | {"SECRET_KEY": newest, "SECRET_KEY_FALLBACKS": f"{former} {'o' * 32}"}
    )
    with app.test_request_context(headers={"Cookie": f"visitor={cookie}"}):
        assert visitors.known_visitor() == "a visitor"
        signed_anew = visitors.signed("a visitor")
    alone = create_app(unmigrated_settings | {"SECRET_KEY": newest})
    for value, expected in ((signed_anew, "a visitor"), (cookie, "")):
        with alone.test_request_context(headers={"Cookie": f"visitor={value}"}):
            assert visitors.known_visitor() == expected
