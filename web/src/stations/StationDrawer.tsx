import { useQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { streamQuery } from "../api/queries";
import { Problem } from "../api/request";
import type { Stream } from "../api/types";
import { useRoute } from "../app/route";
import { catalogue, useCatalogue } from "../catalogue/useCatalogue";
import { Drawer } from "../frame/Drawer";
import { nameOf, placeOf } from "../frame/format";
import { Icon } from "../frame/Icon";
import { joined } from "../frame/joined";
import { causeText, StateMark } from "../frame/StateMark";
import { Empty, Trouble } from "../frame/Trouble";
import { tuner, useIsOn } from "../player/useTuner";
import { texts } from "../texts";
import { Checks } from "./Checks";
import { StationCoverage } from "./Coverage";
import { About, NowPlaying } from "./parts";
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
  const [, go] = useRoute();
  const on = useIsOn(stream.id);
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
      <NowPlaying stream={stream} />
      <div className="drawer-actions">
        <button type="button" className="button primary" onClick={() => tuner.toggle(stream)}>
          <Icon name={on ? "stop" : "play"} size={18} />
          {on ? t.stop : t.play}
        </button>
        <StationActions stream={stream} />
        <button type="button" className="button" onClick={() => go({ room: "station", id: stream.id })}>
          {t.everything}
        </button>
      </div>
      <Checks stream={stream} />
      <StationCoverage id={stream.id} />
      <StationPlays id={stream.id} />
      <About stream={stream} />
    </>
  );
}
