import { useQuery } from "@tanstack/react-query";
import { processesQuery } from "../api/queries";
import type { Process } from "../api/types";
import { Ago } from "../frame/Ago";
import { useNow } from "../frame/time";
import { texts } from "../texts";
import { Mark, Panel } from "./Panel";

const lostAfterMs = 60_000;
const t = texts.system;

export function Processes() {
  const query = useQuery(processesQuery);
  const rows = query.data ?? [];
  return (
    <Panel title={t.processes} empty={t.processesEmpty} isEmpty={rows.length === 0} query={query}>
      <ul className="lines">
        {rows.map((process) => (
          <ProcessLine key={`${process.host}${process.pid}${process.role}`} process={process} />
        ))}
      </ul>
    </Panel>
  );
}

/** Numbers and words of a process's own report; anything deeper is for the API. */
export function reported(stats: Process["stats"]): string {
  return Object.entries(stats)
    .filter(([, value]) => typeof value === "number" || typeof value === "string")
    .map(
      ([name, value]) =>
        `${name.replaceAll("_", " ")} ${typeof value === "number" ? Math.round(value * 100) / 100 : value}`,
    )
    .slice(0, 5)
    .join(" · ");
}

function ProcessLine({ process }: { process: Process }) {
  const now = useNow();
  const lost = now - Date.parse(process.seen_at) > lostAfterMs;
  return (
    <li className="line">
      <span className="line-main">
        <strong>{process.role}</strong>
        <span className="quiet figures">
          {process.host} · {process.pid}
        </span>
      </span>
      <span className="line-note quiet">{reported(process.stats)}</span>
      <span className="line-end">
        <Mark good={!lost}>{lost ? t.lost : t.alive}</Mark>
        <Ago at={process.seen_at} />
      </span>
    </li>
  );
}
