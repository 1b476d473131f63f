import type { Play } from "../api/types";
import { useRoute } from "../app/route";
import { useStream } from "../catalogue/useCatalogue";
import { Ago } from "../frame/Ago";
import { Drawer, Fact } from "../frame/Drawer";
import { decimal, percent } from "../frame/format";
import { Icon } from "../frame/Icon";
import { Empty } from "../frame/Trouble";
import { tuner, useIsOn } from "../player/useTuner";
import { texts } from "../texts";
import { lengthOf } from "./PlayRow";

const t = texts.plays;

/** 1.02 is "+2.0 %". */
const speedText = (speed: number): string => `${speed > 1 ? "+" : ""}${percent(speed - 1, 1)}`;

export function PlayDrawer({ id, play, reading }: { id: number; play: Play | null; reading: boolean }) {
  const [, go] = useRoute();
  return (
    <Drawer close={() => go({ room: "plays", id: null })} test="play-drawer" subject={id}>
      {play === null ? <Empty title={reading ? texts.drawer.loading : texts.drawer.gone} /> : <PlayFacts play={play} />}
    </Drawer>
  );
}

function PlayFacts({ play }: { play: Play }) {
  const [, go] = useRoute();
  const stream = useStream(play.stream_id);
  const on = useIsOn(play.stream_id ?? -1);
  const { recording_id: recordingId, stream_id: streamId } = play;
  const changedSpeed = play.speed !== null && Math.abs(play.speed - 1) >= 0.001;
  return (
    <>
      <header className="drawer-head">
        <p className="eyebrow">{t.status[play.status]}</p>
        <h2>{play.title ?? t.unknownSong}</h2>
        <p className="quiet">{play.artist}</p>
      </header>
      <div className="drawer-actions">
        {stream !== null && (
          <button type="button" className="button primary" onClick={() => tuner.toggle(stream)}>
            <Icon name={on ? "stop" : "play"} size={18} />
            {on ? texts.drawer.stop : texts.stations.play(stream.name)}
          </button>
        )}
      </div>
      <dl className="facts">
        <Fact name={t.station}>
          {streamId === null ? (
            play.station_name
          ) : (
            <button type="button" className="link" onClick={() => go({ room: "stations", id: streamId })}>
              {play.station_name ?? t.unknownStation}
            </button>
          )}
        </Fact>
        <Fact name={t.recording}>
          {recordingId !== null && (
            <button type="button" className="link" onClick={() => go({ room: "library", id: recordingId })}>
              {play.title ?? t.unknownSong}
            </button>
          )}
        </Fact>
        <Fact name={t.album}>{play.album}</Fact>
        <Fact name={t.isrc}>{play.isrc && <code>{play.isrc}</code>}</Fact>
        <Fact name={t.started}>
          <Ago at={play.started_at} />
        </Fact>
        <Fact name={t.ended}>{play.ended_at && <Ago at={play.ended_at} />}</Fact>
        <Fact name={t.length}>
          {lengthOf(play)} {play.is_partial && <span className="quiet">{t.partial}</span>}
        </Fact>
        <Fact name={t.confidence}>{play.confidence_score === null ? null : decimal(play.confidence_score)}</Fact>
        <Fact name={texts.plays.speedName}>{changedSpeed && play.speed !== null && speedText(play.speed)}</Fact>
        <Fact name={t.source}>{play.detection_source}</Fact>
      </dl>
    </>
  );
}
