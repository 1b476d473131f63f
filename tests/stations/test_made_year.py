"""A quarter of a year of some streams with known faults. Ten thousand for a year: `make accept PART=watching_year`."""

from stations.made_year import gaps_s, make_streams, scored, tell, watch

DAYS = 90.0


def test_faults_are_found_and_little_else_and_nobody_is_told_twice_an_hour() -> None:
    streams = make_streams(60, DAYS, seed=3)
    for stream in streams:
        watch(stream, DAYS, seed=3)
    score = scored(streams, DAYS, since_day=30)  # hours are learnt by then; a year counts that time, too
    assert score.faults > 60
    assert score.recall >= 0.95
    assert score.precision >= 0.95
    messages = tell(streams, DAYS)
    assert messages
    assert gaps_s(messages).min() >= 3_600
