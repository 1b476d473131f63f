import { useMemo, useRef, useState } from "react";
import { playsQuery } from "../api/queries";
import { useFilter } from "../catalogue/useCatalogue";
import { Fresh } from "../frame/Fresh";
import { ListRoom } from "../frame/ListRoom";
import { useList } from "../frame/useList";
import { merged, useLivePlays } from "../live/plays";
import { texts } from "../texts";
import { PlayDrawer } from "./PlayDrawer";
import { PlayRow } from "./PlayRow";
import { type Frozen, freeze, held, matching } from "./shown";

const t = texts.plays;

/** The log, newest first. While one reads further down nothing moves; a button says how many are new. */
export function PlaysRoom() {
  const [filter] = useFilter();
  const list = useList("plays", playsQuery(filter.q === "" ? {} : { q: filter.q }));
  const live = useLivePlays();
  const [frozen, setFrozen] = useState<Frozen | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const { rows, selected } = list;

  const all = useMemo(() => {
    const arrived = new Map(matching([...live.values()], filter.q).map((play) => [play.id, play]));
    return merged(rows, arrived);
  }, [rows, live, filter.q]);
  const shown = useMemo(() => held(all, frozen), [all, frozen]);
  const fresh = all.length - shown.length;
  return (
    <>
      <ListRoom
        list={list}
        rows={shown}
        title={t.title}
        fresh={fresh > 0 && <Fresh text={t.fresh(fresh)} show={() => scroller.current?.scrollTo({ top: 0 })} />}
        empty={filter.q === "" ? t.empty : t.noMatch}
        emptyHint={filter.q === "" ? t.emptyHint : undefined}
        signIn={t.signIn}
        signInHint={t.signInHint}
        keyOf={(play) => play.id}
        heights={{ wide: 52, narrow: 64 }}
        scroller={scroller}
        head={<Head />}
        reading={t.more}
        onScroll={(atTop) => setFrozen((before) => (atTop ? null : (before ?? freeze(all))))}
        row={(play) => <PlayRow play={play} selected={play.id === selected} open={list.open} />}
      />
      {typeof selected === "string" && (
        <PlayDrawer id={selected} known={all.find((play) => play.id === selected) ?? null} />
      )}
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
