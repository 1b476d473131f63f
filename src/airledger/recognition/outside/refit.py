"""Fitting the curves of all providers anew from what people decided."""

from datetime import datetime

from sqlalchemy import select

from airledger.platform.db import Unit
from airledger.recognition.outside.calibrate import Curve, prior, refit
from airledger.recognition.outside.models import DECIDED, OutsideCalibration, RecognitionReview
from airledger.recognition.outside.reviews import decided_answers


def refit_all(unit: Unit, now: datetime) -> dict[str, Curve]:
    """Refit each provider that has decided reviews, always from its prior; return the new curves."""
    providers = unit.session.scalars(
        select(RecognitionReview.provider).where(RecognitionReview.state == DECIDED).distinct()
    ).all()
    return {provider: _refit(unit, provider, now) for provider in providers}


def _refit(unit: Unit, provider: str, now: datetime) -> Curve:
    answers = decided_answers(unit.session, provider)
    curve = refit(prior(provider), answers)
    row = unit.session.get(OutsideCalibration, provider)
    if row is None:
        row = OutsideCalibration(provider=provider)
        unit.session.add(row)
    row.points = [list(point) for point in curve.points]
    row.answers, row.fitted_at = len(answers), now
    unit.session.flush()
    return curve
