import { useMemo, useState } from "react";
import type { Stream } from "../api/types";
import { useRoute } from "../app/route";
import { filtered, noFilter } from "../catalogue/filter";
import { isFiltered, useCatalogue, useFilter } from "../catalogue/useCatalogue";
import { tuner } from "../player/useTuner";
import { FilterBar } from "../stations/FilterBar";
import { LoadingLine } from "../stations/StationsRoom";
import { texts } from "../texts";
import { GlobeCanvas } from "./GlobeCanvas";
import { Here } from "./Here";
import { JustHeard } from "./JustHeard";
import { Legend } from "./Legend";
import { Needle } from "./Needle";

/** The globe with what floats over it. A click on a station plays it and shows it. */
export default function GlobeRoom() {
  const [route, go] = useRoute();
  const selected = typeof route.id === "number" ? route.id : null;
  const [filter, setFilter] = useFilter();
  const { streams, changes, loading } = useCatalogue();
  const [here, setHere] = useState<readonly number[]>([]);
  const [centred, setCentred] = useState<Stream | null>(null);
  const [works, setWorks] = useState(true);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the map is one object for ever; `changes` tells when it differs
  const shown = useMemo(() => filtered(streams.values(), filter), [streams, changes, filter]);

  function choose(id: number): void {
    const stream = streams.get(id);
    if (stream === undefined) return;
    if (stream.state !== "failing" && tuner.read().stream?.id !== id) void tuner.play(stream);
    go({ room: "globe", id });
  }

  return (
    <div className="globe-room" data-drawer={selected !== null || undefined}>
      {works ? (
        <GlobeCanvas
          shown={shown}
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
        <Legend shown={shown} />
      </div>
      {shown.length === 0 && loading.status === "ready" && (
        <Nothing filtered={isFiltered(filter)} clear={() => setFilter(noFilter)} />
      )}
      {works && <Needle stream={centred} choose={choose} />}
      {here.length > 0 && <Here ids={here} choose={choose} close={() => setHere([])} />}
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
