import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { recordingsQuery } from "../api/queries";
import type { Recording } from "../api/types";
import { songLine } from "../frame/joined";
import { texts } from "../texts";

const settleMs = 250;
const fewest = 2;
const most = 5;

/** Recordings of the library that match what was typed, so that none is added a second time. */
export function Suggestions({ typed, pick }: { typed: string; pick: (recording: Recording) => void }) {
  const [settled, setSettled] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => setSettled(typed.trim().slice(0, 200)), settleMs);
    return () => clearTimeout(timer);
  }, [typed]);
  const { data } = useInfiniteQuery({ ...recordingsQuery(settled, most), enabled: settled.length >= fewest });
  const found = data?.pages[0]?.rows ?? [];
  if (settled.length < fewest || found.length === 0) return null;
  return (
    <div className="suggestions">
      <p className="quiet">{texts.unknown.inLibrary}</p>
      <ul>
        {found.map((recording) => (
          <li key={recording.id}>
            <button type="button" className="link" onClick={() => pick(recording)}>
              {songLine(recording)}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
