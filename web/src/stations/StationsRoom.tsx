import { useCallback, useState } from "react";
import { useRoute } from "../app/route";
import type { Sort } from "../catalogue/filter";
import { catalogue, isFiltered, useCatalogue, useFilter, useOrder } from "../catalogue/useCatalogue";
import { Fresh } from "../frame/Fresh";
import { Icon } from "../frame/Icon";
import { Rows } from "../frame/Rows";
import { Empty, Trouble } from "../frame/Trouble";
import { useWide } from "../frame/useWide";
import { texts } from "../texts";
import { AddStream } from "./AddStream";
import { FilterBar } from "./FilterBar";
import { StationRow } from "./StationRow";
import { useStill } from "./useStill";

const rowPx = 56;
const t = texts.stations;

export function StationsRoom() {
  const [route, go] = useRoute();
  const [filter] = useFilter();
  const [sort, setSort] = useState<Sort>({ by: "name", down: false });
  const [adding, setAdding] = useState(false);
  const { streams, loading } = useCatalogue();
  const current = useOrder(filter, sort);
  const { ids, fresh, onScroll, scroller, toTop } = useStill(current, filter, sort);
  const wide = useWide();
  const open = useCallback((id: number) => go({ room: "stations", id }), [go]);

  return (
    <div className="room">
      <div className="room-head">
        <h1>{t.title}</h1>
        <p className="quiet figures">{t.shown(current.length, streams.size)}</p>
        <FilterBar />
        <button type="button" className="button room-add" onClick={() => setAdding(true)}>
          <Icon name="plus" size={18} />
          <span>{t.add}</span>
        </button>
      </div>
      <LoadingLine />
      {fresh > 0 && <Fresh text={t.fresh(fresh)} show={toTop} />}
      {ids.length === 0 && loading.status === "failed" && loading.problem !== null ? (
        <Trouble error={loading.problem} retry={() => void catalogue.load()} />
      ) : ids.length === 0 && loading.status !== "loading" ? (
        <Empty title={isFiltered(filter) ? t.emptyFiltered : t.empty}>
          {!isFiltered(filter) && <p>{t.emptyHint}</p>}
        </Empty>
      ) : (
        <Rows
          rows={ids}
          keyOf={(id) => id}
          heightPx={wide ? rowPx : 64}
          label={t.title}
          scroller={scroller}
          onScroll={onScroll}
          head={<Head sort={sort} setSort={setSort} />}
          row={(id) => {
            const stream = streams.get(id);
            return stream && <StationRow stream={stream} selected={route.id === id} open={open} />;
          }}
        />
      )}
      {adding && <AddStream close={() => setAdding(false)} open={open} />}
    </div>
  );
}

const columns: [Sort["by"] | null, string, string][] = [
  ["name", "row-name", t.name],
  ["country", "cell-place", t.country],
  [null, "cell-state", t.state],
  ["bitrate", "cell-sound", t.sound],
  ["reliability", "cell-reliability", t.reliability],
  ["checked", "cell-checked", t.checked],
];

function Head({ sort, setSort }: { sort: Sort; setSort: (sort: Sort) => void }) {
  return (
    <div className="row rows-head station-row">
      <span className="row-play" />
      {columns.map(([by, cell, title]) =>
        by === null ? (
          <span key={cell} className={`cell ${cell}`}>
            {title}
          </span>
        ) : (
          <button
            key={cell}
            type="button"
            className={`cell sort ${cell}`}
            aria-label={t.sortBy(title)}
            aria-pressed={sort.by === by}
            onClick={() => setSort({ by, down: sort.by === by ? !sort.down : by !== "name" && by !== "country" })}
          >
            {title}
            {sort.by === by && <Icon name={sort.down ? "down" : "up"} size={14} />}
          </button>
        ),
      )}
    </div>
  );
}

/** How far the catalogue has been read, with a way to stop and to go on. */
export function LoadingLine() {
  const { loading, streams } = useCatalogue();
  if (loading.status === "ready") return null;
  if (loading.status === "failed" && streams.size === 0) return null;
  return (
    <div className="loading-line" role="status">
      {loading.status === "loading" && <progress aria-label={t.loading(loading.loaded)} />}
      <span className="figures">
        {loading.status === "loading" ? t.loading(loading.loaded) : t.stopped(loading.loaded)}
      </span>
      {loading.status === "loading" ? (
        <button type="button" className="link" onClick={() => catalogue.cancel()}>
          {t.stop}
        </button>
      ) : (
        <button type="button" className="link" onClick={() => void catalogue.load()}>
          {t.resume}
        </button>
      )}
    </div>
  );
}
