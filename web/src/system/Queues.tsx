import { useQuery } from "@tanstack/react-query";
import { tasksQuery } from "../api/queries";
import type { Task } from "../api/types";
import { Ago } from "../frame/Ago";
import { whole } from "../frame/format";
import { texts } from "../texts";
import { Panel } from "./Panel";

const t = texts.system;
const shownFailures = 6;

export type Queue = { name: string; counts: Map<string, number>; total: number };

export const taskText = (status: string): string => t.taskStatus[status] ?? status.replaceAll("_", " ");

/** Tasks counted by queue and by what is happening to them. */
export function queuesOf(tasks: readonly Pick<Task, "queue" | "status">[]): Queue[] {
  const queues = new Map<string, Queue>();
  for (const task of tasks) {
    const queue = queues.get(task.queue) ?? { name: task.queue, counts: new Map<string, number>(), total: 0 };
    const word = taskText(task.status);
    queue.counts.set(word, (queue.counts.get(word) ?? 0) + 1);
    queue.total += 1;
    queues.set(task.queue, queue);
  }
  return [...queues.values()].sort((a, b) => a.name.localeCompare(b.name));
}

const hasFailed = (task: Task): boolean => task.status === "failed";

export function Queues() {
  const query = useQuery(tasksQuery);
  const tasks = query.data ?? [];
  const failures = tasks.filter(hasFailed).slice(0, shownFailures);
  return (
    <Panel title={t.queues} empty={t.queuesEmpty} isEmpty={tasks.length === 0} query={query}>
      <ul className="lines">
        {queuesOf(tasks).map((queue) => (
          <li key={queue.name} className="line">
            <strong>{queue.name}</strong>
            <span className="line-end figures">
              {[...queue.counts].map(([word, count]) => (
                <span key={word} className="tally">
                  {whole(count)} <span className="quiet">{word}</span>
                </span>
              ))}
            </span>
          </li>
        ))}
      </ul>
      {failures.length > 0 && (
        <>
          <h3 className="panel-sub">{t.recentFailures}</h3>
          <ul className="lines">
            {failures.map((task) => (
              <li key={task.id} className="line">
                <span className="line-main">
                  <strong>{task.name}</strong>
                  <span className="quiet">{task.error ?? t.attempts(task.attempts)}</span>
                </span>
                <span className="line-end">
                  <Ago at={task.created_at} />
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
    </Panel>
  );
}
