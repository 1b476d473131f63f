import { useFilter } from "../catalogue/useCatalogue";
import { nameOf } from "../frame/format";
import { Icon } from "../frame/Icon";
import { Rows } from "../frame/Rows";
import { StateShape } from "../frame/StateMark";
import { Trouble } from "../frame/Trouble";
import { useStreamPages } from "../stations/useStreamPages";
import { texts } from "../texts";
import type { Members } from "./view";

const rowPx = 36;
const hairDeg = 1e-4; // places travel in single precision

/** The stations of a cluster that no zoom can part: a list that reads on as one scrolls, however many stand there. */
export function Here({
  members,
  choose,
  close,
}: {
  members: Members;
  choose: (id: number) => void;
  close: () => void;
}) {
  const [filter] = useFilter();
  const [west, south, east, north] = members.box;
  const bbox = [west - hairDeg, south - hairDeg, east + hairDeg, north + hairDeg]
    .map((deg) => deg.toFixed(5))
    .join(",");
  const { rows, more, query } = useStreamPages({ ...filter, bbox });
  return (
    <section className="here" aria-label={texts.globe.here(members.total)}>
      <header>
        <h2 className="figures">{texts.globe.here(members.total)}</h2>
        <button type="button" className="icon-button small" aria-label={texts.globe.close} onClick={close}>
          <Icon name="close" size={16} />
        </button>
      </header>
      {query.error !== null ? (
        <Trouble error={query.error} retry={() => void query.refetch()} />
      ) : (
        <Rows
          rows={rows}
          keyOf={(stream) => stream.id}
          heightPx={rowPx}
          label={texts.globe.here(members.total)}
          onEnd={more}
          row={(stream) => (
            <button type="button" className="here-row" data-row="" onClick={() => choose(stream.id)}>
              <StateShape state={stream.state} size={10} />
              <span>{nameOf(stream)}</span>
              <span className="quiet">{stream.city}</span>
            </button>
          )}
        />
      )}
    </section>
  );
}
