import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { choicesQuery, streamsQuery } from "../api/queries";
import { catalogue, isFiltered, useCatalogue, useFilter } from "../catalogue/useCatalogue";
import { Fresh } from "../frame/Fresh";
import { Icon } from "../frame/Icon";
import { ListRoom } from "../frame/ListRoom";
import { useList } from "../frame/useList";
import { texts } from "../texts";
import { AddStream } from "./AddStream";
import { FilterBar } from "./FilterBar";
import { StationRow } from "./StationRow";

const t = texts.stations;

/** The catalogue as the server orders it: the best matches of a search, else the most reliable first. */
export function StationsRoom() {
  const [filter] = useFilter();
  const [adding, setAdding] = useState(false);
  const list = useList("stations", streamsQuery(filter));
  const { data: every } = useQuery(choicesQuery());
  const { data: found } = useQuery(choicesQuery(filter));
  const { streams, changes } = useCatalogue();
  const { rows: read, open } = list;
  useEffect(() => catalogue.put(read), [read]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the map is one object for ever; `changes` tells when it differs
  const rows = useMemo(() => read.map((stream) => streams.get(stream.id) ?? stream), [read, streams, changes]);
  const { fresh, scroller, onScroll, show } = useNewcomers(found?.total ?? null, filter);
  return (
    <>
      <ListRoom
        list={list}
        rows={rows}
        title={t.title}
        beside={
          <>
            <p className="quiet figures">{found && every && t.shown(found.total, every.total)}</p>
            <FilterBar />
            <button type="button" className="button room-add" onClick={() => setAdding(true)}>
              <Icon name="plus" size={18} />
              <span>{t.add}</span>
            </button>
          </>
        }
        fresh={fresh > 0 && <Fresh text={t.fresh(fresh)} show={show} />}
        empty={isFiltered(filter) ? t.emptyFiltered : t.empty}
        emptyHint={isFiltered(filter) ? undefined : t.emptyHint}
        keyOf={(stream) => stream.id}
        heights={{ wide: 56, narrow: 64 }}
        scroller={scroller}
        onScroll={onScroll}
        head={<Head />}
        reading={t.more}
        row={(stream) => <StationRow stream={stream} selected={list.selected === stream.id} open={open} />}
      />
      {adding && <AddStream close={() => setAdding(false)} open={open} />}
    </>
  );
}

/** Stations that came since the list was read: at the top it is read anew, further down they wait, counted. */
function useNewcomers(total: number | null, question: object) {
  const client = useQueryClient();
  const scroller = useRef<HTMLDivElement>(null);
  const [atTop, setAtTop] = useState(true);
  const counted = useRef<{ question: object; total: number } | null>(null);
  const before = counted.current?.question === question ? counted.current.total : null;
  const fresh = total === null || before === null ? 0 : Math.max(0, total - before);
  const again = useCallback(() => {
    counted.current = null;
    void client.invalidateQueries({ queryKey: ["streams"] });
  }, [client]);
  useEffect(() => {
    if (total === null) return;
    if (before === null) counted.current = { question, total };
    else if (total !== before && atTop) again();
  }, [total, before, question, atTop, again]);
  const show = useCallback(() => {
    scroller.current?.scrollTo({ top: 0 });
    again();
  }, [again]);
  return { fresh: atTop ? 0 : fresh, scroller, onScroll: setAtTop, show };
}

function Head() {
  return (
    <div className="row rows-head station-row" aria-hidden="true">
      <span className="row-play" />
      <span className="row-name">{t.name}</span>
      <span className="cell cell-place">{t.country}</span>
      <span className="cell cell-state">{t.state}</span>
      <span className="cell cell-sound">{t.sound}</span>
      <span className="cell cell-reliability">{t.reliability}</span>
      <span className="cell cell-checked">{t.checked}</span>
    </div>
  );
}
