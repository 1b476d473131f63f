import { type RefObject, useEffect, useState } from "react";
import { type Room, useRoute } from "../app/route";
import { useFilter } from "../catalogue/useCatalogue";
import { texts } from "../texts";
import { Icon } from "./Icon";

const settleMs = 150;
const searched: ReadonlySet<Room> = new Set(["globe", "stations", "plays", "library"]);

/** One field for the room one is in; what is typed goes to the address when the typing rests. */
export function Search({ field }: { field: RefObject<HTMLInputElement | null> }) {
  const [{ room }] = useRoute();
  const [filter, setFilter] = useFilter();
  const [typed, setTyped] = useState(filter.q);

  useEffect(() => setTyped(filter.q), [filter.q]);

  useEffect(() => {
    if (typed === filter.q) return;
    const timer = setTimeout(() => setFilter({ q: typed }), settleMs);
    return () => clearTimeout(timer);
  }, [typed, filter.q, setFilter]);

  if (!searched.has(room)) return <div className="search" />;
  const hint =
    room === "library" ? texts.top.searchRecordings : room === "plays" ? texts.top.searchPlays : texts.top.search;
  return (
    <search className="search">
      <Icon name="search" size={18} />
      <input
        ref={field}
        data-testid="search"
        type="search"
        value={typed}
        placeholder={hint}
        aria-label={hint}
        autoComplete="off"
        spellCheck={false}
        maxLength={200}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          setTyped("");
          event.currentTarget.blur();
        }}
      />
      {typed === "" ? (
        <kbd>/</kbd>
      ) : (
        <button type="button" className="icon-button small" aria-label={texts.top.clear} onClick={() => setTyped("")}>
          <Icon name="close" size={16} />
        </button>
      )}
    </search>
  );
}
