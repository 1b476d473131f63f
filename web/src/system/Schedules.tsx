import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { steerSchedule } from "../api/desk";
import { meQuery, schedulesQuery } from "../api/queries";
import type { Schedule } from "../api/types";
import { may } from "../app/access";
import { tell } from "../app/notices";
import { Ago } from "../frame/Ago";
import { decimal } from "../frame/format";
import { shortTrouble } from "../frame/Trouble";
import { every } from "../frame/time";
import { texts } from "../texts";
import { Mark, Panel } from "./Panel";
import { taskText } from "./Queues";

const t = texts.system;

/** What comes again and again: its last run and what came of it, its next, and the switches for those who run the house. */
export function Schedules() {
  const query = useQuery(schedulesQuery);
  const rows = query.data ?? [];
  return (
    <Panel title={t.schedules} empty={t.schedulesEmpty} isEmpty={rows.length === 0} query={query}>
      <ul className="lines">
        {rows.map((schedule) => (
          <Line key={schedule.name} schedule={schedule} />
        ))}
      </ul>
    </Panel>
  );
}

function Line({ schedule }: { schedule: Schedule }) {
  const { data: account } = useQuery(meQuery);
  return (
    <li className="line" data-off={!schedule.enabled || undefined} data-testid="schedule">
      <span className="line-main">
        <strong>{schedule.name}</strong>
        <span className="quiet figures">
          {schedule.daily_at === null ? `${t.every} ${every(schedule.every_s)}` : t.daily(schedule.daily_at)}
        </span>
      </span>
      <span className="line-end quiet">
        <Last schedule={schedule} />
        <span>
          {schedule.enabled ? (
            <>
              {t.due} <Ago at={schedule.next_due} due />
            </>
          ) : (
            t.off
          )}
        </span>
        {may(account, "system:write") && <Steer schedule={schedule} />}
      </span>
    </li>
  );
}

const goodness: Record<string, boolean> = { done: true, failed: false };

function Last({ schedule }: { schedule: Schedule }) {
  const { last } = schedule;
  return (
    <span title={last?.error ?? undefined}>
      {t.last} <Ago at={schedule.last_run} />
      {last != null && (
        <>
          {" "}
          <Mark good={goodness[last.status] ?? null}>
            {taskText(last.status)}
            {last.seconds != null && ` ${decimal(last.seconds, 1)} s`}
          </Mark>
        </>
      )}
    </span>
  );
}

function Steer({ schedule }: { schedule: Schedule }) {
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);

  async function steer(act: "run" | "pause" | "resume"): Promise<void> {
    setBusy(true);
    try {
      await steerSchedule(schedule.name, act);
      tell(t.steered[act] ?? act);
    } catch (error) {
      tell(shortTrouble(error), true);
    } finally {
      setBusy(false);
      for (const key of ["schedules", "tasks"]) void client.invalidateQueries({ queryKey: [key] });
    }
  }

  const other = schedule.enabled ? "pause" : "resume";
  return (
    <>
      <button type="button" className="link" disabled={busy} onClick={() => void steer("run")}>
        {t.run}
      </button>
      <button type="button" className="link" disabled={busy} onClick={() => void steer(other)}>
        {t[other]}
      </button>
    </>
  );
}
