"""Options of an adapter: the fields of a frozen dataclass, given by name in airledger.toml."""

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeVar

from airledger.platform.errors import ConfigurationError

Adapter = TypeVar("Adapter")


def with_options(adapter: Adapter, options: Mapping[str, Any]) -> Adapter:
    """Return an adapter with some of its fields replaced: texts, numbers, or lists of texts.

    Raises:
        ConfigurationError: There is no such field, or the value is of another kind than the field.
    """
    fields = {one.name for one in dataclasses.fields(adapter) if one.init}  # type: ignore[arg-type]
    unknown = sorted(set(options) - fields)
    if unknown:
        known = ", ".join(sorted(fields)) or "none"
        raise ConfigurationError(f"a source of this type has no option {unknown[0]!r}; it has: {known}")
    given = {name: _fitting(name, value, getattr(adapter, name)) for name, value in options.items()}
    replaced: Adapter = dataclasses.replace(adapter, **given)  # type: ignore[type-var]
    return replaced


def _fitting(name: str, value: Any, standing: Any) -> Any:
    if isinstance(standing, tuple):
        if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
            return tuple(value)
        raise ConfigurationError(f"the option {name!r} must be a list of texts")
    if not isinstance(value, type(standing)):
        raise ConfigurationError(f"the option {name!r} must be of type {type(standing).__name__}")
    return value
