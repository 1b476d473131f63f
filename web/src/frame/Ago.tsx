import { texts } from "../texts";
import { absolute, relative, useNow } from "./time";

/** A moment relative to now, with the absolute time on hover. */
export function Ago({ at }: { at: string | null }) {
  const now = useNow();
  const moment = at === null ? Number.NaN : Date.parse(at);
  if (at === null || Number.isNaN(moment)) return <span className="quiet">{texts.time.never}</span>;
  return (
    <time dateTime={at} title={absolute(moment)} className="figures">
      {relative(moment, now)}
    </time>
  );
}
