import { useMemo, useState } from "react";
import type { Stream } from "../api/types";
import { useRoute } from "../app/route";
import { filtered } from "../catalogue/filter";
import { useCatalogue, useFilter } from "../catalogue/useCatalogue";
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
  const [filter] = useFilter();
  const { streams, changes } = useCatalogue();
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
      {works && <Needle stream={centred} choose={choose} />}
      {here.length > 0 && <Here ids={here} choose={choose} close={() => setHere([])} />}
    </div>
  );
}
