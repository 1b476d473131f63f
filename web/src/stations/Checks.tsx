import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { checksQuery, metricsQuery } from "../api/queries";
import type { Check, Stream } from "../api/types";
import { Ago } from "../frame/Ago";
import { kbps, whole } from "../frame/format";
import { causeText, StateShape } from "../frame/StateMark";
import { Trouble } from "../frame/Trouble";
import { texts } from "../texts";

const HealthChart = lazy(() => import("./HealthChart"));
const fewest = 3;
const shown = 8;
const t = texts.drawer;

/** The stream's health: the trend over its probes, then the last ones in words. */
export function Checks({ stream }: { stream: Stream }) {
  const checks = useQuery(checksQuery(stream.id));
  const metrics = useQuery(metricsQuery(stream.id));
  const points =
    metrics.data?.filter((metric) => metric.response_time_ms !== null || metric.bandwidth_kbps !== null) ?? [];
  return (
    <section className="section">
      <h3>{t.health}</h3>
      {points.length >= fewest ? (
        <Suspense fallback={<div className="chart" />}>
          <HealthChart metrics={points} />
        </Suspense>
      ) : (
        metrics.isSuccess && <p className="quiet">{t.chartFew}</p>
      )}
      {checks.error !== null && <Trouble error={checks.error} retry={() => void checks.refetch()} />}
      {checks.data?.length === 0 && <p className="quiet">{t.checksEmpty}</p>}
      <ul className="checks">
        {checks.data?.slice(0, shown).map((check) => (
          <CheckLine key={`${check.checked_at}${check.level}`} check={check} />
        ))}
      </ul>
    </section>
  );
}

function CheckLine({ check }: { check: Check }) {
  const why = check.cause === null ? null : causeText(check.cause);
  const facts = [
    check.response_time_ms === null ? null : `${whole(check.response_time_ms)} ms`,
    check.bandwidth_kbps === null ? null : kbps(check.bandwidth_kbps),
    check.codec?.toUpperCase(),
  ].filter((fact) => fact != null);
  return (
    <li className="check" title={check.detail ?? undefined}>
      <StateShape state={check.is_healthy ? "playing" : "failing"} size={10} />
      <span className="check-what">
        {check.is_healthy ? (why ?? t.healthy) : (why ?? t.unhealthy)}
        {check.permanent === true && !check.is_healthy && <span className="quiet"> · {t.permanent}</span>}
      </span>
      <span className="quiet figures check-facts">{facts.join(" · ")}</span>
      <Ago at={check.checked_at} />
    </li>
  );
}
