"""The public keys of a token issuer: fetched from its key server, cached, and renewed when it rotates them."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx2
import orjson

logger = logging.getLogger(__name__)

_FETCH_SECONDS = 5
_LARGEST_KEY_SET = 256 * 1024
# How often a token with an unknown key may make us ask, and how soon an outage is retried while we have no key at all.
_BETWEEN_FETCHES = timedelta(minutes=1)
_BETWEEN_FIRST_FETCHES = timedelta(seconds=5)
# Old keys are renewed ahead of time, while they are still believed; none is believed for longer without asking for it first.
_RENEWED_AFTER = timedelta(minutes=5)
_STALE_AFTER = timedelta(minutes=10)

KeySet = Mapping[str, Mapping[str, object]]


class SigningKeysUnavailable(Exception):  # noqa: N818 - named by what it means for the caller
    """The key server does not answer and no key was ever fetched: no token can be judged now."""


class PublishedKeys:
    """A key set by key id. Keys that were fetched once keep working while the key server is down or slow."""

    def __init__(self, fetch: Callable[[], Awaitable[bytes]], *, now: Callable[[], datetime]) -> None:
        self._fetch = fetch
        self._now = now
        self._keys: KeySet = {}
        self._fetched_at: datetime | None = None
        self._tried_at: datetime | None = None
        self._renewal: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> Mapping[str, object] | None:
        """None when the issuer has no such key.

        Raises: SigningKeysUnavailable, when there is no key set to look into.
        """
        age = None if self._fetched_at is None else self._now() - self._fetched_at
        known = key_id in self._keys
        if not known or age is None or age >= _RENEWED_AFTER:
            # Nobody waits for a renewal whose result they do not need; nor for a server that has just failed to give one.
            believed = known and age is not None and (age < _STALE_AFTER or self._last_try_failed())
            renewal = self._renewing()
            if renewal is not None and not believed:
                # Many may wait for it, and one of them who goes away must not take it along.
                await asyncio.shield(renewal)
        if self._fetched_at is None:
            raise SigningKeysUnavailable
        return self._keys.get(key_id)

    def _last_try_failed(self) -> bool:
        return self._tried_at != self._fetched_at

    def _renewing(self) -> asyncio.Task[None] | None:
        """The renewal that is under way, begun now if need be; None when the last one is not long ago."""
        if self._renewal is not None and not self._renewal.done():
            return self._renewal
        now = self._now()
        pause = _BETWEEN_FETCHES if self._fetched_at else _BETWEEN_FIRST_FETCHES
        if self._tried_at is not None and now - self._tried_at < pause:
            return None
        self._tried_at = now
        self._renewal = asyncio.create_task(self._renew(now), name="signing-keys")
        return self._renewal

    async def _renew(self, now: datetime) -> None:
        try:
            self._keys = _parse_key_set(await self._fetch())
        except Exception as error:  # noqa: BLE001 - whatever a key server does, the keys it once gave are still its keys
            logger.warning("signing_keys.fetch_failed", extra={"error": type(error).__name__})
        else:
            self._fetched_at = now


def key_set_fetcher(url: str, client: httpx2.AsyncClient) -> Callable[[], Awaitable[bytes]]:
    """Reads a JWKS address, without following redirects.

    Raises: ValueError, when the address is not https; plain http is accepted from this machine only.
    """
    parts = urlsplit(url)
    if not (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))):
        raise ValueError("the address of the signing keys must be https")

    async def fetch() -> bytes:
        body = bytearray()
        async with (
            asyncio.timeout(_FETCH_SECONDS),
            client.stream("GET", url, headers={"Accept": "application/json"}, follow_redirects=False) as response,
        ):
            response.raise_for_status()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > _LARGEST_KEY_SET:
                    raise ValueError("the key set is too large")
        return bytes(body)

    return fetch


def _parse_key_set(text: bytes) -> KeySet:
    key_set = orjson.loads(text)
    if not isinstance(key_set, dict) or not isinstance(key_set.get("keys"), list):
        raise ValueError("this is no key set")  # noqa: TRY004 - what came over the network has no types yet
    keys = {key["kid"]: key for key in key_set["keys"] if isinstance(key, dict) and isinstance(key.get("kid"), str)}
    if not keys:
        raise ValueError("the key set names no key")
    return keys


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
