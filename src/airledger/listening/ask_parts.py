"""What asking outside about heard sound needs. Apart from it, so that whoever only enqueues loads no engine."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from airledger.listening.tracker import TrackerParams
from airledger.platform.clock import Clock
from airledger.platform.db import Database
from airledger.platform.storage import Storage

if TYPE_CHECKING:
    from airledger.recognition.outside.hybrid import HybridParts


@dataclass(frozen=True)
class AskDeps:
    """What asking needs."""

    database: Database
    clock: Clock
    storage: Storage
    hybrid: "Callable[[], HybridParts]"
    default_pro: str
    is_wanted: bool = True  # enable_hybrid_detection
    tracker: TrackerParams = field(default_factory=TrackerParams)
