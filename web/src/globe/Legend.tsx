import { useQuery } from "@tanstack/react-query";
import { choicesQuery } from "../api/queries";
import type { GlobeState } from "../api/types";
import { useFilter } from "../catalogue/useCatalogue";
import { whole } from "../frame/format";
import { StateShape } from "../frame/StateMark";
import { texts } from "../texts";
import { usePoints } from "./points";

const states: readonly GlobeState[] = ["playing", "failing", "unproven", "retired"];

/** What shapes and colours mean, with how many are on the globe; a click on one shows only it. */
export function Legend() {
  const [filter, setFilter] = useFilter();
  const { tally } = usePoints();
  const { data } = useQuery(choicesQuery(filter));
  const placeless = data?.placeless ?? 0;
  return (
    <section className="legend" aria-label={texts.globe.legend}>
      <div className="legend-states">
        {states
          .filter((state) => tally.states[state] > 0 || filter.state === state)
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
              {texts.state[state]} <span className="figures quiet">{whole(tally.states[state])}</span>
            </button>
          ))}
      </div>
      {placeless > 0 && <p className="quiet figures">{texts.globe.placeless(placeless)}</p>}
    </section>
  );
}
