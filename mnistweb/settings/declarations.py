"""Declarations of all settings: key, default, accepted values and description, each in one place.

The parser in `config.py`, docs/configuration.md and .env.example are made from these.
"""

from dataclasses import dataclass
from pathlib import Path

from mnistweb.settings.kinds import (
    ANY,
    API_KEY,
    DATABASE,
    ENDPOINT,
    FLAG,
    FORMER_SECRETS,
    HOSTS,
    LIMIT_STORAGE,
    MODEL_NAME,
    NOT_EMPTY,
    ORIGINS,
    PASSWORD_HASH,
    POSITIVE,
    SECRET,
    SHARE,
    STORE,
    TOKEN,
    TWO_NUMBERS,
    Kind,
    integer,
    one_of,
)

PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Setting:
    """Declaration of one setting: its key in the environment, its default as written there, and its range.

    `empty` is the meaning of an empty default; `example` replaces an empty default in .env.example.
    """

    key: str
    default: str
    kind: Kind
    description: str
    empty: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Settings that are documented together, below one or two sentences."""

    title: str
    introduction: str
    settings: tuple[Setting, ...]


SERVER = Group(
    "Server",
    "Addresses and processes of the web server.",
    (
        Setting(
            "ENVIRONMENT",
            "development",
            one_of("development", "production"),
            "The kind of site; production, as in the container image, does not start without a `SECRET_KEY`.",
        ),
        Setting(
            "HOST",
            "127.0.0.1",
            NOT_EMPTY,
            "The address to listen on; with Docker, the address outside the container.",
        ),
        Setting("PORT", "8000", integer(1, 65535), "The port to listen on."),
        Setting(
            "WORKERS",
            "2",
            integer(1, 64),
            "The number of processes. If there are as many processors, each has one.",
        ),
        Setting(
            "THREADS", "4", integer(1, 64), "The number of requests that each process works on at a time."
        ),
        Setting(
            "WAITING",
            "64",
            integer(0, 1000),
            "The number of further requests per process that wait up to 2 seconds for a thread;"
            " all others get 503 and `Retry-After` at once.",
        ),
        Setting(
            "DOWNLOADS",
            "8",
            integer(1, 64),
            "The number of downloads of the history that each process sends at a time, half of them to one"
            " address; others get 503 and `Retry-After`.",
        ),
        Setting(
            "RECEIVE_TIMEOUT",
            "15",
            integer(1, 300),
            "Seconds in which a request must arrive whole, if it comes at less than 8 KiB a second; then its"
            " connection is closed.",
        ),
        Setting(
            "SEND_TIMEOUT",
            "15",
            integer(1, 300),
            "Seconds in which a client must read a response, if it reads less than 8 KiB a second.",
        ),
        Setting(
            "CONNECTIONS_PER_ADDRESS",
            "128",
            integer(8, 800),
            "The most connections of one address to each process; one more closes the one that has been"
            " idle longest. Without effect behind a proxy (`PROXY_HOPS`), which must set its own limits.",
        ),
    ),
)
STORAGE = Group(
    "Storage",
    "The database, and the folder for files that the site makes itself.",
    (
        Setting(
            "DATABASE_URL",
            "sqlite:///mnistweb.sqlite3",
            DATABASE,
            "The database; a relative SQLite path starts at `INSTANCE_PATH`; Docker Compose sets its own.",
        ),
        Setting(
            "INSTANCE_PATH", "instance", NOT_EMPTY, "The folder for the SQLite file and the generated key."
        ),
        Setting(
            "MODEL_STORE",
            "",
            STORE,
            "The folder or object store for the files of added versions of the models"
            ' (docs/operations/learning.md); it needs `pip install "mnistweb[store]"`, and every host must'
            " reach it.",
            empty="the database",
            example="s3://bucket/models",
        ),
        Setting(
            "RETENTION_DAYS",
            "0",
            integer(0, 36500),
            "The days after which `mnistweb prune` deletes drawings, and the history hides them; their counts"
            " in the insights stay. With 0 they stay, too.",
        ),
    ),
)
SECURITY = Group(
    "Security",
    "Secrets, proxies, host names and privacy. Make a secret with `openssl rand -hex 32`.",
    (
        Setting(
            "SECRET_KEY",
            "",
            SECRET,
            "The key that signs cookies and form tokens; production asks for 32 characters.",
            empty="in development a key is made once, in `INSTANCE_PATH`/secret_key",
        ),
        Setting(
            "SECRET_KEY_FALLBACKS",
            "",
            FORMER_SECRETS,
            "Former keys, the newest first, with spaces between them; their cookies are accepted, and signed"
            " anew. To change the key, move the old one here, and remove it a year later.",
            empty="no former keys",
        ),
        Setting(
            "PROXY_HOPS",
            "0",
            integer(0, 8),
            "The number of trusted proxies whose `X-Forwarded-For`, `-Proto`, `-Host` and `-Prefix` are"
            " believed; they must set or remove all four. Docker Compose sets 1, which is Caddy.",
        ),
        Setting(
            "TRUSTED_HOSTS",
            "",
            HOSTS,
            "The host names under which the site answers, others get 400; `.example.org` includes subdomains,"
            " `localhost`, probes and `/metrics` always work, and Docker Compose falls back to `DOMAIN`.",
            empty="any host",
            example="digits.example.org",
        ),
        Setting(
            "EMBED_ORIGINS",
            "",
            ORIGINS,
            "The origins of other sites that may show these pages in a frame, with spaces between them;"
            " `https://*.example.org` includes subdomains.",
            empty="no other site",
            example="https://lms.example.org",
        ),
        Setting(
            "PUBLIC_HISTORY",
            "everyone",
            one_of("everyone", "reviewed", "own", "off"),
            "The drawings in the history: everyone's but those hidden with `mnistweb hide`, those let through"
            " with `mnistweb approve`, the visitor's own, or no history at all; a visitor's own always appear"
            " under the slate.",
        ),
        Setting(
            "REVIEW_PASSWORD_HASH",
            "",
            PASSWORD_HASH,
            "The hash of the password with which operators review drawings at `/review`;"
            " `mnistweb review password` makes it. A new one ends all logins.",
            empty="no `/review`",
        ),
    ),
)
IMAGES = Group(
    "Images",
    "Limits for one drawing.",
    (
        Setting(
            "MAX_IMAGE_BYTES",
            str(8 * 1024**2),
            integer(1024, 64 * 1024**2),
            "The largest image file, in bytes.",
        ),
        Setting(
            "MAX_IMAGE_PIXELS",
            str(16 * 1024**2),
            integer(28 * 28, 100_000_000),
            "The most pixels, checked before decoding. A PNG or WebP may have two million at most,"
            " because it cannot be reduced during decoding. A progressive JPEG of ten scans may have"
            " five million.",
        ),
    ),
)
MODELS = Group(
    "Models",
    "The models that read drawings, in this process or on a model server (docs/operations/split.md).",
    (
        Setting("WEIGHTS_PATH", str(PACKAGE / "weights"), NOT_EMPTY, "The folder of the exported models."),
        Setting("DEFAULT_MODEL", "cnn", NOT_EMPTY, "The installed model for requests that name none."),
        Setting(
            "NOT_A_DIGIT_FROM",
            "",
            SHARE,
            'The probability of "not a digit" from which a drawing is refused; a higher one refuses less.',
            empty="that of the model's card",
            example="0.5",
        ),
        Setting(
            "SURE_FROM",
            "",
            SHARE,
            "The confidence from which a digit is sure; below it the answer is in doubt, and says so.",
            empty="that of the model's card",
            example="0.8",
        ),
        Setting(
            "MODEL_URL",
            "",
            ENDPOINT,
            "A model server with the same models that speaks the Open Inference Protocol.",
            empty="this process reads by itself",
            example="http://model:8001",
        ),
        # Its bound is below the 20 seconds after which the page's script gives up, as the language model's.
        Setting(
            "MODEL_TIMEOUT", "3", integer(1, 18), "Seconds to wait for the model server, retries included."
        ),
        Setting(
            "MODEL_FALLBACK",
            "none",
            one_of("none", "local"),
            "The substitute for a silent model server: none, which means 503, or the models in this process,"
            " which needs PyTorch.",
        ),
    ),
)
LIMITS = Group(
    "Rate limits",
    "Requests per minute, unless a day is named: of one visitor, and of one address (of IPv6, one /64)."
    " Others get 429.",
    (
        Setting("RATELIMIT_ENABLED", "true", FLAG, "Whether limits apply."),
        Setting(
            "RATELIMIT_STORAGE_URI",
            "memory://",
            LIMIT_STORAGE,
            "The counters: each process counts for itself in memory, a Redis counts for all;"
            ' without the image, Redis needs `pip install "mnistweb[scale]"`;'
            " nothing is limited while it is away.",
        ),
        Setting("RATELIMIT_PREDICT", "1200,6000", TWO_NUMBERS, "Predictions; a challenge counts as twelve."),
        Setting(
            "RATELIMIT_PREDICT_DAY",
            "2000,20000",
            TWO_NUMBERS,
            "Predictions a day, which bounds what one client stores.",
        ),
        Setting("RATELIMIT_GUESS", "1200,12000", TWO_NUMBERS, "Guesses while a visitor draws."),
        Setting("RATELIMIT_FEEDBACK", "600,3000", TWO_NUMBERS, "Corrections, and decisions of the review."),
        Setting("RATELIMIT_COMPARISON", "120,600", TWO_NUMBERS, "Comparisons of all models on one drawing."),
        Setting("RATELIMIT_INSIDE", "60,300", TWO_NUMBERS, "Looks inside a model, and films of drawings."),
        Setting(
            "RATELIMIT_READ",
            "600,3000",
            TWO_NUMBERS,
            "Pages but the slate, strokes, preview images, and the API's list.",
        ),
        Setting("RATELIMIT_DOWNLOAD", "30,120", TWO_NUMBERS, "Downloads of drawings."),
        Setting("RATELIMIT_DELETE", "600,3000", TWO_NUMBERS, "Deletions."),
        Setting("RATELIMIT_LOGIN", "10,10", TWO_NUMBERS, "Attempts to log in for the review."),
        Setting("RATELIMIT_LOGIN_DAY", "100,100", TWO_NUMBERS, "Attempts to log in a day."),
    ),
)
OBSERVABILITY = Group(
    "Observability",
    "Logs, metrics and traces (docs/operations/deploy.md). None of them contains visitors or drawings.",
    (
        Setting(
            "LOG_FORMAT",
            "",
            one_of("", "text", "json"),
            "The format of a log line: text for people, json for programs;"
            " each request but those for static files has one line with its `X-Request-ID`.",
            empty="json in production, else text",
            example="text",
        ),
        Setting(
            "METRICS_TOKEN",
            "",
            TOKEN,
            "The bearer token with which Prometheus reads `/metrics`.",
            empty="no `/metrics`",
        ),
        Setting(
            "DRIFT_DAYS",
            "7",
            integer(1, 366),
            "The latest whole days (UTC) whose drawings the insights and `/metrics` compare with the days"
            " before them.",
        ),
        Setting(
            "DRIFT_REFERENCE_DAYS", "28", integer(1, 3660), "The number of days before them, as a reference."
        ),
        Setting(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "",
            ENDPOINT,
            "An OpenTelemetry collector that receives a trace of each request by OTLP over HTTP;"
            ' it needs `pip install "mnistweb[otel]"`.',
            empty="no traces",
            example="http://localhost:4318",
        ),
    ),
)
LANGUAGE_MODEL = Group(
    "Language model",
    "One more model, `llm`: any endpoint that speaks OpenAI's chat completions and accepts images."
    ' It receives the drawings that visitors give it, and needs `pip install "mnistweb[llm]"`.',
    (
        Setting(
            "MNISTWEB_LLM_BASE_URL",
            "",
            ENDPOINT,
            "The endpoint of the language model.",
            empty="no language model",
            example="https://api.openai.com/v1",
        ),
        Setting(
            "MNISTWEB_LLM_API_KEY",
            "",
            API_KEY,
            "The key, if the endpoint asks for one.",
            empty="no key",
        ),
        Setting(
            "MNISTWEB_LLM_MODEL",
            "",
            MODEL_NAME,
            "The endpoint's name for the model.",
            empty="no language model",
            example="gpt-4o-mini",
        ),
        # Below the 20 seconds that the page's script waits, so that the visitor gets the error message.
        Setting("MNISTWEB_LLM_TIMEOUT", "15", integer(1, 18), "Seconds to wait for the endpoint."),
    ),
)
GROUPS = (SERVER, STORAGE, SECURITY, IMAGES, MODELS, LIMITS, OBSERVABILITY, LANGUAGE_MODEL)
SETTINGS = tuple(setting for group in GROUPS for setting in group.settings)

# Not read by the site.
COMPOSE_IMAGE = "that of docker-compose.yml"
COMPOSE = Group(
    "Docker Compose",
    "Only docker-compose.yml reads these, from `.env`.",
    (
        Setting(
            "POSTGRES_PASSWORD",
            "",
            ANY,
            "The password of its PostgreSQL, fixed when the database is created;"
            " make one with `openssl rand -hex 32`.",
            empty="Compose does not start",
        ),
        Setting(
            "DOMAIN",
            "",
            ANY,
            "The name for which Caddy answers on ports 80 and 443, too, and obtains a certificate.",
            empty="no TLS",
            example="digits.example.org",
        ),
        Setting(
            "TRUSTED_PROXIES",
            "",
            ANY,
            "The addresses or networks of further proxies in front of Caddy, with spaces between them, whose"
            " `X-Forwarded-` headers are believed; private_ranges for one on the same machine.",
            empty="Caddy believes nobody",
            example="private_ranges",
        ),
        Setting(
            "COMPOSE_PROFILES",
            "",
            ANY,
            "Further containers, with commas between them: backup for regular backups, offsite for backups"
            " and their copies elsewhere, split for the models in a container of their own; split needs"
            " `TARGET`, `IMAGE` and `MODEL_URL` as well.",
            empty="the site, its database and Caddy",
            example="backup",
        ),
        Setting("BACKUP_HOURS", "24", POSITIVE, "The hours between two backups."),
        Setting("BACKUP_KEEP", "14", POSITIVE, "The number of backups that stay; the oldest go."),
        Setting(
            "BACKUP_FOLDER",
            "./backups",
            ANY,
            "The folder of the backups; `docker compose down --volumes` leaves it alone.",
        ),
        Setting(
            "BACKUP_REMOTE",
            "",
            ANY,
            "The remote and folder of `rclone.conf` that offsite copies backups to.",
            empty="no copies",
            example="s3:my-bucket/mnistweb",
        ),
        Setting("WEB_MEMORY", "2g", ANY, "The most memory of the site; more than eight `WORKERS` need more."),
        Setting("POSTGRES_MEMORY", "1g", ANY, "The most memory of PostgreSQL."),
        Setting("MODEL_MEMORY", "4g", ANY, "The most memory of the model server."),
        Setting("CADDY_MEMORY", "512m", ANY, "The most memory of Caddy."),
        Setting("TARGET", "whole", ANY, "The stage of the Dockerfile; site is the site without PyTorch."),
        Setting("IMAGE", "mnistweb", ANY, "The image to run; for split, mnistweb-site."),
        Setting("MODEL_IMAGE", "mnistweb-model", ANY, "The image of the model server, for split."),
        Setting(
            "PYTHON_IMAGE",
            "",
            ANY,
            "Another image of Python to build on.",
            empty="that of the Dockerfile",
            example="registry.example.org/python:3.11-slim",
        ),
        Setting("POSTGRES_IMAGE", "", ANY, "Another image of PostgreSQL 17.", empty=COMPOSE_IMAGE),
        Setting("CADDY_IMAGE", "", ANY, "Another image of Caddy, 2.11.6 or newer.", empty=COMPOSE_IMAGE),
        Setting("RCLONE_IMAGE", "", ANY, "Another image of rclone.", empty=COMPOSE_IMAGE),
        Setting(
            "ALLOW_CUDA",
            "0",
            one_of("0", "1"),
            "1 lets an image take PyPI's torch with CUDA, 6 GB, where PyTorch's own index cannot be reached.",
        ),
    ),
)
