import { useQuery } from "@tanstack/react-query";
import { statsQuery } from "../api/queries";
import type { StreamState } from "../api/types";
import { texts } from "../texts";
import { compact, whole } from "./format";
import { StateShape } from "./StateMark";

/** The few numbers that say how things stand. */
export function StatStrip() {
  const { data } = useQuery(statsQuery);
  if (!data) return <ul className="stats" aria-label={texts.stats.label} />;
  return (
    <ul className="stats" aria-label={texts.stats.label}>
      <Stat
        value={data.streams_by_state["playing"] ?? 0}
        word={texts.stats.playing}
        state="playing"
        test="stat-playing"
      />
      <Stat value={data.streams_by_state["failing"] ?? 0} word={texts.stats.failing} state="failing" />
      <Stat value={data.streams_by_state["unproven"] ?? 0} word={texts.stats.unproven} state="unproven" />
      <Stat value={data.sessions_live} word={texts.stats.listening} />
      <Stat value={data.plays_total} word={texts.stats.plays} />
    </ul>
  );
}

type StatProps = { value: number; word: string; state?: StreamState; test?: string };

function Stat({ value, word, state, test }: StatProps) {
  return (
    <li className="stat" data-state={state} title={`${whole(value)} ${word}`}>
      {state && <StateShape state={state} size={10} />}
      <span className="stat-value figures" data-testid={test}>
        {compact(value)}
      </span>
      <span className="stat-word">{word}</span>
    </li>
  );
}
