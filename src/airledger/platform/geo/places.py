"""Where the databases of addresses lie: named in the settings, in the data folder, or beside the installation."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["country", "city", "network"]
KINDS: tuple[Kind, ...] = ("country", "city", "network")


def shared_folder() -> Path:
    """Where `make setup` puts the databases for every data folder of this installation."""
    return Path(sys.prefix) / "share" / "airledger" / "geo"


@dataclass(frozen=True, slots=True)
class Databases:
    """Finds the databases.

    Attributes:
        data: The data folder of the installation.
        named: Files that the settings name; they win.
    """

    data: Path
    named: tuple[tuple[Kind, Path], ...] = ()

    @property
    def folder(self) -> Path:
        """Where this installation keeps what it fetches."""
        return self.data / "geo"

    def path_of(self, kind: Kind) -> Path | None:
        """Return the database of a kind; None when there is none."""
        own = [path for one, path in self.named if one == kind]
        name = f"{kind}.mmdb"
        for path in own or [self.folder / name, shared_folder() / name]:
            if path.is_file():
                return path
        return None
