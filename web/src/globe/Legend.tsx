import { useMemo } from "react";
import type { Stream, StreamState } from "../api/types";
import { useFilter } from "../catalogue/useCatalogue";
import { whole } from "../frame/format";
import { StateShape } from "../frame/StateMark";
import { texts } from "../texts";
import { hasPlace } from "./points";

const states: readonly StreamState[] = ["playing", "failing", "unproven", "retired"];

/** What shapes and colours mean, with how many there are; a click on one shows only it. */
export function Legend({ shown }: { shown: readonly Stream[] }) {
  const [filter, setFilter] = useFilter();
  const { counts, placeless } = useMemo(() => tally(shown), [shown]);
  return (
    <section className="legend" aria-label={texts.globe.legend}>
      <div className="legend-states">
        {states
          .filter((state) => counts[state] > 0 || filter.state === state)
          .map((state) => (
            <button
              key={state}
              type="button"
              className="legend-state"
              data-state={state}
              aria-pressed={filter.state === state}
              title={texts.stateHint[state]}
              onClick={() => setFilter({ state: filter.state === state ? "" : state })}
            >
              <StateShape state={state} />
              {texts.state[state]} <span className="figures quiet">{whole(counts[state])}</span>
            </button>
          ))}
      </div>
      {placeless > 0 && <p className="quiet figures">{texts.globe.placeless(placeless)}</p>}
    </section>
  );
}

function tally(streams: readonly Stream[]): { counts: Record<StreamState, number>; placeless: number } {
  const counts: Record<StreamState, number> = { playing: 0, failing: 0, unproven: 0, retired: 0 };
  let placeless = 0;
  for (const stream of streams) {
    counts[stream.state] += 1;
    if (!hasPlace(stream)) placeless += 1;
  }
  return { counts, placeless };
}
