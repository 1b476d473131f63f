import type { Map as Chart } from "maplibre-gl";
import { useEffect, useRef, useState } from "react";
import { texts } from "../texts";
import { drawSpots, lookAt, makeChart, type Spot } from "./drawVotes";

type Props = {
  label: string;
  spots: readonly Spot[];
  /** Where given, a click picks a place, and so does a button the one under the mark in the middle. */
  pick?: ((latitude: number, longitude: number) => void) | undefined;
};

/** Places on a small map, each with how exactly it is meant. */
export default function VotesMap({ label, spots, pick }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<Chart | null>(null);
  const [works, setWorks] = useState(true);
  const current = useRef(pick);
  const looked = useRef("");
  useEffect(() => {
    current.current = pick;
  });

  useEffect(() => {
    if (box.current === null) return;
    let made: Chart;
    try {
      made = makeChart(box.current, label);
    } catch {
      // No WebGL 2: the list beside says the same.
      setWorks(false);
      return;
    }
    made.once("style.load", () => setMap(made));
    made.on("click", ({ lngLat }) => current.current?.(lngLat.lat, lngLat.wrap().lng));
    return () => {
      setMap(null);
      made.remove();
    };
  }, [label]);

  useEffect(() => {
    if (map === null) return;
    drawSpots(map, spots);
    // Picking a place does not move the map away from under the pointer.
    const told = JSON.stringify(spots.filter((spot) => spot.role !== "picked"));
    if (told !== looked.current) lookAt(map, spots);
    looked.current = told;
  }, [map, spots]);

  if (!works) return null;
  return (
    <div className="votes-map">
      <div className="votes-map-canvas" ref={box} data-testid="votes-map" />
      {pick && (
        <>
          <span className="votes-map-middle" aria-hidden="true" />
          <button
            type="button"
            className="button votes-map-pick"
            onClick={() => map && pick(map.getCenter().lat, map.getCenter().wrap().lng)}
          >
            {texts.moderation.pickMiddle}
          </button>
        </>
      )}
    </div>
  );
}
