import { useEffect, useState } from "react";
import { useRoute } from "../app/route";
import { noFilter } from "../catalogue/filter";
import { catalogue, isFiltered, useFilter } from "../catalogue/useCatalogue";
import { tuner } from "../player/useTuner";
import { FilterBar } from "../stations/FilterBar";
import { texts } from "../texts";
import { GlobeCanvas } from "./GlobeCanvas";
import { Here } from "./Here";
import { JustHeard } from "./JustHeard";
import { Legend } from "./Legend";
import { LoadingLine } from "./LoadingLine";
import { Needle } from "./Needle";
import { points, usePoints } from "./points";
import type { Members } from "./view";

/** The globe with what floats over it. A click on a station plays it and shows it. */
export default function GlobeRoom() {
  const [route, go] = useRoute();
  const selected = typeof route.id === "number" ? route.id : null;
  const [filter, setFilter] = useFilter();
  const { tally, loading } = usePoints();
  const [here, setHere] = useState<Members | null>(null);
  const [centred, setCentred] = useState<number | null>(null);
  const [works, setWorks] = useState(true);
  useEffect(() => {
    points.show(filter);
    setHere(null);
  }, [filter]);

  function choose(id: number): void {
    go({ room: "globe", id });
    catalogue.one(id).then(
      (stream) => {
        if (stream.state !== "failing" && tuner.read().stream?.id !== id) void tuner.play(stream);
      },
      // The drawer beside tells why.
      () => undefined,
    );
  }

  return (
    <div className="globe-room" data-drawer={selected !== null || undefined}>
      {works ? (
        <GlobeCanvas
          selected={selected}
          choose={choose}
          chooseMany={setHere}
          centre={setCentred}
          fail={() => setWorks(false)}
        />
      ) : (
        <div className="empty">
          <p className="empty-title">{texts.globe.noWebgl}</p>
          <button type="button" className="button" onClick={() => go({ room: "stations", id: null })}>
            {texts.globe.toList}
          </button>
        </div>
      )}
      <div className="globe-top">
        <FilterBar />
        <LoadingLine />
      </div>
      <div className="globe-start">
        <JustHeard />
        <Legend />
      </div>
      {tally.total === 0 && loading.status === "ready" && (
        <Nothing filtered={isFiltered(filter)} clear={() => setFilter(noFilter)} />
      )}
      {works && <Needle id={centred} choose={choose} />}
      {here !== null && <Here members={here} choose={choose} close={() => setHere(null)} />}
    </div>
  );
}

/** An empty globe says why and what comes next. */
function Nothing({ filtered: isNarrowed, clear }: { filtered: boolean; clear: () => void }) {
  const t = texts.stations;
  return (
    <div className="globe-nothing" role="status">
      <p className="empty-title">{isNarrowed ? t.emptyFiltered : t.empty}</p>
      {isNarrowed ? (
        <button type="button" className="link" onClick={clear}>
          {texts.filter.reset}
        </button>
      ) : (
        <p className="quiet">{texts.globe.emptyHint}</p>
      )}
    </div>
  );
}
