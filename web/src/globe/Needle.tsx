import { useStream } from "../catalogue/useCatalogue";
import { nameOf, placeOf } from "../frame/format";
import { Icon } from "../frame/Icon";
import { useIsOn } from "../player/useTuner";
import { texts } from "../texts";

/** The playing station nearest to the middle of the globe: turning it tunes. */
export function Needle({ id, choose }: { id: number | null; choose: (id: number) => void }) {
  const on = useIsOn(id ?? -1);
  const stream = useStream(id);
  if (stream === null || on) return null;
  return (
    <button type="button" className="needle" onClick={() => choose(stream.id)} title={texts.globe.tuned}>
      <Icon name="play" size={18} />
      <span className="needle-name">{nameOf(stream)}</span>
      <span className="quiet">{placeOf(stream)}</span>
    </button>
  );
}
