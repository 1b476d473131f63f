import { useEffect, useState } from "react";
import { useStream } from "../catalogue/useCatalogue";
import { nameOf, placeOf, whole } from "../frame/format";
import { songLine } from "../frame/joined";
import { causeText, StateMark } from "../frame/StateMark";
import { texts } from "../texts";
import type { Hovered } from "./map";

/** What is under the pointer, in words. The same is in the list, so it is hidden from screen readers. */
export function Tip({ what, x, y }: { what: Hovered; x: number; y: number }) {
  return (
    <div className="tip" aria-hidden="true" style={{ transform: `translate(${x}px, ${y}px)` }}>
      <div className="tip-body">{"id" in what ? <StreamTip id={what.id} /> : <ClusterTip {...what} />}</div>
    </div>
  );
}

const restMs = 120;

function StreamTip({ id }: { id: number }) {
  const [rested, setRested] = useState<number | null>(null);
  // A pointer that only passes over asks for nothing.
  useEffect(() => {
    const timer = setTimeout(() => setRested(id), restMs);
    return () => clearTimeout(timer);
  }, [id]);
  const stream = useStream(rested === id ? id : null);
  if (stream === null) return <span className="quiet">{texts.drawer.loading}</span>;
  const song = stream.now_playing;
  return (
    <>
      <strong>{nameOf(stream)}</strong>
      <span className="quiet">{placeOf(stream)}</span>
      {song !== null && <span>{songLine(song)}</span>}
      {stream.state === "failing" && stream.cause !== null && <span>{causeText(stream.cause)}</span>}
      <StateMark state={stream.state} />
    </>
  );
}

function ClusterTip({ cluster, playing, failing }: { cluster: number; playing: number; failing: number }) {
  return (
    <>
      <strong>{texts.globe.here(cluster)}</strong>
      <span className="quiet figures">
        {whole(playing)} {texts.stats.playing} · {whole(failing)} {texts.stats.failing}
      </span>
    </>
  );
}
