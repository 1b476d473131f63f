"""Signing what is posted, as Standard Webhooks 1.0.0 says, so that any of its libraries verify it.

The signature is HMAC-SHA256 over `id.timestamp.body`, in base64 behind `v1,`; while a secret is being changed there
is one signature for each, separated by a space.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

SECRET_PREFIX = "whsec_"  # noqa: S105  a mark, not a secret
SECRET_BYTES = 32


def make_secret() -> str:
    """Make a secret in the form that receivers are given."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def message_id(webhook_id: UUID, position: int | str) -> str:
    """Name a message: the same event told to the same webhook has the same id however often it is sent."""
    return f"msg_{uuid5(webhook_id, str(position)).hex}"


def message_body(event_type: str, at: datetime, position: int | None, payload: dict[str, Any]) -> bytes:
    """Write an event as it is posted: UTF-8 JSON without spaces."""
    body = {"type": event_type, "timestamp": at.isoformat(), "position": position, "data": payload}
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def signed_headers(identity: str, body: bytes, keys: Sequence[str], at: datetime) -> dict[str, str]:
    """Return the headers that belong to a message.

    Args:
        identity: Of the message; holds no full stop.
        body: Exactly the bytes that are posted.
        keys: Secrets as `make_secret` gives them; more than one while a secret is being changed.
        at: Of this attempt: receivers refuse what is older than some minutes.
    """
    timestamp = str(int(at.timestamp()))
    return {
        "Content-Type": "application/json",
        "webhook-id": identity,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(identity, timestamp, body, key) for key in keys),
    }


def _signature(identity: str, timestamp: str, body: bytes, key: str) -> str:
    raw = base64.b64decode(key.removeprefix(SECRET_PREFIX))
    digest = hmac.new(raw, f"{identity}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()
