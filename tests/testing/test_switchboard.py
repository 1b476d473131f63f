"""Closing the switchboard."""

import asyncio
import threading

from airledger.testing.switchboard import Switchboard


def test_it_closes_although_a_listener_swallows_the_first_cancellation() -> None:
    async def stubborn() -> None:
        try:
            await asyncio.sleep(3_600)
        except asyncio.CancelledError:  # as `wait_for` of Python 3.11 does when its inner future completes just then
            await asyncio.sleep(3_600)

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    task = asyncio.run_coroutine_threadsafe(stubborn(), loop)
    switchboard = Switchboard((), {}, None, None, None)  # type: ignore[arg-type]  # nothing is on air
    try:
        asyncio.run_coroutine_threadsafe(switchboard.close(), loop).result(20)
        assert task.cancelled()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
