import { useQuery } from "@tanstack/react-query";
import { schedulesQuery } from "../api/queries";
import { Ago } from "../frame/Ago";
import { every } from "../frame/time";
import { texts } from "../texts";
import { Panel } from "./Panel";

const t = texts.system;

export function Schedules() {
  const query = useQuery(schedulesQuery);
  const rows = query.data ?? [];
  return (
    <Panel title={t.schedules} empty={t.schedulesEmpty} isEmpty={rows.length === 0} query={query}>
      <ul className="lines">
        {rows.map((schedule) => (
          <li key={schedule.name} className="line" data-off={!schedule.enabled || undefined}>
            <span className="line-main">
              <strong>{schedule.name}</strong>
              <span className="quiet figures">
                {t.every} {every(schedule.every_s)}
              </span>
            </span>
            <span className="line-end quiet">
              <span>
                {t.last} <Ago at={schedule.last_run} />
              </span>
              <span>
                {schedule.enabled ? (
                  <>
                    {t.due} <Ago at={schedule.next_due} due />
                  </>
                ) : (
                  t.off
                )}
              </span>
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
