"""`airledger.toml`: written on the first start with every key explained, then the operator's."""

import json
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from airledger.platform.settings import TOML_NAME, Settings

HEAD = """\
# The settings of this Airledger. Every key is shown with its default; take the '#' away to change one.
# The environment wins over this file: AIRLEDGER_PORT=8701 overrides `port`.
# `airledger config show` prints what is in force.
"""
SOURCES_HEAD = """
# Directories to crawl. Without any [[sources]] here, the three below are used.
# type: asx, html_directory, icecast_status, icecast_yp, iptv_org, m3u, opml, plain, pls, radio_browser, shoutcast_json,
#   shoutcast_xml or xspf; url: an address or a file.
# every_hours: how often it is read; seconds_between_requests: to one host, at least; robots: obey its robots.txt.
# unwrap: follow the playlists that it lists to their streams; options: what the type wants to know beside.
"""
NOT_HERE = {"data", "sources"}


def write_settings_file(folder: Path) -> bool:
    """Write the file unless there is one; tell whether it was written."""
    file = folder / TOML_NAME
    if file.exists():
        return False
    file.write_text(settings_template(), encoding="utf-8")
    file.chmod(0o600)  # it may come to hold secrets
    return True


def settings_template() -> str:
    """Return the file's text: each key with its meaning and default, commented out."""
    lines = [HEAD]
    for name, field in Settings.model_fields.items():
        if name not in NOT_HERE:
            lines.append(f"# {field.description}\n#{name} = {_toml(field.default)}\n")
    lines.append(SOURCES_HEAD)
    for source in Settings.model_fields["sources"].default:
        pairs = "\n".join(f"#{key} = {_toml(value)}" for key, value in source.model_dump().items())
        lines.append(f"#[[sources]]\n{pairs}\n")
    return "\n".join(lines)


def masked(settings: Settings) -> dict[str, Any]:
    """Return all settings as JSON, secrets and passwords hidden."""
    shown = settings.model_dump(mode="json")
    for name, value in settings:
        if isinstance(value, SecretStr):
            shown[name] = "********" if value.get_secret_value() else ""
    for source in shown["sources"]:
        if source["options"].get("key"):
            source["options"]["key"] = "********"
    for name in ("database_url", "broker_url", "storage_url", "events_url"):
        shown[name] = _without_password(shown[name])
    return shown


def _without_password(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    login, at, place = rest.rpartition("@")
    if not (separator and at and ":" in login):
        return url
    return f"{scheme}://{login.split(':')[0]}:********@{place}"


def _toml(value: Any) -> str:
    if value is PydanticUndefined or value is None:
        return '""'
    if isinstance(value, SecretStr):
        return '""'
    if isinstance(value, tuple):
        return json.dumps(list(value))
    if isinstance(value, dict):
        pairs = ", ".join(f"{key} = {_toml(one)}" for key, one in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    return json.dumps(value)
