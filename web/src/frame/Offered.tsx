import type { ReactNode } from "react";
import { Problem } from "../api/request";
import { texts } from "../texts";
import { shortTrouble } from "./Trouble";

type Answer = { error: Error | null; isPending: boolean; refetch: () => unknown };
type Props = {
  title: string;
  note?: ReactNode;
  wide?: boolean;
  query: Answer;
  isEmpty: boolean;
  empty: string;
  test?: string;
  children: ReactNode;
};

/** Whether the server has nothing of the kind: another version, or nothing known of this stream. */
const lacks = (error: Error | null): boolean => error instanceof Problem && [404, 405, 501].includes(error.status);

/**
 * A part of a page with a state of its own: being read, empty, refused to this account, or failed and worth another try.
 * It takes no room where the server has nothing of the kind.
 */
export function Offered({ title, note, wide = false, query, isEmpty, empty, test, children }: Props) {
  if (lacks(query.error)) return null;
  return (
    <section className="panel" data-wide={wide || undefined} data-testid={test}>
      <header className="panel-head">
        <h2>{title}</h2>
        {note && <span className="quiet figures">{note}</span>}
      </header>
      <Content query={query} isEmpty={isEmpty} empty={empty}>
        {children}
      </Content>
    </section>
  );
}

function Content({ query, isEmpty, empty, children }: Pick<Props, "query" | "isEmpty" | "empty" | "children">) {
  const { error } = query;
  if (error instanceof Problem && error.status === 401) return <p className="quiet">{texts.station.signIn}</p>;
  if (error instanceof Problem && error.status === 403) return <p className="quiet">{texts.station.forbidden}</p>;
  if (error !== null) {
    return (
      <p role="alert">
        {shortTrouble(error)}{" "}
        <button type="button" className="link" onClick={() => void query.refetch()}>
          {texts.trouble.retry}
        </button>
      </p>
    );
  }
  if (query.isPending) return <p className="quiet panel-empty">{texts.drawer.loading}</p>;
  return isEmpty ? <p className="quiet panel-empty">{empty}</p> : children;
}
