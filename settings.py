"""What the operator decides: read once from the environment (or `.env`), frozen, secrets wrapped."""

import json
import math
import os
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

from starlette.config import Config
from starlette.datastructures import Secret

ROOT = Path(__file__).resolve().parent
LOCAL_ISSUER = "scriptorium-local"
LOCAL_AUDIENCE = "scriptorium"
MINIMUM_SECRET_BYTES = 32
HIGHEST_LIMIT = 1_000_000_000
HIGHEST_AMOUNT = 999_999
LONGEST_DAYS = 36_500


class SettingsError(Exception):
    """A setting is missing or cannot be what it is; the message says which, and what to set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One attribute per setting of the README's table.

    `database_url` None means the embedded Postgres, `embedding_model` None that nothing is embedded, `trusted_documents` None that there are none, `log_retention_days` 0 that logs of finished jobs are never compacted,
    `prompt_memory_mb` 0 that nothing is kept between prompts, `cost_per_minute` 0 that nobody's operations are counted against a limit.
    """

    production: bool
    host: str
    port: int
    data_dir: Path
    database_url: Secret | None
    log_retention_days: int
    prompt_memory_mb: int
    openai_api_key: Secret | None
    openai_base_url: str | None
    model: str | None
    assessor_model: str | None
    embedding_model: str | None
    embedding_base_url: str | None
    model_first_token_seconds: float
    model_silence_seconds: float
    model_requests_per_minute: int | None
    model_tokens_per_minute: int | None
    rehearsal: bool
    rehearsal_words_per_second: float | None
    jwt_issuer: str
    jwt_audience: str
    jwt_jwks_url: str | None
    jwt_secret: Secret | None
    allowed_origins: tuple[str, ...]
    cost_per_minute: int
    trusted_documents: Mapping[str, str] | None
    trusted_documents_only: bool
    graphiql: bool
    workers_in_process: int
    jobs_per_user: int
    jobs_per_project: int
    monthly_limit: Decimal | None
    drain_seconds: float
    lease_seconds: float

    @property
    def default_model(self) -> str:
        return "rehearsal" if self.rehearsal else self.model or "gpt-4.1-mini"


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """`.env` is read beneath `environment`; an empty value counts as none.

    Raises SettingsError for a value that cannot be used, and in production for a default that must not be.
    """
    get = _reader(environment)
    environment_name = get("SCRIPTORIUM_ENV", "development")
    if environment_name not in {"development", "production"}:
        raise SettingsError("SCRIPTORIUM_ENV must be development or production.")
    production = environment_name == "production"
    data_dir = Path(get("SCRIPTORIUM_DATA_DIR", str(ROOT / ".data"))).expanduser().absolute()
    api_key = _secret(get("OPENAI_API_KEY"))
    base_url = get("OPENAI_BASE_URL") or None
    model = get("SCRIPTORIUM_MODEL") or None
    jwks_url = get("SCRIPTORIUM_JWT_JWKS_URL") or None
    documents = _documents(get("SCRIPTORIUM_TRUSTED_DOCUMENTS"))
    given_secret = _secret(get("SCRIPTORIUM_JWT_SECRET"))
    settings = Settings(
        production=production,
        host=get("HOST", "127.0.0.1"),
        port=_port(get("PORT", "8000")),
        data_dir=data_dir,
        database_url=_secret(get("DATABASE_URL")),
        log_retention_days=_days(get("SCRIPTORIUM_LOG_RETENTION_DAYS", "7"), "SCRIPTORIUM_LOG_RETENTION_DAYS"),
        prompt_memory_mb=_count(get("SCRIPTORIUM_PROMPT_MEMORY_MB", "256"), "SCRIPTORIUM_PROMPT_MEMORY_MB"),
        openai_api_key=api_key,
        openai_base_url=base_url,
        model=model,
        assessor_model=get("SCRIPTORIUM_ASSESSOR_MODEL") or None,
        embedding_model=get("SCRIPTORIUM_EMBEDDING_MODEL") or None,
        embedding_base_url=get("SCRIPTORIUM_EMBEDDING_BASE_URL") or base_url,
        model_first_token_seconds=_seconds(get("SCRIPTORIUM_MODEL_FIRST_TOKEN_SECONDS", "120"), "SCRIPTORIUM_MODEL_FIRST_TOKEN_SECONDS"),
        model_silence_seconds=_seconds(get("SCRIPTORIUM_MODEL_SILENCE_SECONDS", "45"), "SCRIPTORIUM_MODEL_SILENCE_SECONDS"),
        model_requests_per_minute=_limit(get("SCRIPTORIUM_MODEL_REQUESTS_PER_MINUTE"), "SCRIPTORIUM_MODEL_REQUESTS_PER_MINUTE"),
        model_tokens_per_minute=_limit(get("SCRIPTORIUM_MODEL_TOKENS_PER_MINUTE"), "SCRIPTORIUM_MODEL_TOKENS_PER_MINUTE"),
        rehearsal=model == "rehearsal" or (api_key is None and base_url is None),
        rehearsal_words_per_second=_pace(get("SCRIPTORIUM_REHEARSAL_WORDS_PER_SECOND", "40")),
        jwt_issuer=get("SCRIPTORIUM_JWT_ISSUER", LOCAL_ISSUER),
        jwt_audience=get("SCRIPTORIUM_JWT_AUDIENCE", LOCAL_AUDIENCE),
        jwt_jwks_url=jwks_url,
        jwt_secret=None if jwks_url else _jwt_secret(given_secret, data_dir, production),
        allowed_origins=tuple(origin.strip() for origin in get("SCRIPTORIUM_ALLOWED_ORIGINS").split(",") if origin.strip()),
        cost_per_minute=_points(get("SCRIPTORIUM_COST_PER_MINUTE", "1000000"), "SCRIPTORIUM_COST_PER_MINUTE"),
        trusted_documents=documents,
        trusted_documents_only=_documents_only(get("SCRIPTORIUM_TRUSTED_DOCUMENTS_ONLY", "false"), documents),
        graphiql=not production,
        workers_in_process=_count(get("SCRIPTORIUM_WORKERS_IN_PROCESS", "16"), "SCRIPTORIUM_WORKERS_IN_PROCESS"),
        jobs_per_user=_count(get("SCRIPTORIUM_JOBS_PER_USER", "4"), "SCRIPTORIUM_JOBS_PER_USER", least=1),
        jobs_per_project=_count(get("SCRIPTORIUM_JOBS_PER_PROJECT", "8"), "SCRIPTORIUM_JOBS_PER_PROJECT", least=1),
        monthly_limit=_amount(get("SCRIPTORIUM_MONTHLY_LIMIT"), "SCRIPTORIUM_MONTHLY_LIMIT"),
        drain_seconds=_seconds(get("SCRIPTORIUM_DRAIN_SECONDS", "15" if production else "3"), "SCRIPTORIUM_DRAIN_SECONDS"),
        lease_seconds=_seconds(get("SCRIPTORIUM_LEASE_SECONDS", "30"), "SCRIPTORIUM_LEASE_SECONDS"),
    )
    _check(settings)
    return settings


def _reader(environment: Mapping[str, str]) -> Callable[..., str]:
    path = ROOT / ".env"
    try:
        config = Config(path if path.exists() else None, environ=environment)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: it must be a text file in UTF-8 that you may open.") from error

    def get(name: str, default: str = "") -> str:
        # Compose files and shells say "not set" by an empty value; as an address, it would even mean every network.
        return config(name, default="") or default

    return get


def _check(settings: Settings) -> None:
    for name, url in (
        ("OPENAI_BASE_URL", settings.openai_base_url),
        ("SCRIPTORIUM_EMBEDDING_BASE_URL", settings.embedding_base_url),
        ("SCRIPTORIUM_JWT_JWKS_URL", settings.jwt_jwks_url),
    ):
        if url is not None:
            _check_url(name, url)
    if settings.jwt_jwks_url and settings.jwt_issuer == LOCAL_ISSUER:
        raise SettingsError("SCRIPTORIUM_JWT_JWKS_URL needs SCRIPTORIUM_JWT_ISSUER and SCRIPTORIUM_JWT_AUDIENCE beside it.")
    if settings.jwt_secret and (settings.jwt_issuer, settings.jwt_audience) != (LOCAL_ISSUER, LOCAL_AUDIENCE):
        raise SettingsError(
            "SCRIPTORIUM_JWT_ISSUER and SCRIPTORIUM_JWT_AUDIENCE belong to SCRIPTORIUM_JWT_JWKS_URL: "
            f"tokens signed with a secret have the issuer {LOCAL_ISSUER} and the audience {LOCAL_AUDIENCE}."
        )
    if settings.production and settings.rehearsal and settings.model != "rehearsal":
        raise SettingsError("In production set OPENAI_API_KEY or OPENAI_BASE_URL, or choose SCRIPTORIUM_MODEL=rehearsal knowingly.")
    if settings.openai_base_url and settings.model is None:
        raise SettingsError("OPENAI_BASE_URL needs SCRIPTORIUM_MODEL: the name of a model that this server offers.")
    if settings.embedding_model and settings.openai_api_key is None and settings.embedding_base_url is None:
        raise SettingsError("SCRIPTORIUM_EMBEDDING_MODEL needs OPENAI_API_KEY, OPENAI_BASE_URL or SCRIPTORIUM_EMBEDDING_BASE_URL.")


def _check_url(name: str, url: str) -> None:
    """The messages do not repeat the address, which may hold what is secret."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise SettingsError(f"{name} is not an address: check its host and its port.") from None
    if not usable:
        raise SettingsError(f"{name} must begin with http:// or https://, followed by a host.")
    if parts.username or parts.password:
        raise SettingsError(f"{name} must not hold a name or a password: it is shown. A model's key goes into OPENAI_API_KEY.")


def _jwt_secret(given: Secret | None, data_dir: Path, production: bool) -> Secret:
    """The shared secret of local tokens: as set, or (in development) generated once and kept beside the data."""
    if given is not None:
        if len(str(given).encode()) < MINIMUM_SECRET_BYTES:
            raise SettingsError(f"SCRIPTORIUM_JWT_SECRET must have at least {MINIMUM_SECRET_BYTES} bytes: try `openssl rand -hex 32`.")
        return given
    if production:
        raise SettingsError("In production set SCRIPTORIUM_JWT_SECRET, or SCRIPTORIUM_JWT_JWKS_URL with its issuer and audience.")
    path = data_dir / "jwt-secret"
    try:
        kept = _kept_secret(path)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be written or read ({error}): choose another SCRIPTORIUM_DATA_DIR.") from error
    if len(kept) < MINIMUM_SECRET_BYTES:
        raise SettingsError(f"{path} does not hold a secret any more: delete it, and the next start makes a new one.")
    return Secret(kept)


def _kept_secret(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        fresh.touch(mode=0o600)
        try:
            fresh.write_text(secrets.token_hex(MINIMUM_SECRET_BYTES), encoding="ascii")
            # Linked into place, so that of two processes starting at once both read the same one.
            path.hardlink_to(fresh)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text(encoding="ascii").strip()


def _documents(value: str) -> Mapping[str, str] | None:
    """The file's documents by their ids, as Relay and graphql-codegen write them."""
    if not value:
        return None
    path = Path(value).expanduser().absolute()
    try:
        documents = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"SCRIPTORIUM_TRUSTED_DOCUMENTS: {path} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"SCRIPTORIUM_TRUSTED_DOCUMENTS: {path} is not JSON in UTF-8.") from error
    if not isinstance(documents, dict) or not all(name and isinstance(text, str) and text.strip() for name, text in documents.items()):
        raise SettingsError(f"SCRIPTORIUM_TRUSTED_DOCUMENTS: {path} must be a JSON object with a GraphQL document as text for each id.")
    return MappingProxyType(documents)


def _documents_only(value: str, documents: Mapping[str, str] | None) -> bool:
    if value.lower() not in {"true", "false"}:
        raise SettingsError("SCRIPTORIUM_TRUSTED_DOCUMENTS_ONLY must be true or false.")
    only = value.lower() == "true"
    if only and documents is None:
        raise SettingsError("SCRIPTORIUM_TRUSTED_DOCUMENTS_ONLY needs SCRIPTORIUM_TRUSTED_DOCUMENTS: the documents to be trusted.")
    return only


def _secret(value: str) -> Secret | None:
    return Secret(value) if value else None


def _port(value: str) -> int:
    if not value.isdecimal() or not 0 <= int(value) <= 65535:
        raise SettingsError("PORT must be a number from 0 to 65535.")
    return int(value)


def _count(value: str, name: str, *, least: int = 0) -> int:
    if not value.isdecimal() or int(value) < least:
        raise SettingsError(f"{name} must be a whole number, {least} or more.")
    return int(value)


def _limit(value: str, name: str) -> int | None:
    if not value:
        return None
    if not value.isdecimal() or not 0 < int(value) <= HIGHEST_LIMIT:
        raise SettingsError(f"{name} must be a whole number above 0, or be left out for no limit.")
    return int(value)


def _points(value: str, name: str) -> int:
    if not value.isdecimal() or int(value) > HIGHEST_LIMIT:
        raise SettingsError(f"{name} must be a whole number of points from 0 to {HIGHEST_LIMIT:,}; 0 means no limit.")
    return int(value)


def _amount(value: str, name: str) -> Decimal | None:
    """USD; None for no limit."""
    try:
        amount = Decimal(value) if value else None
    except InvalidOperation:
        amount = Decimal(-1)
    if amount is not None and not (amount.is_finite() and 0 <= amount <= HIGHEST_AMOUNT):
        raise SettingsError(f"{name} must be an amount of USD from 0 to {HIGHEST_AMOUNT:,}, such as 25.00.")
    return amount


def _days(value: str, name: str) -> int:
    if not value.isdecimal() or int(value) > LONGEST_DAYS:
        raise SettingsError(f"{name} must be a whole number of days from 0 to {LONGEST_DAYS}; 0 means for ever.")
    return int(value)


def _seconds(value: str, name: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= 3600:
        raise SettingsError(f"{name} must be a number of seconds above 0, up to 3600.")
    return seconds


def _pace(value: str) -> float | None:
    """Words per second; 0 means as fast as possible."""
    try:
        pace = float(value)
    except ValueError:
        pace = -1.0
    if not 0 <= pace < math.inf:
        raise SettingsError("SCRIPTORIUM_REHEARSAL_WORDS_PER_SECOND must be a number, 0 or more; 0 means no waiting.")
    return pace or None
