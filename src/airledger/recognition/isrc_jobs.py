"""Looking up many ISRCs as one task: the services want a pace, and fifty take a minute."""

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

from airledger.platform.tasks.registry import Context, Registry, Result
from airledger.platform.tasks.run import HandedBackError

if TYPE_CHECKING:
    from airledger.recognition.outside.isrc import IsrcDesk

LOOK_UP = "recognition.look_up_isrcs"


def declare(registry: Registry, desk: "Callable[[], IsrcDesk]") -> None:
    """Make the task known. Its result is `{"answers": [...]}`, in the order given."""

    def look_up_isrcs(context: Context, *, isrcs: list[str]) -> Result:
        answers = []
        for isrc in isrcs:
            answers.append(asdict(desk().look_up(isrc)))
            context.progress(len(answers) / len(isrcs))
            if context.stopping() and len(answers) < len(isrcs):
                raise HandedBackError  # what was found is remembered
        return {"answers": answers}

    registry.declare(LOOK_UP, "default", look_up_isrcs)
