"""The directory's door: Icecast's form in, `YPResponse` out, whatever comes."""

from ipaddress import ip_network

import pytest
from sqlalchemy import select

from airledger.stations.models import Stream
from api_house import House

ADD = (
    "action=add&sn=Hafenwelle%20S%FCd&genre=Various&cpswd=&desc=Unspecified%20description&url=&"
    "listenurl=http%3a%2f%2f127%2e0%2e0%2e1%3a30864%2fa%2emp3&type=audio%2fmpeg&stype=&b=96&\r\n"
)


def post(house: House, form: str, path: str = "/yp") -> dict[str, str]:
    answer = house.client.post(path, content=form, headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert answer.status_code == 200
    return dict(answer.headers)


@pytest.fixture
def open_house(house: House) -> House:
    house.app.guard.allow = (ip_network("127.0.0.0/8"),)
    return house


def test_add_touch_and_remove(open_house: House) -> None:
    added = post(open_house, ADD)
    assert (added["ypresponse"], added["touchfreq"]) == ("1", "200")
    with open_house.app.read() as session:
        assert session.scalars(select(Stream.url)).all() == ["http://127.0.0.1:30864/a.mp3"]
    touch = f"action=touch&sid={added['sid']}&st=&listeners=0&max_listeners=400&stype=\r\n"
    assert post(open_house, touch, "/yp/cgi-bin/")["ypresponse"] == "1"
    assert post(open_house, f"action=remove&sid={added['sid']}")["ypresponse"] == "1"
    assert post(open_house, touch)["ypmessage"] == "no such announcement: add it again"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (ADD, "private network"),
        ("action=add&listenurl=http://nowhere.invalid/a", "host of listenurl is unknown"),
        ("action=add&listenurl=javascript:alert(1)", "not an http or https address"),
        ("action=add", "not an http or https address"),
        ("action=dance", "no such action"),
        ("", "no such action"),
        ("action=touch&sid=none", "no such announcement"),
        ("a=1&" * 100, "too many fields"),
        ("action=add&sn=" + "a" * 20_000, "too long"),
    ],
)
def test_what_is_wrong_is_said_in_the_header(house: House, form: str, said: str) -> None:
    answer = post(house, form)
    assert answer["ypresponse"] == "0"
    assert said in answer["ypmessage"]


def test_an_address_announces_so_often(open_house: House) -> None:
    said = {post(open_house, "action=touch&sid=none")["ypmessage"] for _ in range(70)}
    assert any("too many announcements" in one for one in said)
