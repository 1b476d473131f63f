"""Whether live clients hear of what a session detects."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from airledger.listening.models import ListeningSession

KEY = "enable_websocket_broadcast"


def may_broadcast(session: Session, session_id: UUID) -> bool | None:
    """Tell whether live clients may hear of a session's detections; None leaves it to the installation's setting."""
    config = session.scalar(select(ListeningSession.config).where(ListeningSession.session_id == session_id))
    found = (config or {}).get(KEY)
    return found if isinstance(found, bool) else None
