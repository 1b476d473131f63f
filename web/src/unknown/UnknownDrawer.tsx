import { useQuery } from "@tanstack/react-query";
import { meQuery, unknownQuery } from "../api/queries";
import type { Airing, UnknownDetail } from "../api/types";
import { may } from "../app/access";
import { useRoute } from "../app/route";
import { Ago } from "../frame/Ago";
import { Drawer, Fact } from "../frame/Drawer";
import { whole } from "../frame/format";
import { Absent } from "../frame/Trouble";
import { length } from "../frame/time";
import { texts } from "../texts";
import { NameUnknown } from "./NameUnknown";
import { classWord, titleOf } from "./UnknownRow";

const t = texts.unknown;

/** An unknown recording, where it was heard, and what one may do about it. */
export function UnknownDrawer({ id }: { id: string }) {
  const [, go] = useRoute();
  const { data, error, refetch } = useQuery(unknownQuery(id));
  const { data: account } = useQuery(meQuery);
  return (
    <Drawer close={() => go({ room: "unknown", id: null })} test="unknown-drawer" subject={id}>
      {data === undefined ? (
        <Absent error={error} retry={() => void refetch()} />
      ) : (
        <>
          <About unknown={data} />
          {may(account, "library:write") ? (
            <NameUnknown key={`${data.id} ${data.state} ${data.recording_id}`} unknown={data} />
          ) : (
            <p className="quiet">{t.reader}</p>
          )}
          <Airings unknown={data} />
        </>
      )}
    </Drawer>
  );
}

function About({ unknown }: { unknown: UnknownDetail }) {
  const [, go] = useRoute();
  const recordingId = unknown.recording_id;
  return (
    <>
      <header className="drawer-head">
        <p className="eyebrow">{t.state[unknown.state]}</p>
        <h2>{titleOf(unknown)}</h2>
        <p className="quiet">{unknown.artist}</p>
      </header>
      <dl className="facts">
        <Fact name={texts.plays.recording}>
          {recordingId !== null && (
            <button type="button" className="link" onClick={() => go({ room: "library", id: recordingId })}>
              {titleOf(unknown)}
            </button>
          )}
        </Fact>
        <Fact name={t.times}>{t.timesHeard(unknown.times_heard)}</Fact>
        <Fact name={t.stations}>{whole(unknown.stations)}</Fact>
        <Fact name={t.length}>{length(unknown.duration_ms)}</Fact>
        <Fact name={t.class}>{classWord(unknown.suggested_class)}</Fact>
        <Fact name={t.first}>
          <Ago at={unknown.first_heard_at} />
        </Fact>
        <Fact name={t.last}>
          <Ago at={unknown.last_heard_at} />
        </Fact>
        <Fact name={t.merged}>{unknown.merged.length > 0 && t.mergedHint(unknown.merged.length)}</Fact>
      </dl>
    </>
  );
}

function Airings({ unknown }: { unknown: UnknownDetail }) {
  const { airings } = unknown;
  return (
    <section className="section">
      <h3>{t.airings}</h3>
      {unknown.state !== "named" && <p className="quiet">{t.noSound}</p>}
      <ul className="songs">
        {airings.map((airing) => (
          <Heard key={`${airing.stream_id} ${airing.started_at}`} airing={airing} />
        ))}
      </ul>
      {airings.length < unknown.times_heard && <p className="quiet">{t.airingsSome(airings.length)}</p>}
    </section>
  );
}

function Heard({ airing }: { airing: Airing }) {
  const [, go] = useRoute();
  const play = airing.detection_id;
  return (
    <li className="song">
      <span className="song-what">
        <button type="button" className="link" onClick={() => go({ room: "stations", id: airing.stream_id })}>
          {airing.station_name ?? texts.plays.unknownStation}
        </button>
        {play !== null && (
          <button type="button" className="link" onClick={() => go({ room: "plays", id: play })}>
            {t.play}
          </button>
        )}
      </span>
      <span className="figures quiet">{length(Date.parse(airing.ended_at) - Date.parse(airing.started_at))}</span>
      <Ago at={airing.started_at} />
    </li>
  );
}
