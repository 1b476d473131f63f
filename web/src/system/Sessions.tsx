import { useQuery } from "@tanstack/react-query";
import { sessionsQuery } from "../api/queries";
import type { Session } from "../api/types";
import { useRoute } from "../app/route";
import { Ago } from "../frame/Ago";
import { decimal, whole } from "../frame/format";
import { Rows } from "../frame/Rows";
import { useWide } from "../frame/useWide";
import { CoverageBand, CoverageLegend } from "../stations/Coverage";
import { isLive } from "../stations/StationActions";
import { texts } from "../texts";
import { Mark, Panel } from "./Panel";

const t = texts.system;

export function Sessions() {
  const query = useQuery(sessionsQuery);
  const rows = query.data ?? [];
  const wide = useWide();
  return (
    <Panel
      title={t.sessions}
      note={rows.length === 0 ? "" : whole(rows.filter(isLive).length)}
      wide
      empty={t.sessionsEmpty}
      isEmpty={rows.length === 0}
      query={query}
    >
      <CoverageLegend />
      <Rows
        rows={rows}
        keyOf={(session) => session.session_id}
        heightPx={wide ? 48 : 92}
        label={t.sessions}
        head={<Head />}
        row={(session) => <SessionRow session={session} />}
      />
    </Panel>
  );
}

function Head() {
  return (
    <div className="row rows-head session-row" aria-hidden="true">
      <span className="row-name">{texts.plays.station}</span>
      <span className="cell cell-state">{texts.stations.state}</span>
      <span className="cell cell-coverage">{t.coverage}</span>
      <span className="cell cell-factor">{t.factor}</span>
      <span className="cell cell-windows">{t.windows}</span>
      <span className="cell cell-matched">{t.matched}</span>
      <span className="cell cell-heard">{t.sound}</span>
    </div>
  );
}

const sessionText = (status: string): string => t.status[status] ?? status.replaceAll("_", " ");

function goodness(session: Session): boolean | null {
  if (session.status === "listening") return true;
  return isLive(session) ? null : false;
}

function SessionRow({ session }: { session: Session }) {
  const [, go] = useRoute();
  return (
    <div className="row session-row" data-testid="session-row">
      <a
        className="row-name"
        data-row=""
        href={`/stations/${session.stream_id}`}
        onClick={(event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          go({ room: "stations", id: session.stream_id });
        }}
      >
        <span className="row-title">{session.station_name ?? texts.plays.unknownStation}</span>
      </a>
      <span className="cell cell-state" title={session.error ?? undefined}>
        <Mark good={goodness(session)}>{sessionText(session.status)}</Mark>
      </span>
      <span className="cell cell-coverage">
        <CoverageBand id={session.stream_id} />
      </span>
      <span className="cell cell-factor figures">
        {session.real_time_factor === null ? "–" : `${decimal(session.real_time_factor)}×`}
      </span>
      <span className="cell cell-windows figures">{whole(session.windows)}</span>
      <span className="cell cell-matched figures">{whole(session.matched)}</span>
      <span className="cell cell-heard">
        <Ago at={session.last_sound_at} />
      </span>
    </div>
  );
}
