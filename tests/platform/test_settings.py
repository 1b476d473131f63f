"""Settings: arguments over environment over the file over defaults, and the mission's names."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from airledger.platform.errors import ConfigurationError
from airledger.platform.settings import Settings, load_settings

MISSION_NAMES = {
    "ACRCLOUD_ACCESS_KEY": ("acrcloud_access_key", "k", "k"),
    "ACRCLOUD_ACCESS_SECRET": ("acrcloud_access_secret", "s", "s"),
    "ACRCLOUD_HOST": ("acrcloud_host", "h.test", "h.test"),
    "DATABASE_URL": ("database_url", "postgres://u:p@h/d", "postgresql+psycopg://u:p@h/d"),
    "REDIS_URL": ("broker_url", "redis://h/0", "redis://h/0"),
    "LOCAL_CONFIDENCE_THRESHOLD": ("local_confidence_threshold", "0.5", 0.5),
    "ENABLE_HYBRID_FALLBACK": ("enable_hybrid_fallback", "false", False),
    "CAPTURE_INTERVAL_SECONDS": ("capture_interval_seconds", "45", 45),
    "DEFAULT_PRO": ("default_pro", "ascap", "ascap"),
}


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.upper().startswith("AIRLEDGER_") or name.upper() in MISSION_NAMES:
            monkeypatch.delenv(name)


@pytest.mark.parametrize("name", MISSION_NAMES)
def test_the_missions_names_are_understood_in_the_environment_and_in_the_file(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    field, given, expected = MISSION_NAMES[name]

    def value(settings: Settings) -> object:
        found = getattr(settings, field)
        return found.get_secret_value() if hasattr(found, "get_secret_value") else found

    shown = given if given in {"true", "false"} or given.replace(".", "").isdigit() else f'"{given}"'
    (tmp_path / "airledger.toml").write_text(f"[AUDIO_DETECTION_CONFIG]\n{name} = {shown}\n")
    assert value(load_settings(data=tmp_path)) == expected
    (tmp_path / "airledger.toml").unlink()
    assert value(load_settings(data=tmp_path)) != expected
    monkeypatch.setenv(name, given)
    assert value(load_settings(data=tmp_path)) == expected


def test_arguments_win_over_the_environment_over_the_file_over_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRLEDGER_DATA", str(tmp_path))
    assert load_settings().port == 8700
    (tmp_path / "airledger.toml").write_text("[server]\nport = 1001\n")
    assert load_settings().port == 1001
    monkeypatch.setenv("AIRLEDGER_PORT", "1002")
    assert load_settings().port == 1002
    assert load_settings(port=1003).port == 1003
    assert load_settings(port=None).port == 1002


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("port = 70000", "port"),
        ("prot = 1", "prot"),
        ("port =", "airledger.toml"),
        ("allow_networks = ['300.0.0.0/8']", "allow_networks"),
        ("[[sources]]\nname = 'x'\ntype = 'ftp'\nurl = 'u'", "sources"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "airledger.toml").write_text(text)
    with pytest.raises(ConfigurationError, match=named):
        load_settings(data=tmp_path)


def test_settings_cannot_be_changed_and_secrets_are_not_shown(tmp_path: Path) -> None:
    settings = load_settings(data=tmp_path, acrcloud_access_key="hidden treasure")
    assert "treasure" not in repr(settings)
    with pytest.raises(ValidationError):
        settings.port = 1


def test_the_embedded_default_lies_in_the_data_folder(tmp_path: Path) -> None:
    settings = load_settings(data=tmp_path)
    assert settings.database_address == f"sqlite:///{tmp_path}/airledger.db"
    assert settings.storage_address == f"file://{tmp_path}/objects"
