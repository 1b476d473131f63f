import { filtered, sorted } from "../catalogue/filter";
import { catalogue, filterFrom } from "../catalogue/useCatalogue";
import { tuner } from "./useTuner";

/** Plays the next (1) or previous (-1) playing station of the list as it is filtered, by name; round at the ends. */
export function step(by: 1 | -1): void {
  const filter = filterFrom(location.search);
  const list = sorted(filtered(catalogue.read().streams.values(), filter), { by: "name", down: false }).filter(
    (stream) => stream.state === "playing",
  );
  if (list.length === 0) return;
  const at = list.findIndex((stream) => stream.id === tuner.read().stream?.id);
  const next = list[at === -1 ? 0 : (at + by + list.length) % list.length];
  if (next !== undefined) void tuner.play(next);
}
