"""An event loop that looks at its sockets a few times a second instead of at each packet.

Hundreds of stations send some ten packets a second each. Waking up for each of them costs more than decoding what is
in them; what arrives within half a second can as well be read at once, since the kernel holds it meanwhile.
"""

import asyncio
import random
import selectors
import time


class BreathingSelector(selectors.DefaultSelector):
    """Takes all that is ready, and then rests until the next breath.

    With hundreds of stations something is always ready, so resting cannot wait until nothing is. In each breath a
    connection may give some hundred kilobytes, so bursts and segments of several megabits a second are kept up with.
    """

    def __init__(self, breath_s: float) -> None:
        """Begin; `breath_s` is the time between two breaths."""
        super().__init__()
        self._breath_s = breath_s
        self._due_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait as any selector does, though not shorter than to the next breath."""
        if timeout is not None and timeout <= 0:
            # Callbacks wait to run, one behind the other; sockets are looked at when all have, or a breath is over.
            return self._breathe(0) if time.monotonic() >= self._due_s else []
        rest_s = self._due_s - time.monotonic()
        if timeout is not None and timeout <= rest_s:
            time.sleep(timeout)
            return []
        if rest_s > 0:
            time.sleep(rest_s)
        return self._breathe(None if timeout is None else max(0.0, timeout - max(0.0, rest_s)))

    def _breathe(self, timeout: float | None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(timeout)
        # Not in step with anything: then some of what arrives is read at once, and air times, which rest on the
        # least delay, are not late by a breath.
        self._due_s = time.monotonic() + self._breath_s * random.uniform(0.6, 1.0)  # noqa: S311  no secret
        return ready


def breathing_loop(breath_s: float) -> asyncio.AbstractEventLoop:
    """Make an event loop that breathes; a plain one where `breath_s` is 0."""
    if breath_s <= 0:
        return asyncio.new_event_loop()
    return asyncio.SelectorEventLoop(BreathingSelector(breath_s))
