import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { playsQuery, recordingQuery } from "../api/queries";
import type { Recording } from "../api/types";
import { useRoute } from "../app/route";
import { Ago } from "../frame/Ago";
import { Drawer, Fact } from "../frame/Drawer";
import { whole } from "../frame/format";
import { Absent, Trouble } from "../frame/Trouble";
import { length } from "../frame/time";
import { merged, useLivePlays } from "../live/plays";
import { Song } from "../stations/StationPlays";
import { texts } from "../texts";

const shown = 50;
const t = texts.library;

/** A recording and where it was heard. */
export function RecordingDrawer({ id, known }: { id: string; known: Recording | null }) {
  const [, go] = useRoute();
  const { data, error, refetch } = useQuery({ ...recordingQuery(id), enabled: known === null });
  const recording = known ?? data ?? null;
  return (
    <Drawer close={() => go({ room: "library", id: null })} test="recording-drawer" subject={id}>
      {recording !== null ? <About recording={recording} /> : <Absent error={error} retry={() => void refetch()} />}
    </Drawer>
  );
}

function About({ recording }: { recording: Recording }) {
  return (
    <>
      <header className="drawer-head">
        <p className="eyebrow">{texts.plays.recording}</p>
        <h2>{recording.title}</h2>
        <p className="quiet">{recording.artist}</p>
      </header>
      <dl className="facts">
        <Fact name={t.album}>{recording.album}</Fact>
        <Fact name={t.label}>{recording.label}</Fact>
        <Fact name={texts.plays.isrc}>{recording.isrc && <code>{recording.isrc}</code>}</Fact>
        <Fact name={t.length}>{length(recording.duration_ms)}</Fact>
        <Fact name={t.class}>{recording.recording_class}</Fact>
        <Fact name={t.plays}>{whole(recording.plays)}</Fact>
        <Fact name={t.added}>
          <Ago at={recording.created_at} />
        </Fact>
      </dl>
      <HeardWhere id={recording.id} />
    </>
  );
}

function HeardWhere({ id }: { id: string }) {
  const { data, error, isSuccess, refetch } = useInfiniteQuery(playsQuery({ recording_id: id }, shown));
  const live = useLivePlays();
  const own = new Map([...live].filter(([, play]) => play.recording_id === id));
  const plays = merged(data?.pages.flatMap((page) => page.rows) ?? [], own);
  return (
    <section className="section">
      <h3>{t.plays}</h3>
      {error !== null && (
        <Trouble
          error={error}
          retry={() => void refetch()}
          signIn={texts.plays.signIn}
          signInHint={texts.plays.signInHint}
        />
      )}
      {isSuccess && plays.length === 0 && <p className="quiet">{t.playsEmpty}</p>}
      <ul className="songs">
        {plays.slice(0, shown).map((play) => (
          <Song key={play.id} play={play} station />
        ))}
      </ul>
    </section>
  );
}
