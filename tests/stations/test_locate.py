import pytest

from airledger.stations.locate import country_name, locate


def test_the_source_knows_best() -> None:
    place = locate(5.6, -0.2, "Berlin", "DE")
    assert place is not None
    assert (place.latitude, place.longitude, place.accuracy_radius_km, place.method) == (5.6, -0.2, 5, "source")


@pytest.mark.parametrize(
    ("city", "code", "latitude"), [("Accra", "GH", 5.6), ("münchen", "DE", 48.1), ("Paris", "FR", 48.9)]
)
def test_a_city_is_found_in_its_country(city: str, code: str, latitude: float) -> None:
    place = locate(None, None, city, code)
    assert place is not None
    assert (place.method, place.accuracy_radius_km) == ("city", 25)
    assert place.latitude == pytest.approx(latitude, abs=0.2)


def test_a_country_is_one_point_with_a_large_radius() -> None:
    one, other = locate(None, None, None, "GH"), locate(None, None, "Nowhere at all", "GH")
    assert one == other
    assert one is not None
    assert one.method == "country"
    assert 200 < one.accuracy_radius_km < 400
    assert 4 < one.latitude < 12
    assert -4 < one.longitude < 2


def test_nothing_is_known_of_nowhere() -> None:
    assert locate(None, None, "Paris", None) is None
    assert locate(None, None, None, "XX") is None
    assert locate(None, 5.0, None, None) is None


def test_countries_have_names() -> None:
    assert country_name("GH") == "Ghana"
    assert country_name(None) is None
    assert country_name("XX") is None
