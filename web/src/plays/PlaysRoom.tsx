import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useMemo, useRef, useState } from "react";
import { playsQuery } from "../api/queries";
import { useRoute } from "../app/route";
import { useFilter } from "../catalogue/useCatalogue";
import { Fresh } from "../frame/Fresh";
import { Rows } from "../frame/Rows";
import { Empty, Trouble } from "../frame/Trouble";
import { useWide } from "../frame/useWide";
import { merged, useLivePlays } from "../live/plays";
import { texts } from "../texts";
import { PlayDrawer } from "./PlayDrawer";
import { PlayRow } from "./PlayRow";
import { type Frozen, freeze, held, matching } from "./shown";

const t = texts.plays;

/** The log, newest first. While one reads further down nothing moves; a button says how many are new. */
export function PlaysRoom() {
  const [route, go] = useRoute();
  const [filter] = useFilter();
  const search = filter.q === "" ? {} : { q: filter.q };
  const query = useInfiniteQuery({ ...playsQuery(search), placeholderData: keepPreviousData });
  const live = useLivePlays();
  const [frozen, setFrozen] = useState<Frozen | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const wide = useWide();
  const { data, hasNextPage, isFetchingNextPage, fetchNextPage } = query;

  const all = useMemo(() => {
    const arrived = new Map(matching([...live.values()], filter.q).map((play) => [play.id, play]));
    return merged(data?.pages.flatMap((page) => page.rows) ?? [], arrived);
  }, [data, live, filter.q]);
  const shown = useMemo(() => held(all, frozen), [all, frozen]);
  const fresh = all.length - shown.length;
  const selected = typeof route.id === "string" ? route.id : null;

  const more = useCallback(() => {
    if (hasNextPage && !isFetchingNextPage) void fetchNextPage();
  }, [hasNextPage, isFetchingNextPage, fetchNextPage]);
  const open = useCallback((id: string) => go({ room: "plays", id }), [go]);

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
        </div>
        {fresh > 0 && <Fresh text={t.fresh(fresh)} show={() => scroller.current?.scrollTo({ top: 0 })} />}
        {shown.length === 0 && !query.isPending ? (
          <Empty title={filter.q === "" ? t.empty : t.noMatch}>{filter.q === "" && <p>{t.emptyHint}</p>}</Empty>
        ) : (
          <Rows
            rows={shown}
            keyOf={(play) => play.id}
            heightPx={wide ? 52 : 64}
            label={t.title}
            scroller={scroller}
            head={<Head />}
            foot={isFetchingNextPage && <p className="rows-foot quiet">{t.more}</p>}
            onEnd={more}
            onScroll={(atTop) => setFrozen((before) => (atTop ? null : (before ?? freeze(all))))}
            row={(play) => <PlayRow play={play} selected={play.id === route.id} open={open} />}
          />
        )}
      </div>
      {selected !== null && <PlayDrawer id={selected} known={all.find((play) => play.id === selected) ?? null} />}
    </>
  );
}

function Head() {
  return (
    <div className="row rows-head play-row" aria-hidden="true">
      <span />
      <span className="row-name">{t.song}</span>
      <span className="cell cell-station">{t.station}</span>
      <span className="cell cell-length">{t.length}</span>
      <span className="cell cell-confidence">{t.confidence}</span>
      <span className="cell cell-started">{t.started}</span>
    </div>
  );
}
