import { useState } from "react";
import type { Paged } from "../api/queries";
import { useKeys } from "../app/keyboard";
import { tell } from "../app/notices";
import { Empty, shortTrouble, Trouble } from "../frame/Trouble";
import { useList } from "../frame/useList";
import { texts } from "../texts";

export type Act<T> = { word: string; said: string; act: (item: T) => Promise<unknown>; primary?: boolean };

type Props<T> = {
  question: Paged<T>;
  keyOf: (item: T) => string | number;
  title: (item: T) => string;
  about: (item: T) => React.ReactNode;
  acts: readonly Act<T>[];
  empty: string;
};

/** What waits for a decision, one in front: arrow keys choose another, a number decides, and the next one follows. */
export function Desk<T>({ question, keyOf, title, about, acts, empty }: Props<T>) {
  const list = useList<T>("moderation", question);
  const [at, setAt] = useState(0);
  const [busy, setBusy] = useState(false);
  const place = Math.min(at, list.rows.length - 1);
  const item = list.rows[place];

  async function decide(act: Act<T> | undefined): Promise<void> {
    if (act === undefined || item === undefined || busy) return;
    setBusy(true);
    try {
      await act.act(item);
      tell(act.said);
    } catch (error) {
      tell(shortTrouble(error), true);
    } finally {
      setBusy(false);
      list.refetch();
    }
  }

  const move = (by: number) => {
    const to = Math.max(0, Math.min(list.rows.length - 1, place + by));
    setAt(to);
    if (to >= list.rows.length - 5) list.more();
  };
  const decisions = acts.map(
    (act, number) => [String(number + 1), (event: KeyboardEvent) => event.repeat || void decide(act)] as const,
  );
  useKeys(Object.fromEntries([["ArrowDown", () => move(1)], ["ArrowUp", () => move(-1)], ...decisions]));

  if (list.error !== null) return <Trouble error={list.error} retry={list.refetch} />;
  if (item === undefined) return <Empty title={list.isPending ? texts.drawer.loading : empty} />;
  return (
    <div className="desk">
      <ol className="desk-list" aria-label={texts.moderation.waiting}>
        {list.rows.map((row, index) => (
          <li key={keyOf(row)}>
            <button type="button" aria-current={index === place || undefined} onClick={() => setAt(index)}>
              {title(row)}
            </button>
          </li>
        ))}
        {list.hasMore && (
          <li>
            <button type="button" className="link" onClick={list.more}>
              {texts.stations.more}
            </button>
          </li>
        )}
      </ol>
      <section className="desk-item" data-testid="desk-item" key={keyOf(item)}>
        <h2>{title(item)}</h2>
        {about(item)}
        <div className="drawer-actions">
          {acts.map((act, number) => (
            <button
              key={act.word}
              type="button"
              className={act.primary ? "button primary" : "button"}
              disabled={busy}
              aria-keyshortcuts={String(number + 1)}
              onClick={() => void decide(act)}
            >
              {act.word} <kbd>{number + 1}</kbd>
            </button>
          ))}
        </div>
      </section>
    </div>
  );
}
