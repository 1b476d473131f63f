"""Print the OpenAPI document, from which the page's client is made.

`python -m airledger.api.openapi > web/openapi.json`
"""

import json
import sys
import tempfile
from pathlib import Path

from airledger.api.main import build_api
from airledger.app import Airledger
from airledger.platform.settings import Settings


def document() -> str:
    """Return the document as text, the same every time."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Airledger.open(Settings(data=Path(folder), database_url="", storage_url="")) as app,
    ):
        return json.dumps(build_api(app).openapi(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
