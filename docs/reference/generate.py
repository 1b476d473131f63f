"""Writes the reference from the code, so that it cannot tell another story: `python docs/reference/generate.py`."""

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

import airledger
from airledger.__main__ import app as commands
from airledger.platform.db import Row
from airledger.platform.events import Event
from airledger.platform.settings import Settings
from airledger.platform.settings_file import settings_template
from airledger.stations.cause import Cause

HERE = Path(__file__).parent
NOTE = "<!-- Written by docs/reference/generate.py; change the code, not this file. -->\n\n"


def pages() -> dict[str, str]:
    """Return each page's text by file name."""
    for module in pkgutil.walk_packages(airledger.__path__, "airledger."):
        if not module.name.startswith(("airledger.testing", "airledger.platform.migrations")):
            importlib.import_module(module.name)
    return {
        "settings.md": NOTE + _settings(),
        "commands.md": NOTE + _commands(),
        "events.md": NOTE + _events(),
        "tables.md": NOTE + _tables(),
        "causes.md": NOTE + _causes(),
    }


def _settings() -> str:
    lines = [
        "# Settings\n",
        "Read once at the start: environment over `airledger.toml` in the data folder over defaults.",
        "In the environment a key is written `AIRLEDGER_KEY`; the mission's own names are accepted as they are.\n",
        "| key | default | also accepted | meaning |\n|---|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        choices = getattr(field.validation_alias, "choices", [])
        others = [str(one) for one in choices if not str(one).startswith("airledger_")]
        also = ", ".join(f"`{one.upper()}`" for one in others if one != name)
        default = "see below" if name == "sources" else f"`{field.default!s}`" if str(field.default) else "empty"
        lines.append(f"| `{name}` | {default} | {also} | {field.description} |")
    lines.append("\n## The file as it is first written\n\n```toml\n" + settings_template() + "```")
    return "\n".join(lines) + "\n"


def _commands() -> str:
    group: Any = typer.main.get_command(commands)
    lines = [
        "# Commands\n",
        "`airledger COMMAND --help` says the same. Wherever there is a table, `--json` gives it to programs.\n",
    ]
    for path, command in _leaves(group, "airledger"):
        lines.append(f"## `{path}`\n\n{(command.help or '').strip()}\n")
        for parameter in command.params:
            if parameter.name == "help":
                continue
            flags = " / ".join(f"`{flag}`" for flag in parameter.opts)
            name = flags if parameter.param_type_name == "option" else f"`{parameter.name.upper()}`"
            lines.append(f"- {name}: {getattr(parameter, 'help', '') or ''}")
        lines.append("")
    return "\n".join(lines)


def _leaves(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name in sorted(children):
        yield from _leaves(children[name], f"{path} {name}")


def _events() -> str:
    lines = [
        "# Events\n",
        "Read them at `GET /api/v1/events` (SSE) or `/api/v1/events/ws` (WebSocket); `position` is where to resume.\n",
    ]
    for event in sorted(_subclasses(Event), key=lambda one: one.name):
        lines.append(f"## `{event.name}`\n\n{(event.__doc__ or '').strip()}\n")
        lines += [f"- `{name}`: {_kind(field.annotation)}" for name, field in event.model_fields.items()]
        lines.append("")
    return "\n".join(lines)


def _subclasses(base: type[Event]) -> Iterator[type[Event]]:
    for one in base.__subclasses__():
        if "name" in vars(one) and one.__module__.startswith("airledger."):
            yield one
        yield from _subclasses(one)


def _kind(annotation: object) -> str:
    return getattr(annotation, "__name__", str(annotation)).replace("|", "or")


def _tables() -> str:
    lines = ["# Tables and how long they are kept\n", "| table | what | kept | why | personal |\n|---|---|---|---|---|"]
    for mapper in sorted(Row.registry.mappers, key=lambda one: str(one.local_table)):
        row = mapper.class_
        kept = "for ever" if row.retention.days is None else f"{row.retention.days} days"
        what = (row.__doc__ or "").strip().split("\n")[0]
        personal = "yes: exported and deleted on request" if row.retention.personal else ""
        lines.append(f"| `{row.__tablename__}` | {what} | {kept} | {row.retention.reason} | {personal} |")
    return "\n".join(lines) + "\n"


def _causes() -> str:
    lines = ["# Causes: why a stream cannot be heard\n", "| cause | trying again soon is pointless |\n|---|---|"]
    lines += [f"| `{cause.value}` | {'yes' if cause.permanent else ''} |" for cause in Cause]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for file, text in pages().items():
        (HERE / file).write_text(text, encoding="utf-8")
