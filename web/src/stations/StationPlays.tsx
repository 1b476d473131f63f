import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { meQuery, playsQuery } from "../api/queries";
import type { Play } from "../api/types";
import { Ago } from "../frame/Ago";
import { length } from "../frame/time";
import { merged, useLivePlays } from "../live/plays";
import { texts } from "../texts";

const shown = 12;

/** The last songs of one stream, kept up to date by the events. */
export function StationPlays({ id }: { id: number }) {
  const { data: account } = useQuery(meQuery);
  const { data } = useInfiniteQuery({ ...playsQuery({ stream_id: id }, shown), enabled: account != null });
  const live = useLivePlays();
  if (!account || data === undefined) return null;
  const own = new Map([...live].filter(([, play]) => play.stream_id === id));
  const rows = merged(
    data.pages.flatMap((page) => page.rows),
    own,
  ).slice(0, shown);
  return (
    <section className="section">
      <h3>{texts.drawer.plays}</h3>
      {rows.length === 0 && <p className="quiet">{texts.drawer.playsEmpty}</p>}
      <ul className="songs">
        {rows.map((play) => (
          <Song key={play.id} play={play} />
        ))}
      </ul>
    </section>
  );
}

export function Song({ play, station = false }: { play: Play; station?: boolean }) {
  const under = station ? play.station_name : play.artist;
  return (
    <li className="song" data-status={play.status}>
      <span className="song-what">
        <span className="song-title">{play.title}</span>
        <span className="quiet">{under}</span>
      </span>
      <span className="figures quiet">
        {play.status === "playing" ? texts.plays.status["playing"] : length(play.duration_ms)}
      </span>
      <Ago at={play.started_at} />
    </li>
  );
}
