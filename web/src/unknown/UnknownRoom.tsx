import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { unknownsQuery } from "../api/queries";
import type { UnknownState } from "../api/types";
import { useRoute } from "../app/route";
import { Rows } from "../frame/Rows";
import { Switch } from "../frame/Switch";
import { Empty, Trouble } from "../frame/Trouble";
import { useWide } from "../frame/useWide";
import { texts } from "../texts";
import { UnknownDrawer } from "./UnknownDrawer";
import { UnknownRow } from "./UnknownRow";

const t = texts.unknown;
const states = ["new", "named", "ignored"] as const;
const emptyOf: Record<UnknownState, string> = { new: t.empty, named: t.emptyNamed, ignored: t.emptyIgnored };

/** What was heard more than once and nobody has enrolled, the most frequent first. */
export function UnknownRoom() {
  const [route, go] = useRoute();
  const [state, setState] = useState<UnknownState>("new");
  const query = useInfiniteQuery({ ...unknownsQuery(state), placeholderData: keepPreviousData });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const wide = useWide();
  const rows = query.data?.pages.flatMap((page) => page.rows) ?? [];
  const selected = typeof route.id === "string" ? route.id : null;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const open = useCallback((id: string) => go({ room: "unknown", id }), [go]);

  if (query.error !== null) {
    return (
      <div className="room">
        <Trouble error={query.error} retry={() => void query.refetch()} signIn={t.signIn} signInHint={t.signInHint} />
      </div>
    );
  }
  return (
    <>
      <div className="room">
        <div className="room-head">
          <h1>{t.title}</h1>
          <Switch
            label={t.show}
            value={state}
            options={states}
            word={(option) => t.state[option] ?? option}
            pick={setState}
          />
        </div>
        {rows.length === 0 && !query.isPending ? (
          <Empty title={emptyOf[state]}>{state === "new" && <p>{t.emptyHint}</p>}</Empty>
        ) : (
          <Rows
            rows={rows}
            keyOf={(unknown) => unknown.id}
            heightPx={wide ? 52 : 64}
            label={t.title}
            head={<Head />}
            foot={isFetchingNextPage && <p className="rows-foot quiet">{t.more}</p>}
            onEnd={more}
            row={(unknown) => <UnknownRow unknown={unknown} selected={unknown.id === route.id} open={open} />}
          />
        )}
      </div>
      {selected !== null && <UnknownDrawer id={selected} />}
    </>
  );
}

function Head() {
  return (
    <div className="row rows-head unknown-row" aria-hidden="true">
      <span className="row-name">{t.recording}</span>
      <span className="cell cell-class">{t.class}</span>
      <span className="cell cell-plays">{t.times}</span>
      <span className="cell cell-stations">{t.stations}</span>
      <span className="cell cell-length">{t.length}</span>
      <span className="cell cell-heard">{t.last}</span>
    </div>
  );
}
