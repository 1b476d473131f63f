import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { streamQuery } from "../api/queries";
import { Problem } from "../api/request";
import type { Stream } from "../api/types";
import { useRoute } from "../app/route";
import { catalogue, useCatalogue } from "../catalogue/useCatalogue";
import { Ago } from "../frame/Ago";
import { Drawer, Fact } from "../frame/Drawer";
import { kbps, languageName, nameOf, percent, placeOf } from "../frame/format";
import { Icon } from "../frame/Icon";
import { joined } from "../frame/joined";
import { causeText, StateMark } from "../frame/StateMark";
import { Empty, Trouble } from "../frame/Trouble";
import { every } from "../frame/time";
import { tuner, useIsOn } from "../player/useTuner";
import { texts } from "../texts";
import { Checks } from "./Checks";
import { CopyAddress } from "./CopyAddress";
import { StationCoverage } from "./Coverage";
import { StationActions } from "./StationActions";
import { StationPlays } from "./StationPlays";

const t = texts.drawer;

export function StationDrawer({ id }: { id: number }) {
  const [route, go] = useRoute();
  const held = useCatalogue().streams.get(id) ?? null;
  const { data, error, refetch } = useQuery(streamQuery(id));
  useEffect(() => catalogue.put(data === undefined ? [] : [data]), [data]);
  const stream = held ?? data ?? null;
  return (
    <Drawer close={() => go({ room: route.room, id: null })} test="station-drawer" subject={id}>
      {stream !== null ? (
        <Station stream={stream} />
      ) : error instanceof Problem && error.status === 404 ? (
        <Empty title={t.gone}>
          <button type="button" className="button" onClick={() => go({ room: "stations", id: null })}>
            {t.backToList}
          </button>
        </Empty>
      ) : error !== null ? (
        <Trouble error={error} retry={() => void refetch()} />
      ) : (
        <Empty title={t.loading} />
      )}
    </Drawer>
  );
}

function Station({ stream }: { stream: Stream }) {
  const on = useIsOn(stream.id);
  const song = stream.now_playing;
  return (
    <>
      <header className="drawer-head">
        <p className="eyebrow">{joined([stream.type && texts.kind[stream.type], placeOf(stream)], " · ")}</p>
        <h2>{nameOf(stream)}</h2>
        <p className="drawer-state">
          <StateMark state={stream.state} cause={stream.cause} />
          {stream.cause !== null && stream.state !== "playing" && (
            <span className="quiet">{causeText(stream.cause)}</span>
          )}
        </p>
      </header>
      {(song !== null || stream.stream_title) && (
        <div className="now" data-on={on || undefined}>
          <p className="now-title">{song?.title ?? stream.stream_title}</p>
          {song !== null && (
            <p className="quiet">
              <bdi>{song.artist}</bdi> · <Ago at={song.since} />
            </p>
          )}
        </div>
      )}
      <div className="drawer-actions">
        <button type="button" className="button primary" onClick={() => tuner.toggle(stream)}>
          <Icon name={on ? "stop" : "play"} size={18} />
          {on ? t.stop : t.play}
        </button>
        <StationActions stream={stream} />
      </div>
      <Checks stream={stream} />
      <StationCoverage id={stream.id} />
      <StationPlays id={stream.id} />
      <About stream={stream} />
    </>
  );
}

function bitrates(stream: Stream): string {
  const parts = [];
  if (stream.bitrate_measured_kbps !== null) parts.push(`${kbps(stream.bitrate_measured_kbps)} ${t.measured}`);
  if (stream.bitrate !== null) parts.push(`${kbps(stream.bitrate)} ${t.claimed}`);
  return parts.join(", ");
}

function About({ stream }: { stream: Stream }) {
  const format = [stream.codec?.toUpperCase(), bitrates(stream), stream.has_picture ? t.picture : ""]
    .filter(Boolean)
    .join(" · ");
  const bound = stream.reliability_lower_bound;
  const place = [placeOf(stream), stream.accuracy_radius_km ? t.accuracy(stream.accuracy_radius_km) : ""].filter(
    (part) => part !== "",
  );
  return (
    <section className="section">
      <h3>{t.about}</h3>
      {stream.description && <p className="about-text">{stream.description}</p>}
      <dl className="facts">
        <Fact name={t.format}>{format}</Fact>
        <Fact name={t.warnings}>{stream.warnings.map(causeText).join(", ")}</Fact>
        <Fact name={t.reliability}>
          {percent(stream.reliability_score)}
          <span className="quiet"> {`${t.lower} ${percent(bound)}`}</span>
        </Fact>
        <Fact name={t.quality}>{stream.state !== "unproven" && percent(stream.quality_score)}</Fact>
        <Fact name={t.genre}>{stream.genre || stream.tags.join(", ")}</Fact>
        <Fact name={t.language}>{stream.language && languageName(stream.language)}</Fact>
        <Fact name={t.place}>{place.join(", ")}</Fact>
        <Fact name={t.website}>
          {stream.website && /^https?:/.test(stream.website) && (
            <a href={stream.website} target="_blank" rel="noreferrer noopener">
              {stream.website.replace(/^https?:\/\/(www\.)?|\/$/g, "")} <Icon name="out" size={14} />
            </a>
          )}
        </Fact>
        <Fact name={t.since}>
          <Ago at={stream.created_at} />
        </Fact>
        <Fact name={t.every}>{every(stream.check_frequency)}</Fact>
        <Fact name={t.url}>
          <CopyAddress address={stream.url} />
        </Fact>
      </dl>
    </section>
  );
}
