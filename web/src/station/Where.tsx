import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useMemo } from "react";
import { placeQuery } from "../api/stations";
import type { PlaceAnswer, PlaceVote } from "../api/types";
import { countryName, percent } from "../frame/format";
import { joined } from "../frame/joined";
import { Offered } from "../frame/Offered";
import type { Spot } from "../places/drawVotes";
import { texts } from "../texts";

const VotesMap = lazy(() => import("../places/VotesMap"));
const t = texts.places;

/** What speaks for which place, and what that comes to. */
export function Where({ id }: { id: number }) {
  const query = useQuery(placeQuery(id));
  const place = query.data;
  return (
    <Offered
      title={t.title}
      note={place?.verified ? t.verified : undefined}
      query={query}
      isEmpty={place !== undefined && place.votes.length === 0}
      empty={t.empty}
      test="where"
    >
      {place && <Votes place={place} />}
    </Offered>
  );
}

/** The map of the votes and the same in words; `picked` is where a moderator points. */
export function Votes({ place, picked, pick }: { place: PlaceAnswer; picked?: Spot; pick?: Picker }) {
  const spots = useMemo(() => [...spotsOf(place), ...(picked ? [picked] : [])], [place, picked]);
  return (
    <>
      {(spots.length > 0 || pick !== undefined) && (
        <Suspense fallback={<div className="votes-map-canvas" />}>
          <VotesMap label={t.map} spots={spots} pick={pick} />
        </Suspense>
      )}
      <Answer place={place} />
      <ul className="lines">
        {place.votes.map((vote) => (
          <Vote key={vote.method} vote={vote} />
        ))}
      </ul>
      {place.attribution && <Attribution text={place.attribution} />}
    </>
  );
}

type Picker = (latitude: number, longitude: number) => void;

export function spotsOf(place: PlaceAnswer): Spot[] {
  const spot = (row: Placed, role: Spot["role"], weight: number): Spot[] =>
    row.latitude == null || row.longitude == null
      ? []
      : [{ latitude: row.latitude, longitude: row.longitude, radiusKm: row.radius_km ?? 0, role, weight }];
  return [
    ...place.votes.flatMap((vote) => spot(vote, "vote", vote.confidence)),
    ...spot({ ...place, radius_km: place.accuracy_radius_km }, "answer", place.confidence_score ?? 1),
  ];
}

type Placed = {
  latitude?: number | null | undefined;
  longitude?: number | null | undefined;
  radius_km?: number | null | undefined;
};

function Answer({ place }: { place: PlaceAnswer }) {
  const name = joined([place.city, place.country_code == null ? null : countryName(place.country_code)], ", ");
  return (
    <p>
      <strong>{name || t.nowhere}</strong>{" "}
      <span className="quiet">
        {joined(
          [
            place.accuracy_radius_km != null && texts.drawer.accuracy(place.accuracy_radius_km),
            place.confidence_score !== null && texts.station.sure(percent(place.confidence_score)),
          ],
          " ",
        )}
      </span>
    </p>
  );
}

function Vote({ vote }: { vote: PlaceVote }) {
  const evidence = Object.entries(vote.evidence)
    .map(([key, value]) => `${key.replaceAll("_", " ")}: ${typeof value === "object" ? JSON.stringify(value) : value}`)
    .join(" · ");
  return (
    <li className="line" title={evidence}>
      <span className="line-main">
        <strong>{t.method[vote.method] ?? vote.method.replaceAll("_", " ")}</strong>
        <span className="quiet vote-evidence">{evidence}</span>
      </span>
      <span className="line-end quiet figures">
        {vote.country_code !== null && <span>{countryName(vote.country_code)}</span>}
        {vote.radius_km !== null && <span>{texts.drawer.accuracy(vote.radius_km)}</span>}
        <span>{percent(vote.confidence)}</span>
      </span>
    </li>
  );
}

/** Whose data was used; a licence may ask for the link. */
function Attribution({ text }: { text: string }) {
  const link = /https?:\/\/[^\s)]+/.exec(text)?.[0];
  return (
    <p className="quiet">
      {link === undefined ? (
        text
      ) : (
        <a href={link} target="_blank" rel="noreferrer noopener">
          {text.replace(link, "").replace(/[\s()]+$/, "") || link}
        </a>
      )}
    </p>
  );
}
