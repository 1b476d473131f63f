import type { Stream } from "../api/types";
import { nameOf, placeOf } from "../frame/format";
import { Icon } from "../frame/Icon";
import { useIsOn } from "../player/useTuner";
import { texts } from "../texts";

/** The playing station nearest to the middle of the globe: turning it tunes. */
export function Needle({ stream, choose }: { stream: Stream | null; choose: (id: number) => void }) {
  const on = useIsOn(stream?.id ?? -1);
  if (stream === null || on) return null;
  return (
    <button type="button" className="needle" onClick={() => choose(stream.id)} title={texts.globe.tuned}>
      <Icon name="play" size={18} />
      <span className="needle-name">{nameOf(stream)}</span>
      <span className="quiet">{placeOf(stream)}</span>
    </button>
  );
}
