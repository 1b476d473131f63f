import type { Map as Globe } from "maplibre-gl";
import { type RefObject, useEffect, useRef, useState } from "react";
import type { Stream } from "../api/types";
import { catalogue } from "../catalogue/useCatalogue";
import { Icon } from "../frame/Icon";
import { livePlays } from "../live/plays";
import { usePlaying } from "../player/useTuner";
import { texts } from "../texts";
import { Beacons } from "./beacons";
import { type Hovered, hover, makeGlobe, paddingAround, pick, setPoints, wholeZoom } from "./map";
import { fingerprint, hasPlace, nearest, pointsOf } from "./points";
import { Tip } from "./Tip";

const redrawMs = 2000;
const redrawManyMs = 10_000;
const many = 5000;
const needleDeg = 6;
const turnMs = 700;

type Props = {
  shown: readonly Stream[];
  selected: number | null;
  choose: (id: number) => void;
  chooseMany: (ids: readonly number[]) => void;
  centre: (stream: Stream | null) => void;
  fail: () => void;
};

declare global {
  interface Window {
    /** Only with `?e2e` in the address: lets a browser test ask the globe what it drew. */
    __airledger?: { map: Globe };
  }
}

export function GlobeCanvas(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const mark = useRef<HTMLSpanElement>(null);
  const [globe, setGlobe] = useState<{ map: Globe; beacons: Beacons } | null>(null);
  const [tip, setTip] = useState<{ what: Hovered; x: number; y: number } | null>(null);
  const current = useRef(props);
  useEffect(() => {
    current.current = props;
  });

  useEffect(() => {
    if (box.current === null) return;
    const made = open(box.current, current, setTip);
    if (made === null) return current.current.fail();
    // Not "load", which waits until everything has been drawn once: the sphere is worth seeing before its points.
    made.map.once("style.load", () => setGlobe(made));
    return () => {
      setGlobe(null);
      made.beacons.close();
      made.map.remove();
    };
  }, []);

  usePoints(globe?.map ?? null, props.shown);
  useBeacons(globe?.beacons ?? null);
  useMiddle(globe?.map ?? null, mark, props.selected);

  const map = globe?.map;
  const whole = () => map?.easeTo({ zoom: wholeZoom(map.getContainer().clientWidth, map.getContainer().clientHeight) });
  return (
    <>
      <div className="globe" data-testid="globe" data-ready={globe !== null || undefined} ref={box} />
      <span className="needle-mark" aria-hidden="true" ref={mark} />
      {tip && <Tip {...tip} />}
      <div className="globe-zoom">
        <button type="button" className="icon-button" aria-label={texts.globe.zoomIn} onClick={() => map?.zoomIn()}>
          <Icon name="plus" />
        </button>
        <button type="button" className="icon-button" aria-label={texts.globe.zoomOut} onClick={() => map?.zoomOut()}>
          <Icon name="minus" />
        </button>
        <button type="button" className="icon-button" aria-label={texts.globe.whole} onClick={whole}>
          <Icon name="whole" />
        </button>
      </div>
    </>
  );
}

type SetTip = (tip: { what: Hovered; x: number; y: number } | null) => void;

/** Opens the globe and leads its events to the props of the moment; null where WebGL 2 is missing. */
function open(box: HTMLElement, current: { current: Props }, setTip: SetTip): { map: Globe; beacons: Beacons } | null {
  let map: Globe;
  try {
    map = makeGlobe(box, texts.globe.label);
  } catch (error) {
    console.error("The globe cannot be drawn:", error);
    return null;
  }
  if (new URLSearchParams(location.search).has("e2e")) window.__airledger = { map };
  map.on("click", (event) => {
    void pick(map, event).then((picked) => {
      if (picked.kind === "stream") current.current.choose(picked.id);
      current.current.chooseMany(picked.kind === "many" ? picked.ids : []);
    });
  });
  map.on("mousemove", (event) => {
    const what = hover(map, event);
    setTip(what === null ? null : { what, x: event.point.x, y: event.point.y });
  });
  map.on("mouseout", () => setTip(null));
  map.on("movestart", () => setTip(null));
  map.on("moveend", () => {
    const { lat, lng } = map.getCenter();
    current.current.centre(nearest(current.current.shown, lat, lng, needleDeg / 2 ** Math.max(0, map.getZoom() - 2)));
  });
  return { map, beacons: new Beacons(map) };
}

/**
 * Puts the points on the globe, at most every other second: clustering 100,000 of them takes the worker about one. Where
 * they are many, a change of state alone (their number stays) waits longer, for one among thousands is hardly seen.
 */
function usePoints(map: Globe | null, shown: readonly Stream[]): void {
  const drawn = useRef({ at: Number.NEGATIVE_INFINITY, print: 0, count: 0 });
  useEffect(() => {
    if (map === null) return;
    const isMinor = shown.length > many && shown.length === drawn.current.count;
    const wait = Math.max(0, drawn.current.at + (isMinor ? redrawManyMs : redrawMs) - performance.now());
    const timer = setTimeout(() => {
      const points = pointsOf(shown);
      const print = fingerprint(points);
      if (print === drawn.current.print) return;
      drawn.current = { at: performance.now(), print, count: shown.length };
      setPoints(map, points);
    }, wait);
    return () => clearTimeout(timer);
  }, [map, shown]);
}

function useBeacons(beacons: Beacons | null): void {
  const { stream, status } = usePlaying();
  useEffect(() => {
    beacons?.setPlaying(status === "playing" || status === "connecting" ? stream : null);
  }, [beacons, stream, status]);
  useEffect(() => (beacons === null ? undefined : livePlays.onStart((play) => beacons.flare(play))), [beacons]);
}

/** Turns the globe to what is selected, without changing how near one is, and keeps its middle clear of the drawer. */
function useMiddle(map: Globe | null, mark: RefObject<HTMLElement | null>, selected: number | null): void {
  useEffect(() => {
    if (map === null) return;
    const middle = () => {
      const box = map.getContainer().getBoundingClientRect();
      return mark.current === null ? {} : { padding: paddingAround(mark.current.getBoundingClientRect(), box) };
    };
    const stream = selected === null ? undefined : catalogue.read().streams.get(selected);
    const turn =
      stream !== undefined && hasPlace(stream)
        ? { center: [stream.longitude, stream.latitude] as [number, number] }
        : {};
    map.easeTo({ ...middle(), ...turn, duration: turnMs });
    const fit = () => map.jumpTo(middle());
    map.on("resize", fit);
    return () => {
      map.off("resize", fit);
    };
  }, [map, mark, selected]);
}
