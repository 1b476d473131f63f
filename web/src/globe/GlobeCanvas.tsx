import type { Map as Globe } from "maplibre-gl";
import { type RefObject, useEffect, useRef, useState } from "react";
import { useStream } from "../catalogue/useCatalogue";
import { Icon } from "../frame/Icon";
import { livePlays } from "../live/plays";
import { usePlaying } from "../player/useTuner";
import { texts } from "../texts";
import { Beacons } from "./beacons";
import {
  addIcons,
  type Hovered,
  hover,
  iconsOf,
  makeGlobe,
  paddingAround,
  pick,
  setAccuracy,
  setMarks,
  viewOf,
  wholeZoom,
} from "./map";
import { hasPlace } from "./place";
import { points, usePoints } from "./points";
import { Tip } from "./Tip";
import { type Drawn, holds, type Members } from "./view";

const needleDeg = 6;
const turnMs = 700;

type Props = {
  selected: number | null;
  choose: (id: number) => void;
  chooseMany: (members: Members | null) => void;
  centre: (id: number | null) => void;
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

  useMarks(globe?.map ?? null);
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
      current.current.chooseMany(picked.kind === "many" ? picked.members : null);
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
    const withinDeg = needleDeg / 2 ** Math.max(0, map.getZoom() - 2);
    void points.nearest(lat, lng, withinDeg).then((id) => current.current.centre(id));
  });
  return { map, beacons: new Beacons(map) };
}

/** Keeps on the globe what the worker groups for the view: asked anew where one has moved beyond what it answered last. */
function useMarks(map: Globe | null): void {
  const { version } = usePoints();
  const supplied = useRef<Globe | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another version is drawn anew
  useEffect(() => {
    if (map === null) return;
    let drawn: Drawn | null = null;
    let asking = false;
    let gone = false;
    const look = async (): Promise<void> => {
      if (asking || gone || (drawn !== null && holds(drawn, viewOf(map)))) return;
      asking = true;
      const isFirst = supplied.current !== map;
      supplied.current = map;
      const answer = await points.draw(viewOf(map), iconsOf(map), isFirst);
      asking = false;
      if (answer === null) return;
      // Also where its marks come too late: the worker draws each image only once.
      addIcons(map, answer.images);
      if (gone) return;
      drawn = answer;
      setMarks(map, answer);
      // One may have moved on while the worker was at it.
      void look();
    };
    const moved = () => void look();
    void look();
    map.on("move", moved);
    return () => {
      gone = true;
      map.off("move", moved);
    };
  }, [map, version]);
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
  const stream = useStream(selected);
  const known = stream !== null && hasPlace(stream) ? stream : null;
  const [latitude, longitude] = [known?.latitude ?? null, known?.longitude ?? null];
  const radiusKm = known?.accuracy_radius_km ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: selecting nothing moves the middle as well
  useEffect(() => {
    if (map === null) return;
    const middle = () => {
      const box = map.getContainer().getBoundingClientRect();
      return mark.current === null ? {} : { padding: paddingAround(mark.current.getBoundingClientRect(), box) };
    };
    const turn = latitude !== null && longitude !== null ? { center: [longitude, latitude] as [number, number] } : {};
    map.easeTo({ ...middle(), ...turn, duration: turnMs });
    const fit = () => map.jumpTo(middle());
    map.on("resize", fit);
    return () => {
      map.off("resize", fit);
    };
  }, [map, mark, selected, latitude, longitude]);
  useEffect(() => {
    if (map === null) return;
    const area = latitude === null || longitude === null || radiusKm <= 0 ? null : { latitude, longitude, radiusKm };
    setAccuracy(map, area);
  }, [map, latitude, longitude, radiusKm]);
}
