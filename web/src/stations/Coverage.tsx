import { useQuery } from "@tanstack/react-query";
import { coverageQuery, meQuery } from "../api/queries";
import type { Coverage } from "../api/types";
import { causeText } from "../frame/StateMark";
import { clock, useNow } from "../frame/time";
import { texts } from "../texts";

export const dayMs = 86_400_000;

export type Stretch = { kind: Coverage["kind"]; start: number; end: number; cause: string | null };

/** The parts of [`from`, `to`] that rows cover, as shares of it between 0 and 1, in order. */
export function stretches(rows: readonly Omit<Coverage, "stream_id">[], from: number, to: number): Stretch[] {
  const share = (moment: number) => Math.max(0, Math.min(1, (moment - from) / (to - from)));
  return rows
    .map((row) => ({
      kind: row.kind,
      cause: row.cause,
      start: share(Date.parse(row.started_at)),
      end: share(Date.parse(row.ended_at)),
    }))
    .filter((stretch) => stretch.end > stretch.start)
    .sort((a, b) => a.start - b.start);
}

const kinds = ["heard", "gap", "silent", "looped"] as const;

/** The share of the time listened to at all that was heard, or null where nothing was. */
export function heardShare(parts: readonly Stretch[]): number | null {
  let heard = 0;
  let all = 0;
  for (const part of parts) {
    all += part.end - part.start;
    if (part.kind !== "gap") heard += part.end - part.start;
  }
  return all === 0 ? null : heard / all;
}

/** A day of listening as a band: heard, gaps, silence and loops, each with its own pattern. */
export function CoverageBand({ id }: { id: number }) {
  const { data } = useQuery(coverageQuery(id));
  const now = Math.ceil(useNow() / 60_000) * 60_000;
  const from = now - dayMs;
  const parts = stretches(data ?? [], from, now);
  const said = parts.map((part) => `${texts.coverageKind[part.kind]} ${clock(from + part.start * dayMs)}`).slice(-5);
  return (
    <div className="coverage" role="img" aria-label={`${texts.drawer.coverage}: ${said.join(", ")}`}>
      {parts.map((part) => (
        <span
          key={`${part.kind}${part.start}`}
          data-kind={part.kind}
          title={`${texts.coverageKind[part.kind]} ${clock(from + part.start * dayMs)}–${clock(from + part.end * dayMs)}${part.cause === null ? "" : `: ${causeText(part.cause)}`}`}
          style={{
            insetInlineStart: `${part.start * 100}%`,
            inlineSize: `max(2px, ${(part.end - part.start) * 100}%)`,
          }}
        />
      ))}
    </div>
  );
}

export function StationCoverage({ id }: { id: number }) {
  const { data: account } = useQuery(meQuery);
  const { data } = useQuery({ ...coverageQuery(id), enabled: account != null });
  if (!account || data === undefined) return null;
  return (
    <section className="section">
      <h3>{texts.drawer.coverage}</h3>
      {data.length === 0 ? <p className="quiet">{texts.drawer.coverageEmpty}</p> : <CoverageBand id={id} />}
      {data.length > 0 && <CoverageLegend />}
    </section>
  );
}

export function CoverageLegend() {
  return (
    <ul className="coverage-legend">
      {kinds.map((kind) => (
        <li key={kind}>
          <span className="coverage-key" data-kind={kind} aria-hidden="true" />
          {texts.coverageKind[kind]}
        </li>
      ))}
    </ul>
  );
}
