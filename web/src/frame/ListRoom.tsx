import type { ReactNode, RefObject } from "react";
import { Rows } from "./Rows";
import { Empty, Trouble } from "./Trouble";
import type { List } from "./useList";

type Props<T> = {
  list: List<T>;
  /** Where they are not the list's own: patched by events, or held still. */
  rows?: readonly T[];
  title: string;
  beside?: ReactNode;
  fresh?: ReactNode;
  empty: string;
  emptyHint?: string | undefined;
  signIn?: string | undefined;
  signInHint?: string | undefined;
  keyOf: (row: T) => string | number;
  heights: { wide: number; narrow: number };
  head: ReactNode;
  reading?: string;
  row: (row: T) => ReactNode;
  scroller?: RefObject<HTMLDivElement | null>;
  onScroll?: (atTop: boolean) => void;
};

/** A room that is one long list, with its title, its failure, its empty place and the pages that follow. */
export function ListRoom<T>(props: Props<T>) {
  const { list, title } = props;
  const rows = props.rows ?? list.rows;
  if (list.error !== null && rows.length === 0) {
    return (
      <div className="room">
        <Trouble error={list.error} retry={list.refetch} signIn={props.signIn} signInHint={props.signInHint} />
      </div>
    );
  }
  return (
    <div className="room">
      <div className="room-head">
        <h1>{title}</h1>
        {props.beside}
      </div>
      {props.fresh}
      {rows.length === 0 && !list.isPending ? (
        <Empty title={props.empty}>{props.emptyHint && <p>{props.emptyHint}</p>}</Empty>
      ) : (
        <Rows
          rows={rows}
          keyOf={props.keyOf}
          heightPx={list.wide ? props.heights.wide : props.heights.narrow}
          label={title}
          head={props.head}
          foot={list.isReadingMore && props.reading && <p className="rows-foot quiet">{props.reading}</p>}
          onEnd={list.more}
          row={props.row}
          scroller={props.scroller}
          onScroll={props.onScroll}
        />
      )}
    </div>
  );
}
