import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { streamQuery } from "../api/queries";
import type { Stream } from "../api/types";
import { useRoute } from "../app/route";
import { catalogue, useCatalogue } from "../catalogue/useCatalogue";
import { nameOf, placeOf } from "../frame/format";
import { Icon } from "../frame/Icon";
import { joined } from "../frame/joined";
import { causeText, StateMark } from "../frame/StateMark";
import { Absent } from "../frame/Trouble";
import { tuner, useIsOn } from "../player/useTuner";
import { StationCoverage } from "../stations/Coverage";
import { About, NowPlaying } from "../stations/parts";
import { StationActions } from "../stations/StationActions";
import { StationPlays } from "../stations/StationPlays";
import { texts } from "../texts";
import { Evidence } from "./Evidence";
import { HistoryPanel } from "./HistoryPanel";
import { ProvenancePanel } from "./ProvenancePanel";
import { Ranked } from "./Ranked";
import { Merges, Simulcasts } from "./SameSound";
import { VerdictPanel } from "./VerdictPanel";
import { Where } from "./Where";

const t = texts.station;

/** Everything that is known of a station. Its address names one of its streams: those stay, whatever stations are joined. */
export default function StationPage({ id }: { id: number }) {
  const held = useCatalogue().streams.get(id) ?? null;
  const { data, error, refetch } = useQuery(streamQuery(id));
  useEffect(() => catalogue.put(data === undefined ? [] : [data]), [data]);
  const stream = held ?? data ?? null;
  return (
    <div className="room station-page" data-testid="station-page">
      {stream === null ? <Absent error={error} retry={() => void refetch()} /> : <Station stream={stream} />}
    </div>
  );
}

function Station({ stream }: { stream: Stream }) {
  return (
    <>
      <Head stream={stream} />
      <div className="panels">
        {stream.station_id !== null && <Ranked stationId={stream.station_id} selected={stream.id} />}
        <HistoryPanel id={stream.id} />
        <Evidence id={stream.id} />
        <Where id={stream.id} />
        <VerdictPanel id={stream.id} />
        {stream.station_id !== null && <Simulcasts stationId={stream.station_id} />}
        {stream.station_id !== null && <Merges stationId={stream.station_id} />}
        <section className="panel">
          <NowPlaying stream={stream} />
          <StationPlays id={stream.id} />
          <StationCoverage id={stream.id} />
        </section>
        <section className="panel">
          <About stream={stream} />
        </section>
        <ProvenancePanel id={stream.id} />
      </div>
    </>
  );
}

function Head({ stream }: { stream: Stream }) {
  const [, go] = useRoute();
  const on = useIsOn(stream.id);
  return (
    <header className="station-head">
      <div>
        <p className="eyebrow">{joined([stream.type && texts.kind[stream.type], placeOf(stream)], " · ")}</p>
        <h1>{nameOf(stream)}</h1>
        <p className="drawer-state">
          <StateMark state={stream.state} cause={stream.cause} />
          {stream.cause !== null && stream.state !== "playing" && (
            <span className="quiet">{causeText(stream.cause)}</span>
          )}
        </p>
      </div>
      <div className="drawer-actions">
        <button type="button" className="button primary" onClick={() => tuner.toggle(stream)}>
          <Icon name={on ? "stop" : "play"} size={18} />
          {on ? texts.drawer.stop : texts.drawer.play}
        </button>
        <StationActions stream={stream} />
        <button type="button" className="button" onClick={() => go({ room: "globe", id: stream.id })}>
          <Icon name="globe" size={18} />
          {t.onGlobe}
        </button>
        <button type="button" className="button" onClick={() => go({ room: "stations", id: stream.id })}>
          {texts.drawer.backToList}
        </button>
      </div>
    </header>
  );
}
