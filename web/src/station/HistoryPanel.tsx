import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { historyQuery } from "../api/stations";
import type { History, Step } from "../api/types";
import { percent, whole } from "../frame/format";
import { Offered } from "../frame/Offered";
import { causeText } from "../frame/StateMark";
import { Switch } from "../frame/Switch";
import { every } from "../frame/time";
import { texts } from "../texts";

const HistoryChart = lazy(() => import("./HistoryChart"));
const steps: readonly Step[] = ["raw", "hour", "day"];
const t = texts.history;

/** How it went: response times, when it was up and down, and what went wrong how often. */
export function HistoryPanel({ id }: { id: number }) {
  const [step, setStep] = useState<Step>("hour");
  const query = useQuery(historyQuery(id, step));
  const rows = query.data ?? [];
  return (
    <Offered title={t.title} wide query={query} isEmpty={false} empty="" test="history">
      <Switch label={t.step} value={step} options={steps} word={(one) => t.steps[one] ?? one} pick={setStep} />
      {rows.length === 0 ? <p className="quiet panel-empty">{t.empty}</p> : <Shown rows={rows} />}
    </Offered>
  );
}

function Shown({ rows }: { rows: History }) {
  const { uptime, downS, causes } = summed(rows);
  return (
    <>
      <p className="figures quiet">
        {uptime !== null && t.uptime(percent(uptime, 1))} {downS > 0 && t.down(every(downS))}
      </p>
      <Suspense fallback={<div className="chart" />}>
        <HistoryChart rows={rows} />
      </Suspense>
      <div className="up-strip" role="img" aria-label={t.strip}>
        {rows.map((row) => (
          <span
            key={row.at}
            data-share={stripOf(row)}
            title={`${new Date(row.at).toLocaleString()} · ${row.successes}/${row.checks}`}
          />
        ))}
      </div>
      {causes.length > 0 && (
        <ul className="lines">
          {causes.map(([cause, times]) => (
            <li key={cause} className="line">
              <span>{causeText(cause)}</span>
              <span className="line-end figures quiet">{whole(times)}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

export type Row = History[number];

/** How much of a stretch was up: all, some, none, or nothing known. */
export function stripOf(row: Pick<Row, "checks" | "successes">): "all" | "some" | "none" | "unknown" {
  if (row.checks === 0) return "unknown";
  if (row.successes === row.checks) return "all";
  return row.successes === 0 ? "none" : "some";
}

/** The share of checks that went well, the time it was down, and the causes, most frequent first. */
export function summed(rows: readonly Row[]): { uptime: number | null; downS: number; causes: [string, number][] } {
  const causes = new Map<string, number>();
  let [checks, successes, downS] = [0, 0, 0];
  for (const row of rows) {
    checks += row.checks;
    successes += row.successes;
    downS += row.downtime_s;
    for (const [cause, times] of Object.entries(row.causes)) causes.set(cause, (causes.get(cause) ?? 0) + times);
  }
  return {
    uptime: checks === 0 ? null : successes / checks,
    downS,
    causes: [...causes].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0])),
  };
}
