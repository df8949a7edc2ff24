"""What the operator may decide, what is refused, and what production does not let pass."""

import stat
from pathlib import Path
from typing import Any

import pytest

from settings import Settings, SettingsError, read_settings

SECRET = "a secret that is longer than 32 bytes"
PRODUCTION = {"SCRIPTORIUM_ENV": "production", "SCRIPTORIUM_JWT_SECRET": SECRET, "OPENAI_API_KEY": "sk-production"}
IDENTITY_PROVIDER = {
    "SCRIPTORIUM_JWT_JWKS_URL": "https://id.example/keys",
    "SCRIPTORIUM_JWT_ISSUER": "https://id.example/",
    "SCRIPTORIUM_JWT_AUDIENCE": "books",
}


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def read(**environment: str) -> Settings:
        return read_settings({"SCRIPTORIUM_DATA_DIR": str(tmp_path / "data"), **environment})

    return read


def test_without_any_setting_a_newcomer_gets_a_rehearsal_on_this_machine_only(read: Any):
    settings = read()
    assert (settings.host, settings.port, settings.database_url) == ("127.0.0.1", 8000, None)
    assert settings.log_retention_days == 7
    assert (settings.production, settings.rehearsal, settings.default_model, settings.graphiql) == (False, True, "rehearsal", True)


def test_an_empty_value_counts_as_none(read: Any):
    names = ["HOST", "PORT", "DATABASE_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL", "SCRIPTORIUM_ENV", "SCRIPTORIUM_MODEL"]
    names += ["SCRIPTORIUM_JWT_SECRET", "SCRIPTORIUM_JWT_ISSUER", "SCRIPTORIUM_LEASE_SECONDS", "SCRIPTORIUM_ALLOWED_ORIGINS"]
    assert repr(read(**dict.fromkeys(names, ""))) == repr(read())


def test_a_secret_is_generated_once_and_only_its_owner_may_read_it(read: Any, tmp_path: Path):
    first, second = read(), read()
    assert str(first.jwt_secret) == str(second.jwt_secret)
    assert len(str(first.jwt_secret)) == 64
    kept = tmp_path / "data" / "jwt-secret"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert list(kept.parent.iterdir()) == [kept]


def test_no_secret_is_shown_with_the_settings(read: Any):
    shown = repr(read(DATABASE_URL="postgresql://ada:hunter2@db/books", **PRODUCTION))
    assert not any(secret in shown for secret in ("hunter2", "sk-production", SECRET))


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"SCRIPTORIUM_ENV": "prod"}, "SCRIPTORIUM_ENV"),
        ({"PORT": "65536"}, "PORT"),
        ({"PORT": "-1"}, "PORT"),
        ({"PORT": "http"}, "PORT"),
        ({"SCRIPTORIUM_WORKERS_IN_PROCESS": "-1"}, "SCRIPTORIUM_WORKERS_IN_PROCESS"),
        ({"SCRIPTORIUM_LEASE_SECONDS": "0"}, "SCRIPTORIUM_LEASE_SECONDS"),
        ({"SCRIPTORIUM_LEASE_SECONDS": "nan"}, "SCRIPTORIUM_LEASE_SECONDS"),
        *(({"SCRIPTORIUM_MONTHLY_LIMIT": amount}, "SCRIPTORIUM_MONTHLY_LIMIT") for amount in ("nan", "-1", "much", "Infinity")),
        ({"SCRIPTORIUM_JOBS_PER_USER": "0"}, "SCRIPTORIUM_JOBS_PER_USER"),
        ({"SCRIPTORIUM_DRAIN_SECONDS": "soon"}, "SCRIPTORIUM_DRAIN_SECONDS"),
        ({"SCRIPTORIUM_LOG_RETENTION_DAYS": "-1"}, "SCRIPTORIUM_LOG_RETENTION_DAYS"),
        ({"SCRIPTORIUM_LOG_RETENTION_DAYS": "0.5"}, "SCRIPTORIUM_LOG_RETENTION_DAYS"),
        ({"SCRIPTORIUM_LOG_RETENTION_DAYS": "36501"}, "SCRIPTORIUM_LOG_RETENTION_DAYS"),
        ({"SCRIPTORIUM_COST_PER_MINUTE": "-1"}, "SCRIPTORIUM_COST_PER_MINUTE"),
        ({"SCRIPTORIUM_COST_PER_MINUTE": "1000000001"}, "SCRIPTORIUM_COST_PER_MINUTE"),
        ({"SCRIPTORIUM_PROMPT_MEMORY_MB": "-1"}, "SCRIPTORIUM_PROMPT_MEMORY_MB"),
        ({"SCRIPTORIUM_PROMPT_MEMORY_MB": "1.5"}, "SCRIPTORIUM_PROMPT_MEMORY_MB"),
        ({"SCRIPTORIUM_MODEL_FIRST_TOKEN_SECONDS": "0"}, "SCRIPTORIUM_MODEL_FIRST_TOKEN_SECONDS"),
        ({"SCRIPTORIUM_MODEL_SILENCE_SECONDS": "3601"}, "SCRIPTORIUM_MODEL_SILENCE_SECONDS"),
        ({"SCRIPTORIUM_MODEL_REQUESTS_PER_MINUTE": "0"}, "SCRIPTORIUM_MODEL_REQUESTS_PER_MINUTE"),
        ({"SCRIPTORIUM_MODEL_REQUESTS_PER_MINUTE": "2.5"}, "SCRIPTORIUM_MODEL_REQUESTS_PER_MINUTE"),
        ({"SCRIPTORIUM_MODEL_TOKENS_PER_MINUTE": "-1"}, "SCRIPTORIUM_MODEL_TOKENS_PER_MINUTE"),
        ({"SCRIPTORIUM_MODEL_TOKENS_PER_MINUTE": "1" + 9 * "0" + "1"}, "SCRIPTORIUM_MODEL_TOKENS_PER_MINUTE"),
        ({"SCRIPTORIUM_REHEARSAL_WORDS_PER_SECOND": "-1"}, "SCRIPTORIUM_REHEARSAL_WORDS_PER_SECOND"),
        ({"SCRIPTORIUM_REHEARSAL_WORDS_PER_SECOND": "inf"}, "SCRIPTORIUM_REHEARSAL_WORDS_PER_SECOND"),
        ({"SCRIPTORIUM_TRUSTED_DOCUMENTS": "/nonexistent/documents.json"}, "SCRIPTORIUM_TRUSTED_DOCUMENTS: .* cannot be read"),
        ({"SCRIPTORIUM_TRUSTED_DOCUMENTS_ONLY": "true"}, "SCRIPTORIUM_TRUSTED_DOCUMENTS_ONLY needs"),
        ({"SCRIPTORIUM_TRUSTED_DOCUMENTS_ONLY": "perhaps"}, "SCRIPTORIUM_TRUSTED_DOCUMENTS_ONLY must be true or false"),
        ({"SCRIPTORIUM_JWT_SECRET": "short"}, "SCRIPTORIUM_JWT_SECRET"),
        ({"OPENAI_BASE_URL": "localhost:11434/v1", "SCRIPTORIUM_MODEL": "llama3.2"}, "OPENAI_BASE_URL"),
        ({"OPENAI_BASE_URL": "http:///v1", "SCRIPTORIUM_MODEL": "llama3.2"}, "OPENAI_BASE_URL"),
        ({"OPENAI_BASE_URL": "http://[::1/v1", "SCRIPTORIUM_MODEL": "llama3.2"}, "OPENAI_BASE_URL"),
        ({"OPENAI_BASE_URL": "http://host:99999/v1", "SCRIPTORIUM_MODEL": "llama3.2"}, "OPENAI_BASE_URL"),
        ({"OPENAI_BASE_URL": "http://host/v1"}, "SCRIPTORIUM_MODEL"),
        ({"SCRIPTORIUM_JWT_JWKS_URL": "https://id.example/keys"}, "SCRIPTORIUM_JWT_ISSUER"),
        ({**IDENTITY_PROVIDER, "SCRIPTORIUM_JWT_JWKS_URL": "id.example/keys"}, "SCRIPTORIUM_JWT_JWKS_URL"),
        ({"SCRIPTORIUM_JWT_SECRET": SECRET, "SCRIPTORIUM_JWT_ISSUER": "https://id.example/"}, "SCRIPTORIUM_JWT_JWKS_URL"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(read: Any, environment: dict[str, str], named: str):
    with pytest.raises(SettingsError, match=named):
        read(**environment)


def test_a_model_may_be_called_as_often_as_it_lets_itself_be_unless_a_limit_is_set(read: Any):
    assert (read().model_requests_per_minute, read().model_tokens_per_minute) == (None, None)
    limited = read(SCRIPTORIUM_MODEL_REQUESTS_PER_MINUTE="60", SCRIPTORIUM_MODEL_TOKENS_PER_MINUTE="90000")
    assert (limited.model_requests_per_minute, limited.model_tokens_per_minute) == (60, 90_000)


def test_prompts_may_remember_as_much_as_they_are_given(read: Any):
    assert read().prompt_memory_mb == 256
    assert read(SCRIPTORIUM_PROMPT_MEMORY_MB="0").prompt_memory_mb == 0


def test_what_a_user_may_ask_for_in_a_minute_can_be_chosen_and_unlimited(read: Any):
    assert read().cost_per_minute == 1_000_000
    assert read(SCRIPTORIUM_COST_PER_MINUTE="0").cost_per_minute == 0


def test_documents_can_be_trusted_beforehand_and_exclusively(read: Any, tmp_path: Path):
    assert (read().trusted_documents, read().trusted_documents_only) == (None, False)
    manifest = tmp_path / "documents.json"
    manifest.write_text('{"1a2b": "{ viewer { user { name } } }"}', encoding="utf-8")
    trusting = read(SCRIPTORIUM_TRUSTED_DOCUMENTS=str(manifest), SCRIPTORIUM_TRUSTED_DOCUMENTS_ONLY="True")
    assert trusting.trusted_documents == {"1a2b": "{ viewer { user { name } } }"}
    assert trusting.trusted_documents_only


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'"x"', b"5", b'{"a": 5}', b'{"a": " "}', b'{"": "{ a }"}', b'{"a": "\xff"}', b"[" * 10**5]
)
def test_a_file_that_holds_no_documents_is_refused_by_name(read: Any, tmp_path: Path, content: bytes):
    manifest = tmp_path / "documents.json"
    manifest.write_bytes(content)
    with pytest.raises(SettingsError, match=f"SCRIPTORIUM_TRUSTED_DOCUMENTS: {manifest} "):
        read(SCRIPTORIUM_TRUSTED_DOCUMENTS=str(manifest))


def test_a_slow_model_can_be_given_more_time(read: Any):
    assert (read().model_first_token_seconds, read().model_silence_seconds) == (120, 45)
    patient = read(SCRIPTORIUM_MODEL_FIRST_TOKEN_SECONDS="900", SCRIPTORIUM_MODEL_SILENCE_SECONDS="300")
    assert (patient.model_first_token_seconds, patient.model_silence_seconds) == (900, 300)


def test_an_address_with_a_password_is_refused_without_repeating_it(read: Any):
    with pytest.raises(SettingsError) as refusal:
        read(OPENAI_BASE_URL="https://ada:hunter2@models.example/v1", SCRIPTORIUM_MODEL="llama3.2")
    assert "hunter2" not in str(refusal.value)


def test_production_with_everything_it_needs_hides_graphiql_and_takes_its_time_to_stop(read: Any):
    settings = read(**PRODUCTION)
    assert (settings.graphiql, settings.drain_seconds, settings.default_model) == (False, 15, "gpt-4.1-mini")


@pytest.mark.parametrize("missing", ["SCRIPTORIUM_JWT_SECRET", "OPENAI_API_KEY"])
def test_production_refuses_what_development_makes_up(read: Any, missing: str):
    with pytest.raises(SettingsError, match=f"In production set {missing}"):
        read(**{name: value for name, value in PRODUCTION.items() if name != missing})


def test_production_rehearses_only_when_told_to(read: Any):
    assert read(**{**PRODUCTION, "OPENAI_API_KEY": "", "SCRIPTORIUM_MODEL": "rehearsal"}).rehearsal


def test_published_keys_take_the_place_of_a_secret(read: Any, tmp_path: Path):
    settings = read(**IDENTITY_PROVIDER)
    assert (settings.jwt_secret, settings.jwt_audience) == (None, "books")
    assert not (tmp_path / "data").exists()


def test_a_data_folder_that_cannot_be_used_is_named(read: Any, tmp_path: Path):
    (tmp_path / "data").write_text("a file")
    with pytest.raises(SettingsError, match="SCRIPTORIUM_DATA_DIR"):
        read()


def test_a_damaged_secret_is_not_used(read: Any, tmp_path: Path):
    read()
    (tmp_path / "data" / "jwt-secret").write_text("")
    with pytest.raises(SettingsError, match="delete it"):
        read()


def test_origins_are_separated_by_commas(read: Any):
    assert read(SCRIPTORIUM_ALLOWED_ORIGINS="https://a.example, http://localhost:5173,").allowed_origins == (
        "https://a.example",
        "http://localhost:5173",
    )


def test_nothing_is_embedded_unless_a_model_for_it_is_named(read: Any):
    assert (read().embedding_model, read(OPENAI_API_KEY="sk-1").embedding_model) == (None, None)


def test_vectors_come_from_where_texts_come_from_unless_another_address_is_set(read: Any):
    texts = {"OPENAI_BASE_URL": "http://gpu:8000/v1", "SCRIPTORIUM_MODEL": "m", "SCRIPTORIUM_EMBEDDING_MODEL": "e"}
    assert (read(**texts).embedding_model, read(**texts).embedding_base_url) == ("e", "http://gpu:8000/v1")
    assert read(**texts, SCRIPTORIUM_EMBEDDING_BASE_URL="http://cpu/v1").embedding_base_url == "http://cpu/v1"
    assert read(OPENAI_API_KEY="sk-1", SCRIPTORIUM_EMBEDDING_MODEL="e").embedding_base_url is None
    alone = read(SCRIPTORIUM_EMBEDDING_MODEL="e", SCRIPTORIUM_EMBEDDING_BASE_URL="http://cpu/v1")
    assert (alone.rehearsal, alone.embedding_base_url) == (True, "http://cpu/v1")


@pytest.mark.parametrize("more", [{}, {"SCRIPTORIUM_EMBEDDING_BASE_URL": "cpu/v1"}])
def test_a_model_for_vectors_needs_somewhere_to_be(read: Any, more: dict[str, str]):
    with pytest.raises(SettingsError, match="SCRIPTORIUM_EMBEDDING_"):
        read(SCRIPTORIUM_EMBEDDING_MODEL="e", **more)
