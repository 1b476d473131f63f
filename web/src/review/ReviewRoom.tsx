import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useState } from "react";
import { reviewsQuery } from "../api/queries";
import type { Review } from "../api/types";
import { useRoute } from "../app/route";
import { Rows } from "../frame/Rows";
import { Switch } from "../frame/Switch";
import { Empty, Trouble } from "../frame/Trouble";
import { useWide } from "../frame/useWide";
import { texts } from "../texts";
import { ReviewDrawer } from "./ReviewDrawer";
import { ReviewRow } from "./ReviewRow";

const t = texts.review;
const states = ["open", "decided"] as const;

/** Sounds on which people decide: what waits first, what was decided on request. */
export function ReviewRoom() {
  const [route, go] = useRoute();
  const [state, setState] = useState<Review["state"]>("open");
  const query = useInfiniteQuery({ ...reviewsQuery(state), placeholderData: keepPreviousData });
  const { hasNextPage, isFetchingNextPage, fetchNextPage } = query;
  const wide = useWide();
  const rows = query.data?.pages.flatMap((page) => page.rows) ?? [];
  const selected = typeof route.id === "string" ? route.id : null;
  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const open = useCallback((id: string) => go({ room: "review", id }), [go]);

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
          <Empty title={state === "open" ? t.empty : t.emptyDecided}>
            <p>{t.emptyHint}</p>
          </Empty>
        ) : (
          <Rows
            rows={rows}
            keyOf={(review) => review.id}
            heightPx={wide ? 52 : 96}
            label={t.title}
            head={<Head />}
            foot={isFetchingNextPage && <p className="rows-foot quiet">{t.more}</p>}
            onEnd={more}
            row={(review) => <ReviewRow review={review} selected={review.id === route.id} open={open} />}
          />
        )}
      </div>
      {selected !== null && <ReviewDrawer id={selected} shown={rows} />}
    </>
  );
}

function Head() {
  return (
    <div className="row rows-head review-row" aria-hidden="true">
      <span className="row-name">{t.local}</span>
      <span className="cell cell-outside">{t.outside}</span>
      <span className="cell cell-confidence">{t.score}</span>
      <span className="cell cell-station">{texts.plays.station}</span>
      <span className="cell cell-heard">{t.heard}</span>
    </div>
  );
}
