import { texts } from "../texts";
import { absolute, relative, useNow } from "./time";

// A due time that has just passed is being worked on; only later it is worth a look.
const overdueMs = 60_000;

const clamped = (moment: number, now: number, due: boolean): number =>
  due ? Math.max(moment, now) : Math.min(moment, now);

/**
 * A moment relative to now, with the absolute time on hover. What has happened is never shown in the future, whatever
 * the two clocks say; `due` is for what is still to come.
 */
export function Ago({ at, due = false }: { at: string | null; due?: boolean }) {
  const now = useNow();
  const moment = at === null ? Number.NaN : Date.parse(at);
  if (at === null || Number.isNaN(moment)) return <span className="quiet">{texts.time.never}</span>;
  return (
    <time dateTime={at} title={absolute(moment)} className="figures">
      {relative(due && now - moment > overdueMs ? moment : clamped(moment, now, due), now)}
    </time>
  );
}
