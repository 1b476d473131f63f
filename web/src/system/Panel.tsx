import type { ReactNode } from "react";
import { Trouble } from "../frame/Trouble";

type Answer = { error: Error | null; isSuccess: boolean; refetch: () => unknown };
type Props = {
  title: string;
  note?: string;
  wide?: boolean;
  empty: string;
  isEmpty: boolean;
  query: Answer;
  children: ReactNode;
};

/** A titled part of the room with its own failure and its own empty place. */
export function Panel({ title, note, wide = false, empty, isEmpty, query, children }: Props) {
  return (
    <section className="panel" data-wide={wide || undefined}>
      <header className="panel-head">
        <h2>{title}</h2>
        {note && <span className="quiet figures">{note}</span>}
      </header>
      {query.error !== null ? (
        <Trouble error={query.error} retry={() => void query.refetch()} />
      ) : isEmpty && query.isSuccess ? (
        <p className="panel-empty quiet">{empty}</p>
      ) : (
        children
      )}
    </section>
  );
}

export function Mark({ good, children }: { good: boolean | null; children: ReactNode }) {
  const state = good === null ? "unproven" : good ? "playing" : "failing";
  return (
    <span className="state-mark" data-state={state}>
      <span className="mark" data-state={state} aria-hidden="true" />
      {children}
    </span>
  );
}
