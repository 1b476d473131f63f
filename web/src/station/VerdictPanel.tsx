import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { meQuery } from "../api/queries";
import { confirmVerdict, verdictQuery } from "../api/stations";
import type { Verdict } from "../api/types";
import { may } from "../app/access";
import { tell } from "../app/notices";
import { Ago } from "../frame/Ago";
import { Fact } from "../frame/Drawer";
import { percent } from "../frame/format";
import { Offered } from "../frame/Offered";
import { causeText } from "../frame/StateMark";
import { shortTrouble } from "../frame/Trouble";
import { texts } from "../texts";

const t = texts.verdict;
export const labels = Object.keys(t.label);

/** What a close look at the stream found, with its reasons, and what people say of it. */
export function VerdictPanel({ id }: { id: number }) {
  const query = useQuery(verdictQuery(id));
  const verdict = query.data;
  return (
    <Offered
      title={t.title}
      note={verdict?.model_version}
      query={query}
      isEmpty={verdict?.looked_at == null}
      empty={verdict?.error ?? t.empty}
      test="verdict"
    >
      {verdict && <Facts verdict={verdict} />}
      {verdict?.class != null && <Confirm key={verdict.looked_at} verdict={verdict} />}
    </Offered>
  );
}

export const labelText = (label: string | null | undefined): string =>
  label == null ? "–" : (t.label[label] ?? label);

function Facts({ verdict }: { verdict: Verdict }) {
  const { confidence, risk_score: risk, quality, is_valid: isValid } = verdict;
  const [reasons, faults] = [verdict.reasons ?? [], verdict.faults ?? []];
  return (
    <>
      <dl className="facts">
        <Fact name={t.class}>{labelText(verdict.class)}</Fact>
        <Fact name={t.valid}>
          {isValid != null && `${isValid ? t.yes : t.no}${confidence == null ? "" : ` (${percent(confidence)})`}`}
        </Fact>
        <Fact name={t.risk}>{risk != null && percent(risk)}</Fact>
        <Fact name={texts.drawer.quality}>{quality != null && percent(quality)}</Fact>
        <Fact name={t.faults}>{faults.map(causeText).join(", ")}</Fact>
        <Fact name={t.looked}>
          <Ago at={verdict.looked_at ?? null} />
        </Fact>
      </dl>
      {reasons.length > 0 && (
        <ul className="reasons">
          {reasons.map((reason) => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
    </>
  );
}

/** One click says that the look was right; choosing another class says what it should have been. */
export function Confirm({ verdict, done }: { verdict: Verdict; done?: () => void }) {
  const { data: account } = useQuery(meQuery);
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);
  if (!may(account, "stations:write")) return null;

  async function say(label: string | null): Promise<void> {
    setBusy(true);
    try {
      await confirmVerdict(verdict.stream_id, label);
      tell(label === null ? t.confirmed : t.corrected(labelText(label)));
      await client.invalidateQueries({ queryKey: ["verdict", verdict.stream_id] });
      done?.();
    } catch (error) {
      tell(shortTrouble(error), true);
    } finally {
      setBusy(false);
    }
  }

  return (
    <div className="drawer-actions">
      <button type="button" className="button" disabled={busy} onClick={() => void say(null)}>
        {t.confirm}
      </button>
      <label className="pick">
        <span className="sr-only">{t.correct}</span>
        <select value="" disabled={busy} onChange={(event) => void say(event.target.value)}>
          <option value="">{t.correct}</option>
          {labels
            .filter((label) => label !== verdict.class)
            .map((label) => (
              <option key={label} value={label}>
                {labelText(label)}
              </option>
            ))}
        </select>
      </label>
    </div>
  );
}
