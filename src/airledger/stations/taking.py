"""Taking entries into the catalogue: what each one makes of it, decided for many at once or for one by hand."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from airledger.stations.claims import Claim, claim, lay_on, new_draft
from airledger.stations.crawl_writes import Chunk, KnownListing, known_listings, known_streams, write_chunk
from airledger.stations.sources.base import Entry

CHECK_FREQUENCY_S = 3_600


def plan_chunk(session: Session, source: str, claims: Sequence[Claim]) -> Chunk:
    """Decide on some entries of a source by what the catalogue holds."""
    streams = known_streams(session, {found.url_key for found in claims})
    listings = known_listings(session, source, [found.key for found in claims])
    chunk = Chunk(source, drafts=streams)
    for found in claims:
        outcome = _sort_in(chunk, found, listings.get(found.key))
        chunk.counts[outcome] += 1
        if found.line:
            found.line.outcome = outcome
    return chunk


def take_one(
    session: Session, entry: Entry, source: str, now: datetime, *, check_frequency_s: int = CHECK_FREQUENCY_S
) -> tuple[int, bool]:
    """Take one entry; return its stream's id, and whether the stream is new.

    Args:
        session: Of a unit.
        entry: What is claimed.
        source: What the listing is filed under.
        now: The present.
        check_frequency_s: Nominal distance between checks of a new stream.

    Raises:
        UrlRefusedError: The address cannot be used.
    """
    found = claim(entry)
    chunk = plan_chunk(session, source, [found])
    added = write_chunk(session, chunk, now, check_frequency_s=check_frequency_s)
    stream_id = chunk.drafts[found.url_key].id
    if stream_id is None:
        raise AssertionError("a written draft has an id")
    return stream_id, added > 0


def _sort_in(chunk: Chunk, found: Claim, listing: KnownListing | None) -> str:
    """Put an entry where it belongs; return what it counts as."""
    draft = chunk.drafts.get(found.url_key)
    is_same = listing is not None and listing.claims == found.fields
    if draft is None:
        chunk.drafts[found.url_key] = new_draft(found, chunk.source)
    elif not is_same:
        lay_on(draft, found, listing.claims if listing else None)
    if listing is None:
        chunk.listings_new.append(found)
    elif is_same:
        chunk.listings_seen.append(listing.id)
    else:
        chunk.listings_changed.append((listing.id, found))
    if draft is None:
        return "added"
    return "merged" if listing is None else "unchanged" if is_same else "updated"
