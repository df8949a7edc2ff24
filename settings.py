"""What the operator decides: read once from the environment (or `.env`), frozen, secrets wrapped."""

import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from starlette.config import Config
from starlette.datastructures import CommaSeparatedStrings, Secret

ROOT = Path(__file__).resolve().parent
LOCAL_ISSUER = "scriptorium-local"
LOCAL_AUDIENCE = "scriptorium"
MINIMUM_SECRET_BYTES = 32


class SettingsError(Exception):
    """A setting is missing or cannot be what it is; the message says which, and what to set."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One attribute per setting of the README's table. `database_url` None means the embedded Postgres."""

    production: bool
    host: str
    port: int
    data_dir: Path
    database_url: Secret | None
    openai_api_key: Secret | None
    openai_base_url: str | None
    model: str | None
    assessor_model: str | None
    rehearsal: bool
    rehearsal_words_per_second: float | None
    jwt_issuer: str
    jwt_audience: str
    jwt_jwks_url: str | None
    jwt_secret: Secret | None
    allowed_origins: tuple[str, ...]
    graphiql: bool
    workers_in_process: int
    drain_seconds: float
    lease_seconds: float

    @property
    def default_model(self) -> str:
        return "rehearsal" if self.rehearsal else self.model or "gpt-4.1-mini"


def read_settings(environment: Config | None = None) -> Settings:
    """Raises SettingsError for a value that cannot be used, and in production for a default that must not be."""
    get = environment or Config(ROOT / ".env" if (ROOT / ".env").exists() else None)
    environment_name = get("SCRIPTORIUM_ENV", default="development")
    if environment_name not in {"development", "production"}:
        raise SettingsError("SCRIPTORIUM_ENV must be development or production.")
    production = environment_name == "production"
    data_dir = Path(get("SCRIPTORIUM_DATA_DIR", default=str(ROOT / ".data"))).expanduser().absolute()
    api_key = get("OPENAI_API_KEY", cast=Secret, default=None) or None
    base_url = get("OPENAI_BASE_URL", default=None) or None
    model = get("SCRIPTORIUM_MODEL", default=None) or None
    jwks_url = get("SCRIPTORIUM_JWT_JWKS_URL", default=None) or None
    settings = Settings(
        production=production,
        host=get("HOST", default="127.0.0.1"),
        port=_port(get("PORT", default="8000")),
        data_dir=data_dir,
        database_url=get("DATABASE_URL", cast=Secret, default=None) or None,
        openai_api_key=api_key,
        openai_base_url=base_url,
        model=model,
        assessor_model=get("SCRIPTORIUM_ASSESSOR_MODEL", default=None) or None,
        rehearsal=model == "rehearsal" or (api_key is None and base_url is None),
        rehearsal_words_per_second=_pace(get("SCRIPTORIUM_REHEARSAL_WORDS_PER_SECOND", default="40")),
        jwt_issuer=get("SCRIPTORIUM_JWT_ISSUER", default=LOCAL_ISSUER),
        jwt_audience=get("SCRIPTORIUM_JWT_AUDIENCE", default=LOCAL_AUDIENCE),
        jwt_jwks_url=jwks_url,
        jwt_secret=None
        if jwks_url
        else _jwt_secret(get("SCRIPTORIUM_JWT_SECRET", cast=Secret, default=None) or None, data_dir, production),
        allowed_origins=tuple(get("SCRIPTORIUM_ALLOWED_ORIGINS", cast=CommaSeparatedStrings, default="")),
        graphiql=not production,
        workers_in_process=_count(get("SCRIPTORIUM_WORKERS_IN_PROCESS", default="16"), "SCRIPTORIUM_WORKERS_IN_PROCESS"),
        drain_seconds=_seconds(get("SCRIPTORIUM_DRAIN_SECONDS", default="20" if production else "3"), "SCRIPTORIUM_DRAIN_SECONDS"),
        lease_seconds=_seconds(get("SCRIPTORIUM_LEASE_SECONDS", default="30"), "SCRIPTORIUM_LEASE_SECONDS"),
    )
    _check(settings)
    return settings


def _check(settings: Settings) -> None:
    if settings.openai_base_url and urlsplit(settings.openai_base_url).scheme not in {"http", "https"}:
        raise SettingsError("OPENAI_BASE_URL must begin with http:// or https://.")
    if settings.jwt_jwks_url and settings.jwt_issuer == LOCAL_ISSUER:
        raise SettingsError("SCRIPTORIUM_JWT_JWKS_URL needs SCRIPTORIUM_JWT_ISSUER and SCRIPTORIUM_JWT_AUDIENCE beside it.")
    if settings.production and settings.rehearsal and settings.model != "rehearsal":
        raise SettingsError("In production set OPENAI_API_KEY or OPENAI_BASE_URL, or choose SCRIPTORIUM_MODEL=rehearsal knowingly.")
    if settings.openai_base_url and settings.model is None:
        raise SettingsError("OPENAI_BASE_URL needs SCRIPTORIUM_MODEL: the name of a model that this server offers.")


def _jwt_secret(given: Secret | None, data_dir: Path, production: bool) -> Secret:
    """The shared secret of local tokens: as set, or (in development) generated once and kept beside the data."""
    if given is not None:
        if len(str(given).encode()) < MINIMUM_SECRET_BYTES:
            raise SettingsError(f"SCRIPTORIUM_JWT_SECRET must have at least {MINIMUM_SECRET_BYTES} bytes: try `openssl rand -hex 32`.")
        return given
    if production:
        raise SettingsError("In production set SCRIPTORIUM_JWT_SECRET, or SCRIPTORIUM_JWT_JWKS_URL with its issuer and audience.")
    path = data_dir / "jwt-secret"
    data_dir.mkdir(parents=True, exist_ok=True)
    fresh = data_dir / f"jwt-secret.{secrets.token_hex(4)}"
    if not path.exists():
        # Linked into place, so that of two processes starting at once both read the same one.
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_hex(MINIMUM_SECRET_BYTES), encoding="ascii")
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return Secret(path.read_text(encoding="ascii").strip())


def _port(value: str) -> int:
    if not value.isdecimal() or not 0 <= int(value) <= 65535:
        raise SettingsError("PORT must be a number from 0 to 65535.")
    return int(value)


def _count(value: str, name: str) -> int:
    if not value.isdecimal():
        raise SettingsError(f"{name} must be a whole number, 0 or more.")
    return int(value)


def _seconds(value: str, name: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    if not 0 < seconds <= 3600:
        raise SettingsError(f"{name} must be a number of seconds up to 3600.")
    return seconds


def _pace(value: str) -> float | None:
    """Words per second; 0 means as fast as possible."""
    try:
        pace = float(value)
    except ValueError:
        raise SettingsError("SCRIPTORIUM_REHEARSAL_WORDS_PER_SECOND must be a number; 0 means no waiting.") from None
    return pace or None
