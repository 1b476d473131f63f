"""Reading ACRCloud's matches, in all the shapes in which they were seen."""

from collections.abc import Mapping
from typing import Any

from airledger.recognition.outside.answer import OutsideMatch, Writer
from airledger.recognition.outside.bounded_json import items, mapping, names, text, whole
from airledger.repertoire.describe import normal_isrc

MATCHES_LIMIT = 10
WRITERS_LIMIT = 40
IPI_DIGITS = 11


def read_matches(payload: Mapping[str, Any]) -> tuple[OutsideMatch, ...]:
    """Return the matches of an identification, best first; those of the operator's own bucket come first.

    ISRC and UPC are lists or strings, an ISRC may bear its name or spaces, offsets may be strings, creators have `role`
    or `roles`, an IPI is a number without its leading zeros, custom files spell artists and album as plain strings.
    """
    metadata = mapping(payload.get("metadata"))
    rows = [(row, True) for row in items(metadata.get("custom_files"))]
    rows += [(row, False) for row in items(metadata.get("music"))]
    found = [
        read_match(row, is_custom=is_custom) for row, is_custom in rows[: MATCHES_LIMIT * 2] if isinstance(row, dict)
    ]
    named = [one for one in found if one is not None]
    # Stable: of equal scores, ACRCloud's own order stays.
    return tuple(sorted(named, key=lambda one: (not one.is_custom, -(one.score or 0.0))))[:MATCHES_LIMIT]


def read_match(row: Mapping[str, Any], *, is_custom: bool = False, provider: str = "acrcloud") -> OutsideMatch | None:
    """Read one music item or custom file; None when it has no id and no title."""
    title = text(row.get("title")) or text(row.get("name"))
    provider_id = text(row.get("acrid") or row.get("acr_id") or row.get("audio_id") or row.get("id"), 100)
    if not title and not provider_id:
        return None
    external = mapping(row.get("external_ids"))
    album = row.get("album")
    works = [mapping(one) for one in items(row.get("works"))]
    return OutsideMatch(
        provider=provider,
        provider_id=provider_id or title[:100],
        title=title,
        artists=names(row.get("artists")) or names(row.get("artist")),
        album=(text(mapping(album).get("name")) if isinstance(album, dict) else text(album)) or None,
        label=text(row.get("label")) or None,
        release_date=text(row.get("release_date"), 20) or None,
        duration_ms=_positive(row.get("duration_ms")),
        isrcs=isrcs_of(external.get("isrc") or row.get("isrc")),
        upcs=_codes(external.get("upc") or row.get("upc")),
        iswcs=_codes(external.get("iswc")) or _codes([one.get("iswc") for one in works]),
        writers=writers_of(works, mapping(row.get("contributors"))),
        genres=names(row.get("genres")),
        score=_score(row.get("score")),
        sample_begin_ms=whole(row.get("sample_begin_time_offset_ms")),
        sample_end_ms=whole(row.get("sample_end_time_offset_ms")),
        reference_begin_ms=whole(row.get("db_begin_time_offset_ms")),
        is_custom=is_custom,
        links=_links(mapping(row.get("external_metadata"))),
    )


def isrcs_of(value: Any) -> tuple[str, ...]:
    """Return ISRCs in stored form, from a list or a string of one or several."""
    parts = [part for one in items(value) for part in text(one, 400).replace(";", ",").split(",")]
    return tuple(dict.fromkeys(isrc for part in parts if (isrc := normal_isrc(part)) is not None))[:20]


def writers_of(works: list[Mapping[str, Any]], contributors: Mapping[str, Any]) -> tuple[Writer, ...]:
    """Return who wrote the works; where no work is named, composers and lyricists without IPI."""
    found = [
        Writer(text(creator.get("name")), _role(creator), ipi_of(creator.get("ipi")))
        for work in works
        for creator in map(mapping, items(work.get("creators")))
        if text(creator.get("name"))
    ]
    if not found:
        roles = (("composers", "Composer"), ("lyricists", "Lyricist"))
        found = [Writer(name, role) for key, role in roles for name in names(contributors.get(key))]
    return tuple(dict.fromkeys(found))[:WRITERS_LIMIT]


def ipi_of(value: Any) -> str | None:
    """Return an IPI name number with its eleven digits; None when it is none."""
    digits = text(value, 20).replace(".", "").replace(" ", "")
    return digits.zfill(IPI_DIGITS) if digits.isascii() and digits.isdigit() and 0 < len(digits) <= IPI_DIGITS else None


def _role(creator: Mapping[str, Any]) -> str | None:
    given = [text(one, 40) for one in items(creator.get("roles") or creator.get("role"))]
    return ", ".join(one for one in given if one)[:100] or None


def _codes(value: Any) -> tuple[str, ...]:
    found = (text(one, 40).replace(" ", "") for one in items(value))
    return tuple(dict.fromkeys(one for one in found if one))[:20]


def _positive(value: Any) -> int | None:
    number = whole(value)
    return number if number is not None and number > 0 else None


def _score(value: Any) -> float | None:
    number = whole(value)
    return None if number is None else float(min(max(number, 0), 100))


def _links(external: Mapping[str, Any]) -> dict[str, str]:
    """Return ids at other services: {spotify: track id, ...}; each may be an object or a list of them."""
    links = {}
    for name in ("spotify", "deezer", "youtube", "musicbrainz", "isni"):
        first = mapping(next(iter(items(external.get(name))), None))
        track = mapping(first.get("track"))
        found = text(track.get("id") or first.get("vid") or first.get("id"), 100)
        if found:
            links[name] = found
    return links
