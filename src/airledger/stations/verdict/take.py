"""One look from collected bytes to a verdict."""

from airledger.learning.fraud_detector import Signs
from airledger.stations.cause import Cause
from airledger.stations.verdict.collect import PICTURE_CONTAINERS, Collected
from airledger.stations.verdict.eyes import Eyes
from airledger.stations.verdict.trained import Models
from airledger.stations.verdict.weigh import Weighed, weigh, weigh_refusal


def take_look(eyes: Eyes, collected: Collected, signs: Signs, models: Models) -> Weighed:
    """Decode what was collected in the sandboxed child, and judge it.

    Args:
        eyes: The decoder.
        collected: Bytes of a stream, or why there are none.
        signs: What else is known of the stream.
        models: What judges.
    """
    if not collected.data:
        return weigh_refusal(collected.cause or Cause.ENDED)
    has_picture = collected.container in PICTURE_CONTAINERS
    seen = eyes.look(collected.data, collected.container, wants_picture=has_picture)
    return weigh(seen, signs, 0 if has_picture else len(collected.data), models)
