import { useQuery } from "@tanstack/react-query";
import { meQuery } from "../api/queries";
import { roomsOf } from "../app/access";
import { pathOf, type Room, useRoute } from "../app/route";
import { texts } from "../texts";
import { Icon } from "./Icon";

/** The rooms: a rail at the side, a bar at the bottom on a phone. */
export function Rail() {
  const [route, go] = useRoute();
  const { data: account } = useQuery(meQuery);
  return (
    <nav className="rail" aria-label={texts.rail.label}>
      <svg className="rail-mark" viewBox="0 0 32 32" width="28" height="28" aria-hidden="true" focusable="false">
        <g fill="none" stroke="currentColor" strokeWidth="2.400" strokeLinecap="round">
          <path d="M5 19a11 11 0 0 1 22 0" opacity=".5" />
          <path d="M10.500 19a5.500 5.500 0 0 1 11 0" />
          <path d="M6 26h20" />
        </g>
        <circle cx="16" cy="19" r="2.200" fill="currentColor" />
      </svg>
      {roomsOf(account ?? null).map((room) => (
        <RailLink key={room} room={room} here={route.room === room} go={() => go({ room, id: null })} />
      ))}
    </nav>
  );
}

function RailLink({ room, here, go }: { room: Room; here: boolean; go: () => void }) {
  return (
    <a
      className="rail-link"
      href={pathOf({ room, id: null })}
      aria-current={here ? "page" : undefined}
      onClick={(event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        go();
      }}
    >
      <Icon name={room === "station" ? "stations" : room === "takedown" ? "close" : room} size={22} />
      <span>{texts.rail[room]}</span>
    </a>
  );
}
