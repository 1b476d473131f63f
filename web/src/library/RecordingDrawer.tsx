import { useInfiniteQuery } from "@tanstack/react-query";
import { playsQuery } from "../api/queries";
import type { Recording } from "../api/types";
import { useRoute } from "../app/route";
import { Ago } from "../frame/Ago";
import { Drawer, Fact } from "../frame/Drawer";
import { whole } from "../frame/format";
import { Empty, Trouble } from "../frame/Trouble";
import { length } from "../frame/time";
import { merged, useLivePlays } from "../live/plays";
import { Song } from "../stations/StationPlays";
import { texts } from "../texts";

const shown = 50;
const t = texts.library;

/** A recording and where it was heard. Its plays also name it where the list has not been read that far. */
export function RecordingDrawer({
  id,
  recording,
  reading,
}: {
  id: number;
  recording: Recording | null;
  reading: boolean;
}) {
  const [, go] = useRoute();
  const { data, error, isPending, refetch } = useInfiniteQuery(playsQuery({ recording_id: id }, shown));
  const live = useLivePlays();
  const own = new Map([...live].filter(([, play]) => play.recording_id === id));
  const plays = merged(data?.pages.flatMap((page) => page.rows) ?? [], own);
  const named = recording ?? plays[0] ?? null;
  return (
    <Drawer close={() => go({ room: "library", id: null })} test="recording-drawer" subject={id}>
      {named === null ? (
        <Empty title={reading || isPending ? texts.drawer.loading : texts.drawer.gone} />
      ) : (
        <>
          <header className="drawer-head">
            <p className="eyebrow">{texts.plays.recording}</p>
            <h2>{named.title ?? texts.plays.unknownSong}</h2>
            <p className="quiet">{named.artist}</p>
          </header>
          <dl className="facts">
            <Fact name={t.album}>{named.album}</Fact>
            <Fact name={texts.plays.isrc}>{named.isrc && <code>{named.isrc}</code>}</Fact>
            <Fact name={t.length}>{recording?.duration_ms == null ? null : length(recording.duration_ms)}</Fact>
            <Fact name={t.class}>{recording?.recording_class}</Fact>
            <Fact name={t.plays}>{recording === null ? null : whole(recording.plays)}</Fact>
            <Fact name={t.added}>{recording && <Ago at={recording.created_at} />}</Fact>
          </dl>
        </>
      )}
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
        {!isPending && error === null && plays.length === 0 && <p className="quiet">{t.playsEmpty}</p>}
        <ul className="songs">
          {plays.slice(0, shown).map((play) => (
            <Song key={play.id} play={play} station />
          ))}
        </ul>
      </section>
    </Drawer>
  );
}
