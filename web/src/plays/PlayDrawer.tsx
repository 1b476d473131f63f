import { useQuery } from "@tanstack/react-query";
import { playQuery } from "../api/queries";
import type { Play } from "../api/types";
import { useRoute } from "../app/route";
import { useStream } from "../catalogue/useCatalogue";
import { Ago } from "../frame/Ago";
import { Drawer, Fact } from "../frame/Drawer";
import { decimal, nameOf, percent } from "../frame/format";
import { Icon } from "../frame/Icon";
import { Absent } from "../frame/Trouble";
import { tuner, useIsOn } from "../player/useTuner";
import { texts } from "../texts";
import { Evidence } from "./Evidence";
import { lengthOf } from "./PlayRow";

const t = texts.plays;

/** 1.02 is "+2.0 %". */
const speedText = (speed: number): string => `${speed > 1 ? "+" : ""}${percent(speed - 1, 1)}`;

/** A play; one that the list has not read is asked for by itself, so that its address can be linked. */
export function PlayDrawer({ id, known }: { id: string; known: Play | null }) {
  const [, go] = useRoute();
  const { data, error, refetch } = useQuery({ ...playQuery(id), enabled: known === null });
  const play = known ?? data ?? null;
  return (
    <Drawer close={() => go({ room: "plays", id: null })} test="play-drawer" subject={id}>
      {play !== null ? <PlayFacts play={play} /> : <Absent error={error} retry={() => void refetch()} />}
    </Drawer>
  );
}

function PlayFacts({ play }: { play: Play }) {
  const [, go] = useRoute();
  const stream = useStream(play.stream_id);
  const on = useIsOn(play.stream_id);
  const changedSpeed = Math.abs(play.speed - 1) >= 0.001;
  return (
    <>
      <header className="drawer-head">
        <p className="eyebrow">{t.status[play.status]}</p>
        <h2>{play.title}</h2>
        <p className="quiet">{play.artist}</p>
      </header>
      <div className="drawer-actions">
        {stream !== null && (
          <button type="button" className="button primary" onClick={() => tuner.toggle(stream)}>
            <Icon name={on ? "stop" : "play"} size={18} />
            {on ? texts.drawer.stop : texts.stations.play(nameOf(stream))}
          </button>
        )}
      </div>
      <Evidence play={play} />
      <dl className="facts">
        <Fact name={t.station}>
          <button type="button" className="link" onClick={() => go({ room: "stations", id: play.stream_id })}>
            {play.station_name ?? t.unknownStation}
          </button>
        </Fact>
        <Fact name={t.recording}>
          <button type="button" className="link" onClick={() => go({ room: "library", id: play.recording_id })}>
            {play.title}
          </button>
        </Fact>
        <Fact name={t.album}>{play.album}</Fact>
        <Fact name={t.isrc}>{play.isrc && <code>{play.isrc}</code>}</Fact>
        <Fact name={t.started}>
          <Ago at={play.started_at} />
        </Fact>
        <Fact name={t.ended}>{play.status === "finished" && <Ago at={play.ended_at} />}</Fact>
        <Fact name={t.length}>
          {lengthOf(play)} {play.is_partial && <span className="quiet">{t.partial}</span>}
        </Fact>
        <Fact name={t.confidence}>{decimal(play.confidence_score)}</Fact>
        <Fact name={texts.plays.speedName}>{changedSpeed && speedText(play.speed)}</Fact>
        <Fact name={t.source}>{play.detection_source}</Fact>
      </dl>
    </>
  );
}
