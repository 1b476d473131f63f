import { catalogue } from "../catalogue/useCatalogue";
import { nameOf } from "../frame/format";
import { Icon } from "../frame/Icon";
import { StateShape } from "../frame/StateMark";
import { texts } from "../texts";

/** The stations of a cluster that no zoom can part, because they stand at the same place. */
export function Here({
  ids,
  choose,
  close,
}: {
  ids: readonly number[];
  choose: (id: number) => void;
  close: () => void;
}) {
  const { streams } = catalogue.read();
  const here = ids.map((id) => streams.get(id)).filter((stream) => stream !== undefined);
  return (
    <section className="here" aria-label={texts.globe.here(here.length)}>
      <header>
        <h2 className="figures">{texts.globe.here(here.length)}</h2>
        <button type="button" className="icon-button small" aria-label={texts.globe.close} onClick={close}>
          <Icon name="close" size={16} />
        </button>
      </header>
      <ul>
        {here.map((stream) => (
          <li key={stream.id}>
            <button type="button" onClick={() => choose(stream.id)}>
              <StateShape state={stream.state} size={10} />
              <span>{nameOf(stream)}</span>
              <span className="quiet">{stream.city}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
