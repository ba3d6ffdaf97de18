"""Who asks: the browser's signed secret, and the name under which this server knows its owner.

A browser that opens the page gets a cookie with a secret of its own, signed by this server, so that
nobody can make one up. What the browser starts is kept under a hash of the secret: no file holds
the secret itself.
"""

import hashlib
import hmac
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

COOKIE = "inside_visitor"
MAX_AGE = 7 * 24 * 3600  # seconds, as long as what a visitor owns is kept
KEY_BYTES = 32


class Visitors:
    """Gives out visitors' cookies and reads them. Whoever has `key` can make them."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def new_cookie(self) -> str:
        """The cookie of a visitor who has none."""
        return self.cookie_of(secrets.token_urlsafe(24))

    def cookie_of(self, secret: str) -> str:
        """The cookie that proves a secret to be of this server's making."""
        return f"{secret}.{self._signature(secret)}"

    def secret(self, cookies: Mapping[str, str]) -> str:
        """The secret that a request brings along; empty without one, or with a forged one."""
        secret, _, signature = str(cookies.get(COOKIE, "")).rpartition(".")
        expected = self._signature(secret)
        return secret if hmac.compare_digest(signature.encode(), expected.encode()) else ""

    def _signature(self, secret: str) -> str:
        return hmac.new(self._key, secret.encode(), hashlib.sha256).hexdigest()


def owner_of(secret: str) -> str:
    """The owner that a secret stands for; everybody without a secret is the same one."""
    return hashlib.sha256(secret.encode()).hexdigest()


def address_of(host: str) -> str:
    """The name under which this server knows the address of a request; "" where there is none."""
    return hashlib.sha256(f"address {host}".encode()).hexdigest()[:32] if host else ""


def signing_key(file: Path) -> bytes:
    """The key kept in `file`, written at the first start, so that cookies outlive a restart.

    Where the file can be neither read nor written the key lasts as long as this server.
    """
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            partial = file.with_name(f"{file.name}.{secrets.token_hex(4)}.part")
            partial.touch(mode=0o600)
            partial.write_bytes(secrets.token_bytes(KEY_BYTES))
            with suppress(FileExistsError):  # another server on this folder was first
                os.link(partial, file)
            partial.unlink()
        key = file.read_bytes()
        if len(key) == KEY_BYTES:
            return key
    return secrets.token_bytes(KEY_BYTES)
