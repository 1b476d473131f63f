import { useQuery } from "@tanstack/react-query";
import { checksQuery } from "../api/queries";
import type { Check } from "../api/types";
import { Ago } from "../frame/Ago";
import { kbps, percent, whole } from "../frame/format";
import { joined } from "../frame/joined";
import { Offered } from "../frame/Offered";
import { causeText, StateShape } from "../frame/StateMark";
import { texts } from "../texts";

const t = texts.station;
const here = "here";

/** What every proof found: how deep it reached, why it failed and how sure that is, from where it was made. */
export function Evidence({ id }: { id: number }) {
  const query = useQuery(checksQuery(id));
  const checks = query.data ?? [];
  return (
    <Offered
      title={t.evidence}
      wide
      query={query}
      isEmpty={checks.length === 0}
      empty={texts.drawer.checksEmpty}
      test="evidence"
    >
      <ul className="proofs">
        {checks.map((check) => (
          <Proof key={`${check.checked_at} ${check.vantage}`} check={check} />
        ))}
      </ul>
    </Offered>
  );
}

function Proof({ check }: { check: Check }) {
  const why = check.cause === null ? null : causeText(check.cause);
  const sure = "cause_confidence" in check ? (check.cause_confidence as number | null) : null;
  const facts = joined(
    [
      check.http_status !== null && `HTTP ${check.http_status}`,
      check.response_time_ms !== null && `${whole(check.response_time_ms)} ms`,
      check.bandwidth_kbps !== null && kbps(check.bandwidth_kbps),
      check.codec?.toUpperCase(),
      check.sample_rate_hz !== null && `${whole(check.sample_rate_hz)} Hz`,
    ],
    " · ",
  );
  return (
    <li className="proof" title={check.detail ?? undefined}>
      <StateShape state={check.is_healthy ? "playing" : "failing"} size={10} />
      <Level level={check.level} />
      <span className="proof-why">
        {why ?? (check.is_healthy ? texts.drawer.healthy : texts.drawer.unhealthy)}
        {why !== null && sure != null && <span className="quiet figures"> {t.sure(percent(sure))}</span>}
        {check.warnings.length > 0 && <span className="quiet"> · {check.warnings.map(causeText).join(", ")}</span>}
      </span>
      <span className="quiet figures proof-facts">{facts}</span>
      <span className="quiet">{check.vantage === here ? "" : t.from(check.vantage)}</span>
      <Ago at={check.checked_at} />
    </li>
  );
}

const levels = [0, 1, 2, 3, 4] as const;

/** How far a proof came, as five steps. */
function Level({ level }: { level: number }) {
  const word = t.level[level] ?? t.level[-1] ?? "";
  return (
    <span className="level" role="img" aria-label={word} title={word}>
      {levels.map((step) => (
        <span key={step} data-reached={step <= level || undefined} />
      ))}
    </span>
  );
}
